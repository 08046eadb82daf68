package planner_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// twoCohorts splits the Xen hosts: the first half are of cohort xen, the others of one without a name.
func twoCohorts(f *fleet.Fleet) *plan.Target {
	tg := xenTarget("")
	tg.Cohorts[0].Remedy, tg.Cohorts[0].LivePatches = "reboot", nil
	tg.Cohorts = append(tg.Cohorts, tg.Cohorts[0])
	tg.Cohorts[1].Name = ""
	for i := range len(f.Hosts) / 2 {
		tg.Cohorts[0].Match.Hosts = append(tg.Cohorts[0].Match.Hosts, f.Hosts[i].ID)
	}
	return tg
}

// TestFollow: the child does nothing in the held cohort that moves anybody, goes on as before elsewhere,
// and leaves alone who is fixed by now.
func TestFollow(t *testing.T) {
	f, pol := xenFleet(6, 16384, 2, 1024), mixedPolicy()
	tg := twoCohorts(f)
	parent := propose(t, f, tg, pol)
	text, now := plan.Digest(parent), at(t, "2026-03-04 09:00")
	after := *f
	after.Hosts = slices.Clone(f.Hosts)
	asXen(&after.Hosts[0], newXen, "dd", applied()) // the canary is over
	for held, want := range map[string][2]plan.Tactic{"xen": {plan.Suspend, plan.Evacuate}, "#2": {plan.Evacuate, plan.Suspend}} {
		in, err := planner.Follow(parent, &after, []string{held}, now, "c-2")
		if err != nil {
			t.Fatal(err)
		}
		p, err := planner.Propose(in)
		if err != nil {
			t.Fatal(err)
		}
		if p.Campaign != "c-2" || p.Supersedes != "c" || p.Revision != 1 || p.Parent != 0 || !p.Made.Equal(now) || len(p.Turns) != 5 || len(p.Skipped) != 1 {
			t.Errorf("%s held: %s", held, told(p))
		}
		for _, u := range p.Turns {
			if w := want[strings.Index("012345", u.Host[4:])/3]; u.Tactic != w {
				t.Errorf("%s held: %s is %s, want %s", held, u.ID, u.Tactic, w)
			}
		}
		for _, x := range audit.Plan(&after, &p) {
			t.Errorf("%s held: law %d, %s: %s", held, x.Law, x.Code, x.What)
		}
	}
	if plan.Digest(parent) != text || len(tg.Cohorts[0].Tactics) != 0 {
		t.Error("the parent's plan was changed")
	}
}

// TestFollowWithoutAWay: where policy lets nobody be saved or stopped, the hosts are blocked, and it is said
// what would allow them; never moved, because an empty list of tactics allows all.
func TestFollowWithoutAWay(t *testing.T) {
	f, pol := xenFleet(4, 16384, 2, 1024), mixedPolicy()
	for name, c := range map[string]struct {
		policy, cohort []plan.Tactic
		blocked        bool
	}{
		"policy evacuates only":              {[]plan.Tactic{plan.Evacuate}, nil, true},
		"the cohort evacuates only":          {pol.Tactics, []plan.Tactic{plan.Evacuate}, true},
		"policy and cohort have none common": {[]plan.Tactic{plan.Evacuate, plan.Suspend}, []plan.Tactic{plan.Evacuate, plan.Reboot}, true},
		"the cohort reboots":                 {[]plan.Tactic{plan.Evacuate, plan.Reboot}, []plan.Tactic{plan.Evacuate, plan.Reboot}, false},
	} {
		tg := twoCohorts(f)
		pol.Tactics = c.policy
		for i := range tg.Cohorts {
			tg.Cohorts[i].Tactics = c.cohort
		}
		parent := propose(t, f, tg, pol)
		in, err := planner.Follow(parent, f, []string{"xen", "#2"}, at(t, "2026-03-04 09:00"), "c-2")
		if err != nil {
			t.Fatal(err)
		}
		p, err := planner.Propose(in)
		if err != nil {
			t.Fatal(err)
		}
		if c.blocked && (len(p.Turns) != 0 || len(p.Blocked) != 4 || p.Blocked[0].Code != "no-tactic" || !strings.Contains(p.Blocked[0].Unblock, "allow a tactic")) || !c.blocked && len(p.Turns) != 4 || len(p.Moves) > 0 {
			t.Errorf("%s: %s", name, told(p))
		}
	}
}

func TestFollowRefuses(t *testing.T) {
	f := xenFleet(4, 16384, 2, 1024)
	parent := propose(t, f, twoCohorts(f), mixedPolicy())
	cycle := parent
	cycle.Target = nil
	now := at(t, "2026-03-04 09:00")
	for want, try := range map[string]func() (planner.Input, error){
		"no fleet":         func() (planner.Input, error) { return planner.Follow(parent, nil, []string{"xen"}, now, "c2") },
		"routine cycle":    func() (planner.Input, error) { return planner.Follow(cycle, f, []string{"xen"}, now, "c2") },
		"is held":          func() (planner.Input, error) { return planner.Follow(parent, f, nil, now, "c2") },
		`no cohort "gone"`: func() (planner.Input, error) { return planner.Follow(parent, f, []string{"xen", "gone"}, now, "c2") },
		"it has xen, #2":   func() (planner.Input, error) { return planner.Follow(parent, f, []string{""}, now, "c2") },
	} {
		if _, err := try(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error with %q, got %v", want, err)
		}
	}
}

// TestFollowMovesNobody: whatever the fleet and however far the parent came, no instance of a held cohort's
// host is moved, and the auditor finds nothing.
func TestFollowMovesNobody(t *testing.T) {
	stops := 0
	rapid.Check(t, func(t *rapid.T) {
		in := drawMixed(t)
		parent, err := planner.Propose(in)
		if err != nil {
			t.Fatal(err)
		}
		f := *in.Fleet
		f.Hosts = slices.Clone(f.Hosts)
		for i := range f.Hosts {
			switch h := &f.Hosts[i]; {
			case rapid.IntRange(0, 3).Draw(t, "over") != 0:
			case h.Hypervisor == fleet.Xen:
				caps := h.Capabilities
				asXen(h, newXen, "dd", applied())
				h.Capabilities = caps
			default: // its disk alone, or its boot as well
				h.Software.Installed = map[string]string{"qemu-system-x86": newer}
				if rapid.Bool().Draw(t, "booted") {
					h.Software.Booted = h.Software.Installed
				}
			}
		}
		var held []string
		for _, c := range in.Target.Cohorts {
			if c.Name == "xen" || rapid.Bool().Draw(t, "held") {
				held = append(held, c.Name)
			}
		}
		next, err := planner.Follow(parent, &f, held, in.Now.Add(48*time.Hour), "next")
		if err != nil {
			t.Fatal(err)
		}
		p, err := planner.Propose(next)
		if err != nil {
			t.Fatal(err)
		}
		cohorts, ix := advisory.NewCohorts(in.Fleet, in.Target), fleet.NewIndex(in.Fleet)
		for _, m := range p.Moves {
			if slices.Contains(held, cohorts.Of(ix.Hosts[m.Turn]).Name) {
				t.Errorf("%s is moved in turn %s", m.Instance, m.Turn)
			}
		}
		for _, x := range audit.Plan(&f, &p) {
			if x.Code != "not-home" || !cannotReturn(next, x.Subject.Instance) {
				t.Errorf("law %d, %s: %s: %s", x.Law, x.Code, x.Subject, x.What)
			}
		}
		stops += p.Counts.Stops
	})
	if stops == 0 {
		t.Error("no instance was ever saved or stopped: the draws exercise nothing")
	}
}
