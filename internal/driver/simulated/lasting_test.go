package simulated

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// TestLasting: what is drawn has the median and the 95th percentile that were asked for, and no spread where there is none.
func TestLasting(t *testing.T) {
	const n = 20_000
	r := rand.New(rand.NewPCG(1, 2))
	l := Lasting{Median: 35 * time.Minute, P95: time.Hour}
	var drawn []time.Duration
	for range n {
		drawn = append(drawn, l.draw(r))
	}
	slices.Sort(drawn)
	for at, want := range map[int]time.Duration{n / 2: l.Median, n * 95 / 100: l.P95} {
		if off := drawn[at].Seconds()/want.Seconds() - 1; off < -0.02 || off > 0.02 {
			t.Errorf("of %d, number %d is %s, and should be within 2 %% of %s", n, at, drawn[at], want)
		}
	}
	if d := (Lasting{Median: time.Minute}).draw(r); d != time.Minute {
		t.Errorf("without a p95 it is %s", d)
	}
}

// TestOthers: others move and resize what runs alone, and only where there is room; the record says that it was they.
func TestOthers(t *testing.T) {
	f := &fleet.Fleet{Hosts: []fleet.Host{{ID: "h1", MemoryMiB: 4096}, {ID: "h2", MemoryMiB: 4096}}, Instances: []fleet.Instance{{ID: "i1", Host: "h1", MemoryMiB: 512}}}
	w, err := NewWorld(f, Options{Clock: RealTime(), Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	in, to := f.Instances[0].ID, f.Hosts[1].ID
	if !w.OthersMove(in, to) || w.OthersMove(in, to) {
		t.Error("it moves once, and not to where it is")
	}
	if on := w.RunningOn(in); !slices.Equal(on, []string{to}) {
		t.Errorf("it runs on %v", on)
	}
	if !w.OthersResize(in, 1024) || w.OthersResize(in, f.Hosts[1].MemoryMiB+1) {
		t.Error("it grows as far as its host has room")
	}
	said := 0
	for _, r := range w.Log() {
		if r.Kind == OthersActed && r.Instance == in {
			said++
		}
	}
	if v := w.Verdict(); said != 2 || v.Killed+v.DoubleRun > 0 {
		t.Errorf("%d records of others; %+v", said, v)
	}
}
