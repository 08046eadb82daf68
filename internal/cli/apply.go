package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/plan"
)

func newApply(app *App) *cobra.Command {
	var revision int
	cmd := &cobra.Command{
		Use:   "apply PLAN",
		Short: "Begin a campaign: tell the tenants, then carry the plan out",
		Long: `Begin a campaign: tell the tenants, then carry the plan out. The plan file is the one that
'evenkeel plan --out' wrote. A stale plan is refused: one that was applied already, whose notices
would come too late, which shares a host, pool, group or host group with a campaign that is not
finished, in which the auditor finds a violation, or which was made to measure by (--profile bound). Exit code 3 means refused; nothing was changed then.

A plan that supersedes a campaign is recorded at once and its tenants are told. That campaign is told
to end: its turns under way end in a safe place, the others are dropped and cancelled. The new one
begins once it has ended, also when the server is killed in between.`,
		Example: "  evenkeel apply plan.json --revision 1",
		Args:    cobra.ExactArgs(1),
	}
	server := serverFlag(app, cmd)
	cmd.Flags().IntVar(&revision, "revision", 0, "refuse unless the plan has this revision")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		p, err := loadPlan(app, args[0])
		if err != nil {
			return err
		}
		if revision != 0 && p.Revision != revision {
			return Refusal{fmt.Errorf("the plan is revision %d, not %d", p.Revision, revision)}
		}
		if p.Profile == plan.Bound {
			return Refusal{fmt.Errorf("%s is of profile bound: it is to measure by (%s)", args[0], plan.BoundWay)}
		}
		if p.Fleet == nil {
			return errors.New("the plan does not carry the fleet that it was made from: write it with 'evenkeel plan --out'")
		}
		st, err := dialServer(app, *server).Apply(cmd.Context(), p, operator(app))
		if err != nil {
			return asRefusal(err)
		}
		if st.Trouble != "" {
			fmt.Fprintf(app.Out, "campaign %s is recorded: %s\nwatch it:  evenkeel status %s\n", p.Campaign, st.Trouble, p.Campaign)
			return nil
		}
		if st.Phase == execution.PhaseWaiting {
			fmt.Fprintf(app.Out, "campaign %s revision %d is recorded, tenants are being told; it begins once campaign %s has ended\nwatch it:  evenkeel watch %s\n",
				st.Campaign, st.Revision, p.Supersedes, st.Campaign)
			return nil
		}
		fmt.Fprintf(app.Out, "campaign %s revision %d begins: %d %s, tenants are being told\nwatch it:  evenkeel watch %s\nstop it:   evenkeel pause %s  |  evenkeel abort %s\n",
			st.Campaign, st.Revision, len(st.Turns), unitOf(st.Turns), st.Campaign, st.Campaign, st.Campaign)
		return nil
	}
	return cmd
}
