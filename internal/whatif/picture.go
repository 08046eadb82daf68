package whatif

import (
	"fmt"
	"html"
	"io"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// The picture, in its own units.
const (
	barsLeft, barsWide = 150.0, 420.0
	rowHigh, headHigh  = 30.0, 74.0
	wide               = 860.0
)

// Picture draws a comparison as SVG: a bar from the first turn to the end of the last for each way, on one
// scale of time from now on, and beside it whom it touches. The same comparison gives the same bytes.
func Picture(w io.Writer, c Comparison) error {
	rows := c.shown()
	var last time.Time
	for _, r := range rows {
		if r.End.After(last) {
			last = r.End
		}
	}
	if c.Deadline != nil && c.Deadline.At.After(last) {
		last = c.Deadline.At
	}
	d := drawing{now: c.Now, span: max(last.Sub(c.Now), time.Minute), high: headHigh + rowHigh*float64(len(rows)) + 46}
	d.head(c)
	d.scale(len(rows))
	for i := range rows {
		d.row(i, &rows[i])
	}
	d.deadline(c.Deadline, len(rows))
	d.foot()
	_, err := io.WriteString(w, d.b.String())
	return err
}

type drawing struct {
	b    strings.Builder
	now  time.Time
	span time.Duration
	high float64
}

func (d *drawing) put(format string, args ...any) { fmt.Fprintf(&d.b, format+"\n", args...) }

func (d *drawing) x(at time.Time) float64 {
	return barsLeft + barsWide*float64(at.Sub(d.now))/float64(d.span)
}

func (d *drawing) head(c Comparison) {
	title := fmt.Sprintf("%s: when it is over, and whom it touches", c.Campaign)
	d.put(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="sans-serif" role="img" aria-label="%s">`, wide, d.high, html.EscapeString(title))
	d.put(`<style>
.paper{fill:#fff}.grid{stroke:#d5dae1}text{fill:#1d2329;font-size:12px}.title{font-size:15px;font-weight:bold}.small{fill:#5b6470;font-size:11px}
.bar{fill:#8fb3e8}.best{fill:#1f5fbf}.left{fill:#d99a9a}.limit{stroke:#b3261e;stroke-width:2;stroke-dasharray:5 3}.red{fill:#b3261e}.name{font-weight:bold}
@media (prefers-color-scheme: dark){.paper{fill:#0d1117}.grid{stroke:#30363d}text{fill:#e6edf3}.small{fill:#9aa4b0}
.bar{fill:#38547e}.best{fill:#6ea8fe}.left{fill:#7a3b3b}.limit{stroke:#ff8a80}.red{fill:#ff8a80}}
</style>`)
	d.put(`<rect class="paper" width="%.0f" height="%.0f"/>`, wide, d.high)
	if shown := []rune(title); len(shown) > 90 { // the whole of it is told by aria-label
		title = "…" + string(shown[len(shown)-89:])
	}
	d.put(`<text class="title" x="14" y="24">%s</text>`, html.EscapeString(title))
	d.put(`<text class="small" x="14" y="42">%s, %s, %s</text>`, many(c.Hosts, "host"), many(c.Instances, "instance"), many(c.Tenants, "tenant"))
	d.put(`<text class="small" x="%.0f" y="62">tenants touched</text><text class="small" x="%.0f" y="62">stopped</text><text class="small" x="%.0f" y="62">hosts left</text>`,
		columns[0], columns[1], columns[2])
}

// columns of what stands beside the bars.
var columns = [...]float64{595, 710, 785}

// scale draws a line for each step of time.
func (d *drawing) scale(rows int) {
	step := stepOf(d.span)
	for at := time.Duration(0); at <= d.span; at += step {
		x := d.x(d.now.Add(at))
		label := plan.Lasting(int64(at.Seconds()))
		if at == 0 {
			label = "now"
		}
		d.put(`<path class="grid" d="M%.1f 68V%.1f"/><text class="small" x="%.1f" y="62" text-anchor="middle">%s</text>`, x, headHigh+rowHigh*float64(rows), x, label)
	}
}

// stepOf is the shortest of the steps that people count in of which at most five fit.
func stepOf(span time.Duration) time.Duration {
	const day = 24 * time.Hour
	for _, s := range []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 2 * time.Hour, 6 * time.Hour, 12 * time.Hour, day, 2 * day, 5 * day, 10 * day, 30 * day, 100 * day} {
		if span/s <= 5 {
			return s
		}
	}
	return span / 5
}

func (d *drawing) row(i int, r *Row) {
	y := headHigh + rowHigh*float64(i)
	class := "bar"
	if r.Best {
		class = "best"
	}
	d.put(`<g><title>%s</title><text class="name" x="14" y="%.1f">%s</text>`, html.EscapeString(r.What), y+19, html.EscapeString(r.Name))
	if r.Turns > 0 {
		from, to := d.x(r.Start), d.x(r.End)
		d.put(`<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="14" rx="2"/>`, class, from, y+8, max(2, to-from))
	}
	d.put(`<text x="%.0f" y="%.1f">%d (%s %%)</text><text x="%.0f" y="%.1f">%d</text>`, columns[0], y+19, r.TenantsTouched, short(r.TouchedPercent), columns[1], y+19, r.TenantsStopped)
	if r.Blocked > 0 {
		d.put(`<text class="red" x="%.0f" y="%.1f">%d</text>`, columns[2], y+19, r.Blocked)
	} else {
		d.put(`<text x="%.0f" y="%.1f">0</text>`, columns[2], y+19)
	}
	d.put(`</g>`)
}

func (d *drawing) deadline(limit *Deadline, rows int) {
	if limit == nil || limit.At.Before(d.now) {
		return
	}
	x, bottom := d.x(limit.At), headHigh+rowHigh*float64(rows)
	d.put(`<path class="limit" d="M%.1f 68V%.1f"/><text class="red" x="%.1f" y="%.1f" text-anchor="middle">%s</text>`, x, bottom+4, min(x, barsLeft+barsWide-5), bottom+16, limit.name())
}

func (d *drawing) foot() {
	d.put(`<rect class="best" x="14" y="%.1f" width="22" height="10" rx="2"/>`, d.high-19)
	d.put(`<text class="small" x="42" y="%.1f">no other choice is over as early with as few tenants touched and stopped, and hosts left</text>`, d.high-10)
	d.put(`</svg>`)
}
