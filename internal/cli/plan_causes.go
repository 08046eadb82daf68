package cli

import (
	"fmt"

	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
	"github.com/evenkeel/evenkeel/internal/unblock"
)

// slowFrom is how many hosts a fleet has whose causes may take a while.
const slowFrom = 500

// withCauses adds to a plan what would free whom it blocks.
func withCauses(app *App, in planner.Input, p plan.Plan) plan.Plan {
	if len(p.Blocked) == 0 {
		return p
	}
	if len(in.Fleet.Hosts) >= slowFrom {
		fmt.Fprintf(app.Err, "looking for what would free the %d that are blocked ...\n", len(p.Blocked))
	}
	in.Policy, in.Target = p.Policy, p.Target // as it was planned by, whatever the profile
	p.Causes, p.Together = unblock.Causes(in, p)
	return p
}
