package parse

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/form"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// must reads a document that has no mistake.
func must(t testing.TB, name, src string) []advisory.Advisory {
	t.Helper()
	out, mistakes := Parse(name, []byte(src))
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	return out
}

func mustOne(t testing.TB, name, src string) advisory.Advisory {
	t.Helper()
	out := must(t, name, src)
	if len(out) != 1 {
		t.Fatalf("%d advisories, want one: %+v", len(out), out)
	}
	return out[0]
}

// refused holds that each document is refused with a message that has this part.
func refused(t *testing.T, name string, cases map[string][2]string) {
	t.Helper()
	for title, c := range cases {
		t.Run(title, func(t *testing.T) {
			out, mistakes := Parse(name, []byte(c[0]))
			if len(mistakes) == 0 || !strings.Contains(mistakes.Error(), c[1]) {
				t.Errorf("got %v\nwant %s", mistakes, c[1])
			}
			if out != nil {
				t.Errorf("half of it was used: %+v", out)
			}
		})
	}
}

// hold is what is true of any document: it is read or refused, each mistake has its place and its
// words, and what was read can be judged by.
func hold(t testing.TB, name string, src []byte) {
	t.Helper()
	out, mistakes := Parse(name, src)
	if len(out) > 0 && len(mistakes) > 0 {
		t.Fatalf("read and refused: %v", mistakes)
	}
	for _, m := range mistakes {
		if m.File != name || m.Found == "" || m.Expected == "" {
			t.Fatalf("a mistake without words: %+v", m)
		}
		if !stands(m, src) && !stands(m, yamlBreaks.ReplaceAll(src, []byte("\n"))) {
			t.Fatalf("a mistake without a place: %+v", m)
		}
		if len(m.String()) > 4000 {
			t.Fatalf("a mistake of %d characters", len(m.String()))
		}
	}
	for _, a := range out {
		holdOne(t, name, &a)
	}
	shown, err := json.Marshal(out)
	if err != nil {
		t.Fatalf("it cannot be shown: %v", err)
	}
	again, _ := Parse(name, slices.Clone(src))
	if twice, _ := json.Marshal(again); !bytes.Equal(twice, shown) {
		at := 0
		for at < min(len(shown), len(twice)) && shown[at] == twice[at] {
			at++
		}
		from := max(at-100, 0)
		t.Fatalf("read twice, it differs:\n%.300s\n%.300s", shown[from:], twice[from:])
	}
}

// In YAML a line ends at a carriage return too.
var yamlBreaks = regexp.MustCompile(`\r\n?`)

// stands: the text has the place. A value that YAML lacks at its end would stand behind a colon and
// a blank.
func stands(m form.Mistake, src []byte) bool {
	lines := bytes.Split(src, []byte("\n"))
	return m.Line >= 1 && m.Line <= len(lines) && m.Column >= 1 && m.Column <= len(lines[m.Line-1])+2
}

var tactics = []string{string(plan.LivePatch), string(plan.Refresh), string(plan.Evacuate), string(plan.Suspend), string(plan.Reboot), string(plan.Hold)}

func holdOne(t testing.TB, name string, a *advisory.Advisory) {
	t.Helper()
	if a.ID == "" || a.Format == "" || a.Source != name {
		t.Fatalf("without id, format or source: %+v", a)
	}
	// Our own form adds to what others say: it may say nothing of versions.
	if len(a.Affected) == 0 && len(a.Gaps) == 0 && a.Format != advisory.FormatOwn {
		t.Fatalf("it says nothing, and not that it does: %+v", a)
	}
	for _, e := range a.Affected {
		switch e.Status {
		case "", advisory.StatusAffected, advisory.StatusFixed, advisory.StatusNotAffected, advisory.StatusUnknown:
		default:
			t.Fatalf("the status %q", e.Status)
		}
		for _, r := range e.Ranges {
			for _, ev := range r.Events {
				set := 0
				for _, v := range []string{ev.Introduced, ev.Fixed, ev.LastAffected, ev.Limit} {
					if v != "" {
						set++
					}
				}
				if set != 1 {
					t.Fatalf("an event with %d versions: %+v", set, e)
				}
			}
		}
	}
	for _, g := range a.Guidance {
		for _, tactic := range g.Tactics {
			if g.Action == "" || !slices.Contains(tactics, tactic) {
				t.Fatalf("guidance %+v", g)
			}
		}
	}
}
