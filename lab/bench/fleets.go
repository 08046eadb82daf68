// Package bench runs the planner and Ganeti's hroller on the same fleets and
// puts what both came to into one table, beside the lower bounds.
//
// It makes the fleets (each a rule that says what stands on its n-th host, so
// that a million instances need no memory here), writes them as JSON Lines for
// us and as Ganeti's text for hroller, runs both as processes of their own, one
// at a time, and takes CPU time and memory from the operating system. It judges
// nothing by the planner's code: moves are counted and replayed from what the
// processes printed.
//
// Start reading at Full and Short (cases.go), then Run (run.go).
package bench

import (
	"fmt"
	"math/rand/v2"
)

// Fleet is a rule that makes the same hosts each time.
type Fleet struct {
	Family string // such as uniform 60 %
	Hosts  int
	// MaxUnavailable of each redundancy group; 0: there are none.
	MaxUnavailable int
	host           func(n int) int64   // MiB
	guests         func(n int) []guest // of the n-th host
}

// guest is an instance in the making.
type guest struct {
	mib     int64
	service int // of which no two members share a host; 0: none
}

const gib = 1 << 10 // MiB

// uniform: hosts of 64 GiB, each with so many equal instances that take so many percent of it together.
func uniform(hosts, percent, each int) Fleet {
	size := int64(64*gib) * int64(percent) / 100 / int64(each)
	return Fleet{
		Family: fmt.Sprintf("uniform %d %%", percent), Hosts: hosts,
		host: func(int) int64 { return 64 * gib },
		guests: func(int) []guest {
			all := make([]guest, each)
			for k := range all {
				all[k].mib = size
			}
			return all
		},
	}
}

// giant is uniform, but its first host is twice as large and holds one instance that fits on no other.
func giant(hosts, percent int) Fleet {
	f := uniform(hosts, percent, 10)
	plain := f.guests
	f.Family += ", one fits nowhere"
	f.host = func(n int) int64 {
		if n == 0 {
			return 128 * gib
		}
		return 64 * gib
	}
	f.guests = func(n int) []guest {
		if n == 0 {
			return []guest{{mib: 128 * gib * int64(percent) / 100}}
		}
		return plain(n)
	}
	return f
}

// members of a service, each on another host.
const members = 5

// services is uniform with three instances of each host in services: one shared with the hosts beside it,
// one with hosts far away, and one with others far away.
func services(hosts, percent, maxUnavailable int, family string) Fleet {
	f := uniform(hosts, percent, 10)
	plain := f.guests
	f.Family, f.MaxUnavailable = family, maxUnavailable
	stride := hosts / members
	f.guests = func(n int) []guest {
		all := plain(n)
		all[0].service = 1 + n/members
		all[1].service = 1 + stride + n%stride
		all[2].service = 1 + 2*stride + (n+n/stride*7)%stride
		return all
	}
	return f
}

// services are how many a fleet has; they count from 1.
func (f Fleet) services() int {
	if f.MaxUnavailable == 0 {
		return 0
	}
	return 3 * (f.Hosts / members)
}

// mixed: hosts of 128, 192 and 256 GiB, filled with instances of 1 to 32 GiB up to the percentage.
func mixed(hosts, percent int) Fleet {
	return Fleet{
		Family: fmt.Sprintf("mixed %d %%", percent), Hosts: hosts,
		host: func(n int) int64 { return []int64{128, 256, 192}[n%3] * gib },
		guests: func(n int) (all []guest) {
			draw := rand.New(rand.NewPCG(uint64(percent), uint64(n)))
			room := []int64{128, 256, 192}[n%3] * gib * int64(percent) / 100
			for room >= gib {
				size := int64(gib) << []int{0, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 5}[draw.IntN(12)]
				for size > room {
					size /= 2
				}
				all, room = append(all, guest{mib: size}), room-size
			}
			return all
		},
	}
}

// Instances counts them.
func (f Fleet) Instances() (n int) {
	for h := range f.Hosts {
		n += len(f.guests(h))
	}
	return n
}

func hostID(n int) string        { return fmt.Sprintf("h%06d", n) }
func guestID(host, k int) string { return fmt.Sprintf("h%06d-v%02d", host, k) }
func serviceID(n int) string     { return fmt.Sprintf("service:s%06d", n) }
