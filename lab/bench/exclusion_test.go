package bench

import (
	"bytes"
	"os/exec"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/ganeti"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// TestExclusionTagsHold: what hroller breaks while it evacuates, on the very same text, holds in our plan.
func TestExclusionTagsHold(t *testing.T) {
	f := services(100, 60, members, "spread")
	var text bytes.Buffer
	if err := f.writeGaneti(&text); err != nil {
		t.Fatal(err)
	}
	t.Run("ours", func(t *testing.T) {
		c, mistakes := ganeti.Parse("f.data", text.Bytes())
		if len(mistakes) > 0 {
			t.Fatal(mistakes)
		}
		imported, _ := c.Fleet(ganeti.Terms{Region: "r", Site: "s", Hypervisor: fleet.KVM, NICMbps: 10_000})
		p, err := planner.Propose(planner.Input{Fleet: imported, Policy: plan.ToBound(plan.DefaultPolicy()), Profile: plan.Bound, Campaign: "c", Revision: 1, Now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)})
		if err != nil {
			t.Fatal(err)
		}
		var moves []move
		for _, m := range p.Moves {
			moves = append(moves, move{m.Instance, m.From, m.To, m.Start, m.End})
		}
		if beside := newReplay(f).plan(moves); beside != 0 || p.Counts.Hosts != f.Hosts || len(moves) < f.Instances() {
			t.Errorf("%d instances land beside another of their service; %d of %d hosts in %d moves", beside, p.Counts.Hosts, f.Hosts, len(moves))
		}
	})
	t.Run("hroller", func(t *testing.T) {
		if _, err := exec.LookPath("hroller"); err != nil {
			t.Skip("no hroller here: it is in Debian's ganeti-htools")
		}
		r := Result{Fleet: f}
		if err := r.hroller(plenty, t.TempDir()); err != nil {
			t.Fatal(err)
		}
		if r.Hroller.Beside == 0 || r.Hroller.Listed != f.Instances() {
			t.Errorf("%+v: hroller has learned to honour exclusion tags while it evacuates: say so in docs/planner.md", r.Hroller)
		}
	})
}
