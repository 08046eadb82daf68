package execution

import (
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// TestSupersededWhilePrepared: whose turn is dropped while its host is prepared hears the same word as
// all others: a new time comes in a notice of its own.
func TestSupersededWhilePrepared(t *testing.T) {
	w := refreshWorld(t, nil)
	w.answer = func(c Chore) ([]Fact, bool) { return nil, c.Kind == ChoreUpdate && c.Host == "h2" }
	w.run(at("00:35:00"))
	if w.s.Turns["h2"].Phase != TurnPreparing {
		t.Fatalf("h2 is %s", w.s.Turns["h2"].Phase)
	}
	w.store(Fact{Kind: CampaignAborted, Who: Engine, Code: CodeSuperseded, Why: "campaign c2 takes its place"})
	w.run(at("03:00:00"))
	if w.s.Phase != PhaseFinished || w.s.PhaseWhy != CodeSuperseded {
		t.Fatalf("it is %s %s: %s", w.s.Phase, w.s.PhaseWhy, w.tail(5))
	}
	for _, f := range w.facts {
		if f.Kind == TurnDropped && f.Code != CodeSuperseded || f.NoticeKind == NoticeCancelled && f.Kind == NoticeAsked && f.Code != CodeSuperseded {
			t.Errorf("%s of %s%s says %s", f.Kind, f.Turn, f.Notice, f.Code)
		}
	}
}

// TestNobodyLandsWhereAPreparationRuns: a host whose software is being changed ahead of its own turn has
// that turn ahead of it, also for the instances of a turn that reboots.
func TestNobodyLandsWhereAPreparationRuns(t *testing.T) {
	w := newWorld(t, func(p *plan.Plan, f *fleet.Fleet) {
		host := map[string]string{}
		for _, in := range f.Instances {
			host[in.ID] = in.Host
		}
		p.Policy.Canary, p.Policy.FailureBudget = false, 9
		p.Turns[0].Canary = false
		for i := 1; i < 3; i++ {
			p.Turns[i].Tactic, p.Turns[i].UpdateFrom, p.Turns[i].UpdateBy = plan.Refresh, at("00:30:00"), at("00:50:00")
		}
		slots := p.Slots[:0]
		for _, sl := range p.Slots {
			if host[sl.Instance] == sl.Turn {
				slots = append(slots, sl)
			}
		}
		p.Slots = slots
	})
	w.answer = func(c Chore) ([]Fact, bool) { return nil, c.Kind == ChoreUpdate && c.Host != "h1" }
	for _, turn := range []string{"h2", "h3"} { // preparations that last
		w.store(Fact{Kind: TurnPrepares, Turn: turn, Host: turn})
		w.store(Fact{Kind: StepStarted, Turn: turn, Host: turn, Step: StepUpdate, Attempt: 1, BootID: turn + "-boot-1", Deadline: at("02:00:00")})
	}
	w.run(at("01:20:00"))
	for _, f := range w.facts {
		if f.Kind == MovePlaced {
			t.Errorf("%s is placed on %s, whose preparation runs and whose turn would touch it again", f.Instance, f.To)
		}
	}
	if w.s.Turns["h1"].Permitted.IsZero() {
		t.Fatalf("h1's turn did not begin: %s", w.tail(6))
	}
}

// TestSoftwareTakenAway: a prepared host from whose disk others took the new software again is no
// destination, and nobody on it is stopped for nothing.
func TestSoftwareTakenAway(t *testing.T) {
	w := refreshWorld(t, nil)
	w.run(at("00:50:00"))
	for _, h := range []string{"h2", "h3"} {
		if w.s.Turns[h].Prepared.IsZero() {
			t.Fatalf("%s is not prepared", h)
		}
		w.hosts[h].qemu = oldQEMU
	}
	w.run(at("01:50:00"))
	for _, f := range w.facts {
		if f.Kind == StopStarted || f.Kind == MovePlaced && f.To != "h1" {
			t.Errorf("%s of %s from %s to %s", f.Kind, f.Instance, f.From, f.To)
		}
	}
	if f := w.held("h1"); f.Code != CodeNoPlace || !strings.Contains(f.Why, oldQEMU) {
		t.Errorf("h1 is held with %+v", f)
	}
}

// TestStopForNothing: what cannot move is not stopped on a host whose disk has the old software again.
func TestStopForNothing(t *testing.T) {
	w := refreshWorld(t, nil)
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Kind == ChoreMove && c.From == "h3" {
			w.hosts["h3"].qemu = oldQEMU // while its turn moves the others
		}
		return nil, false
	}
	w.run(at("01:50:00"))
	if n := w.kinds()[StopStarted]; n > 0 {
		t.Fatalf("g12 is stopped although it would begin on the old software: %s", w.tail(6))
	}
	if f := w.held("h3"); f.Code != CodeOldVersion || !strings.Contains(f.Why, "g12") || f.Next == "" {
		t.Errorf("held with %+v", f)
	}
	w.hosts["h3"].qemu = newQEMU
	w.answer = nil
	w.store(Fact{Kind: TurnReleased, Who: "operator:t", Turn: "h3", Host: "h3"})
	w.run(at("03:00:00"))
	if w.s.PhaseWhy != "done" || w.hosts["h3"].on["g12"] != newQEMU {
		t.Errorf("after a retry it is %s %s, g12 on %s", w.s.Phase, w.s.PhaseWhy, w.hosts["h3"].on["g12"])
	}
}

