package audit

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// A refresh gives each instance another process, once, on a host that has the new software on its
// disk by then; a live patch touches nobody.

// prepared asks of each turn whether its host's software is changed ahead of it where the tactic asks
// for that: after the plan was made and any embargo, the canary first and soaked.
func (d *dossier) prepared() {
	var canary *plan.Turn
	for _, t := range d.ordered {
		if t.Canary {
			canary = t
			break
		}
	}
	for _, t := range d.ordered {
		s := ofTurn(t)
		if t.Tactic == plan.LivePatch {
			d.must(!d.disrupting(t), 1, "live-patch-disturbs", s, t.Start, "a live patch that touches no instance", "turn %s is a live patch, and moves or stops instances", t.ID)
		}
		if t.Tactic != plan.Refresh {
			d.must(t.UpdateFrom.IsZero() && t.UpdateBy.IsZero(), 10, "update-ahead", s, t.Start, "an update ahead of the turn for a refresh only", "turn %s is %s, and says that its host is updated ahead", t.ID, t.Tactic)
			continue
		}
		if t.UpdateFrom.IsZero() && t.UpdateBy.IsZero() {
			has := d.hasOnDisk(t.Host)
			d.must(has, 10, "no-update-times", s, t.Start, "update_from and update_by, or a fleet in which the new software is on its disk", "turn %s refreshes, and nothing brings the new software to its host's disk", t.ID)
			continue
		}
		d.must(!t.UpdateFrom.Before(d.p.Made) && !t.UpdateBy.Before(t.UpdateFrom) && !t.Start.Before(t.UpdateBy), 10, "update-times", s, t.Start, "made <= update_from <= update_by <= start",
			"turn %s starts %s, its host is updated %s to %s, the plan was made %s", t.ID, clock(t.Start), clock(t.UpdateFrom), clock(t.UpdateBy), clock(d.p.Made))
		if tg := d.p.Target; forbids(tg) {
			d.must(!t.UpdateFrom.Before(tg.Disclosure), 9, "under-embargo", s, t.UpdateFrom, "an update no earlier than the disclosure, "+clock(tg.Disclosure),
				"the host of turn %s is updated %s, the fix may not be deployed before %s", t.ID, clock(t.UpdateFrom), clock(tg.Disclosure))
		}
		if d.p.Policy.Canary && canary != nil && canary != t {
			over := canary.UpdateFrom // the record will show when it really was proven
			if canary.Tactic != plan.Refresh {
				over = canary.End
			}
			soaked := over.Add(time.Duration(d.p.Policy.Soak))
			d.must(!t.UpdateFrom.Before(soaked), 6, "canary-not-soaked", s, t.UpdateFrom, "an update no earlier than "+clock(soaked),
				"the host of turn %s is updated from %s on, the canary %s soaks until %s at least", t.ID, clock(t.UpdateFrom), canary.ID, clock(soaked))
		}
	}
}

// safe: an instance that lands on the host now begins on the fix.
func (s *scene) safe(host string) bool {
	t := s.turnOf[host]
	if t == nil || t.Tactic != plan.Refresh {
		return s.fixed[host]
	}
	return s.fixed[host] || !t.UpdateBy.IsZero() && !t.UpdateBy.After(s.now) || t.UpdateBy.IsZero() && s.hasOnDisk(host)
}

// hasOnDisk: by the plan's own fleet, each package that the host's cohort wants is installed.
func (d *dossier) hasOnDisk(host string) bool {
	h := d.hosts[host]
	if h == nil {
		return false
	}
	c := d.cohort(h)
	return c != nil && onDisk(c, h, &View{Installed: h.Software.Installed})
}

// once asks of a move of a refresh, as it starts, whether it is the instance's only one, and ends on
// the fix.
func (s *scene) once(m *plan.Move) {
	t := s.turns[m.Turn]
	if t == nil || t.Tactic != plan.Refresh || m.Home {
		return
	}
	s.must(s.safe(m.To), 6, "onto-old-process", ofMove(m), m.Start, "a destination with the new software on its disk by then",
		"%s is refreshed by a move to host %s, which does not have the new software by then", m.Instance, m.To)
	s.must(!s.fresh[m.Instance], 5, "refreshed-twice", ofMove(m), m.Start, "one move of each instance", "%s runs on the fix since its last move, and is moved again in turn %s", m.Instance, m.Turn)
}

// refreshes asks, as a refresh starts, whether each instance on its host that is known to run on what
// is not fixed is moved, promised a stop, or blocked by name (law 7).
func (s *scene) refreshes(t *plan.Turn) {
	if t.Tactic != plan.Refresh {
		return
	}
	known := map[string]bool{}
	for _, m := range s.movesOf[t.ID] {
		known[m.Instance] = known[m.Instance] || !m.Home
	}
	for _, sl := range s.slotsOf[t.ID] {
		known[sl.Instance] = known[sl.Instance] || plan.ClassOf(sl.Disposition) == plan.ClassOutage
	}
	for _, b := range s.p.Blocked {
		known[b.Instance] = true
	}
	for id := range s.residents[t.Host] {
		in := s.instances[id]
		if s.fresh[id] || in == nil || !occupies(in) || !s.needsAnother(in, s.hosts[t.Host]) {
			continue
		}
		s.must(known[id], 7, "not-refreshed", Subject{Turn: t.ID, Host: t.Host, Instance: id}, t.Start, "a move or a promised stop in this turn, or the instance under blocked",
			"%s runs on %s by its own monitor, or for all that is known, when the turn of its host %s refreshes, and nothing is planned for it", id, versionsOf(s.running(in, t.Host)), t.Host)
	}
}

// needsAnother: an instance that a refreshed host holds is known to run on what is older than wanted: by its
// own monitor, and where that told nothing by what is on the disk of the host, from which it was started.
func (s *scene) needsAnother(in *fleet.Instance, h *fleet.Host) bool {
	c := s.cohort(h)
	if c == nil || olderThan(c, h, in.Running) {
		return c != nil
	}
	for pkg := range c.Packages {
		if in.Running[pkg] != "" {
			return false
		}
	}
	return in.Host == h.ID && olderThan(c, h, h.Software.Installed)
}

// olderThan: what an instance runs on is known to be older than the host's cohort wants it. It accuses
// a plan or a turn of having left the instance there, which a version that cannot be compared does not.
func olderThan(c *plan.Cohort, h *fleet.Host, runs map[string]string) bool {
	if c == nil {
		return false
	}
	for pkg, want := range c.Packages {
		if have := runs[pkg]; have != "" && familyFor(c, h).older(have, want) {
			return true
		}
	}
	return false
}

// proves: what an instance runs on is known, for at least one package, and as new as wanted for each
// that is. One that cannot be compared may be older: then nothing is proven.
func proves(c *plan.Cohort, h *fleet.Host, runs map[string]string) bool {
	if c == nil {
		return false
	}
	told := 0
	for pkg, want := range c.Packages {
		switch have := runs[pkg]; {
		case have == "":
		case !familyFor(c, h).reaches(have, want):
			return false
		default:
			told++
		}
	}
	return told > 0
}

func versionsOf(runs map[string]string) string {
	out := ""
	for pkg, v := range runs {
		if out == "" || pkg+" "+v < out {
			out = pkg + " " + v
		}
	}
	return out
}
