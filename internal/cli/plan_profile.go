package cli

import (
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/term"

	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// mostPriced is how many instances a fleet has at most that is planned a second time for the comparison.
const mostPriced = 20_000

var profiles = []string{string(plan.Careful), string(plan.Bound)}

func (in planFlags) checkProfile() error {
	if !slices.Contains(profiles, in.profile) {
		return fmt.Errorf("--profile: found %q, expected careful or bound", in.profile)
	}
	return nil
}

// asBound lifts all from an input's policy that is for people's sake or for safety's.
func asBound(input planner.Input) planner.Input {
	input.Policy, input.Profile = plan.ToBound(input.Policy), plan.Bound
	return input
}

// price is a careful plan's counterpart by profile bound, or why there is none.
type price struct {
	bound *plan.Plan
	why   string
}

// priced plans a second time, without the care that was taken: only where people see what came of it.
func (in planFlags) priced(app *App, input planner.Input, p plan.Plan) (price, error) {
	switch {
	case in.output != "table" || input.Profile == plan.Bound || p.Counts.Hosts == 0:
		return price{}, nil
	case len(input.Fleet.Instances) > mostPriced:
		return price{why: fmt.Sprintf("a fleet of more than %d instances is not planned twice to tell its price: see --profile bound", mostPriced)}, nil
	}
	if isTerminal(app.Err) {
		late := time.AfterFunc(time.Second, func() {
			fmt.Fprintln(app.Err, "planning once more by profile bound, to tell what care costs ...")
		})
		defer late.Stop()
	}
	bound, err := planner.Propose(asBound(input))
	return price{bound: &bound}, err
}

func isTerminal(out any) bool {
	file, ok := out.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
