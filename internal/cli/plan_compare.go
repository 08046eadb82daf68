package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
	"github.com/evenkeel/evenkeel/internal/whatif"
)

// compareFlags are what `evenkeel plan` was asked to lay side by side.
type compareFlags struct {
	on  bool
	svg string // file for the picture; empty: none
}

func (in *compareFlags) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&in.on, "compare", false, "plan in several ways and say what each costs whom, instead of printing one plan")
	cmd.Flags().StringVar(&in.svg, "svg", "", "with --compare: also save the picture, as SVG, to this `FILE`")
}

// checkCompare refuses what does not go together.
func (in planFlags) checkCompare() error {
	switch {
	case !in.compare.on && in.compare.svg != "":
		return errors.New("--svg FILE goes with --compare: it is the picture of a comparison")
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
	if in.compare.svg != "" {
		var picture bytes.Buffer
		if err := whatif.Picture(&picture, c); err != nil {
			return err
		}
		if err := saveFile(in.compare.svg, picture.Bytes()); err != nil {
			return fmt.Errorf("--svg %s: the picture was not saved: %w", in.compare.svg, reasonOf(err))
		}
	}
	if in.output == "json" {
		e := json.NewEncoder(app.Out)
		e.SetIndent("", "  ")
		return e.Encode(c)
	}
	return whatif.Table(app.Out, c)
}
