package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/form"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// planFlags are what `evenkeel plan` was asked.
type planFlags struct {
	fleet, target, routine, policy string
	advisories                     []string
	now, campaign, out, output     string
	supersedes, profile            string
	revision, parent               int
	all                            bool
	again                          string // the saved plan that is made again
	explain                        explainFlags
	compare                        compareFlags
}

func newPlan(app *App) *cobra.Command {
	var in planFlags
	cmd := &cobra.Command{
		Use:   "plan --fleet FILE (--target FILE | --routine reboot)",
		Short: "Plan the maintenance of a whole fleet in calendar time",
		Long: `Plan the maintenance of a whole fleet in calendar time: which host when and by which tactic,
where its instances go meanwhile, and what is promised to whom. Nothing is changed.

With --target each host that the target's advisories affect gets a turn; with --routine reboot
each host does. What cannot be done is listed with the reason and with what would allow it; all
else is planned. Without a policy careful defaults apply: a canary first, at most 5 % of a pool
(at least one host) away at once, the pool's reserve kept, two-hour slots at 02:00 in the site's
own zone, a day of notice for a live migration and a week for anything longer.

With --supersedes the plan is that of a child campaign: it takes the place of one that runs, which
ends in a safe place first. Where several advisories, or the target, name several moments of
disclosure, the strictest terms count, and the output says which source gave which. Who has a fix
that the target withdraws is listed.

With --profile bound all is lifted that policy asks for people's sake or for safety's: windows, notice,
canary, soak, growth of waves, shares and reserves of pools, stagger. What is left is the fewest waves that
capacity and the fleet's own rules allow: to compare with, and refused by 'evenkeel apply'. The table of a
careful plan tells both. With -o json there is a summary, with what planning took; a saved plan has none.
A big fleet is best given as JSON Lines, in a file whose name ends in .jsonl.

With --explain the plan is not printed, but why one host or instance is where it is in it: what keeps
it from each earlier wave, why it gets this tactic and no lesser one, why its instances go where they
go; and which rule or bound decided, with the numbers. --plan explains a plan that was saved. The exit
code is 0 then.

With --compare the maintenance is planned in several ways and what each costs whom stands side by side: when
it is over, how many tenants it touches and stops, how long the fleet stays exposed. A deadline that cannot be
met is told with by how much, and with the cheapest three changes that were found to meet it. It takes as long
as some fifteen plans, and up to some hundred more where such changes are hard to find. The exit code is 0 then.

With --again FILE a saved plan is made again for a fleet that has changed since: pools in which nothing happened stay
as they were, in the others each promise that can be kept is, and each that cannot is listed with its cause. Target and
policy are the plan's. The next revision is saved with --out; where no promise, turn or wave becomes another there is
none, and the exit code is 0.

With --svg FILE a picture is saved: with --compare of the comparison, without it of the plan: windows, promised
slots and waves by site.

Exit code 0: nothing to do; 2: changes are planned; 3: hosts or instances need
maintenance, or may, and none can have a turn; 1: an error.`,
		Example: `  evenkeel plan --fleet fleet.yaml --target target.yaml --out plan.json
  evenkeel plan --fleet fleet.yaml --routine reboot --policy policy.yaml
  evenkeel plan --fleet fleet.yaml --target newer.yaml --supersedes spring --campaign spring-2 --out plan.json
  evenkeel plan --fleet fleet.yaml --target target.yaml --now 2026-03-01T08:00:00Z -o json
  evenkeel plan --fleet fleet.yaml --routine reboot --explain h12
  evenkeel plan --plan plan.json --explain h12
  evenkeel plan --again plan.json --fleet fleet-today.yaml --out plan-2.json
  evenkeel plan --fleet fleet.yaml --target target.yaml --compare --svg trade.svg
  evenkeel plan --fleet fleet.yaml --target target.yaml --svg plan.svg --out plan.json`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error { return runPlan(app, in) },
	}
	f := cmd.Flags()
	f.StringVar(&in.fleet, "fleet", "", "the fleet (required)")
	f.StringVar(&in.target, "target", "", "the target that hosts are to reach")
	f.StringVar(&in.routine, "routine", "", "a cycle without an advisory: reboot")
	f.StringVar(&in.policy, "policy", "", "the policy (default: careful defaults)")
	f.StringArrayVar(&in.advisories, "advisory", nil, "an OSV document beside those that the target names; may be repeated")
	f.StringVar(&in.now, "now", "", "the moment to plan from, such as 2026-03-01T08:00:00Z (default: now)")
	f.StringVar(&in.campaign, "campaign", "", "the campaign's name (default: maintenance- and the moment)")
	f.StringVar(&in.supersedes, "supersedes", "", "the running campaign whose place this one takes")
	f.IntVar(&in.revision, "revision", 1, "the plan's revision")
	f.IntVar(&in.parent, "parent", 0, "the revision that this plan replaces")
	f.StringVar(&in.profile, "profile", string(plan.Careful), "careful, or bound: to measure by")
	f.StringVar(&in.again, "again", "", "make this saved plan `FILE` again for the fleet as it is now: promises that can be kept are")
	in.outputFlags(cmd)
	in.explain.flags(cmd)
	in.compare.flags(cmd)
	return cmd
}

