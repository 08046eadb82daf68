package unblock_test

import (
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
	"github.com/evenkeel/evenkeel/internal/unblock"
)

// pooled is a fleet of pools of 20 hosts each, every hundredth or so instance of which is pinned.
func pooled(pools int, use int64) planner.Input {
	f := uniform(20*pools, 65536, 8, 65536*use/800)
	f.Pools = nil
	for i := range f.Hosts {
		if i%20 == 0 {
			f.Pools = append(f.Pools, fleet.Pool{ID: "p" + f.Hosts[i].ID, Site: "n1"})
		}
		f.Hosts[i].Pools = []string{f.Pools[len(f.Pools)-1].ID}
	}
	for i := 0; i < len(f.Instances); i += 97 {
		f.Instances[i].Pinned = "licence"
	}
	in := reboots(f)
	in.Policy.Tactics = []plan.Tactic{plan.Evacuate}
	return in
}

// TestManyPools: in a fleet of many pools each cause is studied by itself, and its changes hold in the whole
// fleet; one pool is too full for any host of it to be emptied.
func TestManyPools(t *testing.T) {
	t.Parallel()
	in := pooled(6, 70)
	for i := range in.Fleet.Instances[:20*8] {
		in.Fleet.Instances[i].MemoryMiB, in.Fleet.Instances[i].Pinned = 8064, ""
	}
	p := propose(t, in)
	causes, _ := unblock.Causes(in, p)
	codes := map[string]int{}
	for _, c := range causes {
		codes[c.Code]++
		if len(c.Changes) == 0 {
			t.Errorf("nothing was found: %s", told(c))
			continue
		}
		q := propose(t, edited(t, in, c.Changes))
		if freed, _ := frees(p, q, c, in.Fleet); !freed {
			t.Errorf("does not free: %s", told(c))
		}
	}
	if codes["pinned"] != 5 || codes["reserve"]+codes["no-room"] != 1 {
		t.Errorf("causes by code: %v", codes)
	}
}

// TestEffort: what cannot be tried with the effort that may be made is said, and nobody is left out.
func TestEffort(t *testing.T) {
	t.Parallel()
	f := uniform(2100, 65536, 3, 21845) // no host of the one large pool can be emptied, nor one of the small pools
	for i := 2060; i < len(f.Hosts); i += 2 {
		f.Pools = append(f.Pools, fleet.Pool{ID: "p" + f.Hosts[i].ID, Site: "n1"})
		f.Hosts[i].Pools, f.Hosts[i+1].Pools = []string{"p" + f.Hosts[i].ID}, []string{"p" + f.Hosts[i].ID}
	}
	in := reboots(f)
	in.Policy.Tactics = []plan.Tactic{plan.Evacuate}
	p := propose(t, in)
	causes, _ := unblock.Causes(in, p)
	kept, untried := map[string]bool{}, 0
	for _, c := range causes {
		for _, id := range append(c.Hosts, c.Instances...) {
			kept[id] = true
		}
		if len(c.Changes) == 0 {
			untried++
			if c.Why == "" {
				t.Errorf("no word on %s", told(c))
			}
		}
	}
	for _, b := range p.Blocked {
		if !kept[b.Host+b.Instance] {
			t.Errorf("%s%s is in no cause", b.Host, b.Instance)
		}
	}
	if untried == 0 || untried == len(causes) {
		t.Errorf("%d of %d causes were not tried", untried, len(causes))
	}
}
