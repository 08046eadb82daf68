package execution

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// toRefresh makes the test plan one of refreshes: each instance is promised its own host's turn only.
func toRefresh(p *plan.Plan, f *fleet.Fleet) {
	host := map[string]string{}
	for _, in := range f.Instances {
		host[in.ID] = in.Host
	}
	for i := range p.Turns {
		p.Turns[i].Tactic = plan.Refresh
		p.Turns[i].UpdateFrom, p.Turns[i].UpdateBy = at("00:30:00"), at("00:50:00")
	}
	p.Slots = slices.DeleteFunc(p.Slots, func(s plan.Slot) bool { return host[s.Instance] != s.Turn })
	p.Policy.FailureBudget = 9
}

func refreshWorld(t *testing.T, more func(p *plan.Plan)) *world {
	return newWorld(t, func(p *plan.Plan, f *fleet.Fleet) {
		toRefresh(p, f)
		if more != nil {
			more(p)
		}
	})
}

// TestRefreshRun: all disks before the first move, the canary's first; each instance is given another
// process once, none of them on a host without the new software; nothing is rebooted or cordoned.
func TestRefreshRun(t *testing.T) {
	w := refreshWorld(t, nil)
	w.run(at("03:00:00"))
	if w.s.Phase != PhaseFinished || w.s.PhaseWhy != "done" {
		t.Fatalf("it is %s %s: %s", w.s.Phase, w.s.PhaseWhy, w.tail(12))
	}
	prepared, done, firstMove := []string{}, map[string]int{}, 0
	for i, f := range w.facts {
		switch {
		case f.Kind == TurnPrepares:
			prepared = append(prepared, f.Host)
		case f.Kind == StepDone && f.Step == StepProve && firstMove > 0:
			t.Errorf("%s is prepared after the first move", f.Host)
		case f.Kind == MovePlaced && firstMove == 0:
			firstMove = i
		case f.Kind == MoveDone, f.Kind == BackDone:
			done[f.Instance]++
		case f.Step == StepReboot, f.Step == StepCordon, f.Kind == Borrowed:
			t.Errorf("a refresh needs no %s %s", f.Kind, f.Step)
		}
	}
	if len(prepared) != 3 || prepared[0] != "h1" {
		t.Errorf("prepared %v", prepared)
	}
	for g, n := range done {
		if n != 1 {
			t.Errorf("%s was given another process %d times", g, n)
		}
	}
	if len(done) != 12 {
		t.Errorf("%d of 12 were given another process", len(done))
	}
	for id, h := range w.hosts {
		if h.boot != 1 {
			t.Errorf("%s was rebooted", id)
		}
		for g, on := range h.on {
			if h.guests[g] != "" && on != newQEMU {
				t.Errorf("%s on %s runs on %s", g, id, on)
			}
		}
	}
	if w.hosts["h3"].guests["g12"] != "running" {
		t.Error("g12 has a local disk and is not on its host")
	}
}

// TestRefreshCanarySoaks: no other disk is changed before the canary's was proven and has soaked.
func TestRefreshCanarySoaks(t *testing.T) {
	w := refreshWorld(t, func(p *plan.Plan) { p.Policy.Soak = plan.Duration(7 * time.Minute) })
	w.run(at("03:00:00"))
	var proven, next time.Time
	for _, f := range w.facts {
		if f.Kind == StepDone && f.Step == StepProve && f.Host == "h1" {
			proven = f.At
		}
		if f.Kind == TurnPrepares && f.Host != "h1" && next.IsZero() {
			next = f.At
		}
	}
	if proven.IsZero() || next.Sub(proven) < 7*time.Minute {
		t.Errorf("the canary was proven %s, the next began %s", proven, next)
	}
}

// TestRefreshOneCannotBePrepared: its turn holds with the reason, nobody lands there, and the others
// are refreshed.
func TestRefreshOneCannotBePrepared(t *testing.T) {
	w := refreshWorld(t, nil)
	broken := true
	w.answer = func(c Chore) ([]Fact, bool) {
		if broken && c.Kind == ChoreUpdate && c.Host == "h2" {
			return []Fact{{Kind: StepFailed, Turn: c.Turn, Host: c.Host, Step: c.Step, Attempt: c.Attempt, Code: "update-failed", Why: "exit 1", Retry: true}}, true
		}
		return nil, false
	}
	w.run(at("01:50:00"))
	if f := w.held("h2"); f.Code != "update-failed" || f.Step != StepUpdate || f.Next == "" {
		t.Errorf("held with %+v", f)
	}
	for _, f := range w.facts {
		if f.Kind == MovePlaced && (f.To == "h2" || f.From == "h2") {
			t.Errorf("%s moves %s -> %s", f.Instance, f.From, f.To)
		}
	}
	for _, id := range []string{"h1", "h3"} {
		if w.s.Turns[id].Phase != TurnFinished {
			t.Errorf("%s is %s %s: %s", id, w.s.Turns[id].Phase, w.s.Turns[id].Step, w.tail(3))
		}
	}
	broken = false
	w.store(Fact{Kind: TurnReleased, Who: "operator:t", Turn: "h2", Host: "h2"})
	w.run(at("01:50:00"))
	if tn := w.s.Turns["h2"]; tn.Phase != TurnFinished {
		t.Errorf("after the retry h2 is %s %s: %s", tn.Phase, tn.Why, w.tail(5))
	}
}