// outputFlags say where a plan goes, and in which form.
func (in *planFlags) outputFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&in.out, "out", "", "also save the plan, as JSON, to this file")
	f.StringVarP(&in.output, "output", "o", "table", "table, json or yaml")
	f.BoolVar(&in.all, "all", false, "name every host and blocker in the table")
}

func (in planFlags) checkOutput() error {
	if !slices.Contains([]string{"table", "json", "yaml"}, in.output) {
		return fmt.Errorf("-o %s is not known: use table, json or yaml; --out FILE saves the plan", in.output)
	}
	return nil
}

func runPlan(app *App, in planFlags) error {
	if err := in.check(); err != nil {
		return err
	}
	if in.explain.plan != "" {
		return explainSaved(app, in)
	}
	now, err := momentOf(app, in.now)
	if err != nil {
		return err
	}
	if in.again != "" {
		return in.madeAgain(app, now)
	}
	input, notes, err := planInput(app, in, now)
	if err != nil {
		return err
	}
	if in.compare.on {
		return in.compared(app, input, notes)
	}
	p, err := planner.Propose(input)
	if err != nil {
		return err
	}
	p.Fleet = input.Fleet // so that the file stands for itself; it is pinned by the plan's fleet_digest
	if in.explain.id != "" {
		return in.explainMade(app, input, p, notes)
	}
	cost, err := in.priced(app, input, p)
	if err != nil {
		return err
	}
	return in.giveOut(app, withCauses(app, input, p), notes, cost)
}

// giveOut saves and prints a plan; the exit code says whether there is something to do.
func (in planFlags) giveOut(app *App, p plan.Plan, notes []plan.Note, cost price) error {
	if in.out != "" {
		if err := savePlan(in.out, p); err != nil {
			return fmt.Errorf("--out %s: the plan was not saved: %w", in.out, reasonOf(err))
		}
	}
	if err := in.drawn(&p); err != nil {
		return err
	}
	if err := printPlan(app, in, p, notes, cost); err != nil {
		return err
	}
	switch {
	case p.Counts.Hosts > 0:
		return Exit(ExitChanges)
	case len(p.Blocked) > 0:
		return Exit(ExitRefused)
	}
	return nil
}

