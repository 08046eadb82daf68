package sim

import (
	"context"
	"time"

	"github.com/evenkeel/evenkeel/internal/engine"
	"github.com/evenkeel/evenkeel/internal/execution"
)

// startHeirs opens all journals as a process that was just started would, and turns them.
func (x *heirs) startHeirs() {
	x.pump = x.Go("controller", func(ctx context.Context) {
		w := x.engineWorld()
		g, err := x.journal.NextGeneration(ctx)
		if err != nil {
			panic(err)
		}
		x.pumps = map[string]*engine.Pump{}
		wake := func() {}
		x.stir = func() { wake() }
		for {
			woken := false
			wctx, cancel := x.WithCancel(ctx)
			wake = func() { woken = true; cancel() }
			x.open(ctx, g, w, func() { wake() })
			next := x.turnAll(ctx)
			wait := 24 * time.Hour
			if !next.IsZero() {
				wait = max(time.Millisecond, next.Sub(x.Now()))
			}
			if !woken {
				_ = x.Wait(wctx, wait)
			}
			cancel()
		}
	})
}

// open opens the journals that this controller has not opened yet.
func (x *heirs) open(ctx context.Context, g int64, w engine.World, wake func()) {
	for _, id := range []string{"drill", "child"} {
		if x.pumps[id] != nil || id == "child" && x.child == nil {
			continue
		}
		var pump *engine.Pump
		d := &dispatcher{x: x.drill, world: w, pump: func() *engine.Pump { return pump }}
		var err error
		if pump, err = engine.Open(ctx, x.journal, id, g, x.drill, d, wake); err != nil {
			panic(err)
		}
		x.pumps[id] = pump
	}
	x.state = func(read func(*execution.State)) { x.now().Read(read) }
	x.order = func(f execution.Fact) error {
		return x.now().Command(context.Background(), &f, func(*execution.State) error { return nil })
	}
}

// now is the campaign at work: the child once the parent is over.
func (x *heirs) now() *engine.Pump {
	if child := x.pumps["child"]; child != nil && over(x.pumps["drill"]) {
		return child
	}
	return x.pumps["drill"]
}

func over(p *engine.Pump) (is bool) {
	p.Read(func(s *execution.State) { is = s.Phase == execution.PhaseFinished })
	return is
}

// turnAll turns each campaign once, and the child towards its parent's place.
func (x *heirs) turnAll(ctx context.Context) (next time.Time) {
	for _, id := range []string{"drill", "child"} {
		p := x.pumps[id]
		if p == nil {
			continue
		}
		at, err := p.Turn(ctx)
		if err == nil && id == "child" {
			err = engine.Succeed(ctx, x.pumps["drill"], p)
		}
		if err != nil {
			panic(err)
		}
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	return next
}
