package sim

import (
	"context"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/execution"
)

// churning is a drill in a fleet that changes.
type churning struct {
	*drill
	churn Churn
	lost  map[string]time.Time // hosts that lost their power for good
	moved map[string]time.Time // instances that others moved
	did   map[string]int       // what was done to the fleet, by kind
}

// actors are fate, who changes the fleet until the plan's end, and an operator, who resumes a halted campaign, and ends
// it an hour after the plan's end if turns are still held.
func (x *churning) actors() {
	x.lost, x.moved, x.did = map[string]time.Time{}, map[string]time.Time{}, map[string]int{}
	x.Go("fate", func(ctx context.Context) {
		for x.Wait(ctx, time.Minute) == nil && x.Now().Before(x.quiet) && !x.finished() {
			c, hosts, instances := x.churn, float64(len(x.fleet.Hosts)), float64(len(x.fleet.Instances))
			x.often(c.Lost*hosts/60, x.lose)
			x.often(c.Troubled*hosts/60, x.trouble)
			x.often(c.Changed*instances/60, x.change)
		}
	})
	x.Go("operator", func(ctx context.Context) {
		for x.Wait(ctx, 5*time.Minute) == nil && !x.finished() {
			var phase execution.Phase
			x.state(func(s *execution.State) { phase = s.Phase })
			switch {
			case x.Now().After(x.quiet.Add(time.Hour)) && phase != execution.PhaseAborted:
				x.tell(execution.CampaignAborted, "", "")
			case phase == execution.PhaseHalted:
				x.did["campaign resumed"]++
				x.tell(execution.CampaignResumed, "", "")
			}
		}
	})
}

// often calls for something as often as is due in this minute, on average.
func (x *churning) often(due float64, act func()) {
	n := int(due)
	if x.r.Float64() < due-float64(n) {
		n++
	}
	for range n {
		act()
	}
}

func (x *churning) anyHost() string { return x.fleet.Hosts[x.r.IntN(len(x.fleet.Hosts))].ID }

// beside is some host of the pool in which an instance began: others keep to pools too.
func (x *churning) beside(instance string) string {
	pool, _, _ := strings.Cut(instance, "h")
	for {
		if h := x.anyHost(); strings.HasPrefix(h, pool+"h") {
			return h
		}
	}
}

// lose takes a host's power for good. What ran there is started anew elsewhere some minutes later.
func (x *churning) lose() {
	h := x.anyHost()
	if _, gone := x.lost[h]; gone || !x.world.Up(h) {
		return
	}
	x.world.PowerOff(h)
	x.lost[h] = x.Now()
	x.did["host lost"]++
	x.At(x.Now().Add(5*time.Minute), func() {
		for _, in := range x.world.Residents(h) {
			for range 5 { // a balancer tries a few
				if x.world.OthersRestart(in, x.beside(h)) {
					x.moved[in] = x.Now()
					x.did["instance started anew"]++
					break
				}
			}
		}
	})
}

// trouble makes a host grow sick, cuts it off so that looks at it grow old, or slows its link down.
func (x *churning) trouble() {
	h := x.anyHost()
	if !x.world.Up(h) {
		return
	}
	switch x.r.IntN(3) {
	case 0:
		x.did["host grown sick"]++
		x.world.KillService(h, time.Duration(5+x.r.IntN(40))*time.Minute)
	case 1:
		x.did["host cut off"]++
		x.world.Cut(h, time.Duration(30+x.r.IntN(600))*time.Second)
	default:
		x.did["link slowed"]++
		x.world.SlowLink(h, 1000)
		x.At(x.Now().Add(time.Hour), func() { x.world.SlowLink(h, 25_000) })
	}
}

// change lets an instance be made, resized, moved by others or deleted.
func (x *churning) change() {
	in := x.fleet.Instances[x.r.IntN(len(x.fleet.Instances))].ID
	switch n := x.r.IntN(20); {
	case n < 7:
		if x.world.OthersStart(x.anyHost(), int64(2+x.r.IntN(5))*1024) != "" {
			x.did["instance made"]++
		}
	case n < 12:
		if x.world.OthersResize(in, int64(2+x.r.IntN(5))*1024) {
			x.did["instance resized"]++
		}
	case n < 16:
		if x.world.OthersMove(in, x.beside(in)) {
			x.moved[in] = x.Now()
			x.did["instance moved by others"]++
		}
	default:
		x.world.OthersRemove(in)
		x.did["instance deleted"]++
	}
}
