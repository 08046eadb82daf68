package audit

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// roomAt asks law 6 of a move that is placed: by a look at most 60 s old the destination is up and
// has the memory, it is in no turn, it can take the instance, and the pool keeps its reserve.
func (t *trial) roomAt(r *run, f *Fact, tr *turnRun, g *guest, s Subject) {
	m := t.machine(f.To)
	v := m.view
	t.must(v != nil && f.At.Sub(v.At) <= freshLook, 6, "stale-look", s, f.At, "a look at the destination within 60 s before", "%s is placed on host %s, last seen %s", g.id, f.To, seenAgo(f, v))
	t.must(m.turn == nil || f.Home && m.turn == tr, 6, "into-a-turn", s, f.At, "a destination that is in no turn", "%s is placed on host %s, which is in its turn", g.id, f.To)
	if v == nil {
		return
	}
	t.must(!m.lost && healthy(fleet.Health(v.Health)), 6, "unhealthy", s, f.At, "a destination that answers and is up", "%s is placed on host %s, which is %s (answers: %v)", g.id, f.To, v.Health, !m.lost)
	free := v.FreeMiB - t.arriving(m, g)
	t.must(free >= g.memory, 6, "no-room", s, f.At, "a destination with that much free", "%s needs %d MiB, host %s has %d free after what is on its way to it", g.id, g.memory, f.To, free)
	t.takes(r, f, g, s)
	t.reserveAt(r, f, g, s)
	better := t.fixedInstead(r, f, tr, g)
	t.must(better == "", 6, "unfixed-destination", s, f.At, "host "+better+", which is fixed", "%s is placed on host %s, which is not fixed, while the fixed host %s has room and can take it", g.id, f.To, better)
}

// fixedInstead names a fixed host that could have taken a move that is placed on an unfixed one; ""
// when there is none, or when an earlier attempt went to the same host, which then binds the next. A
// fixed host that an earlier attempt did not reach need not be tried again.
// It asks only where the answer is sure: hosts of the same home pool, seen within 60 s.
func (t *trial) fixedInstead(r *run, f *Fact, tr *turnRun, g *guest) string {
	if f.Home || r.isFixed(f.To) || g.in == nil || r.hosts[f.From] == nil {
		return ""
	}
	tried := map[string]bool{}
	for _, p := range tr.placed[g.id] {
		tried[p.to] = true
	}
	if tried[f.To] {
		return ""
	}
	for _, h := range r.homeHosts[r.home(f.To)] {
		m := t.machine(h.ID)
		if r.level(h.ID) <= r.asGoodAs(f.To) || !r.takesFor(h.ID, f, g.in, tr) || tried[h.ID] || h.ID == f.From || h.Spare || m.turn != nil || m.lost || m.view == nil || f.At.Sub(m.view.At) > freshLook || !healthy(fleet.Health(m.view.Health)) {
			continue
		}
		if m.view.FreeMiB-t.arriving(m, g)-t.mayArrive(r, m) < g.memory || t.landingNow(m) >= max(1, r.plan.Policy.MovesPerHost) || t.shares(r, g, h.ID) {
			continue
		}
		from, runs := r.hosts[f.From], onto(t.serves(r.hosts[f.From]), g.runs)
		by := r.familyBetween(from, h)
		if code, _ := unfit(by, g.in, t.asSeen(from), h, runs, t.serves(h)); code == "" && !doubtful(by, runs, t.serves(h)) {
			return h.ID
		}
	}
	return ""
}

// mayArrive is the memory of instances that a look did not show on a host, and whose move to it is in doubt for want of
// an answer from its other end: room that a careful controller leaves to them.
func (t *trial) mayArrive(r *run, m *machine) (mib int64) {
	for _, tr := range r.turns {
		for id := range tr.doubts {
			if g := t.guest(id); g.doubt != nil && g.doubt.to == m.id && g.doubt.ends[g.doubt.from] == "" && !contains(g.holds, m.id) {
				mib += g.memory
			}
		}
	}
	return mib
}

// isFixed: the host's turn is done, or it needs none (any more). Where a live patch and a reboot are planned
// it is the reboot that counts.
func (r *run) isFixed(host string) bool {
	tr := r.turns[host]
	if tr == nil {
		return r.skipped[host]
	}
	return tr.done || tr.ready || tr.past
}

// isPatched: the host has the fix by a live patch of this campaign.
func (r *run) isPatched(host string) bool {
	tr := r.turns[plan.PatchTurn(host)]
	return tr != nil && (tr.done || tr.past)
}

// How good a host is to land on, by the fix.
const (
	onTheOld  = iota
	onPatched // on the fix, and moved once more when the host is rebooted
	onTheFix
)

func (r *run) level(host string) int {
	switch {
	case r.isFixed(host):
		return onTheFix
	case r.isPatched(host):
		return onPatched
	}
	return onTheOld
}

// asGoodAs is the level of a destination: one that had its live patch before the plan is as good as one that
// got it.
func (r *run) asGoodAs(host string) int {
	if tr := r.turns[host]; tr != nil && tr.plan != nil && tr.plan.Deferred && r.turns[plan.PatchTurn(host)] == nil {
		return max(onPatched, r.level(host))
	}
	return r.level(host)
}

