package bench

import (
	"fmt"
	"io"

	"github.com/evenkeel/evenkeel/internal/planner/optima"
)

// Page is what the full run writes down.
type Page struct {
	Revision string // and how it was built
	Machine  string
	Results  []Result
	Gaps     []optima.Gap
	Curve    string // the picture's file name, beside the page
	Hroller  Limits // that it ran under
}

// Write writes the page.
func (p Page) Write(w io.Writer) error {
	fmt.Fprintf(w, `# The planner, measured

Made by `+"`make bench-planner`"+` at revision %s on %s. Do not edit: it is written anew.
`+"`make bench-planner-short`"+` prints the same for smaller fleets in under a minute.

Both programs plan the same fleets as processes of their own, one at a time; CPU time and memory are the operating
system's count for the whole process. Ours is `+"`evenkeel plan --profile bound --routine reboot -o json`"+`: reading the fleet (JSON
Lines) and writing the plan are in it. hroller is `+"`hroller -t FILE --print-moves`"+` of Debian's ganeti-htools, on the same fleet
in Ganeti's text form with all disks on shared storage; it has %d s of CPU time, and is not run on fleets larger than one that it
did not finish, nor on harder ones than one that took it more than half of that. Peaks of memory below some 50 MiB are those of
the program that measures: a process begins with its parent's.

`, p.Revision, p.Machine, p.Hroller.CPUSeconds)
	Markdown(w, p.Results)
	fmt.Fprint(w, `
- **waves / bound**: hosts that are taken together, against the lower bound that each of our plans prints. hroller's reboot
  groups are held to the same bound, and lie below it where it breaks a rule that the bound counts.
- **moves / M2**: live migrations, against M2: each instance of a host that must be emptied moves once, and those of the smallest
  possible first wave twice. hroller lists each move one way and assumes that everything goes back after each group, so what
  it needs is twice what it lists.
- **makespan / bound**: from the first start to the last end at worst, in hours. hroller knows no time.
- **beside**: instances that land on a host where another member of their service is, which the exclusion tag (ours: the
  group's spread) forbids. Counted by replaying the moves that each program printed. In "spread" any number of members
  may be on the way at once, as with Ganeti's tags; in "spread and groups" one of the five, for which Ganeti has no word.
- **blocked**, **stopped**: hosts and instances for which nothing could be done, and instances saved or stopped and started again.

`)
	if p.Curve != "" {
		fmt.Fprintf(w, "![CPU seconds against hosts](%s)\n\n", p.Curve)
	}
	if len(p.Gaps) > 0 {
		fmt.Fprint(w, "## Against proven optima\n\n", gapWords, "\n\n```\n")
		if err := optima.Write(w, p.Gaps, worstGaps); err != nil {
			return err
		}
		fmt.Fprint(w, "```\n")
	}
	return nil
}

const (
	gapWords = `Small fleets, up to 8 hosts and 24 instances, for which an exact search proved the fewest waves, and the fewest moves in so
many (internal/planner/optima). Moves are compared where the waves are the fewest.`
	worstGaps = 10 // that are named
)
