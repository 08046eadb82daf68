package audit

import (
	"sort"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// scene is the fleet in the course of a plan that goes as forecast.
type scene struct {
	*dossier
	at           map[string]string                     // instance -> host it runs on (the source while it moves)
	going        map[string]*plan.Move                 // instance -> move in flight
	residents    map[string]map[string]bool            // host -> instances that occupy it or are on their way to it
	used         map[string]int64                      // host -> MiB of its residents
	inTurn       map[string]*plan.Turn                 // host -> turn under way
	fixed        map[string]bool                       // host -> turn over, or skipped
	patched      map[string]bool                       // host -> has its live patch, and its reboot is ahead
	free         map[string]int64                      // pool -> MiB free on its hosts that are up and in no turn
	emptying     map[string]int                        // pool -> turns under way that move instances
	turnOf       map[string]*plan.Turn                 // host -> its turn; of two, the reboot
	runs         map[string]map[string]string          // instance -> versions it took on where it landed
	flights      map[string]int                        // host -> migrations in flight, either way
	poolFlights  map[string]int                        // pool -> migrations in flight of its hosts' turns
	placeFlights map[limit]int                         // migrations in flight in racks and regions, where policy bounds them
	linkFlights  map[string]int                        // link -> migrations in flight over it
	peak         map[string][]level                    // host -> highest use from a moment on
	visits       map[string]map[string]map[string]bool // group -> domain -> members ever there
	trees        map[string]*roomTree                  // pool -> room on those of its hosts that are better than others
	seat         map[string]int                        // host -> its place among its pool's
	risen        map[string]bool                       // hosts that are in the trees
	now          time.Time                             // of the present event
	fresh        map[string]bool                       // instances that a move has put onto the fix
}

// event is something that the plan's clock brings about.
type event struct {
	at   time.Time
	rank int // at one instant: what ends comes before what starts
	turn *plan.Turn
	move *plan.Move
}

// The ranks of events at one instant.
const (
	moveEnds = iota
	turnEnds
	turnStarts
	moveStarts
)

// events lists the plan's own events in the order in which they happen.
func (d *dossier) events() []event {
	out := make([]event, 0, 2*(len(d.p.Turns)+len(d.p.Moves)))
	for _, t := range d.ordered {
		out = append(out, event{t.Start, turnStarts, t, nil}, event{t.End, turnEnds, t, nil})
	}
	for i := range d.p.Moves {
		m := &d.p.Moves[i]
		if d.instances[m.Instance] == nil || d.hosts[m.From] == nil || d.hosts[m.To] == nil || !m.Start.Before(m.End) {
			continue // form has said so
		}
		out = append(out, event{m.Start, moveStarts, nil, m}, event{m.End, moveEnds, nil, m})
	}
	sort.SliceStable(out, func(i, j int) bool {
		if !out[i].at.Equal(out[j].at) {
			return out[i].at.Before(out[j].at)
		}
		return out[i].rank < out[j].rank
	})
	return out
}

// replay plays the plan by its own clock and asks, event by event: where is everybody (laws 1, 5),
// and is there room (law 6)?
func (d *dossier) replay() {
	events := d.events()
	s := d.newScene(events)
	for _, e := range events {
		s.now = e.at
		switch e.rank {
		case moveEnds:
			s.land(e.move)
		case turnEnds:
			s.end(e.turn)
		case turnStarts:
			s.begin(e.turn)
			s.evacuated(e.turn)
			s.stopsHere(e.turn)
			s.refreshes(e.turn)
			s.keepsReserve(e.turn, nil, e.at)
		case moveStarts:
			s.leave(e.move)
		}
	}
	s.backHome()
	s.unhurried()
	s.asFound()
}

// backHome asks, once all is over, whether what was moved away is home again where policy says so and
// nothing forbids it (law 7).
func (s *scene) backHome() {
	if !returns(&s.p.Policy) {
		return
	}
	for id, in := range s.instances {
		at := s.at[id]
		if at == in.Host || s.hosts[at] == nil || s.hosts[in.Host] == nil {
			continue
		}
		own := s.hosts[in.Host]
		s.must(s.barred(in), 7, "not-home", Subject{Instance: id, Host: at}, s.p.End, "a move home, or a policy without bring_home",
			"%s ends on %s, it came from %s, where nothing forbids it to return, and policy brings instances home", id, at, own.ID)
	}
}

// barred: something forbids an instance to go home from where it is, or may forbid it: that it did not
// go is a finding only where nothing does.
func (s *scene) barred(in *fleet.Instance) bool {
	at, own := s.at[in.ID], s.hosts[in.Host]
	runs, lands := s.running(in, at), s.lands(own.ID, true)
	by := s.familyBetween(s.hosts[at], own)
	code, _ := unfit(by, in, s.hosts[at], own, runs, lands)
	shared, _ := s.together(in, at, own.ID)
	return code != "" || doubtful(by, runs, lands) || shared != "" || !healthy(own.Health) || s.used[own.ID]+in.MemoryMiB > own.MemoryMiB
}

func (d *dossier) newScene(events []event) *scene {
	s := &scene{
		dossier: d, at: map[string]string{}, going: map[string]*plan.Move{}, residents: map[string]map[string]bool{}, used: map[string]int64{},
		inTurn: map[string]*plan.Turn{}, fixed: map[string]bool{}, patched: map[string]bool{}, turnOf: map[string]*plan.Turn{}, runs: map[string]map[string]string{}, flights: map[string]int{}, poolFlights: map[string]int{}, placeFlights: map[limit]int{}, linkFlights: map[string]int{},
		fresh: map[string]bool{}, free: map[string]int64{}, emptying: map[string]int{},
	}
	for _, k := range d.p.Skipped {
		s.fixed[k.Host] = true
	}
	for _, t := range d.ordered { // where there are two, the one that disturbs
		if was := s.turnOf[t.Host]; was == nil || was.Tactic == plan.LivePatch && t.Tactic != plan.LivePatch {
			s.turnOf[t.Host] = t
		}
	}
	for h, t := range s.turnOf {
		s.patched[h] = t.Deferred && d.patchTurn(h) == nil // deferred says so where that is not true
	}
	for id, in := range d.instances {
		s.at[id] = in.Host
		if occupies(in) {
			s.settle(in.Host, id)
			s.used[in.Host] += in.MemoryMiB
		}
	}
	for id, h := range d.hosts {
		if s.counts(id) {
			s.free[d.home(id)] += h.MemoryMiB - s.used[id]
		}
	}
	s.foresee(events)
	s.plant()
	return s
}

func (s *scene) settle(host, instance string) {
	if s.residents[host] == nil {
		s.residents[host] = map[string]bool{}
	}
	s.residents[host][instance] = true
}

// leave starts a move: from now on both ends hold the instance's memory.
func (s *scene) leave(m *plan.Move) {
	other := s.going[m.Instance]
	s.must(other == nil, 5, "two-moves", ofMove(m), m.Start, "one move of an instance at a time", "%s starts a move to %s while another is under way", m.Instance, m.To)
	s.must(s.at[m.Instance] == m.From, 5, "from-elsewhere", ofMove(m), m.Start, "a move from where the instance is by then",
		"%s is to move from %s to %s, by then it is on %s", m.Instance, m.From, m.To, s.at[m.Instance])
	if other != nil {
		return
	}
	s.once(m)
	s.room(m)
	s.going[m.Instance] = m
	s.flies(m)
	if in := s.instances[m.Instance]; occupies(in) {
		s.settle(m.To, in.ID)
		s.hold(m.To, in.MemoryMiB)
	}
	s.regrow(m.To)
	s.keepsReserve(nil, m, m.Start)
}

// land ends a move.
func (s *scene) land(m *plan.Move) {
	if s.going[m.Instance] != m {
		return
	}
	delete(s.going, m.Instance)
	s.flights[m.From]--
	s.flights[m.To]--
	s.poolFlights[s.poolOf(m)]--
	s.landsAt(m)
	in := s.instances[m.Instance]
	was := s.at[m.Instance]
	s.runs[in.ID] = onto(s.running(in, m.From), s.lands(m.To, m.Home)) // what the new host does not tell is not forgotten
	s.at[in.ID] = m.To
	s.fresh[in.ID] = s.safe(m.To)
	if was != m.To {
		delete(s.residents[was], in.ID)
		if occupies(in) {
			s.hold(was, -in.MemoryMiB)
		}
	}
	s.regrow(was)
	s.regrow(m.To)
}

// evacuated asks, as a turn starts, whether each instance on its host is moved away in good time or
// has been promised a stop, when the turn reboots the host (law 1).
func (s *scene) evacuated(t *plan.Turn) {
	if !reboots(t.Tactic) {
		return
	}
	out := map[string]*plan.Move{}
	for _, m := range s.movesOf[t.ID] {
		if m.From == t.Host && !m.Home {
			out[m.Instance] = m
		}
	}
	reboot := t.End // the host is rebooted before the turn ends, and before anyone comes home
	for _, m := range s.movesOf[t.ID] {
		if m.Home && m.Start.Before(reboot) {
			reboot = m.Start
		}
	}
	for id := range s.residents[t.Host] {
		slot := s.slotOf[[2]string{t.ID, id}]
		subject := Subject{Turn: t.ID, Host: t.Host, Instance: id}
		if slot != nil && plan.ClassOf(slot.Disposition) == plan.ClassOutage {
			s.checked[0]++
			continue
		}
		m := out[id]
		s.must(m != nil, 1, "left-behind", subject, t.Start, "a move away in this turn, a promised stop, or the host under blocked",
			"%s is on %s when its turn starts, and is neither moved away nor promised a stop", id, t.Host)
		if m != nil {
			s.must(m.End.Before(reboot), 1, "late-out", subject, m.End, "a move that ends before the reboot",
				"%s is off %s at %s, the host is rebooted before %s", id, t.Host, clock(m.End), clock(reboot))
		}
	}
}

// lands is what an instance that lands on a host runs on: the host's own software, raised to the
// target once the host is fixed.
func (s *scene) lands(host string, fixed bool) map[string]string {
	h := s.hosts[host]
	out := landing(h.Hypervisor, h.Software)
	t := s.turnOf[host]
	if !fixed && !(s.safe(host) && t != nil && t.Tactic != plan.LivePatch) { // a live patch leaves the version what it is
		return out
	}
	if c := s.cohort(h); c != nil {
		for p, v := range c.Packages {
			if have, known := out[p]; known && familyFor(c, h).older(have, v) { // else it is what it was, for all that is known
				out[p] = v
			}
		}
	}
	return out
}

// running is what an instance runs on: what its own monitor told, or took on where it landed, over
// what its host runs.
func (s *scene) running(in *fleet.Instance, host string) map[string]string {
	h := s.hosts[host]
	if r := s.runs[in.ID]; r != nil {
		return r
	}
	return onto(landing(h.Hypervisor, h.Software), in.Running)
}

func (s *scene) familyBetween(from, to *fleet.Host) family {
	return familyBetween(s.cohort(to), to, s.cohort(from), from)
}
