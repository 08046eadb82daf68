package cli

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/form"
)

// fleetCommands are the commands under `evenkeel fleet`, in the order in which help shows them.
var fleetCommands = []func(*App) *cobra.Command{newFleetCheck, newFleetShow, newFleetDiscover}

func newFleet(app *App) *cobra.Command {
	cmd := &cobra.Command{Use: "fleet", Short: "Read, check and show a fleet", RunE: helpOnly}
	for _, make := range fleetCommands {
		cmd.AddCommand(make(app))
	}
	return cmd
}

// helpOnly is what a command does that only groups others: it shows its help, and refuses a command
// that it does not know.
func helpOnly(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return fmt.Errorf("unknown command %q for %q: see %s --help", args[0], cmd.CommandPath(), cmd.CommandPath())
	}
	return cmd.Help()
}

func newFleetCheck(app *App) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "check FILE...",
		Short: "Report every mistake in fleet files: where, what was found, what was expected",
		Long: `Report every mistake in fleet files, one a line, as FILE:LINE:COLUMN: PATH: found ..., expected ...
A file is YAML, JSON, or JSON Lines when its name ends in .jsonl; "-" is standard input.
Warnings are about what can be, but should be looked at; they do not fail the check.`,
		Example: "  evenkeel fleet check fleet.yaml",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if output != "text" && output != "json" {
				return fmt.Errorf("-o %s is not known: use text or json", output)
			}
			return fleetCheck(app, args, output)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "text", "text or json")
	return cmd
}

// checkedFleet is what was found out about one file.
type checkedFleet struct {
	File      string          `json:"file"`
	Hosts     int             `json:"hosts"`
	Instances int             `json:"instances"`
	Mistakes  form.Mistakes   `json:"mistakes"`
	Warnings  []fleet.Warning `json:"warnings"`
	fleet     *fleet.Fleet
}

func fleetCheck(app *App, paths []string, output string) error {
	var checked []checkedFleet
	wrong := false
	for _, path := range paths {
		f, mistakes, err := parseFleet(app, path)
		if err != nil {
			return err
		}
		c := checkedFleet{File: path, Hosts: len(f.Hosts), Instances: len(f.Instances),
			Mistakes: form.Mistakes{}, Warnings: []fleet.Warning{}, fleet: f}
		c.Mistakes = append(c.Mistakes, mistakes...)
		if len(mistakes) == 0 {
			c.Warnings = append(c.Warnings, fleet.Warnings(f)...)
		}
		wrong = wrong || len(mistakes) > 0
		checked = append(checked, c)
	}
	if output == "json" {
		out := json.NewEncoder(app.Out)
		out.SetIndent("", "  ")
		if err := out.Encode(checked); err != nil {
			return err
		}
	} else {
		for _, c := range checked {
			c.print(app)
		}
	}
	if wrong {
		return Exit(ExitError)
	}
	return nil
}

// print writes mistakes and warnings to standard error and the summary to standard output.
func (c checkedFleet) print(app *App) {
	for _, m := range c.Mistakes {
		fmt.Fprintln(app.Err, m)
	}
	for _, w := range c.Warnings {
		fmt.Fprintf(app.Err, "%s: warning: %s\n", c.File, w)
	}
	if len(c.Mistakes) > 0 {
		fmt.Fprintf(app.Out, "%s: %s, not usable\n", c.File, count(len(c.Mistakes), "mistake"))
		return
	}
	fmt.Fprintf(app.Out, "%s: sound: %s%s\n", c.File, sizes(c.fleet), withWarnings(len(c.Warnings)))
}

func withWarnings(n int) string {
	if n == 0 {
		return ""
	}
	return "; " + count(n, "warning")
}

// sizes counts what a fleet holds.
func sizes(f *fleet.Fleet) string {
	return fmt.Sprintf("%s, %s, %s, %s, %s, %s, %s", count(len(f.Regions), "region"), count(len(f.Sites), "site"),
		count(len(f.Pools), "pool"), count(len(f.Hosts), "host"), count(len(f.Instances), "instance"),
		count(len(f.Tenants), "tenant"), count(len(f.Groups), "group"))
}

// count writes a number with its noun: 1 host, 2 hosts.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// writeFleetJSON writes a fleet as indented JSON.
func writeFleetJSON(w io.Writer, f *fleet.Fleet) error {
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(f)
}
