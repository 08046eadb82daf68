package plan

import (
	"cmp"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// Toll is what a plan comes to for people, in the order in which they mind it: the first number in which two
// plans differ decides between them. That no law is broken comes before all of them, and is the auditor's to say.
// Less is better throughout. Zero: not reckoned.
type Toll struct {
	Left  int   `json:"left" yaml:"left"`     // hosts and instances that are blocked
	LateS int64 `json:"late_s" yaml:"late_s"` // seconds past disclosure or finish_by, the worse of the two
	// TenantsStopped have an instance that is saved or stopped, and Stops is how often that is done: nobody is
	// stopped so that another need not move.
	TenantsStopped int `json:"tenants_stopped" yaml:"tenants_stopped"`
	Stops          int `json:"stops" yaml:"stops"`
	Tenants        int `json:"tenants" yaml:"tenants"` // that have an instance interrupted at all
	// MostEach is how often one and the same instance is interrupted at most; Again sums up what each is beyond
	// its first time. There and back is two.
	MostEach int `json:"most_each" yaml:"most_each"`
	Again    int `json:"again" yaml:"again"`
	// WholeGroups have two members or more, all of which are interrupted in one promised slot, and do not ask for it.
	WholeGroups int `json:"whole_groups" yaml:"whole_groups"`
	// ExposureS is for how many seconds instances run unfixed from the moment the plan was made, all added up; 0
	// where the plan has no target. Those that it leaves unfixed count until its end.
	ExposureS int64 `json:"exposure_s" yaml:"exposure_s"`
	Moves     int   `json:"moves" yaml:"moves"`
	EndS      int64 `json:"end_s" yaml:"end_s"` // seconds from the moment it was made to its end at worst
}

// Compare is less than zero where people are better off by s than by o.
func (s Toll) Compare(o Toll) int {
	return cmp.Or(cmp.Compare(s.Left, o.Left), cmp.Compare(s.LateS, o.LateS),
		cmp.Compare(s.TenantsStopped, o.TenantsStopped), cmp.Compare(s.Stops, o.Stops), cmp.Compare(s.Tenants, o.Tenants),
		cmp.Compare(s.MostEach, o.MostEach), cmp.Compare(s.Again, o.Again), cmp.Compare(s.WholeGroups, o.WholeGroups),
		cmp.Compare(s.ExposureS, o.ExposureS), cmp.Compare(s.Moves, o.Moves), cmp.Compare(s.EndS, o.EndS))
}

// TollOf reckons it from the plan's lists, its target, policy and Made, and the fleet it was made from.
func TollOf(f *fleet.Fleet, p *Plan) Toll {
	s := Toll{Left: len(p.Blocked), Moves: len(p.Moves)}
	var end, fixed time.Time // of all turns at worst, and of those that bring the fix
	for i := range p.Turns {
		t := &p.Turns[i]
		if over := t.WorstEnd(); over.After(end) {
			end = over
		}
		if over := t.WorstEnd(); !t.Deferred && over.After(fixed) {
			fixed = over
		}
	}
	if len(p.Turns) > 0 {
		s.LateS, s.EndS = p.lateS(fixed, end), secondsTo(p.Made, end)
	}
	s.interruptions(p)
	s.WholeGroups = len(wholeGroups(f, p))
	if p.Target != nil {
		s.ExposureS = ExposureS(f, p, func(string) int64 { return 1 })
	}
	return s
}

// lateS is how far a plan is past the worse of its limits. Disclosure is none where the fix waits for it.
func (p *Plan) lateS(fixed, end time.Time) (late int64) {
	by := p.Policy.FinishBy
	if t := p.Target; t != nil {
		waits := t.EmbargoDeploy != "" && t.EmbargoDeploy != "yes"
		if t.Disclosure.After(p.Made) && !waits {
			late = secondsTo(t.Disclosure, fixed)
		}
		if !t.FinishBy.IsZero() {
			by = t.FinishBy
		}
	}
	if !by.IsZero() {
		late = max(late, secondsTo(by, end))
	}
	return late
}

// interruptions counts what slots and ways home do to whom.
func (s *Toll) interruptions(p *Plan) {
	tenants, stopped := map[string]bool{}, map[string]bool{}
	each := make(map[string]int, len(p.Slots))
	for i := range p.Slots {
		switch slot := &p.Slots[i]; slot.Class {
		case ClassOutage:
			s.Stops++
			stopped[slot.Tenant] = true
			tenants[slot.Tenant] = true
			each[slot.Instance]++
		case ClassBlip:
			tenants[slot.Tenant] = true
			each[slot.Instance]++
		}
	}
	for i := range p.Moves {
		if m := &p.Moves[i]; m.Home {
			each[m.Instance]++
		}
	}
	for _, n := range each {
		s.MostEach = max(s.MostEach, n)
		s.Again += n - 1
	}
	delete(tenants, "")
	delete(stopped, "")
	s.TenantsStopped, s.Tenants = len(stopped), len(tenants)
}

// wholeGroups names the groups of which one promised slot takes in all members.
func wholeGroups(f *fleet.Fleet, p *Plan) (ids []string) {
	if len(f.Groups) == 0 {
		return nil
	}
	type promise struct{ start, end int64 }
	slots := map[string][]promise{} // by instance, of those in groups
	members := fleet.NewIndex(f).Members
	for _, of := range members {
		for _, m := range of {
			slots[m.ID] = nil
		}
	}
	for i := range p.Slots {
		s := &p.Slots[i]
		if of, grouped := slots[s.Instance]; grouped && (s.Class == ClassBlip || s.Class == ClassOutage) {
			slots[s.Instance] = append(of, promise{s.Start.Unix(), s.End.Unix()})
		}
	}
	for i := range f.Groups {
		of := members[f.Groups[i].ID]
		if len(of) < 2 || f.Groups[i].Together {
			continue
		}
		hit, whole := map[promise]int{}, false
		for _, m := range of {
			seen := map[promise]bool{}
			for _, s := range slots[m.ID] {
				if !seen[s] {
					seen[s] = true
					hit[s]++
					whole = whole || hit[s] == len(of)
				}
			}
		}
		if whole {
			ids = append(ids, f.Groups[i].ID)
		}
	}
	return ids
}

// secondsTo is from a to b; 0 where b comes first.
func secondsTo(a, b time.Time) int64 { return max(0, int64(b.Sub(a)/time.Second)) }
