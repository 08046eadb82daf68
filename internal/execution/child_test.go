package execution

import (
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

func supersedes(p *plan.Plan, _ *fleet.Fleet) { p.Supersedes = "c0" }

func ended() Fact {
	return Fact{Kind: ParentEnded, Who: Engine, Code: CodeSuperseded, Why: "campaign c0 is over"}
}

// A child tells its tenants and begins nothing until it hears that its parent is over.
func TestAChildWaitsForItsParent(t *testing.T) {
	w := newWorld(t, supersedes)
	w.run(at("01:05:00"))
	if n := w.kinds(); w.s.Phase != PhaseWaiting || n[NoticeAccepted] != 1 || n[TurnPermitted]+n[HostSeen] != 0 || w.s.Awaits() != "c0" {
		t.Fatalf("phase %s (%s), facts %v", w.s.Phase, w.s.PhaseWhy, n)
	}
	w.now = at("01:05:00")
	w.store(ended())
	if w.s.Phase != PhaseRunning || w.s.Awaits() != "" {
		t.Fatalf("phase %s, awaits %q", w.s.Phase, w.s.Awaits())
	}
	w.run(at("23:00:00"))
	if w.s.Phase != PhaseFinished || w.s.PhaseWhy != "done" {
		t.Fatalf("phase %s %s: %s", w.s.Phase, w.s.PhaseWhy, w.tail(8))
	}
}

// What an operator says to a waiting child does not make it forget that it waits.
func TestAWaitingChildTakesOrders(t *testing.T) {
	w := newWorld(t, supersedes)
	w.store(Fact{Kind: CampaignPaused, Who: "operator:t", Why: "wait"})
	w.store(Fact{Kind: CampaignResumed, Who: "operator:t"})
	if w.s.Phase != PhaseWaiting {
		t.Fatalf("resumed, it is %s", w.s.Phase)
	}
	w.store(Fact{Kind: CampaignPaused, Who: "operator:t", Why: "wait"})
	w.store(ended())
	if w.s.Phase != PhasePaused {
		t.Fatalf("its parent's end resumed it: %s", w.s.Phase)
	}

	w = newWorld(t, supersedes)
	w.store(Fact{Kind: CampaignAborted, Who: "operator:t", Why: "enough"})
	w.run(at("23:00:00"))
	if w.s.Phase != PhaseAborted || w.s.Count()[TurnAbandoned] != 3 {
		t.Fatalf("%s with %v: an aborted child must not end before its parent: another one may wait for it", w.s.Phase, w.s.Count())
	}
	w.store(ended())
	w.run(at("23:00:00"))
	if w.s.Phase != PhaseFinished || w.s.PhaseWhy != CodeAborted {
		t.Fatalf("%s %s", w.s.Phase, w.s.PhaseWhy)
	}
}

// A slot that passes while the parent does not end is no secret.
func TestASlotMissedWhileWaiting(t *testing.T) {
	w := newWorld(t, supersedes)
	w.run(at("23:00:00"))
	if f := w.held("h1"); f.Code != CodeSlotMissed || !strings.Contains(f.Why, "campaign c0 is not over") || f.At.After(at("01:51:00")) {
		t.Fatalf("%s at %s: %s", f.Code, f.At, f.Why)
	}
	if n := w.kinds(); n[TurnHeld] != 3 || n[TurnPermitted] != 0 {
		t.Fatalf("facts %v", n)
	}
	cancelled := 0
	for _, f := range w.facts {
		if f.Kind == NoticeAccepted && f.NoticeKind == NoticeCancelled {
			cancelled++
		}
	}
	if cancelled != 3 {
		t.Fatalf("%d cancelled notices, want one for each turn", cancelled)
	}
}

// A campaign whose place is taken ends like an aborted one, and says why.
func TestSuperseded(t *testing.T) {
	w := newWorld(t, nil)
	w.answer = func(c Chore) ([]Fact, bool) { return nil, c.Kind == ChoreMove } // it takes its time
	w.run(at("01:00:20"))
	w.answer = nil
	if w.s.Count()[TurnActive] != 1 {
		t.Fatalf("no turn is under way: %v", w.s.Count())
	}
	w.store(Fact{Kind: CampaignAborted, Who: Engine, Code: CodeSuperseded, Why: "campaign c2 takes its place"})
	w.run(at("23:00:00"))
	if w.s.Phase != PhaseFinished || w.s.PhaseWhy != CodeSuperseded || !w.s.Superseded() {
		t.Fatalf("%s %s: %s", w.s.Phase, w.s.PhaseWhy, w.tail(5))
	}
	for _, f := range w.facts {
		if f.Kind == NoticeAsked && f.NoticeKind == NoticeCancelled && f.Code != CodeSuperseded {
			t.Errorf("%s says %q", f.Notice, f.Code)
		}
		if f.Kind == TurnDropped && f.Code != CodeSuperseded {
			t.Errorf("turn %s was dropped as %s", f.Turn, f.Code)
		}
	}
}

// Facts of a parent fit only where there is one, once.
func TestParentFactsAreRefused(t *testing.T) {
	plain, over := newWorld(t, nil), newWorld(t, supersedes)
	over.store(ended())
	for name, try := range map[string]struct {
		w *world
		f Fact
	}{
		"no parent":           {plain, ended()},
		"a second end":        {over, ended()},
		"late news":           {over, Fact{Kind: Inherited, Instance: "g1", Host: "h2"}},
		"an unknown instance": {newWorld(t, supersedes), Fact{Kind: Inherited, Instance: "x", Host: "h2"}},
		"an unknown host":     {newWorld(t, supersedes), Fact{Kind: Inherited, Instance: "g1", Host: "x"}},
	} {
		try.f.At = try.w.now
		if err := try.w.s.Accepts(try.f); err == nil {
			t.Errorf("%s: it was taken", name)
		}
	}
}

// Whom the parent left on a host, and who was told nothing of that host's turn, is not moved.
func TestWhomTheParentBrought(t *testing.T) {
	w := newWorld(t, func(p *plan.Plan, f *fleet.Fleet) {
		supersedes(p, f)
		var kept []plan.Slot
		for _, s := range p.Slots {
			if s.ID != "h1/g2" {
				kept = append(kept, s)
			}
		}
		p.Slots = kept
	})
	delete(w.hosts["h2"].guests, "g2") // the parent moved it after the child's fleet was read
	w.hosts["h1"].guests["g2"], w.hosts["h1"].on["g2"] = "running", oldQEMU
	w.run(at("00:59:00"))
	w.store(Fact{Kind: Inherited, Who: Engine, Instance: "g2", Host: "h1", Why: "campaign c0 moved it"}, ended())
	w.run(at("01:30:00"))
	if f := w.held("h1"); f.Code != CodeNotTold || !strings.Contains(f.Why, "campaign c0") {
		t.Fatalf("%s: %s", f.Code, f.Why)
	}
	for _, f := range w.facts {
		if f.Kind == MovePlaced && f.Instance == "g2" && f.Turn == "h1" {
			t.Fatal("it was moved untold")
		}
	}
}

// reach brings a host to the target by other hands: all of it, or but for one thing.
func (w *world) reach(id, but string) {
	h := w.hosts[id]
	if but != "booted" {
		h.booted = newQEMU
	}
	if but != "installed" {
		h.qemu = newQEMU
	}
	for g := range h.guests {
		if g != but {
			h.on[g] = newQEMU
		}
	}
}

func TestHostsPastTheTargetAreSkipped(t *testing.T) {
	for name, tt := range map[string]struct {
		child bool
		but   string // this thing on h1 is not at the target
		spoil func(*HostView)
		drops bool
	}{
		"all is there":             {drops: true},
		"all is there, in a child": {child: true, drops: true},
		"not booted":               {but: "booted"},
		"not installed":            {but: "installed"},
		"one instance is behind":   {but: "g4"},
		"an instance tells nothing": {spoil: func(v *HostView) {
			v.Instances[0].Running = nil
		}},
		"what is booted is not known": {spoil: func(v *HostView) { v.Booted = nil }},
		"it is sick":                  {spoil: func(v *HostView) { v.Health = "sick" }},
		"something could not be read": {spoil: func(v *HostView) { v.Missing = []string{"the boot id"} }},
		"one is not seen":             {spoil: func(v *HostView) { v.Instances = v.Instances[1:] }},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(p *plan.Plan, f *fleet.Fleet) {
				if tt.child {
					supersedes(p, f)
				}
				p.Policy.Soak = plan.Duration(5 * time.Minute)
			})
			w.reach("h1", tt.but)
			first := true
			w.answer = func(c Chore) ([]Fact, bool) {
				if c.Kind != ChoreLook || c.Host != "h1" || tt.spoil == nil || !first {
					return nil, false
				}
				first = false
				v := w.view("h1")
				tt.spoil(v)
				return []Fact{{Kind: HostSeen, Host: "h1", Seen: v}}, true
			}
			if tt.child {
				w.run(at("00:40:00"))
				w.store(ended())
			}
			w.run(at("01:00:03"))
			dropped := w.s.Turns["h1"].reached()
			if tt.spoil == nil && dropped != tt.drops {
				t.Fatalf("dropped %v: %s", dropped, w.tail(6))
			}
			if tt.spoil != nil && w.kinds()[TurnDropped] > 0 && w.s.Turns["h1"].Permitted.IsZero() {
				t.Fatalf("a look that leaves something open spared it: %s", w.tail(6))
			}
			if !tt.drops {
				return
			}
			if tt.child && !w.s.Turns["h1"].Ended.Before(at("00:41:00")) {
				t.Errorf("a child looks when its parent is over, and not only in the slot: %s", w.s.Turns["h1"].Ended)
			}
			w.run(at("23:00:00"))
			if w.s.Phase != PhaseFinished || w.s.PhaseWhy != "done" || w.hosts["h1"].boot != 1 || w.s.Status(w.now).Done != 3 {
				t.Fatalf("%s %s, h1 boot %d: %s", w.s.Phase, w.s.PhaseWhy, w.hosts["h1"].boot, w.tail(5))
			}
			if p := w.s.Turns["h2"].Permitted; p.Before(w.s.Turns["h1"].Ended.Add(5 * time.Minute)) {
				t.Errorf("h2 began at %s: a canary that is at the target soaks as well", p)
			}
			told := false
			for _, f := range w.facts {
				told = told || f.Kind == NoticeAccepted && f.NoticeKind == NoticeCancelled
				if (f.Kind == MovePlaced || f.Kind == StopStarted) && f.Turn == "h1" {
					t.Errorf("%s was disturbed for it", f.Instance)
				}
			}
			if !told {
				t.Error("nobody was told that the slot is cancelled")
			}
		})
	}
}

