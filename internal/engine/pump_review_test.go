package engine_test

import (
	"context"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/execution"
)

// A chore that panics halts the campaign once: it is not begun again and again.
func TestAPanickingChoreIsNotRepeated(t *testing.T) {
	j, c := applied(t), &clock{dawn}
	p, h, _ := open(t, j, 1, c)
	turn(t, p)
	for range 10 {
		key := h.begun[len(h.begun)-1].Key
		// what local.Dispatcher reports of a panic
		h.report[key]([]execution.Fact{{Kind: execution.CampaignHalted, Code: execution.CodeBug, Why: "chore " + key + ": nil map"}})
		c.now = c.now.Add(time.Millisecond)
		_, _ = p.Turn(context.Background())
	}
	halted := 0
	for _, f := range j.facts() {
		if f.Kind == execution.CampaignHalted {
			halted++
		}
	}
	if len(h.begun) != 1 || halted != 1 {
		t.Fatalf("begun %d times, halted %d times: a bug is retried for ever", len(h.begun), halted)
	}
}
