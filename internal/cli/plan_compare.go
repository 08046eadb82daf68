package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/picture"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
	"github.com/evenkeel/evenkeel/internal/whatif"
)

// compareFlags are what `evenkeel plan` was asked to lay side by side.
type compareFlags struct {
	on  bool
	svg string // file for the picture, of the comparison or else of the plan; empty: none
}

func (in *compareFlags) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&in.on, "compare", false, "plan in several ways and say what each costs whom, instead of printing one plan")
	cmd.Flags().StringVar(&in.svg, "svg", "", "also save a picture of the plan, or of the comparison, as SVG to this `FILE`")
}

// checkCompare refuses what does not go together.
func (in planFlags) checkCompare() error {
	switch {
	case in.compare.svg != "" && (in.explain.id != "" || in.explain.plan != ""):
		return errors.New("--svg FILE is a picture of a plan or of a comparison: leave --explain away")
	case !in.compare.on:
		return nil
	case in.explain.id != "" || in.explain.plan != "":
		return errors.New("--compare and --explain answer different questions: ask one after the other")
	case in.out != "":
		return errors.New("--compare makes many plans and saves none: leave --out away, and plan with the one you want")
	case in.profile == string(plan.Bound):
		return errors.New("--compare shows --profile bound as one of its ways: leave --profile away")
	case in.output != "table" && in.output != "json":
		return fmt.Errorf("-o %s is not for --compare: use table or json", in.output)
	}
	return nil
}

// compared plans in several ways, telling on a terminal which one it is at.
func (in planFlags) compared(app *App, input planner.Input, notes []plan.Note) error {
	var each func(string)
	if isTerminal(app.Err) || len(input.Fleet.Hosts) >= slowFrom {
		each = func(name string) { fmt.Fprintf(app.Err, "planning: %s ...\n", name) }
	}
	c, err := whatif.Compare(input, whatif.Ways(), each)
	if err != nil {
		return err
	}
	printNotes(app.Err, notes)
	if err := in.compare.save(func(w io.Writer) error { return whatif.Picture(w, c) }); err != nil {
		return err
	}
	if in.output == "json" {
		e := json.NewEncoder(app.Out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(c)
	}
	return whatif.Table(app.Out, c)
}

// save draws the picture that was asked for, if any.
func (in compareFlags) save(draw func(w io.Writer) error) error {
	if in.svg == "" {
		return nil
	}
	if err := saveBy(in.svg, draw); err != nil {
		return fmt.Errorf("--svg %s: the picture was not saved: %w", in.svg, reasonOf(err))
	}
	return nil
}

// drawn saves the picture of a plan that was made.
func (in planFlags) drawn(p *plan.Plan) error {
	return in.compare.save(func(w io.Writer) error { return picture.Plan(w, p, siteZones(p.Fleet)) })
}
