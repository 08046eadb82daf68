package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// auditedPlan writes a plan for a routine cycle of the example fleet, changed by change and sealed
// again, and gives its path.
func auditedPlan(t *testing.T, change func(*plan.Plan)) string {
	t.Helper()
	src, err := os.ReadFile(exampleFleet)
	if err != nil {
		t.Fatal(err)
	}
	f, mistakes := fleet.Parse(exampleFleet, src)
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	p, err := planner.Propose(planner.Input{Fleet: f, Policy: plan.DefaultPolicy(), Campaign: "cycle", Revision: 1, Now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Turns) == 0 {
		t.Fatalf("the example fleet gives an empty plan: %s", p.Verdict)
	}
	change(&p)
	p.Digest = plan.Digest(p)
	path := filepath.Join(t.TempDir(), "plan.json")
	var b bytes.Buffer
	if err := plan.Write(&b, p); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func runAudit(t *testing.T, in string, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	app := &App{In: strings.NewReader(in), Out: &stdout, Err: &stderr, Getenv: func(string) string { return "" }, Now: time.Now}
	code = Main(t.Context(), app, append([]string{"audit"}, args...))
	return code, stdout.String(), stderr.String()
}

func TestAuditCleanPlan(t *testing.T) {
	path := auditedPlan(t, func(*plan.Plan) {})
	for _, args := range [][]string{{"--plan", path}, {"--plan", path, "--fleet", exampleFleet}} {
		code, out, errs := runAudit(t, "", args...)
		if code != ExitNothing || errs != "" {
			t.Fatalf("%v: exit %d\n%s%s", args, code, out, errs)
		}
		if strings.Count(out, "✓ law") != 9 || strings.Contains(out, "✗") || !strings.Contains(out, "○ law  8") || !strings.Contains(out, "violations 0, ") {
			t.Errorf("%v:\n%s", args, out)
		}
	}
}

func TestAuditBrokenPlan(t *testing.T) {
	path := auditedPlan(t, func(p *plan.Plan) { p.Turns[0].Start = p.Turns[0].Start.Add(-time.Hour) })
	code, out, errs := runAudit(t, "", "--plan", path)
	if code != ExitRefused || errs != "" {
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
	for _, want := range []string{"✗ law  2", "[turn-outside-slot]", "[turn-outside-window]", "allowed: "} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is missing in\n%s", want, out)
		}
	}
	code, out, _ = runAudit(t, "", "--plan", path, "-o", "json")
	var v audit.Verdict
	if err := json.Unmarshal([]byte(out), &v); err != nil || code != ExitRefused || len(v.Findings) == 0 || v.Laws[1].Broken == 0 {
		t.Errorf("exit %d, %v\n%s", code, err, out)
	}
}

// TestAuditTamperedPlan: a plan that was changed after it was made is a violation, not bad input.
func TestAuditTamperedPlan(t *testing.T) {
	path := auditedPlan(t, func(*plan.Plan) {})
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), `"campaign": "cycle"`, `"campaign": "other"`, 1)
	code, out, errs := runAudit(t, changed, "--plan", "-")
	if code != ExitRefused || !strings.Contains(out, "[digest]") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
}

const journalLine = `{"seq":1,"at":"2026-03-02T09:00:00Z","kind":"controller-took","who":"engine","generation":1}` + "\n"

func TestAuditJournal(t *testing.T) {
	code, out, errs := runAudit(t, journalLine, "--journal", "-")
	if code != ExitNothing || !strings.Contains(out, "not finished yet: violations 0") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	code, out, errs = runAudit(t, journalLine+journalLine, "--journal", "-")
	if code != ExitRefused || !strings.Contains(out, "[seq-gap]") || !strings.Contains(out, "[generation-not-newer]") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
}

func TestAuditBadInput(t *testing.T) {
	for _, c := range []struct {
		in   string
		args []string
		want string
	}{
		{"", nil, "name one of --plan FILE and --journal FILE"},
		{"", []string{"--plan", "a", "--journal", "b"}, "name one of"},
		{"", []string{"--journal", "-", "--fleet", "f"}, "--fleet goes with --plan"},
		{"", []string{"--journal", "-", "-o", "yaml"}, "-o yaml is not known"},
		{"", []string{"--plan", "none.json"}, "none.json"},
		{"", []string{"--journal", "none.jsonl"}, "none.jsonl"},
		{journalLine + "{]\n", []string{"--journal", "-"}, "-: line 2, column 2: "},
		{"{\n  \"turns\": 3\n}", []string{"--plan", "-"}, "stdin: line 2, column "},
		{"{\"evenkeel\": \"plan/v1\",\n \"wawes\": 3}", []string{"--plan", "-"}, "unknown field \"wawes\""},
		{"# no plan", []string{"--plan", "-"}, "stdin: line 1, column 1: found invalid character '#' looking for beginning of value, expected a plan in JSON"},
		{"{} {}", []string{"--plan", "-"}, "expected the end of the file"},
		{"{}", []string{"--plan", "-"}, "carries no fleet"},
	} {
		code, out, errs := runAudit(t, c.in, c.args...)
		if code != ExitError || out != "" || !strings.Contains(errs, c.want) {
			t.Errorf("%v: exit %d, want %q\n%s%s", c.args, code, c.want, out, errs)
		}
	}
}
