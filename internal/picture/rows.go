package picture

import (
	"cmp"
	"fmt"
	"html"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// row is what happens in one site.
type row struct {
	region, site     string
	windows          []stretch
	waves            []block
	hosts            int
	touched, stopped map[string]bool // instances
}

// block is what one wave does in one site by one tactic.
type block struct {
	number          int
	tactic          plan.Tactic
	canary          bool
	hosts           int
	from, end, most time.Time // most: the end at worst
	slots           stretch   // from the first slot's start to the last one's end; zero: nobody is disturbed
}

// rowsOf sorts a plan's turns by region and site.
func rowsOf(p *plan.Plan) []row {
	regionOf := map[string]string{}
	if p.Fleet != nil {
		for _, s := range p.Fleet.Sites {
			regionOf[s.ID] = s.Region
		}
	}
	rows, turns := map[string]*row{}, map[string]*plan.Turn{}
	for i := range p.Turns {
		t := &p.Turns[i]
		turns[t.ID] = t
		r := rows[t.Site]
		if r == nil {
			r = &row{region: regionOf[t.Site], site: t.Site, touched: map[string]bool{}, stopped: map[string]bool{}}
			rows[t.Site] = r
		}
		r.take(t)
	}
	for i := range p.Slots {
		if t := turns[p.Slots[i].Turn]; t != nil {
			rows[t.Site].promise(t, &p.Slots[i])
		}
	}
	out := make([]row, 0, len(rows))
	for _, r := range rows {
		r.windows = merged(r.windows)
		out = append(out, *r)
	}
	slices.SortFunc(out, func(a, b row) int {
		return cmp.Or(strings.Compare(a.region, b.region), strings.Compare(a.site, b.site))
	})
	return out
}

func (r *row) take(t *plan.Turn) {
	r.hosts++
	if !t.WindowStart.IsZero() && t.WindowEnd.Sub(t.WindowStart) <= 24*time.Hour {
		r.windows = append(r.windows, stretch{t.WindowStart, t.WindowEnd})
	}
	b := r.block(t)
	b.hosts++
	b.canary = b.canary || t.Canary
	if b.from.IsZero() || t.Start.Before(b.from) {
		b.from = t.Start
	}
	b.end = latest(b.end, t.End)
	b.most = latest(b.most, t.Start.Add(time.Duration(t.WorstS)*time.Second))
}

// block finds the one of a turn, and makes it where there is none.
func (r *row) block(t *plan.Turn) *block {
	for i := len(r.waves) - 1; i >= 0; i-- { // turns are in the order of their waves
		if b := &r.waves[i]; b.number == t.Wave && b.tactic == t.Tactic {
			return b
		}
	}
	r.waves = append(r.waves, block{number: t.Wave, tactic: t.Tactic})
	return &r.waves[len(r.waves)-1]
}

func (r *row) promise(t *plan.Turn, s *plan.Slot) {
	if s.Class != plan.ClassBlip && s.Class != plan.ClassOutage {
		return
	}
	r.touched[s.Instance] = true
	if s.Class == plan.ClassOutage {
		r.stopped[s.Instance] = true
	}
	b := r.block(t)
	if b.slots.from.IsZero() || s.Start.Before(b.slots.from) {
		b.slots.from = s.Start
	}
	b.slots.to = latest(b.slots.to, s.End)
}

// row draws one, with its region's name where it is the first of it.
func (d *drawing) row(y float64, r *row, first bool) {
	d.put(`<path class="rule" d="M14 %.1fH%.0f"/>`, y, wide-14)
	d.text("site", 14, y+19, "start", clipped(r.site, 22))
	under := ""
	if first && r.region != "" {
		under = "region " + r.region
	}
	if zone := d.zone(r.site); zone != nil && zone != time.UTC {
		under = strings.TrimPrefix(under+", "+zone.String(), ", ")
	}
	d.text("small", 14, y+35, "start", clipped(under, 29))
	for _, w := range r.windows {
		from, to := d.scale.x(w.from), d.scale.x(w.to)
		d.put(`<rect class="window" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`, from, y+4, to-from, rowHigh-8)
	}
	promised := map[stretch]bool{} // several waves may lie in one slot
	for i := range r.waves {
		if s := r.waves[i].slots; !s.from.IsZero() && !promised[s] {
			promised[s] = true
			from, to := d.scale.x(s.from), d.scale.x(s.to)
			d.put(`<rect class="slot" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="3"/>`, from, y+7, max(3, to-from), rowHigh-14)
		}
	}
	for i := range r.waves {
		d.block(y, r, &r.waves[i])
	}
	d.text("count", right+16, y+27, "start", fmt.Sprintf("%d  ·  %d  ·  %d", r.hosts, len(r.touched), len(r.stopped)))
}

func (d *drawing) block(y float64, r *row, b *block) {
	from, end, most := d.scale.x(b.from), d.scale.x(b.end), d.scale.x(b.most)
	words := fmt.Sprintf("%s, wave %d: %s, %d host(s), %s to %s expected, %s at worst (UTC)", r.site, b.number, b.tactic, b.hosts,
		b.from.UTC().Format("2 Jan 15:04"), b.end.UTC().Format("15:04"), b.most.UTC().Format("15:04"))
	d.put(`<g><title>%s</title><rect class="%s worst" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/><rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f"/>`,
		html.EscapeString(words), b.tactic, from, y+12, max(2, most-from), rowHigh-24, b.tactic, from, y+12, max(2, end-from), rowHigh-24)
	if label := fmt.Sprint(b.hosts); end-from > 7*float64(len(label))+3 {
		d.text("on", (from+end)/2, y+27, "middle", label)
	}
	if b.canary {
		d.put(`<path class="canary" d="M%.1f %.1fl5 5l-5 5l-5 -5z"/>`, from, y+4)
	}
	d.put(`</g>`)
}
