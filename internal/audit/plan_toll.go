package audit

import (
	"sort"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// toll asks whether what a plan says that it comes to for people is what its lists come to (law 10). A plan
// that says nothing of it is not asked.
func (d *dossier) toll() {
	if d.p.Summary == nil || d.p.Summary.Toll == (plan.Toll{}) {
		return
	}
	said, real := d.p.Summary.Toll, d.recount()
	for _, n := range []struct {
		name       string
		said, real int64
	}{
		{"left", int64(said.Left), int64(real.Left)}, {"late_s", said.LateS, real.LateS},
		{"tenants_stopped", int64(said.TenantsStopped), int64(real.TenantsStopped)}, {"stops", int64(said.Stops), int64(real.Stops)},
		{"tenants", int64(said.Tenants), int64(real.Tenants)}, {"most_each", int64(said.MostEach), int64(real.MostEach)},
		{"again", int64(said.Again), int64(real.Again)}, {"whole_groups", int64(said.WholeGroups), int64(real.WholeGroups)},
		{"exposure_s", said.ExposureS, real.ExposureS}, {"moves", int64(said.Moves), int64(real.Moves)}, {"end_s", said.EndS, real.EndS},
	} {
		d.must(n.said == n.real, 10, "toll", Subject{}, time.Time{}, "a toll that agrees with the plan's lists",
			"the plan says that its %s is %d, its lists come to %d", n.name, n.said, n.real)
	}
}

// recount reckons a plan's toll anew.
func (d *dossier) recount() plan.Toll {
	p, s := d.p, plan.Toll{Left: len(d.p.Blocked), Moves: len(d.p.Moves)}
	var last, lastFix time.Time
	for _, t := range d.ordered {
		last = latest(last, worst(t))
		if !t.Deferred {
			lastFix = latest(lastFix, worst(t))
		}
	}
	if len(d.ordered) > 0 {
		s.EndS = past(last, p.Made)
		finish := p.Policy.FinishBy
		if p.Target != nil && !p.Target.FinishBy.IsZero() {
			finish = p.Target.FinishBy
		}
		if !finish.IsZero() {
			s.LateS = past(last, finish)
		}
		if t := p.Target; t != nil && t.Disclosure.After(p.Made) && (t.EmbargoDeploy == "yes" || t.EmbargoDeploy == "") {
			s.LateS = max(s.LateS, past(lastFix, t.Disclosure))
		}
	}
	times := d.interrupted(&s)
	for _, n := range times {
		s.Again += n - 1
		if n > s.MostEach {
			s.MostEach = n
		}
	}
	s.WholeGroups = d.wholeGroups()
	if p.Target != nil {
		for i := range d.f.Instances {
			if in := &d.f.Instances[i]; in.State != fleet.Stopped {
				s.ExposureS += past(d.safeFrom(in, last), p.Made)
			}
		}
	}
	return s
}

// interrupted counts tenants and stops, and how often each instance is interrupted.
func (d *dossier) interrupted(s *plan.Toll) map[string]int {
	times, felt, halted := map[string]int{}, map[string]bool{}, map[string]bool{}
	for i := range d.p.Slots {
		slot := &d.p.Slots[i]
		if !disrupts(slot.Class) {
			continue
		}
		times[slot.Instance]++
		felt[slot.Tenant] = true
		if slot.Class == plan.ClassOutage {
			halted[slot.Tenant] = true
			s.Stops++
		}
	}
	for i := range d.p.Moves {
		if d.p.Moves[i].Home {
			times[d.p.Moves[i].Instance]++
		}
	}
	for _, of := range []map[string]bool{felt, halted} {
		delete(of, "") // the instances of nobody
	}
	s.Tenants, s.TenantsStopped = len(felt), len(halted)
	return times
}

// wholeGroups counts the groups that do not ask for it of which the slots of one interval hold each member.
func (d *dossier) wholeGroups() (n int) {
	in := map[span]map[string]bool{} // instances by the interval that they were promised
	for i := range d.p.Slots {
		if s := &d.p.Slots[i]; disrupts(s.Class) {
			at := span{s.Start.UTC(), s.End.UTC()}
			if in[at] == nil {
				in[at] = map[string]bool{}
			}
			in[at][s.Instance] = true
		}
	}
	for _, g := range d.groups {
		if g.together || len(g.members) < 2 {
			continue
		}
		for _, s := range d.promisedTo(g.members[0]) {
			all := true
			for _, m := range g.members {
				all = all && in[s][m]
			}
			if all {
				n++
				break
			}
		}
	}
	return n
}

// promisedTo are the intervals promised to an instance.
func (d *dossier) promisedTo(instance string) (out []span) {
	if d.promised == nil {
		d.promised = map[string][]span{}
		for i := range d.p.Slots {
			s := &d.p.Slots[i]
			d.promised[s.Instance] = append(d.promised[s.Instance], span{s.Start.UTC(), s.End.UTC()})
		}
	}
	return d.promised[instance]
}

// safeFrom is from when on an instance runs on the fix; the end of the plan where it never does. It walks through
// where the instance is, stretch by stretch.
func (d *dossier) safeFrom(in *fleet.Instance, end time.Time) time.Time {
	d.noteFixes()
	host, since := in.Host, time.Time{}
	moves := d.movesOfInstance[in.ID]
	for i := 0; ; i++ {
		at, ok := since, true
		if d.unfixed[host] {
			at, ok = d.fixedAt[host], !d.fixedAt[host].IsZero()
			at = latest(at, since)
		}
		if i == len(moves) {
			if !ok {
				return end
			}
			return at
		}
		if ok && !at.After(moves[i].Start) {
			return at
		}
		host, since = moves[i].To, moves[i].End
	}
}

// noteFixes gathers, once, which hosts need a fix, when each has it, and the way of each instance.
func (d *dossier) noteFixes() {
	if d.unfixed != nil {
		return
	}
	d.unfixed, d.fixedAt, d.movesOfInstance = map[string]bool{}, map[string]time.Time{}, map[string][]*plan.Move{}
	for _, b := range d.p.Blocked {
		if b.Host != "" && b.Instance == "" {
			d.unfixed[b.Host] = true
		}
	}
	for _, t := range d.ordered {
		d.unfixed[t.Host] = true
		if at := d.fixedAt[t.Host]; at.IsZero() || t.End.Before(at) {
			d.fixedAt[t.Host] = t.End
		}
	}
	for i := range d.p.Moves {
		m := &d.p.Moves[i]
		d.movesOfInstance[m.Instance] = append(d.movesOfInstance[m.Instance], m)
	}
	for _, of := range d.movesOfInstance {
		sort.SliceStable(of, func(i, j int) bool { return of[i].Start.Before(of[j].Start) })
	}
}

// past is by how many whole seconds an instant lies after another; 0 where it does not.
func past(at, limit time.Time) int64 {
	if !at.After(limit) {
		return 0
	}
	return int64(at.Sub(limit) / time.Second)
}
