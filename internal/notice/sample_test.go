package notice

import (
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// at reads a moment written as RFC 3339.
func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return t
}

var now = at("2026-10-01T09:00:00Z")

// sample is a fleet of three tenants and a plan that touches two of them, one across the night in
// which Berlin's clocks go back. Its advisories are to be disclosed on 20 October.
func sample() (*plan.Plan, *fleet.Fleet) {
	f := &fleet.Fleet{
		Tenants: []fleet.Tenant{
			{ID: "acme", Name: "Acme GmbH", Timezone: "Europe/Berlin", Contacts: []fleet.Contact{{Email: "ops@acme.example"}}},
			{ID: "birch", Contacts: []fleet.Contact{{Email: "it@birch.example"}}},
			{ID: "cedar", Contacts: []fleet.Contact{{Email: "root@cedar.example"}}},
		},
		Instances: []fleet.Instance{
			{ID: "web-1", Host: "kvm-1", Tenant: "acme"}, {ID: "web-2", Host: "kvm-1", Tenant: "acme"},
			{ID: "db-1", Host: "kvm-2", Tenant: "acme"}, {ID: "shop", Host: "kvm-1", Tenant: "birch"},
			{ID: "spare", Host: "kvm-3", Tenant: "cedar"},
		},
	}
	p := &plan.Plan{
		Campaign: "xsa-999-emergency", Revision: 3, Digest: "d1g3st", FleetDigest: "f1337",
		Public: "Maintenance of hosts",
		Policy: plan.Policy{Contact: "maintenance@operator.example"},
		Target: &plan.Target{ID: "target-cve-2026-4242", Public: "Maintenance of hosts",
			Fixes: []string{"CVE-2026-4242", "XSA-999"}, Disclosure: at("2026-10-20T12:00:00Z")},
		Slots: []plan.Slot{
			slot("kvm-2/db-1", "acme", plan.DispStop, "2026-10-26T01:00:00Z", 300_000, 1_200_000),
			slot("kvm-1/web-2", "acme", plan.DispLiveMigrate, "2026-10-25T00:00:00Z", 900, 5000),
			slot("kvm-1/web-1", "acme", plan.DispLiveMigrate, "2026-10-25T00:00:00Z", 1500, 5000),
			slot("kvm-1/shop", "birch", plan.DispLiveMigrate, "2026-10-25T00:00:00Z", 300, 5000),
		},
	}
	return p, f
}

// slot is a slot of two hours whose id is turn/instance.
func slot(id, tenant string, d plan.Disposition, start string, expected, worst int64) plan.Slot {
	turn, instance := id[:5], id[6:]
	s := at(start)
	return plan.Slot{ID: id, Instance: instance, Tenant: tenant, Turn: turn, Class: plan.ClassOf(d), Disposition: d,
		Start: s, End: s.Add(2 * time.Hour), ExpectedMs: expected, P95Ms: (expected + worst) / 2, WorstMs: worst, NoticeBy: s.Add(-24 * time.Hour)}
}

func build(t testing.TB, kind Kind, slots []string, extra Extra) Notice {
	t.Helper()
	p, f := sample()
	n, err := Build(p, f, kind, "acme", slots, now, extra)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func render(t testing.TB, n Notice, now time.Time) Message {
	t.Helper()
	m, err := Render(n, now)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var allOfAcme = []string{"kvm-2/db-1", "kvm-1/web-1", "kvm-1/web-2"}
