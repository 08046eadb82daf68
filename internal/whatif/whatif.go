// Package whatif plans one maintenance in several ways and lays side by side what each costs whom: when it
// ends, how many tenants it touches, how many instances it stops, how long the fleet stays exposed. Where a
// deadline cannot be met, it says by how much, and the cheapest changes that were found to meet it.
//
// Each way is a copy of what the plan is made from with one thing changed (ways.go), planned by the planner
// itself: nothing here is estimated from another way. It changes nothing of its input, reads no clock and
// judges no plan; which trade is right is for people to say.
//
// Start reading at Compare, then ways.go, measure.go and deadline.go; table.go and picture.go show it.
package whatif

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// Comparison is one maintenance, planned in several ways.
type Comparison struct {
	Campaign  string    `json:"campaign"`
	Now       time.Time `json:"now"`
	Hosts     int       `json:"hosts"`     // of the fleet
	Instances int       `json:"instances"` // of the fleet
	Tenants   int       `json:"tenants"`   // with an instance
	Rows      []Row     `json:"rows"`      // the first is what was asked for
	Deadline  *Deadline `json:"deadline,omitempty"`
}

// Row is what one way comes to.
type Row struct {
	Name string `json:"name"` // short, unique, stable: for machines and for the picture
	What string `json:"what"` // what is otherwise, for people
	Numbers
	// Measure: it is no choice, but there to measure by; none is ranked against it.
	Measure bool `json:"measure,omitempty"`
	// Best: no other choice that blocks as few ends as early with as few tenants stopped and touched.
	Best bool `json:"best,omitempty"`
	// SameAs names an earlier row with the same turns at the same times and the same numbers.
	SameAs string `json:"same_as,omitempty"`
}

// Compare plans in as it is and in each of the ways that differ for it. each, where it is not nil, is told
// the name of a way before it is planned, so that whoever waits can be told.
func Compare(in planner.Input, ways []Way, each func(name string)) (Comparison, error) {
	if each == nil {
		each = func(string) {}
	}
	each("as asked")
	asked, err := proposed(in)
	if err != nil {
		return Comparison{}, err
	}
	plans := []*plan.Plan{sketched(&asked)}
	c := Comparison{Campaign: in.Campaign, Now: in.Now, Hosts: len(in.Fleet.Hosts), Instances: len(in.Fleet.Instances), Tenants: tenantsOf(in.Fleet)}
	c.Rows = append(c.Rows, Row{Name: "as asked", What: "the policy as it is", Numbers: measure(in, &asked, c.Hosts)})
	for _, w := range ways {
		changed := copied(in)
		if !w.apply(&changed) {
			continue
		}
		each(w.Name)
		p, err := proposed(changed)
		if err != nil {
			return Comparison{}, fmt.Errorf("%s: %w", w.Name, err)
		}
		n := measure(changed, &p, c.Hosts)
		c.Rows = append(c.Rows, Row{Name: w.Name, What: w.What(&in), Numbers: n, Measure: w.measure, SameAs: c.sameAs(plans, &p, &n)})
		plans = append(plans, sketched(&p))
	}
	if c.Deadline, err = deadline(in, &asked, each); err != nil {
		return Comparison{}, err
	}
	c.rank()
	return c, nil
}

// copied is an input whose policy may be changed and whose fleet may get more hosts.
func copied(in planner.Input) planner.Input {
	f := *in.Fleet
	f.Hosts = slices.Clip(f.Hosts)
	in.Fleet = &f
	if in.Target != nil {
		t := *in.Target
		in.Target = &t
	}
	in.Policy.Windows, in.Policy.Tactics = slices.Clone(in.Policy.Windows), slices.Clone(in.Policy.Tactics)
	return in
}

func proposed(in planner.Input) (plan.Plan, error) {
	p, err := planner.Propose(in)
	p.Fleet = in.Fleet
	return p, err
}

// sketched is what is kept of a plan to compare others with: its turns alone, for moves and slots of fifteen plans of
// a large fleet take much memory.
func sketched(p *plan.Plan) *plan.Plan { return &plan.Plan{Turns: p.Turns} }

// sameAs names the first row whose plan has the same turns at the same times, and disturbs as many as much.
func (c *Comparison) sameAs(plans []*plan.Plan, p *plan.Plan, n *Numbers) string {
	for i, o := range plans {
		if c.Rows[i].Numbers == *n && same(o, p) {
			return c.Rows[i].Name
		}
	}
	return ""
}

func same(a, b *plan.Plan) bool {
	return slices.EqualFunc(a.Turns, b.Turns, func(x, y plan.Turn) bool {
		return x.ID == y.ID && x.Tactic == y.Tactic && x.Start.Equal(y.Start) && x.WorstS == y.WorstS
	})
}

// rank adds up exposure over the same time for all, and marks the ways that no other beats. One that does nothing
// where there is something to do is over at once and disturbs nobody: that is no merit.
func (c *Comparison) rank() {
	last := c.Now
	for i := range c.Rows {
		last = later(last, c.Rows[i].End)
	}
	if c.Deadline != nil {
		last = later(last, c.Deadline.End)
	}
	for i := range c.Rows {
		n := &c.Rows[i].Numbers
		n.ExposedVMHours = math.Round(10*(float64(n.exposedS)/3600+float64(n.LeftExposed)*last.Sub(c.Now).Hours())) / 10
	}
	for i := range c.Rows {
		c.Rows[i].Best = !c.Rows[i].Measure && (c.Rows[i].Turns > 0 || c.Rows[i].Blocked == 0)
		for j := range c.Rows {
			if j != i && !c.Rows[j].Measure && c.Rows[j].beats(&c.Rows[i].Numbers) {
				c.Rows[i].Best = false
				break
			}
		}
	}
}
