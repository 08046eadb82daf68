package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/engine"
	"github.com/evenkeel/evenkeel/internal/execution"
)

// glyphs and words of a turn's phase: the same in CLI, console and report.
var glyphs = map[execution.TurnPhase]string{
	execution.TurnWaiting: "○", execution.TurnPreparing: "◔", execution.TurnActive: "▶", execution.TurnFinished: "✔", execution.TurnOnHold: "‖", execution.TurnAbandoned: "✕",
}

func newStatus(app *App) *cobra.Command {
	cmd := &cobra.Command{Use: "status [CAMPAIGN]", Short: "Show where campaigns stand", Args: cobra.MaximumNArgs(1)}
	server := serverFlag(app, cmd)
	output := cmd.Flags().StringP("output", "o", "table", "table, json or yaml")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c := dialServer(app, *server)
		var all []engine.Status
		var err error
		if len(args) == 1 {
			var one engine.Status
			one, err = c.Status(cmd.Context(), args[0])
			all = []engine.Status{one}
		} else {
			all, err = c.Campaigns(cmd.Context())
		}
		if err != nil {
			return asRefusal(err)
		}
		switch *output {
		case "json":
			e := json.NewEncoder(app.Out)
			e.SetIndent("", "  ")
			return e.Encode(all)
		case "yaml":
			return yaml.NewEncoder(app.Out, yaml.UseJSONMarshaler()).Encode(all)
		case "table":
			if len(all) == 0 {
				fmt.Fprintln(app.Out, "there is no campaign yet: evenkeel plan, then evenkeel apply")
			}
			for _, s := range all {
				printStatus(app.Out, s, len(args) == 1 || s.Phase != execution.PhaseFinished)
			}
			return nil
		}
		return fmt.Errorf("-o is %q, expected table, json or yaml", *output)
	}
	return cmd
}

// printStatus says how a campaign stands. Hosts and people have words in it, so nothing in it steers a
// terminal.
func printStatus(out io.Writer, s engine.Status, turns bool) {
	w := new(strings.Builder)
	defer func() { fmt.Fprint(out, printableLines(w.String())) }()
	fmt.Fprintf(w, "%s  %s  %d of %d %s done  notices %d/%d accepted", s.Campaign, s.Phase, s.Done, len(s.Turns), unitOf(s.Turns), s.Notices.Accepted, s.Notices.Asked)
	if s.Overruns > 0 {
		fmt.Fprintf(w, "  overruns %d", s.Overruns)
	}
	fmt.Fprintln(w)
	if s.Trouble != "" {
		fmt.Fprintln(w, "  trouble: "+firstLine(s.Trouble))
	}
	if s.Phase != execution.PhaseFinished {
		printStanding(w, s)
	}
	if len(s.NotBack) > 0 {
		fmt.Fprintln(w, "  stopped by us and not back yet: "+strings.Join(s.NotBack, " "))
	}
	if !turns {
		return
	}
	tw := tabwriter.NewWriter(w, 0, 2, 2, ' ', 0)
	fmt.Fprintln(tw, "  \tHOST\tWAVE\tTACTIC\tPHASE\tSTEP\tMOVED\tSTOPPED\tPLANNED\t")
	for _, t := range s.Turns {
		fmt.Fprintf(tw, "  %s\t%s\t%d\t%s\t%s\t%s\t%d\t%d\t%s\t%s\n", glyphs[t.Phase], t.Turn, t.Wave, tacticOf(t), t.Phase, t.Step, t.Moved, t.Stopped,
			t.Start.UTC().Format("2006-01-02 15:04:05Z"), acts(t))
	}
	tw.Flush()
	for _, t := range s.Turns {
		printTurn(w, s, t)
	}
}

// printStanding says why a campaign that is not finished does not go on as planned, and what is next.
func printStanding(w io.Writer, s engine.Status) {
	if s.Why != "" {
		fmt.Fprintln(w, "  "+firstLine(s.Why))
	}
	switch s.Phase {
	case execution.PhasePaused:
		fmt.Fprintf(w, "      next: evenkeel resume %s\n", s.Campaign)
	case execution.PhaseHalted:
		fmt.Fprintf(w, "      next: see to what is held, then: evenkeel resume %s; or evenkeel abort %s\n", s.Campaign, s.Campaign)
	}
	if s.Phase == execution.PhaseAborted {
		return // nobody's migrations go on
	}
	for _, c := range s.Cohorts {
		fmt.Fprintf(w, "  ‖ cohort %s is held (%s): %s\n      next: %s\n", c.Cohort, c.Code, firstLine(c.Why), c.Next)
	}
}

