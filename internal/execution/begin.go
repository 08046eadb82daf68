package execution

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// begin takes a plan in.
func (s *State) begin(f Fact) error {
	p, fl := new(plan.Plan), new(fleet.Fleet)
	if err := json.Unmarshal(f.Plan, p); err != nil {
		return fmt.Errorf("fact %d: its plan does not read: %w", f.Seq, err)
	}
	if err := json.Unmarshal(f.Fleet, fl); err != nil {
		return fmt.Errorf("fact %d: its fleet does not read: %w", f.Seq, err)
	}
	s.Campaign, s.Revision, s.Generation, s.Plan, s.Fleet = f.Campaign, f.Revision, f.Generation, p, fl
	s.applied = f.At
	s.Phase, s.PhaseWhy = s.under()
	s.index, s.others = fleet.NewIndex(fl), map[string][]string{}
	if p.Target != nil {
		s.cohorts = advisory.NewCohorts(fl, p.Target)
	}
	for i := range p.Slots {
		sl := &p.Slots[i]
		s.turnSlot[sl.Turn+"/"+sl.Instance] = sl
		s.ofTurn[sl.Turn] = append(s.ofTurn[sl.Turn], sl)
		if sl.Tenant != "" {
			s.slotsOf[sl.Tenant] = append(s.slotsOf[sl.Tenant], sl)
		}
	}
	s.forecast = forecastOf(p.Moves)
	for i, m := range p.Moves {
		if p.Policy.HomeRule() == plan.HomeSettle { // nobody else asks where they end
			s.movesOf[m.Instance] = append(s.movesOf[m.Instance], &p.Moves[i])
		}
		if m.Home {
			s.homeward[m.Turn+"/"+m.Instance] = true
		}
	}
	for _, t := range p.Turns {
		s.Turns[t.ID] = &TurnState{Plan: t, Phase: TurnWaiting, Guests: map[string]*TurnGuest{}, tries: map[Step]int{}}
		s.Order = append(s.Order, t.ID)
		s.turnsOf[t.Host] = append(s.turnsOf[t.Host], s.Turns[t.ID])
		if aheadOf[t.Tactic] != nil {
			s.unprepared[t.Host] = s.Turns[t.ID]
		}
		if t.Tactic == plan.LivePatch {
			s.patching[t.ID] = true
		}
	}
	for tenant, slots := range s.slotsOf {
		s.ask(NoticeScheduled, tenant, "", "", s.keep(slots))
	}
	slices.SortFunc(s.Order, func(a, b string) int { return compareTurns(s.Turns[a].Plan, s.Turns[b].Plan) })
	s.waiting = slices.Clone(s.Order)
	for _, id := range s.Order {
		if t := s.Turns[id]; t.Plan.Canary {
			s.canaries = append(s.canaries, t)
		}
	}
	for _, b := range p.Blocked {
		if b.Instance != "" {
			s.blocked[b.Instance] = true
		}
	}
	for _, k := range p.Skipped {
		s.fixed[k.Host] = true
	}
	for i := range fl.Hosts {
		s.Hosts[fl.Hosts[i].ID] = &HostState{}
	}
	for pool := range s.index.PoolHosts {
		s.inTurn.homes[pool] = len(s.index.HomeHosts(pool))
	}
	for i := range fl.Instances {
		in := &fl.Instances[i]
		st := in.State
		if st == "" {
			st = fleet.Running
		}
		s.Guests[in.ID] = &GuestState{State: st, Memory: in.MemoryMiB}
		s.largest = max(s.largest, in.MemoryMiB)
		s.settle(in.ID, in.Host)
	}
	return nil
}
