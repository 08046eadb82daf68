package planner_test

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// walk plays a plan wave by wave with plain maps and says what is wrong. It shares nothing with the
// planner but the value types, and is kept dumb on purpose.
func walk(f *fleet.Fleet, p plan.Plan) (wrong []string) {
	bad := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	ix := fleet.NewIndex(f)
	where, used := map[string]string{}, map[string]int64{}
	for _, i := range f.Instances {
		where[i.ID] = i.Host
		if i.State != fleet.Stopped {
			used[i.Host] += i.MemoryMiB
		}
	}
	slots, moves := map[string]plan.Slot{}, map[string][]plan.Move{}
	for _, s := range p.Slots {
		slots[s.Turn+"/"+s.Instance] = s
	}
	for _, m := range p.Moves {
		moves[m.Turn] = append(moves[m.Turn], m)
	}
	fresh, blocked, skipped, over := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	tactics := map[string]plan.Tactic{}
	for _, t := range p.Turns {
		tactics[t.Host] = t.Tactic
	}
	for _, b := range p.Blocked {
		blocked[b.Instance] = true
	}
	for _, k := range p.Skipped {
		skipped[k.Host] = true
	}
	old := func(in *fleet.Instance) bool { return in.Running["qemu-system-x86"] == older }
	var last time.Time
	for i := 0; i < len(p.Turns); {
		n, wave := i, p.Turns[i].Wave
		var end time.Time
		touched := map[string]int{} // group -> members disturbed in the wave, as if all at once but for movers of one turn
		away := map[string]int{}
		for ; n < len(p.Turns) && p.Turns[n].Wave == wave; n++ {
			t := p.Turns[n]
			if t.Tactic != plan.LivePatch { // which takes nobody away
				away[t.Pool]++
			}
			if t.Start.Before(last) {
				bad("wave %d starts before the one ahead is over at worst", wave)
			}
			if t.WorstEnd().After(end) {
				end = t.WorstEnd()
			}
			moved := map[string]bool{}
			stayed := map[string]int{}
			for id, h := range where {
				in := ix.Instances[id]
				if h != t.Host || in.State == fleet.Stopped {
					continue
				}
				s, told := slots[t.ID+"/"+id]
				switch {
				case t.Tactic == plan.LivePatch:
				case t.Tactic == plan.Refresh && (fresh[id] || blocked[id] || !told && !old(in)):
				case !told:
					bad("%s is on %s in its turn and has no slot", id, h)
				case t.Start.Before(s.Start) || t.WorstEnd().After(s.End):
					bad("turn %s does not lie in the slot of %s", t.ID, id)
				case s.NoticeBy.Before(p.Made):
					bad("%s had to be told before the plan was made", s.ID)
				}
				for _, g := range ix.GroupsOf[id] {
					if s.Class == plan.ClassOutage && t.Tactic != plan.Refresh { // there one after the other
						stayed[g.ID]++
					} else if told {
						moved[g.ID] = true
					}
				}
			}
			for g, k := range stayed {
				touched[g] += k
			}
			for g := range moved {
				touched[g]++
			}
		}
		for g, k := range touched {
			down := 0
			for _, m := range ix.Members[g] {
				if m.State == fleet.Stopped || m.State == fleet.Paused {
					down++
				}
			}
			if k+down > ix.Groups[g].Allowed() {
				bad("wave %d disturbs %d of group %s, %d are down", wave, k, g, down)
			}
		}
		for pool, k := range away {
			if most := max(1, len(ix.HomeHosts(pool))*p.Policy.MaxAwayPercent/100); k > most {
				bad("wave %d has %d hosts of pool %s away, %d may be", wave, k, pool, most)
			}
		}
		// All of the wave's moves at once: both ends hold the memory until the wave is over.
		var gone []func()
		for _, t := range p.Turns[i:n] {
			for _, m := range moves[t.ID] {
				in := ix.Instances[m.Instance]
				if m.Home {
					from, to := m.From, m.To
					gone = append(gone, func() { where[in.ID] = to; used[to] += in.MemoryMiB; used[from] -= in.MemoryMiB })
					continue
				}
				if where[m.Instance] != m.From || m.From != t.Host {
					bad("%s moves from %s and is on %s", m.Instance, m.From, where[m.Instance])
				}
				if used[m.To] += in.MemoryMiB; used[m.To] > ix.Hosts[m.To].MemoryMiB {
					bad("host %s holds %d of %d MiB", m.To, used[m.To], ix.Hosts[m.To].MemoryMiB)
				}
				if tactics[m.Turn] == plan.Refresh && fresh[m.Instance] {
					bad("%s is refreshed twice", m.Instance)
				}
				if tactics[m.Turn] == plan.Refresh && tactics[m.To] != plan.Refresh && !skipped[m.To] && !over[m.To] {
					bad("%s lands on %s, which is not fixed", m.Instance, m.To)
				}
				fresh[m.Instance] = true
				where[m.Instance] = m.To
				from := m.From
				gone = append([]func(){func() { used[from] -= in.MemoryMiB }}, gone...)
			}
		}
		for _, leave := range gone {
			leave()
		}
		for _, t := range p.Turns[i:n] {
			over[t.Host] = true
		}
		last, i = end, n
	}
	return wrong
}

