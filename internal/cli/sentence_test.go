package cli

import (
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/engine"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// What only the machine needs is not said; all other kinds of facts have words.
func TestSentences(t *testing.T) {
	patch := plan.PatchTurn("h1")
	for _, tt := range []struct {
		f    execution.Fact
		want string
	}{
		{execution.Fact{Kind: execution.CohortHeld, Cohort: "racks", Code: execution.CodeMigrationsFail, Why: "3 in a row", Next: "evenkeel replan c"}, "cohort racks is HELD (migrations-fail): 3 in a row; next: evenkeel replan c"},
		{execution.Fact{Kind: execution.CohortReleased, Cohort: "racks", Who: "operator:t", Why: "mended"}, "cohort racks released by operator:t: mended"},
		{execution.Fact{Kind: execution.TurnPermitted, Turn: patch, Host: "h1"}, "h1+live-patch  its turn begins"},
		{execution.Fact{Kind: execution.TurnPermitted, Turn: "h1", Host: "h1"}, "h1        its turn begins"},
		{execution.Fact{Kind: execution.TurnHeld, Turn: patch, Host: "h1", Step: execution.StepProve, Code: execution.CodeCanaryUnwell, Why: "it rebooted", Next: "look"}, "h1+live-patch  HELD after it soaked as the canary (canary-unwell): it rebooted; next: look"},
		{execution.Fact{Kind: execution.TurnHeld, Turn: "h1", Host: "h1", Code: execution.CodeSlotMissed, Why: "late", Next: "plan again"}, "h1        HELD before it began (slot-missed): late; next: plan again"},
		{execution.Fact{Kind: execution.TurnHeld, Turn: "h1", Host: "h1", Step: execution.StepProve, Code: execution.CodeNoDom0, Why: "it says\nmuch", Next: "x"}, "h1        HELD at prove (no-dom0): it says ...; next: x"},
		{execution.Fact{Kind: execution.StepStarted, Turn: patch, Host: "h1", Step: execution.StepRevert, Patches: []string{"lp1", "lp2"}}, "h1+live-patch  revert: its live patches are taken back: lp1, lp2 ..."},
		{execution.Fact{Kind: execution.StepFailed, Turn: patch, Host: "h1", Step: execution.StepRevert, Attempt: 2, Why: "busy"}, "h1+live-patch  revert failed (attempt 2): its live patches are not all taken back: busy"},
		{execution.Fact{Kind: execution.StepDone, Turn: patch, Host: "h1", Step: execution.StepRevert, Why: "taken back"}, "h1+live-patch  revert done: taken back"},
		{execution.Fact{Kind: execution.HostLost, Host: "h1", Code: execution.CodePowerOff, Why: "it is off"}, "h1        does not answer (power-off): it is off"},
		{execution.Fact{Kind: execution.HostLost, Host: "h1", Why: "silent"}, "h1        does not answer: silent"},
		{execution.Fact{Kind: execution.HostSeen, Host: "h1"}, ""},
	} {
		if got := sentence(tt.f); got != tt.want {
			t.Errorf("%s:\n %q, want\n %q", tt.f.Kind, got, tt.want)
		}
	}
}

// A host with two turns has two lines, each under the name by which it is ordered; held cohorts come first.
func TestStatusOfTwoTurnsAndAHeldCohort(t *testing.T) {
	st := engine.Status{Status: execution.Status{Campaign: "c", Phase: execution.PhaseRunning, Done: 1,
		Cohorts: []execution.CohortHold{{Cohort: "racks", Code: execution.CodeMigrationsFail, Why: "3 in a row\nand more", Next: "evenkeel replan c"}},
		Turns: []execution.TurnStatus{
			{Turn: plan.PatchTurn("h1"), Host: "h1", Wave: 1, Tactic: plan.LivePatch, Phase: execution.TurnFinished},
			{Turn: "h1", Host: "h1", Wave: 2, Tactic: plan.Suspend, Deferred: true, Phase: execution.TurnOnHold, Step: execution.StepEmpty, Code: "x", Why: "y", Next: "z"},
		}}}
	var b strings.Builder
	printStatus(&b, st, true)
	for _, want := range []string{"c  running  1 of 2 turns done", "  ‖ cohort racks is held (migrations-fail): 3 in a row ...\n      next: evenkeel replan c\n", "✔  h1+live-patch  1     live-patch", "suspend (deferred)", "  ‖ h1 is held at empty (x): y\n      next: z\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
	st.Turns = st.Turns[:1]
	b.Reset()
	printStatus(&b, st, false)
	if !strings.Contains(b.String(), "1 of 1 hosts done") || strings.Contains(b.String(), "HOST") {
		t.Errorf("%s", b.String())
	}
}