// takesFor: whoever lands on a host that was patched, and is to be rebooted in a later wave, has its least
// stay there, however long the move takes, and was told of that reboot.
func (r *run) takesFor(host string, f *Fact, in *fleet.Instance, from *turnRun) bool {
	tr := r.turns[host]
	if r.isFixed(host) || tr == nil || tr.plan == nil {
		return true
	}
	if in.Tenant != "" && r.slots[[2]string{tr.id, in.ID}] == nil || from.plan == nil || tr.plan.Wave <= from.plan.Wave {
		return false
	}
	end := latest(f.Deadline, f.At.Add(time.Duration(r.plan.Policy.Times.MigrateMax)))
	return !tr.plan.Start.Before(end.Add(time.Duration(r.plan.Policy.MinStay)))
}

// landingNow counts the migrations in flight to a host.
func (t *trial) landingNow(m *machine) (n int) {
	for id := range m.on {
		if a := t.guest(id).act; a != nil && a.to == m.id {
			n++
		}
	}
	return n
}

// shares: another member of a spread group of the instance holds the host's domain.
func (t *trial) shares(r *run, g *guest, host string) bool {
	for _, gr := range r.groupsOf[g.id] {
		domain := r.domain(gr.spread, host)
		for _, id := range gr.members {
			for _, h := range t.guest(id).stands() {
				if id != g.id && domain != "" && r.domain(gr.spread, h) == domain {
					return true
				}
			}
		}
	}
	return false
}

// serves is what an instance that lands on a host runs on, by the last look.
func (t *trial) serves(h *fleet.Host) map[string]string {
	if v := t.machine(h.ID).view; v != nil {
		return landing(h.Hypervisor, fleet.Software{Installed: v.Installed, Booted: v.Booted, Running: v.Running})
	}
	return landing(h.Hypervisor, h.Software)
}

// asSeen is a host with what its hypervisor can do by the last look: a newer one may have lost something.
func (t *trial) asSeen(h *fleet.Host) *fleet.Host {
	v := t.machine(h.ID).view
	if v == nil || v.VirtCaps == nil && (h.BootID == "" || v.BootID == "" || h.BootID == v.BootID) {
		return h
	}
	seen := *h
	seen.VirtCaps = v.VirtCaps // those of another boot tell nothing
	return &seen
}

func (r *run) familyBetween(from, to *fleet.Host) family {
	return familyBetween(r.cohortOf(to.ID), to, r.cohortOf(from.ID), from)
}

func seenAgo(f *Fact, v *View) string {
	if v == nil {
		return "never"
	}
	return f.At.Sub(v.At).String() + " ago"
}

// arriving is the memory of what the facts put on a host and its last look does not show yet.
func (t *trial) arriving(m *machine, but *guest) (mib int64) {
	shown := map[string]bool{}
	for _, i := range m.view.Instances {
		shown[i.ID] = i.State != string(fleet.Stopped) // one that lies there stopped may have been started since
	}
	for id := range m.on {
		g := t.guest(id)
		coming := g.act != nil && g.act.to == m.id || g.doubt != nil && g.doubt.to == m.id || g.host == m.id && g.landed.After(m.view.At)
		if coming && !shown[id] && g != but {
			mib += g.memory
		}
	}
	return mib
}

// takes: nothing that is known of the instance and the two hosts forbids the move; software as it
// was seen last.
func (t *trial) takes(r *run, f *Fact, g *guest, s Subject) {
	from, to := r.hosts[f.From], r.hosts[f.To]
	if from == nil || to == nil || g.in == nil {
		return
	}
	code, why := unfit(r.familyBetween(from, to), g.in, t.asSeen(from), to, onto(t.serves(from), g.runs), t.serves(to))
	t.must(code == "", 6, "cannot-take", s, f.At, "a destination that can take the instance ("+code+")", "%s", why)
	for _, gr := range r.groupsOf[g.id] {
		domain := r.domain(gr.spread, f.To)
		if gr.spread == fleet.SpreadNone || domain == "" || domain == r.domain(gr.spread, f.From) {
			continue
		}
		there, here := "", false
		for _, id := range gr.members {
			if id == g.id {
				continue
			}
			for _, h := range t.guest(id).stands() {
				if r.domain(gr.spread, h) == domain {
					there = id
				}
				here = here || r.domain(gr.spread, h) == r.domain(gr.spread, f.From)
			}
		}
		s.Group = gr.id
		t.must(there == "" || here, 6, "spread", s, f.At, "a destination that no other member of the group shares", "%s is placed on host %s, where it shares what group %s spreads over with %s", g.id, f.To, gr.id, there)
	}
}

// reserveAt: with the instance on its destination, the pool's hosts that are up and in no turn keep
// its reserve free. A move home eats nothing of it: its host is not counted yet.
func (t *trial) reserveAt(r *run, f *Fact, g *guest, s Subject) {
	if !r.plan.Policy.KeepReserve || f.Home {
		return
	}
	pool := r.home(f.To)
	var free int64
	for _, h := range r.homeHosts[pool] {
		m := t.machine(h.ID)
		if m.turn != nil && m.turn.tactic() != plan.LivePatch || t.down(r, h.ID) || m.view != nil && !healthy(fleet.Health(m.view.Health)) || m.view == nil && !healthy(h.Health) {
			continue
		}
		free += h.MemoryMiB - m.used
		for id := range m.on { // whom the last look there did not show takes no memory, whether it is believed gone or not
			if o := t.guest(id); o.host == h.ID && o.missed[h.ID] > 0 {
				free += o.memory
			}
		}
	}
	if !contains(g.holds, f.To) {
		free -= g.memory
	}
	s.Pool = pool
	t.must(free >= r.reserve(pool), 6, "reserve", s, f.At, "fewer hosts away at once, or a smaller reserve_mib of the pool", "pool %s would keep %d MiB free on hosts in no turn, its reserve is %d", pool, free, r.reserve(pool))
}
