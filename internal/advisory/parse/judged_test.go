package parse

import (
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/version"
)

// verdictOn judges one Xen host, whose package of xen is v, by some documents.
func verdictOn(t *testing.T, ecosystem, v string, cpu fleet.CPU, docs ...string) (advisory.Verdict, []string) {
	t.Helper()
	var as []advisory.Advisory
	for _, src := range docs {
		as = append(as, must(t, "doc", src)...)
	}
	at := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	xen := map[string]string{"xen": v}
	f := &fleet.Fleet{
		Taken: at, Regions: []fleet.Region{{ID: "r"}}, Sites: []fleet.Site{{ID: "s", Region: "r"}}, Pools: []fleet.Pool{{ID: "p", Site: "s"}},
		Hosts: []fleet.Host{{
			ID: "h", Pools: []string{"p"}, Hypervisor: fleet.Xen, Ecosystem: ecosystem, Arch: "x86_64", CPU: cpu,
			Software: fleet.Software{Installed: xen, Booted: xen, Running: xen, LivePatches: []fleet.LivePatch{}},
		}},
	}
	h := advisory.Assess(f, nil, as, 0, at).Hosts[0]
	return h.Verdict, h.Evidence
}

// TestJudgedByNVDAndCVE: what the readers make of a record is judged as the record means it.
func TestJudgedByNVDAndCVE(t *testing.T) {
	unbounded := nvdOf(simple(cpeMatchOf(true, "cpe:2.3:o:xen:xen:*:*:*:*:*:*:x86:*", "")))
	ranged := nvdOf(simple(cpeMatchOf(true, anyXen, `, "versionStartIncluding": "4.12", "versionEndExcluding": "4.17.5"`)))
	debian := `{"id": "DEBIAN-CVE-2026-1000", "modified": "2026-01-01T00:00:00Z", "upstream": ["CVE-2026-1000"], "affected": [{"package": {"ecosystem": "Debian:12", "name": "xen"}, "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "4.17.5+23-ga4e5191dc0-1"}]}]}]}`
	open := cnaOf(xenEntry("", `{"version": "4.12", "lessThan": "4.17.5", "status": "affected", "versionType": "custom"}`))
	after := nvdOf(simple(cpeMatchOf(true, anyXen, `, "versionStartExcluding": "4.12.0", "versionEndExcluding": "4.17.5"`)))
	quarrel := cveOf(`"cna": {"affected": [` + xenEntry("unaffected", `{"version": "4.12", "lessThan": "4.17.5", "status": "affected", "versionType": "custom"}`) + `]}, "adp": [{"affected": [` + xenEntry("unaffected", `{"version": "4.12", "lessThan": "4.17.6", "status": "affected", "versionType": "custom"}`) + `]}]`)
	onIntel := nvdOf(`[{"operator": "AND", "nodes": [` + orNode(cpeMatchOf(true, anyXen, `, "versionEndExcluding": "4.17.5"`)) + `,` + orNode(cpeMatchOf(false, "cpe:2.3:h:intel:xeon_e5:-:*:*:*:*:*:*:*", "")) + `]}]`)
	anyIntel := nvdOf(`[{"operator": "AND", "nodes": [` + orNode(cpeMatchOf(true, anyXen, `, "versionEndExcluding": "4.17.5"`)) + `,` + orNode(cpeMatchOf(false, "cpe:2.3:h:intel:*:-:*:*:*:*:*:*:*", "")) + `]}]`)
	intel, amd := fleet.CPU{Vendor: "intel"}, fleet.CPU{Vendor: "amd"}
	for name, c := range map[string]struct {
		ecosystem, version string
		cpu                fleet.CPU
		docs               []string
		want               []advisory.Verdict
	}{
		"no bound, upstream":               {version.Upstream, "4.17.5", intel, []string{unbounded}, one(advisory.IsUnknown)},
		"no bound against a fixed package": {"Debian:12", "4.17.5+23-ga4e5191dc0-1", intel, []string{unbounded, debian}, one(advisory.IsFixed)},
		"no bound and an unfixed package":  {"Debian:12", "4.17.3-1", intel, []string{unbounded, debian}, one(advisory.IsAffected)},
		"below the fix":                    {version.Upstream, "4.17.4", intel, []string{ranged}, one(advisory.IsAffected)},
		"the fix":                          {version.Upstream, "4.17.5", intel, []string{ranged}, one(advisory.IsFixed)},
		"before the flaw":                  {version.Upstream, "4.11.4", intel, []string{ranged}, one(advisory.NotAffected)},
		"default unknown: above":           {version.Upstream, "4.17.5", intel, []string{open}, one(advisory.IsUnknown)},
		"default unknown: below":           {version.Upstream, "4.11", intel, []string{open}, one(advisory.IsUnknown)},
		"default unknown: in":              {version.Upstream, "4.12.0", intel, []string{open}, one(advisory.IsAffected)},
		"after a version: itself":          {version.Upstream, "4.12", intel, []string{after}, []advisory.Verdict{advisory.IsUnknown, advisory.NotAffected}},
		"after a version: the next":        {version.Upstream, "4.12.1", intel, []string{after}, one(advisory.IsAffected)},
		"sources agree":                    {version.Upstream, "4.17.4", intel, []string{quarrel}, one(advisory.IsAffected)},
		"sources differ":                   {version.Upstream, "4.17.5", intel, []string{quarrel}, one(advisory.IsUnknown)},
		"sources agree on the fix":         {version.Upstream, "4.17.6", intel, []string{quarrel}, []advisory.Verdict{advisory.IsFixed, advisory.NotAffected}},
		"a model of CPU, perhaps":          {version.Upstream, "4.17.4", intel, []string{onIntel}, one(advisory.IsUnknown)},
		"a model of CPU, another's":        {version.Upstream, "4.17.4", amd, []string{onIntel}, []advisory.Verdict{advisory.IsUnknown, advisory.NotAffected}},
		"a model of CPU, fixed":            {version.Upstream, "4.17.5", intel, []string{onIntel}, []advisory.Verdict{advisory.IsFixed, advisory.NotAffected}},
		"any CPU of a vendor":              {version.Upstream, "4.17.4", intel, []string{anyIntel}, one(advisory.IsAffected)},
		"any CPU of another vendor":        {version.Upstream, "4.17.4", amd, []string{anyIntel}, one(advisory.NotAffected)},
		"spelled otherwise":                {version.Upstream, "4.17", intel, []string{nvdOf(simple(cpeMatchOf(true, "cpe:2.3:o:xen:xen:4.17.0:-:*:*:*:*:*:*", "")))}, one(advisory.IsAffected)},
	} {
		t.Run(name, func(t *testing.T) {
			if got, evidence := verdictOn(t, c.ecosystem, c.version, c.cpu, c.docs...); !slices.Contains(c.want, got) {
				t.Errorf("got %s, want %s: %q", got, c.want, evidence)
			}
		})
	}
}

func one(v advisory.Verdict) []advisory.Verdict { return []advisory.Verdict{v} }
