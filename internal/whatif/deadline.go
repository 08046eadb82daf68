package whatif

import (
	"cmp"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// Deadline is a limit that turns are past, and what would help.
type Deadline struct {
	// Of is what sets it: finish_by or disclosure.
	Of string    `json:"of"`
	At time.Time `json:"at"`
	// Past are the hosts that have no turn for it.
	Past int `json:"past"`
	// End is when the last of them would be over without the limit; LateS is by how many seconds that is late.
	// Zero where some have no turn without the limit either.
	End   time.Time `json:"end,omitzero"`
	LateS int64     `json:"late_seconds"`
	// Ways meet it, each by itself, the cheapest first; at most three.
	Ways []Remedy `json:"ways"`
}

// Remedy is a change, or two, by which all hosts that a deadline kept from a turn have one in time.
type Remedy struct {
	Words string    `json:"words"`
	End   time.Time `json:"end"` // of the plan with it
	// Price says what it is paid with.
	Price string `json:"price"`
}

// enough ways are named.
const enough = 3

// deadline says what to do where hosts have no turn for want of time before a limit; nil: there is none.
func deadline(in planner.Input, p *plan.Plan, each func(name string)) (*Deadline, error) {
	d, code := missed(in, p)
	if d == nil {
		return nil, nil
	}
	each("without the deadline")
	free := copied(in)
	lift(&free, code)
	q, err := proposed(free)
	if err != nil {
		return nil, err
	}
	search := remedies{in: in, may: mayStay(p, code)}
	if search.frees(&q) && q.End.After(d.At) {
		d.End, d.LateS = q.End, int64(q.End.Sub(d.At).Seconds())
	}
	levers := leversOf(in)
	for _, l := range levers {
		if len(d.Ways) == enough {
			break
		}
		each("in time: " + l.price)
		if err := search.single(l); err != nil {
			return nil, err
		}
		d.Ways = search.found
	}
	for i := 0; i < len(levers) && len(d.Ways) < enough; i++ {
		for j := 0; j < i && len(d.Ways) < enough; j++ {
			each("in time: " + levers[j].price + "; " + levers[i].price)
			if err := search.pair(levers[j], levers[i]); err != nil {
				return nil, err
			}
			d.Ways = search.found
		}
	}
	return d, nil
}

// missed finds the limit that hosts are blocked for, if any: the one that keeps more of them.
func missed(in planner.Input, p *plan.Plan) (*Deadline, string) {
	past := map[string]int{}
	for i := range p.Blocked {
		if b := &p.Blocked[i]; b.Instance == "" {
			past[b.Code]++
		}
	}
	const disclosed, finish = "after-disclosure", "after-finish-by"
	switch {
	case past[disclosed] == 0 && past[finish] == 0:
		return nil, ""
	case past[disclosed] > past[finish]:
		return &Deadline{Of: "disclosure", At: in.Target.Disclosure, Past: past[disclosed]}, disclosed
	case in.Target != nil && !in.Target.FinishBy.IsZero():
		return &Deadline{Of: "finish_by", At: in.Target.FinishBy, Past: past[finish]}, finish
	}
	return &Deadline{Of: "finish_by", At: in.Policy.FinishBy, Past: past[finish]}, finish
}

func lift(in *planner.Input, code string) {
	if code == "after-disclosure" {
		in.Policy.AfterDisclosure = true
		return
	}
	in.Policy.FinishBy = time.Time{}
	if in.Target != nil {
		in.Target.FinishBy = time.Time{}
	}
}

// remedies are looked for by planning.
type remedies struct {
	in    planner.Input
	may   map[string]bool // hosts that may stay blocked: those that something else blocks
	found []Remedy
}

// mayStay are the hosts that are blocked for another reason than the limit of that code.
func mayStay(p *plan.Plan, code string) map[string]bool {
	hosts := blocked(p)
	for i := range p.Blocked {
		if b := &p.Blocked[i]; b.Code == code && b.Instance == "" {
			delete(hosts, b.Host)
		}
	}
	return hosts
}

// frees: no host is blocked but those that were, and for another reason. Counting would not do: a change may free
// some of these and none of those that are late.
func (r *remedies) frees(p *plan.Plan) bool {
	for host := range blocked(p) {
		if !r.may[host] {
			return false
		}
	}
	return true
}

// holds plans with some levers pulled so far.
func (r *remedies) holds(pulled map[*lever]int) (end time.Time, ok bool, err error) {
	in := copied(r.in)
	for _, l := range inOrder(pulled) {
		if !l.apply(&in, pulled[l]) {
			return end, false, nil
		}
	}
	p, err := proposed(in)
	return p.End, err == nil && r.frees(&p), err
}

func inOrder(pulled map[*lever]int) []*lever {
	var out []*lever
	for l := range pulled {
		out = append(out, l)
	}
	slices.SortFunc(out, func(a, b *lever) int { return cmp.Compare(a.price+a.words(1), b.price+b.words(1)) })
	return out
}

// single looks for the least of one change that does by itself.
func (r *remedies) single(l lever) error {
	end, ok, err := r.holds(map[*lever]int{&l: l.most})
	if err != nil || !ok {
		return err
	}
	n, end, err := r.least(l.most, end, func(n int) map[*lever]int { return map[*lever]int{&l: n} })
	r.found = append(r.found, Remedy{l.words(n), end, l.price})
	return err
}

// pair looks for two changes that do together, where neither does alone: the second in full, the first as little
// as will do.
func (r *remedies) pair(a, b lever) error {
	for _, l := range []*lever{&a, &b} {
		if slices.ContainsFunc(r.found, func(f Remedy) bool { return f.Price == l.price }) {
			return nil
		}
	}
	end, ok, err := r.holds(map[*lever]int{&a: a.most, &b: b.most})
	if err != nil || !ok {
		return err
	}
	m, end, err := r.least(b.most, end, func(m int) map[*lever]int { return map[*lever]int{&a: a.most, &b: m} })
	if err != nil {
		return err
	}
	n, end, err := r.least(a.most, end, func(n int) map[*lever]int { return map[*lever]int{&a: n, &b: m} })
	r.found = append(r.found, Remedy{a.words(n) + ", and " + b.words(m), end, a.price + "; " + b.price})
	return err
}

// least narrows a number down by halves: with most it holds, and the end is that one's.
func (r *remedies) least(most int, end time.Time, pulled func(n int) map[*lever]int) (int, time.Time, error) {
	low := 0 // does not hold
	for low+1 < most {
		n := (low + most) / 2
		e, ok, err := r.holds(pulled(n))
		if err != nil {
			return most, end, err
		}
		if ok {
			most, end = n, e
		} else {
			low = n
		}
	}
	return most, end, nil
}
