package audit

import (
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// TestGoodInPlaceTurns: what may happen in a change in place, and breaks no law.
func TestGoodInPlaceTurns(t *testing.T) {
	for name, c := range map[string]struct {
		patch  bool
		change func(p *tape)
	}{
		"a person retries on another boot": {true, func(p *tape) {
			i := p.find("step-started", "c", "prove") + 1
			p.put(i, Fact{Kind: "turn-held", Turn: "c", Host: "c", Step: "prove", Code: "rebooted-meanwhile", Why: "w", Next: "n"},
				Fact{Kind: "turn-released", Turn: "c", Host: "c", Who: "operator:robin"})
			p.lastLook().BootID = "boot-9-c"
			p.facts[p.find("step-done", "c", "prove")].BootID = "boot-9-c"
		}},
		"a refresh where the parent left somebody a moment ago": {false, func(p *tape) {
			p.replan2(func(pl *plan.Plan) { pl.Supersedes, pl.Policy.MinStay = "winter", plan.Duration(24*31*time.Hour) })
			p.put(p.find("turn-prepares", "a"), Fact{Kind: "inherited", Instance: "a1", Host: "a", Why: "w"}, parentEnded())
		}},
		"two copies, of which one is ended, in a child": {false, func(p *tape) {
			p.replan2(func(pl *plan.Plan) { pl.Supersedes = "winter" })
			i := p.find("turn-prepares", "a")
			v := *p.facts[p.find("host-seen", "a")].Seen
			look := func(host string, there bool) Fact {
				w := v
				w.Instances, w.BootID = nil, "boot-1-"+host
				if there {
					w.Instances = []Sighting{{ID: "idle", State: "running", MemoryMiB: 512}}
				} else {
					w.Instances = []Sighting{{ID: "idle", State: "stopped", MemoryMiB: 512}}
				}
				return Fact{Kind: "host-seen", Host: host, Seen: &w}
			}
			p.put(i, Fact{Kind: "inherited", Instance: "idle", Host: "d", To: "b", Code: "unknown-end", Why: "w"}, parentEnded(),
				look("d", true), look("b", true), look("b", false), look("d", true))
			for n := range 6 {
				if p.facts[i+n].At = p.facts[i-1].At; p.facts[i+n].Seen != nil {
					p.facts[i+n].Seen.At = p.facts[i].At
				}
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p := &tape{t, refreshJournal()}
			if c.patch {
				p.facts = patchJournal()
			}
			c.change(p)
			p.renumber()
			for _, f := range Facts(p.facts).Findings {
				if name != "two copies, of which one is ended, in a child" || f.Code == "two-places" {
					t.Errorf("law %d %s %s: %s", f.Law, f.Code, f.Subject, f.What)
				}
			}
		})
	}
}

// TestLateLook: a look at the old host that began before a move ended, and is recorded after one at the
// new host, shows nobody in two places.
func TestLateLook(t *testing.T) {
	p := &tape{t, goodJournal()}
	i := p.find("move-done", "a1")
	early := *p.facts[p.find("host-seen", "a")].Seen
	early.At = p.facts[i].At.Add(-2 * time.Second)
	look := func(v View) Fact { return Fact{Kind: "host-seen", Host: "a", Seen: &v} }
	after := View{At: p.facts[i].At, BootID: "boot-1-b", Health: "up", MemoryMiB: 8192, Instances: []Sighting{{ID: "a1", State: "running", MemoryMiB: 1024}}}
	there := look(after)
	there.Host = "b"
	for n := range early.Instances {
		if early.Instances[n].ID != "a1" {
			early.Instances = slices.Delete(slices.Clone(early.Instances), n, n+1)
			break
		}
	}
	p.put(i+1, there, look(early), there)
	p.renumber()
	for _, f := range Facts(p.facts).Findings {
		if f.Code == "two-places" {
			t.Errorf("%s: %s", f.Subject, f.What)
		}
	}
}
