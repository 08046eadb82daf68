package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/notice"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// sixFleet: xa1 and xa2 run a build for which there are live patches, xb1 and xb2 one for which there
// are none.
func sixFleet() string {
	var b strings.Builder
	b.WriteString(`evenkeel: fleet/v1
regions: [{id: north}]
sites: [{id: north-a, region: north}]
pools: [{id: xa, site: north-a}, {id: xb, site: north-a}]
tenants: [{id: acme, contacts: [{email: ops@acme.example}]}]
hosts:
`)
	for _, h := range []struct{ id, pool, build string }{{"xa1", "xa", "aa11"}, {"xa2", "xa", "aa11"}, {"xb1", "xb", "bb22"}, {"xb2", "xb", "bb22"}} {
		fmt.Fprintf(&b, `  - id: %s
    pools: [%s]
    hypervisor: xen
    memory_mib: 8192
    capabilities: [live-migrate, reboot, update, live-patch, suspend]
    software: {installed: {xen: 4.17.5-1.xs8}, booted: {xen: 4.17.5-1.xs8}, running: {xen: 4.17.5-1.xs8}, build_id: %s, live_patches: []}
`, h.id, h.pool, h.build)
	}
	b.WriteString("instances:\n")
	for _, h := range []string{"xa1", "xb1"} {
		fmt.Fprintf(&b, "  - {id: vm-%s, host: %s, tenant: acme, memory_mib: 512}\n", h, h)
	}
	return b.String()
}

// March 2015: six advisories in one target, with one live-patchable cohort and one that must reboot.
func TestSixAdvisoriesInOneTarget(t *testing.T) {
	files := map[string]string{"fleet": sixFleet(),
		"policy": "evenkeel: policy/v1\nwindows: [{always: true}]\nlead: {blip: 1h, outage: 1h}\ncontact: noc@operator.example\ntactics: [live-patch, evacuate, suspend]\nmax_away_percent: 50\nkeep_reserve: false\n"}
	target := "evenkeel: target/v1\nid: march\npublic: hypervisor maintenance\nfixes: [XSA-119, XSA-120, XSA-121, XSA-122, XSA-123, XSA-124]\nadvisories: ["
	patches := ""
	for n := 119; n <= 124; n++ {
		day := 10
		if n == 123 {
			day = 12
		}
		files[fmt.Sprintf("xsa%d", n)] = fmt.Sprintf(`evenkeel: advisory/v1
id: XSA-%d
disclosure: 2026-03-%dT12:00:00Z
embargo_deploy: "yes"
affected:
  - {ecosystem: "XenServer:8", package: xen, ranges: [{type: ECOSYSTEM, events: [{introduced: "0"}, {fixed: 4.17.5-2.xs8}]}]}
`, n, day)
		target += fmt.Sprintf("xsa%d.yaml, ", n)
		patches += fmt.Sprintf("      - {name: lp%d, component: xen, build_id: aa11, fixes: [XSA-%d]}\n", n, n)
	}
	target = strings.TrimSuffix(target, ", ") + `]
cohorts:
  - name: patchable
    match: {pools: [xa]}
    ecosystem: XenServer:8
    packages: {xen: 4.17.5-2.xs8}
    remedy: live-patch
    live_patches:
` + patches + `    update: {command: [apply-live-patches]}
  - name: rest
    ecosystem: XenServer:8
    packages: {xen: 4.17.5-2.xs8}
    update: {command: [dnf, update, xen]}
`
	files["target"] = target
	dir := planDir(t, files)
	out := filepath.Join(dir, "plan.json")
	code, table, errs := runPlanIn(t, dir, "--fleet", "FLEET", "--target", "TARGET", "--policy", "POLICY", "--out", out)
	if code != ExitChanges {
		t.Fatalf("exit %d: %s\n%s", code, errs, table)
	}
	for _, want := range []string{"nothing is named before 2026-03-12T12:00:00Z; deployment before that: yes", "XSA-119 (", "public from 2026-03-10T12:00Z on", "the plan is to end by then"} {
		if !strings.Contains(table, want) {
			t.Errorf("the table lacks %q:\n%s", want, table)
		}
	}
	file, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	p, err := plan.Read(file)
	if err != nil {
		t.Fatal(err)
	}
	tactics := map[string]plan.Tactic{}
	for _, x := range p.Turns {
		tactics[x.Host] = x.Tactic
	}
	for host, want := range map[string]plan.Tactic{"xa1": plan.LivePatch, "xa2": plan.LivePatch, "xb1": plan.Evacuate, "xb2": plan.Evacuate} {
		if tactics[host] != want {
			t.Errorf("%s: %q, want %q; blocked %+v", host, tactics[host], want, p.Blocked)
		}
	}
	if !p.Target.Disclosure.Equal(time.Date(2026, 3, 12, 12, 0, 0, 0, time.UTC)) || !p.Target.FinishBy.Equal(time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC)) {
		t.Errorf("disclosure %s, finish by %s", p.Target.Disclosure, p.Target.FinishBy)
	}
	if found := audit.Plan(p.Fleet, &p); len(found) > 0 {
		t.Errorf("%+v", found)
	}
	for _, n := range notice.ForPlan(&p, p.Fleet, p.Made) {
		if bad := notice.Lint(n); len(bad) > 0 {
			t.Errorf("%s: %v", n.ID, bad)
		}
		m, err := notice.Render(n, p.Made)
		if err != nil || strings.Contains(m.Text, "XSA") || strings.Contains(m.Subject, "XSA") {
			t.Errorf("%v: %s", err, m.Text)
		}
	}
}

func TestTermsOfATarget(t *testing.T) {
	now := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	day := func(n int) time.Time { return now.Add(time.Duration(n) * 24 * time.Hour) }
	terms := advisory.Terms{Disclosure: day(9), FinishBy: day(5), Deploy: "yes"}
	for name, c := range map[string]struct {
		target plan.Target
		policy plan.Policy
		want   time.Time
	}{
		"nobody names an end":            {want: day(5)},
		"the target's is later":          {target: plan.Target{FinishBy: day(7)}, want: day(5)},
		"the target's is earlier":        {target: plan.Target{FinishBy: day(3)}, want: day(3)},
		"policy's is earlier":            {policy: plan.Policy{FinishBy: day(4)}},
		"policy lets it end afterwards":  {policy: plan.Policy{AfterDisclosure: true}},
		"policy's counts, not the terms": {policy: plan.Policy{FinishBy: day(6)}, want: day(5)},
	} {
		got := underTerms(&c.target, terms, c.policy, now)
		if !got.FinishBy.Equal(c.want) || !got.Disclosure.Equal(day(9)) || got.EmbargoDeploy != "yes" {
			t.Errorf("%s: %+v", name, got)
		}
		if !c.target.Disclosure.IsZero() {
			t.Errorf("%s: the target as it was read was changed", name)
		}
	}
	written := plan.Target{Disclosure: day(-3), EmbargoDeploy: "no"}
	if got := underTerms(&written, advisory.Terms{Disclosure: day(-1)}, plan.Policy{}, now); got.EmbargoDeploy != "no" || !got.Disclosure.Equal(day(-3)) {
		t.Errorf("what is public was rewritten: %+v", got)
	}
}
