package study

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// Reading is one answer to how much of the fleet was affected, planned in both arms.
type Reading struct {
	Name     string
	Scenario Scenario
	Outcomes []*Outcome
}

// Write writes the page, in Markdown, without what differs from run to run.
func Write(w io.Writer, readings []Reading) error {
	p := &page{out: w}
	p.opening(readings)
	for n := range readings {
		p.reading(&readings[n])
	}
	p.beside(readings)
	p.assumptions(readings)
	return p.err
}

// page prints; the first error of the output stays.
type page struct {
	out io.Writer
	err error
}

func (p *page) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format+"\n", args...)
	}
}

// table prints rows of cells, the first of them as the heading; columns but the first are numbers.
func (p *page) table(rows [][]string) {
	for n, cells := range rows {
		p.line("| %s |", strings.Join(cells, " | "))
		if n == 0 {
			p.line("|---%s|", strings.Repeat("|---:", len(cells)-1))
		}
	}
	p.line("")
}

func (p *page) opening(readings []Reading) {
	s := readings[0].Scenario
	instances := readings[0].Outcomes[0].Planned.Sum.Instances()
	p.line("In March 2015 six Xen advisories became public within a week. This study plans that week on %s simulated hosts", number(s.AllHosts()))
	p.line("with %s instances (%.1f a host), with a live patch for %d of %d builds of Xen, and puts what each tactic would have", number(instances), float64(instances)/float64(s.AllHosts()), s.Covered, s.Builds)
	p.line("done beside what providers reported. Nothing was carried out: these are plans, and each was judged by the auditor.")
	p.line("")
	p.line("How much of the fleet was affected is read in two ways: a tenth, as providers announced, and all of it. Each host is")
	p.line("in one row; each instance is in the row of the host that it began on, under the worst that happens to it.")
	p.line("")
}

func (p *page) reading(r *Reading) {
	p.line("## %s", r.Name)
	p.line("")
	p.advisories(r)
	for n, o := range r.Outcomes {
		p.outcome(n+1, r.Scenario, o)
	}
}

func (p *page) advisories(r *Reading) {
	o := r.Outcomes[0]
	rows := [][]string{{"advisory", "hosts affected", "hosts unknown", "instances affected"}}
	for _, a := range o.Assessed.Advisories {
		rows = append(rows, []string{a.ID, number(a.HostsAffected), number(a.HostsUnknown), number(a.InstancesAffected)})
	}
	c := o.Assessed.Counts
	rows = append(rows, []string{"any of them", number(c.Hosts.Affected), number(c.Hosts.Unknown), number(c.Instances.Affected)})
	p.table(rows)
}

func (p *page) outcome(n int, s Scenario, o *Outcome) {
	p.line("### Arm %d: %s", n, o.Arm.Name)
	p.line("")
	p.line("As planned, all live patches succeeding:")
	p.line("")
	p.rows(&o.Planned)
	p.line("- %d waves from %s; live patches over by %s, all over by %s, at worst (to finish by %s).",
		o.Planned.Waves, stamp(o.Planned.Start), stamp(o.Planned.PatchesOver), stamp(o.Planned.End), stamp(s.FinishBy))
	p.facts(s, &o.Planned)
	tried := o.Planned.Row(string(plan.LivePatch)).Hosts
	p.line("With failures: %s live patches of %s fail in this draw (%.1f are to be expected). %s", number(len(o.Failed)), number(tried), s.FailureShare*float64(tried), o.failing())
	p.line("")
	p.rows(&o.Drawn)
	p.line("- %d more waves from %s, all over by %s at worst.", o.Drawn.Waves, stamp(o.Drawn.Start), stamp(o.Drawn.End))
	p.facts(s, &o.Drawn)
	p.line("The auditor asked %s questions of the two plans and found %d breaches.", number(o.Asked), len(o.Findings))
	p.line("")
	for _, f := range o.Findings[:min(len(o.Findings), 20)] {
		p.line("- law %d, %s: %s: %s", f.Law, f.Code, f.Subject, f.What)
	}
}

// failing says what became of the hosts on which the live patch failed.
func (o *Outcome) failing() string {
	if len(o.Failed) == 1 && o.Failed[0] == o.Canary {
		return "It is the canary's: the campaign halts, and a child plan, in which that host is rebooted, begins anew:"
	}
	return "A child plan, made when the last live patch is over, gives their hosts the next tactic, and those without a live patch their turns anew:"
}

func (p *page) rows(t *Table) {
	rows := [][]string{{"tactic", "hosts", "of the fleet", "host reboots", "instances untouched", "moved (blip)", "saved", "stopped"}}
	for _, r := range append(t.Rows[:len(t.Rows):len(t.Rows)], t.Sum) {
		rows = append(rows, []string{r.Name, number(r.Hosts), percent(r.Hosts, t.Sum.Hosts), number(r.Reboots),
			number(r.Untouched), number(r.Blip), number(r.Saved), number(r.Stopped)})
	}
	p.table(rows)
}

func (p *page) facts(s Scenario, t *Table) {
	p.line("- %s live migrations. Instances that are saved or stopped, by why they do not move: %s.", number(t.Moves), reasons(t.Stuck))
	p.line("- Blocked hosts by reason: %s.", reasons(t.Blocked))
	p.line("- When the first advisories become public (%s), %s of the %s hosts that need the fix have it, at worst.",
		stamp(s.First), number(t.FixedByFirst), number(t.Affected()))
	p.line("")
}

func reasons(list []Reason) string {
	if len(list) == 0 {
		return "none"
	}
	words := make([]string, len(list))
	for n, r := range list {
		words[n] = fmt.Sprintf("`%s` %s", r.Code, number(r.Count))
	}
	return strings.Join(words, ", ")
}

// number writes 9990 as 9,990.
func number(n int) string {
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0 && text[at-1] != '-'; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// percent of a whole with two digits; a dash where there is no whole.
func percent(n, of int) string {
	if of == 0 {
		return "-"
	}
	return share(float64(n) / float64(of))
}

func share(f float64) string { return fmt.Sprintf("%.2f %%", 100*f) }

// round is a share without the digits that say nothing: 90 %, 0.5 %.
func round(f float64) string { return strconv.FormatFloat(math.Round(1e4*f)/100, 'f', -1, 64) + " %" }

func stamp(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}
