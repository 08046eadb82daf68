package cli

import (
	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/engine"
)

func newReplan(app *App) *cobra.Command {
	var out planFlags
	var ask engine.Replan
	cmd := &cobra.Command{
		Use:   "replan [CAMPAIGN]",
		Short: "Propose a plan in place of a running one, which keeps what was told",
		Long: `Propose the plan of a child campaign that takes a running one's place, for the fleet as it is now.
Where hosts died, instances came or turns were held, the campaign's plan is made again: promises stand
where every rule still allows it, and nobody is told again of one that stands; the others are told in a notice
of their own. Turns that are under way end in the running campaign.

Where cohorts are held because migrations towards hosts that have the fix fail, they get another tactic:
for them only those of the policy's tactics that move nobody: live-patch, suspend, reboot.

The server plans from what it knows now: the fleet as it was last seen, the campaign's own target and policy.
The auditor judges the plan. Nothing is changed before 'evenkeel apply': then the running campaign ends in a
safe place and the child takes its place.

With --cohort a cohort's instances stay on their hosts that is not held. What else can be done about a held
one is to mend what makes its migrations fail, then: evenkeel retry CAMPAIGN --cohort NAME.

Exit codes are those of 'evenkeel plan': 2: changes are planned; 3: refused, or no host that needs
maintenance can have a turn.`,
		Example: `  evenkeel replan spring --out child.json
  evenkeel apply child.json --revision 1`,
		Args: cobra.MaximumNArgs(1),
	}
	server := serverFlag(app, cmd)
	out.outputFlags(cmd)
	f := cmd.Flags()
	f.StringVar(&ask.Campaign, "as", "", "the child's name (default: the campaign's with the next number)")
	f.StringArrayVar(&ask.Cohorts, "cohort", nil, "a cohort beside those that are held; may be repeated")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := out.checkOutput(); err != nil {
			return err
		}
		c, id := dialServer(app, *server), ""
		if len(args) == 1 {
			id = args[0]
		}
		id, err := oneCampaign(cmd.Context(), c, id)
		if err != nil {
			return err
		}
		p, err := c.Replan(cmd.Context(), id, ask)
		if err != nil {
			return asRefusal(err)
		}
		return out.giveOut(app, *p, nil, price{})
	}
	return cmd
}