// TestRefreshWithoutTheFixOnDisk: an update that says done, and did nothing, holds the turn.
func TestRefreshWithoutTheFixOnDisk(t *testing.T) {
	w := refreshWorld(t, nil)
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Kind == ChoreUpdate {
			return []Fact{{Kind: StepDone, Turn: c.Turn, Host: c.Host, Step: c.Step, Attempt: c.Attempt}}, true
		}
		return nil, false
	}
	w.run(at("03:00:00"))
	if f := w.held("h1"); f.Code != CodeOldVersion || f.Step != StepProve {
		t.Errorf("held with %+v", f)
	}
	if n := w.kinds(); n[MovePlaced] != 0 || n[TurnPrepares] != 1 {
		t.Errorf("%d moves, %d preparations although the canary is not proven", n[MovePlaced], n[TurnPrepares])
	}
}

// TestRefreshProof: after its move each instance's own monitor must say the wanted version.
func TestRefreshProof(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(w *world, to string)
		code  string
	}{
		"it says the old one": {func(w *world, to string) { w.hosts[to].on["g4"] = oldQEMU }, CodeStillOld},
		"it says nothing":     {func(w *world, to string) { w.hosts[to].mute = map[string]bool{"g4": true} }, CodeCannotJudge},
	} {
		t.Run(name, func(t *testing.T) {
			w := refreshWorld(t, nil)
			w.answer = func(ch Chore) ([]Fact, bool) {
				if ch.Kind != ChoreMove || ch.Instance != "g4" {
					return nil, false
				}
				facts := w.obey(ch)
				c.spoil(w, ch.To)
				return facts, true
			}
			w.run(at("03:00:00"))
			if f := w.held("h1"); f.Code != c.code || !strings.Contains(f.Why, "g4 on ") {
				t.Errorf("held with %+v", f)
			}
			n := 0
			for _, f := range w.facts {
				if f.Kind == MovePlaced && f.Instance == "g4" {
					n++
				}
			}
			if n != 1 {
				t.Errorf("g4 was moved %d times", n)
			}
		})
	}
}

// TestRefreshLeavesWhoIsBlocked: an instance for which the plan has no way stays, is listed at the end,
// and holds nobody.
func TestRefreshLeavesWhoIsBlocked(t *testing.T) {
	w := refreshWorld(t, func(p *plan.Plan) {
		p.Slots = slices.DeleteFunc(p.Slots, func(s plan.Slot) bool { return s.Instance == "g12" })
		p.Blocked = []plan.Blocked{{Instance: "g12", Code: "local-disk", Why: "w", Unblock: "u"}}
	})
	w.run(at("03:00:00"))
	if w.s.Phase != PhaseFinished || w.s.PhaseWhy != "partly" {
		t.Fatalf("it is %s %s: %s", w.s.Phase, w.s.PhaseWhy, w.tail(6))
	}
	listed := []string{}
	for _, f := range w.facts {
		if f.Kind == Unfixed {
			listed = append(listed, f.Instance)
		}
		if f.Instance == "g12" && (f.Kind == MovePlaced || f.Kind == StopStarted) {
			t.Errorf("g12 is blocked, and %s", f.Kind)
		}
	}
	if !slices.Equal(listed, []string{"g12"}) {
		t.Errorf("listed as unfixed: %v", listed)
	}
}

// TestRefreshAlreadyOnDisk: what a look shows is not done again.
func TestRefreshAlreadyOnDisk(t *testing.T) {
	w := refreshWorld(t, nil)
	w.hosts["h2"].qemu = newQEMU
	w.run(at("03:00:00"))
	for _, f := range w.facts {
		if f.Kind == StepStarted && f.Step == StepUpdate && f.Host == "h2" {
			t.Error("h2 is updated again")
		}
	}
	if w.s.PhaseWhy != "done" {
		t.Errorf("it ended %q: %s", w.s.PhaseWhy, w.tail(5))
	}
}