// TestBootIDUnreadable: without the boot id nothing shows that a change in place was made on the boot
// that runs: it is not begun, and not believed.
func TestBootIDUnreadable(t *testing.T) {
	for name, from := range map[string]ChoreKind{"from the outset": ChoreTell, "since the update": ChoreUpdate} {
		t.Run(name, func(t *testing.T) {
			w := patchWorld(t, livepatch1, fleet.PatchApplied)
			inner, blind := w.answer, from == ChoreTell
			w.answer = func(c Chore) ([]Fact, bool) {
				if blind && c.Kind == ChoreLook {
					v := w.view(c.Host)
					v.BootID, v.Missing = "", []string{"boot id: permission denied"}
					return []Fact{{Kind: HostSeen, Host: c.Host, Seen: v}}, true
				}
				blind = blind || c.Kind == from
				return inner(c)
			}
			w.run(at("01:50:00"))
			f := w.held("h1")
			if !strings.Contains(f.Why, "permission denied") || f.Next == "" || w.s.Fixed("h1") {
				t.Errorf("held with %+v, fixed: %v", f, w.s.Fixed("h1"))
			}
			if begun := w.updates() > 0; begun != (from == ChoreUpdate) {
				t.Errorf("%d updates", w.updates())
			}
		})
	}
}

// TestRebootedWhilePrepared: a host that others reboot while its software is changed is shown to a
// person, and its update does not run again by itself.
func TestRebootedWhilePrepared(t *testing.T) {
	w := refreshWorld(t, nil)
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Kind == ChoreUpdate && c.Host == "h1" && w.updates() == 1 {
			w.hosts["h1"].boot++
			return []Fact{{Kind: StepFailed, Turn: c.Turn, Host: c.Host, Step: c.Step, Attempt: c.Attempt, Code: "unreachable", Why: "the connection broke", Retry: true}}, true
		}
		return nil, false
	}
	w.run(at("00:40:00"))
	if f := w.held("h1"); f.Code != CodeOtherBoot || w.updates() != 1 {
		t.Fatalf("held with %+v after %d updates", f, w.updates())
	}
	w.store(Fact{Kind: TurnReleased, Who: "operator:t", Turn: "h1", Host: "h1"})
	w.run(at("03:00:00"))
	if w.s.PhaseWhy != "done" {
		t.Errorf("after a retry it is %s %s: %s", w.s.Phase, w.s.PhaseWhy, w.tail(5))
	}
}

// TestReachedCanarySoaks: a canary that is dropped since its host is at the target soaks before any
// other disk is changed.
func TestReachedCanarySoaks(t *testing.T) {
	w := refreshWorld(t, func(p *plan.Plan) { p.Policy.Soak = plan.Duration(7 * time.Minute) })
	w.reach("h1", "")
	w.store(Fact{Kind: HostSeen, Host: "h1", Seen: w.view("h1")})
	w.run(at("00:36:00"))
	if tn := w.s.Turns["h1"]; !tn.reached() {
		t.Fatalf("h1 is %s %s: %s", tn.Phase, tn.Code, w.tail(5))
	}
	if n := w.kinds()[TurnPrepares]; n > 0 {
		t.Errorf("%d hosts are prepared while the canary soaks", n)
	}
	if w.run(at("03:00:00")); w.s.PhaseWhy != "done" {
		t.Errorf("it ends %s %s", w.s.Phase, w.s.PhaseWhy)
	}
}

