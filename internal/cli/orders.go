package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/engine"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/httpapi"
)

// ordering is the command of one operator's order.
type ordering struct {
	verb, short, long, example string
	turn                       bool // it is about one turn: HOST
	cohort                     bool // or about a cohort of a campaign
	force                      bool // it can be given with --force
}

func (o ordering) command(app *App) *cobra.Command {
	use, args := o.verb+" [CAMPAIGN]", cobra.MaximumNArgs(1)
	if o.turn {
		use, args = o.verb+" HOST", cobra.ExactArgs(1)
	}
	campaign, cohort := "", ""
	if o.cohort {
		use = o.verb + " HOST | " + o.verb + " [CAMPAIGN] --cohort NAME"
		args = func(cmd *cobra.Command, args []string) error {
			if cohort != "" {
				return cobra.MaximumNArgs(1)(cmd, args)
			}
			return cobra.ExactArgs(1)(cmd, args)
		}
	}
	cmd := &cobra.Command{Use: use, Short: o.short, Long: o.long, Example: o.example, Args: args}
	server := serverFlag(app, cmd)
	why := cmd.Flags().String("why", "", "the reason, for the journal")
	force := new(bool)
	if o.force {
		cmd.Flags().BoolVar(force, "force", false, "close it as it is: nothing more is given back or brought back")
	}
	if o.turn {
		cmd.Flags().StringVar(&campaign, "campaign", "", "the campaign, when several are open")
	}
	if o.cohort {
		cmd.Flags().StringVar(&cohort, "cohort", "", "the held cohort whose migrations may go on, instead of a host")
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c := dialServer(app, *server)
		order := engine.Order{Verb: o.verb, Force: *force, Who: operator(app), Why: *why, Cohort: cohort}
		id := campaign
		switch {
		case o.turn && cohort == "":
			order.Host = args[0]
		case len(args) == 1 && id != "" && args[0] != id:
			return fmt.Errorf("both %s and --campaign %s name the campaign", args[0], id)
		case len(args) == 1:
			id = args[0]
		}
		id, err := oneCampaign(cmd.Context(), c, id)
		if err != nil {
			return err
		}
		st, err := c.Order(cmd.Context(), id, order)
		if err != nil {
			return asRefusal(err)
		}
		printStatus(app.Out, st, false)
		if order.Host != "" {
			printOrdered(app.Out, st, order.Host)
		}
		return nil
	}
	return cmd
}

// oneCampaign is the named campaign, or the only open one, or the last one.
func oneCampaign(ctx context.Context, c *httpapi.Client, id string) (string, error) {
	if id != "" {
		return id, nil
	}
	all, err := c.Campaigns(ctx)
	if err != nil {
		return "", err
	}
	var open []string
	for _, s := range all {
		if s.Phase != execution.PhaseFinished && s.Phase != engine.PhaseFailed {
			open = append(open, s.Campaign)
		}
	}
	switch {
	case len(open) == 1:
		return open[0], nil
	case len(open) > 1:
		return "", fmt.Errorf("several campaigns are open, name one (hold and retry of a host: with --campaign): %s", strings.Join(open, ", "))
	case len(all) > 0:
		return all[len(all)-1].Campaign, nil
	}
	return "", fmt.Errorf("there is no campaign yet: evenkeel plan, then evenkeel apply")
}

const turnWords = `HOST is the id of the turn: its host's, or h1+live-patch for the live patch of a host that is rebooted
later in the same campaign.`

var (
	newPause    = ordering{verb: "pause", short: "Begin no further disruption; what is under way ends in a safe place"}.command
	newResume   = ordering{verb: "resume", short: "Go on after pause or halt"}.command
	newAbort    = ordering{verb: "abort", short: "End the campaign in a safe place: no further turn begins, what was stopped runs again"}.command
	newFinalize = ordering{verb: "finalize", short: "Close a campaign that was told to end and cannot", force: true,
		long: `Close a campaign that was told to end (abort) and cannot, because a host never answers again or
an address takes no mail.

Without --force it says what the campaign still waits for. With --force nothing new begins, what is in
flight ends or runs into its deadline, and the campaign is over: each turn that did not get to a safe
place says what was not given back, and every instance that does not run is named. The report lists both.`,
		example: "  evenkeel finalize spring\n  evenkeel finalize spring --force --why \"hv-7 is scrapped\""}.command
	newHold  = ordering{verb: "hold", short: "Hold one host's turn", long: "Hold one host's turn.\n\n" + turnWords, turn: true}.command
	newRetry = ordering{verb: "retry", short: "Let a held host's turn, or a held cohort, go on where it was held", turn: true, cohort: true,
		long: `Let a held host's turn go on at the step where it was held.

` + turnWords + `

With --cohort a whole cohort goes on whose migrations were held because they failed one after the other
towards hosts that have the fix. What else can be done about it: evenkeel replan.`,
		example: "  evenkeel retry hv-1\n  evenkeel retry spring --cohort racks-a"}.command
)
