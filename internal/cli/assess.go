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
	"github.com/evenkeel/evenkeel/internal/form"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// assessFlags are what `evenkeel assess` was asked.
type assessFlags struct {
	fleet, target, policy string
	advisories            []string
	output, now           string
}

func newAssess(app *App) *cobra.Command {
	var in assessFlags
	cmd := &cobra.Command{
		Use:   "assess --fleet FILE --target FILE",
		Short: "Say which hosts and instances a target's advisories affect, with the evidence",
		Long: `Say of each host and instance whether it is affected, fixed, not affected or unknown, and why.
What is not known is never guessed. A running instance is judged by what its own monitor says,
not by the package on its host's disk. Advisories are OSV documents: those that the target
names (relative to its own file) and those given with --advisory.

Exit code 0: nothing is affected; 2: something is, or cannot be told; 1: an error.`,
		Example: "  evenkeel assess --fleet fleet.yaml --target target.yaml\n  evenkeel assess --fleet fleet.yaml --target target.yaml -o json",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return assess(app, in) },
	}
	cmd.Flags().StringVar(&in.fleet, "fleet", "", "the fleet (required)")
	cmd.Flags().StringVar(&in.target, "target", "", "the target (required)")
	cmd.Flags().StringArrayVar(&in.advisories, "advisory", nil, "an OSV document beside those that the target names; may be repeated")
	cmd.Flags().StringVar(&in.policy, "policy", "", "a policy, whose stale_after says how old facts may be")
	cmd.Flags().StringVarP(&in.output, "output", "o", "table", "table, json or yaml")
	cmd.Flags().StringVar(&in.now, "now", "", "the moment to judge at, such as 2026-03-01T08:00:00Z (default: now)")
	for _, name := range []string{"fleet", "target"} {
		if err := cmd.MarkFlagRequired(name); err != nil {
			panic(err) // a flag of that name was defined just above
		}
	}
	return cmd
}

func assess(app *App, in assessFlags) error {
	if !slices.Contains([]string{"table", "json", "yaml"}, in.output) {
		return fmt.Errorf("-o %s is not known: use table, json or yaml", in.output)
	}
	now, err := momentOf(app, in.now)
	if err != nil {
		return err
	}
	a, err := assessFiles(app, in, now)
	if err != nil {
		return err
	}
	if err := printAssessment(app, in, a); err != nil {
		return err
	}
	if a.Counts.Hosts.Affected+a.Counts.Hosts.Unknown+a.Counts.Instances.Affected+a.Counts.Instances.Unknown > 0 {
		return Exit(ExitChanges)
	}
	return nil
}

// assessFiles reads what was named and judges it. Mistakes in all files are told at once.
func assessFiles(app *App, in assessFlags, now time.Time) (*advisory.Assessment, error) {
	f, fleetErr := loadFleet(app, in.fleet)
	t, targetErr := loadTarget(app, in.target)
	p, policyErr := loadPolicy(app, in.policy)
	var as []advisory.Advisory
	var advisoryErr error
	if targetErr == nil {
		as, advisoryErr = loadAdvisories(t, in.target, in.advisories)
	}
	if err := errors.Join(fleetErr, targetErr, policyErr, advisoryErr); err != nil {
		return nil, err
	}
	return new(advisory.Assess(f, t, as, time.Duration(p.StaleAfter), now)), nil
}

// loadAdvisories reads the OSV documents that a target names, relative to the target's own file,
// and those at the further paths; each file once. The error lists every mistake in all of them.
func loadAdvisories(t *plan.Target, targetPath string, further []string) (as []advisory.Advisory, err error) {
	var paths []string
	for _, p := range t.Advisories {
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
		a, wrong := advisory.ParseOSV(p, src)
		mistakes = append(mistakes, wrong...)
		as = append(as, a)
	}
	if len(mistakes) > 0 {
		unread = append(unread, fmt.Errorf("advisories cannot be used, mistakes: %d\n%w", len(mistakes), mistakes))
	}
	return as, errors.Join(unread...)
}

func printAssessment(app *App, in assessFlags, a *advisory.Assessment) error {
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
	t := &assessTable{app: app}
	t.hosts(a.Hosts)
	t.instances(a.Instances)
	t.line("%-10s %s", "hosts", tally(a.Counts.Hosts))
	t.line("%-10s %s", "instances", tally(a.Counts.Instances))
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

// assessTable prints verdicts for people; the first error of the output stays.
type assessTable struct {
	app *App
	err error
}

func (t *assessTable) line(format string, args ...any) {
	if _, err := fmt.Fprintf(t.app.Out, format+"\n", args...); err != nil && t.err == nil {
		t.err = err
	}
}

// paint colours a verdict's word on a terminal; the word says the same without.
func (t *assessTable) paint(v advisory.Verdict) string {
	colour := map[advisory.Verdict]string{advisory.IsAffected: "31", advisory.IsUnknown: "33", advisory.IsFixed: "32"}[v]
	if colour == "" || !t.app.Terminal || t.app.Getenv("NO_COLOR") != "" {
		return v.Words()
	}
	return "\x1b[" + colour + "m" + v.Words() + "\x1b[0m"
}

func (t *assessTable) hosts(list []advisory.HostVerdict) {
	for _, v := range advisory.Verdicts {
		for _, h := range list {
			if h.Verdict != v {
				continue
			}
			cohort := "in no cohort"
			if h.Cohort != "" {
				cohort = "cohort " + h.Cohort
			}
			t.line("host %s  %s  %s", h.Host, t.paint(v), cohort)
			t.because(h.Evidence, h.Needs)
		}
	}
}

func (t *assessTable) instances(list []advisory.InstanceVerdict) {
	for _, v := range advisory.Verdicts {
		for _, i := range list {
			if i.Verdict != v {
				continue
			}
			t.line("instance %s  %s  on %s%s", i.Instance, t.paint(v), i.Host, tenantWord(i.Tenant))
			t.because(i.Evidence, i.Needs)
		}
	}
}

func tenantWord(tenant string) string {
	if tenant == "" {
		return ""
	}
	return ", of " + tenant
}

func (t *assessTable) because(evidence []string, needs string) {
	for _, e := range evidence {
		t.line("    %s", e)
	}
	if needs != "" {
		t.line("    needs: %s", needs)
	}
	t.line("")
}
