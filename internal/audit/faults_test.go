package audit_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// fault is one deliberate wrong that is done to a sound plan. do gives false where the plan offers no place
// for it; where it gives true, the auditor must find at least one of the codes.
type fault struct {
	name  string
	law   int
	codes []string
	do    func(v *victim) bool
}

// victim is a sound plan, to be spoiled, with what is looked up in it.
type victim struct {
	*rand.Rand
	*plan.Plan
	f   *fleet.Fleet // a copy whose hosts, pools and instances may be changed
	ix  *fleet.Index // of the fleet as it was
	raw bool         // counts and digest stay as they are
}

func spoil(f *fleet.Fleet, p plan.Plan, seed uint64) *victim {
	v := &victim{Rand: rand.New(rand.NewPCG(seed, 7)), Plan: &p, ix: fleet.NewIndex(f)}
	fl := *f
	fl.Pools, fl.Hosts = slices.Clone(f.Pools), slices.Clone(f.Hosts)
	v.f = &fl
	p.Turns, p.Moves, p.Slots = slices.Clone(p.Turns), slices.Clone(p.Moves), slices.Clone(p.Slots)
	p.Blocked, p.Skipped = slices.Clone(p.Blocked), slices.Clone(p.Skipped)
	if p.Target != nil {
		tg := *p.Target
		p.Target = &tg
	}
	v.Plan = &p
	return v
}

// pick takes one of a list that is as asked; nil when none is.
func pick[T any](v *victim, list []T, is func(*T) bool) *T {
	if len(list) == 0 {
		return nil
	}
	for i, from := 0, v.IntN(len(list)); i < len(list); i++ {
		if x := &list[(from+i)%len(list)]; is(x) {
			return x
		}
	}
	return nil
}

func (v *victim) turn(is func(*plan.Turn) bool) *plan.Turn { return pick(v, v.Turns, is) }
func (v *victim) slot(is func(*plan.Slot) bool) *plan.Slot { return pick(v, v.Slots, is) }
func (v *victim) move(is func(*plan.Move) bool) *plan.Move { return pick(v, v.Moves, is) }
func (v *victim) byID(id string) *plan.Turn {
	return v.turn(func(t *plan.Turn) bool { return t.ID == id })
}

// times are those of a turn's own host.
func (v *victim) times(t *plan.Turn) plan.Times { return v.Policy.TimesOf(v.ix.Hosts[t.Host], t.Site) }

// leaves is a move off a host that is rebooted, by somebody who does not come back in between.
func (v *victim) leaves(m *plan.Move) bool { return !m.Home && reboots(v.byID(m.Turn)) }

func reboots(t *plan.Turn) bool {
	return t.Tactic == plan.Evacuate || t.Tactic == plan.Suspend || t.Tactic == plan.Reboot
}

func outage(s *plan.Slot) bool { return s.Class == plan.ClassOutage }
func blip(s *plan.Slot) bool   { return s.Class == plan.ClassBlip }

// felt: the turn touches an instance.
func (v *victim) felt(t *plan.Turn) bool {
	return slices.ContainsFunc(v.Slots, func(s plan.Slot) bool { return s.Turn == t.ID })
}

// shift moves a turn, its moves and its slots in time.
func (v *victim) shift(t *plan.Turn, by time.Duration) {
	t.Start, t.End = t.Start.Add(by), t.End.Add(by)
	for i := range v.Moves {
		if m := &v.Moves[i]; m.Turn == t.ID {
			m.Start, m.End = m.Start.Add(by), m.End.Add(by)
		}
	}
	for i := range v.Slots {
		if s := &v.Slots[i]; s.Turn == t.ID {
			s.Start, s.End, s.NoticeBy = s.Start.Add(by), s.End.Add(by), s.NoticeBy.Add(by)
		}
	}
}

// pair finds two turns of different instants as asked, the earlier one first.
func (v *victim) pair(is func(a, b *plan.Turn) bool) (a, b *plan.Turn) {
	for i := range v.Turns {
		for k := range v.Turns {
			if a, b = &v.Turns[i], &v.Turns[k]; !a.End.After(b.Start) && is(a, b) {
				return a, b
			}
		}
	}
	return nil, nil
}

// meet shifts the later of two turns to the start of the earlier one.
func (v *victim) meet(is func(a, b *plan.Turn) bool) bool {
	a, b := v.pair(is)
	if a == nil {
		return false
	}
	v.shift(b, a.Start.Sub(b.Start))
	return true
}

