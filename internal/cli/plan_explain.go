package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/explain"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// explainFlags are what `evenkeel plan` was asked to explain.
type explainFlags struct {
	id   string // of a host or an instance
	plan string // a saved plan; empty: the one that is made
}

func (in *explainFlags) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&in.id, "explain", "", "say why this `HOST|INSTANCE` is where it is in the plan, and which rule or bound decided")
	cmd.Flags().StringVar(&in.plan, "plan", "", "with --explain: the saved plan `FILE` to explain instead of making one (- is standard input)")
}

// checkExplain refuses what does not go together.
func (in planFlags) checkExplain() error {
	switch {
	case in.explain.plan != "" && in.explain.id == "":
		return errors.New("--plan FILE goes with --explain HOST|INSTANCE: say what of the plan is to be explained")
	case in.explain.plan != "" && (in.fleet != "" || in.target != "" || in.routine != "" || in.out != ""):
		return errors.New("--plan FILE carries its fleet, target and policy: leave --fleet, --target, --routine and --out away")
	case in.explain.plan != "" && in.makes():
		return errors.New("--plan FILE is a plan that was made already: leave away what says how to make one (--policy, --advisory, --now, --campaign, --supersedes, --profile, --revision, --parent)")
	case in.explain.id != "" && in.output != "table" && in.output != "json":
		return fmt.Errorf("-o %s is not for --explain: use table or json", in.output)
	}
	return nil
}

// makes: a flag was set that has a meaning only while a plan is made.
func (in planFlags) makes() bool {
	return in.policy != "" || len(in.advisories) > 0 || in.now != "" || in.campaign != "" || in.supersedes != "" ||
		in.profile != string(plan.Careful) || in.revision != 1 || in.parent != 0
}

// explainSaved explains a plan from its file. The plan's digest does not cover the fleet that it carries, so
// that is held against its own: over another one each answer would be wrong.
func explainSaved(app *App, in planFlags) error {
	p, err := loadPlan(app, in.explain.plan)
	if err != nil {
		return err
	}
	if p.Fleet == nil {
		return fmt.Errorf("%s: the plan carries no fleet: make it again with evenkeel plan --out", in.explain.plan)
	}
	if p.FleetDigest != plan.FleetDigest(p.Fleet) {
		return fmt.Errorf("%s: the fleet in it is not the one that the plan was made from (fleet_digest %.12s…): make it again with evenkeel plan --out", in.explain.plan, p.FleetDigest)
	}
	return printExplained(app, in, p, nil)
}

// explainMade explains a plan that was just made; it is saved too where that was asked for. What would free
// those that are blocked is looked for where the plan is saved, or the answer tells it.
func (in planFlags) explainMade(app *App, input planner.Input, p plan.Plan, notes []plan.Note) error {
	if in.out != "" || blocks(&p, in.explain.id) {
		p = withCauses(app, input, p)
	}
	if in.out != "" {
		if err := savePlan(in.out, p); err != nil {
			return fmt.Errorf("--out %s: the plan was not saved: %w", in.out, reasonOf(err))
		}
	}
	printNotes(app.Err, notes)
	if p.Target == nil {
		return printExplained(app, in, &p, nil)
	}
	return printExplained(app, in, &p, &input.Assessment)
}

// blocks: the plan blocks the host or instance of that id, or an instance of the host.
func blocks(p *plan.Plan, id string) bool {
	hosts := map[string]string{}
	for n := range p.Fleet.Instances {
		hosts[p.Fleet.Instances[n].ID] = p.Fleet.Instances[n].Host
	}
	return slices.ContainsFunc(p.Blocked, func(b plan.Blocked) bool {
		return b.Host == id || b.Instance == id || hosts[b.Instance] == id || b.Instance == "" && b.Host == hosts[id] && b.Host != ""
	})
}

func printExplained(app *App, in planFlags, p *plan.Plan, assessed *advisory.Assessment) error {
	answer, err := explain.Of(p, in.explain.id, assessed)
	if err != nil {
		return fmt.Errorf("--explain: %w", err)
	}
	if in.output == "json" {
		e := json.NewEncoder(app.Out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(answer)
	}
	return explain.Write(app.Out, answer, printable)
}
