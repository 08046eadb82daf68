package execution

import (
	"fmt"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// failingWorld has h1 done, and all migrations towards it fail with a code while fails says so.
func failingWorld(t *testing.T, code string, retry bool, fails func(n int) bool, change func(*plan.Plan, *fleet.Fleet)) *world {
	w := newWorld(t, func(p *plan.Plan, f *fleet.Fleet) {
		p.Policy.MovesPerHost = 1
		if change != nil {
			change(p, f)
		}
	})
	n := 0
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Kind != ChoreMove || !w.s.Fixed(c.To) {
			return nil, false
		}
		if n++; !fails(n) {
			return nil, false
		}
		return []Fact{{Kind: MoveFailed, Turn: c.Turn, Host: c.Host, Instance: c.Instance, From: c.From, To: c.To, Home: c.Home, Attempt: c.Attempt,
			Code: code, Why: "xc: error: Failed to enable logdirty", Retry: retry, Source: "running", Destination: "absent"}}, true
	}
	return w
}

func always(int) bool { return true }

// TestMigrationsBeginToFail: three failures in a row of the hypervisor's hold the cohort, whatever the
// instance; nothing of it moves any more, and it is nobody's failure.
func TestMigrationsBeginToFail(t *testing.T) {
	for _, retry := range []bool{true, false} {
		w := failingWorld(t, "failed", retry, always, nil)
		w.run(at("01:58:00"))
		holds := w.s.HeldCohorts()
		if len(holds) != 1 || !strings.Contains(holds["#1"], "3 migrations in a row") || !strings.Contains(holds["#1"], "Failed to enable logdirty") {
			t.Fatalf("retry %v: held are %v: %s", retry, holds, w.tail(6))
		}
		f := w.held("h2")
		if f.Code != CodeMigrationsFail || !strings.Contains(f.Next, "evenkeel replan c1") || !strings.Contains(f.Next, "evenkeel retry c1 --cohort '#1'") {
			t.Errorf("h2 is held with %+v", f)
		}
		if w.s.Phase != PhaseRunning || w.s.Turns["h3"].Phase == TurnActive || w.hosts["h2"].boot != 1 {
			t.Errorf("it is %s, h3 %s, h2 on boot %d", w.s.Phase, w.s.Turns["h3"].Phase, w.hosts["h2"].boot)
		}
		at, placed := -1, -1
		for i, f := range w.facts {
			switch f.Kind {
			case CohortHeld:
				at = i
			case MovePlaced:
				placed = i
			}
		}
		if n := w.kinds()[CohortHeld]; n != 1 || placed > at {
			t.Errorf("held %d times, at fact %d; the last move begins at %d", n, at, placed)
		}
		if st := w.s.Status(w.now); len(st.Cohorts) != 1 || st.Cohorts[0].Code != CodeMigrationsFail {
			t.Errorf("status says %+v", st.Cohorts)
		}
	}
}

// TestWhatDoesNotCount: failures that are not the hypervisor's, ones towards unfixed hosts, and ones with
// a success between them, hold no cohort; nor does a policy that says never.
func TestWhatDoesNotCount(t *testing.T) {
	never := func(p *plan.Plan, _ *fleet.Fleet) { p.Policy.MigrationFailures = 0 }
	cases := map[string]*world{
		"a success between":  failingWorld(t, "failed", true, func(n int) bool { return n%3 != 0 }, nil),
		"policy says never":  failingWorld(t, "failed", true, always, never),
		"towards unfixed":    failingWorld(t, "failed", true, always, func(p *plan.Plan, _ *fleet.Fleet) { p.Policy.MigrationFailures = 1 }),
		"fewer than it says": failingWorld(t, "failed", false, always, func(p *plan.Plan, _ *fleet.Fleet) { p.Policy.MigrationFailures = 99 }),
	}
	w := cases["towards unfixed"]
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Kind != ChoreMove || w.s.Fixed(c.To) || c.Attempt > 1 {
			return nil, false
		}
		return []Fact{{Kind: MoveFailed, Turn: c.Turn, Instance: c.Instance, From: c.From, To: c.To, Attempt: c.Attempt, Code: "failed", Why: "w", Retry: true, Source: "running", Destination: "absent"}}, true
	}
	for _, code := range notHypervisors {
		cases["code "+code] = failingWorld(t, code, true, always, nil)
	}
	for name, w := range cases {
		w.run(at("01:58:00"))
		if n := w.kinds()[CohortHeld]; n != 0 || w.kinds()[MoveFailed] == 0 {
			t.Errorf("%s: held %d times after %d failures", name, n, w.kinds()[MoveFailed])
		}
	}
}

