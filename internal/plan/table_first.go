package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// The first screen answers what somebody on call asks first: can we make it, who is hurt, what is blocked, what do
// I do now. All else comes below it.

// first writes it; the verdict stands above it.
func (t *table) first() {
	t.limits()
	t.hurt()
	t.exposed()
	t.blockedFirst()
	t.nextFirst()
	t.line("")
}

// limits tells how much time is left to each limit, or by how much the plan is past it, or how many hosts have no
// turn for its sake: a plan of what fits before a limit is not in time.
func (t *table) limits() {
	by := t.p.Policy.FinishBy
	if target := t.p.Target; target != nil {
		t.limit("disclosure", target.Disclosure, t.fixedBy(), t.past("after-disclosure"))
		if !target.FinishBy.IsZero() {
			by = target.FinishBy
		}
	}
	t.limit("finish by", by, t.p.End, t.past("after-finish-by"))
}

// fixedBy is when the fix is in effect everywhere at worst: a deferred reboot comes after that.
func (t *table) fixedBy() (end time.Time) {
	for i := range t.p.Turns {
		turn := &t.p.Turns[i]
		if over := turn.Start.Add(time.Duration(turn.WorstS) * time.Second); !turn.Deferred && over.After(end) {
			end = over
		}
	}
	return end
}

// past counts the hosts that a limit keeps from a turn.
func (t *table) past(code string) (n int) {
	for i := range t.p.Blocked {
		if b := &t.p.Blocked[i]; b.Host != "" && b.Code == code {
			n++
		}
	}
	return n
}

func (t *table) limit(name string, at, end time.Time, past int) {
	switch {
	case at.IsZero():
	case past > 0:
		t.line("in time    no: %s no turn before %s, %s", have(past, "host"), name, moment(at, nil))
	case t.p.Counts.Hosts == 0 || at.Before(t.p.Made):
	case end.After(at):
		t.line("in time    no: over %s after %s, %s", Lasting(int64(end.Sub(at).Seconds())), name, moment(at, nil))
	default:
		t.line("in time    yes: over %s before %s, %s", Lasting(int64(at.Sub(end).Seconds())), name, moment(at, nil))
	}
}

// pain is what a plan does to one tenant.
type pain struct {
	tenant         string
	moved, stopped map[string]bool // instances
}

// hurt says who is stopped, for how long, who is migrated only, and who more than once.
func (t *table) hurt() {
	by, each := map[string]*pain{}, map[string]int{}
	var expected, p95, worst int64
	for i := range t.p.Slots {
		s := &t.p.Slots[i]
		if s.Class != ClassBlip && s.Class != ClassOutage {
			continue
		}
		each[s.Instance]++
		p := by[s.Tenant]
		if p == nil {
			p = &pain{s.Tenant, map[string]bool{}, map[string]bool{}}
			by[s.Tenant] = p
		}
		if s.Class == ClassBlip {
			p.moved[s.Instance] = true
			continue
		}
		p.stopped[s.Instance] = true
		expected, p95, worst = max(expected, s.ExpectedMs), max(p95, s.P95Ms), max(worst, s.WorstMs)
	}
	for i := range t.p.Moves {
		if m := &t.p.Moves[i]; m.Home { // there and back is one slot and two interruptions
			each[m.Instance]++
		}
	}
	if t.p.Counts.Hosts == 0 {
		return
	}
	list := mostHurt(by)
	stopped := slices.IndexFunc(list, func(p *pain) bool { return len(p.stopped) == 0 })
	if stopped < 0 {
		stopped = len(list)
	}
	switch {
	case len(list) == 0:
		t.line("hurt       nobody")
		return
	case stopped > 0:
		nearly := ""
		if p95 > 0 {
			nearly = ", " + Lasting(p95/1000) + " in 95 of 100 cases"
		}
		t.line("hurt       %s stopped, for %s as a rule%s and %s at worst", tenantsAre(stopped), Lasting(expected/1000), nearly, Lasting(worst/1000))
		t.line("           most: %s", namesOf(list[:stopped]))
		if rest := len(list) - stopped; rest > 0 {
			t.line("           %s live-migrated alone", tenantsAre(rest))
		}
	default:
		t.line("hurt       nobody is stopped; %s live-migrated", tenantsAre(len(list)))
	}
	if twice := repeated(each); twice > 0 {
		t.line("           %s interrupted more than once", are(twice, "instance"))
	}
}

