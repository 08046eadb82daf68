package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/plan"
)

func jsonLines(t testing.TB, facts []Fact) []byte {
	var b bytes.Buffer
	for i := range facts {
		line, err := json.Marshal(&facts[i])
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	return b.Bytes()
}

func TestJournalReadsLines(t *testing.T) {
	text := jsonLines(t, goodJournal())
	v, err := Journal(bytes.NewReader(append([]byte("\n"), bytes.TrimRight(text, "\n")...)))
	if err != nil || !v.Clean() || !v.Finished {
		show(t, v.Findings)
		t.Fatalf("error %v, clean %v, finished %v", err, v.Clean(), v.Finished)
	}
}

func TestJournalBadLines(t *testing.T) {
	for _, c := range []struct {
		text         string
		line, column int
	}{
		{"{\"seq\":1}\n{\"seq\":", 2, 7}, {"[]\n", 1, 1}, {"{\"seq\":\"one\"}", 1, 12}, {"\n\nnot json\n", 3, 2}, {`{"seq":1} {"seq":2}`, 1, 11},
	} {
		_, err := Journal(strings.NewReader(c.text))
		var bad *BadLine
		if !errors.As(err, &bad) {
			t.Errorf("%q: %v is no BadLine", c.text, err)
			continue
		}
		if bad.Line != c.line || bad.Column != c.column || bad.Found == "" || bad.Want == "" {
			t.Errorf("%q: %v (line %d, column %d), want line %d, column %d", c.text, err, bad.Line, bad.Column, c.line, c.column)
		}
	}
}

func TestDigestIsOfThePlanWithoutIt(t *testing.T) {
	p := goodPlan()
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	back := new(plan.Plan)
	if err := json.Unmarshal(text, back); err != nil {
		t.Fatal(err)
	}
	again, err := Digest(back)
	if err != nil || again != p.Digest || len(again) != 64 {
		t.Errorf("digest %s, after a round trip %s (%v)", p.Digest, again, err)
	}
}

// shortJournal is one host's turn in a few short lines, for the fuzzer to play with.
const shortJournal = `{"seq":1,"at":"2026-03-10T02:00:00Z","kind":"campaign-applied","who":"operator:robin","campaign":"x","plan":{"revision":1,"turns":[{"id":"a","host":"a","tactic":"evacuate","worst_s":60}],"slots":[{"id":"a/i","instance":"i","turn":"a","class":"blip","disposition":"live-migrate","start":"2026-03-10T02:00:00Z","end":"2026-03-10T04:00:00Z"}],"policy":{"blackout":"5s"}},"fleet":{"pools":[{"id":"p"}],"groups":[{"id":"g","spread":"host","members":["i"]}],"hosts":[{"id":"a","pools":["p"]},{"id":"b","pools":["p"]}],"instances":[{"id":"i","host":"a","memory_mib":1}]}}
{"seq":2,"at":"2026-03-10T02:00:01Z","kind":"turn-permitted","who":"engine","campaign":"x","turn":"a","host":"a"}
{"seq":3,"at":"2026-03-10T02:00:01Z","kind":"host-seen","who":"engine","campaign":"x","host":"b","seen":{"at":"2026-03-10T02:00:01Z","boot_id":"1","health":"up","free_mib":9}}
{"seq":4,"at":"2026-03-10T02:00:02Z","kind":"move-placed","who":"engine","campaign":"x","turn":"a","instance":"i","from":"a","to":"b"}
{"seq":5,"at":"2026-03-10T02:00:03Z","kind":"move-failed","who":"engine","campaign":"x","turn":"a","instance":"i","from":"a","to":"b","why":"w","source":"running","destination":"running"}
{"seq":6,"at":"2026-03-10T02:00:04Z","kind":"stop-started","who":"engine","campaign":"x","turn":"a","instance":"i","from":"a","disposition":"stop"}
{"seq":7,"at":"2026-03-10T02:00:05Z","kind":"step-started","who":"engine","campaign":"x","turn":"a","host":"a","step":"reboot","attempt":1}
{"seq":8,"at":"2026-03-10T02:00:06Z","kind":"turn-done","who":"engine","campaign":"x","turn":"a","host":"a"}
{"seq":9,"at":"2026-03-10T02:00:07Z","kind":"campaign-finished","who":"engine","campaign":"x","code":"done"}
`

// TestShortJournal: the fuzzer's seed reaches what it should: a plan that reads, and acts.
func TestShortJournal(t *testing.T) {
	v, err := Journal(strings.NewReader(shortJournal))
	want := []string{"done-in-doubt", "ended-while-away", "not-back", "place-unresolved", "reboot-not-empty", "reboot-unproven", "silent-stop"}
	if got := codes(v.Findings); err != nil || !slices.Equal(got, want) {
		show(t, v.Findings)
		t.Errorf("found %v (%v), want %v", got, err, want)
	}
}

// FuzzJournal: whatever the lines hold, the auditor ends with a verdict or a bad line, and does not
// change its mind.
func FuzzJournal(f *testing.F) {
	f.Add([]byte(shortJournal))
	f.Add([]byte(strings.ReplaceAll(shortJournal, `"turn":"a"`, `"turn":"z"`)))
	f.Add([]byte(strings.ReplaceAll(shortJournal, `"running"`, `"unreachable"`)))
	f.Add([]byte(strings.ReplaceAll(shortJournal, `"tactic":"evacuate"`, `"tactic":"evacuate","canary":true,"deferred":true`) + `{"seq":10,"at":"2026-03-10T02:00:07Z","kind":"turn-held","who":"engine","campaign":"x","turn":"a","host":"a","code":"canary-unwell","why":"w"}`))
	f.Add(jsonLines(f, unwellJournal()))
	f.Add(jsonLines(f, heldJournal()))
	f.Add([]byte(`{"seq":1,"kind":"campaign-applied","campaign":"x","plan":{},"fleet":{}}` + "\n" + `{"seq":2,"kind":"turn-permitted","campaign":"x"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		a, errA := Journal(bytes.NewReader(text))
		b, errB := Journal(bytes.NewReader(text))
		if (errA == nil) != (errB == nil) || len(a.Findings) != len(b.Findings) {
			t.Fatalf("two verdicts on one journal: %d and %d findings, errors %v and %v", len(a.Findings), len(b.Findings), errA, errB)
		}
		broken := 0
		for _, l := range a.Laws {
			broken += l.Broken
		}
		if broken != len(a.Findings) {
			t.Fatalf("%d findings, %d counted per law", len(a.Findings), broken)
		}
	})
}
