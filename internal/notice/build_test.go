package notice

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/plan"
	"pgregory.net/rapid"
)

func TestForPlan(t *testing.T) {
	p, f := sample()
	notices := ForPlan(p, f, now)
	var ids []string
	for _, n := range notices {
		ids = append(ids, n.ID)
		if n.Kind != Scheduled || !n.All || n.Disclosed {
			t.Errorf("%s: kind %s, all %v, disclosed %v", n.ID, n.Kind, n.All, n.Disclosed)
		}
		if bad := Lint(n); bad != nil {
			t.Errorf("%s cannot be sent: %q", n.ID, bad)
		}
	}
	if want := []string{"xsa-999-emergency/r3/scheduled/acme", "xsa-999-emergency/r3/scheduled/birch"}; !slices.Equal(ids, want) {
		t.Fatalf("notices %q, want %q: cedar is not touched", ids, want)
	}
	var order []string
	for _, it := range notices[0].Items {
		order = append(order, it.Instance)
	}
	if want := []string{"web-1", "web-2", "db-1"}; !slices.Equal(order, want) {
		t.Errorf("items %q, want %q", order, want)
	}
	if notices[1].Tenant.Timezone != "UTC" {
		t.Errorf("birch names no zone, so it is UTC, not %q", notices[1].Tenant.Timezone)
	}
}

// TestOverruled: a no that gave way is named in what promises the time, by text and HTML, and in nothing else; the deadline
// is not, for it may be the disclosure.
func TestOverruled(t *testing.T) {
	p, f := sample()
	for i := range p.Slots {
		if p.Slots[i].Tenant == "acme" {
			p.Slots[i].Overrules = "2026-03-03 00:00 UTC to 2026-03-20 00:00 UTC (year end)"
		}
	}
	const said = "You asked for no maintenance from 2026-03-03 00:00 UTC to 2026-03-20 00:00 UTC (year end)."
	for _, n := range ForPlan(p, f, now) {
		if got := strings.Contains(n.Reason, said); got != (n.Tenant.ID == "acme") {
			t.Errorf("%s: reason %q", n.ID, n.Reason)
		}
		if bad := Lint(n); bad != nil {
			t.Errorf("%s cannot be sent: %q", n.ID, bad)
		}
	}
	for kind, want := range map[Kind]bool{Scheduled: true, Reminded: true, Finished: false, Cancelled: false} {
		n, err := Build(p, f, kind, "acme", allOfAcme, now, Extra{})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(n.Reason, said) != want {
			t.Errorf("%s: reason %q", kind, n.Reason)
		}
	}
}

// The order in which a plan lists its slots changes no notice, and Build says what ForPlan says.
func TestOrderDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, f := sample()
		want := ForPlan(p, f, now)
		p.Slots = rapid.Permutation(p.Slots).Draw(t, "slots")
		if got := ForPlan(p, f, now); !reflect.DeepEqual(got, want) {
			t.Fatalf("ForPlan gives %+v, want %+v", got, want)
		}
		got, err := Build(p, f, Scheduled, "acme", rapid.Permutation(allOfAcme).Draw(t, "ids"), now, Extra{})
		if err != nil || !reflect.DeepEqual(got, want[0]) {
			t.Fatalf("Build gives %+v, %v, want %+v", got, err, want[0])
		}
	})
}

func TestBuildRefuses(t *testing.T) {
	for _, c := range []struct {
		name, tenant string
		kind         Kind
		slots        []string
		want         string
	}{
		{"another tenant's slot", "birch", Scheduled, []string{"kvm-1/shop", "kvm-1/web-1"}, "promised to tenant \"acme\""},
		{"an unknown slot", "acme", Scheduled, []string{"kvm-9/web-1"}, "not in revision 3"},
		{"an unknown tenant", "dogwood", Scheduled, []string{"kvm-1/web-1"}, "not in the fleet"},
		{"an unknown kind", "acme", "shouted", allOfAcme, "not known"},
		{"an instance that changed hands", "cedar", Scheduled, []string{"kvm-3/sold"}, "belongs to tenant \"acme\""},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, f := sample()
			sold := slot("kvm-3/sold", "cedar", plan.DispLiveMigrate, "2026-10-25T00:00:00Z", 1, 2)
			p.Slots = append(p.Slots, sold)
			in := f.Instances[0]
			in.ID, in.Tenant = "sold", "acme"
			f.Instances = append(f.Instances, in)
			_, err := Build(p, f, c.kind, c.tenant, c.slots, now, Extra{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestBuildExtra(t *testing.T) {
	p, _ := sample()
	n := build(t, Finished, []string{"kvm-1/web-1", "kvm-1/web-2"}, Extra{
		ID: "xsa-999-emergency/r3/finished/acme/kvm-1", Reason: "Done.",
		Was:    map[string]plan.Slot{"kvm-1/web-1": p.Slots[1]},
		Actual: map[string]Actual{"kvm-1/web-1": {From: at("2026-10-25T00:10:00Z"), To: at("2026-10-25T00:10:01Z"), Ms: 700}},
	})
	if n.ID != "xsa-999-emergency/r3/finished/acme/kvm-1" || n.Reason != "Done." || n.All {
		t.Errorf("id %q, reason %q, all %v", n.ID, n.Reason, n.All)
	}
	if n.Items[0].Was == nil || n.Items[0].ActualMs != 700 {
		t.Errorf("web-1: %+v", n.Items[0])
	}
	if n.Items[1].ActualMs != -1 {
		t.Errorf("web-2: nobody said what happened, yet it reads %d ms", n.Items[1].ActualMs)
	}
}
