package planner_test

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// cpu is what the process has taken so far, of all its threads.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkAgain makes plans again for a pool of a thousand hosts of which ten died and fifty instances were made, by itself
// and among 9 and 99 others. It gives CPU seconds: of the whole plan, of making it again, and of that apart what
// planning the touched pool takes, with its ratio to the whole plan; the rest is reading and writing both plans.
func BenchmarkAgain(b *testing.B) {
	for _, pools := range []int{1, 10, 100} {
		b.Run(fmt.Sprintf("pools=%d/hosts=%d", pools, pools*1000), func(b *testing.B) { benchAgain(b, pools) })
	}
}

func benchAgain(b *testing.B, pools int) {
	in := planner.Input{Fleet: shops(pools, 1000, 10, 4<<10), Policy: plan.DefaultPolicy(), Campaign: "c", Revision: 1, Now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}
	start := cpu()
	was, err := planner.Propose(in)
	if err != nil {
		b.Fatal(err)
	}
	whole := cpu() - start
	next := *in.Fleet
	next.Hosts, next.Instances = append([]fleet.Host(nil), in.Fleet.Hosts...), append([]fleet.Instance(nil), in.Fleet.Instances...)
	for i := range 10 {
		next.Hosts[100*i+7].Health = fleet.Down
	}
	for i := range 50 {
		next.Instances = append(next.Instances, vm(fmt.Sprintf("new-%02d", i), next.Hosts[20*i+3].ID, 2<<10))
	}
	in.Fleet = &next
	var all, planned time.Duration
	var c planner.Changes
	n := 0
	for b.Loop() {
		var read, written, drafted time.Duration
		if c, read, drafted, written, err = planner.AgainInParts(in, &was, cpu); err != nil || c.Whole != "" || len(c.Pools) != 1 {
			b.Fatalf("%v, whole %q, %d pools", err, c.Whole, len(c.Pools))
		}
		all, planned, n = all+read+drafted+written, planned+drafted, n+1
	}
	b.ReportMetric(whole.Seconds(), "whole-cpu-s")
	b.ReportMetric(all.Seconds()/float64(n), "again-cpu-s")
	b.ReportMetric(planned.Seconds()/float64(n), "touched-cpu-s")
	b.ReportMetric(planned.Seconds()/float64(n)/whole.Seconds(), "touched/whole")
	b.ReportMetric(100*float64(c.Kept)/float64(len(was.Slots)), "kept-%")
}