// twoCohorts: h2 and h3 wait in waves 2 and 3, each in a cohort of its own; h2's is held before either
// begins. There is no canary.
func twoCohorts(t *testing.T) *world {
	w := newWorld(t, func(p *plan.Plan, _ *fleet.Fleet) {
		p.Policy.Canary, p.Turns[0].Canary = false, false
		a, b := p.Target.Cohorts[0], p.Target.Cohorts[0]
		a.Name, a.Match.Hosts = "a", []string{"h1", "h2"}
		b.Name = "b"
		p.Target.Cohorts = []plan.Cohort{a, b}
	})
	w.run(at("00:50:00"))
	w.store(Fact{Kind: CohortHeld, Who: Engine, Cohort: "a", Code: CodeMigrationsFail, Why: "3 failed", Next: "replan"})
	return w
}

// Waiting turns of a held cohort keep nobody waiting, miss their slots aloud, and begin once it is
// released.
func TestTurnsOfAHeldCohort(t *testing.T) {
	w := twoCohorts(t)
	w.run(at("01:30:00"))
	if h1, h3 := w.s.Turns["h1"], w.s.Turns["h3"]; !h1.Permitted.IsZero() || h3.Phase != TurnFinished {
		t.Fatalf("h1 is %s, h3 is %s: %s", h1.Phase, h3.Phase, w.tail(6))
	}
	if waits := w.s.Status(w.now).Turns[0].Waits; !strings.Contains(waits, "cohort a are held") {
		t.Errorf("h1 waits for: %s", waits)
	}
	released := twoCohorts(t)
	released.run(at("01:10:00"))
	released.store(Fact{Kind: CohortReleased, Who: "operator:t", Cohort: "a"})
	released.run(at("03:00:00"))
	if released.s.PhaseWhy != "done" || len(released.s.HeldCohorts()) != 0 {
		t.Errorf("released, it is %s %s: %s", released.s.Phase, released.s.PhaseWhy, released.tail(6))
	}
	w.run(at("05:00:00"))
	for _, id := range []string{"h1", "h2"} {
		if f := w.held(id); f.Code != CodeSlotMissed {
			t.Errorf("%s is held with %s", id, f.Code)
		}
	}
	if n := w.kinds()[NoticeAsked]; n < 2 {
		t.Errorf("%d notices: nobody was told that the slots are not used", n)
	}
}

// A canary whose cohort is held keeps the waves after it waiting all the same.
func TestTheCanaryOfAHeldCohortComesFirst(t *testing.T) {
	w := newWorld(t, func(p *plan.Plan, _ *fleet.Fleet) {
		a, b := p.Target.Cohorts[0], p.Target.Cohorts[0]
		a.Name, a.Match.Hosts = "a", []string{"h1"}
		b.Name = "b"
		p.Target.Cohorts = []plan.Cohort{a, b}
	})
	w.run(at("00:50:00"))
	w.store(Fact{Kind: CohortHeld, Who: Engine, Cohort: "a", Code: CodeMigrationsFail, Why: "3 failed", Next: "replan"})
	w.run(at("01:30:00"))
	if h2 := w.s.Turns["h2"]; !h2.Permitted.IsZero() {
		t.Errorf("h2 began at %s, and the canary did not", h2.Permitted)
	}
}

// Whoever was stopped comes back when the cohort is held before its host goes down; the turn goes on after
// a person released the cohort, and only then.
func TestWhoWasStoppedComesBack(t *testing.T) {
	w := newWorld(t, nil)
	stopped := false
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Kind == ChoreStop && !stopped {
			stopped = true
			return append(w.obey(c), Fact{Kind: CohortHeld, Who: Engine, Cohort: "#1", Code: CodeMigrationsFail, Why: "3 failed", Next: "replan"}), true
		}
		return nil, false
	}
	w.run(at("01:30:00"))
	if g := w.hosts["h3"].guests["g12"]; !stopped || g != "running" || w.hosts["h3"].boot != 1 {
		t.Fatalf("g12 is %s, h3 on boot %d: %s", g, w.hosts["h3"].boot, w.tail(6))
	}
	w.store(Fact{Kind: TurnReleased, Who: "operator:t", Turn: "h3", Host: "h3"})
	w.run(at("01:31:00"))
	if f := w.held("h3"); f.Code != CodeMigrationsFail || w.hosts["h3"].boot != 1 {
		t.Fatalf("retried within a held cohort it is held with %s: %s", f.Code, w.tail(4))
	}
	w.store(Fact{Kind: CohortReleased, Who: "operator:t", Cohort: "#1"})
	w.run(at("03:00:00"))
	if w.s.Turns["h3"].Phase != TurnFinished || w.kinds()[TurnReleased] < 2 {
		t.Errorf("after the release h3 is %s (%s): %s", w.s.Turns["h3"].Phase, w.s.Turns["h3"].Why, w.tail(6))
	}
}

