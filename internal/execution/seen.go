package execution

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// seeHost takes an observation in: it is what this campaign knows of the host and of the instances
// on it, except those that an act of ours has in flight. A look that a later one has overtaken tells
// nothing more.
func (s *State) seeHost(id string, v *HostView) {
	h := s.host(id)
	if h.View != nil && v.At.Before(h.At) {
		h.Looks++
		return
	}
	h.View, h.At, h.Lost, h.Why = v, v.At, time.Time{}, ""
	h.Code, h.Since, h.Said, h.Heard = "", time.Time{}, 0, time.Time{}
	h.Looks++
	for inst, at := range s.landed[id] {
		if !at.After(v.At) {
			delete(s.landed[id], inst) // the look shows it
		}
	}
	here := map[string]bool{}
	for _, in := range v.Instances {
		here[in.ID] = true
		s.largest = max(s.largest, in.MemoryMiB)
		g := s.Guests[in.ID]
		if g == nil {
			g = &GuestState{New: true}
			s.Guests[in.ID] = g
			s.settle(in.ID, id)
		}
		if in.Incoming || s.inFlight(in.ID) || v.At.Before(g.Changed) {
			continue
		}
		switch {
		case in.State == string(fleet.Running):
			s.settle(in.ID, id)
			g.State, g.Saved, g.Gone = fleet.Running, false, false
		case g.Host == id:
			g.State, g.Saved = fleet.State(in.State), in.Saved
		}
		g.Memory = in.MemoryMiB
	}
	for turn := range s.active {
		for _, tg := range s.Turns[turn].Guests {
			if tg.InDoubt && s.Turns[turn].Plan.Host == id && !v.At.Before(tg.FailedAt) && runs(v, tg.ID) {
				tg.InDoubt = false // the stop did not take effect
			}
		}
	}
	for inst, turn := range s.unproven {
		g := s.Turns[turn].Guests[inst]
		switch {
		case (id != g.From && id != g.Sticky) || !v.At.After(g.FailedAt): // a look of the same moment shows nobody's absence
		case here[inst]:
			delete(g.missed, id)
		case g.missed == nil:
			g.missed = map[string]int{id: 1}
		default:
			g.missed[id]++
		}
	}
	absent := h.Absent
	h.Absent = map[string]int{}
	for inst := range s.on[id] {
		if g := s.Guests[inst]; !g.Gone && !here[inst] && !s.inFlight(inst) && !v.At.Before(g.Changed) {
			h.Absent[inst] = absent[inst] + 1
		}
	}
	s.noteDoubled(id)
	s.noteReached(id)
	s.noteCanary(id)
}

// silent takes in that a host does not answer, and what is known of why.
func (h *HostState) silent(f Fact) {
	h.Looks++
	if h.Lost.IsZero() {
		h.Lost = f.At
	}
	if h.Said == 0 || h.Code != f.Code {
		h.Code, h.Since, h.Said = f.Code, f.At, 0
	}
	h.Said++
	h.Heard, h.Why = f.At, f.Why
	h.RetryAt = f.At.Add(min(max(f.At.Sub(h.Lost)/4, lookAgain), time.Minute))
}

func runs(v *HostView, instance string) bool {
	for _, in := range v.Instances {
		if in.ID == instance {
			return in.State == string(fleet.Running)
		}
	}
	return false
}

func (s *State) inFlight(instance string) bool {
	for _, a := range s.open {
		if a.Instance == instance {
			return true
		}
	}
	return false
}

func (s *State) applyExternal(f Fact) {
	if f.Code == "appeared" {
		s.appeared[f.Turn+"/"+f.Instance] = true
	}
	g := s.Guests[f.Instance]
	if g == nil {
		return
	}
	if f.Code == "gone" {
		g.Gone = true
		if h := s.Hosts[f.Host]; h != nil {
			delete(h.Absent, f.Instance)
		}
		for _, id := range s.Active() {
			if tg := s.Turns[id].Guests[f.Instance]; tg != nil && tg.Stage == StageHere {
				tg.Stage = StageGone
			}
		}
	}
}

// gone records instances that should be on the host by all we know and that several looks in a row
// did not show. wait: some were missed, but not often enough to believe it.
func (s *State) gone(t *TurnState) (facts []Fact, wait bool) {
	absent := s.host(t.Plan.Host).Absent
	for _, id := range sortedKeys(absent) {
		switch {
		case s.unproven[id] != "":
			continue // its own reading of both ends decides
		case absent[id] < looksToBelieve:
			wait = true
		default:
			facts = append(facts, Fact{Kind: External, Turn: t.Plan.ID, Host: t.Plan.Host, Instance: id, Code: "gone", Why: "it was on this host and is not there any more; no act of ours moved it"})
		}
	}
	return facts, wait
}

// doubts: the last look did not show an instance that should be there, and one look may be wrong.
func (s *State) doubts(host string) bool {
	for id, n := range s.host(host).Absent {
		if n < looksToBelieve && s.unproven[id] == "" {
			return true
		}
	}
	return false
}

// present lists the instances that the last look saw on a host and that occupy it.
func present(v *HostView) []InstanceView {
	var out []InstanceView
	for _, in := range v.Instances {
		if in.State != string(fleet.Stopped) {
			out = append(out, in)
		}
	}
	return out
}
