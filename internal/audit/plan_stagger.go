package audit

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// spot is where a turn disrupts, as finely as a policy tells places apart.
type spot struct{ region, site, rack string }

// spotOf gives it by the fleet. A host whose rack is not known may stand in any: it is a rack of its own.
func (e *estate) spotOf(pol *plan.Policy, host string) spot {
	at := e.where(host)
	s := spot{region: at.region, site: at.site}
	if pol.StaggerRacks {
		s.rack = "host " + host
		if h := e.hosts[host]; h != nil && h.Rack != "" {
			s.rack = "rack " + h.Rack
		}
	}
	return s
}

// staggers: policy sets any places apart.
func staggers(pol *plan.Policy) bool {
	return pol.StaggerRacks || pol.StaggerSites || pol.StaggerRegions
}

// keptApart tells whether policy sets two spots apart, and the time that it wants between them.
func keptApart(pol *plan.Policy, a, b spot) (gap time.Duration, apart bool) {
	if a.region != b.region {
		return time.Duration(pol.StaggerGap.Regions), pol.StaggerRegions
	}
	if a.site != b.site {
		return time.Duration(pol.StaggerGap.Sites), pol.StaggerSites
	}
	return time.Duration(pol.StaggerGap.Racks), pol.StaggerRacks && a.rack != b.rack
}

// lately are those two of the turns at a spot that began which end last, and last at worst.
type lately struct{ ends, worst *plan.Turn }

// stagger asks whether racks of one site, sites of one region, and regions, are disrupted apart where policy says so,
// and whether the time that it wants lies between: from the worst end of the one to the start of the other. A turn
// that touches no instance disrupts no place.
func (d *dossier) stagger() {
	pol := &d.p.Policy
	if !staggers(pol) {
		return
	}
	last := map[spot]lately{}
	for _, t := range d.ordered {
		if !d.disrupting(t) {
			continue
		}
		at := d.spotOf(pol, t.Host)
		var other, near *plan.Turn // that runs still, and that ended too short a while ago
		var due time.Time
		for there, o := range last {
			gap, apart := keptApart(pol, at, there)
			if !apart {
				continue
			}
			if e := o.ends; e.End.After(t.Start) && (other == nil || e.End.After(other.End) || e.End.Equal(other.End) && e.ID < other.ID) {
				other = e
			}
			if from := worst(o.worst).Add(gap); gap > 0 && from.After(t.Start) && (near == nil || from.After(due) || from.Equal(due) && o.worst.ID < near.ID) {
				near, due = o.worst, from
			}
		}
		was := last[at]
		if was.ends == nil || t.End.After(was.ends.End) {
			was.ends = t
		}
		if was.worst == nil || worst(t).After(worst(was.worst)) {
			was.worst = t
		}
		last[at] = was
		s, ends := ofTurn(t), ""
		if other != nil {
			ends = clock(other.End)
		}
		d.must(other == nil, 3, "stagger", s, t.Start, "a start after "+ends+", or a policy without the stagger",
			"turn %s at site %s of region %s starts while %s disrupts another place that policy sets apart", t.ID, at.site, at.region, hostOf(other))
		d.must(near == nil, 3, "stagger-gap", s, t.Start, "a start no earlier than "+clock(due)+", or a policy with a shorter stagger_gap",
			"turn %s at site %s of region %s starts too soon after %s disrupted another place that policy sets apart", t.ID, at.site, at.region, hostOf(near))
	}
}