// printTurn says why a turn is held or dropped and what is next, or what it waits for.
func printTurn(w io.Writer, s engine.Status, t execution.TurnStatus) {
	if t.Why != "" && (t.Phase == execution.TurnOnHold || t.Phase == execution.TurnAbandoned) {
		at := ""
		if t.Phase == execution.TurnOnHold || t.Step != "" {
			at = heldAt(t.Code, t.Step, t.Begun.IsZero())
		}
		fmt.Fprintf(w, "  %s %s is %s%s (%s): %s\n", glyphs[t.Phase], t.Turn, t.Phase, at, t.Code, firstLine(t.Why))
		if t.Next != "" && t.Code != execution.CodeSuperseded && t.Code != execution.CodeForced { // the child, or the person, sees to that host
			fmt.Fprintf(w, "      next: %s\n", t.Next)
		}
	}
	if t.Waits != "" && s.Phase == execution.PhaseRunning {
		fmt.Fprintf(w, "  %s %s waits: %s\n", glyphs[t.Phase], t.Turn, firstLine(t.Waits))
	}
}

// heldAt says where in its turn a host is held. A canary may be held when its turn was done already.
func heldAt(code string, step execution.Step, unbegun bool) string {
	switch {
	case code == execution.CodeCanaryUnwell:
		return " after it soaked as the canary"
	case step != "":
		return " at " + string(step)
	case unbegun:
		return " before it began"
	}
	return ""
}

// printOrdered says how the turn stands that an order was about, and that its host has another one.
func printOrdered(out io.Writer, s engine.Status, host string) {
	own := slices.IndexFunc(s.Turns, func(t execution.TurnStatus) bool { return t.Turn == host })
	if own < 0 { // as the server finds it
		own = slices.IndexFunc(s.Turns, func(t execution.TurnStatus) bool { return t.Host == host })
	}
	if own < 0 {
		return
	}
	w, t := new(strings.Builder), s.Turns[own]
	if t.Phase != execution.TurnOnHold {
		fmt.Fprintf(w, "  %s %s is %s\n", glyphs[t.Phase], t.Turn, t.Phase)
	}
	printTurn(w, s, t)
	for i, o := range s.Turns {
		if i != own && o.Host == t.Host {
			fmt.Fprintf(w, "  %s its host's other turn, %s, is %s\n", glyphs[o.Phase], o.Turn, o.Phase)
		}
	}
	fmt.Fprint(out, printableLines(w.String()))
}

// unitOf names what is counted: hosts, unless some have two turns, a live patch and a later reboot.
func unitOf(turns []execution.TurnStatus) string {
	hosts := map[string]bool{}
	for _, t := range turns {
		hosts[t.Host] = true
	}
	if len(hosts) < len(turns) {
		return "turns"
	}
	return "hosts"
}

func tacticOf(t execution.TurnStatus) string {
	if t.Deferred {
		return string(t.Tactic) + " (deferred)"
	}
	return string(t.Tactic)
}

func acts(t execution.TurnStatus) string {
	var out []string
	for _, a := range t.Acts {
		s := a.Instance + " " + string(a.Stage)
		if a.To != "" && a.Stage == execution.StageMoving {
			s = a.Instance + "→" + a.To
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

// firstLine is the first line of what somebody said, or the beginning of it; -o json has all.
func firstLine(s string) string {
	const most = 600 // characters
	line, _, more := strings.Cut(s, "\n")
	if r := []rune(line); len(r) > most {
		line, more = string(r[:most]), true
	}
	if more {
		line += " ..."
	}
	return line
}

// printableLines is printable for a text of several lines.
func printableLines(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return strings.Join(lines, "\n")
}

func clockTime(t time.Time) string { return t.UTC().Format("15:04:05Z") }
