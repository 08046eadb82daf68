package audit

import (
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// TestJournalAllowed: what may happen in a good run, and what others do, is no finding.
func TestJournalAllowed(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(p *tape)
	}{
		{"under way at a pause: it ends in a safe place", func(p *tape) {
			p.put(p.find("stop-done", "c1"), Fact{Kind: "campaign-paused", Who: "operator:robin", Why: "wait"})
			i := p.find("stop-done", "c1")
			p.put(i+1, Fact{Kind: "back-started", Turn: "c", Instance: "c1", To: "c", Attempt: 1}, Fact{Kind: "back-done", Turn: "c", Instance: "c1", To: "c", Attempt: 1})
			p.put(i+3, Fact{Kind: "campaign-resumed", Who: "operator:robin"})
			again := []Fact{*p.get("stop-started", "c1"), *p.get("stop-done", "c1")}
			again[0].Attempt, again[1].Attempt = 2, 2
			p.put(i+4, again...)
		}},
		{"a move that failed and is tried again", func(p *tape) {
			i := p.find("move-done", "a1")
			failed, again := p.facts[i], p.facts[i-1]
			failed.Kind, failed.Why, failed.Source, failed.Destination = "move-failed", "no", "running", "absent"
			again.Attempt, p.facts[i].Attempt = 2, 2
			p.put(i, failed, again)
		}},
		{"a lost answer, and both ends read again", func(p *tape) {
			i := p.find("move-done", "a1")
			lost := p.facts[i]
			lost.Kind, lost.Why, lost.Source, lost.Destination = "move-failed", "no answer", "unreachable", "unreachable"
			p.put(i, lost)
		}},
		{"a lost answer, and looks at both ends", func(p *tape) {
			i := p.find("move-done", "a1")
			f := &p.facts[i]
			f.Kind, f.Why, f.Source, f.Destination = "move-failed", "no answer", "unreachable", "unreachable"
			look := func(host string, after time.Duration, shown ...string) Fact {
				v := &View{At: f.At.Add(after), BootID: "boot-1-" + host, Health: "up", FreeMiB: 5120}
				for _, id := range shown {
					v.Instances = append(v.Instances, Sighting{ID: id, State: "running", MemoryMiB: 1024, Running: map[string]string{"qemu-system-x86": oldQEMU}})
				}
				return Fact{Kind: "host-seen", Host: host, Seen: v}
			}
			looks := []Fact{look("a", 100*time.Millisecond, "a2"), look("b", 200*time.Millisecond, "b1", "own", "a1"), look("a", 300*time.Millisecond, "a2")}
			p.put(i+1, looks...)
			for n := range looks {
				p.facts[i+1+n].At = p.facts[i+1+n].Seen.At
			}
		}},
		{"two ends that run it, on record, held, named, and left alone", func(p *tape) {
			i := p.find("move-done", "a1")
			f := &p.facts[i]
			f.Kind, f.Why, f.Source, f.Destination = "move-failed", "it runs at both", "running", "running"
			p.cut(i + 1)
			p.facts = append(p.facts,
				Fact{Kind: "turn-held", Turn: "a", Host: "a", Code: "split-brain", Why: "a1 runs on a and on b"},
				Fact{Kind: "campaign-aborted", Who: "operator:robin", Why: "mend it"},
				Fact{Kind: "given-back", Turn: "a", Host: "a", Code: "cordon"},
				Fact{Kind: "turn-dropped", Turn: "a", Host: "a", Code: "aborted", Why: "held"},
				Fact{Kind: "turn-dropped", Turn: "b", Host: "b", Code: "aborted", Why: "not begun"},
				Fact{Kind: "turn-dropped", Turn: "c", Host: "c", Code: "aborted", Why: "not begun"},
				Fact{Kind: "campaign-finished", Code: "aborted"})
			for n := i + 1; n < len(p.facts); n++ {
				p.facts[n].At, p.facts[n].Campaign = p.facts[i].At, "spring"
				if p.facts[n].Who == "" {
					p.facts[n].Who = "engine"
				}
			}
		}},
		{"a step that another controller takes up", func(p *tape) {
			i := p.find("step-done", "a", "update")
			p.put(i, Fact{Kind: "controller-took", Generation: 2}, Fact{Kind: "step-started", Turn: "a", Host: "a", Step: "update", Attempt: 2})
			p.facts[i+2].Attempt = 2
		}},
		{"a step that is tried again past its deadline", func(p *tape) {
			i := p.find("step-done", "a", "cordon")
			p.get("step-started", "a", "cordon").Deadline = p.facts[i-2].At
			p.put(i, Fact{Kind: "step-started", Turn: "a", Host: "a", Step: "cordon", Attempt: 2})
		}},
		{"a late answer of an attempt that was given up", func(p *tape) {
			i := p.find("step-done", "a", "reboot")
			p.put(i, Fact{Kind: "step-failed", Turn: "a", Host: "a", Step: "reboot", Attempt: 1, Why: "no answer", Code: "no-answer"})
		}},
		{"an instance that its owner deletes", func(p *tape) {
			i := p.find("turn-permitted", "c")
			p.put(i, external("d1", "gone"))
		}},
		{"an instance that its owner stops", func(p *tape) { p.put(p.find("campaign-finished"), external("d1", "stopped")) }},
		{"one look that does not show what is there", func(p *tape) {
			i := p.find("campaign-finished")
			p.put(i, Fact{Kind: "host-seen", Host: "c", Seen: &View{At: p.facts[i-1].At, BootID: "boot-2-c", Health: "up"}})
		}},
		{"an instance that appears and is moved untold", func(p *tape) {
			i := p.find("move-placed", "b", "own")
			placed, done := p.facts[i], p.facts[i+1]
			placed.Instance, done.Instance = "new1", "new1"
			p.put(i+2, Fact{Kind: "external", Host: "b", Instance: "new1", Code: "appeared", Why: "by its tenant"}, placed, done)
		}},
		{"an overrun that is told in time", func(p *tape) {
			i := p.find("back-started")
			p.delay(i, 3*time.Hour)
			p.put(i, Fact{Kind: "overrun", Turn: "c", Instance: "c1", Why: "not back"})
			p.put(i+1, Fact{Kind: "notice-asked", Notice: "overrun/c1", NoticeKind: "overrun", Tenant: "acme", Slots: []string{"c/c1"}})
			p.facts[i].At, p.facts[i+1].At = at("2026-03-11 04:05:00"), at("2026-03-11 04:05:00")
		}},
		{"an overrun of a journal that ends before it need be told", func(p *tape) {
			i := p.find("back-started")
			p.cut(i)
			p.put(i, Fact{Kind: "host-lost", Host: "c", Why: "no answer"})
			p.facts[i].At = at("2026-03-11 04:04:59")
		}},
		{"an operator's override, with a reason", func(p *tape) {
			p.replan(func(_ *fleet.Fleet, pl *plan.Plan) { slotOf(pl, "a/a1").Start = at("2026-03-10 02:10") })
			p.put(p.find("turn-permitted", "a")+1, Fact{Kind: "turn-released", Turn: "a", Host: "a", Who: "operator:robin", Code: "override", Why: "the tenant asked for it"})
		}},
		{"a notice that nobody accepts, where policy overrides", func(p *tape) {
			p.replan(func(_ *fleet.Fleet, pl *plan.Plan) { pl.Policy.Undeliverable = "override" })
			f := p.get("notice-accepted", "scheduled/birch")
			f.Kind, f.Why, f.Code = "notice-failed", "550 no such user", "refused"
		}},
		{"a cordon that could not be given back, tried and named", func(p *tape) {
			i := p.find("given-back", "c")
			p.cut(i)
			p.put(i, Fact{Kind: "step-started", Turn: "c", Host: "c", Step: "uncordon", Attempt: 1}, Fact{Kind: "step-failed", Turn: "c", Host: "c", Step: "uncordon", Attempt: 1, Why: "no answer"},
				Fact{Kind: "turn-dropped", Turn: "c", Host: "c", Code: "aborted", Why: "cordon could not be given back"})
		}},
		{"a disposition that is milder than promised", func(p *tape) {
			p.replan(func(_ *fleet.Fleet, pl *plan.Plan) { slotOf(pl, "c/c1").Disposition = plan.DispStop })
		}},
		{"an instance that stays away, named", func(p *tape) {
			p.replan(func(_ *fleet.Fleet, pl *plan.Plan) { pl.Policy.BringHome = true })
			for _, m := range [][2]string{{"a2", "b"}, {"b1", "a"}, {"own", "a"}} {
				p.put(p.find("turn-done", "c"), Fact{Kind: "stays-away", Turn: "c", Instance: m[0], To: m[1], Code: "stays", Why: "no room"})
			}
		}},
		{"a pool left worse off, as was judged with the plan", func(p *tape) {
			p.replan(func(_ *fleet.Fleet, pl *plan.Plan) { pl.Policy.Home = plan.HomeSettle })
		}},
		{"a pool left worse off by who could not go home, named", func(p *tape) {
			p.replan(func(_ *fleet.Fleet, pl *plan.Plan) { pl.Policy.Home, pl.Moves[4].To = plan.HomeSettle, "c" })
			p.put(p.find("turn-done", "c"), Fact{Kind: "stays-away", Turn: "c", Instance: "own", To: "a", Code: "stays", Why: "no room"})
		}},
		{"a plan that an operator applies with a reason, past disclosure", func(p *tape) {
			p.replan(func(_ *fleet.Fleet, pl *plan.Plan) { pl.Target.Disclosure = at("2026-03-10 02:30") })
			p.facts[0].Why = "there is no earlier window"
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := &tape{t, goodJournal()}
			c.change(p)
			p.renumber()
			if found := Facts(p.facts).Findings; len(found) > 0 {
				show(t, found)
				t.Fatal("found fault with what is allowed")
			}
		})
	}
}

// TestNamesNeedsTheWholeWord: a list names an instance by its id, not by the start of another's.
func TestNamesNeedsTheWholeWord(t *testing.T) {
	r := &run{lists: []string{"cannot be moved: vm10, db-1; look at web.", "x"}}
	for id, want := range map[string]bool{"vm1": false, "vm10": true, "db": false, "db-1": true, "web": true, "x": true, "y": false} {
		if got := r.names(id); got != want {
			t.Errorf("%s is named: %v, want %v", id, got, want)
		}
	}
}

// TestRunningJournal: a journal that is cut anywhere is judged by what it says so far.
func TestRunningJournal(t *testing.T) {
	facts := goodJournal()
	for n := 1; n < len(facts); n++ {
		v := Facts(slices.Clone(facts[:n]))
		if !v.Clean() || v.Finished {
			show(t, v.Findings)
			t.Fatalf("after %d of %d facts: clean %v, finished %v", n, len(facts), v.Clean(), v.Finished)
		}
	}
}
