package cli

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/form"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// draftFlags are what `evenkeel advisories draft` was asked.
type draftFlags struct {
	fleet, out string
}

func newAdvisoriesDraft(app *App) *cobra.Command {
	var in draftFlags
	cmd := &cobra.Command{
		Use:   "draft --fleet FILE FILE...",
		Short: "Draft a target that would fix advisories on a fleet",
		Long: `Draft a target from what the documents say: for each ecosystem of the fleet's hosts the versions
that they call fixed, and the remedy that such a fix needs. What no document says, the draft does
not hold: how a host is updated stays to be written, and what could not be drafted is told on
standard error. The draft goes to standard output, or to --out, which is never overwritten.

Exit code 0: drafted; 1: an error, or nothing could be drafted.`,
		Example: "  evenkeel advisories draft --fleet fleet.yaml dsa-3041.json xsa-108.yaml --out target.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE:    func(_ *cobra.Command, files []string) error { return draftTarget(app, in, files) },
	}
	cmd.Flags().StringVar(&in.fleet, "fleet", "", "the fleet (required)")
	cmd.Flags().StringVarP(&in.out, "out", "o", "", "the file to write (default: standard output)")
	if err := cmd.MarkFlagRequired("fleet"); err != nil {
		panic(err) // a flag of that name was defined just above
	}
	return cmd
}

func draftTarget(app *App, in draftFlags, files []string) error {
	f, fleetErr := loadFleet(app, in.fleet)
	as, advisoryErr := loadAdvisories(nil, "", files)
	if err := errors.Join(fleetErr, advisoryErr); err != nil {
		return err
	}
	t, notes := advisory.Draft(f, as)
	p := &page{out: app.Err}
	for _, n := range notes {
		p.line("not drafted: %s", n)
	}
	if t == nil {
		return errors.New("nothing could be drafted: no document names a fixed version for an ecosystem of this fleet's hosts")
	}
	if err := nameDocuments(t, files, in.out); err != nil {
		return err
	}
	body := form.Encode(t)
	if _, mistakes := plan.ParseTarget("draft", body); len(mistakes) > 0 {
		return fmt.Errorf("the draft is not usable:\n%w", mistakes)
	}
	if in.out == "" {
		_, err := app.Out.Write(body)
		return err
	}
	if err := writeNew(in.out, body); err != nil {
		return err
	}
	p.line("%s: drafted; write into each cohort's update how its hosts are updated, then: evenkeel plan --fleet %s --target %s", in.out, shellWord(in.fleet), shellWord(in.out))
	return p.err
}

// nameDocuments lists the documents in the target, as seen from its own file.
func nameDocuments(t *plan.Target, files []string, out string) error {
	t.Advisories = nil
	for _, f := range files {
		if out != "" {
			from, err := filepath.Abs(filepath.Dir(out))
			if err != nil {
				return err
			}
			to, err := filepath.Abs(f)
			if err != nil {
				return err
			}
			if rel, err := filepath.Rel(from, to); err == nil {
				f = rel
			}
		}
		t.Advisories = append(t.Advisories, f)
	}
	return nil
}
