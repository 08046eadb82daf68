package plan

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// Gap is the least time between the worst end (p99) of the last turn at one place and the begin of the first at
// another that stagger keeps apart from it. Each counts only where the stagger of its name is on; 0: none.
type Gap struct {
	Racks   Duration `json:"racks,omitempty" yaml:"racks,omitempty"`
	Sites   Duration `json:"sites,omitempty" yaml:"sites,omitempty"`
	Regions Duration `json:"regions,omitempty" yaml:"regions,omitempty"`
}

// Place is where a host is, as stagger tells places apart.
type Place struct{ Region, Site, Rack string }

// RackOf is a host's rack within its site. A host whose rack is not known is a rack of its own, named as no rack
// can be.
func RackOf(h *fleet.Host) string {
	if h.Rack == "" {
		return "\x00" + h.ID
	}
	return h.Rack
}

// Apart tells whether no turn may run at one of two places while one runs at the other, and how much time must pass
// between them.
func (p *Policy) Apart(a, b Place) (gap time.Duration, apart bool) {
	switch {
	case a.Region != b.Region:
		gap, apart = p.StaggerGap.Regions.Std(), p.StaggerRegions
	case a.Site != b.Site:
		gap, apart = p.StaggerGap.Sites.Std(), p.StaggerSites
	case a.Rack != b.Rack:
		gap, apart = p.StaggerGap.Racks.Std(), p.StaggerRacks
	}
	if !apart {
		return 0, false
	}
	return gap, true
}

// Crossed is a place whose migrations in flight policy bounds: a rack, or a region as a whole.
type Crossed struct {
	Place
	Most int
}

// Crosses gives what a migration between two places takes part of, each once.
func (p *Policy) Crosses(a, b Place) (out []Crossed) {
	if n := p.MovesPerRack; n > 0 {
		if out = append(out, Crossed{a, n}); a != b {
			out = append(out, Crossed{b, n})
		}
	}
	if n := p.MovesPerRegion; n > 0 {
		if out = append(out, Crossed{Place{Region: a.Region}, n}); a.Region != b.Region {
			out = append(out, Crossed{Place{Region: b.Region}, n})
		}
	}
	return out
}

// Gaps: there is a time to be kept between places.
func (p *Policy) Gaps() bool {
	g := p.StaggerGap
	return p.StaggerRacks && g.Racks > 0 || p.StaggerSites && g.Sites > 0 || p.StaggerRegions && g.Regions > 0
}

// RulesPlaces: policy has a rule of racks, of whole regions or of the time between places.
func (p *Policy) RulesPlaces() bool {
	return p.StaggerRacks || p.Gaps() || p.AwayPerRack+p.AwayPerRegion+p.MovesPerRack+p.MovesPerRegion > 0
}

// Ends remember when turns at places ended last. What it costs to ask them does not grow with the fleet. The zero
// value remembers nothing.
type Ends struct {
	regions lastTwo
	sites   map[string]*lastTwo // by region
	racks   map[[2]string]*lastTwo
}

// lastTwo are the latest end of all, and the latest elsewhere.
type lastTwo struct {
	name        string
	last, other time.Time
}

func (l *lastTwo) note(name string, end time.Time) {
	switch {
	case name == l.name:
		l.last = latest(l.last, end)
	case end.After(l.last):
		l.name, l.last, l.other = name, end, l.last
	default:
		l.other = latest(l.other, end)
	}
}

// elsewhere is the latest end at any other name; zero: there is none.
func (l *lastTwo) elsewhere(name string) time.Time {
	if l == nil {
		return time.Time{}
	}
	if l.name == name {
		return l.other
	}
	return l.last
}

// Note that a turn at a place ends.
func (e *Ends) Note(at Place, end time.Time) {
	if e.sites == nil {
		e.sites, e.racks = map[string]*lastTwo{}, map[[2]string]*lastTwo{}
	}
	site := [2]string{at.Region, at.Site}
	if e.sites[at.Region] == nil {
		e.sites[at.Region] = &lastTwo{}
	}
	if e.racks[site] == nil {
		e.racks[site] = &lastTwo{}
	}
	e.regions.note(at.Region, end)
	e.sites[at.Region].note(at.Site, end)
	e.racks[site].note(at.Rack, end)
}

// NotBefore is when the gaps of a policy let a turn begin at a place; zero: at any time. why names what it waits
// for.
func (e *Ends) NotBefore(p *Policy, at Place) (from time.Time, why string) {
	ask := func(l *lastTwo, name string, apart bool, gap Duration, places string) {
		end := l.elsewhere(name)
		if !apart || gap <= 0 || end.IsZero() {
			return
		}
		if due := end.Add(gap.Std()); due.After(from) {
			from, why = due, "policy leaves "+gap.String()+" between "+places+" (stagger_gap), and a turn at another of them ended "+end.UTC().Format(time.RFC3339)
		}
	}
	g := p.StaggerGap
	ask(&e.regions, at.Region, p.StaggerRegions, g.Regions, "regions")
	ask(e.sites[at.Region], at.Site, p.StaggerSites, g.Sites, "sites of one region")
	ask(e.racks[[2]string{at.Region, at.Site}], at.Rack, p.StaggerRacks, g.Racks, "racks of one site")
	return from, why
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
