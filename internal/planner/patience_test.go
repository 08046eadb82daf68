package planner_test

import (
	"fmt"
	"testing"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// TestSmallBehindLarge: hosts for which there is room enter a wave, however many before them are too large for it.
func TestSmallBehindLarge(t *testing.T) {
	const large, small = 300, 10
	f := base()
	f.Hosts = append(f.Hosts, host("spare", 65536))
	for n := range large {
		id := fmt.Sprintf("large%03d", n)
		f.Hosts = append(f.Hosts, host(id, 65536))
		f.Instances = append(f.Instances, vm(id+"-v", id, 40960))
	}
	for n := range small {
		id := fmt.Sprintf("small%03d", n)
		f.Hosts = append(f.Hosts, host(id, 32768))
		for k := range 10 {
			f.Instances = append(f.Instances, vm(fmt.Sprintf("%s-v%d", id, k), id, 1024))
		}
	}
	p := routine(t, f, plan.ToBound(eager()))
	last := 0
	for _, turn := range p.Turns {
		if turn.Host[:5] == "small" {
			last = max(last, turn.Wave)
		}
	}
	if len(p.Blocked) > 0 || last == 0 || last > 10 { // with 200 failures at most in a wave: 102
		t.Errorf("the last small host has its turn in wave %d of %d; blocked %d", last, p.Counts.Waves, len(p.Blocked))
	}
}
