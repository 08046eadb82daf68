package engine

import "github.com/evenkeel/evenkeel/internal/execution"

// Forget gives a chore in flight up, as dispatch does once the state no longer asks for it.
func Forget(p *Pump, key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inflight[key].cancel()
	delete(p.inflight, key)
}

// Begin puts one more chore in flight, whose answer comes from run.
func Begin(p *Pump, key string, run func(report func([]execution.Fact))) {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.dispatcher
	defer func() { p.dispatcher = d }()
	p.dispatcher = once(run)
	p.start(execution.Chore{Key: key}, p.now())
}

type once func(report func([]execution.Fact))

func (o once) Start(_ execution.Chore, report func([]execution.Fact)) func() {
	o(report)
	return func() {}
}
