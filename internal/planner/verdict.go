package planner

import (
	"fmt"
	"strings"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// tally is what a plan's verdict counts.
type tally struct {
	patches, reboots int             // live patches; reboots that follow one
	blocked, half    map[string]bool // hosts without a turn; hosts with a live patch whose reboot is blocked
	left             int             // instances left as they are
	unknown          bool            // of some it is not known whether they need it
}

func tallyOf(p *plan.Plan) tally {
	n, turned := tally{blocked: map[string]bool{}, half: map[string]bool{}}, map[string]bool{}
	for _, t := range p.Turns {
		turned[t.Host] = true
		switch {
		case t.Deferred:
			n.reboots++
		case t.Tactic == plan.LivePatch:
			n.patches++
		}
	}
	for _, b := range p.Blocked {
		n.unknown = n.unknown || b.Code == codeUnknown
		switch {
		case b.Host == "":
			n.left++
		case turned[b.Host]:
			n.half[b.Host] = true
		default:
			n.blocked[b.Host] = true
		}
	}
	return n
}

// verdict answers in one sentence: can it be done, when, and at what cost.
func verdict(p *plan.Plan) string {
	n, need := tallyOf(p), "that need it"
	if n.unknown {
		need = "that need it or may"
	}
	due := p.Counts.Hosts + len(n.blocked)
	switch {
	case due == 0 && len(p.Blocked) > 0:
		return fmt.Sprintf("No: no host needs maintenance (%d skipped), but %s may; each blocker says what would tell.", p.Counts.Skipped, many(len(p.Blocked), "instance"))
	case due == 0:
		return fmt.Sprintf("Nothing to do: no host needs maintenance (%d skipped).", p.Counts.Skipped)
	case p.Counts.Hosts == 0:
		return fmt.Sprintf("No: of %s %s none can have a turn; each blocker says what would allow it.", many(due, "host"), need)
	}
	answer := "Yes: all"
	switch {
	case len(n.blocked) > 0:
		answer = fmt.Sprintf("Partly: %d of", p.Counts.Hosts)
	case n.left > 0, len(n.half) > 0:
		answer = "Partly: all"
	}
	return fmt.Sprintf("%s %s %s in %s, from %s to %s; %s.", answer, many(due, "host"), need, many(p.Counts.Waves, "wave"), stamp(p.Start), stamp(p.End), n.cost(p))
}

// cost says what is done to whom, and what is left.
func (n tally) cost(p *plan.Plan) string {
	text := ""
	if n.patches > 0 {
		text = many(n.patches, "live patch") + ", "
	}
	if n.reboots > 0 {
		text += many(n.reboots, "deferred reboot") + ", "
	}
	text += many(p.Counts.Moves, "live migration") + ", " + many(p.Counts.Stops, "stop")
	if len(n.half) > 0 {
		text += fmt.Sprintf("; %s with a live patch whose reboot cannot follow", many(len(n.half), "host"))
	}
	if n.left > 0 {
		text += fmt.Sprintf("; %s left as they are, each blocker says why", many(n.left, "instance"))
	}
	return text
}

func many(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if strings.HasSuffix(what, "ch") {
		what += "e"
	}
	return fmt.Sprintf("%d %ss", n, what)
}
