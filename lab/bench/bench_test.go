package bench

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner/optima"
)

const printed = `'Node Reboot Groups'
h000001,h000002
  h000001-v00 h000003
  h000002-v00 h000003
h000003
  h000003-v00 h000001
`

func TestParseHroller(t *testing.T) {
	p, err := parseHroller([]byte(printed))
	if err != nil || len(p.groups) != 2 || p.moves != 3 || len(p.groups[0].nodes) != 2 || len(p.groups[0].moves) != 2 || p.groups[1].moves[0] != (listed{"h000003-v00", "h000001"}) {
		t.Errorf("%+v, %v", p, err)
	}
	if _, err := parseHroller([]byte("  early h1\n")); err == nil {
		t.Error("a move before any node is taken")
	}
}

// pairs: three hosts, and the first instances of the first two are of one service.
func pairs() Fleet {
	f := uniform(4, 60, 1)
	f.MaxUnavailable = 1
	plain := f.guests
	f.guests = func(n int) []guest {
		all := plain(n)
		if n == 1 || n == 2 {
			all[0].service = 1
		}
		return all
	}
	return f
}

func TestReplayOfHroller(t *testing.T) {
	p, err := parseHroller([]byte(printed))
	if err != nil {
		t.Fatal(err)
	}
	if beside := newReplay(pairs()).hroller(p); beside != 1 {
		t.Errorf("both go to one host: %d land beside another, want 1", beside)
	}
	apart, err := parseHroller([]byte(strings.Replace(printed, "h000002-v00 h000003", "h000002-v00 h000000", 1)))
	if err != nil {
		t.Fatal(err)
	}
	if beside := newReplay(pairs()).hroller(apart); beside != 0 {
		t.Errorf("each goes to its own: %d", beside)
	}
	// each group begins from the outset: the second one may use what the first one used
	again, err := parseHroller([]byte("h000001\n  h000001-v00 h000003\nh000002\n  h000002-v00 h000003\n"))
	if err != nil {
		t.Fatal(err)
	}
	if beside := newReplay(pairs()).hroller(again); beside != 0 {
		t.Errorf("one after the other: %d", beside)
	}
}

func TestReplayOfOurs(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 3, 2, 9, minute, 0, 0, time.UTC) }
	a := move{"h000001-v00", "h000001", "h000003", at(0), at(5)}
	for name, c := range map[string]struct {
		second move
		beside int
	}{
		"to the same host":                {move{"h000002-v00", "h000002", "h000003", at(10), at(15)}, 1},
		"to another":                      {move{"h000002-v00", "h000002", "h000000", at(10), at(15)}, 0},
		"to where it was, after it left":  {move{"h000002-v00", "h000002", "h000001", at(5), at(10)}, 0},
		"to where it is still being sent": {move{"h000002-v00", "h000002", "h000001", at(4), at(10)}, 1},
	} {
		if beside := newReplay(pairs()).plan([]move{c.second, a}); beside != c.beside {
			t.Errorf("%s: %d, want %d", name, beside, c.beside)
		}
	}
}

