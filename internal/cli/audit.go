package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// auditFlags are what `evenkeel audit` was asked.
type auditFlags struct {
	fleet, plan, output string
	journals            []string
}

func newAudit(app *App) *cobra.Command {
	var in auditFlags
	cmd := &cobra.Command{
		Use:   "audit (--plan FILE [--fleet FILE] | --journal FILE...)",
		Short: "Judge a plan or a journal against the laws, by other code than made it",
		Long: `Judge a plan, or a journal of JSON lines, against the ten laws: no silent stop, inside the slot,
redundancy, told first, once and in one place, room, all come back, halt means halt, embargo, on
the record. The judge shares no code with the planner or with what carries a plan out. It prints
each law with the number of questions asked, then each violation: what is wrong, and what would
have allowed it. A plan is judged against --fleet, or against the fleet that it carries.
Several journals, one campaign each, are judged one by one and beside each other: host groups,
groups, places kept apart, and one campaign on a host at a time.

Exit code 0: no violation; 3: violations; 1: the input cannot be read.`,
		Example: "  evenkeel audit --fleet fleet.yaml --plan plan.json\n  evenkeel journal CAMPAIGN | evenkeel audit --journal -\n  evenkeel audit --journal cycle.jsonl --journal urgent.jsonl",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return auditRun(app, in) },
	}
	cmd.Flags().StringVar(&in.plan, "plan", "", "a `FILE` as evenkeel plan --out writes it (- is standard input)")
	cmd.Flags().StringVar(&in.fleet, "fleet", "", "the fleet that the plan was made from (default: the one in the plan)")
	cmd.Flags().StringArrayVar(&in.journals, "journal", nil, "a journal of JSON lines (- is standard input); again for campaigns beside each other")
	cmd.Flags().StringVarP(&in.output, "output", "o", "text", "text or json")
	return cmd
}

func auditRun(app *App, in auditFlags) error {
	if in.output != "text" && in.output != "json" {
		return fmt.Errorf("-o %s is not known: use text or json", in.output)
	}
	if (in.plan == "") == (len(in.journals) == 0) {
		return errors.New("name one of --plan FILE and --journal FILE")
	}
	if len(in.journals) > 0 && in.fleet != "" {
		return errors.New("--fleet goes with --plan: a journal holds its own fleet")
	}
	var v audit.Verdict
	var what string
	var err error
	switch {
	case in.plan != "":
		what = "plan " + in.plan
		v, err = auditPlan(app, in)
	case len(in.journals) == 1:
		what = "journal " + in.journals[0]
		v, err = auditJournal(app, in.journals[0])
	default:
		what = "journals " + strings.Join(in.journals, ", ")
		v, err = auditBeside(app, in.journals)
	}
	if err != nil {
		return err
	}
	if err := printAudit(app.Out, in, what, v); err != nil {
		return err
	}
	if !v.Clean() {
		return Exit(ExitRefused)
	}
	return nil
}

func auditPlan(app *App, in auditFlags) (audit.Verdict, error) {
	src, name, err := readInput(app, in.plan)
	if err != nil {
		return audit.Verdict{}, err
	}
	p, err := planToJudge(src)
	if err != nil {
		return audit.Verdict{}, fmt.Errorf("%s: %w", name, err)
	}
	f := p.Fleet
	if in.fleet != "" {
		if f, err = loadFleet(app, in.fleet); err != nil {
			return audit.Verdict{}, err
		}
	}
	if f == nil {
		return audit.Verdict{}, fmt.Errorf("%s carries no fleet: name the one that it was made from with --fleet FILE", name)
	}
	return audit.PlanVerdict(f, p), nil
}

// planToJudge reads a plan by form alone. A wrong digest, or another schema, is for the auditor to
// find, so plan.Read, which refuses both, is not asked.
func planToJudge(src []byte) (*plan.Plan, error) {
	p := new(plan.Plan)
	d := json.NewDecoder(bytes.NewReader(src))
	d.DisallowUnknownFields()
	err := d.Decode(p)
	at := d.InputOffset()
	var syntax *json.SyntaxError
	var typed *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		at = max(0, syntax.Offset-1) // it counts the byte at fault
		err = fmt.Errorf("found %w, expected a plan in JSON as evenkeel plan --out writes it", err)
	case errors.As(err, &typed):
		at = typed.Offset
	case err == nil:
		if _, end := d.Token(); errors.Is(end, io.EOF) {
			return p, nil
		}
		err = errors.New("found more text, expected the end of the file after the plan")
	}
	before := src[:min(int(at), len(src))]
	return nil, fmt.Errorf("line %d, column %d: %w", bytes.Count(before, []byte("\n"))+1, len(before)-bytes.LastIndexByte(before, '\n'), err)
}

func printAudit(w io.Writer, in auditFlags, what string, v audit.Verdict) error {
	if in.output == "json" {
		if v.Findings == nil {
			v.Findings = []audit.Finding{}
		}
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(v)
	}
	t := &lines{w: w}
	asked := 0
	for _, l := range v.Laws {
		asked += l.Checked
		glyph, word := "✓", "kept"
		switch {
		case l.Broken > 0:
			glyph, word = "✗", fmt.Sprintf("violations: %d", l.Broken)
		case l.Checked == 0:
			glyph, word = "○", "not asked"
		}
		t.printf("%s law %2d  %-24s %7d checked  %s\n", glyph, l.Law, l.Name, l.Checked, word)
	}
	for _, f := range v.Findings {
		when := ""
		if !f.At.IsZero() {
			when = " at " + f.At.UTC().Format("2006-01-02T15:04:05Z")
		}
		t.printf("\n✗ law %d, %s [%s]%s\n", f.Law, audit.LawName(f.Law), f.Code, when)
		if s := f.Subject.String(); s != "" {
			t.printf("  of: %s\n", s)
		}
		t.printf("  %s\n  allowed: %s\n", f.What, f.Allow)
	}
	state := ""
	if len(in.journals) > 0 && !v.Finished {
		state = ", not finished yet"
	}
	t.printf("\n%s%s: violations %d, questions asked %d\n", what, state, len(v.Findings), asked)
	return t.err
}

// lines prints until the first error, which it keeps.
type lines struct {
	w   io.Writer
	err error
}

func (l *lines) printf(format string, args ...any) {
	if l.err == nil {
		_, l.err = fmt.Fprintf(l.w, format, args...)
	}
}
