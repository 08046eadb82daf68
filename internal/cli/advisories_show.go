package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/advisory/parse"
	"github.com/evenkeel/evenkeel/internal/form"
)

// shownAdvisories is what `evenkeel advisories show` gives to programs.
type shownAdvisories struct {
	Advisories []advisory.Advisory `json:"advisories" yaml:"advisories"`
	// Together are the names that several of the documents carry.
	Together  []advisory.Shared   `json:"together,omitempty" yaml:"together,omitempty"`
	Conflicts []advisory.Conflict `json:"conflicts,omitempty" yaml:"conflicts,omitempty"`
}

func newAdvisoriesShow(app *App) *cobra.Command {
	output, now := "", ""
	cmd := &cobra.Command{
		Use:   "show FILE...",
		Short: "Say what advisories say, and what they leave out",
		Long: `Say what advisories say: what is affected, where it applies, mitigations, payloads, the vendor's
guidance and the tactics that follow it; and under 'not said' what a document leaves open. Of
several documents on the same vulnerability their contradictions are named. '-' is standard input.

Exit code 0: every file was read; 1: a file cannot be used (the others are shown all the same).`,
		Example: "  evenkeel advisories show xsa334.meta CVE-2025-11234.json\n  curl -s https://feed.example/CVE-2025-11234.json | evenkeel advisories show -",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return showAdvisories(app, args, output, now)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "table", "table, json or yaml")
	cmd.Flags().StringVar(&now, "now", "", "the moment by which disclosure lies ahead or behind, such as 2026-03-01T08:00:00Z (default: now)")
	return cmd
}

func showAdvisories(app *App, paths []string, output, at string) error {
	if !slices.Contains([]string{"table", "json", "yaml"}, output) {
		return fmt.Errorf("-o %s is not known: use table, json or yaml", output)
	}
	now, err := momentOf(app, at)
	if err != nil {
		return err
	}
	as, wrong := readAdvisories(app, paths)
	all := shownAdvisories{Advisories: as, Together: advisory.Together(as), Conflicts: advisory.Conflicts(as)}
	if all.Advisories == nil {
		all.Advisories = []advisory.Advisory{}
	}
	switch output {
	case "json":
		e := json.NewEncoder(app.Out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		err = e.Encode(all)
	case "yaml":
		_, err = app.Out.Write(form.Encode(all))
	default:
		p := &page{out: app.Out}
		for i := range as {
			p.advisory(&as[i], now)
		}
		p.together(all.Together, all.Conflicts)
		err = p.err
	}
	return errors.Join(err, wrong)
}

// readAdvisories reads files, each once; the error lists every mistake in those that cannot be used.
func readAdvisories(app *App, paths []string) (as []advisory.Advisory, err error) {
	var wrong []error
	read := map[string]bool{}
	for _, path := range paths {
		if read[path] {
			continue
		}
		read[path] = true
		src, name, err := readInput(app, path)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		some, mistakes := parse.Parse(name, src)
		if err := unreadable(name, mistakes); err != nil {
			wrong = append(wrong, err)
			continue
		}
		as = append(as, some...)
	}
	return as, errors.Join(wrong...)
}
