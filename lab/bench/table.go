package bench

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// columns of the one table, with what is aligned to the right.
var columns = []string{"fleet", "hosts", "instances", "planner", "CPU s", "peak MiB", "waves", "/ bound", "moves", "/ M2", "makespan h", "/ bound", "beside", "blocked", "stopped", ""}

// Rows of one result: ours, then hroller's.
func (r Result) Rows() [][]string {
	head := []string{r.Fleet.Family, thousands(r.Fleet.Hosts), thousands(r.Instances)}
	ours := append(append([]string{}, head...), "ours")
	if o := r.Ours; o.Failed != "" {
		ours = append(ours, seconds(o.CPU), mib(o.RSS), "", "", "", "", "", "", "", "", "", o.Failed)
	} else {
		s := o.Summary
		ours = append(ours, seconds(o.CPU), mib(o.RSS), thousands(o.Waves), ratio(o.Waves, s.Bounds.Waves), thousands(o.Moves), ratio(o.Moves, s.Bounds.MovesM2),
			fmt.Sprintf("%.1f", float64(s.MakespanSeconds)/3600), ratio(int(s.MakespanSeconds), int(s.Bounds.MakespanSeconds)), r.beside(o), thousands(s.Blocked), thousands(o.Stops), "")
	}
	theirs := append(append([]string{}, "", "", ""), "hroller")
	switch o := r.Hroller; {
	case o.Failed != "" && o.CPU == 0:
		theirs = append(theirs, "", "", "", "", "", "", "", "", "", "", "", o.Failed)
	case o.Failed != "":
		theirs = append(theirs, seconds(o.CPU), mib(o.RSS), "", "", "", "", "", "", "", "", "", o.Failed)
	default:
		waves, moves := "", ""
		if s := r.Ours.Summary; s != nil {
			waves, moves = ratio(o.Waves, s.Bounds.Waves), ratio(o.Moves, s.Bounds.MovesM2)
		}
		theirs = append(theirs, seconds(o.CPU), mib(o.RSS), thousands(o.Waves), waves, thousands(o.Moves), moves, "", "", r.beside(o), "", "", "lists "+thousands(o.Listed))
	}
	return [][]string{ours, theirs}
}

// beside is empty where there is nothing to be beside.
func (r Result) beside(o Outcome) string {
	if r.Fleet.MaxUnavailable == 0 {
		return ""
	}
	return thousands(o.Beside)
}

// Line is one row for a terminal, as it is measured.
func Line(w io.Writer, cells []string) {
	fmt.Fprintf(w, "%-29s %8s %9s  %-8s%8s %8s %6s %7s %9s %6s %10s %7s %7s %7s %8s  %s\n",
		cells[0], cells[1], cells[2], cells[3], cells[4], cells[5], cells[6], cells[7], cells[8], cells[9], cells[10], cells[11], cells[12], cells[13], cells[14], cells[15])
}

// Head is the head of those rows.
func Head(w io.Writer) { Line(w, columns) }

// Markdown writes the table.
func Markdown(w io.Writer, results []Result) {
	fmt.Fprintf(w, "| %s |\n|---|---:|---:|---%s|---|\n", strings.Join(columns, " | "), strings.Repeat("|---:", len(columns)-5))
	for _, r := range results {
		for _, cells := range r.Rows() {
			fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
		}
	}
}

func seconds(d time.Duration) string {
	if d < 10*time.Second {
		return fmt.Sprintf("%.2f", d.Seconds())
	}
	return fmt.Sprintf("%.1f", d.Seconds())
}

func mib(bytes int64) string { return thousands(int(bytes >> 20)) }

// ratio of a number to its lower bound; nothing where the bound is nothing.
func ratio(n, least int) string {
	if least <= 0 {
		return ""
	}
	return fmt.Sprintf("%.3f", float64(n)/float64(least))
}

// thousands sets a comma before each three digits.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0 && text[at-1] != '-'; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
