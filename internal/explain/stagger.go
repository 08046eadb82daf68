package explain

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// stagger: racks of one site, sites of one region, or regions, are disrupted apart.
func (a *asked) stagger() {
	p := a.policy
	if !p.StaggerSites && !p.StaggerRegions && !p.StaggerRacks {
		return
	}
	var other *plan.Turn
	felt := false
	here := a.place(a.t)
	for _, t := range a.w.turns {
		if _, apart := p.Apart(here, a.place(t)); !apart {
			continue
		}
		disturbs := a.disturbs(t)
		if other == nil || disturbs && !felt {
			other, felt = t, disturbs
		}
	}
	if other == nil {
		a.gap(here)
		return
	}
	what, from := "site "+other.Site, "site "+a.t.Site
	if there := a.place(other); there.Region == here.Region && there.Site == here.Site {
		what, from = "another rack of site "+other.Site, "the rack of "+a.h.ID
	}
	a.because(Reason{Code: codeStagger, Law: lawIf(3, felt && len(a.stops)+len(a.moves) > 0), Host: other.Host, Site: other.Site,
		Why: fmt.Sprintf("wave %d disrupts %s (host %s), which policy keeps apart from %s", a.wave, what, other.Host, from)})
}

// gap: policy leaves a time between places that it keeps apart. Turns of waves before the one that is asked about keep
// the turn from it until their worst end and the gap; those of waves after it begin too soon for the turn.
func (a *asked) gap(here plan.Place) {
	p := a.policy
	if !p.Gaps() {
		return
	}
	var other *plan.Turn
	var due time.Time
	felt := false
	for n := range a.waves {
		if n+1 == a.wave || n+1 >= a.t.Wave {
			continue
		}
		for _, t := range a.waves[n].turns {
			gap, apart := p.Apart(here, a.place(t))
			if !apart || gap == 0 {
				continue
			}
			from := t.WorstEnd().Add(gap) // when the turn may start
			if n+1 < a.wave && !from.After(a.w.start) || n+1 > a.wave && !a.w.start.Add(a.least+gap).After(t.Start) {
				continue
			}
			if disturbs := a.disturbs(t); other == nil || disturbs && !felt {
				other, due, felt = t, from, disturbs
			}
		}
	}
	if other == nil {
		return
	}
	gap, _ := p.Apart(here, a.place(other))
	a.because(Reason{Code: codeStagger, Law: lawIf(3, felt && len(a.stops)+len(a.moves) > 0), Host: other.Host, Site: other.Site, At: due,
		Why: fmt.Sprintf("policy leaves %s between its place and that of %s at site %s (stagger_gap), whose turn is from %s to %s at worst", plan.Duration(gap), other.Host, other.Site, stamp(other.Start), stamp(other.WorstEnd()))})
}

// place is where a turn is.
func (s *scene) place(t *plan.Turn) plan.Place {
	at := plan.Place{Region: s.ix.RegionOf(t.Host), Site: t.Site}
	if h := s.ix.Hosts[t.Host]; h != nil {
		at.Rack = plan.RackOf(h)
	}
	return at
}
