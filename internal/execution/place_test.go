package execution

import (
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Members that share a site already may move within it; members that do not share a host stay apart.
func TestSpreadForbidsOnlyWhatIsNew(t *testing.T) {
	for spread, want := range map[fleet.Spread]bool{fleet.SpreadSite: true, fleet.SpreadHost: false} {
		w := newWorld(t, func(p *plan.Plan, f *fleet.Fleet) {
			f.Groups[0].Spread = spread
			f.Groups[0].Members = []string{"g1", "g2", "g3"} // on h1, h2 and h3 of one site
		})
		w.run(at("01:00:00"))
		for _, h := range []string{"h1", "h2", "h3"} {
			w.store(Fact{Kind: HostSeen, Host: h, Seen: w.view(h)})
		}
		if p := w.s.Place(w.s.Turns["h1"], "g1", w.now); (p.To != "") != want {
			t.Errorf("spread %s: placed on %q, %v", spread, p.To, p.Why)
		}
	}
}

// Where policy brings instances home a visit to a host that has its own turn later is allowed; whoever
// cannot get home again holds that turn, since nobody was told of it.
func TestVisitsEndAtHome(t *testing.T) {
	for _, stuck := range []bool{false, true} {
		w := newWorld(t, func(p *plan.Plan, f *fleet.Fleet) {
			p.Policy.BringHome, p.Policy.FailureBudget = true, 9
			var own []plan.Slot
			for _, sl := range p.Slots {
				if f.Instances[indexOf(f, sl.Instance)].Host == sl.Turn {
					own = append(own, sl)
					if sl.Disposition == plan.DispLiveMigrate {
						p.Moves = append(p.Moves, plan.Move{Turn: sl.Turn, Instance: sl.Instance, Home: true})
					}
				}
			}
			p.Slots = own // nobody is told of another host's turn
		})
		w.answer = func(c Chore) ([]Fact, bool) {
			if stuck && c.Kind == ChoreMove && c.Home && c.Instance == "g1" {
				return []Fact{{Kind: MoveFailed, Turn: c.Turn, Instance: c.Instance, From: c.From, To: c.To, Home: true, Attempt: c.Attempt, Code: "failed", Why: "no", Source: "running", Destination: "absent"}}, true
			}
			return nil, false
		}
		w.run(at("23:00:00"))
		if !stuck {
			if w.s.Phase != PhaseFinished || w.s.PhaseWhy != "done" {
				t.Fatalf("phase %s %s: %s", w.s.Phase, w.s.PhaseWhy, w.tail(6))
			}
			continue
		}
		host := w.s.Guests["g1"].Host
		if f := w.held(host); f.Code != CodeNotTold {
			t.Fatalf("the turn of %s, where g1 is stranded, is held for %s", host, f.Code)
		}
		for _, f := range w.facts {
			if f.Kind == MovePlaced && f.Instance == "g1" && f.Turn != "h1" {
				t.Fatalf("g1 was moved in a turn that nobody told its tenant of: %s", w.tail(6))
			}
		}
	}
}

func indexOf(f *fleet.Fleet, id string) int {
	for i := range f.Instances {
		if f.Instances[i].ID == id {
			return i
		}
	}
	panic("no instance " + id)
}

// A look that began before a move was over, and came in after it, does not put the instance back.
func TestALateLookTellsNothingOfWhatCameAfter(t *testing.T) {
	w := newWorld(t, nil)
	var late *HostView
	judged := false
	w.answer = func(c Chore) ([]Fact, bool) {
		if late != nil && !judged {
			judged = true
			if on := w.s.Guests["g1"].Host; on != w.s.Turns["h1"].Guests["g1"].MovedTo {
				t.Fatalf("g1 is on %s by a look from before its move: %s", on, w.tail(4))
			}
		}
		if c.Kind == ChoreMove && c.Instance == "g1" && late == nil {
			late = w.view("h1")
			return append(w.obey(c), Fact{Kind: HostSeen, Host: "h1", Seen: late}), true
		}
		return nil, false
	}
	w.run(at("23:00:00"))
	if !judged {
		t.Fatal("g1 never moved")
	}
}

// A move of which nobody knows whether it left keeps its room at the destination until looks at both ends
// show that it is not there.
func TestRoomOfAnUnprovenMove(t *testing.T) {
	w := newWorld(t, func(p *plan.Plan, _ *fleet.Fleet) { p.Policy.MovesPerHost = 1 })
	to := ""
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Kind != ChoreMove || to != "" {
			return nil, c.Kind == ChoreMove || to != "" && c.Kind == ChoreLook
		}
		to = c.To
		w.hosts["h1"].silent = true
		return []Fact{{Kind: MoveFailed, Turn: c.Turn, Host: c.Host, Instance: c.Instance, From: c.From, To: c.To, Attempt: c.Attempt, Code: "unreachable", Why: "w", Retry: true,
			Source: "unreachable", Destination: "absent"}}, true
	}
	w.run(at("01:01:00"))
	if len(w.s.unproven) != 1 {
		t.Fatalf("no move is in doubt: %s", w.tail(6))
	}
	seen := w.hosts[to].free
	if got := w.s.free(to); got != seen-80 {
		t.Errorf("in doubt %s has %d MiB free, %d are seen and 80 may be on their way", to, got, seen)
	}
	look := func(host string) {
		w.now = w.now.Add(time.Second)
		w.store(Fact{Kind: HostSeen, Host: host, Seen: w.view(host)})
	}
	for range 2 {
		look(to)
	}
	if got := w.s.free(to); got != seen-80 {
		t.Errorf("seen not to be there, and its source says nothing: %d of %d MiB free", got, seen)
	}
	for id := range w.s.unproven {
		w.hosts["h1"].guests[id] = "stopped"
	}
	look("h1")
	if got := w.s.free(to); got != seen {
		t.Errorf("seen not to be there, it still keeps room: %d of %d MiB free", got, seen)
	}
}
