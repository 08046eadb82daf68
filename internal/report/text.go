package report

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/evenkeel/evenkeel/internal/audit"
)

// Text writes the report for people. It ends with the auditor's verdict; nil: it was not audited.
func Text(w io.Writer, r *Report, v *audit.Verdict) error {
	t := &text{w: w}
	t.head(r)
	t.hosts(r)
	t.promises(r)
	t.notices(r)
	t.wrong(r)
	t.cohorts(r)
	t.acts(r)
	t.events(r)
	t.ends(r)
	t.away(r)
	t.verdict(v)
	return t.err
}

// text writes lines; the first error stays.
type text struct {
	w   io.Writer
	err error
}

func (t *text) line(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.w, format+"\n", args...)
	}
}

func (t *text) title(s string) { t.line("\n%s", s) }

// table writes rows in columns as wide as their widest cell.
func (t *text) table(rows [][]string) {
	var wide []int
	for _, row := range rows {
		for n, cell := range row {
			if n == len(wide) {
				wide = append(wide, 0)
			}
			wide[n] = max(wide[n], utf8.RuneCountInString(cell))
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for n, cell := range row {
			line.WriteString("  " + cell + strings.Repeat(" ", wide[n]-utf8.RuneCountInString(cell)))
		}
		t.line("%s", strings.TrimRight(line.String(), " "))
	}
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func (t *text) head(r *Report) {
	t.line("%s: report on campaign %s, revision %d", dash(r.Public), r.Campaign, r.Revision)
	t.line("%s; %s", r.Phase(), r.Headline())
	rows := [][]string{
		{"applied", stamp(r.Applied) + " by " + dash(r.By)},
		{"planned", stamp(r.PlannedStart) + " to " + stamp(r.PlannedEnd)},
		{"actual", stamp(r.Began) + " to " + r.end()},
	}
	if r.Target != "" {
		fixes := r.Target
		if len(r.Fixes) > 0 {
			fixes += ", which fixes " + strings.Join(r.Fixes, ", ")
		}
		if !r.Disclosure.IsZero() {
			fixes += " (disclosure " + stamp(r.Disclosure) + "; before that for operators only)"
		}
		rows = append(rows, []string{"target", fixes})
	}
	n := r.Totals
	rows = append(rows,
		[]string{"touched", fmt.Sprintf("instances %d, tenants %d", n.InstancesTouched, n.TenantsTouched)},
		[]string{"hosts", rebootWords(n)}, []string{"moves", r.moves()}, []string{"stops", r.stops()}, []string{"trouble", r.trouble()}, []string{"exposure", r.exposure()})
	t.table(rows)
}

// end says when it was over, or how far the journal goes.
func (r *Report) end() string {
	if r.Ended.IsZero() {
		return "(not over; the journal ends " + stamp(r.Until) + ")"
	}
	return stamp(r.Ended)
}

func (r *Report) moves() string {
	n := r.Totals
	s := fmt.Sprintf("%d done, %d failed attempts", n.Moves, n.MovesFailed)
	if n.Moves > n.NotMeasured {
		s += fmt.Sprintf("; pause median %s, longest %s", ms(n.BlackoutMedianMs), ms(n.BlackoutMaxMs))
	}
	if n.NotMeasured > 0 {
		s += fmt.Sprintf("; %d not measured", n.NotMeasured)
	}
	return s
}

func (r *Report) stops() string {
	if r.Totals.Stops == 0 {
		return "none"
	}
	return fmt.Sprintf("%d and back; longest %s", r.Totals.Stops, ms(r.Totals.StopMaxMs))
}

func (r *Report) trouble() string {
	n := r.Totals
	return fmt.Sprintf("holds %d, retries %d, pauses %d, controller takeovers %d, by others %d, overruns %d",
		n.Holds, n.Retries, n.Pauses, n.Takeovers, n.Externals, n.Overruns)
}

func (r *Report) exposure() string {
	e := r.Exposure
	if !e.Counted {
		return "not counted: a routine cycle has nothing to fix"
	}
	return fmt.Sprintf("unfixed host-hours %.2f (%d hosts at the start, %d left), instance-hours %.2f (%d at the start, %d left)",
		e.HostHours, e.HostsAtStart, e.HostsLeft, e.InstanceHours, e.GuestsAtStart, e.GuestsLeft)
}

func (t *text) hosts(r *Report) {
	t.title("HOSTS")
	for i := range r.Hosts {
		h := &r.Hosts[i]
		t.line("  %s  %s%s", h.Name(), h.State, because(h.Why))
		if h.Wave > 0 {
			canary := ""
			if h.Canary {
				canary = ", canary"
			}
			t.line("      wave %d%s, %s; planned %s; began %s, %s", h.Wave, canary, h.Tactic, stamp(h.PlannedStart), stamp(h.Began), span(time.Duration(h.DurationS)*time.Second))
		}
		if h.Next != "" {
			t.line("      next: %s", h.Next)
		}
		var rows [][]string
		for _, s := range h.Steps {
			rows = append(rows, []string{"    " + s.Name, s.Start.UTC().Format("15:04:05"), spanS(s.Seconds), string(s.Result), s.Why})
		}
		for _, s := range h.Holds {
			rows = append(rows, []string{"    held", s.Start.UTC().Format("15:04:05"), spanS(s.Seconds), string(s.Result), "at " + s.Name + because(s.Why)})
		}
		t.table(rows)
		if len(h.Borrowed) > 0 {
			t.line("      not given back: %s", strings.Join(h.Borrowed, ", "))
		}
	}
}

func spanS(s float64) string { return span(time.Duration(s * float64(time.Second))) }

func (t *text) promises(r *Report) {
	t.title("PROMISES: " + r.PromiseCounts())
	rows := [][]string{{"INSTANCE", "TENANT", "CLASS", "SLOT", "TOLD EXPECTED/WORST", "ACTUAL", "TOLD AHEAD", "OUTCOME"}}
	for i := range r.Promises {
		p := &r.Promises[i]
		rows = append(rows, []string{p.Instance, dash(p.Tenant), string(p.Class), slotWords(p.Start, p.End),
			ms(p.ExpectedMs) + " / " + ms(p.WorstMs), p.Actual(), p.Ahead(), string(p.Outcome) + because(p.Why)})
	}
	t.table(rows)
}

func slotWords(from, to time.Time) string {
	return from.UTC().Format("2006-01-02 15:04") + "-" + to.UTC().Format("15:04Z")
}

// Actual is what was done, in words.
func (p Promise) Actual() string {
	switch {
	case p.From.IsZero():
		return "nothing"
	case p.To.IsZero():
		return "since " + p.From.UTC().Format("15:04:05") + ", not over"
	}
	return fmt.Sprintf("%s (%s-%s)", ms(p.ActualMs), p.From.UTC().Format("15:04:05"), p.To.UTC().Format("15:04:05"))
}

// Ahead says how long before the first disruption its notice was accepted.
func (p Promise) Ahead() string {
	if !p.Told {
		return "not told"
	}
	return span(time.Duration(p.ToldAheadS) * time.Second)
}

func (t *text) notices(r *Report) {
	n := r.Totals
	t.title(fmt.Sprintf("NOTICES: %d asked for, %d accepted, %d failed attempts", n.NoticesAsked, n.NoticesAccepted, n.NoticesFailed))
	rows := [][]string{{"TENANT", "KIND", "PROMISES", "ACCEPTED", "BY", "AHEAD OF FIRST DISRUPTION", "FAILURES"}}
	for i := range r.Notices {
		x := &r.Notices[i]
		rows = append(rows, []string{x.Tenant, x.Kind, fmt.Sprint(len(x.Slots)), x.accepted(), dash(x.Contact), x.Ahead(), fmt.Sprint(x.Failures) + because(x.Why)})
	}
	t.table(rows)
}

func (x *Notice) accepted() string {
	if x.Accepted.IsZero() {
		return "by nobody"
	}
	return stamp(x.Accepted)
}

// Ahead says how long before the first disruption of its slots it was accepted.
func (x Notice) Ahead() string {
	switch {
	case !tellsAhead(x.Kind) || x.Accepted.IsZero():
		return "-"
	case x.FirstDisruption.IsZero():
		return "no disruption so far"
	}
	return span(x.FirstDisruption.Sub(x.Accepted))
}

func (t *text) acts(r *Report) {
	t.title("MOVES AND STOPS")
	rows := [][]string{{"START", "WHAT", "INSTANCE", "FROM", "TO", "TOOK", "INTERRUPTED", "RESULT"}}
	for i := range r.Acts {
		a := &r.Acts[i]
		took := "-"
		if !a.End.IsZero() {
			took = span(a.End.Sub(a.Start))
		}
		rows = append(rows, []string{stamp(a.Start), a.Kind, a.Instance, a.From, dash(a.To), took, a.Interrupted(), string(a.Result) + because(a.Why)})
	}
	t.table(rows)
}

// Interrupted says for how long. Of an attempt that failed nothing was measured, of one under way
// nothing yet.
func (a Act) Interrupted() string {
	if a.Result == Open {
		return "-"
	}
	return ms(a.Ms)
}

func (t *text) events(r *Report) {
	t.title("WHAT WENT OTHERWISE")
	if len(r.Events) == 0 {
		t.line("  nothing")
	}
	for _, e := range r.Events {
		t.line("  %s  %s%s", stamp(e.At), e.Subject(), e.Text)
	}
	for _, m := range r.Misfits {
		t.line("  does not fit: %s", m)
	}
}

// Subject names host, instance and, where it was a person, who.
func (e Event) Subject() string {
	var words []string
	for _, s := range []string{e.Host, e.Instance} {
		if s != "" {
			words = append(words, s)
		}
	}
	if strings.HasPrefix(e.Who, "operator:") {
		words = append(words, "("+e.Who+")")
	}
	if len(words) == 0 {
		return ""
	}
	return strings.Join(words, " ") + "  "
}

func (t *text) ends(r *Report) {
	t.title(fmt.Sprintf("INSTANCES: %d ran before, %d of them run", r.Totals.InstancesBefore, r.Totals.InstancesRunning))
	rows := [][]string{{"INSTANCE", "TENANT", "BEFORE", "AFTER", "STATE", "INTERRUPTED"}}
	for _, i := range r.Instances {
		rows = append(rows, []string{i.Instance, dash(i.Tenant), dash(i.Before), dash(i.After), i.State, i.Interrupted()})
	}
	t.table(rows)
	t.title(fmt.Sprintf("NEVER CAME BACK: %d", len(r.NeverBack)))
	for _, n := range r.NeverBack {
		whose := "by others"
		if n.Ours {
			whose = "by us"
		}
		t.line("  %s  of %s, on %s, since %s, %s: %s", n.Instance, dash(n.Tenant), dash(n.Host), stamp(n.Since), whose, n.Why)
	}
}

// Interrupted says for how long in all.
func (i Instance) Interrupted() string {
	if !i.Touched {
		return "untouched"
	}
	return ms(i.ActualMs)
}

func (t *text) verdict(v *audit.Verdict) {
	if v == nil {
		t.title("VERDICT: the auditor was not asked")
		return
	}
	t.title(verdictLine(v))
	for _, f := range v.Findings {
		t.line("  law %d, %s [%s] %s: %s", f.Law, audit.LawName(f.Law), f.Code, f.Subject, f.What)
		if f.Allow != "" {
			t.line("      would be allowed by: %s", f.Allow)
		}
	}
}

// verdictLine is the auditor's verdict in one sentence.
func verdictLine(v *audit.Verdict) string {
	checked := 0
	for _, l := range v.Laws {
		checked += l.Checked
	}
	s := fmt.Sprintf("VERDICT: violations %d (%d questions on %d laws)", len(v.Findings), checked, audit.Laws)
	if !v.Finished {
		s += "; the campaign is not over"
	}
	return s
}
