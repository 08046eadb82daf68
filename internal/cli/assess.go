package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/advisory/parse"
	"github.com/evenkeel/evenkeel/internal/form"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// assessFlags are what `evenkeel assess` was asked.
type assessFlags struct {
	fleet, target, policy string
	advisories            []string
	output, now           string
	detail                bool
}

func newAssess(app *App) *cobra.Command {
	var in assessFlags
	cmd := &cobra.Command{
		Use:   "assess --fleet FILE [--target FILE] [--advisory FILE]...",
		Short: "Say which hosts and instances advisories affect, with the evidence and what would fix how much",
		Long: `Say of each host and instance whether it is affected, fixed, not affected or unknown, and why;
then what that adds up to by site, tenant and advisory, for how long it has been public, and
what would fix how much. What is not known is never guessed: documents that contradict each
other are both named, and facts older than the policy's stale_after do not count. A running
instance is judged by what its own monitor says, not by the package on its host's disk.
Advisories are the documents that the target names (relative to its own file) and those given
with --advisory, in any format that 'evenkeel advisories show' reads.

Exit code 0: nothing is affected; 2: something is, or cannot be told; 1: an error.`,
		Example: "  evenkeel assess --fleet fleet.yaml --target target.yaml\n  evenkeel assess --fleet fleet.yaml --advisory xsa-108.yaml --advisory dsa-3041.json\n  evenkeel assess --fleet fleet.yaml --target target.yaml -o json",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return assess(app, in) },
	}
	cmd.Flags().StringVar(&in.fleet, "fleet", "", "the fleet (required)")
	cmd.Flags().StringVar(&in.target, "target", "", "the target; without it the advisories decide alone")
	cmd.Flags().StringArrayVar(&in.advisories, "advisory", nil, "an advisory beside those that the target names; may be repeated")
	cmd.Flags().BoolVar(&in.detail, "detail", false, "list each host and instance by itself, with when and how each fact was seen")
	cmd.Flags().StringVar(&in.policy, "policy", "", "a policy, whose stale_after says how old facts may be")
	cmd.Flags().StringVarP(&in.output, "output", "o", "table", "table, json or yaml")
	cmd.Flags().StringVar(&in.now, "now", "", "the moment to judge at, such as 2026-03-01T08:00:00Z (default: now)")
	if err := cmd.MarkFlagRequired("fleet"); err != nil {
		panic(err) // a flag of that name was defined just above
	}
	return cmd
}

func assess(app *App, in assessFlags) error {
	if !slices.Contains([]string{"table", "json", "yaml"}, in.output) {
		return fmt.Errorf("-o %s is not known: use table, json or yaml", in.output)
	}
	if in.target == "" && len(in.advisories) == 0 {
		return errors.New("nothing to judge by: name a --target, an --advisory, or both")
	}
	now, err := momentOf(app, in.now)
	if err != nil {
		return err
	}
	a, as, err := assessFiles(app, in, now)
	if err != nil {
		return err
	}
	if err := printAssessment(app, in, a, as); err != nil {
		return err
	}
	if a.Counts.Hosts.Affected+a.Counts.Hosts.Unknown+a.Counts.Instances.Affected+a.Counts.Instances.Unknown > 0 {
		return Exit(ExitChanges)
	}
	return nil
}

// assessFiles reads what was named and judges it. Mistakes in all files are told at once.
func assessFiles(app *App, in assessFlags, now time.Time) (*advisory.Assessment, []advisory.Advisory, error) {
	f, fleetErr := loadFleet(app, in.fleet)
	var t *plan.Target
	var targetErr error
	if in.target != "" {
		t, targetErr = loadTarget(app, in.target)
	}
	known := f
	if fleetErr != nil {
		known = nil
	}
	p, policyErr := loadPolicyFor(app, in.policy, known)
	var as []advisory.Advisory
	var advisoryErr error
	if targetErr == nil {
		as, advisoryErr = loadAdvisories(t, in.target, in.advisories)
	}
	if err := errors.Join(fleetErr, targetErr, policyErr, advisoryErr); err != nil {
		return nil, nil, err
	}
	return new(advisory.Assess(f, t, as, time.Duration(p.StaleAfter), now)), as, nil
}

// loadAdvisories reads the documents that a target names, relative to the target's own file, and
// those at the further paths; each file once. A nil target names none. The error lists every mistake
// in all of them.
func loadAdvisories(t *plan.Target, targetPath string, further []string) (as []advisory.Advisory, err error) {
	var paths, named []string
	if t != nil {
		named = t.Advisories
	}
	for _, p := range named {
		if !filepath.IsAbs(p) && targetPath != "-" {
			p = filepath.Join(filepath.Dir(targetPath), p)
		}
		paths = append(paths, p)
	}
	var mistakes form.Mistakes
	var unread []error
	read := map[string]bool{}
	for _, p := range append(paths, further...) {
		if p = filepath.Clean(p); read[p] {
			continue
		}
		read[p] = true
		src, err := os.ReadFile(p)
		if err != nil {
			unread = append(unread, err)
			continue
		}
		read, wrong := parse.Parse(p, src)
		mistakes = append(mistakes, wrong...)
		as = append(as, read...)
	}
	if len(mistakes) > 0 {
		unread = append(unread, fmt.Errorf("advisories cannot be used, mistakes: %d\n%w", len(mistakes), mistakes))
	}
	return as, errors.Join(unread...)
}

func printAssessment(app *App, in assessFlags, a *advisory.Assessment, as []advisory.Advisory) error {
	switch in.output {
	case "json":
		out := json.NewEncoder(app.Out)
		out.SetEscapeHTML(false)
		out.SetIndent("", "  ")
		return out.Encode(a)
	case "yaml":
		_, err := app.Out.Write(form.Encode(a))
		return err
	}
	t := &assessTable{app: app, target: in.target != "", detail: in.detail}
	t.print(a, advisory.Conflicts(as))
	t.line("%s", nextAfterAssess(in, a))
	return t.err
}

// tally writes counts, the most pressing first.
func tally(n advisory.Tally) string {
	var words []string
	for _, v := range advisory.Verdicts {
		words = append(words, fmt.Sprintf("%s %d", v.Words(), n.Of(v)))
	}
	return strings.Join(words, ", ")
}

// nextAfterAssess is the command that an operator would run now.
func nextAfterAssess(in assessFlags, a *advisory.Assessment) string {
	affected := a.Counts.Hosts.Affected + a.Counts.Instances.Affected
	unknown := a.Counts.Hosts.Unknown + a.Counts.Instances.Unknown
	if affected == 0 && unknown == 0 {
		return "next: nothing, no host and no instance is affected"
	}
	if in.target == "" {
		draft := "next: evenkeel advisories draft --fleet " + shellWord(in.fleet)
		for _, p := range in.advisories {
			draft += " " + shellWord(p)
		}
		return draft + " --out target.yaml"
	}
	next := "next: evenkeel plan --fleet " + shellWord(in.fleet) + " --target " + shellWord(in.target)
	if in.policy != "" {
		next += " --policy " + shellWord(in.policy)
	}
	for _, p := range in.advisories {
		next += " --advisory " + shellWord(p)
	}
	if affected == 0 {
		return "next: find out what is unknown (each line above says what would tell), then " + strings.TrimPrefix(next, "next: ")
	}
	return next + " --out plan.json"
}

// shellWord quotes a word for a shell where it needs that.
func shellWord(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@%+=,", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
