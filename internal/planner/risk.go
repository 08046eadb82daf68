package planner

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Riskiest exposure first, where it costs nothing. The order of hosts is there for few waves and few moves; where
// other orders do as well, those hosts come first on which most is exposed: by the worst advisory that affects them,
// then by how many instances run on them, then by of how many tenants. So once the plan is drafted it is drafted again
// in such an order, and the result is taken if it exposes less and is no worse in anything else: waves, moves, end and
// all that people mind more. The canary stays what disturbs least, whatever is exposed on it.

// riskOrder of a draft.
type riskOrder int

const (
	asDrafted   riskOrder = iota
	riskyPlaces           // regions, sites and pools by risk, and hosts of a pool that are alike otherwise
	riskyHosts            // and all hosts of a pool, but for those of its first wave and those on which nothing runs
	riskyAtOnce           // and those of its first wave, too
)

// mostRisky turns of drafts by risk together.
const mostRisky = mostTurns / 2

// riskiestFirst gives a draft that exposes less than this one where one is as good otherwise.
func (w *world) riskiestFirst(o outset) (*world, outset, error) {
	if !w.risky() {
		return w, o, nil
	}
	left := mostRisky
	for _, risk := range []riskOrder{riskyHosts, riskyAtOnce, riskyPlaces} {
		if left -= len(w.plan.Turns); left < 0 {
			break
		}
		by := w.by
		by.risk = risk
		other, start, err := draftBy(w.in, w.ix, by)
		if err != nil {
			return nil, outset{}, err
		}
		if other.safer(w) {
			w, o = other, start
		}
	}
	return w, o, nil
}

// risky: hosts with a turn are not all exposed alike, and the draft leaves their order open.
func (w *world) risky() bool {
	if w.in.Target == nil || w.in.Profile == plan.Bound || w.waves < 2 || w.by.script != nil || w.by.coloured {
		return false
	}
	w.reckonRisks()
	turns := w.plan.Turns
	return slices.ContainsFunc(turns, func(t plan.Turn) bool { return w.risks[t.Host].Compare(w.risks[turns[0].Host]) != 0 })
}

func (w *world) reckonRisks() {
	if w.risks = w.by.risks; w.risks == nil {
		w.risks = w.in.Assessment.Risks(w.in.Fleet)
		w.by.risks = w.risks // for all drafts of its way
	}
}

// safer: a draft exposes less than another, by severity, and is no worse in anything else.
func (w *world) safer(than *world) bool {
	a, b := w.toll(), than.toll()
	if w.waves > than.waves || a.Moves > b.Moves || a.EndS > b.EndS {
		return false
	}
	a.ExposureS, a.Moves, a.EndS = 0, 0, 0
	b.ExposureS, b.Moves, b.EndS = 0, 0, 0
	if c := a.Compare(b); c != 0 {
		return c < 0
	}
	return w.exposure() < than.exposure()
}

// exposure adds up for how long instances are unfixed, each second as often as the severity of what their hosts
// began with asks for: twice as often for each step.
func (w *world) exposure() int64 {
	if w.exposed == nil {
		w.reckonRisks()
		p := w.plan
		p.Made, p.Target = w.in.Now.UTC(), w.in.Target
		n := plan.ExposureS(w.in.Fleet, &p, func(host string) int64 { return 1 << w.risks[host].Severity.Rank() })
		w.exposed = &n
	}
	return *w.exposed
}

// orderByRisk lines up the queue anew: regions, sites and pools on whose hosts most is exposed each come first.
func (w *world) orderByRisk() {
	if w.by.risk == asDrafted || w.stage == second || w.by.script != nil {
		return
	}
	w.reckonRisks()
	if w.by.risk != riskyPlaces {
		w.riskyHostsNext()
	}
	regions, sites, pools := perils{}, perils{}, perils{}
	for _, h := range w.queue {
		r := w.risks[h.ID]
		regions.add(h.region, r)
		sites.add(h.site, r)
		pools.add(h.pool.ID, r)
	}
	slices.SortStableFunc(w.queue, func(a, b *host) int {
		return cmp.Or(regions[a.region].compare(regions[b.region]), strings.Compare(a.region, b.region),
			sites[a.site].compare(sites[b.site]), strings.Compare(a.site, b.site),
			pools[a.pool.ID].compare(pools[b.pool.ID]), strings.Compare(a.pool.ID, b.pool.ID))
	})
}

// riskier orders hosts that are alike in all that makes plans good.
func (w *world) riskier(a, b *host) int {
	if w.by.risk == asDrafted || w.stage == second {
		return 0
	}
	w.reckonRisks()
	return w.risks[a.ID].Compare(w.risks[b.ID])
}

// peril is what is exposed in one place.
type peril struct {
	worst            advisory.Severity
	hosts, instances int
}

type perils map[string]*peril

func (s perils) add(name string, r advisory.Risk) {
	if s[name] == nil {
		s[name] = &peril{}
	}
	s[name].add(r)
}

func (s *peril) add(r advisory.Risk) {
	if s.hosts == 0 || r.Severity.Rank() > s.worst.Rank() {
		s.worst = r.Severity
	}
	s.hosts++
	s.instances += r.Instances
}

// compare: the worst severity first, then most instances for each turn, for that is what a turn ends.
func (s *peril) compare(o *peril) int {
	return cmp.Or(cmp.Compare(o.worst.Rank(), s.worst.Rank()), cmp.Compare(o.instances*s.hosts, s.instances*o.hosts))
}

// riskyHostsNext lines up the hosts of each pool by risk. Those on which nothing runs stay first: they cost nobody
// anything, and give room. So do those of the first wave, unless risk comes at once: what it moves is moved twice.
func (w *world) riskyHostsNext() {
	ahead := map[*pool][]*host{}
	for _, h := range w.queue {
		ahead[h.pool] = append(ahead[h.pool], h)
	}
	for _, p := range w.pools {
		later := ahead[p]
		for len(later) > 0 && len(later[0].guests) == 0 {
			later = later[1:]
		}
		if w.by.risk == riskyHosts {
			later = later[min(len(later), w.firstOf(p)):]
		}
		slices.SortStableFunc(later, func(a, b *host) int { return w.risks[a.ID].Compare(w.risks[b.ID]) })
	}
	for i, h := range w.queue {
		w.queue[i], ahead[h.pool] = ahead[h.pool][0], ahead[h.pool][1:]
	}
}

// firstOf is how many hosts the first wave of a pool has by its outlook.
func (w *world) firstOf(p *pool) int {
	o := w.outlookOf(p)
	if o == nil {
		return 0
	}
	waves, _, done := o.run(math.MaxInt64, min(o.n, farthest))
	if !done {
		return 0
	}
	if p.mixed {
		o = o.short(fewGaps)
	}
	return o.next(waves)
}