// exposed tells how long instances run unfixed, and which groups are interrupted as a whole.
func (t *table) exposed() {
	if t.p.Fleet == nil || t.p.Counts.Hosts == 0 {
		return
	}
	s := TollOf(t.p.Fleet, t.p)
	if s.WholeGroups > 0 {
		t.line("           %s interrupted whole in one slot: %s", are(s.WholeGroups, "group"), fewOf(wholeGroups(t.p.Fleet, t.p)))
	}
	if t.p.Target != nil {
		t.line("exposed    %.1f VM-hours unfixed from now on", vmHours(s.ExposureS))
	}
}

// mostHurt orders tenants by instances stopped, then moved.
func mostHurt(by map[string]*pain) (list []*pain) {
	for _, p := range by {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *pain) int {
		return cmp.Or(cmp.Compare(len(b.stopped), len(a.stopped)), cmp.Compare(len(b.moved), len(a.moved)), strings.Compare(a.tenant, b.tenant))
	})
	return list
}

func repeated(each map[string]int) (n int) {
	for _, times := range each {
		if times > 1 {
			n++
		}
	}
	return n
}

// few names are told on the first screen.
const few = 4

// fewOf joins the first few of some words, and says how many there are beside them.
func fewOf(words []string) string {
	if rest := len(words) - few; rest > 0 {
		words = append(slices.Clone(words[:few]), fmt.Sprintf("and %d more", rest))
	}
	return strings.Join(words, ", ")
}

func namesOf(list []*pain) string {
	var names []string
	for _, p := range list {
		name := p.tenant
		if name == "" {
			name = "no tenant"
		}
		names = append(names, fmt.Sprintf("%s (%d)", name, len(p.stopped)))
	}
	return fewOf(names)
}

func have(n int, what string) string {
	if n == 1 {
		return "1 " + what + " has"
	}
	return fmt.Sprintf("%d %ss have", n, what)
}

func are(n int, what string) string {
	if n == 1 {
		return "1 " + what + " is"
	}
	return fmt.Sprintf("%d %ss are", n, what)
}

func tenantsAre(n int) string {
	if n == 1 {
		return "1 tenant has instances"
	}
	return fmt.Sprintf("%d tenants have instances", n)
}

// blockedFirst counts what is blocked by code, the most frequent first.
func (t *table) blockedFirst() {
	if len(t.p.Blocked) == 0 {
		return
	}
	count, codes := map[string]int{}, []string(nil)
	for _, b := range t.p.Blocked {
		if b.Host != "" && b.Code == "instance-blocked" {
			continue // it is told with its instance
		}
		if count[b.Code]++; count[b.Code] == 1 {
			codes = append(codes, b.Code)
		}
	}
	slices.SortFunc(codes, func(a, b string) int { return cmp.Or(cmp.Compare(count[b], count[a]), strings.Compare(a, b)) })
	var words []string
	for _, code := range codes[:min(few, len(codes))] {
		words = append(words, fmt.Sprintf("%s %d", code, count[code]))
	}
	if len(codes) > few {
		words = append(words, fmt.Sprintf("and %s", many(len(codes)-few, "more reason")))
	}
	t.line("blocked    %s: what would allow each stands below", strings.Join(words, ", "))
}

// nextFirst says what to do, and until when the first notice must have been accepted.
func (t *table) nextFirst() {
	var first time.Time
	for i := range t.p.Slots {
		if by := t.p.Slots[i].NoticeBy; t.p.Slots[i].Told.IsZero() && !by.IsZero() && (first.IsZero() || by.Before(first)) {
			first = by
		}
	}
	t.line("next       %s", t.todo())
	if !first.IsZero() && t.p.Profile != Bound {
		t.line("           the first notice must be accepted by %s", moment(first, nil))
	}
}
