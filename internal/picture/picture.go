// Package picture draws a plan as SVG: a row for each site, and on one scale of time the windows that are used,
// the slots that are promised and the waves in them, so that one sees in ten seconds what happens when and where.
//
// It decides nothing and reads no clock; the same plan gives the same bytes. Hours in which nothing happens
// anywhere are cut short, for a plan of a week is a few nights and much day between them.
//
// Start reading at Plan, then rows.go (what is drawn of each site) and scale.go (where).
package picture

import (
	"fmt"
	"html"
	"io"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// Sizes, in the picture's own units.
const (
	wide     = 1120.0
	left     = 190.0 // of the scale
	right    = 960.0
	headHigh = 112.0
	rowHigh  = 46.0
	footHigh = 64.0
)

// Plan draws a plan; zone gives a site's time zone, nil where it is not known. A plan without turns has
// nothing to draw but its verdict.
func Plan(w io.Writer, p *plan.Plan, zone func(site string) *time.Location) error {
	rows := rowsOf(p)
	d := &drawing{plan: p, zone: zone, scale: scaleOf(p, left, right), high: headHigh + rowHigh*float64(len(rows)) + footHigh}
	d.head()
	d.nights(len(rows))
	for i := range rows {
		d.row(headHigh+rowHigh*float64(i), &rows[i], i == 0 || rows[i-1].region != rows[i].region)
	}
	d.limits(len(rows))
	d.legend()
	d.put(`</svg>`)
	_, err := io.WriteString(w, d.b.String())
	return err
}

type drawing struct {
	b     strings.Builder
	plan  *plan.Plan
	zone  func(site string) *time.Location
	scale scale
	high  float64
}

func (d *drawing) put(format string, args ...any) { fmt.Fprintf(&d.b, format+"\n", args...) }

func (d *drawing) text(class string, x, y float64, anchor, words string) {
	d.put(`<text class="%s" x="%.1f" y="%.1f" text-anchor="%s">%s</text>`, class, x, y, anchor, html.EscapeString(words))
}

const style = `<style>
.paper{fill:#fff}text{fill:#1d2329;font-size:12px}.title{font-size:16px;font-weight:bold}.small{fill:#5b6470;font-size:11px}
.site{font-weight:bold}.rule{stroke:#d5dae1}.cut{stroke:#b8c0cc;stroke-dasharray:2 3}.window{fill:#eef2f7}.slot{fill:none;stroke:#5b6470;stroke-dasharray:3 2}
.live-patch{fill:#2e7d5b}.refresh{fill:#5a6fc0}.evacuate{fill:#1f5fbf}.suspend{fill:#b4541a}.reboot{fill:#b3261e}.worst{fill-opacity:.35}
.on{fill:#fff;font-size:11px;font-weight:bold}.canary{fill:#f2b705;stroke:#1d2329;stroke-width:.7}.limit{stroke:#b3261e;stroke-width:2;stroke-dasharray:5 3}.red{fill:#b3261e}
@media (prefers-color-scheme: dark){.paper{fill:#0d1117}text{fill:#e6edf3}.small{fill:#9aa4b0}.rule{stroke:#30363d}.cut{stroke:#484f58}.window{fill:#1c2430}
.slot{stroke:#9aa4b0}.live-patch{fill:#56b98c}.refresh{fill:#8fa0ef}.evacuate{fill:#6ea8fe}.suspend{fill:#f0a36b}.reboot{fill:#ff8a80}.on{fill:#0d1117}
.canary{stroke:#e6edf3}.limit{stroke:#ff8a80}.red{fill:#ff8a80}}
</style>`

func (d *drawing) head() {
	p := d.plan
	d.put(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %.0f" font-family="sans-serif" role="img" aria-label="%s">`, wide, d.high,
		html.EscapeString("plan "+p.Campaign+": windows, slots and waves by site"))
	d.put(style)
	d.put(`<rect class="paper" width="%.0f" height="%.0f"/>`, wide, d.high)
	d.text("title", 14, 26, "start", clipped(p.Campaign, 100))
	for i, line := range folded(p.Verdict, 150, 2) {
		d.text("verdict", 14, 46+16*float64(i), "start", line)
	}
	d.text("small", right+16, headHigh-8, "start", "hosts  ·  touched  ·  stopped")
}

// folded breaks words into lines of at most so many letters, and so many lines.
func folded(words string, letters, lines int) (out []string) {
	line := ""
	for _, w := range strings.Fields(words) {
		if line != "" && len(line)+1+len(w) > letters {
			if out = append(out, line); len(out) == lines {
				out[lines-1] += " ..."
				return out
			}
			line = ""
		}
		line = strings.TrimSpace(line + " " + w)
	}
	return append(out, line)
}

// clipped shortens a name to so many letters: what is longer would be written over what stands beside it.
func clipped(name string, letters int) string {
	if r := []rune(name); len(r) > letters {
		return string(r[:letters-1]) + "…"
	}
	return name
}

// nights names each stretch of the scale by its day and its first and last hour, in UTC.
func (d *drawing) nights(rows int) {
	bottom := headHigh + rowHigh*float64(rows)
	free := left // up to where something is written already
	for i, s := range d.scale.stretches {
		from := d.scale.x(s.from)
		if i > 0 {
			d.put(`<path class="cut" d="M%.1f %.1fV%.1f"/>`, from-d.scale.gap/2, headHigh-4, bottom)
		}
		hours := s.from.UTC().Format("15:04") + " to " + s.to.UTC().Format(hourAfter(s))
		wide := max(90, 5.8*float64(len(hours)))
		if from < free || from+wide > right {
			continue // no room for its name
		}
		d.text("site", from, headHigh-22, "start", s.from.UTC().Format("Mon 2 Jan"))
		d.text("small", from, headHigh-8, "start", hours)
		free = from + wide + 14
	}
}

// hourAfter is how the end of a stretch is written: with its day where it is a day
// or more after the beginning.
func hourAfter(s stretch) string {
	if s.to.Sub(s.from) >= 24*time.Hour {
		return "Mon 2 Jan 15:04"
	}
	return "15:04"
}

// limits draws what turns must not be past.
func (d *drawing) limits(rows int) {
	by := d.plan.Policy.FinishBy
	bottom := headHigh + rowHigh*float64(rows)
	if t := d.plan.Target; t != nil {
		if !t.FinishBy.IsZero() {
			by = t.FinishBy
		}
		d.limit("disclosure", t.Disclosure, bottom, bottom+30) // on a line of its own: both may be at one time
	}
	d.limit("finish by", by, bottom, bottom+16)
}

func (d *drawing) limit(name string, at time.Time, bottom, line float64) {
	if at.IsZero() {
		return
	}
	words := name + " " + at.UTC().Format("Mon 2 Jan 15:04")
	switch {
	case len(d.scale.stretches) == 0:
		d.text("red", right, line, "end", words)
	case at.Before(d.scale.from()):
		d.text("red", left, line, "start", words+", before all of it")
	case at.After(d.scale.to()):
		d.text("red", right, line, "end", words+", later than all of it")
	default:
		x := d.scale.x(at)
		d.put(`<path class="limit" d="M%.1f %.1fV%.1f"/>`, x, headHigh-4, line-12)
		d.text("red", x, line, "middle", words)
	}
}

func (d *drawing) legend() {
	y, x := d.high-18, 14.0
	d.put(`<rect class="window" x="%.1f" y="%.1f" width="22" height="12"/>`, x, y-10)
	d.text("small", x+28, y, "start", "window")
	d.put(`<rect class="slot" x="%.1f" y="%.1f" width="22" height="12"/>`, x+84, y-10)
	d.text("small", x+112, y, "start", "slot promised")
	x += 206
	for _, t := range []plan.Tactic{plan.LivePatch, plan.Refresh, plan.Evacuate, plan.Suspend, plan.Reboot} {
		if !d.has(t) {
			continue
		}
		d.put(`<rect class="%s" x="%.1f" y="%.1f" width="14" height="12"/><rect class="%s worst" x="%.1f" y="%.1f" width="14" height="12"/>`, t, x, y-10, t, x+14, y-10)
		d.text("small", x+34, y, "start", string(t)+", at worst")
		x += 54 + 5.5*float64(len(t)+len(", at worst"))
	}
	d.put(`<path class="canary" d="M%.1f %.1fl5 5l-5 5l-5 -5z"/>`, x+5, y-9)
	d.text("small", x+16, y, "start", "canary")
	d.text("small", wide-14, 26, "end", "times in UTC; idle hours are cut out")
}

func (d *drawing) has(tactic plan.Tactic) bool {
	for i := range d.plan.Turns {
		if d.plan.Turns[i].Tactic == tactic {
			return true
		}
	}
	return false
}
