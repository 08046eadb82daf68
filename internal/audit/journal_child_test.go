package audit

import (
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// child makes the good journal one of a campaign that supersedes another, told of its end ahead of the
// first permit.
func child(p *tape) {
	p.replan(func(_ *fleet.Fleet, pl *plan.Plan) { pl.Supersedes = "winter" })
	p.put(p.find("turn-permitted", "a")-1, parentEnded())
}

func parentEnded() Fact {
	return Fact{Kind: "parent-ended", Code: "superseded", Why: "campaign winter is over"}
}

// dropTurn takes all of turn c out of the good journal - the last one, that of the third night - and
// puts these facts in its place, at its hour.
func dropTurn(p *tape, facts ...Fact) {
	i, j := p.find("turn-permitted", "c")-1, p.find("turn-done", "c")
	hour := p.facts[i].At
	p.facts = slices.Delete(p.facts, i, j+1)
	p.put(i, facts...)
	for n := range facts {
		p.facts[i+n].At = hour
		if v := p.facts[i+n].Seen; v != nil {
			v.At = hour
		}
	}
}

// seenC is a look at host c, where c1 and a2 run, with what was installed, booted and run on.
func seenC(installed, booted, runs string) Fact {
	m := func(v string) map[string]string { return map[string]string{"qemu-system-x86": v} }
	v := &View{BootID: "boot-9-c", Health: "up", Installed: m(installed), Booted: m(booted), MemoryMiB: 8192, FreeMiB: 6144}
	for _, id := range []string{"a2", "c1"} {
		v.Instances = append(v.Instances, Sighting{ID: id, State: "running", MemoryMiB: 1024, Running: m(runs)})
	}
	return Fact{Kind: "host-seen", Host: "c", Seen: v}
}

func spareC() Fact {
	return Fact{Kind: "turn-dropped", Turn: "c", Host: "c", Code: "already-at-target", Why: "it is there"}
}

// childMutants break what is asked of child campaigns and of hosts that need no turn any more.
var childMutants = []journalMutant{
	{"a permit before the parent is over", 5, one("parent-not-ended"), false, func(p *tape) {
		child(p)
		end := *p.get("parent-ended")
		p.drop("parent-ended")
		p.put(p.find("turn-permitted", "a")+1, end)
	}},
	{"an end before the parent is over", 5, one("parent-not-ended"), false, func(p *tape) {
		child(p)
		p.facts = append(p.facts[:3:3],
			Fact{Kind: "campaign-aborted", Who: "operator:robin", Why: "enough"},
			Fact{Kind: "turn-dropped", Turn: "a", Host: "a", Code: "aborted", Why: "x"}, Fact{Kind: "turn-dropped", Turn: "b", Host: "b", Code: "aborted", Why: "x"},
			Fact{Kind: "turn-dropped", Turn: "c", Host: "c", Code: "aborted", Why: "x"}, Fact{Kind: "campaign-finished", Code: "aborted"})
		p.put(len(p.facts))
		for i := 3; i < len(p.facts); i++ {
			f := &p.facts[i]
			if f.At, f.Campaign = p.facts[2].At, "spring"; f.Who == "" {
				f.Who = "engine"
			}
		}
	}},
	{"the end of a parent that nobody has", 10, one("no-parent"), false, func(p *tape) { p.put(p.find("turn-permitted", "a")-1, parentEnded()) }},
	{"a parent that ends twice", 10, one("parent-ended-twice"), false, func(p *tape) {
		child(p)
		p.put(p.find("turn-permitted", "a"), parentEnded())
	}},
	{"a stay cut short that the parent began", 6, one("min-stay"), false, func(p *tape) {
		child(p)
		p.drop("parent-ended")
		i := p.find("turn-permitted", "a") - 1
		p.put(i, Fact{Kind: "inherited", Instance: "a1", Host: "a", Why: "moved there"}, parentEnded())
		p.facts[i].At = p.facts[i+2].At.Add(-9 * time.Minute)
		p.facts[i+1].At = p.facts[i].At
	}},
	{"a stranger that the parent brought is moved untold", 4, one("not-promised"), false, func(p *tape) {
		child(p)
		p.replan(func(f *fleet.Fleet, pl *plan.Plan) {
			pl.Supersedes = "winter"
			f.Instances[1].Host = "d" // a2 stood elsewhere and has no slot in a's turn
			pl.Slots = slices.DeleteFunc(pl.Slots, func(s plan.Slot) bool { return s.ID == "a/a2" })
		})
		p.get("notice-asked", "scheduled/birch").Slots = []string{"b/b1", "c/a2"}
		p.get("notice-asked", "finished/birch").Slots = []string{"b/b1", "c/a2"}
		i := p.find("parent-ended")
		p.put(i, Fact{Kind: "inherited", Instance: "a2", Host: "a", Why: "moved there"})
		p.facts[i].At = p.facts[i-1].At
		j := p.find("move-placed", "a", "a2")
		p.put(j, external("a2", "appeared"))
	}},
	{"an instance that the parent left in two places is moved", 5, one("place-unresolved"), false, func(p *tape) {
		child(p)
		i := p.find("parent-ended")
		p.put(i, Fact{Kind: "inherited", Instance: "own", Host: "b", To: "d", Code: "unknown-end", Why: "unread"})
	}},
	{"a turn of a host that is at the target", 5, one("past-target"), false, func(p *tape) {
		i := p.find("turn-permitted", "c")
		look := seenC(newQEMU, newQEMU, newQEMU)
		look.Seen.At = p.facts[i-1].At
		p.put(i, look)
	}},
	{"a drop midway", 10, []string{"dropped-midway", "not-given-back"}, false, func(p *tape) {
		i, j := p.find("step-started", "c", "uncordon")-1, p.find("turn-done", "c")
		p.facts = slices.Delete(p.facts, i, j+1)
		p.put(i, spareC())
	}},
	{"a drop that no look bears out", 10, one("not-at-target"), false, func(p *tape) { dropTurn(p, seenC(newQEMU, oldQEMU, oldQEMU), spareC()) }},
	{"a drop with an instance left behind", 10, one("not-at-target"), false, func(p *tape) { dropTurn(p, seenC(newQEMU, newQEMU, oldQEMU), spareC()) }},
}

// Children, and hosts that need no turn, as they should be.
func TestGoodChildren(t *testing.T) {
	for name, change := range map[string]func(p *tape){
		"a child": child,
		"one whose parent left somebody elsewhere": func(p *tape) {
			child(p)
			p.put(p.find("parent-ended"), Fact{Kind: "inherited", Instance: "a1", Host: "a", Why: "x"})
		},
		"a cordon whose answer was lost is given back": func(p *tape) {
			i := p.find("borrowed", "a")
			p.facts[i] = Fact{Campaign: "spring", Who: "engine", At: p.facts[i].At, Kind: "step-failed", Turn: "a", Host: "a", Step: "cordon", Attempt: 1, Code: "no-answer", Why: "w", Retry: true}
		},
		"a host at the target is dropped": func(p *tape) { dropTurn(p, seenC(newQEMU, newQEMU, newQEMU), spareC()) },
		"a look with something unknown spares nobody": func(p *tape) {
			i := p.find("turn-permitted", "c")
			look := seenC(newQEMU, newQEMU, "")
			look.Seen.At = p.facts[i-1].At
			p.put(i, look)
		},
		"a routine cycle has no target": func(p *tape) {
			p.replan(func(_ *fleet.Fleet, pl *plan.Plan) { pl.Target = nil })
			i := p.find("turn-permitted", "c")
			look := seenC(newQEMU, newQEMU, newQEMU)
			look.Seen.At = p.facts[i-1].At
			p.put(i, look)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := &tape{t, goodJournal()}
			change(p)
			p.renumber()
			if found := Facts(p.facts).Findings; len(found) > 0 {
				show(t, found)
				t.Fatal("a sound journal was found fault with")
			}
		})
	}
}