// A host that goes down by our order goes on to its end; who was to come home stays where it runs.
func TestACommittedTurnGoesOn(t *testing.T) {
	w := newWorld(t, func(p *plan.Plan, _ *fleet.Fleet) { p.Policy.BringHome = true })
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Kind == ChoreReboot && c.Host == "h1" {
			return append(w.obey(c), Fact{Kind: CohortHeld, Who: Engine, Cohort: "#1", Code: CodeMigrationsFail, Why: "3 failed", Next: "replan"}), true
		}
		return nil, false
	}
	w.run(at("01:58:00"))
	if w.s.Turns["h1"].Phase != TurnFinished || w.kinds()[StaysAway] != 4 {
		t.Fatalf("h1 is %s, %d stay away: %s", w.s.Turns["h1"].Phase, w.kinds()[StaysAway], w.tail(6))
	}
	for _, f := range w.facts {
		if f.Kind == StaysAway && f.Code != CodeMigrationsFail || f.Kind == MovePlaced && f.Home {
			t.Errorf("%s %s: %s", f.Kind, f.Instance, f.Code)
		}
	}
}

// Live patches of a held cohort go on.
func TestLivePatchesOfAHeldCohortGoOn(t *testing.T) {
	w := thenWorld(t, nil)
	w.run(at("00:50:00"))
	w.store(Fact{Kind: CohortHeld, Who: Engine, Cohort: "#1", Code: CodeMigrationsFail, Why: "3 failed", Next: "replan"})
	w.run(at("01:50:00"))
	for _, h := range []string{"h1", "h2", "h3"} {
		if p := w.s.Turns[plan.PatchTurn(h)]; p.Phase != TurnFinished {
			t.Errorf("%s is %s", p.Plan.ID, p.Phase)
		}
		if r := w.s.Turns[h]; !r.Permitted.IsZero() {
			t.Errorf("%s began at %s", h, r.Permitted)
		}
	}
}

// A controller that is killed after each fact decides the same, with the cohort held and released.
func TestKilledAroundACohortsHold(t *testing.T) {
	worlds := [2]*world{}
	for i := range worlds {
		w := failingWorld(t, "failed", true, func(n int) bool { return n <= 3 }, nil)
		w.kill = i == 1
		w.run(at("01:20:00"))
		if len(w.s.HeldCohorts()) != 1 {
			t.Fatalf("not held: %s", w.tail(5))
		}
		w.store(Fact{Kind: CohortReleased, Who: "operator:t", Cohort: "#1"})
		w.run(at("03:00:00"))
		if w.s.PhaseWhy != "done" {
			t.Fatalf("it is %s %s: %s", w.s.Phase, w.s.PhaseWhy, w.tail(6))
		}
		worlds[i] = w
	}
	sameFacts(t, worlds[0], worlds[1])
}

// TestCohortFactsAreRefused: only what makes sense is stored.
func TestCohortFactsAreRefused(t *testing.T) {
	w := twoCohorts(t)
	for i, c := range []struct {
		f    Fact
		says string
	}{
		{Fact{Kind: CohortReleased, Cohort: "b"}, "not held; held are: [a]"},
		{Fact{Kind: CohortReleased, Cohort: "c"}, `cohort "c", which the target does not have`},
		{Fact{Kind: CohortReleased}, `cohort "", which`},
		{Fact{Kind: CohortHeld, Cohort: "a"}, "is held already"},
		{Fact{Kind: CohortHeld, Cohort: "#1"}, "which the target does not have"},
	} {
		c.f.At = w.s.At
		if err := w.s.Apply(c.f); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%d: %v, want %s", i, err, c.says)
		}
	}
	if got := fmt.Sprint(sortedKeys(w.s.HeldCohorts())); got != "[a]" {
		t.Errorf("held are %s", got)
	}
}
