package audit

import (
	"math"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// bounds asks whether what a plan says of its own quality can be true (law 10): its numbers are those of
// its own lists, no lower bound is above what the plan itself achieves, and each ratio is that of the two. A
// plan that says nothing of it is not asked.
func (d *dossier) bounds() {
	b, c := d.p.Bounds, d.p.Counts
	if b == (plan.Bounds{}) {
		return
	}
	d.bound("waves", int64(c.Waves), int64(b.WavesMin), b.WavesRatio)
	d.bound("moves", int64(c.Moves), int64(b.MovesMin), b.MovesRatio)
	d.must(b.WavesMin > 0 || len(d.p.Turns) == 0, 10, "bound", Subject{}, time.Time{}, "at least one wave for a turn", "the plan has %d turns, and says that %d waves could do", len(d.p.Turns), b.WavesMin)
	if b.MakespanRatio == 0 && b.MakespanS == 0 { // one from before plans said it
		return
	}
	d.bound("seconds", b.MakespanS, b.MakespanMinS, b.MakespanRatio)
	span := d.makespan()
	d.must(b.MakespanS == span, 10, "makespan", Subject{}, time.Time{}, "the seconds from the first start to the last end at worst", "the plan says that it takes %d s, its turns take %d", b.MakespanS, span)
	m1 := d.mustMove()
	d.must(b.MovesM1 == m1, 10, "moves-m1", Subject{}, time.Time{}, "the instances that must leave a host, and the ways home", "the plan says that %d moves are needed at least, %d instances leave the hosts on which they were, or come home", b.MovesM1, m1)
	d.must(b.MovesM1 <= b.MovesM2 && b.MovesM2 <= b.MovesMin, 10, "bound", Subject{}, time.Time{}, "moves_m1 <= moves_m2 <= moves_min", "the plan says that at least %d moves are needed, or %d, or %d", b.MovesM1, b.MovesM2, b.MovesMin)
}

// bound asks whether a bound is within what the plan does, and the ratio that of the two.
func (d *dossier) bound(what string, does, least int64, said float64) {
	d.must(least >= 0 && least <= does, 10, "bound", Subject{}, time.Time{}, "a lower bound that the plan itself does not go below", "the plan takes %d %s, and says that no plan takes fewer than %d", does, what, least)
	real := 1.0
	if least > 0 {
		real = float64(does) / float64(least)
	}
	d.must(math.Abs(said-real) <= 0.0051, 10, "ratio", Subject{}, time.Time{}, "the plan's number by its bound, 1 where both are none", "the plan says that its %s are %.2f times the bound, they are %.2f", what, said, real)
}

// makespan is how long the plan takes at worst, in seconds.
func (d *dossier) makespan() int64 {
	if len(d.ordered) == 0 {
		return 0
	}
	var end time.Time
	for _, t := range d.ordered {
		end = latest(end, worst(t))
	}
	return int64(end.Sub(d.ordered[0].Start) / time.Second)
}

// mustMove counts who moves away, in its host's turn, from where it was at the outset, and the ways home.
func (d *dossier) mustMove() (n int) {
	for i := range d.p.Slots {
		s := &d.p.Slots[i]
		in, t := d.instances[s.Instance], d.turns[s.Turn]
		if in != nil && t != nil && in.Host == t.Host && s.Disposition == plan.DispLiveMigrate {
			n++
		}
	}
	for i := range d.p.Moves {
		if d.p.Moves[i].Home {
			n++
		}
	}
	return n
}

// profile asks whether a plan that calls itself one of bounds was made by a policy that lifts all that is for
// people's sake or for safety's (law 10): else its numbers are no measure.
func (d *dossier) profile() {
	p, pol := d.p, d.p.Policy
	known := p.Profile == "" || p.Profile == plan.Careful || p.Profile == plan.Bound
	d.must(known, 10, "profile", Subject{}, time.Time{}, "careful or bound", "the plan's profile is %q", p.Profile)
	if p.Profile != plan.Bound {
		return
	}
	always := false
	for _, w := range pol.Windows {
		always = always || w.Always && len(w.Regions)+len(w.Sites) == 0 && w.Hypervisor == ""
	}
	for _, rule := range []struct {
		name   string
		lifted bool
	}{
		{"windows", always}, {"freezes", len(pol.Freezes) == 0}, {"slot", time.Duration(pol.Slot) >= 24*time.Hour}, {"slot_by", pol.SlotBy != "auto"}, {"lead", pol.Lead == plan.Lead{}},
		{"canary", !pol.Canary}, {"max_away_percent", pol.MaxAwayPercent >= 100}, {"keep_reserve", !pol.KeepReserve},
		{"away_per_rack", pol.AwayPerRack == 0}, {"away_per_region", pol.AwayPerRegion == 0},
		{"stagger_sites", !pol.StaggerSites}, {"stagger_regions", !pol.StaggerRegions}, {"stagger_racks", !pol.StaggerRacks}, {"stagger_gap", pol.StaggerGap == plan.Gap{}}, {"moves_per_pool", pol.MovesPerPool >= 1_000_000},
		{"moves_per_rack", pol.MovesPerRack == 0}, {"moves_per_region", pol.MovesPerRegion == 0},
		{"min_stay", pol.MinStay == 0}, {"bring_home", !returns(&pol) && !settles(&pol)},
	} {
		d.must(rule.lifted, 10, "bound-policy", Subject{}, time.Time{}, "a policy that lifts it, or the careful profile", "the plan is one of bounds, and its policy still keeps %s", rule.name)
	}
}
