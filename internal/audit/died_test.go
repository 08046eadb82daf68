package audit

import (
	"slices"
	"testing"
	"time"
)

// diesOf has a1's move from a to b end with it running nowhere, and started again on a. The looks after the move
// show it as seen says; the move is then made once more, by a person's leave.
func diesOf(p *tape, seen string, looksAtB int) {
	i := p.find("move-done", "a1")
	moved := p.facts[i]
	p.facts[i].Kind, p.facts[i].Why, p.facts[i].Source, p.facts[i].Destination = "move-failed", "the domain is not running", "stopped", "absent"
	at := p.facts[i].At
	var facts []Fact
	add := func(f Fact) {
		at = at.Add(time.Millisecond)
		if f.Seen != nil {
			f.Seen.At = at
		}
		f.At = at
		facts = append(facts, f)
	}
	look := func(host string, shown ...Sighting) {
		for n := range shown {
			shown[n].MemoryMiB, shown[n].Running = 1024, map[string]string{"qemu-system-x86": oldQEMU}
		}
		add(Fact{Kind: "host-seen", Host: host, Seen: &View{BootID: "boot-1-" + host, Health: "up", FreeMiB: 5120, Instances: shown}})
	}
	look("a", Sighting{ID: "a1", State: seen}, Sighting{ID: "a2", State: "running"})
	for range looksAtB {
		look("b", Sighting{ID: "b1", State: "running"}, Sighting{ID: "own", State: "running"})
	}
	add(Fact{Kind: "died", Turn: "a", Instance: "a1", Host: "a", From: "a", To: "b", Attempt: 1, Source: "stopped", Destination: "absent", Why: "both ends were read again"})
	add(Fact{Kind: "back-started", Turn: "a", Instance: "a1", To: "a", Attempt: 2})
	add(Fact{Kind: "back-done", Turn: "a", Instance: "a1", To: "a", Attempt: 2})
	add(Fact{Kind: "move-placed", Turn: "a", Instance: "a1", From: "a", To: "b", Attempt: 3, Deadline: p.get("move-placed", "a1").Deadline})
	moved.Attempt = 3
	add(moved)
	p.put(i+1, slices.Clone(facts)...) // which gives them times of its own
	for n, f := range facts {
		p.facts[i+1+n].At = f.At
	}
}

// diedMutants break what holds of an instance that a move has killed.
var diedMutants = []journalMutant{
	{"a death that no look shows", 5, one("died-unread"), false, func(p *tape) { diesOf(p, "running", 2) }},
	{"a death by a look at one end", 5, one("died-unread"), false, func(p *tape) { diesOf(p, "stopped", 1) }},
	{"a death of another move", 10, one("died-unmoved"), false, func(p *tape) {
		diesOf(p, "stopped", 2)
		p.get("died", "a1").To = "c"
	}},
	{"one that died is started elsewhere", 5, one("back-elsewhere"), false, func(p *tape) {
		diesOf(p, "stopped", 2)
		p.get("back-started", "a1").To = "b"
	}},
	{"one that died stays down", 7, []string{"ended-while-away", "not-back"}, false, func(p *tape) {
		diesOf(p, "stopped", 2)
		i := p.find("back-started", "a1")
		p.cut(i)
		p.facts = append(p.facts, Fact{Kind: "campaign-aborted", Who: "operator:robin", Why: "enough"},
			Fact{Kind: "given-back", Turn: "a", Host: "a", Code: "cordon"},
			Fact{Kind: "turn-dropped", Turn: "a", Host: "a", Code: "aborted", Why: "enough"},
			Fact{Kind: "turn-dropped", Turn: "b", Host: "b", Code: "aborted", Why: "not begun"},
			Fact{Kind: "turn-dropped", Turn: "c", Host: "c", Code: "aborted", Why: "not begun"},
			Fact{Kind: "campaign-finished", Code: "aborted"})
		for n := i; n < len(p.facts); n++ {
			p.facts[n].At, p.facts[n].Campaign = p.facts[i-1].At, "spring"
			if p.facts[n].Who == "" {
				p.facts[n].Who = "engine"
			}
		}
	}},
}

// TestDied: an instance that a move has killed, was read to be down and is started where it lies is nobody's fault.
func TestDied(t *testing.T) {
	p := &tape{t, goodJournal()}
	diesOf(p, "stopped", 2)
	p.renumber()
	if found := Facts(p.facts).Findings; len(found) > 0 {
		show(t, found)
		t.Fatal("found fault with what is allowed")
	}
}
