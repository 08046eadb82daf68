// Package discover looks at hosts through a driver and writes what it saw down
// as a fleet, together with what only people know.
//
// It never decides about a campaign and never hides anything: a host that does
// not answer stays in, as down, and all that was odd comes back as a problem.
// Start reading at Fleet; merge.go says who is believed on what.
package discover

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// Options of one discovery.
type Options struct {
	Region, Site, Pool string        // of hosts that base does not place; "default" when empty
	MemoryMiB          int64         // what instances can use on each host for which base does not say; 0: as measured
	Parallel           int           // hosts looked at at once; 16 when zero
	Timeout            time.Duration // for one host; 60 s when zero
	// Progress, when set, hears of each host that was looked at, one after the other.
	Progress func(host driver.Host, seen driver.Observation, err error)
}

// Problem is something that a person should look at.
type Problem struct {
	Host     string `json:"host,omitempty"`
	Instance string `json:"instance,omitempty"`
	Why      string `json:"why"`
	// Grave: the fleet that was written is incomplete or wrong because of it.
	Grave bool `json:"grave,omitempty"`
}

func (p Problem) String() string {
	who := p.Host
	if p.Instance != "" {
		who = strings.Trim(p.Host+"/"+p.Instance, "/")
	}
	if who == "" {
		return p.Why
	}
	return who + ": " + p.Why
}

// look is one host and what came of looking at it.
type look struct {
	host driver.Host
	seen driver.Observation
	err  error
}

// Fleet looks at hosts, and at the hosts of base that have a URI, and joins what it saw with base.
// Base may be nil; it is not changed. A host given without an id gets that of the base host with the
// same URI, or else its own name. Problems come sorted by host and instance.
func Fleet(ctx context.Context, d driver.Driver, hosts []driver.Host, base *fleet.Fleet, o Options) (*fleet.Fleet, []Problem) {
	if base == nil {
		base = &fleet.Fleet{}
	}
	looks := observe(ctx, d, targets(hosts, base, o), o)
	m := newMerge(base, o)
	for _, l := range looks {
		m.host(l)
	}
	m.rest()
	slices.SortStableFunc(m.problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Host, b.Host), cmp.Compare(a.Instance, b.Instance))
	})
	return m.out, m.problems
}

// targets lists each host once: those that were named, then those of base.
func targets(hosts []driver.Host, base *fleet.Fleet, o Options) []driver.Host {
	var all []driver.Host
	known := map[string]bool{}
	put := func(h driver.Host) {
		if h.URI == "" || known[h.URI] {
			return
		}
		known[h.URI] = true
		for _, b := range base.Hosts {
			if b.URI == h.URI || b.ID == h.ID {
				h.ID, h.SSH, h.MemoryMiB = b.ID, cmp.Or(b.SSH, h.SSH), b.MemoryMiB
			}
		}
		h.MemoryMiB = cmp.Or(h.MemoryMiB, o.MemoryMiB)
		all = append(all, h)
	}
	for _, h := range hosts {
		put(h)
	}
	for _, b := range base.Hosts {
		put(driver.Host{ID: b.ID, URI: b.URI, SSH: b.SSH})
	}
	return all
}

// observe looks at all hosts, so many at once; the looks come back in the order of the hosts.
func observe(ctx context.Context, d driver.Driver, hosts []driver.Host, o Options) []look {
	setIfZero(&o.Parallel, 16)
	setIfZero(&o.Timeout, time.Minute)
	looks := make([]look, len(hosts))
	slots := make(chan struct{}, o.Parallel)
	var wg sync.WaitGroup
	var telling sync.Mutex
	for n, h := range hosts {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			ctx, cancel := context.WithTimeout(ctx, o.Timeout)
			defer cancel()
			seen, err := d.Observe(ctx, h)
			if err == nil && seen.Facts == nil {
				err = fmt.Errorf("its driver tells nothing for discovery")
			}
			looks[n] = look{h, seen, err}
			if o.Progress != nil {
				telling.Lock()
				defer telling.Unlock()
				o.Progress(h, seen, err)
			}
		})
	}
	wg.Wait()
	return looks
}

func setIfZero[T int | time.Duration](v *T, to T) {
	if *v <= 0 {
		*v = to
	}
}