// TestHoldWhilePrepared: a person may hold a turn whose host is being prepared: what is in flight ends,
// nothing else begins, and a retry takes it up with a look.
func TestHoldWhilePrepared(t *testing.T) {
	w := refreshWorld(t, nil)
	lost := true
	w.answer = func(c Chore) ([]Fact, bool) { return nil, lost && c.Kind == ChoreUpdate && c.Host == "h1" }
	w.run(at("00:31:00"))
	w.store(Fact{Kind: TurnHeld, Who: "operator:t", Turn: "h1", Host: "h1", Code: CodeOperator, Why: "w", Next: "evenkeel retry h1"})
	w.hosts["h1"].qemu, lost = newQEMU, false
	w.store(Fact{Kind: StepDone, Turn: "h1", Host: "h1", Step: StepUpdate, Attempt: 1, Why: "exit 0"})
	w.run(at("00:45:00"))
	if tn := w.s.Turns["h1"]; tn.Phase != TurnOnHold || !tn.Prepared.IsZero() || w.updates() != 1 {
		t.Fatalf("held, it is %s, prepared %s, %d updates", tn.Phase, tn.Prepared, w.updates())
	}
	w.store(Fact{Kind: TurnReleased, Who: "operator:t", Turn: "h1", Host: "h1"})
	w.run(at("00:47:00"))
	if tn := w.s.Turns["h1"]; tn.Prepared.IsZero() || tn.tries[StepUpdate] != 1 {
		t.Errorf("after a retry it is %s, prepared %s, %d updates of it", tn.Phase, tn.Prepared, tn.tries[StepUpdate])
	}
}

// TestLeftStopped: a turn that is dropped while somebody whom it stopped does not come back names that
// instance, in a refresh as in a turn that reboots.
func TestLeftStopped(t *testing.T) {
	for name, w := range map[string]*world{"refresh": refreshWorld(t, nil), "suspend": newWorld(t, nil)} {
		t.Run(name, func(t *testing.T) {
			w.answer = func(c Chore) ([]Fact, bool) {
				if c.Kind != ChoreBack {
					return nil, false
				}
				return []Fact{{Kind: BackFailed, Turn: c.Turn, Host: c.Host, Instance: c.Instance, To: c.To, Attempt: c.Attempt, Disposition: c.Disposition, Code: "failed", Why: "its save file is not there", Retry: false}}, true
			}
			w.run(at("01:58:00"))
			if f := w.held("h3"); f.Code != CodeNotReturned || !strings.Contains(f.Why, "g12") || !strings.Contains(f.Why, "save file") {
				t.Fatalf("held with %+v", f)
			}
			w.store(Fact{Kind: CampaignAborted, Who: "operator:t", Why: "enough"})
			w.run(at("04:00:00"))
			dropped, named := false, false
			for _, f := range w.facts {
				if f.Kind == TurnDropped && f.Turn == "h3" {
					dropped = strings.Contains(f.Why, "g12, which it stopped, could not be brought back")
				}
				named = named || f.Kind == NotReturned && f.Instance == "g12"
			}
			if !dropped || !named || w.s.Phase != PhaseFinished {
				t.Errorf("the drop names it: %v, the list: %v, it is %s: %s", dropped, named, w.s.Phase, w.tail(5))
			}
		})
	}
}

// TestNoPreparationUnderEmbargo: an advisory that forbids deployment before its disclosure keeps the new
// software off every disk until then; what lies there already is only looked at.
func TestNoPreparationUnderEmbargo(t *testing.T) {
	w := refreshWorld(t, func(p *plan.Plan) {
		p.Target.EmbargoDeploy, p.Target.Disclosure = "no", at("00:55:00")
		p.Turns[0].UpdateFrom, p.Turns[0].UpdateBy = time.Time{}, time.Time{}
	})
	w.hosts["h1"].qemu = newQEMU
	w.run(at("03:00:00"))
	for _, f := range w.facts {
		early := f.At.Before(at("00:55:00"))
		if f.Kind == StepStarted && f.Step == StepUpdate && early || f.Kind == TurnPrepares && early != (f.Host == "h1") {
			t.Errorf("%s %s of %s at %s", f.Kind, f.Step, f.Host, f.At)
		}
	}
	if w.s.PhaseWhy != "done" {
		t.Errorf("it ends %s %s: %s", w.s.Phase, w.s.PhaseWhy, w.tail(5))
	}
}
