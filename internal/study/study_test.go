package study

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/advisory/parse"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// advisories are the six of March 2015. Without them nothing is tested, so their absence fails.
func advisories(t testing.TB) (all []advisory.Advisory) {
	t.Helper()
	files, err := filepath.Glob("../../examples/march-2015/xsa-*.yaml")
	if err != nil || len(files) != 6 {
		t.Fatalf("%d advisories, want the six of March 2015 (%v)", len(files), err)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		as, mistakes := parse.Parse(file, src)
		if len(mistakes) > 0 {
			t.Fatal(mistakes)
		}
		all = append(all, as...)
	}
	return all
}

// small is a tenth of the study in which enough live patches fail to be counted.
func small(affected float64) Scenario {
	s := March2015(affected).Tenth()
	s.FailureShare = 0.05
	return s
}

func run(t testing.TB, s Scenario, arm Arm) *Outcome {
	t.Helper()
	o, err := Run(s, arm, advisories(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestRowsAreWhatHostsCallFor counts once more, from the fleet alone, what the tables should say: which
// hosts have a live patch, whom nothing binds, who can be saved.
func TestRowsAreWhatHostsCallFor(t *testing.T) {
	for _, affected := range []float64{0.1, 1} {
		for _, arm := range Arms {
			s := small(affected)
			o := run(t, s, arm)
			f, err := s.Fleet(arm)
			if err != nil {
				t.Fatal(err)
			}
			if len(o.Failed) == 0 || len(o.Failed) >= o.Planned.Row("live-patch").Hosts {
				t.Fatalf("%d of %d live patches fail: nothing can be told", len(o.Failed), o.Planned.Row("live-patch").Hosts)
			}
			failed := map[string]bool{}
			compare(t, "planned", &o.Planned, expected(s, arm, f, failed))
			for _, h := range o.Failed {
				failed[h] = true
			}
			compare(t, "drawn", &o.Drawn, expected(s, arm, f, failed))
			if len(o.Findings) > 0 {
				t.Errorf("%.0f %%, %s: the auditor found %v", 100*affected, arm.Name, o.Findings)
			}
		}
	}
}

// sums of a table that do not depend on how hosts with a reboot are called.
type sums struct {
	hosts, patched, rebooted, fine                                int
	untouchedByPatch, untouchedByNothing, blip, saved, stopped, n int
}

func expected(s Scenario, arm Arm, f *fleet.Fleet, failed map[string]bool) (want sums) {
	old, fixed := s.builds()
	patches, shadow := map[string]bool{}, map[string]bool{}
	for _, b := range old {
		patches[b.id], shadow[b.id] = b.patch != "", b.shadow
	}
	state := map[string]string{}
	builds := map[string]string{}
	for _, h := range f.Hosts {
		builds[h.ID] = h.Software.BuildID
		switch {
		case h.Software.BuildID == fixed.id:
			want.fine++
		case patches[h.Software.BuildID] && !failed[h.ID]:
			state[h.ID] = "patched"
			want.patched++
		default:
			state[h.ID] = "rebooted"
			want.rebooted++
		}
		want.hosts++
	}
	for _, i := range f.Instances {
		want.n++
		bound := i.Pinned != "" || len(i.Disks) > 0 && !i.Disks[0].Shared || i.GuestType == "pv" && !shadow[builds[i.Host]]
		switch {
		case state[i.Host] == "":
			want.untouchedByNothing++
		case state[i.Host] == "patched":
			want.untouchedByPatch++
		case arm.Migrate && !bound:
			want.blip++
		case i.NoSuspend:
			want.stopped++
		default:
			want.saved++
		}
	}
	return want
}

func compare(t *testing.T, what string, got *Table, want sums) {
	t.Helper()
	have := sums{hosts: got.Sum.Hosts, patched: got.Row("live-patch").Hosts, rebooted: got.Sum.Reboots, fine: got.Row(noNeed).Hosts,
		untouchedByPatch: got.Row("live-patch").Untouched, untouchedByNothing: got.Row(noNeed).Untouched,
		blip: got.Sum.Blip, saved: got.Sum.Saved, stopped: got.Sum.Stopped, n: got.Sum.Instances()}
	if have != want {
		t.Errorf("%s:\n got %+v\nwant %+v", what, have, want)
	}
	if got.Affected() != have.patched+have.rebooted+got.Row(blocked).Hosts {
		t.Errorf("%s: %d hosts are affected, %d have a live patch, %d are rebooted, %d blocked", what, got.Affected(), have.patched, have.rebooted, got.Row(blocked).Hosts)
	}
	if !have.positive() {
		t.Errorf("%s: a column of this fleet is empty, so it tests nothing: %+v", what, have)
	}
}

func (s sums) positive() bool {
	return s.patched > 0 && s.rebooted > 0 && s.untouchedByPatch > 0 && s.saved > 0
}

// TestNoCoveredHostReboots looks at the plan itself.
func TestNoCoveredHostReboots(t *testing.T) {
	s := small(1)
	old, _ := s.builds()
	patches := map[string]bool{}
	for _, b := range old {
		patches[b.id] = b.patch != ""
	}
	if covered := len(old) - s.Covered; covered != 4 {
		t.Fatalf("%d builds without a live patch, want a tenth of 40", covered)
	}
	for _, arm := range Arms {
		in, err := s.input(arm, advisories(t), func(string) {})
		if err != nil {
			t.Fatal(err)
		}
		p, err := planner.Propose(in)
		if err != nil {
			t.Fatal(err)
		}
		build := map[string]string{}
		for _, h := range in.Fleet.Hosts {
			build[h.ID] = h.Software.BuildID
		}
		patched := 0
		for _, turn := range p.Turns {
			if covered := patches[build[turn.Host]]; covered != (turn.Tactic == plan.LivePatch) {
				t.Errorf("%s: host %s, whose build has a live patch: %t, is planned as %s", arm.Name, turn.Host, covered, turn.Tactic)
			}
			if turn.Tactic == plan.LivePatch {
				patched++
			} else if !strings.Contains(turn.Why, "no-live-patch") {
				t.Errorf("%s: turn %s (%s) does not say why it is no live patch: %q", arm.Name, turn.ID, turn.Tactic, turn.Why)
			}
		}
		if patched < len(in.Fleet.Hosts)*8/10 || patched == len(in.Fleet.Hosts) {
			t.Errorf("%s: %d of %d hosts have a live patch, want about 90 %%", arm.Name, patched, len(in.Fleet.Hosts))
		}
	}
}

// TestWhyTheyDoNotMove: where instances can migrate, only what binds them keeps them.
func TestWhyTheyDoNotMove(t *testing.T) {
	s := small(1)
	for _, arm := range Arms {
		o := run(t, s, arm)
		for _, table := range []*Table{&o.Planned, &o.Drawn} {
			n := 0
			for _, r := range table.Stuck {
				n += r.Count
				allowed := map[string]bool{fleet.PinnedToHost: true, fleet.LocalDisk: true, fleet.NoShadow: arm.Migrate, fleet.NoLiveMigration: !arm.Migrate}
				if !allowed[r.Code] {
					t.Errorf("%s: %d instances stay because of %s", arm.Name, r.Count, r.Code)
				}
			}
			if n != table.Sum.Saved+table.Sum.Stopped {
				t.Errorf("%s: reasons for %d instances, %d are saved or stopped", arm.Name, n, table.Sum.Saved+table.Sum.Stopped)
			}
			if moves := table.Moves; arm.Migrate != (moves > 0) || moves < table.Sum.Blip {
				t.Errorf("%s: %d moves of %d instances", arm.Name, moves, table.Sum.Blip)
			}
			if !table.End.Before(s.FinishBy) || table.FixedByFirst > table.Affected() || table.FixedByFirst == 0 {
				t.Errorf("%s: ends %s, %d of %d fixed by the first disclosure", arm.Name, table.End, table.FixedByFirst, table.Affected())
			}
		}
	}
}

func pageOf(t testing.TB, s Scenario) string {
	t.Helper()
	r := Reading{Name: "all", Scenario: s}
	for _, arm := range Arms {
		r.Outcomes = append(r.Outcomes, run(t, s, arm))
	}
	var b bytes.Buffer
	if err := Write(&b, []Reading{r}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestSameSeedSamePage to the byte, and another seed another page.
func TestSameSeedSamePage(t *testing.T) {
	s := small(0.1)
	s.Regions = 3
	first := pageOf(t, s)
	if again := pageOf(t, s); again != first {
		t.Error("the same scenario wrote another page")
	}
	s.Seed++
	if other := pageOf(t, s); strings.ReplaceAll(other, "20150303", "20150302") == first {
		t.Error("another seed wrote the same page")
	}
	for _, due := range []string{"| XSA-124 | 0 | 0 | 0 |", "found 0 breaches", "| hosts affected | 10 % | S |", "| fleet | 333 | 100.00 % |", "0.10 %"} {
		if !strings.Contains(first, due) {
			t.Errorf("the page lacks %q", due)
		}
	}
	if strings.Contains(first, "%!") {
		t.Error("a line of the page is badly formatted")
	}
}

// TestCanaryFails: where the canary's live patch fails nobody else has one yet, and the child begins anew.
func TestCanaryFails(t *testing.T) {
	s := small(0.1)
	s.FailureShare = 1
	o := run(t, s, Arms[0])
	if len(o.Failed) != 1 || o.Failed[0] != o.Canary {
		t.Fatalf("the live patch failed on %v, the canary is %s", o.Failed, o.Canary)
	}
	if got, want := o.Drawn.Row("live-patch").Hosts, o.Planned.Row("live-patch").Hosts-1; got != want {
		t.Errorf("%d hosts have a live patch in the child, want all but the canary: %d", got, want)
	}
	if got, want := o.Drawn.Sum.Reboots, o.Planned.Sum.Reboots+1; got != want {
		t.Errorf("%d hosts reboot in the child, want %d", got, want)
	}
}
