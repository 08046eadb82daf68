package local_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/engine"
	"github.com/evenkeel/evenkeel/internal/engine/local"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// gate is a driver whose looks wait until they are let go.
type gate struct {
	begun chan string
	let   chan struct{}

	mu        sync.Mutex
	now, most int // looks under way, and the most at once
}

func (g *gate) count(by int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.now += by
	g.most = max(g.most, g.now)
}

func (g *gate) Observe(ctx context.Context, h driver.Host) (driver.Observation, error) {
	g.count(1)
	defer g.count(-1)
	g.begun <- h.ID
	select {
	case <-g.let:
	case <-ctx.Done():
		return driver.Observation{}, ctx.Err()
	}
	return driver.Observation{Host: h.ID, Health: fleet.Up}, nil
}
func (g *gate) Close() error { return nil }

func campaign(hosts int) engine.Campaign {
	k := engine.Campaign{Plan: &plan.Plan{}, Fleet: &fleet.Fleet{}}
	for i := range hosts {
		k.Fleet.Hosts = append(k.Fleet.Hosts, fleet.Host{ID: fmt.Sprint("h", i), URI: "sim://x"})
	}
	return k
}

func look(i int) execution.Chore {
	return execution.Chore{Key: fmt.Sprint("look/", i), Kind: execution.ChoreLook, Host: fmt.Sprint("h", i)}
}

func TestLooksAreBounded(t *testing.T) {
	const all = local.AtOnce * 5
	g := &gate{begun: make(chan string, all), let: make(chan struct{})}
	w := engine.World{Drivers: map[string]driver.Driver{"sim": g}, Clock: engine.RealClock{}, WithDeadline: context.WithDeadline}
	d := local.New(w, func() engine.Campaign { return campaign(all) })
	var mu sync.Mutex
	var answered sync.WaitGroup
	seen := map[string]bool{}
	var cancels []func()
	for i := range all {
		answered.Add(1)
		cancels = append(cancels, d.Start(look(i), func(facts []execution.Fact) { // never blocks: nothing was let go yet
			defer answered.Done()
			mu.Lock()
			defer mu.Unlock()
			for _, f := range facts {
				if f.Kind == execution.HostSeen {
					seen[f.Host] = true
				}
			}
		}))
	}
	for range local.AtOnce {
		<-g.begun
	}
	for range 1000 {
		runtime.Gosched() // whatever else may begin, begins now
	}
	cancels[all-1]() // the last one in the queue never begins
	for range all - local.AtOnce - 1 {
		g.let <- struct{}{}
		<-g.begun
	}
	close(g.let)
	answered.Wait()
	if g.most != local.AtOnce {
		t.Fatalf("%d looks at once, want %d", g.most, local.AtOnce)
	}
	if len(seen) != all-1 {
		t.Fatalf("%d of %d hosts seen, want all but the one that was cancelled", len(seen), all)
	}
}

// What acts on the world does not wait behind looks, and a panic in it is reported.
func TestActsDoNotQueue(t *testing.T) {
	g := &gate{begun: make(chan string, local.AtOnce), let: make(chan struct{})}
	w := engine.World{Drivers: map[string]driver.Driver{"sim": g}, Clock: engine.RealClock{}, WithDeadline: context.WithDeadline}
	d := local.New(w, func() engine.Campaign { return campaign(local.AtOnce) })
	defer close(g.let)
	for i := range local.AtOnce {
		d.Start(look(i), func([]execution.Fact) {})
	}
	got := make(chan []execution.Fact, 1)
	d.Start(execution.Chore{Key: "odd", Kind: "no-such-kind"}, func(f []execution.Fact) { got <- f })
	select {
	case f := <-got:
		if len(f) != 1 || f[0].Kind != execution.CampaignHalted || f[0].Code != execution.CodeBug {
			t.Fatalf("a panic came as %+v", f)
		}
	case <-time.After(30 * time.Second):
		t.Fatal("an act waits behind looks")
	}
}
