package engine

import (
	"sync"

	"github.com/evenkeel/evenkeel/internal/execution"
)

// Together are the campaigns of one controller, which share host groups, groups, sites and regions. One of
// them decides and stores at a time, so what it decides rests on what the others hold at that moment. What
// they hold is read from their own journals alone: a kill at any point leaves nothing behind.
type Together struct {
	mu      sync.Mutex // also of each pump that joined
	members []*member
}

type member struct {
	id     string
	pump   *Pump // nil: its journal was not read
	frozen bool  // it does not turn here
}

// Expect names a campaign whose journal is to be read: until it joins, no turn of another one begins.
func (t *Together) Expect(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.find(id)
}

func (t *Together) find(id string) *member {
	for _, m := range t.members {
		if m.id == id {
			return m
		}
	}
	m := &member{id: id}
	t.members = append(t.members, m)
	return m
}

// Join adds a campaign right after it was opened, before anybody else knows its pump. A frozen one does not
// turn: what it has left counts as under way.
func (t *Together) Join(id string, p *Pump, frozen bool) {
	t.mu.Lock()
	m := t.find(id)
	m.pump, m.frozen = p, frozen
	p.mu, p.together = &t.mu, t
	p.others(func(m *member) { m.pump.wake() })
	t.mu.Unlock()
}

// Freeze says that another controller turns a campaign from now on.
func (t *Together) Freeze(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.find(id).frozen = true
}

// others calls fn with each other campaign that turns here.
func (p *Pump) others(fn func(*member)) {
	for _, m := range p.together.members {
		if m.pump != nil && m.pump != p && !m.frozen {
			fn(m)
		}
	}
}

// meet tells the campaign's state of the others. A finished one that has ended since this one began still
// tells in which state it left the members of a group.
func (p *Pump) meet() {
	if p.together == nil || p.state.Plan == nil {
		return
	}
	var others []execution.Neighbour
	for _, m := range p.together.members {
		switch {
		case m.pump == p:
		case m.pump == nil:
			others = append(others, execution.Neighbour{Campaign: m.id})
		case m.pump.state.Plan == nil: // its journal's first fact does not read, and nothing of it was ever permitted by this version
		case m.pump.state.Phase != execution.PhaseFinished || m.pump.state.At.After(p.state.Began()):
			others = append(others, execution.Neighbour{Campaign: m.id, State: m.pump.state, Frozen: m.frozen})
		}
	}
	p.state.Meet(others)
}

// rouse wakes the other campaigns if this one has stored a fact since the one numbered last: they may wait
// for what it gave back. One that has nothing to say stores nothing, and wakes nobody.
func (p *Pump) rouse(last int64) {
	if p.together != nil && p.last != last {
		p.others(func(m *member) { m.pump.wake() })
	}
}
