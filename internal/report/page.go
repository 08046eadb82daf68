package report

import (
	_ "embed" // the page's template and style
	"html/template"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/audit"
)

//go:embed page.html.tmpl
var pageText string

//go:embed page.css
var pageStyle string

// unfolded is how many rows a table of the page may have to be shown at once; longer ones open on
// demand.
const unfolded = 40

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"stamp": stamp, "ms": ms, "dash": dash, "slot": slotWords, "join": strings.Join,
	"seconds": spanS,
	"whole":   func(s int64) string { return span(time.Duration(s) * time.Second) },
	"short":   func(n int) bool { return n <= unfolded },
	"clock": func(t time.Time) string {
		if t.IsZero() {
			return "not over"
		}
		return t.UTC().Format("15:04:05")
	},
	"badge":   newBadge,
	"verdict": verdictLine,
	"lawName": audit.LawName,
	"held":    func(h Host) int { return len(h.Steps) + len(h.Holds) },
	"unfold":  func(h Host, all int) bool { return all <= 4 || h.State == HostHeld || h.State == HostActive },
}).Parse(pageText))

// badge is a state with its colour and sign.
type badge struct{ Class, Glyph, Word string }

func newBadge(state any) badge {
	word := ""
	switch s := state.(type) {
	case string:
		word = s
	case State:
		word = string(s)
	case HostState:
		word = string(s)
	case Outcome:
		word = string(s)
	case Result:
		word = string(s)
	}
	return badge{classOf(word), glyphOf(word), word}
}

// mostRows is how many rows a table of the page holds; the JSON form holds all.
const mostRows = 2000

// page is all that the template reads.
type page struct {
	*Report
	Rows     map[string]int // how many there are, by table
	Left     map[string]int // of those, how many the page leaves out
	Verdict  *audit.Verdict
	Timeline *timeline
	Style    template.CSS
	Tiles    []tile
	Summary  [][2]string
	Troubled []Promise // that were not kept, or are not proven to be
	Now      badge     // where the campaign stands
}

// phaseBadge: a campaign under way is moving; one that ended is done only when all of it is.
func phaseBadge(r *Report) badge {
	state := string(r.State)
	switch {
	case r.State == Running:
		state = "moving"
	case r.State == Finished && r.Why == "done":
		state = "done"
	case r.State == Finished || r.State == Aborted:
		state = "held"
	}
	return badge{classOf(state), glyphOf(state), string(r.State)}
}

// tile is one big number.
type tile struct{ Name, Value, Note, Class, Glyph string }

// HTML writes the report as one page that needs nothing but itself: no script, no font, no request.
// v is the auditor's verdict; nil: it was not asked.
func HTML(w io.Writer, r *Report, v *audit.Verdict) error {
	p := page{Verdict: v, Timeline: newTimeline(r), Style: template.CSS(pageStyle), // our own file, not anybody's input
		Tiles: tiles(r, v), Summary: summary(r), Now: phaseBadge(r), Rows: map[string]int{}, Left: map[string]int{}}
	p.Troubled = rows(&p, "troubled", troubled(r))
	short := *r
	short.Promises = rows(&p, "promises", r.Promises)
	short.Hosts = rows(&p, "hosts", r.Hosts)
	short.Notices = rows(&p, "notices", r.Notices)
	short.Acts = rows(&p, "acts", r.Acts)
	short.Events = rows(&p, "events", r.Events)
	short.Wrong = rows(&p, "wrong", r.Wrong)
	short.NeverBack = rows(&p, "never", r.NeverBack)
	short.Away = rows(&p, "away", r.Away)
	short.Instances = rows(&p, "instances", r.Instances)
	p.Report = &short
	return pageTemplate.Execute(w, p)
}

// rows gives what the page shows of a table.
func rows[T any](p *page, table string, all []T) []T {
	p.Rows[table] = len(all)
	if len(all) <= mostRows {
		return all
	}
	p.Left[table] = len(all) - mostRows
	return all[:mostRows]
}

func troubled(r *Report) (out []Promise) {
	for _, p := range r.Promises {
		if p.Outcome == Overrun || p.Outcome == Unproven {
			out = append(out, p)
		}
	}
	return out
}

func tiles(r *Report, v *audit.Verdict) []tile {
	n := r.Totals
	of := func(name string, have, all int, note string) tile {
		state := "done"
		if have < all {
			state = "waiting"
			if r.State == Finished {
				state = "held"
			}
		}
		return tile{name, strconv.Itoa(have) + " / " + strconv.Itoa(all), note, classOf(state), glyphOf(state)}
	}
	out := []tile{
		of("hosts done", n.HostsDone, n.HostsPlanned, rebootWords(n)),
		of("instances running", n.InstancesRunning, n.InstancesBefore, strconv.Itoa(len(r.NeverBack))+" never came back"),
		of("promises kept", n.Promises[Kept], len(r.Promises), r.PromiseCounts()),
		of("notices accepted", n.NoticesAccepted, n.NoticesAsked, strconv.Itoa(n.NoticesFailed)+" failed attempts"),
	}
	if len(r.NeverBack) > 0 {
		out[1].Class, out[1].Glyph = "broken", glyphOf("broken")
	}
	if n.Promises[Overrun] > 0 {
		out[2].Class, out[2].Glyph = "broken", glyphOf("broken")
	}
	switch {
	case v == nil:
		out = append(out, tile{"violations", "-", "the auditor was not asked", "waiting", glyphOf("waiting")})
	case len(v.Findings) > 0:
		out = append(out, tile{"violations", strconv.Itoa(len(v.Findings)), "see the verdict below", "broken", glyphOf("broken")})
	default:
		out = append(out, tile{"violations", "0", "by the auditor", "done", glyphOf("done")})
	}
	return out
}

// rebootWords says what was done to hosts.
func rebootWords(n Totals) string {
	words := strconv.Itoa(n.Rebooted) + " rebooted"
	if n.Patched > 0 {
		words = strconv.Itoa(n.Patched) + " live-patched, " + words
	}
	return words
}

func summary(r *Report) [][2]string {
	rows := [][2]string{
		{"applied", stamp(r.Applied) + " by " + dash(r.By)},
		{"planned", stamp(r.PlannedStart) + " to " + stamp(r.PlannedEnd)},
		{"actual", stamp(r.Began) + " to " + r.end()},
	}
	if r.Target != "" {
		rows = append(rows, [2]string{"target", r.Target})
	}
	if len(r.Fixes) > 0 {
		rows = append(rows, [2]string{"fixes", strings.Join(r.Fixes, ", ")})
	}
	if !r.Disclosure.IsZero() {
		rows = append(rows, [2]string{"disclosure", stamp(r.Disclosure) + "; before that this page is for operators only"})
	}
	return append(rows,
		[2]string{"touched", strconv.Itoa(r.Totals.InstancesTouched) + " instances of " + strconv.Itoa(r.Totals.TenantsTouched) + " tenants"},
		[2]string{"hosts", rebootWords(r.Totals)}, [2]string{"moves", r.moves()}, [2]string{"stops", r.stops()}, [2]string{"trouble", r.trouble()}, [2]string{"exposure", r.exposure()})
}
