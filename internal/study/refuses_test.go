package study

import (
	"bytes"
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// TestFoldRefuses what does not add up.
func TestFoldRefuses(t *testing.T) {
	in, err := small(0.1).input(Arms[1], advisories(t), func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	p, err := planner.Propose(in)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fold(in.Fleet, &p, nil); err != nil {
		t.Fatal(err)
	}
	for what, spoil := range map[string]func(p *plan.Plan) map[string]bool{
		"a host left out":            func(p *plan.Plan) map[string]bool { p.Skipped = p.Skipped[1:]; return nil },
		"a tactic without a row":     func(p *plan.Plan) map[string]bool { p.Turns[0].Tactic = plan.Refresh; return nil },
		"a patched host with a turn": func(p *plan.Plan) map[string]bool { return map[string]bool{p.Turns[0].Host: true} },
		"a patched host of which no word": func(p *plan.Plan) map[string]bool {
			h := p.Skipped[0].Host
			p.Skipped = p.Skipped[1:]
			return map[string]bool{h: true}
		},
	} {
		q := p
		q.Turns, q.Skipped = append([]plan.Turn{}, p.Turns...), append([]plan.Skipped{}, p.Skipped...)
		held := spoil(&q)
		if _, err := fold(in.Fleet, &q, held); err == nil {
			t.Errorf("%s: the table was folded all the same", what)
		}
	}
}

// TestChildNeedsUntouchedHosts: the child counts on hosts that had a live patch or nothing.
func TestChildNeedsUntouchedHosts(t *testing.T) {
	s := small(0.1)
	in, err := s.input(Arms[0], advisories(t), func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	p, err := planner.Propose(in)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := (&Outcome{}).child(s, in, advisories(t), &p); err != nil {
		t.Fatal(err)
	}
	for n := range p.Turns {
		if p.Turns[n].Tactic != plan.LivePatch {
			p.Turns[n].Start = s.Now
		}
	}
	if _, _, err := (&Outcome{}).child(s, in, advisories(t), &p); err == nil {
		t.Error("a child was made of a plan that reboots hosts among the live patches")
	}
}

// TestRefusesScenario that cannot be drawn.
func TestRefusesScenario(t *testing.T) {
	for what, change := range map[string]func(s *Scenario){
		"no pools":                  func(s *Scenario) { s.Pools = 0 },
		"a pool of two hosts":       func(s *Scenario) { s.Hosts = 2 },
		"more covered than builds":  func(s *Scenario) { s.Covered = s.Builds + 1 },
		"more shadow than builds":   func(s *Scenario) { s.Shadow = s.Builds + 1 },
		"nobody owns the instances": func(s *Scenario) { s.Tenants = 0 },
	} {
		s := small(0.1)
		change(&s)
		if _, err := Run(s, Arms[0], advisories(t), nil); err == nil {
			t.Errorf("%s: it was run", what)
		}
	}
}

// TestFleetIsSound: the drawn fleet is one that the fleet's own reader takes.
func TestFleetIsSound(t *testing.T) {
	for _, arm := range Arms {
		f, err := small(0.1).Fleet(arm)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := fleet.WriteJSONL(&b, f); err != nil {
			t.Fatal(err)
		}
		if _, mistakes := fleet.ParseJSONL("drawn", &b); len(mistakes) > 0 {
			t.Errorf("%s: %v", arm.Name, mistakes[:min(len(mistakes), 5)])
		}
		affected := 0
		for _, h := range f.Hosts {
			if h.Software.Booted[xen] == oldXen {
				affected++
			}
		}
		if len(f.Hosts) != 999 || affected != 100 {
			t.Errorf("%s: %d hosts, %d affected, want 999 and a tenth", arm.Name, len(f.Hosts), affected)
		}
	}
}
