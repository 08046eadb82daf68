package explain

import (
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// scene is a plan with what is asked of it again and again. Waves never overlap, so the fleet at the start of
// a wave is as all earlier waves have left it.
type scene struct {
	p       *plan.Plan
	policy  plan.Policy
	ix      *fleet.Index
	cohorts *advisory.Cohorts // nil in a routine cycle
	// calendar is made when it is asked for.
	calendar *plan.Calendar

	turns   map[string]*plan.Turn   // by id
	turnsOf map[string][]*plan.Turn // host -> its turns, the first first
	waves   []wave                  // by number less one
	movesOf map[string][]*plan.Move // instance -> by start
	onto    map[string][]*plan.Move // host -> moves that land there, by start
	slotsOf map[string][]*plan.Slot // turn -> promises
	moved   map[string]int          // turn -> instances that it moves away
	skipped map[string]*plan.Skipped

	offered, after map[string]*fleet.Host // by id, once asked for

	hosts  []*fleet.Host    // by id; what is kept for each of them is kept by its number here
	number map[string]int   // host -> its number
	homes  map[string]int   // pool -> hosts whose home it is
	near   map[string][]int // host -> the numbers of those that share a pool with it, once asked for
	ledger ledger
}

// wave is one wave of the plan.
type wave struct {
	start, worstEnd time.Time
	turns           []*plan.Turn
	moves           []*plan.Move // homeward ones included
	live            bool         // of live patches
	deferred        bool         // of reboots that follow live patches
}

func newScene(p *plan.Plan, ix *fleet.Index) *scene {
	s := &scene{p: p, policy: p.Policy, ix: ix, turns: make(map[string]*plan.Turn, len(p.Turns)), turnsOf: make(map[string][]*plan.Turn, len(p.Turns)),
		movesOf: make(map[string][]*plan.Move, len(p.Moves)), onto: map[string][]*plan.Move{}, slotsOf: make(map[string][]*plan.Slot, len(p.Turns)),
		skipped: map[string]*plan.Skipped{}, moved: make(map[string]int, len(p.Turns)), offered: map[string]*fleet.Host{}, after: map[string]*fleet.Host{}}
	if p.Target != nil {
		s.cohorts = advisory.NewCohorts(p.Fleet, p.Target)
	}
	s.count()
	for n := range p.Turns {
		s.addTurn(&p.Turns[n])
	}
	for n := range p.Moves {
		m := &p.Moves[n]
		s.movesOf[m.Instance] = append(s.movesOf[m.Instance], m)
		s.onto[m.To] = append(s.onto[m.To], m)
		if !m.Home {
			s.moved[m.Turn]++
		}
		if w := s.waveOf(m); w > 0 {
			s.waves[w-1].moves = append(s.waves[w-1].moves, m)
		}
	}
	for _, moves := range s.movesOf {
		slices.SortStableFunc(moves, func(a, b *plan.Move) int { return a.Start.Compare(b.Start) })
	}
	for n := range p.Slots {
		s.slotsOf[p.Slots[n].Turn] = append(s.slotsOf[p.Slots[n].Turn], &p.Slots[n])
	}
	for n := range p.Skipped {
		s.skipped[p.Skipped[n].Host] = &p.Skipped[n]
	}
	return s
}

// count gives hosts their numbers.
func (s *scene) count() {
	s.number, s.homes, s.near = make(map[string]int, len(s.ix.Hosts)), map[string]int{}, map[string][]int{}
	for _, h := range s.ix.Hosts {
		s.hosts = append(s.hosts, h)
	}
	slices.SortFunc(s.hosts, func(a, b *fleet.Host) int { return compare(a.ID, b.ID) })
	for n, h := range s.hosts {
		s.number[h.ID] = n
		s.homes[h.Pools[0]]++
	}
}

func (s *scene) addTurn(t *plan.Turn) {
	s.turns[t.ID] = t
	s.turnsOf[t.Host] = append(s.turnsOf[t.Host], t)
	slices.SortStableFunc(s.turnsOf[t.Host], func(a, b *plan.Turn) int { return a.Wave - b.Wave })
	for len(s.waves) < t.Wave {
		s.waves = append(s.waves, wave{})
	}
	w := &s.waves[t.Wave-1]
	if len(w.turns) == 0 || t.Start.Before(w.start) {
		w.start = t.Start
	}
	if t.WorstEnd().After(w.worstEnd) {
		w.worstEnd = t.WorstEnd()
	}
	w.turns = append(w.turns, t)
	w.live, w.deferred = t.Tactic == plan.LivePatch, t.Deferred
}

// waveOf is the number of the wave that a move belongs to; 0: none.
func (s *scene) waveOf(m *plan.Move) int {
	if t := s.turns[m.Turn]; t != nil {
		return t.Wave
	}
	return 0
}

// where an instance is when a wave begins.
func (s *scene) where(instance string, wave int) string {
	at := s.ix.Instances[instance].Host
	for _, m := range s.movesOf[instance] {
		if s.waveOf(m) >= wave {
			break
		}
		at = m.To
	}
	return at
}

// guests are those that take memory of a host when a wave begins, by id.
func (s *scene) guests(host string, wave int) (out []*fleet.Instance) {
	seen := map[string]bool{}
	consider := func(i *fleet.Instance) {
		if i != nil && i.TakesMemory() && !seen[i.ID] && s.where(i.ID, wave) == host {
			seen[i.ID] = true
			out = append(out, i)
		}
	}
	for _, i := range s.ix.On[host] {
		consider(i)
	}
	for _, m := range s.onto[host] {
		if s.waveOf(m) < wave {
			consider(s.ix.Instances[m.Instance])
		}
	}
	slices.SortFunc(out, func(a, b *fleet.Instance) int { return compare(a.ID, b.ID) })
	return out
}

// How good a host is to land on in a wave.
const (
	onTheOld = iota
	onPatched
	onTheFix
)

// level is how good a host is to land on in a wave, by the fix.
func (s *scene) level(host string, wave int) int {
	if s.skipped[host] != nil {
		return onTheFix
	}
	level := onTheOld
	turns := s.turnsOf[host]
	if len(turns) > 0 && turns[0].Deferred {
		level = onPatched // it had its live patch before the plan
	}
	for n, t := range turns {
		switch {
		case t.Tactic == plan.Refresh && !t.UpdateBy.After(s.startOf(wave)):
			return onTheFix // the new software is on its disk by then
		case t.Wave < wave && n == len(turns)-1 && !s.awaits(t):
			return onTheFix
		case t.Wave < wave:
			level = onPatched
		}
	}
	return level
}

// awaits: a live patch whose reboot is ahead, or blocked.
func (s *scene) awaits(t *plan.Turn) bool { return t.Tactic == plan.LivePatch && t.ID != t.Host }

func (s *scene) startOf(wave int) time.Time {
	if wave < 1 || wave > len(s.waves) {
		return s.p.End
	}
	return s.waves[wave-1].start
}

// inTurn is the turn of a host in a wave, nil when it has none; live patches take nobody away.
func (s *scene) inTurn(host string, wave int) *plan.Turn {
	for _, t := range s.turnsOf[host] {
		if t.Wave == wave {
			return t
		}
	}
	return nil
}

// ahead is a host's turn that disturbs those who land on it in a wave; nil: none does.
func (s *scene) ahead(host string, wave int) *plan.Turn {
	for _, t := range s.turnsOf[host] {
		if t.Wave > wave && t.Tactic != plan.LivePatch && (t.Tactic != plan.Refresh || s.level(host, wave) != onTheFix) {
			return t
		}
	}
	return nil
}

// ledger is, per host by its number, the memory used when a wave begins, what lands in that wave, and who is
// in a turn then.
type ledger struct {
	wave       int // 0: not opened yet
	used, land []int64
	turn       []*plan.Turn
}

// open turns the ledger to a wave.
func (s *scene) open(wave int) *ledger {
	l := &s.ledger
	if l.wave == wave {
		return l
	}
	if l.wave == 0 || l.wave > wave {
		l.wave, l.used = 1, make([]int64, len(s.hosts))
		for n, h := range s.hosts {
			l.used[n] = s.ix.UsedMiB(h.ID)
		}
	}
	for ; l.wave < wave; l.wave++ {
		for _, m := range s.waves[l.wave-1].moves {
			mib := s.ix.Instances[m.Instance].MemoryMiB
			l.used[s.number[m.From]] -= mib
			l.used[s.number[m.To]] += mib
		}
	}
	l.land, l.turn = make([]int64, len(s.hosts)), make([]*plan.Turn, len(s.hosts))
	for _, m := range s.waves[wave-1].moves {
		if !m.Home {
			l.land[s.number[m.To]] += s.ix.Instances[m.Instance].MemoryMiB
		}
	}
	for _, t := range s.waves[wave-1].turns {
		l.turn[s.number[t.Host]] = t
	}
	return l
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
