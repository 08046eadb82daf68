package planner_test

import (
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

const bad = "1:7.2+dfsg-7+deb12u17"

// withdrawing is a target that wants the newer version and withdraws the one before it.
func withdrawing() *plan.Target {
	return &plan.Target{Evenkeel: plan.TargetSchemaV1, ID: "t", Fixes: []string{"CVE-1"},
		Withdrawn: []plan.WithdrawnFix{{Package: "qemu-system-x86", Versions: []string{bad}, Why: "it loses writes"}},
		Cohorts:   []plan.Cohort{{Packages: map[string]string{"qemu-system-x86": newer}, Update: plan.Update{Command: []string{"update"}}}}}
}

func TestAChildsPlan(t *testing.T) {
	in := planner.Input{Fleet: uniform(3, 8192, 2, 512), Policy: eager(), Campaign: "two", Supersedes: "one", Now: at(t, "2026-03-02 09:00"), Revision: 1}
	p, err := planner.Propose(in)
	if err != nil || p.Supersedes != "one" {
		t.Fatalf("%v, supersedes %q", err, p.Supersedes)
	}
	other := p
	other.Supersedes = ""
	if p.Digest == plan.Digest(other) {
		t.Error("the digest does not cover whom the plan supersedes")
	}
	if found := audit.Plan(in.Fleet, &p); len(found) > 0 {
		t.Errorf("%+v", found[0])
	}
	in.Supersedes = "two"
	if _, err := planner.Propose(in); err == nil || !strings.Contains(err.Error(), "cannot supersede itself") {
		t.Errorf("it takes its own place: %v", err)
	}
}

// A plan never gives anybody what its own target withdraws, whoever made the target.
func TestNothingWithdrawnIsPlanned(t *testing.T) {
	for name, spoil := range map[string]func(*plan.Cohort){
		"wanted":     func(c *plan.Cohort) { c.Packages["qemu-system-x86"] = bad },
		"installed":  func(c *plan.Cohort) { c.Update.Command = []string{"apt-get", "install", "qemu-system-x86=" + bad} },
		"live patch": func(c *plan.Cohort) { c.LivePatches = []plan.WantedPatch{{Name: "lp1", Component: "linux"}} },
	} {
		tg := withdrawing()
		tg.Withdrawn = append(tg.Withdrawn, plan.WithdrawnFix{LivePatch: "lp1", Why: "it hangs"})
		spoil(&tg.Cohorts[0])
		_, err := planner.Propose(planner.Input{Fleet: uniform(3, 8192, 2, 512), Target: tg, Policy: eager(), Campaign: "c", Now: at(t, "2026-03-02 09:00"), Revision: 1})
		if err == nil || !strings.Contains(err.Error(), "withdrawn") || !strings.Contains(err.Error(), "cohort #1") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Who has a withdrawn fix gets a turn where the cohort names a newer one, although a document calls the
// withdrawn one fixed.
func TestWhoHasAWithdrawnFix(t *testing.T) {
	f := uniform(4, 8192, 2, 512)
	runs := func(h int, disk, process string) {
		f.Hosts[h].Software = fleet.Software{Installed: map[string]string{"qemu-system-x86": disk}, Booted: map[string]string{"qemu-system-x86": disk}}
		for i := range f.Instances {
			if f.Instances[i].Host == f.Hosts[h].ID {
				f.Instances[i].Running = map[string]string{"qemu-system-x86": process}
			}
		}
	}
	runs(0, older, older)
	runs(1, bad, bad)
	runs(2, newer, bad)
	runs(3, newer, newer)
	doc := advisory.Advisory{ID: "CVE-1", Affected: []advisory.Affected{{Ecosystem: "Debian:12", Package: "qemu",
		Ranges: []advisory.Range{{Type: "ECOSYSTEM", Events: []advisory.Event{{Introduced: "0"}, {Fixed: bad}}}}}}}
	tg := withdrawing()
	now := at(t, "2026-03-02 09:00")
	a := advisory.Assess(f, tg, []advisory.Advisory{doc}, 0, now)
	p, err := planner.Propose(planner.Input{Fleet: f, Target: tg, Assessment: a, Policy: eager(), Campaign: "c", Now: now, Revision: 1})
	if err != nil {
		t.Fatal(err)
	}
	turns := map[string]string{}
	for _, x := range p.Turns {
		turns[x.Host] = x.Why
	}
	for host, sheds := range map[string]bool{"h0000": false, "h0001": true, "h0002": true} {
		if why, has := turns[host]; !has || strings.Contains(why, "withdrawn") != sheds {
			t.Errorf("%s: a turn %v, because: %s; blocked %+v", host, has, why, p.Blocked)
		}
	}
	if _, has := turns["h0003"]; has {
		t.Error("a host with the good fix gets a turn")
	}
}