func (in planFlags) check() error {
	if err := in.checkCompare(); err != nil {
		return err
	}
	if err := in.checkExplain(); err != nil || in.explain.plan != "" {
		return err
	}
	if in.again != "" {
		return in.checkAgain()
	}
	switch {
	case in.fleet == "":
		return errors.New("say what to plan: --fleet FILE is required")
	case (in.target == "") == (in.routine == ""):
		return errors.New("say what to plan for: either --target FILE or --routine reboot")
	case in.routine != "" && in.routine != "reboot":
		return fmt.Errorf("--routine: found %q, expected reboot", in.routine)
	case in.routine != "" && len(in.advisories) > 0:
		return errors.New("--advisory has no meaning in a routine cycle: leave it out, or give a --target")
	case in.campaign != "" && !form.Fits("id", in.campaign):
		_, expected := form.Pattern("id")
		return fmt.Errorf("--campaign: found %q, expected %s", in.campaign, expected)
	case in.supersedes != "" && !form.Fits("id", in.supersedes):
		return fmt.Errorf("--supersedes: found %q, expected a campaign's name", in.supersedes)
	case in.supersedes != "" && in.supersedes == in.campaign:
		return fmt.Errorf("--supersedes %s: a campaign cannot take its own place: give the new one another --campaign", in.supersedes)
	case in.revision < 1 || in.parent < 0 || in.parent >= in.revision:
		return fmt.Errorf("--revision %d --parent %d: a revision counts from 1 and its parent is below it (0: none)", in.revision, in.parent)
	}
	if err := in.checkProfile(); err != nil {
		return err
	}
	return in.checkOutput()
}

// planInput reads what was named, and gives what there is to say of it. Mistakes in all files are told
// at once.
func planInput(app *App, in planFlags, now time.Time) (planner.Input, []plan.Note, error) {
	f, fleetErr := loadFleet(app, in.fleet)
	known := f
	if fleetErr != nil {
		known = nil // what it names is not known yet
	}
	p, policyErr := loadPolicyFor(app, in.policy, known)
	var t *plan.Target
	var as []advisory.Advisory
	var targetErr, advisoryErr error
	if in.target != "" {
		if t, targetErr = loadTarget(app, in.target); targetErr == nil {
			as, advisoryErr = loadAdvisories(t, in.target, in.advisories)
		}
	}
	if err := errors.Join(fleetErr, targetErr, policyErr, advisoryErr); err != nil {
		return planner.Input{}, nil, err
	}
	input := planner.Input{Fleet: f, Target: t, Policy: *p, Campaign: in.campaign, Now: now, Revision: in.revision, Parent: in.parent, Supersedes: in.supersedes}
	if in.profile == string(plan.Bound) {
		input = asBound(input)
	}
	if input.Campaign == "" {
		input.Campaign = "maintenance-" + now.Format("20060102-1504") // tenants may see it: it names no advisory
	}
	if t == nil {
		return input, nil, nil
	}
	terms := advisory.Embargo(t, as, now)
	input.Target = underTerms(t, terms, *p, now)
	input.Assessment = advisory.Assess(f, input.Target, as, p.StaleAfter.Std(), now)
	return input, append(termNotes(terms, input.Target, *p, now), holderNotes(f, input.Assessment.Holders)...), nil
}

// savePlan writes the whole file or nothing: a plan cut short must not lie where a plan should.
func savePlan(path string, p plan.Plan) error {
	return saveBy(path, func(w io.Writer) error { return plan.Write(w, p) })
}

// saveBy writes a file by the way of another one beside it.
func saveBy(path string, write func(w io.Writer) error) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".evenkeel-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	if err := errors.Join(write(tmp), tmp.Chmod(0o644), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}

// reasonOf leaves out the name of the file that was written first: nobody asked for it.
func reasonOf(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}

func printPlan(app *App, in planFlags, p plan.Plan, notes []plan.Note, cost price) error {
	if in.output != "table" {
		printNotes(app.Err, notes) // the output itself is for machines
	}
	switch in.output {
	case "json":
		return plan.Write(app.Out, summed(p))
	case "yaml":
		_, err := app.Out.Write(form.Encode(summed(p)))
		return err
	}
	o := plan.TableOptions{Zone: siteZones(p.Fleet), Notes: notes, Most: 20, AsBound: cost.bound, NoPrice: cost.why}
	if in.all {
		o.Most = 0
	}
	if in.out != "" {
		o.Path = shellWord(in.out)
	}
	return plan.Table(app.Out, p, o)
}

// siteZones finds the time zones of a fleet's sites.
func siteZones(f *fleet.Fleet) func(string) *time.Location {
	zones := map[string]*time.Location{}
	for _, s := range f.Sites {
		if zone, err := time.LoadLocation(s.Timezone); err == nil {
			zones[s.ID] = zone
		}
	}
	return func(site string) *time.Location { return zones[site] }
}
