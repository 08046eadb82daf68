package plan

import (
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

func TestLastRound(t *testing.T) {
	for name, c := range map[string]struct {
		on                  fleet.Hypervisor
		memory, dirty, rate float64
		want                time.Duration
	}{
		"idle":                      {fleet.Xen, 4096, 0, 100, 0},
		"calm: 50 pages are left":   {fleet.Xen, 4096, 1, 100, time.Millisecond}, // 4096 / 100^3 MiB, rounded up
		"busy: five rounds":         {fleet.Xen, 65536, 50, 100, 20480 * time.Millisecond},
		"dirties as fast as sent":   {fleet.Xen, 1000, 100, 100, 10 * time.Second},
		"dirties faster than sent":  {fleet.Xen, 1000, 900, 100, 10 * time.Second},
		"QEMU keeps to its limit":   {fleet.KVM, 65536, 50, 100, 0},
		"of a link that is unknown": {fleet.Xen, 65536, 50, 0, 0},
	} {
		if got := LastRound(c.on, c.memory, c.dirty, c.rate); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