// It shows after the permit: the cordon is given back and the turn dropped, and a crash in between
// changes nothing.
func TestReachedAfterThePermit(t *testing.T) {
	w := newWorld(t, nil)
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Kind == ChoreCordon {
			w.reach("h1", "")
			w.now = w.now.Add(2 * time.Minute) // so that it is looked at again
		}
		return nil, false
	}
	w.run(at("01:04:00"))
	if !w.s.Turns["h1"].reached() || w.s.Turns["h1"].Permitted.IsZero() || w.kinds()[GivenBack] < 1 || w.hosts["h1"].boot != 1 {
		t.Fatalf("%+v: %s", w.s.Turns["h1"], w.tail(12))
	}
	for i := range w.facts {
		if _, err := Fold(w.facts[:i+1]); err != nil {
			t.Fatal(err)
		}
	}
	w.answer = nil
	w.run(at("23:00:00"))
	if w.s.Phase != PhaseFinished || w.s.PhaseWhy != "done" {
		t.Fatalf("%s %s", w.s.Phase, w.s.PhaseWhy)
	}
}

// A host that was at the target by the plan's own fleet has its turn for another reason.
func TestATurnWithAnotherReasonStays(t *testing.T) {
	w := newWorld(t, func(p *plan.Plan, f *fleet.Fleet) {
		v := map[string]string{"qemu-system-x86": newQEMU}
		f.Hosts[0].Software = fleet.Software{Installed: v, Booted: v, Running: v}
		for i := range f.Instances {
			if f.Instances[i].Host == "h1" {
				f.Instances[i].Running = v
			}
		}
	})
	w.reach("h1", "")
	w.run(at("23:00:00"))
	if w.s.Turns["h1"].Permitted.IsZero() || w.s.Turns["h1"].reached() {
		t.Fatalf("%s %s", w.s.Turns["h1"].Phase, w.s.Turns["h1"].Why)
	}
}

