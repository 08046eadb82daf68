package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/engine"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/httpapi"
)

// order makes the command of one operator's order.
func order(verb, short, long string, host bool) func(*App) *cobra.Command {
	return func(app *App) *cobra.Command {
		use, args := verb+" [CAMPAIGN]", cobra.MaximumNArgs(1)
		if host {
			use, args = verb+" HOST", cobra.ExactArgs(1)
		}
		cmd := &cobra.Command{Use: use, Short: short, Long: long, Args: args}
		server := serverFlag(app, cmd)
		why := cmd.Flags().String("why", "", "the reason, for the journal")
		campaign := ""
		if host {
			cmd.Flags().StringVar(&campaign, "campaign", "", "the campaign, when several are open")
		}
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			c := dialServer(app, *server)
			o := engine.Order{Verb: verb, Who: operator(app), Why: *why}
			id := campaign
			if host {
				o.Host = args[0]
			} else if len(args) == 1 {
				id = args[0]
			}
			id, err := oneCampaign(cmd.Context(), c, id)
			if err != nil {
				return err
			}
			st, err := c.Order(cmd.Context(), id, o)
			if err != nil {
				return asRefusal(err)
			}
			printStatus(app.Out, st, false)
			return nil
		}
		return cmd
	}
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
		return "", fmt.Errorf("several campaigns are open, name one: %v", open)
	case len(all) > 0:
		return all[len(all)-1].Campaign, nil
	}
	return "", fmt.Errorf("there is no campaign yet: evenkeel plan, then evenkeel apply")
}

var (
	newPause  = order("pause", "Begin no further disruption; what is under way ends in a safe place", "", false)
	newResume = order("resume", "Go on after pause or halt", "", false)
	newAbort  = order("abort", "End the campaign in a safe place: no further turn begins, what was stopped runs again", "", false)
	newHold   = order("hold", "Hold one host's turn", "", true)
	newRetry  = order("retry", "Let a held host's turn go on at the step where it was held", "", true)
)