// leaveC1 ends the good journal in an abort during turn c, which has stopped c1 and cannot bring it back.
func leaveC1(p *tape, held bool, why string) {
	i := p.find("back-started", "c1")
	p.facts = p.facts[:i]
	facts := []Fact{{Kind: "turn-held", Turn: "c", Host: "c", Step: "return", Code: "not-returned", Why: "it does not come back", Next: "n"},
		{Kind: "campaign-aborted", Code: "superseded", Why: "campaign summer takes its place"},
		{Kind: "turn-dropped", Turn: "c", Host: "c", Code: "superseded", Why: why}}
	if !held {
		facts = facts[1:]
	}
	p.put(i, facts...)
}

// Whom a turn leaves stopped is named as it ends, and a person was told before.
func TestLeftStopped(t *testing.T) {
	for name, c := range map[string]struct {
		held  bool
		why   string
		sound bool
	}{
		"held, and named":  {true, "superseded; c1, which it stopped, could not be brought back", true},
		"held":             {true, "superseded", false},
		"another is named": {true, "superseded; c11, which it stopped, could not be brought back", false},
		"untold":           {false, "superseded; c1, which it stopped, could not be brought back", false},
	} {
		t.Run(name, func(t *testing.T) {
			p := &tape{t, goodJournal()}
			leaveC1(p, c.held, c.why)
			p.renumber()
			if found := codes(Facts(p.facts).Findings); slices.Contains(found, "ended-while-away") == c.sound {
				t.Errorf("found %v", found)
			}
		})
	}
}

func TestLine(t *testing.T) {
	for _, tt := range []struct {
		have, want string
		is         standing
	}{
		{oldQEMU, newQEMU, behind}, {newQEMU, newQEMU, there}, {newQEMU, oldQEMU, there}, {"", newQEMU, untold},
		{"1:8.0+dfsg-7+deb12u1", newQEMU, untold}, {"7.2.22", newQEMU, untold}, {"7.2.22", "7.2.22", there}, {"7.2.23", "7.2.22", untold},
	} {
		if got := there.version(debs, tt.have, tt.want); got != tt.is {
			t.Errorf("%q against %q: %d, want %d", tt.have, tt.want, got, tt.is)
		}
	}
}
