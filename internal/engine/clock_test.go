package engine_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/engine"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// While the clock lies behind the journal no disruption begins, and all else goes on.
func TestClockThatRunsBackwards(t *testing.T) {
	j, c := applied(t), &clock{dawn}
	p, h, _ := open(t, j, 1, c)
	turn(t, p)
	h.report[h.begun[0].Key]([]execution.Fact{{Kind: execution.NoticeAccepted, Notice: h.begun[0].Notice, Tenant: "acme"}})
	turn(t, p)
	seen := func() {
		for _, b := range h.begun {
			if report := h.report[b.Key]; b.Kind == execution.ChoreLook && report != nil {
				delete(h.report, b.Key)
				v := &execution.HostView{At: c.now, BootID: "b", Health: "up", MemoryMiB: 1000, FreeMiB: 900}
				if b.Host == "h1" {
					v.Instances = []execution.InstanceView{{ID: "i", State: "running", MemoryMiB: 100}}
				}
				report([]execution.Fact{{Kind: execution.HostSeen, Host: b.Host, Seen: v}})
			}
		}
	}
	permitted := func() bool {
		return slices.ContainsFunc(j.facts(), func(f execution.Fact) bool { return f.Kind == execution.TurnPermitted })
	}
	c.now = dawn.Add(48*time.Hour + time.Second) // the slot begins
	if err := p.Command(context.Background(), &execution.Fact{Kind: execution.HostLost, Who: execution.Engine, Host: "h2"}, func(*execution.State) error { return nil }); err != nil {
		t.Fatal(err)
	}
	c.now = c.now.Add(-time.Hour)
	for range 20 {
		seen()
		if next := turn(t, p); !next.After(c.now) {
			t.Fatalf("wants to be called again at %s", next)
		}
	}
	if permitted() || p.Behind() != time.Hour {
		t.Fatalf("a turn was permitted by a clock %s behind the journal", p.Behind())
	}
	if n := len(j.facts()); n > 20 {
		t.Fatalf("%d facts while time stood still", n)
	}
	c.now = c.now.Add(time.Hour - 2*time.Second) // within the skew that is allowed
	for range 20 {
		seen()
		turn(t, p)
		c.now = c.now.Add(time.Second)
	}
	if !permitted() || p.Behind() != 0 {
		p.Read(func(s *execution.State) { t.Log(s.Status(c.now).Turns[0].Waits) })
		t.Fatal("no turn was permitted although the clock had caught up")
	}
	facts := j.facts()
	for i := 1; i < len(facts); i++ {
		if facts[i].At.Before(facts[i-1].At) {
			t.Fatalf("fact %d lies before fact %d", i+1, i)
		}
	}
}

// Who was stopped is brought back also while the clock lies behind.
func TestClockThatRunsBackwardsKeepsNobodyDown(t *testing.T) {
	j, c := applied(t), &clock{dawn.Add(48 * time.Hour)}
	at := c.now
	var facts []execution.Fact
	for _, f := range []execution.Fact{
		{Kind: execution.TurnPermitted, Turn: "h1", Host: "h1"},
		{Kind: execution.StopStarted, Turn: "h1", Instance: "i", From: "h1", Disposition: plan.DispStop, Attempt: 1, Deadline: at.Add(time.Minute)},
		{Kind: execution.StopDone, Turn: "h1", Instance: "i", From: "h1", Disposition: plan.DispStop, Attempt: 1},
	} {
		f.At, f.Who, f.Campaign, f.Revision = at, execution.Engine, "c", 1
		facts = append(facts, f)
	}
	if _, err := j.Append(context.Background(), "c", 1, facts); err != nil {
		t.Fatal(err)
	}
	c.now = at.Add(-time.Hour)
	p, h, _ := open(t, j, 1, c)
	turn(t, p)
	if !slices.ContainsFunc(h.begun, func(c execution.Chore) bool { return c.Kind == execution.ChoreBack && c.Instance == "i" }) {
		t.Fatalf("begun %v: the stopped instance waits for the clock", h.keys())
	}
}

// A look that was begun after a fact does not lie before it, although the clock that it read does:
// else it would count as old, and be repeated at once for as long as the clock is behind.
func TestALookIsNoOlderThanItsBeginning(t *testing.T) {
	j, c := applied(t), &clock{dawn.Add(-3 * time.Second)}
	p, _, _ := open(t, j, 1, c)
	engine.Begin(p, "look", func(report func([]execution.Fact)) {
		report([]execution.Fact{{Kind: execution.HostSeen, Host: "h2", Seen: &execution.HostView{At: c.now, BootID: "b", Health: "up"}}})
	})
	turn(t, p)
	for _, f := range j.facts() {
		if f.Kind == execution.HostSeen {
			if !f.Seen.At.Equal(dawn) {
				t.Fatalf("seen at %s, and it began at %s", f.Seen.At, dawn)
			}
			return
		}
	}
	t.Fatal("the look was not stored")
}