// fake stands in for evenkeel: it prints a plan and ends with a code.
func fake(t *testing.T, text, code string) string {
	t.Helper()
	dir := t.TempDir()
	file, script := filepath.Join(dir, "plan.json"), filepath.Join(dir, "evenkeel")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(script, []byte("#!/bin/sh\ncat '"+file+"'\nexit "+code+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return script
}

var plenty = Limits{CPUSeconds: 60, Wall: time.Minute, RSSBytes: 1 << 30}

func TestRunOurs(t *testing.T) {
	const text = `{"moves": [{"instance":"h000001-v00","from":"h000001","to":"h000003","start":"2026-03-02T09:00:00Z","end":"2026-03-02T09:01:00Z"},
{"instance":"h000002-v00","from":"h000002","to":"h000003","start":"2026-03-02T09:00:00Z","end":"2026-03-02T09:01:00Z"}],
  "why": "a \"summary\": of its own",
  "counts": {"stops": 5},
  "summary": {"waves": 3, "moves": 2, "bounds": {"waves": 2, "moves_m2": 2}}}`
	o, err := runOurs(plenty, fake(t, text, "2"), pairs(), "fleet.jsonl")
	if err != nil || o.Waves != 3 || o.Moves != 2 || o.Beside != 1 || o.Summary.Bounds.Waves != 2 || o.Stops != 5 || o.CPU <= 0 || o.RSS <= 0 {
		t.Errorf("%+v, %v", o, err)
	}
	if _, err := runOurs(plenty, fake(t, text, "126"), pairs(), "fleet.jsonl"); err == nil {
		t.Error("an exit code that evenkeel plan does not have is taken for a plan")
	}
	if _, err := runOurs(plenty, fake(t, text, "1"), pairs(), "fleet.jsonl"); err == nil {
		t.Error("an error of the program is taken for a plan")
	}
	if _, err := runOurs(plenty, fake(t, "{}", "0"), pairs(), "fleet.jsonl"); err == nil {
		t.Error("a plan without a summary is taken")
	}
}

func TestLimits(t *testing.T) {
	for name, c := range map[string]struct {
		limits  Limits
		command []string
		why     string
	}{
		"CPU":    {Limits{CPUSeconds: 1, Wall: time.Minute, RSSBytes: 1 << 30}, []string{"sh", "-c", "while :; do :; done"}, "not finished in 1 s of CPU time"},
		"wall":   {Limits{CPUSeconds: 60, Wall: 100 * time.Millisecond, RSSBytes: 1 << 30}, []string{"sleep", "60"}, "not finished in 100ms"},
		"memory": {Limits{CPUSeconds: 60, Wall: time.Minute, RSSBytes: 1}, []string{"sleep", "60"}, "stopped at 0 GiB of memory"},
	} {
		_, _, _, err := run(c.limits, io.Discard, c.command...)
		var s stopped
		if !errors.As(err, &s) || s.why != c.why {
			t.Errorf("%s: %v, want %s", name, err, c.why)
		}
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	last := &tail{most: 100}
	for range 1000 {
		if n, err := last.Write([]byte(strings.Repeat("x", 33))); n != 33 || err != nil {
			t.Fatal(n, err)
		}
	}
	_, _ = last.Write([]byte("\n  \"summary\": {\"waves\": 7}\n}\n"))
	var s plan.Summary
	if err := last.field("summary", &s); err != nil || s.Waves != 7 || len(last.end) > 300 {
		t.Errorf("%+v, %v, %d bytes kept", s, err, len(last.end))
	}
}

// measured are results as they come out of a run, without running anything.
func measured() (all []Result) {
	for n, hosts := range []int{100, 1000, 10_000} {
		cpu := time.Duration(1<<(4*n)) * 10 * time.Millisecond
		r := Result{Fleet: uniform(hosts, 60, 10), Instances: hosts * 10, Ours: Outcome{CPU: cpu, RSS: 64 << 20, Waves: 3, Moves: 15 * hosts,
			Summary: &plan.Summary{Waves: 3, Moves: 15 * hosts, MakespanSeconds: 7200, Bounds: plan.SummaryBounds{Waves: 3, MovesM2: 12 * hosts, MakespanSeconds: 3600}}}}
		r.Hroller = Outcome{CPU: 7 * cpu, RSS: 1 << 30, Waves: 4, Moves: 20 * hosts, Listed: 10 * hosts}
		if hosts == 10_000 {
			r.Hroller = Outcome{CPU: 120 * time.Second, RSS: 1 << 30, Failed: "not finished in 120 s of CPU time"}
		}
		all = append(all, r)
	}
	return all
}

func TestTable(t *testing.T) {
	var text bytes.Buffer
	Markdown(&text, measured())
	for _, want := range []string{
		"| uniform 60 % | 1,000 | 10,000 | ours | 0.16 | 64 | 3 | 1.000 | 15,000 | 1.250 | 2.0 | 2.000 |  | 0 | 0 |  |",
		"|  |  |  | hroller | 1.12 | 1,024 | 4 | 1.333 | 20,000 | 1.667 |  |  |  |  |  | lists 10,000 |",
		"|  |  |  | hroller | 120.0 | 1,024 |  |  |  |  |  |  |  |  |  | not finished in 120 s of CPU time |",
	} {
		if !strings.Contains(text.String(), want+"\n") {
			t.Errorf("no row %s in\n%s", want, text.String())
		}
	}
	for line := range strings.Lines(text.String()) {
		if n := strings.Count(line, "|"); n != len(columns)+1 {
			t.Errorf("%d columns, want %d: %s", n-1, len(columns), line)
		}
	}
}

func TestCurve(t *testing.T) {
	var a, b bytes.Buffer
	if err := Curve(&a, measured()); err != nil {
		t.Fatal(err)
	}
	if err := Curve(&b, measured()); err != nil || a.String() != b.String() {
		t.Error("the same results give another picture", err)
	}
	d := xml.NewDecoder(&a)
	circles := map[string]int{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, is := token.(xml.StartElement); is && e.Name.Local == "circle" {
			circles[e.Attr[0].Value]++
		}
	}
	if circles["ours"] != 3 || circles["theirs"] != 2 {
		t.Errorf("points: %v, want 3 of ours and 2 of hroller's", circles)
	}
	if x, y := (point{1000, 1}).xy(); x != left+wide/3 || y < top || y > top+high {
		t.Errorf("1,000 hosts are at %g, %g", x, y)
	}
}

func TestPage(t *testing.T) {
	var text bytes.Buffer
	p := Page{Revision: "abc", Machine: "2 cores", Hroller: Limits{CPUSeconds: 7}, Results: measured(), Curve: "cost.svg", Gaps: []optima.Gap{{Case: optima.Case{Name: "even-1", Waves: 3, Moves: 22}, PlanWaves: 4, PlanMoves: 22}}}
	if err := p.Write(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"at revision abc on 2 cores", "it has 7 s of CPU time", "| uniform 60 % | 1,000 |", "](cost.svg)", "waves 4, fewest 3"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
}

func TestSkip(t *testing.T) {
	s := &skip{lost: map[string]int{}, limit: 100 * time.Second}
	big, bigger := uniform(3000, 60, 10), uniform(10_000, 60, 10)
	if s.why(big) != "" {
		t.Error("the first is skipped")
	}
	s.note(Result{Fleet: big, Hroller: Outcome{CPU: 49 * time.Second}})
	s.note(Result{Fleet: bigger, Hroller: Outcome{CPU: 51 * time.Second}})
	s.note(Result{Fleet: uniform(300, 90, 10), Hroller: Outcome{Failed: "not finished"}})
	for _, c := range []struct {
		f    Fleet
		skip bool
	}{{big, false}, {bigger, true}, {mixed(3000, 70), false}, {mixed(10_000, 70), true}, {mixed(100_000, 70), true}, {uniform(100, 90, 10), false}, {uniform(300, 90, 10), true}} {
		if why := s.why(c.f); (why != "") != c.skip {
			t.Errorf("%s, %d hosts: %q", c.f.Family, c.f.Hosts, why)
		}
	}
}
