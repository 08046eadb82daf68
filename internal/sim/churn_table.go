package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Table tells of the run in Markdown.
func (c *Churned) Table() string {
	var b strings.Builder
	row := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "| %s | %s |\n", name, fmt.Sprintf(format, args...))
	}
	b.WriteString("| What | How many |\n|---|---|\n")
	row("the plan", "%d turns, %d promises, %s", c.Turns, len(c.Plan.Slots), c.Plan.End.Sub(epoch).Round(time.Minute))
	row("the campaign ended", "%s after %s", c.How, c.Took.Round(time.Minute))
	row("breaches that the auditor found", "%d", len(c.Findings))
	row("against the world's own record", "%d", len(c.Wrong))
	for _, what := range slices.Sorted(maps.Keys(c.Did)) {
		row("by others: "+what, "%d", c.Did[what])
	}
	row("turns done", "%d", c.Done)
	row("turns whose host came back", "%d", c.Returned)
	row("of them ended in their slot", "%d (%s)", c.InSlot, percent(c.InSlot, c.Returned))
	row("promises to instances that their owners deleted first", "%d", c.Deleted)
	row("other promises", "%d", c.Promises)
	row("unmoved", "%d (%s)", c.Kept, percent(c.Kept, c.Promises))
	row("of all: kept by another host's turn, at the same time", "%d", c.Passed)
	for _, cause := range slices.Sorted(maps.Keys(c.Causes)) {
		row("moved: "+cause, "%d", c.Causes[cause])
	}
	for _, code := range slices.Sorted(maps.Keys(c.Held)) {
		row("turns held: "+code, "%d", c.Held[code])
	}
	for i, f := range c.Findings {
		if i < 10 {
			fmt.Fprintf(&b, "\nLaw %d, %s: %s\n", f.Law, f.Code, f.What)
		}
	}
	for i, w := range c.Wrong {
		if i < 10 {
			fmt.Fprintf(&b, "\nThe world: %s\n", w)
		}
	}
	return b.String()
}

func percent(part, of int) string {
	if of == 0 {
		return "none"
	}
	return fmt.Sprintf("%.2f %%", 100*float64(part)/float64(of))
}