// TestWalked: a second, dumber reader of the plan finds nothing either.
func TestWalked(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		p, err := planner.Propose(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, wrong := range walk(in.Fleet, p) {
			t.Error(wrong)
		}
		if p.Counts.Waves < p.Bounds.WavesMin || p.Counts.Moves < p.Bounds.MovesMin {
			t.Errorf("a plan of %d waves and %d moves beats its bounds: %+v", p.Counts.Waves, p.Counts.Moves, p.Bounds)
		}
	})
}

// TestWalkFinds: the reader above can fail.
func TestWalkFinds(t *testing.T) {
	f := uniform(4, 8192, 3, 1024)
	f.Groups = []fleet.Group{{ID: "g", Members: []string{"v0000-00", "v0001-00"}}}
	for name, spoil := range map[string]func(*plan.Plan){
		"a slot taken away":     func(p *plan.Plan) { p.Slots = p.Slots[1:] },
		"a slot moved":          func(p *plan.Plan) { p.Slots[0].Start = p.Slots[0].End },
		"a notice in the past":  func(p *plan.Plan) { p.Slots[0].NoticeBy = p.Made.Add(-time.Second) },
		"all into one host":     func(p *plan.Plan) { p.Moves = append(p.Moves, p.Moves...) },
		"two waves at once":     func(p *plan.Plan) { p.Turns[1].Wave = 1 },
		"a wave before another": func(p *plan.Plan) { p.Turns[1].Start = p.Turns[0].Start },
	} {
		pol := eager()
		pol.MaxAwayPercent = 5
		p := routine(t, f, pol)
		if wrong := walk(f, p); len(wrong) > 0 {
			t.Fatalf("the plan itself: %v", wrong)
		}
		spoil(&p)
		if len(walk(f, p)) == 0 {
			t.Errorf("%s is not found", name)
		}
	}
}

// TestOneNeverBlocksAll: whatever one instance is, all other hosts get the turns they would get
// without it.
func TestOneNeverBlocksAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(4, 12).Draw(t, "hosts")
		f := uniform(n, 16384, rapid.IntRange(1, 4).Draw(t, "each"), 1024)
		p := eager()
		p.Tactics = []plan.Tactic{plan.Evacuate}
		odd := &f.Instances[rapid.IntRange(0, len(f.Instances)-1).Draw(t, "odd")]
		switch rapid.IntRange(0, 3).Draw(t, "why") {
		case 0:
			odd.Pinned = "licence"
		case 1:
			odd.Disks = []fleet.Disk{{Name: "vda"}}
		case 2:
			odd.Immovable = []fleet.Reason{{Code: "usb", Why: "a USB device is plugged in"}}
		case 3:
			f.Tenants = append(f.Tenants, fleet.Tenant{ID: "cedar"})
			odd.Tenant = "cedar"
		}
		out, err := planner.Propose(planner.Input{Fleet: f, Policy: p, Campaign: "c", Revision: 1, Now: time.Unix(1e9, 0)})
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Turns) != n-1 {
			t.Fatalf("%d of %d hosts have a turn: %+v", len(out.Turns), n, out.Blocked)
		}
		named := false
		for _, b := range out.Blocked {
			named = named || b.Instance == odd.ID
			if b.Why == "" || b.Unblock == "" {
				t.Fatalf("a blocker says too little: %+v", b)
			}
		}
		if !named {
			t.Fatalf("no blocker names %s: %+v", odd.ID, out.Blocked)
		}
	})
}

// TestDeterministic: the same input gives the same plan to the byte, which comes back from its file
// as it was; a fleet whose lists are in another order gives the same turns, moves, slots and blockers.
func TestDeterministic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SampledFrom([]func(*rapid.T) planner.Input{drawInput, drawMixed}).Draw(t, "input")(t)
		var first plan.Plan
		var texts [2]bytes.Buffer
		for i := range texts {
			p, err := planner.Propose(in)
			if err != nil {
				t.Fatal(err)
			}
			if err := plan.Write(&texts[i], p); err != nil {
				t.Fatal(err)
			}
			if back, err := plan.Read(bytes.NewReader(texts[i].Bytes())); err != nil || plan.Digest(back) != p.Digest {
				t.Fatalf("the plan does not come back as it was: %v", err)
			}
			first = p
		}
		if !bytes.Equal(texts[0].Bytes(), texts[1].Bytes()) {
			t.Fatal("two runs gave two plans")
		}
		turned := *in.Fleet
		turned.Hosts, turned.Instances, turned.Groups = slices.Clone(turned.Hosts), slices.Clone(turned.Instances), slices.Clone(turned.Groups)
		slices.Reverse(turned.Hosts)
		slices.Reverse(turned.Instances)
		slices.Reverse(turned.Groups)
		in.Fleet = &turned
		p, err := planner.Propose(in)
		if err != nil {
			t.Fatal(err)
		}
		p.Fleet, p.FleetDigest, p.Digest = first.Fleet, first.FleetDigest, first.Digest
		var other bytes.Buffer
		if err := plan.Write(&other, p); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(other.Bytes(), texts[0].Bytes()) {
			t.Fatal("a fleet in another order gave another plan")
		}
	})
}
