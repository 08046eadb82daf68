package cli

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

func (in planFlags) checkAgain() error {
	switch {
	case in.fleet == "":
		return errors.New("--again FILE: say what the fleet is now: --fleet FILE is required")
	case in.target != "" || in.routine != "" || in.policy != "" || in.campaign != "" || in.supersedes != "" || in.profile != string(plan.Careful) || in.revision != 1 || in.parent != 0:
		return errors.New("--again FILE carries its target, policy and campaign, and its revision follows: leave --target, --routine, --policy, --campaign, --supersedes, --profile, --revision and --parent away")
	case in.compare.on || in.compare.svg != "" || in.explain.id != "" || in.explain.plan != "":
		return errors.New("--again tells what becomes another: save the plan with --out, then ask --explain or --svg of it")
	case in.output != "table" && in.output != "json":
		return fmt.Errorf("-o %s is not for --again: use table or json; --out FILE saves the plan", in.output)
	}
	return nil
}

// madeAgain makes a saved plan again for a fleet that has changed, and tells what has become of its promises.
func (in planFlags) madeAgain(app *App, now time.Time) error {
	was, err := loadPlan(app, in.again)
	if err != nil {
		return err
	}
	if was.Fleet == nil || was.FleetDigest != plan.FleetDigest(was.Fleet) {
		return fmt.Errorf("%s: the plan does not carry the fleet that it was made from: make it with evenkeel plan --out", in.again)
	}
	f, err := loadFleet(app, in.fleet)
	if err != nil {
		return err
	}
	input := planner.Input{Fleet: f, Target: was.Target, Policy: was.Policy, Profile: was.Profile, Campaign: was.Campaign, Supersedes: was.Supersedes, Now: now}
	if was.Target != nil {
		as, err := loadAdvisories(was.Target, in.again, in.advisories)
		if err != nil {
			return err
		}
		input.Assessment = advisory.Assess(f, was.Target, as, was.Policy.StaleAfter.Std(), now)
	}
	p, c, err := planner.Again(input, was)
	if err != nil {
		return err
	}
	if !c.None() {
		if found := audit.Plan(f, &p); len(found) > 0 {
			return fmt.Errorf("the auditor found %d violations in the plan that was made again, first: %s; plan anew without --again", len(found), found[0].What)
		}
	}
	if in.out != "" && !c.None() {
		p.Fleet = f // so that the file stands for itself
		if err := savePlan(in.out, p); err != nil {
			return fmt.Errorf("--out %s: the plan was not saved: %w", in.out, reasonOf(err))
		}
	}
	if err := in.tellAgain(app.Out, was, &p, &c); err != nil || c.None() {
		return err
	}
	return Exit(ExitChanges)
}

func (in planFlags) tellAgain(w io.Writer, was, p *plan.Plan, c *planner.Changes) error {
	if in.output == "json" {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(struct {
			Campaign string `json:"campaign"`
			Revision int    `json:"revision"`
			Parent   int    `json:"parent"`
			Same     bool   `json:"same"` // no revision was made: the plan stands
			Verdict  string `json:"verdict"`
			planner.Changes
		}{p.Campaign, p.Revision, was.Revision, c.None(), p.Verdict, *c})
	}
	most := 20
	if in.all {
		most = 0
	}
	_, err := io.WriteString(w, againText(was, p, c, most))
	return err
}

// againText tells what has become of a plan's promises; at most so many of them one by one, 0: all.
func againText(was, p *plan.Plan, c *planner.Changes, most int) string {
	var b strings.Builder
	if c.None() {
		fmt.Fprintf(&b, "The plan stands: revision %d of %s. All its promises can be kept: %d ahead, %d behind it.\n", was.Revision, was.Campaign, c.Kept, c.Done)
		return b.String()
	}
	fmt.Fprintf(&b, "%s\nRevision %d of %s, after revision %d. Promises: %d stand, %d are behind it, %d are others.\n", p.Verdict, p.Revision, p.Campaign, was.Revision, c.Kept, c.Done, len(c.Moved))
	if c.Whole != "" {
		fmt.Fprintf(&b, "The whole plan was made anew: %s.\n", c.Whole)
	} else {
		fmt.Fprintf(&b, "Pools that were planned again: %d; all others are as they were, to the byte.\n", len(c.Pools))
	}
	for i, x := range c.Pools {
		if most > 0 && i == most {
			fmt.Fprintf(&b, "  and %d more (--all names them)\n", len(c.Pools)-most)
			break
		}
		why := strings.Join(x.Why[:min(3, len(x.Why))], "; ")
		if n := len(x.Why) - 3; n > 0 {
			why += fmt.Sprintf("; and %d more", n)
		}
		fmt.Fprintf(&b, "  %s: %s\n", x.Pool, why)
	}
	b.WriteString(movedText(c.Moved, most))
	return b.String()
}

// movedText lists moved promises under their causes, in the order in which the first of each comes.
func movedText(list []planner.Moved, most int) string {
	var causes []string
	of := map[string][]planner.Moved{}
	for _, m := range list {
		if len(of[m.Cause]) == 0 {
			causes = append(causes, m.Cause)
		}
		of[m.Cause] = append(of[m.Cause], m)
	}
	var b strings.Builder
	n := 0
	for _, cause := range causes {
		fmt.Fprintf(&b, "\n%s\n", cause)
		for _, m := range of[cause] {
			if n++; most > 0 && n > most {
				fmt.Fprintf(&b, "  and %d more promises, of this cause and others (--all names them)\n", len(list)-most)
				return b.String()
			}
			s := cmp.Or(m.Was, m.Now)
			fmt.Fprintf(&b, "  %s (%s)  was %s, is %s\n", s.Instance, cmp.Or(s.Tenant, "the operator's"), promised(m.Was), promised(m.Now))
		}
	}
	return b.String()
}

func promised(s *plan.Slot) string {
	if s == nil {
		return "none"
	}
	return fmt.Sprintf("%s to %s UTC (%s)", s.Start.UTC().Format("Mon 2006-01-02 15:04"), s.End.UTC().Format("15:04"), s.Disposition)
}
