package engine_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/engine"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/store"
)

// looks answers looks at once, and nothing else ever.
type looks struct{ clock *clock }

func (l looks) Start(c execution.Chore, report func([]execution.Fact)) func() {
	if c.Kind == execution.ChoreLook {
		report([]execution.Fact{{Kind: execution.HostSeen, Host: c.Host, Seen: &execution.HostView{At: l.clock.now, BootID: "b", Health: "up"}}})
	}
	return func() {}
}

// beside is a process with two campaigns, each of a host of its own in a pool of its own; both hosts are in one
// host group, which can spare one.
type beside struct {
	t        *testing.T
	j        *store.Memory
	clock    *clock
	together *engine.Together
	pumps    map[string]*engine.Pump
	woken    map[string]int
}

func newBeside(t *testing.T) *beside {
	b := &beside{t: t, j: store.NewMemory(), clock: &clock{dawn}}
	f := fleet.Fleet{Regions: []fleet.Region{{ID: "r"}}, Sites: []fleet.Site{{ID: "s", Region: "r"}}, Pools: []fleet.Pool{{ID: "p", Site: "s"}, {ID: "q", Site: "s"}},
		Hosts:      []fleet.Host{{ID: "h1", Pools: []string{"p"}, MemoryMiB: 1000}, {ID: "h2", Pools: []string{"q"}, MemoryMiB: 1000}},
		HostGroups: []fleet.HostGroup{{ID: "gateways", Hosts: []string{"h1", "h2"}, MaxUnavailable: 1}}}
	fj, _ := json.Marshal(f)
	for _, c := range [][3]string{{"cycle", "h1", "p"}, {"urgent", "h2", "q"}} {
		p := plan.Plan{Campaign: c[0], Revision: 1, Policy: plan.DefaultPolicy(), Turns: []plan.Turn{{ID: c[1], Host: c[1], Pool: c[2], Site: "s", Wave: 1, Tactic: plan.Reboot}}}
		if c[0] == "urgent" {
			p.Policy.FinishBy = dawn.Add(24 * time.Hour)
		}
		pj, _ := json.Marshal(p)
		if _, err := b.j.Append(t.Context(), c[0], 0, []execution.Fact{{At: dawn, Kind: execution.CampaignApplied, Who: "operator:t", Campaign: c[0], Revision: 1, Plan: pj, Fleet: fj}}); err != nil {
			t.Fatal(err)
		}
	}
	return b
}

// start forgets all that is not in the journals.
func (b *beside) start() {
	b.together, b.pumps, b.woken = new(engine.Together), map[string]*engine.Pump{}, map[string]int{}
	b.together.Expect("cycle")
	b.together.Expect("urgent")
}

func (b *beside) join(id string, generation int64) {
	p, err := engine.Open(b.t.Context(), b.j, id, generation, b.clock, looks{b.clock}, func() { b.woken[id]++ })
	if err != nil {
		b.t.Fatal(err)
	}
	b.pumps[id] = p
	b.together.Join(id, p, false)
}

// turn turns a campaign until its looks are taken in.
func (b *beside) turn(id string) {
	for range 3 {
		turn(b.t, b.pumps[id])
	}
}

func (b *beside) permits(id string) (n int) {
	_ = b.j.Read(b.t.Context(), id, 0, func(f execution.Fact) error {
		if f.Kind == execution.TurnPermitted {
			n++
		}
		return nil
	})
	return n
}

func (b *beside) waits(id string) (why string) {
	b.pumps[id].Read(func(s *execution.State) { why = s.Status(b.clock.now).Turns[0].Waits })
	return why
}

// Of two campaigns the urgent one gets what both want, the other one says for what it waits, also once the
// process was killed at any point, and begins when that one's turn is over.
func TestTwoCampaignsAndAHostGroup(t *testing.T) {
	b := newBeside(t)
	b.start()
	b.join("cycle", 1)
	b.turn("cycle")
	if why := b.waits("cycle"); b.permits("cycle") != 0 || !strings.Contains(why, "campaign urgent: it does not turn yet") {
		t.Fatalf("%d permits before the other journal was read; waits: %s", b.permits("cycle"), why)
	}
	b.join("urgent", 1)
	b.turn("cycle")
	if why := b.waits("cycle"); b.permits("cycle") != 0 || !strings.Contains(why, "campaign urgent: it goes ahead, and its turn h2 waits for the same: host group gateways") {
		t.Fatalf("%d permits ahead of the urgent campaign; waits: %s", b.permits("cycle"), why)
	}
	was := b.woken["cycle"]
	b.turn("urgent")
	if b.permits("urgent") != 1 || b.woken["cycle"] == was {
		t.Fatalf("the urgent campaign has %d permits; the other one was woken %d times", b.permits("urgent"), b.woken["cycle"]-was)
	}
	for g, order := range [][2]string{{"cycle", "urgent"}, {"urgent", "cycle"}} {
		b.start() // killed
		for _, id := range order {
			b.join(id, int64(g+2))
			b.turn(id)
		}
		b.turn("cycle")
		if why := b.waits("cycle"); b.permits("cycle") != 0 || !strings.Contains(why, "host group gateways has 1 away in all campaigns") {
			t.Fatalf("%d permits with the urgent campaign's turn under way; waits: %s", b.permits("cycle"), why)
		}
	}
	over := execution.Fact{Kind: execution.TurnDropped, Turn: "h2", Host: "h2", Code: execution.CodeOperator, Why: "over", Who: "operator:t"}
	if err := b.pumps["urgent"].Command(t.Context(), &over, func(*execution.State) error { return nil }); err != nil {
		t.Fatal(err)
	}
	if b.turn("cycle"); b.permits("cycle") != 1 {
		t.Fatalf("nobody holds the host group any more, and the cycle waits: %s", b.waits("cycle"))
	}
}
