package plan_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// small is a plan of two waves with one of everything.
func small() plan.Plan {
	start := time.Date(2026, 3, 29, 0, 30, 0, 0, time.UTC)
	p := plan.Plan{
		Evenkeel: plan.SchemaV1, Campaign: "c1", Revision: 2, Parent: 1, Made: start.Add(-48 * time.Hour), Public: "scheduled maintenance",
		Policy: plan.DefaultPolicy(), Verdict: "Partly: 2 of 3 hosts.", Start: start, End: start.Add(3 * time.Hour),
		Target: &plan.Target{ID: "t", Cohorts: []plan.Cohort{{Name: "all"}}}, Fleet: &fleet.Fleet{Evenkeel: fleet.SchemaV1},
		Turns: []plan.Turn{
			{ID: "h1", Host: "h1", Site: "n1", Wave: 1, Canary: true, Tactic: plan.Evacuate, Start: start, End: start.Add(9 * time.Minute), WorstS: 2400},
			{ID: "h2", Host: "h2", Site: "n1", Wave: 2, Tactic: plan.Suspend, Start: start.Add(time.Hour), End: start.Add(70 * time.Minute), WorstS: 2401, Why: "1 stays: db (pinned)"},
		},
		Moves:   []plan.Move{{Instance: "web", From: "h1", To: "h2", Turn: "h1", Start: start, End: start.Add(time.Minute)}},
		Slots:   []plan.Slot{{ID: "h2/db", Instance: "db", Tenant: "acme", Turn: "h2", Class: plan.ClassOutage, Disposition: plan.DispStatefulStop}},
		Blocked: []plan.Blocked{{Host: "h3", Code: "instance-blocked", Why: "x", Unblock: "y"}, {Instance: "gpu", Code: "pinned", Why: "it is pinned", Unblock: "unpin it"}},
		Skipped: []plan.Skipped{{Host: "h4", Code: "fixed", Why: "it is"}},
		Counts:  plan.Counts{Hosts: 2, Waves: 2, Instances: 2, Tenants: 1, Moves: 1, Stops: 1, Blocked: 2, Skipped: 1},
	}
	p.Digest = plan.Digest(p)
	return p
}

func TestWriteRead(t *testing.T) {
	var first, second bytes.Buffer
	if err := plan.Write(&first, small()); err != nil {
		t.Fatal(err)
	}
	p, err := plan.Read(bytes.NewReader(first.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := plan.Write(&second, p); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Fatalf("it does not come back as it was (%v)", err)
	}
}

func TestReadRefuses(t *testing.T) {
	var good bytes.Buffer
	if err := plan.Write(&good, small()); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ from, to, want string }{
		"an unknown field": {`"campaign": "c1"`, `"campain": "c1"`, `unknown field "campain"`},
		"a wrong kind":     {`"revision": 2`, `"revision": "two"`, "line 4, column"},
		"broken text":      {`"revision": 2,`, `"revision": 2 oops`, "line 4, column 17"},
		"another schema":   {`"plan/v1"`, `"plan/v9"`, `found "plan/v9", expected "plan/v1"`},
		"a changed slot":   {`"tenant": "acme"`, `"tenant": "birch"`, "changed after it was made"},
		"text after it":    {"\n}\n", "\n}\n{}", "expected the end of the file"},
		"half of it":       {`"moves"`, "\x00", "line "},
	} {
		text := strings.Replace(good.String(), c.from, c.to, 1)
		if text == good.String() {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, err := plan.Read(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: want an error with %q, got %v", name, c.want, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	var good bytes.Buffer
	if err := plan.Write(&good, small()); err != nil {
		f.Fatal(err)
	}
	f.Add(good.Bytes())
	f.Add([]byte(`{"evenkeel":"plan/v1","digest":""}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		p, err := plan.Read(bytes.NewReader(src))
		if err != nil {
			return
		}
		var again bytes.Buffer
		if err := plan.Write(&again, p); err != nil {
			t.Fatal(err)
		}
		if back, err := plan.Read(&again); err != nil || back.Digest != p.Digest {
			t.Fatalf("what was read cannot be read again: %v", err)
		}
	})
}

func TestTable(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := plan.Table(&out, small(), plan.TableOptions{Path: "plan.json", Zone: func(string) *time.Location { return berlin }}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"Partly: 2 of 3 hosts.\n",
		"hosts      2 with a turn, 1 blocked, 1 skipped\n",
		// Clocks in Berlin go forward between these two.
		"wave 1  Sun 2026-03-29 00:30 UTC to 01:10 at worst\n  at n1 Sun 2026-03-29 01:30 CET to 03:10 CEST\n  h1  evacuate  1 move, 0 stops, 9m0s expected  canary\n",
		"wave 2  Sun 2026-03-29 01:30 UTC to 02:10:01 at worst\n  at n1 Sun 2026-03-29 03:30 CEST to 04:10:01\n  h2  suspend  0 moves, 1 stop, 10m0s expected\n    1 stays: db (pinned)\n",
		"  pinned (1)\n    instance gpu: it is pinned\n      would allow it: unpin it\n",
		"skipped    1 host: fixed\n",
		"next: evenkeel apply plan.json --revision 2\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "instance-blocked") {
		t.Error("a host that waits for its instance is a cause of its own")
	}
}