// TestRefreshAborted: an abort while disks are changed waits for what is in flight and ends.
func TestRefreshAborted(t *testing.T) {
	w := refreshWorld(t, nil)
	stuck := true
	w.answer = func(c Chore) ([]Fact, bool) { return nil, stuck && c.Kind == ChoreUpdate }
	w.run(at("00:31:00"))
	if tn := w.s.Turns["h1"]; tn.Phase != TurnPreparing || !tn.Started {
		t.Fatalf("h1 is %s", tn.Phase)
	}
	w.store(Fact{Kind: CampaignAborted, Who: "operator:t", Why: "no"})
	w.run(w.now.Add(time.Second))
	if tn := w.s.Turns["h1"]; tn.Phase != TurnPreparing {
		t.Errorf("h1 is %s while its update is in flight", tn.Phase)
	}
	stuck = false
	w.run(at("03:00:00"))
	if w.s.Phase != PhaseFinished || w.s.Turns["h1"].Phase != TurnAbandoned || w.kinds()[MovePlaced] != 0 {
		t.Errorf("it is %s, h1 %s: %s", w.s.Phase, w.s.Turns["h1"].Phase, w.tail(5))
	}
}

// TestStockOfWhoeverIsDown: who was seen not to run is named at the end, also on a host that no turn and
// no move has touched.
func TestStockOfWhoeverIsDown(t *testing.T) {
	w := refreshWorld(t, func(p *plan.Plan) {
		p.Turns, p.Slots, p.Policy.Canary = p.Turns[:1], nil, false
		for i := range 12 {
			p.Blocked = append(p.Blocked, plan.Blocked{Instance: "g" + strconv.Itoa(i+1), Code: "x", Why: "w", Unblock: "u"})
		}
	})
	w.hosts["h3"].guests["g3"] = "stopped"
	w.store(Fact{Kind: HostSeen, Host: "h3", Seen: w.view("h3")})
	w.run(at("03:00:00"))
	if w.s.Phase != PhaseFinished {
		t.Fatalf("it is %s: %s", w.s.Phase, w.tail(5))
	}
	for _, f := range w.facts {
		if f.Kind == NotReturned && f.Instance == "g3" {
			return
		}
	}
	t.Errorf("g3 is down and nobody is told: %s", w.tail(5))
}

// A canary whose host is not sound once its preparation has soaked keeps all other disks as they are, and a
// person is asked; a retry looks again.
func TestPreparedCanaryIsJudgedAgain(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(h *worldHost)
		code  string
	}{
		"sound":        {func(*worldHost) {}, ""},
		"sick":         {func(h *worldHost) { h.health = "sick" }, CodeUnhealthy},
		"reset":        {func(h *worldHost) { h.boot++ }, CodeOtherBoot},
		"silent":       {func(h *worldHost) { h.silent = true }, CodeNoAnswer},
		"taken away":   {func(h *worldHost) { h.qemu = oldQEMU }, CodeOldVersion},
		"not readable": {func(h *worldHost) { h.qemu = "" }, CodeOldVersion},
	} {
		t.Run(name, func(t *testing.T) {
			w := refreshWorld(t, func(p *plan.Plan) { p.Policy.Soak = plan.Duration(5 * time.Minute) })
			w.run(at("00:32:00"))
			if w.s.Turns["h1"].Prepared.IsZero() {
				t.Fatalf("h1 is not prepared: %s", w.tail(4))
			}
			h := *w.hosts["h1"]
			c.spoil(w.hosts["h1"])
			w.run(at("00:45:00"))
			others := len(w.started(StepUpdate, "h2")) + len(w.started(StepUpdate, "h3"))
			if c.code == "" {
				if others != 2 || w.s.Turns["h1"].ready.Before(at("00:35:00")) {
					t.Errorf("%d other disks are changed, h1 was judged %s", others, w.s.Turns["h1"].ready)
				}
				return
			}
			if f := w.held("h1"); f.Code != c.code || !strings.Contains(f.Why, "after its soak it is not sound") || others != 0 || f.At.After(at("00:38:30")) {
				t.Errorf("held with %+v; %d other disks are changed", f, others)
			}
			w.hosts["h1"].health, w.hosts["h1"].silent, w.hosts["h1"].boot, w.hosts["h1"].qemu = h.health, h.silent, h.boot, h.qemu
			w.store(Fact{Kind: TurnReleased, Who: "operator:t", Turn: "h1", Host: "h1"})
			w.run(at("00:50:00"))
			if n := len(w.started(StepUpdate, "h2")) + len(w.started(StepUpdate, "h3")); n != 2 {
				t.Errorf("after a retry %d other disks are changed: %s", n, w.tail(4))
			}
		})
	}
}
