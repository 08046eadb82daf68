package advisory

import (
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Verdict on one host or instance.
type Verdict string

// The verdicts, the most pressing first.
const (
	IsAffected  Verdict = "affected"
	IsUnknown   Verdict = "unknown"
	IsFixed     Verdict = "fixed"
	NotAffected Verdict = "not-affected"
)

// Verdicts lists them in the order in which people want to read them.
var Verdicts = []Verdict{IsAffected, IsUnknown, IsFixed, NotAffected}

// Assessment is the verdict on each host and instance, both sorted by id.
type Assessment struct {
	Target    string            `json:"target,omitempty" yaml:"target,omitempty"`
	At        time.Time         `json:"at" yaml:"at"`
	Hosts     []HostVerdict     `json:"hosts" yaml:"hosts"`
	Instances []InstanceVerdict `json:"instances" yaml:"instances"`
	Counts    Counts            `json:"counts" yaml:"counts"`
}

// HostVerdict is what was found of one host.
type HostVerdict struct {
	Host    string  `json:"host" yaml:"host"`
	Verdict Verdict `json:"verdict" yaml:"verdict"`
	Cohort  string  `json:"cohort,omitempty" yaml:"cohort,omitempty"` // its name, or #N; empty: in none
	// Needs says what would fix it, or what would make it known; empty when nothing is needed.
	Needs    string   `json:"needs,omitempty" yaml:"needs,omitempty"`
	Evidence []string `json:"evidence" yaml:"evidence"`
}

// InstanceVerdict is what was found of one instance.
type InstanceVerdict struct {
	Instance string   `json:"instance" yaml:"instance"`
	Host     string   `json:"host" yaml:"host"`
	Tenant   string   `json:"tenant,omitempty" yaml:"tenant,omitempty"`
	Verdict  Verdict  `json:"verdict" yaml:"verdict"`
	Needs    string   `json:"needs,omitempty" yaml:"needs,omitempty"`
	Evidence []string `json:"evidence" yaml:"evidence"`
}

// Counts of hosts and of instances.
type Counts struct {
	Hosts     Tally `json:"hosts" yaml:"hosts"`
	Instances Tally `json:"instances" yaml:"instances"`
}

// Tally counts verdicts.
type Tally struct {
	Affected    int `json:"affected" yaml:"affected"`
	Unknown     int `json:"unknown" yaml:"unknown"`
	Fixed       int `json:"fixed" yaml:"fixed"`
	NotAffected int `json:"not_affected" yaml:"not_affected"`
}

func (t *Tally) add(v Verdict) {
	switch v {
	case IsAffected:
		t.Affected++
	case IsFixed:
		t.Fixed++
	case NotAffected:
		t.NotAffected++
	default:
		t.Unknown++
	}
}

// Of gives the number of one verdict.
func (t Tally) Of(v Verdict) int {
	switch v {
	case IsAffected:
		return t.Affected
	case IsFixed:
		return t.Fixed
	case NotAffected:
		return t.NotAffected
	}
	return t.Unknown
}

// All is the number of all.
func (t Tally) All() int { return t.Affected + t.Unknown + t.Fixed + t.NotAffected }

// Host gives the verdict on one host.
func (a *Assessment) Host(id string) (HostVerdict, bool) {
	i, ok := slices.BinarySearchFunc(a.Hosts, id, func(h HostVerdict, id string) int { return strings.Compare(h.Host, id) })
	if !ok {
		return HostVerdict{}, false
	}
	return a.Hosts[i], true
}

// Instance gives the verdict on one instance.
func (a *Assessment) Instance(id string) (InstanceVerdict, bool) {
	i, ok := slices.BinarySearchFunc(a.Instances, id, func(v InstanceVerdict, id string) int { return strings.Compare(v.Instance, id) })
	if !ok {
		return InstanceVerdict{}, false
	}
	return a.Instances[i], true
}

// Assess judges each host and instance of f by the target t and the advisories as. A nil target
// judges by the advisories alone; without advisories the target's desired versions decide alone.
// Facts older than staleAfter at now make a verdict unknown; staleAfter 0: their age does not
// matter. Nothing in f, t or as is changed.
func Assess(f *fleet.Fleet, t *plan.Target, as []Advisory, staleAfter time.Duration, now time.Time) Assessment {
	if t == nil {
		t = &plan.Target{}
	}
	now = now.UTC()
	s := &assessor{
		fleet: f, target: t, now: now, staleAfter: staleAfter,
		cohorts: NewCohorts(f, t), docs: newDocs(t, as, now),
		judges: map[*plan.Cohort]*judge{}, hosts: map[string]*fleet.Host{},
	}
	out := Assessment{Target: t.ID, At: now, Hosts: []HostVerdict{}, Instances: []InstanceVerdict{}}
	for i := range f.Hosts {
		h := &f.Hosts[i]
		s.hosts[h.ID] = h
		v := s.host(h)
		out.Hosts = append(out.Hosts, v)
		out.Counts.Hosts.add(v.Verdict)
	}
	for i := range f.Instances {
		v := s.instance(&f.Instances[i])
		out.Instances = append(out.Instances, v)
		out.Counts.Instances.add(v.Verdict)
	}
	slices.SortStableFunc(out.Hosts, func(a, b HostVerdict) int { return strings.Compare(a.Host, b.Host) })
	slices.SortStableFunc(out.Instances, func(a, b InstanceVerdict) int { return strings.Compare(a.Instance, b.Instance) })
	return out
}

// assessor is one run of Assess.
type assessor struct {
	fleet      *fleet.Fleet
	target     *plan.Target
	now        time.Time
	staleAfter time.Duration
	cohorts    *Cohorts
	docs       docs
	judges     map[*plan.Cohort]*judge // nil key: hosts in no cohort
	hosts      map[string]*fleet.Host
}

// judgeFor gives the judge of one cohort, made once.
func (s *assessor) judgeFor(c *plan.Cohort) *judge {
	j, ok := s.judges[c]
	if !ok {
		j = newJudge(s.target, c, s.cohorts.Name(c), s.docs)
		s.judges[c] = j
	}
	return j
}

// finding is a verdict on the way: with its evidence and what would change it.
type finding struct {
	verdict Verdict
	needs   []string
	lines   []string
}

// rank orders verdicts for joining: one certain harm outweighs all doubts, one doubt all good news.
func rank(v Verdict) int { return slices.Index(Verdicts, v) }

// join folds the findings on several packages into one.
func join(fs ...finding) finding {
	out := finding{verdict: NotAffected}
	for _, f := range fs {
		if rank(f.verdict) < rank(out.verdict) {
			out.verdict = f.verdict
		}
		for _, l := range f.lines {
			// An indented line explains the one above; the same explanation is given once.
			if !strings.HasPrefix(l, " ") || !slices.Contains(out.lines, l) {
				out.lines = append(out.lines, l)
			}
		}
	}
	for _, f := range fs {
		if f.verdict != out.verdict {
			continue
		}
		for _, n := range f.needs {
			if !slices.Contains(out.needs, n) {
				out.needs = append(out.needs, n)
			}
		}
	}
	return out
}