func drop[T any](list []T, x *T) []T {
	for i := range list {
		if &list[i] == x {
			return slices.Delete(slices.Clone(list), i, i+1)
		}
	}
	return list
}

// windowed: policy has one window rule, so that nothing else is allowed twelve hours off.
func (v *victim) windowed() bool {
	w := v.Policy.Windows
	return len(w) == 1 && !w[0].Always && time.Duration(w[0].Length) <= 5*time.Hour
}

// untouched: nothing in the plan moves to or from a host, so what it had free at the outset it has throughout.
func (v *victim) untouched(h string) bool {
	return !slices.ContainsFunc(v.Moves, func(m plan.Move) bool { return m.From == h || m.To == h })
}

// elsewhere sends a move to a host as asked, with what may follow it left as it is.
func (v *victim) elsewhere(is func(m *plan.Move, to *fleet.Host) bool) bool {
	for range 3 {
		m := v.move(v.leaves)
		if m == nil {
			return false
		}
		if h := pick(v, v.f.Hosts, func(h *fleet.Host) bool { return h.ID != m.From && h.ID != m.To && is(m, h) }); h != nil {
			m.To = h.ID
			return true
		}
	}
	return false
}

// seal writes counts and digest as the plan now is.
func (v *victim) seal() {
	waves, hosts, touched, tenants, stops := map[int]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, 0
	for _, t := range v.Turns {
		waves[t.Wave], hosts[t.Host] = true, true
	}
	for _, s := range v.Slots {
		touched[s.Instance] = true
		if s.Tenant != "" {
			tenants[s.Tenant] = true
		}
		if s.Class == plan.ClassOutage {
			stops++
		}
	}
	v.Counts = plan.Counts{Hosts: len(hosts), Waves: len(waves), Instances: len(touched), Tenants: len(tenants), Moves: len(v.Moves), Stops: stops,
		Blocked: len(v.Blocked), Skipped: len(v.Skipped)}
	v.FleetDigest = plan.FleetDigest(v.f)
	v.Digest = plan.Digest(*v.Plan)
}

// TestFaults: each deliberate fault is found in every plan that offers a place for it, and at least twenty do.
func TestFaults(t *testing.T) {
	const most, least, sound = 25, 20, 500
	plans := make([]plan.Plan, sound)
	each(sound, func(seed uint64) {
		in, profile := campaign(seed)
		plans[seed-1] = proposed(t, in, profile)
	})
	applied, killed := make([]int, len(faults)), make([]int, len(faults))
	each(len(faults), func(n uint64) {
		x := &faults[n-1]
		for i := 0; i < sound && applied[n-1] < most; i++ {
			if len(plans[i].Turns) == 0 {
				continue
			}
			v := spoil(plans[i].Fleet, plans[i], n)
			if !x.do(v) {
				continue
			}
			if !v.raw {
				v.seal()
			}
			applied[n-1]++
			if found := audit.Plan(v.f, v.Plan); x.shows(found) {
				killed[n-1]++
			} else {
				t.Errorf("fleet %d, %s: not found by %v (law %d), but %v\n\tto see the plan: go test ./internal/audit -run TestPlannedFleets -v -fleet-seed=%d", i+1, x.name, x.codes, x.law, codesOf(found), i+1)
			}
		}
	})
	if len(faults) < 40 {
		t.Errorf("only %d faults", len(faults))
	}
	for i, x := range faults {
		if t.Logf("law %2d  %-45s found in %2d of %2d plans, by %v", x.law, x.name, killed[i], applied[i], x.codes); applied[i] < least {
			t.Errorf("%s was done to %d plans only", x.name, applied[i])
		}
	}
}

// shows: a finding is of the fault's law, by one of its codes.
func (x *fault) shows(found []audit.Finding) bool {
	return slices.ContainsFunc(found, func(f audit.Finding) bool { return f.Law == x.law && slices.Contains(x.codes, f.Code) })
}

func codesOf(found []audit.Finding) (codes []string) {
	for _, f := range found {
		codes = append(codes, f.Code)
	}
	return codes
}

// rack of a turn's host; one that is not known is the host's own.
func (v *victim) rack(t *plan.Turn) string {
	if h := v.ix.Hosts[t.Host]; h.Rack != "" {
		return h.Rack
	}
	return "host " + t.Host
}