// Nobody's routine cycle is cut short: it has no target to reach.
func TestARoutineCycleSkipsNobody(t *testing.T) {
	w := newWorld(t, func(p *plan.Plan, f *fleet.Fleet) {
		p.Target = nil
		for i := range f.Hosts {
			f.Hosts[i].Software.Installed = map[string]string{"qemu-system-x86": newQEMU}
		}
	})
	for id := range w.hosts {
		w.reach(id, "")
	}
	w.run(at("23:00:00"))
	if n := w.kinds(); n[TurnDone] != 3 || n[TurnDropped] != 0 {
		t.Fatalf("facts %v", n)
	}
}

// What spares a turn is a fresh look with nothing on its way to the host or from it.
func TestOnlyAFreshWholeLookSpares(t *testing.T) {
	for name, spoil := range map[string]func(w *world, s *State){
		"":                 func(*world, *State) {},
		"the look is old":  func(w *world, _ *State) { w.now = w.now.Add(fresh + time.Second) },
		"changed since":    func(w *world, s *State) { s.Turns["h1"].Changed = w.now.Add(time.Second) },
		"it is lost":       func(w *world, s *State) { s.host("h1").Lost = w.now },
		"one arrives":      func(_ *world, s *State) { s.open["x"] = &openAct{Turn: "h2", Instance: "g2", From: "h2", To: "h1"} },
		"one leaves":       func(_ *world, s *State) { s.open["x"] = &openAct{Turn: "h2", Instance: "g2", From: "h1", To: "h3"} },
		"one may be there": func(_ *world, s *State) { s.Turns["h2"].guest("g2").Sticky, s.unproven["g2"] = "h1", "h2" },
		"it was begun":     func(_ *world, s *State) { s.Turns["h1"].tries[StepUpdate] = 1 },
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			w.reach("h1", "")
			w.store(Fact{Kind: HostSeen, Host: "h1", Seen: w.view("h1")})
			if spoil(w, w.s); (w.s.spared(w.s.Turns["h1"], w.now) != "") != (name == "") {
				t.Errorf("spared: %q", w.s.spared(w.s.Turns["h1"], w.now))
			}
		})
	}
	w := doubledG1(t) // its parent left one of the host's instances without proof of where it runs
	w.reach("h1", "")
	w.store(Fact{Kind: HostSeen, Host: "h1", Seen: w.view("h1")})
	if why := w.s.spared(w.s.Turns["h1"], w.now); why != "" {
		t.Errorf("spared with g1 in doubt: %s", why)
	}
}

// Whom the parent brought somewhere has its least stay there, counted from what the child was told.
func TestLeastStayAfterTheParent(t *testing.T) {
	w := newWorld(t, func(p *plan.Plan, _ *fleet.Fleet) { p.Supersedes = "c0" })
	w.run(at("00:40:00"))
	w.store(Fact{Kind: Inherited, Who: Engine, Instance: "g1", Host: "h2", Why: "w"}, ended())
	stay := time.Duration(w.s.Plan.Policy.MinStay)
	if r := w.s.stayed(w.s.Turns["h2"], w.now.Add(stay-time.Second)); r == nil || r.hold != nil {
		t.Errorf("it does not wait: %+v", r)
	}
	if r := w.s.stayed(w.s.Turns["h2"], w.now.Add(stay)); r != nil {
		t.Errorf("it waits for ever: %+v", r)
	}
}
