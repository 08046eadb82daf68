package cli

import (
	"strings"
	"testing"
	"time"

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
		{execution.Fact{Kind: execution.TurnHeld, Turn: "h1", Host: "h1", Code: execution.CodeOperator, Why: "lunch", Next: "x"}, "h1        HELD (operator): lunch; next: x"}, // at any step
		{execution.Fact{Kind: execution.StepStarted, Turn: patch, Host: "h1", Step: execution.StepRevert, Patches: []string{"lp1", "lp2"}}, "h1+live-patch  revert: its live patches are taken back: lp1, lp2 ..."},
		{execution.Fact{Kind: execution.StepFailed, Turn: patch, Host: "h1", Step: execution.StepRevert, Attempt: 2, Why: "busy"}, "h1+live-patch  revert failed (attempt 2): its live patches are not all taken back: busy"},
		{execution.Fact{Kind: execution.StepDone, Turn: patch, Host: "h1", Step: execution.StepRevert, Why: "taken back"}, "h1+live-patch  revert done: taken back"},
		{execution.Fact{Kind: execution.HostLost, Host: "h1", Code: execution.CodePowerOff, Why: "it is off"}, "h1        does not answer (power-off): it is off"},
		{execution.Fact{Kind: execution.HostLost, Host: "h1", Why: "silent"}, "h1        does not answer: silent"},
		{execution.Fact{Kind: execution.SlotPassed, Turn: "h2", Host: "h2", Instance: "web-1", To: "h3", Why: "h2 is lost"}, "web-1     what it was told of h2 is kept by the turn of h3: h2 is lost"},
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

// What a person on call needs at once: where a turn is held, what is next, and nothing that steers a terminal.
func TestStatusSaysWhatIsNext(t *testing.T) {
	begun := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	hold := func(turn string, step execution.Step, code string, begun time.Time) execution.TurnStatus {
		return execution.TurnStatus{Turn: turn, Host: "h1", Phase: execution.TurnOnHold, Step: step, Code: code, Why: "y", Next: "z", Begun: begun}
	}
	cohorts := []execution.CohortHold{{Cohort: "racks", Code: execution.CodeMigrationsFail, Why: "3 in a row", Next: "evenkeel replan c"}}
	for _, tt := range []struct {
		st       execution.Status
		has, not []string
	}{
		{execution.Status{Phase: execution.PhaseHalted, Why: "the canary failed"}, []string{"  the canary failed\n      next: see to what is held, then: evenkeel resume c; or evenkeel abort c\n"}, nil},
		{execution.Status{Phase: execution.PhasePaused, Why: "lunch\x1b[2J\u202e"}, []string{"  lunch?[2J?\n      next: evenkeel resume c\n"}, []string{"\x1b"}},
		{execution.Status{Phase: execution.PhaseRunning, Cohorts: cohorts}, []string{"cohort racks is held"}, []string{"evenkeel resume"}},
		{execution.Status{Phase: execution.PhaseAborted, Why: "no more", Cohorts: cohorts}, []string{"  no more\n"}, []string{"racks"}},
		{execution.Status{Phase: execution.PhaseFinished, Why: "superseded", Cohorts: cohorts}, nil, []string{"racks", "superseded"}},
		{execution.Status{Phase: execution.PhasePaused, Why: strings.Repeat("z", 1<<20)}, []string{"zzz ...\n"}, []string{strings.Repeat("z", 700)}},
		{execution.Status{Phase: execution.PhaseRunning, Turns: []execution.TurnStatus{
			hold("h1", "", execution.CodeOperator, time.Time{}), hold("h2", execution.StepProve, execution.CodeOperator, begun),
			hold("h3", "", execution.CodeCanaryUnwell, begun), hold("h4", "", execution.CodeOperator, begun),
			{Turn: "h5", Phase: execution.TurnAbandoned, Code: execution.CodeInstead, Why: "y"}, {Turn: "h6", Phase: execution.TurnAbandoned, Step: execution.StepUpdate, Code: "x", Why: "y"},
			{Turn: "h7", Phase: execution.TurnAbandoned, Code: execution.CodeSuperseded, Why: "y", Next: "stale"},
		}}, []string{"h1 is held before it began (operator): y", "h2 is held at prove (operator)", "h3 is held after it soaked as the canary (canary-unwell)", "h4 is held (operator)",
			"h5 is dropped (" + execution.CodeInstead + ")", "h6 is dropped at update (x)"}, []string{" at  (", "stale"}},
	} {
		tt.st.Campaign = "c"
		var b strings.Builder
		printStatus(&b, engine.Status{Status: tt.st}, true)
		for _, want := range tt.has {
			if !strings.Contains(b.String(), want) {
				t.Errorf("%q is missing in\n%s", want, b.String())
			}
		}
		for _, not := range tt.not {
			if strings.Contains(b.String(), not) {
				t.Errorf("%q is in\n%s", not, b.String())
			}
		}
	}
}

// Who holds a host that has two turns is told of the one that goes on.
func TestAnOrderIsAnsweredWithItsTurn(t *testing.T) {
	patch := plan.PatchTurn("h1")
	st := engine.Status{Status: execution.Status{Phase: execution.PhaseRunning, Turns: []execution.TurnStatus{
		{Turn: patch, Host: "h1", Phase: execution.TurnActive, Step: execution.StepProve},
		{Turn: "h2", Host: "h2", Phase: execution.TurnOnHold, Code: "x", Why: "y"},
		{Turn: "h1", Host: "h1", Phase: execution.TurnOnHold, Code: execution.CodeOperator, Why: "lunch", Next: "evenkeel retry h1"},
	}}}
	for ordered, want := range map[string]string{
		"h1":  "  ‖ h1 is held before it began (operator): lunch\n      next: evenkeel retry h1\n  ▶ its host's other turn, h1+live-patch, is active\n",
		patch: "  ▶ h1+live-patch is active\n  ‖ its host's other turn, h1, is held\n",
		"h2":  "  ‖ h2 is held before it began (x): y\n",
		"h3":  "",
	} {
		var b strings.Builder
		printOrdered(&b, st, ordered)
		if b.String() != want {
			t.Errorf("%s:\n%s, want\n%s", ordered, b.String(), want)
		}
	}
}

// A line that a narrow terminal wraps takes several of its rows, which are all drawn anew.
func TestRowsOfATerminal(t *testing.T) {
	for _, tt := range []struct {
		text          string
		columns, want int
	}{{"", 80, 0}, {"a\nb\n", 80, 2}, {"a\n" + strings.Repeat("‖", 80) + "\n", 80, 2}, {strings.Repeat("‖", 81) + "\n", 80, 2}, {strings.Repeat("x", 250) + "\ny\n", 80, 5}, {strings.Repeat("x", 250) + "\n", 0, 1}} {
		if got := rowsOf(tt.text, tt.columns); got != tt.want {
			t.Errorf("%d characters in %d columns: %d rows, want %d", len(tt.text), tt.columns, got, tt.want)
		}
	}
}
