package audit_test

import (
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

var faults = slices.Concat(promiseFaults, timeFaults, togetherFaults, roomFaults, recordFaults)

// onSlot does something to one slot.
func onSlot(is func(*plan.Slot) bool, do func(v *victim, s *plan.Slot)) func(*victim) bool {
	return func(v *victim) bool {
		s := v.slot(is)
		if s != nil {
			do(v, s)
		}
		return s != nil
	}
}

// onMade does something to one slot that was made for its turn.
func onMade(do func(v *victim, s *plan.Slot)) func(*victim) bool {
	return func(v *victim) bool {
		return v.Policy.AutoSlots() && onSlot(func(*plan.Slot) bool { return true }, do)(v)
	}
}

// onTurn does something to one turn.
func onTurn(is func(*victim, *plan.Turn) bool, do func(v *victim, t *plan.Turn)) func(*victim) bool {
	return func(v *victim) bool {
		t := v.turn(func(t *plan.Turn) bool { return is(v, t) })
		if t != nil {
			do(v, t)
		}
		return t != nil
	}
}

// onMove does something to one move.
func onMove(is func(*victim, *plan.Move) bool, do func(v *victim, m *plan.Move)) func(*victim) bool {
	return func(v *victim) bool {
		m := v.move(func(m *plan.Move) bool { return is(v, m) })
		if m != nil {
			do(v, m)
		}
		return m != nil
	}
}

func always(do func(v *victim)) func(*victim) bool {
	return func(v *victim) bool { do(v); return true }
}

func away(v *victim, m *plan.Move) bool    { return !m.Home }
func leaving(v *victim, m *plan.Move) bool { return v.leaves(m) }

// slowReboot is a turn that does little beside a reboot that may take much longer than is expected.
func slowReboot(v *victim, t *plan.Turn) bool {
	times := v.times(t)
	return rebooting(v, t) && times.RebootMax >= 2*times.Reboot && t.End.Sub(t.Start) < 2*(times.Reboot+times.Update+times.Overhead).Std()
}

func rebooting(_ *victim, t *plan.Turn) bool {
	return reboots(t)
}
func saving(_ *victim, t *plan.Turn) bool { return t.SaveMaxS > 0 }
func paid(s *plan.Slot) bool              { return s.Tenant != "" }

// promiseFaults break laws 1 and 4.
var promiseFaults = []fault{
	{"drop a move", 1, []string{"left-behind"}, onMove(leaving, func(v *victim, m *plan.Move) { v.Moves = drop(v.Moves, m) })},
	{"promise a move and make none", 1, []string{"no-move"}, onMove(away, func(v *victim, m *plan.Move) { v.Moves = drop(v.Moves, m) })},
	{"move without a slot", 1, []string{"no-slot"}, onSlot(blip, func(v *victim, s *plan.Slot) { v.Slots = drop(v.Slots, s) })},
	{"stop without a slot", 1, []string{"left-behind"}, func(v *victim) bool {
		s := v.slot(func(s *plan.Slot) bool { return outage(s) && reboots(v.byID(s.Turn)) })
		if s != nil {
			v.Slots = drop(v.Slots, s)
		}
		return s != nil
	}},
	{"leave an instance out of a refresh", 7, []string{"not-refreshed"}, func(v *victim) bool {
		s := v.slot(func(s *plan.Slot) bool {
			in := v.ix.Instances[s.Instance]
			return v.byID(s.Turn).Tactic == plan.Refresh && in.Host == s.Turn && (in.Running[qemu] == qemuOld || in.Running == nil && v.ix.Hosts[in.Host].Software.Installed[qemu] == qemuOld)
		})
		if s == nil {
			return false
		}
		turn, id := s.Turn, s.Instance
		v.Slots = drop(v.Slots, s)
		v.Moves = slices.DeleteFunc(v.Moves, func(m plan.Move) bool { return m.Turn == turn && m.Instance == id })
		return true
	}},
	{"call an outage a blip", 1, []string{"class"}, onSlot(outage, func(v *victim, s *plan.Slot) { s.Class = plan.ClassBlip })},
	{"call a blip nothing", 1, []string{"class"}, onSlot(blip, func(v *victim, s *plan.Slot) { s.Class = plan.ClassNone })},
	{"call a stop a move", 1, []string{"no-move"}, onSlot(outage, func(v *victim, s *plan.Slot) {
		s.Disposition, s.Class, s.ExpectedMs, s.WorstMs = plan.DispLiveMigrate, plan.ClassBlip, 100, 1000
	})},
	{"call a move a stop", 1, []string{"moved-otherwise"}, onSlot(blip, func(v *victim, s *plan.Slot) {
		s.Disposition, s.Class, s.WorstMs = plan.DispStop, plan.ClassOutage, 7_200_000
	})},
	{"an outage of half a second", 1, []string{"outage-understated"}, onSlot(outage, func(v *victim, s *plan.Slot) { s.ExpectedMs, s.WorstMs = 500, 500 })},
	{"a blip longer than policy's", 1, []string{"class-understated"}, onSlot(blip, func(v *victim, s *plan.Slot) { s.WorstMs = time.Duration(v.Policy.Blackout).Milliseconds() + 1 })},
	{"a tactic that policy forbids", 1, []string{"tactic-forbidden"}, onTurn(rebooting, func(v *victim, t *plan.Turn) {
		v.Policy.Tactics = slices.DeleteFunc(slices.Clone(v.Policy.Tactics), func(x plan.Tactic) bool { return x == t.Tactic })
	})},
	{"promise later than lead", 4, []string{"lead"}, func(v *victim) bool {
		s := v.slot(paid)
		if s == nil || v.Policy.Lead.Of(s.Class) <= 0 {
			return false
		}
		v.Made = s.Start.Add(-v.Policy.Lead.Of(s.Class) + time.Second)
		return true
	}},
	{"a notice an hour late", 4, []string{"notice-by"}, onSlot(paid, func(v *victim, s *plan.Slot) { s.NoticeBy = s.NoticeBy.Add(time.Hour) })},
	{"swap the tenant", 10, []string{"slot-tenant"}, onSlot(paid, func(v *victim, s *plan.Slot) { s.Tenant += "x" })},
}

// timeFaults break law 2.
var timeFaults = []fault{
	{"shift a turn by half a day", 2, []string{"turn-outside-window"}, func(v *victim) bool {
		return v.windowed() && onTurn((*victim).felt, func(v *victim, t *plan.Turn) { v.shift(t, 12*time.Hour) })(v)
	}},
	{"a window in the wrong zone", 2, []string{"slot-outside-window", "turn-outside-window"}, func(v *victim) bool {
		if !v.windowed() || v.Policy.Windows[0].Days != nil || !slices.ContainsFunc(v.Turns, func(t plan.Turn) bool { return v.felt(&t) }) {
			return false
		}
		v.Policy.Windows = slices.Clone(v.Policy.Windows)
		w := &v.Policy.Windows[0]
		start, err := time.Parse("15:04", w.Start)
		w.Start = start.Add(12 * time.Hour).Format("15:04")
		return err == nil
	}},
	{"a window in another place", 2, []string{"turn-outside-window"}, func(v *victim) bool {
		t := v.turn(v.felt)
		if t == nil || !v.windowed() {
			return false
		}
		v.Policy.Windows = []plan.WindowRule{v.Policy.Windows[0]}
		v.Policy.Windows[0].Sites = []string{"elsewhere"}
		return true
	}},
	{"shift a window's bounds by a day", 2, []string{"window-misstated"}, func(v *victim) bool {
		return v.windowed() && onTurn((*victim).felt, func(v *victim, t *plan.Turn) {
			t.WindowStart, t.WindowEnd = t.WindowStart.AddDate(0, 0, 1), t.WindowEnd.AddDate(0, 0, 1)
		})(v)
	}},
	{"shorten a slot", 2, []string{"turn-outside-slot"}, func(v *victim) bool {
		return onSlot(func(*plan.Slot) bool { return true }, func(v *victim, s *plan.Slot) {
			t := v.byID(s.Turn)
			s.End = t.Start.Add(time.Duration(t.WorstS)*time.Second - time.Second)
		})(v)
	}},
	{"a slot that begins after its turn", 2, []string{"turn-outside-slot"}, onSlot(func(*plan.Slot) bool { return true }, func(v *victim, s *plan.Slot) {
		s.Start = v.byID(s.Turn).Start.Add(time.Second)
	})},
	{"stretch a slot", 2, []string{"slot-too-long"}, onSlot(func(*plan.Slot) bool { return true }, func(v *victim, s *plan.Slot) {
		s.End = s.Start.Add(time.Duration(v.Policy.Slot) + time.Second)
	})},
	{"stretch a slot that was made for its turn", 2, []string{"slot-longer-than-its-turn"}, onMade(func(v *victim, s *plan.Slot) {
		s.End = s.End.Add(time.Duration(v.byID(s.Turn).P95S) * time.Second)
	})},
	{"a slot that holds what is expected and no more", 2, []string{"slot-too-short", "turn-outside-slot"}, onMade(func(v *victim, s *plan.Slot) { s.End = v.byID(s.Turn).End })},
	{"a worst case without the reboot's", 2, []string{"worst-too-short"}, onTurn(rebooting, func(v *victim, t *plan.Turn) {
		most := v.times(t).RebootMax
		if v.Policy.AutoSlots() { // within a hundredth, more may be left out
			most = (most + v.times(t).Reboot) / 2
		}
		t.WorstS = min(t.WorstS, int64(most.Std()/time.Second)) - 1
	})},
	{"a 95th percentile below what is expected", 2, []string{"quantiles"}, onTurn(rebooting, func(v *victim, t *plan.Turn) { t.P95S = int64(t.End.Sub(t.Start)/time.Second) - 1 })},
	{"a 95th percentile that leaves out how long reboots may take", 2, []string{"p95-understated"}, onTurn(slowReboot, func(v *victim, t *plan.Turn) { t.P95S = int64(t.End.Sub(t.Start) / time.Second) })},
	{"an outage's 95th percentile above its worst case", 1, []string{"quantiles"}, onSlot(outage, func(v *victim, s *plan.Slot) { s.P95Ms = s.WorstMs + 1 })},
	{"a promise without its 95th percentile", 1, []string{"quantiles"}, onSlot(blip, func(v *victim, s *plan.Slot) { s.P95Ms = 0 })},
	{"saves whose longer limit is left out", 2, []string{"saves-cut-short"}, onTurn(saving, func(v *victim, t *plan.Turn) { t.SaveMaxS = 0 })},
	{"saves without their margin", 2, []string{"saves-cut-short"}, onTurn(saving, func(v *victim, t *plan.Turn) { t.SaveMaxS = t.SaveMaxS*2/3 + 1 })},
	{"saves that may hang for long", 2, []string{"saves-too-long"}, onTurn(saving, func(v *victim, t *plan.Turn) { t.SaveMaxS += 10 })},
	{"a longer limit where policy's does", 2, []string{"saves-too-long"}, onTurn(func(v *victim, t *plan.Turn) bool { return t.SaveMaxS == 0 }, func(v *victim, t *plan.Turn) {
		t.SaveMaxS = int64(time.Duration(v.Policy.Times.SaveMax)/time.Second) + 1
	})},
	{"a worst case without its saves", 2, []string{"worst-too-short"}, onTurn(saving, func(v *victim, t *plan.Turn) { t.WorstS = 2*t.SaveMaxS - 1 })},
	{"an outage without its saves", 1, []string{"outage-understated"}, onSlot(outage, func(v *victim, s *plan.Slot) {
		s.WorstMs = min(s.WorstMs, 2*time.Duration(v.Policy.Times.SaveMax).Milliseconds()-1)
	})},
	{"a turn too short for its reboot", 2, []string{"turn-too-short"}, onTurn(rebooting, func(v *victim, t *plan.Turn) { t.End = t.Start.Add(v.times(t).Reboot.Std() - time.Second) })},
	{"a move faster than its link", 2, []string{"faster-than-link"}, onMove(func(v *victim, m *plan.Move) bool {
		a, b := v.ix.Hosts[m.From].NICMbps, v.ix.Hosts[m.To].NICMbps
		if a == 0 || b != 0 && b < a {
			a = b
		}
		return a > 0 && float64(v.ix.Instances[m.Instance].MemoryMiB)*8.388608*float64(v.Policy.MovesPerHost)/float64(a) > 2
	}, func(v *victim, m *plan.Move) { m.End = m.Start.Add(time.Second) })},
	{"a move longer than migrate_max", 2, []string{"move-too-long"}, onMove(away, func(v *victim, m *plan.Move) {
		m.End = m.Start.Add(time.Duration(v.Policy.Times.MigrateMax) + time.Second)
	})},
	{"a move after its turn", 2, []string{"move-outside-turn"}, onMove(away, func(v *victim, m *plan.Move) {
		t := v.byID(m.Turn)
		by := t.Start.Add(time.Duration(t.WorstS) * time.Second).Sub(m.Start)
		m.Start, m.End = m.Start.Add(by), m.End.Add(by)
	})},
	{"a move before its slot", 2, []string{"move-outside-slot"}, onMove(away, func(v *victim, m *plan.Move) {
		s := v.slot(func(s *plan.Slot) bool { return s.Turn == m.Turn && s.Instance == m.Instance })
		by := s.Start.Add(-time.Second).Sub(m.Start)
		m.Start, m.End = m.Start.Add(by), m.End.Add(by)
	})},
	{"a move that ends as the turn does", 1, []string{"late-out"}, onMove(leaving, func(v *victim, m *plan.Move) { m.End = v.byID(m.Turn).End })},
}

// togetherFaults break laws 3 and 5.
var togetherFaults = []fault{
	{"two members of a group at once", 3, []string{"group"}, func(v *victim) bool {
		for i := range v.Moves {
			for k := range v.Moves {
				a, b := &v.Moves[i], &v.Moves[k]
				if a.Instance == b.Instance || a.End.After(b.Start) || !slices.ContainsFunc(v.ix.GroupsOf[a.Instance], func(g *fleet.Group) bool {
					return g.MaxUnavailable <= 1 && slices.Contains(v.ix.GroupsOf[b.Instance], g)
				}) {
					continue
				}
				b.Start, b.End = a.Start, a.Start.Add(b.End.Sub(b.Start))
				return true
			}
		}
		return false
	}},
	{"turns of a host group at once", 3, []string{"host-group"}, func(v *victim) bool {
		return v.meet(func(a, b *plan.Turn) bool {
			return reboots(a) && reboots(b) && slices.ContainsFunc(v.f.HostGroups, func(g fleet.HostGroup) bool {
				return g.MaxUnavailable == 1 && slices.Contains(g.Hosts, a.Host) && slices.Contains(g.Hosts, b.Host)
			})
		})
	}},
	{"overlap two staggered sites", 3, []string{"stagger"}, func(v *victim) bool {
		return v.Policy.StaggerSites && v.meet(func(a, b *plan.Turn) bool {
			return a.Site != b.Site && v.ix.Sites[a.Site].Region == v.ix.Sites[b.Site].Region && v.felt(a) && v.felt(b)
		})
	}},
	{"overlap two staggered regions", 3, []string{"stagger"}, func(v *victim) bool {
		return v.Policy.StaggerRegions && v.meet(func(a, b *plan.Turn) bool {
			return v.ix.Sites[a.Site].Region != v.ix.Sites[b.Site].Region && v.felt(a) && v.felt(b)
		})
	}},
	{"overlap two staggered racks", 3, []string{"stagger"}, func(v *victim) bool {
		return v.Policy.StaggerRacks && v.meet(func(a, b *plan.Turn) bool {
			return a.Site == b.Site && v.rack(a) != v.rack(b) && v.felt(a) && v.felt(b)
		})
	}},
	{"a site sooner than the gap", 3, []string{"stagger-gap"}, func(v *victim) bool {
		gap := time.Duration(v.Policy.StaggerGap.Sites)
		a, b := v.pair(func(a, b *plan.Turn) bool {
			return gap > 0 && a.Site != b.Site && v.ix.Sites[a.Site].Region == v.ix.Sites[b.Site].Region && v.felt(a) && v.felt(b) && a.Start.Before(b.Start)
		})
		if a == nil {
			return false
		}
		v.shift(b, a.WorstEnd().Add(gap-time.Second).Sub(b.Start))
		return true
	}},
	{"double a turn", 5, []string{"two-turns"}, always(func(v *victim) { v.Turns = append(v.Turns, v.Turns[v.IntN(len(v.Turns))]) })},
	{"a second turn of another name", 10, []string{"turn-id"}, always(func(v *victim) {
		t := v.Turns[v.IntN(len(v.Turns))]
		t.ID += "-again"
		v.Turns = append(v.Turns, t)
	})},
	{"double a move", 5, []string{"two-moves"}, onMove(away, func(v *victim, m *plan.Move) { v.Moves = append(v.Moves, *m) })},
	{"a move from where it is not", 5, []string{"from-elsewhere"}, onMove(away, func(v *victim, m *plan.Move) { m.From, m.To = m.To, m.From })},
	{"stop somebody else", 5, []string{"stops-elsewhere"}, func(v *victim) bool {
		s := v.slot(outage)
		if s == nil {
			return false
		}
		in := pick(v, v.f.Instances, func(i *fleet.Instance) bool {
			return i.Host != s.Turn && !slices.ContainsFunc(v.Moves, func(m plan.Move) bool { return m.Instance == i.ID })
		})
		if in == nil {
			return false
		}
		s.Instance, s.ID, s.Tenant = in.ID, s.Turn+"/"+in.ID, in.Tenant
		return true
	}},
}
