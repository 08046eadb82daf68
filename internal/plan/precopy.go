package plan

import (
	"math"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// Xen sends what a guest dirtied meanwhile in so many rounds at most, or until so little is left, and stops it for the
// rest (tools/libs/guest, the default policy of xc_domain_save). QEMU goes on until the rest fits its downtime limit.
const (
	xenRounds = 5
	xenLeft   = 50 * 4.0 / 1024 // MiB: 50 pages
)

// LastRound foresees for how long a live migration stops a guest to send the rest of its memory: of so many MiB in all,
// dirtied at a rate, sent at another, both in MiB/s. 0: the hypervisor bounds it itself, or the guest's rate is not known.
//
// Each round sends what was dirtied during the one before, so after n of them memory times (dirty/rate)^n is left
// (pre-copy as in Clark et al., Live Migration of Virtual Machines, NSDI 2005).
func LastRound(on fleet.Hypervisor, memory, dirty, rate float64) time.Duration {
	if on != fleet.Xen || dirty <= 0 || rate <= 0 {
		return 0
	}
	left, r := memory, min(dirty/rate, 1)
	for n := 0; n < xenRounds && left > xenLeft; n++ {
		left *= r
	}
	return time.Duration(math.Ceil(left/rate*1000)) * time.Millisecond
}
