package audit

import (
	"sort"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// A turn that says for_deadline gives a reason for stops: those who stay could move, and with all hosts emptied some
// would have their turn too late. Whether that is true cannot be proved; that it is not, can.

// rushed asks law 10 of each turn that says so: there is a deadline, and somebody is stopped who could move.
func (d *dossier) rushed() {
	due := d.dueBy()
	for _, t := range d.ordered {
		if !t.ForDeadline || d.hosts[t.Host] == nil {
			continue
		}
		d.must(!due.IsZero(), 10, "no-deadline", ofTurn(t), t.Start, "a finish_by or a disclosure that binds the turn, or a turn that does not say for_deadline",
			"turn %s stops instances for a deadline, and there is none", t.ID)
		d.must(d.stopsMovable(t), 10, "nobody-rushed", ofTurn(t), t.Start, "a turn that stops somebody who could move and whom policy and cohort let move, or one that does not say for_deadline",
			"turn %s stops instances for a deadline, and none that it stops could move", t.ID)
	}
}

// dueBy is the first instant by which turns that bring the fix have to be over; zero: there is none.
func (d *dossier) dueBy() time.Time {
	by, tg := deadline(d.p), d.p.Target
	if tg != nil && tg.Disclosure.After(d.p.Made) && !forbids(tg) && !d.p.Policy.AfterDisclosure && (by.IsZero() || tg.Disclosure.Before(by)) {
		by = tg.Disclosure
	}
	return by
}

// stopsMovable: the turn stops an instance that could move, as far as itself, its host, policy and cohort go.
func (d *dossier) stopsMovable(t *plan.Turn) bool {
	if t.Tactic == plan.Refresh || !can(d.hosts[t.Host], fleet.CanLiveMigrate) || !d.allowsTo(t, plan.DispLiveMigrate) {
		return false
	}
	for _, s := range d.slotsOf[t.ID] {
		if in := d.instances[s.Instance]; in != nil && plan.ClassOf(s.Disposition) == plan.ClassOutage && movable(in) {
			return true
		}
	}
	return false
}

// movable: nothing about the instance itself keeps it where it is.
func movable(in *fleet.Instance) bool {
	code, _ := bound(in, nil, nil)
	return code == "" && occupies(in)
}

// unhurried asks, once all turns are over, of each that was for a deadline, whether the deadline forced it (law 10).
// It did not, where no host is too late, its host could be emptied even now, and there is a slot left for each such
// turn before the deadline.
func (s *scene) unhurried() {
	due, n := s.dueBy(), 0
	for _, b := range s.p.Blocked {
		if b.Code == "after-finish-by" || b.Code == "after-disclosure" {
			return
		}
	}
	from := s.p.Made.Add(max(s.p.Policy.Lead.Of(plan.ClassBlip), s.p.Policy.Lead.Of(plan.ClassOutage)))
	for _, t := range s.ordered {
		if t.ForDeadline {
			n++
		}
		from = latest(from, worst(t).Add(time.Duration(s.p.Policy.MinStay)))
	}
	if n == 0 || due.IsZero() {
		return
	}
	known := map[string]*say{}
	for _, t := range s.ordered {
		if t.ForDeadline && s.hosts[t.Host] != nil {
			forced := s.slotsLeft(known, t, from, due, n) < n || !s.canEmpty(t.Host)
			s.must(forced, 10, "no-rush", ofTurn(t), t.Start, "a turn that empties its host, or a nearer deadline",
				"turn %s stops instances for the deadline %s; all turns are over %s, and after that host %s could be emptied in one of at least %d slots before it", t.ID, clock(due), clock(s.p.End), t.Host, n)
		}
	}
}

// slotsLeft counts slots as long as policy's, and no more than most, in which a turn of the same host that touches the
// same tenants could lie between two instants.
func (d *dossier) slotsLeft(known map[string]*say, t *plan.Turn, from, to time.Time, most int) (n int) {
	long := time.Duration(d.p.Policy.Slot)
	open, err := openings(d.p.Policy.Windows, d.where(t.Host), from, to)
	if err != nil || long <= 0 {
		return 0 // windows says so
	}
	says := d.saysOf(known, t, from, to)
	for _, slot := range d.slotsOf[t.ID] {
		if tn := d.tenants[slot.Tenant]; tn != nil {
			says = append(says, d.sayOf(known, "tenant "+tn.ID, tn.Timezone, tn.Windows, tn.Freezes, from, to), &say{frozen: d.frozenFor(t.Host, tn.ID)})
		}
	}
	if open.always {
		open.spans = []span{{from, to}}
	}
	for _, w := range open.spans {
		end := w.end
		if to.Before(end) {
			end = to
		}
		for at := latest(w.start, from); n < most && !at.Add(long).After(end); at = at.Add(long) {
			if allow(says, at, at.Add(long)) {
				n++
			}
		}
	}
	return n
}

func allow(says []*say, start, end time.Time) bool {
	for _, s := range says {
		if s.ruled && !s.open.holds(start, end) || !unfrozen(s.frozen, start, end) {
			return false
		}
	}
	return true
}

// canEmpty: each instance that runs on a host and is not bound to it finds a place, and the pools of the host and of
// these places keep their reserves. It is tried out one after the other, and taken back.
func (s *scene) canEmpty(host string) bool {
	h, pools := s.hosts[host], map[string]bool{s.home(host): true}
	if s.counts(host) {
		mib := h.MemoryMiB - s.used[host]
		s.free[s.home(host)] -= mib
		defer func() { s.free[s.home(host)] += mib }()
	}
	for _, id := range s.guestsOf(host) {
		in := s.instances[id]
		if !movable(in) {
			continue
		}
		to := s.taker(in, host)
		if to == "" {
			return false
		}
		s.at[id], pools[s.home(to)] = to, true
		s.hold(to, in.MemoryMiB)
		defer func() { s.at[id] = host; s.hold(to, -in.MemoryMiB) }()
	}
	for pool := range pools {
		if s.p.Policy.KeepReserve && s.free[pool] < s.reserve(pool) {
			return false
		}
	}
	return true
}

// guestsOf are the instances on a host, the largest first.
func (s *scene) guestsOf(host string) (ids []string) {
	for id := range s.residents[host] {
		ids = append(ids, id)
	}
	sort.Slice(ids, func(i, j int) bool {
		a, b := s.instances[ids[i]], s.instances[ids[j]]
		return a.MemoryMiB > b.MemoryMiB || a.MemoryMiB == b.MemoryMiB && a.ID < b.ID
	})
	return ids
}

// taker is the first host that can take an instance from another; "": there is none.
func (s *scene) taker(in *fleet.Instance, host string) string {
	for i := range s.f.Hosts {
		h := s.hosts[s.f.Hosts[i].ID]
		if h.ID == host || !healthy(h.Health) || s.used[h.ID]+in.MemoryMiB > h.MemoryMiB {
			continue
		}
		by, runs, lands := s.familyBetween(s.hosts[host], h), s.running(in, host), s.lands(h.ID, true)
		if code, _ := unfit(by, in, s.hosts[host], h, runs, lands); code != "" || doubtful(by, runs, lands) {
			continue
		}
		if g, _ := s.together(in, host, h.ID); g == "" {
			return h.ID
		}
	}
	return ""
}
