package explain_test

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/explain"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// matching: the auditor's codes for each code of what keeps a turn from an earlier wave.
var matching = map[string][]string{
	"canary": {"canary-not-alone"}, "wave-growth": {"wave-growth"}, "max-away": {"too-many-away", "away-from-place"}, "host-group": {"host-group"},
	"stagger": {"stagger", "stagger-gap"}, "group": {"group"}, "min-stay": {"min-stay"}, "takes-in": {"into-a-turn"}, "lead": {"lead"},
	"window": {"turn-outside-window", "turn-outside-own-window", "frozen"}, "slot-too-short": {"slot-too-long", "turn-outside-slot"}, "reserve": {"reserve"},
	"no-room": {"no-room", "cannot-take", "spread", "into-a-turn", "unhealthy", "min-stay", "onto-old-process"},
}

// TestEarlier: of each reason that names a law, the auditor, who shares no code with the explanation, finds
// that very law broken once the turn stands in that wave, wherever its instances go.
func TestEarlier(t *testing.T) {
	verified, open := map[string]int{}, map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		in := draw(t)
		p, err := planner.Propose(in)
		if err != nil {
			t.Fatal(err)
		}
		p.Fleet = in.Fleet
		before := audit.Plan(in.Fleet, &p)
		for _, u := range p.Turns {
			if u.Wave == 1 {
				continue
			}
			answer, err := explain.Of(&p, u.Host, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range turnOf(t, answer, u.ID).Earlier {
				if len(e.Reasons) == 0 {
					t.Fatalf("turn %s: no reason for wave %d", u.ID, e.Wave)
				}
				for _, r := range e.Reasons {
					if r.Law == 0 {
						open[r.Code]++
						continue
					}
					verified[r.Code]++
					for way, to := range targets(&p, u, e, r) {
						shifted := shift(&p, u, e, to)
						if !broken(before, audit.Plan(in.Fleet, &shifted), r) {
							t.Errorf("turn %s in wave %d, with instances sent the way %d: %s (law %d) is claimed and not found: %s", u.ID, e.Wave, way, r.Code, r.Law, r.Why)
						}
					}
				}
			}
		}
		if t.Failed() {
			t.Log(p.Verdict)
		}
	})
	t.Logf("verified by code: %v; practice: %v", verified, open)
	for _, code := range []string{"canary", "wave-growth", "max-away", "host-group", "stagger", "lead", "window"} { // the rarer ones have tests of their own
		if verified[code] == 0 {
			t.Errorf("no reason %s was verified: the draws exercise nothing", code)
		}
	}
}

func turnOf(t interface{ Fatalf(string, ...any) }, a explain.Answer, id string) explain.Turn {
	for _, u := range a.Host.Turns {
		if u.ID == id {
			return u
		}
	}
	t.Fatalf("the answer for %s has no turn %s", a.ID, id)
	return explain.Turn{}
}

// targets: where the turn's instances are sent in the counter-test. What is claimed of one instance is tried on
// every host of its pools; what is claimed of all of them on some ways to spread them over those that may be sound.
func targets(p *plan.Plan, u plan.Turn, e explain.Earlier, r explain.Reason) (out []func(instance string, n int) string) {
	var others []string
	one := r.Code == "no-room" && r.Instance != ""
	away := map[string]bool{}
	for _, t := range p.Turns {
		away[t.Host] = away[t.Host] || t.Wave == e.Wave
	}
	for _, h := range p.Fleet.Hosts {
		if h.ID != u.Host && h.Pools[0] == u.Pool && (one || h.IsUp() && !away[h.ID]) {
			others = append(others, h.ID)
		}
	}
	if len(others) == 0 {
		return nil
	}
	if one {
		for _, h := range others {
			out = append(out, func(string, int) string { return h })
		}
		return out
	}
	for start := range others {
		out = append(out, func(_ string, n int) string { return others[(start+n)%len(others)] })
	}
	return out
}

// shift puts a turn at the start of an earlier wave, with whom it finds there, all else as planned.
func shift(p *plan.Plan, u plan.Turn, e explain.Earlier, to func(string, int) string) plan.Plan {
	out := *p
	out.Turns, out.Moves, out.Slots = slices.Clone(p.Turns), nil, nil
	waveOf := map[string]int{}
	for _, t := range p.Turns {
		waveOf[t.ID] = t.Wave
	}
	here := map[string]string{} // where everybody is by then
	for _, i := range p.Fleet.Instances {
		here[i.ID] = i.Host
	}
	moves := slices.Clone(p.Moves)
	slices.SortStableFunc(moves, func(a, b plan.Move) int { return a.Start.Compare(b.Start) })
	for _, m := range moves {
		if waveOf[m.Turn] < e.Wave {
			here[m.Instance] = m.To
		}
	}
	length := u.End.Sub(u.Start)
	for n := range out.Turns {
		if t := &out.Turns[n]; t.ID == u.ID {
			t.Wave, t.Start, t.End, t.WorstS = e.Wave, e.Start, e.Start.Add(length), e.LeastS
			t.WindowStart, t.WindowEnd = e.Start, e.Start.Add(p.Policy.Slot.Std())
		}
	}
	for _, m := range p.Moves {
		if m.Turn != u.ID {
			out.Moves = append(out.Moves, m)
		}
	}
	n := 0
	for _, s := range p.Slots {
		if s.Turn != u.ID {
			out.Slots = append(out.Slots, s)
			continue
		}
		if here[s.Instance] != u.Host {
			continue // it comes later
		}
		s.Start, s.End = e.Start, e.Start.Add(p.Policy.Slot.Std())
		s.NoticeBy = s.Start.Add(-p.Policy.Lead.Of(s.Class))
		out.Slots = append(out.Slots, s)
		if s.Disposition == plan.DispLiveMigrate {
			out.Moves = append(out.Moves, plan.Move{Instance: s.Instance, From: u.Host, To: to(s.Instance, n), Turn: u.ID, Start: e.Start, End: e.Start.Add(time.Second)})
			n++
		}
	}
	return out
}

// broken: there is a finding of the reason's law and of a code that matches, which was not there before.
func broken(before, after []audit.Finding, r explain.Reason) bool {
	for _, f := range after {
		if f.Law == r.Law && slices.Contains(matching[r.Code], f.Code) && !slices.Contains(before, f) {
			return true
		}
	}
	return false
}
