package picture_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

type written struct {
	words  string
	x, y   float64
	anchor string
	class  string
}

func textsOf(t *testing.T, svg []byte) (out []written) {
	t.Helper()
	for d := xml.NewDecoder(bytes.NewReader(svg)); ; {
		token, err := d.Token()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		e, ok := token.(xml.StartElement)
		if !ok || e.Name.Local != "text" {
			continue
		}
		var w written
		for _, a := range e.Attr {
			n, _ := strconv.ParseFloat(a.Value, 64)
			switch a.Name.Local {
			case "x":
				w.x = n
			case "y":
				w.y = n
			case "text-anchor":
				w.anchor = a.Value
			case "class":
				w.class = a.Value
			}
		}
		if next, err := d.Token(); err == nil {
			if words, ok := next.(xml.CharData); ok {
				w.words = strings.Join(strings.Fields(string(words)), " ") // as it is drawn
			}
		}
		out = append(out, w)
	}
}

// span is where a text lies from left to right, with letters as wide as those of its size are as a rule.
func (w written) span() (from, to float64) {
	wide := map[string]float64{"title": 8.5, "small": 5.6, "site": 7.2}[w.class]
	if wide == 0 {
		wide = 6
	}
	n := wide * float64(len([]rune(w.words)))
	switch w.anchor {
	case "end":
		return w.x - n, w.x
	case "middle":
		return w.x - n/2, w.x + n/2
	}
	return w.x, w.x + n
}

// TestNothingWrittenOver: with names as long as an id may be, all tactics and two limits past the end, no two texts of
// a line lie on each other, and none leaves the picture or runs into the scale.
func TestNothingWrittenOver(t *testing.T) {
	f := regions(1, 6)
	p := planned(t, f, nil)
	long := strings.Repeat("northern-", 14)
	p.Campaign = long
	for i := range f.Sites {
		f.Sites[i].Region = long
	}
	for i := range p.Turns {
		p.Turns[i].Tactic = []plan.Tactic{plan.LivePatch, plan.Refresh, plan.Evacuate, plan.Suspend, plan.Reboot}[i%5]
		if p.Turns[i].Site == "europe-a" {
			p.Turns[i].Site = long
		}
	}
	for _, at := range []time.Time{p.End.Add(72 * time.Hour), p.Turns[2].Start, p.Start.Add(-72 * time.Hour)} {
		p.Target = &plan.Target{Disclosure: at, FinishBy: at}
		all := textsOf(t, drawn(t, p))
		limits := 0
		for i, a := range all {
			from, to := a.span()
			if from < 0 || to > 1120 || a.x == 14 && a.y > 112 && to > 190 && a.words != "window" {
				t.Errorf("%q lies from %.0f to %.0f", a.words, from, to)
			}
			if a.class == "red" {
				limits++
			}
			for _, b := range all[:i] {
				if less, more := b.span(); a.y == b.y && less < to && from < more && a.class != "on" && b.class != "on" {
					t.Errorf("%q (%.0f to %.0f) lies on %q (%.0f to %.0f)", a.words, from, to, b.words, less, more)
				}
			}
		}
		if limits != 2 {
			t.Errorf("%d limits are told of 2", limits)
		}
	}
}

// TestLimitOfNothing: where nothing has a turn no limit is said to be later than it; and a stretch of days says on which
// day it ends.
func TestLimitOfNothing(t *testing.T) {
	none := planned(t, regions(1, 3), func(p *plan.Policy) { p.FinishBy = now.Add(-time.Hour) })
	if svg := string(drawn(t, none)); len(none.Turns) > 0 || !strings.Contains(svg, "finish by Mon 2 Mar 08:00<") {
		t.Errorf("%d turns\n%s", len(none.Turns), svg)
	}
	long := planned(t, regions(1, 60), func(p *plan.Policy) { p.Windows, p.MaxAwayPercent = []plan.WindowRule{{Always: true}}, 1 })
	if svg := string(drawn(t, long)); long.End.Sub(long.Start) < 24*time.Hour || !strings.Contains(svg, " to Wed 4 Mar ") {
		t.Errorf("%s to %s\n%.3000s", long.Start, long.End, svg)
	}
}
