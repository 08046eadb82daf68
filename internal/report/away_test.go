package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// TestAway: who should have gone home and did not is listed with why: by the journal, by the plan, or by what became of
// its turn; and nobody else is.
func TestAway(t *testing.T) {
	const h = "hv-1"
	moved := func(j *journal) *journal {
		return j.begin().at(j.night()).turn(execution.TurnPermitted, h).place(h, "web-1", "hv-2", 1).after(time.Second).moved(h, "web-1", "hv-2", 1, 100)
	}
	way := plan.Move{Instance: "web-1", From: "hv-2", To: h, Turn: h, Home: true}
	for _, c := range []struct {
		name    string
		rule    plan.Home
		change  func(p *plan.Plan)
		journal func(j *journal) *journal
		code    string // empty: nobody is listed
		says    string
		planned bool
	}{
		{"the journal says so", plan.HomeReturn, nil, func(j *journal) *journal {
			return moved(j).add(execution.Fact{Kind: execution.StaysAway, Turn: h, Host: h, Instance: "web-1", To: "hv-2", Code: "stays", Why: "its home has 0 MiB free and it needs 256"}).turn(execution.TurnDone, h)
		}, "stays", "0 MiB free", false},
		{"the plan said so", plan.HomeReturn, func(p *plan.Plan) { p.Slots[0].Away = &plan.Away{Code: "spread", Why: "another is there"} }, func(j *journal) *journal {
			return moved(j).turn(execution.TurnDone, h)
		}, "spread", "another is there", false},
		{"its turn is held", plan.HomeSettle, func(p *plan.Plan) { p.Moves = append(p.Moves, way) }, func(j *journal) *journal {
			return moved(j).add(execution.Fact{Kind: execution.TurnHeld, Turn: h, Host: h, Step: execution.StepReboot, Code: "no-boot", Why: "it does not come up"})
		}, "no-boot", "the turn of hv-1 is held: it does not come up", true},
		{"its turn was dropped", plan.HomeReturn, func(p *plan.Plan) { p.Moves = append(p.Moves, way) }, func(j *journal) *journal {
			return moved(j).add(execution.Fact{Kind: execution.TurnDropped, Turn: h, Host: h, Code: "aborted", Why: "enough"}).finish("aborted")
		}, "aborted", "the turn of hv-1 is dropped: enough", true},
		{"nobody says why", plan.HomeReturn, nil, func(j *journal) *journal { return moved(j).turn(execution.TurnDone, h) }, "no-record", "does not say why", false},
		{"it may still go", plan.HomeReturn, nil, moved, "", "", false},
		{"it went", plan.HomeReturn, nil, func(j *journal) *journal {
			j = moved(j).add(execution.Fact{Kind: execution.MovePlaced, Turn: h, Instance: "web-1", From: "hv-2", To: h, Attempt: 2, Home: true})
			return j.add(execution.Fact{Kind: execution.MoveDone, Turn: h, Instance: "web-1", From: "hv-2", To: h, Attempt: 2, Home: true, Source: "absent", Destination: "running"}).turn(execution.TurnDone, h)
		}, "", "", false},
		{"it was not to go", plan.HomeSettle, nil, func(j *journal) *journal { return moved(j).turn(execution.TurnDone, h) }, "", "", false},
		{"all were to stay", plan.HomeStay, nil, func(j *journal) *journal { return moved(j).turn(execution.TurnDone, h) }, "", "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := newJournal(t)
			if j.plan.Policy.Home = c.rule; c.change != nil {
				c.change(j.plan)
			}
			r := c.journal(j).fold()
			var text bytes.Buffer
			if err := Text(&text, r, nil); err != nil {
				t.Fatal(err)
			}
			if c.code == "" {
				if len(r.Away) > 0 || strings.Contains(text.String(), "NOT BACK HOME") {
					t.Fatalf("listed: %+v", r.Away)
				}
				return
			}
			if len(r.Away) != 1 {
				t.Fatalf("listed: %+v", r.Away)
			}
			a := r.Away[0]
			if a.Instance != "web-1" || a.Tenant != "acme" || a.Home != h || a.On != "hv-2" || a.Planned != c.planned || a.Code != c.code || !strings.Contains(a.Why, c.says) {
				t.Errorf("%+v", a)
			}
			var page bytes.Buffer
			if err := HTML(&page, r, nil); err != nil {
				t.Fatal(err)
			}
			for _, out := range []string{text.String(), page.String()} {
				if !strings.Contains(out, c.says) {
					t.Errorf("it is not told: %q", c.says)
				}
			}
		})
	}
}
