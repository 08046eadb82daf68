package whatif

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"unicode/utf8"

	"github.com/evenkeel/evenkeel/internal/plan"
)

const stamp = "2006-01-02 15:04 UTC"

// Table prints a comparison for people; its lines fit a terminal of 100 columns.
func Table(w io.Writer, c Comparison) error {
	var b strings.Builder
	b.WriteString(folded(fmt.Sprintf("%s: %s, %s, %s; from %s", c.Campaign, many(c.Hosts, "host"), many(c.Instances, "instance"), many(c.Tenants, "tenant"), c.Now.UTC().Format(stamp)), 0) + "\n\n")
	c.deadlineLines(&b)
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "  what if\tover in\ttouched\tstopped\tstops\teach\tleft\toff\tmoves\texposed")
	for _, r := range c.shown() {
		mark := "  "
		if r.Best {
			mark = "* "
		} else if r.Measure {
			mark = "- "
		}
		fmt.Fprintf(t, "%s%s\t%s\t%d (%s %%)\t%d (%s %%)\t%d\t%d\t%d\t%d\t%d\t%s\n", mark, r.Name, r.over(), r.TenantsTouched, short(r.TouchedPercent),
			r.TenantsStopped, short(r.StoppedPercent), r.Stops, r.MostEach, r.Blocked, r.PoolsWorse, r.Moves, short(math.Round(r.ExposedVMHours)))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	b.WriteString(legend)
	for _, r := range c.shown()[1:] {
		b.WriteString(folded(fmt.Sprintf("%-16s  %s", r.Name, r.What), 18) + "\n")
	}
	if same := c.without(); len(same) > 0 {
		const whole = "\u00a0" // holds the words of one together
		for i := range same {
			same[i] = strings.ReplaceAll(same[i], " ", whole)
		}
		b.WriteString("\n" + strings.ReplaceAll(folded("no difference to another one: "+strings.Join(same, "; "), 2), whole, " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

const legend = `
*         no other choice is as good in all of: over in, touched, stopped, each, left, off
-         no choice, but to measure by: what it gives up does not show here
over in   from now until the last turn is over at worst
touched   tenants with an instance that is moved, saved or stopped
stopped   tenants with an instance that is saved or stopped; stops: how often that happens
each      how often one and the same instance is interrupted at most
left      hosts that need a turn and get none
off       pools left worse off than found: spread, reserve, fullest host or largest free memory
exposed   VM-hours on what is to be fixed

`

// shown are the rows that differ from each earlier one.
func (c *Comparison) shown() []Row {
	return slices.DeleteFunc(slices.Clone(c.Rows), func(r Row) bool { return r.SameAs != "" })
}

// without names those that do not.
func (c *Comparison) without() (names []string) {
	for _, r := range c.Rows {
		if r.SameAs != "" {
			names = append(names, fmt.Sprintf("%s (%s)", r.Name, r.SameAs))
		}
	}
	return names
}

func (r *Row) over() string {
	switch {
	case r.Turns == 0 && r.Blocked == 0:
		return "nothing to do"
	case r.Turns == 0:
		return "never"
	}
	return plan.Lasting(r.FinishS)
}

// lineMost is how wide a terminal is that the table fits.
const lineMost = 100

// folded breaks text into lines that fit, each but the first so far indented.
func folded(text string, indent int) string {
	var b strings.Builder
	line := 0
	for i, word := range strings.Split(text, " ") {
		n := utf8.RuneCountInString(word)
		switch {
		case i > 0 && line+1+n > lineMost:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			line = indent
		case i > 0:
			b.WriteByte(' ')
			line++
		}
		b.WriteString(word)
		line += n
	}
	return b.String()
}

// short writes a number without digits that say nothing.
func short(n float64) string {
	text := fmt.Sprintf("%.2f", n)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

func many(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func (c *Comparison) deadlineLines(b *strings.Builder) {
	d := c.Deadline
	if d == nil {
		return
	}
	late := fmt.Sprintf("Not in time: %s no turn before %s (%s)", have(d.Past), d.name(), d.At.UTC().Format(stamp))
	if d.LateS > 0 {
		late += fmt.Sprintf("; without it the last would be over %s, %s late", d.End.UTC().Format(stamp), plan.Lasting(d.LateS))
	}
	b.WriteString(folded(late+".", 2) + "\n")
	if len(d.Ways) == 0 {
		b.WriteString("No one change, and no two, were found that bring all of them in before it: move the deadline.\n\n")
		return
	}
	b.WriteString("What would do, each tried, the cheapest first:\n")
	for i, r := range d.Ways {
		b.WriteString(folded(fmt.Sprintf("  %d. %s", i+1, r.Words), 5) + "\n")
		b.WriteString(folded(fmt.Sprintf("     over %s; paid with: %s", r.End.UTC().Format(stamp), r.Price), 5) + "\n")
	}
	b.WriteString("\n")
}

func (d *Deadline) name() string {
	if d.Of == "disclosure" {
		return "the disclosure"
	}
	return d.Of
}

func have(n int) string {
	if n == 1 {
		return "1 host has"
	}
	return fmt.Sprintf("%d hosts have", n)
}
