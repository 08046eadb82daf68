package audit

import "time"

// staggered asks law 3: no place that policy sets apart from this one is being disrupted, or was until too short a
// while ago. A place is, while a turn there is open that touches instances and is not held, or an instance of its is
// disturbed; and it was until that turn ended.
func (t *trial) staggered(r *run, f *Fact, tr *turnRun, s Subject) {
	pol := &r.plan.Policy
	if !staggers(pol) {
		return
	}
	at, other := r.spotOf(pol, tr.host), ""
	for o := range t.open {
		if _, apart := keptApart(pol, at, r.spotOf(pol, o.host)); o != tr && apart && (o.touches && !o.held || len(o.busy) > 0) && o.host > other {
			other = o.host
		}
	}
	t.must(other == "", 3, "stagger", s, f.At, "an end of the turn of "+other+" first, or a policy without the stagger",
		"%s of %s begins at site %s while host %s is in a turn at a place that policy sets apart", f.Kind, f.Instance, at.site, other)
	var due time.Time
	for there, ended := range r.disrupted {
		if gap, apart := keptApart(pol, at, there); apart && gap > 0 && ended.Add(gap).After(due) {
			due = ended.Add(gap)
		}
	}
	t.must(!f.At.Before(due), 3, "stagger-gap", s, f.At, "an act no earlier than "+clock(due)+", or a policy with a shorter stagger_gap",
		"%s of %s begins at site %s too soon after a turn ended at a place that policy sets apart", f.Kind, f.Instance, at.site)
}

// disruptedUntil notes that a turn which touched instances is over.
func (r *run) disruptedUntil(tr *turnRun, at time.Time) {
	pol := &r.plan.Policy
	if !tr.acted || !staggers(pol) {
		return
	}
	if r.disrupted == nil {
		r.disrupted = map[spot]time.Time{}
	}
	if here := r.spotOf(pol, tr.host); at.After(r.disrupted[here]) {
		r.disrupted[here] = at
	}
}
