package cli

import (
	"runtime"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// summed adds a plan's summary, with what this process has taken for it until now.
func summed(p plan.Plan) plan.Plan {
	s := plan.Summarize(p)
	s.CPUSeconds, s.PeakRSSBytes = usage()
	p.Summary = &s
	return p
}

// usage is what this process has taken so far: seconds of CPU, and bytes of memory at its peak.
func usage() (cpuSeconds float64, peakBytes int64) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, 0
	}
	peakBytes = int64(u.Maxrss)
	if runtime.GOOS != "darwin" { // there in bytes, elsewhere in KiB
		peakBytes *= 1024
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds(), peakBytes
}
