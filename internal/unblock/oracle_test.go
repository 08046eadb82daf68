package unblock_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
	"github.com/evenkeel/evenkeel/internal/unblock"
)

// universe lists changes of all kinds to everything in a small fleet, without asking what is blocked or why.
func universe(in planner.Input) (out []plan.Change) {
	add := func(of, id, field, to string) { out = append(out, plan.Change{Of: of, ID: id, Field: field, To: to}) }
	for _, h := range in.Fleet.Hosts {
		if !h.IsUp() {
			add("host", h.ID, "health", "up")
		}
		if h.Capabilities != nil {
			for _, c := range []string{fleet.CanLiveMigrate, fleet.CanSuspend, fleet.CanReboot, fleet.CanUpdate} {
				add("host", h.ID, "capabilities", c)
			}
		}
		for _, g := range in.Fleet.Pools {
			if g.ID == h.Pools[0] && in.Fleet.Hosts[0].ID == h.ID {
				for _, mib := range []int{3072, 8192} {
					add("host", "extra", "add", fmt.Sprintf("memory_mib: %d, pools: [%s], like host %s", mib, g.ID, h.ID))
				}
			}
		}
	}
	for _, i := range in.Fleet.Instances {
		if i.State == fleet.Paused || i.State == fleet.Stopped && i.Group != "" {
			add("instance", i.ID, "state", "running")
		}
		for field, there := range map[string]bool{"pinned": i.Pinned != "", "devices": i.Devices != nil, "disks": i.Disks != nil, "immovable": i.Immovable != nil} {
			if there {
				add("instance", i.ID, field, "")
			}
		}
	}
	for _, g := range in.Fleet.Groups {
		add("group", g.ID, "max_unavailable", "9")
		add("group", g.ID, "spread", "")
	}
	for _, g := range in.Fleet.HostGroups {
		add("host-group", g.ID, "max_unavailable", "9")
	}
	for _, p := range in.Fleet.Pools {
		add("pool", p.ID, "reserve_mib", "0")
	}
	add("tenant", "cedar", "contacts", "")
	for _, t := range []string{"refresh", "evacuate", "suspend", "reboot"} {
		add("policy", "", "tactics", t)
		if in.Target != nil && len(in.Target.Cohorts[0].Tactics) > 0 {
			add("target", "", "cohorts[0].tactics", t)
		}
	}
	add("policy", "", "keep_reserve", "false")
	add("policy", "", "max_away_percent", "100")
	add("policy", "", "slot", "1h")
	add("policy", "", "slot", "3h")
	for n, w := range in.Policy.Windows {
		if !w.Always {
			add("policy", "", fmt.Sprintf("windows[%d].length", n), "6h")
		}
	}
	for n := 1; n < in.Policy.MovesPerHost; n++ {
		add("policy", "", "moves_per_host", fmt.Sprint(n))
	}
	add("policy", "", "times.save_max", "5m")
	add("policy", "", "times.migrate_max", "30m")
	add("policy", "", "finish_by", in.Now.AddDate(0, 2, 0).Format(time.RFC3339))
	add("policy", "", "after_disclosure", "true")
	add("policy", "", "non_converging", "post-copy")
	for _, s := range in.Fleet.Sites {
		add("policy", "", "windows", "sites: ["+s.ID+"], always: true")
	}
	return out
}

// byHand are the moves of members that one turn would disturb together, each to any host that can take it.
func byHand(in planner.Input, c plan.Cause) (out []plan.Change) {
	if c.Code != "group-in-one-turn" {
		return nil
	}
	ix := fleet.NewIndex(in.Fleet)
	for _, i := range in.Fleet.Instances {
		if i.Group == "" || i.State == fleet.Stopped || !slices.Contains(c.Hosts, i.Host) {
			continue
		}
		for _, to := range in.Fleet.Hosts {
			from, bare := *ix.Hosts[i.Host], to
			from.Capabilities, bare.Capabilities = nil, nil
			used := i.MemoryMiB
			for _, o := range ix.On[to.ID] {
				if o.State != fleet.Stopped {
					used += o.MemoryMiB
				}
			}
			g := ix.Groups[i.Group]
			near := func(o *fleet.Instance) bool {
				return o.ID != i.ID && g.Spread != "" && ix.Domain(g.Spread, o.Host) == ix.Domain(g.Spread, to.ID)
			}
			if to.ID != i.Host && used <= to.MemoryMiB && fleet.CanMove(ix, &i, &from, &bare) == nil && !slices.ContainsFunc(ix.Members[g.ID], near) {
				out = append(out, plan.Change{Of: "instance", ID: i.ID, Field: "host", To: to.ID})
			}
		}
	}
	return out
}

// TestProven: where a set is called proven, no smaller one of all changes of those kinds frees the cause,
// whether they look as if they could help or not.
func TestProven(t *testing.T) {
	t.Parallel()
	sizes, sums := map[int]int{}, map[int]int{}
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t, 3)
		p, err := planner.Propose(in)
		if err != nil {
			t.Fatal(err)
		}
		all := universe(in)
		causes, together := unblock.Causes(in, p)
		if together != nil && together.Proven && len(together.Changes) <= 2 {
			sums[len(together.Changes)]++
			eachSmaller(all, nil, len(together.Changes)-1, func(set []plan.Change) {
				q, err := planner.Propose(edited(t, in, set))
				if err == nil && unsaid(q, causes, together) == 0 {
					t.Fatalf("%s\nis not smallest: %s\nblocked: %s", told(together), told(set), told(p.Blocked))
				}
			})
		}
		for _, c := range causes {
			all := append(slices.Clone(all), byHand(in, c)...)
			if !c.Proven || len(c.Changes) > 3 || len(c.Changes) == 3 && len(all) > 22 {
				continue
			}
			sizes[len(c.Changes)]++
			_, wholly := tried(t, in, p, c, c.Changes)
			eachSmaller(all, nil, len(c.Changes)-1, func(set []plan.Change) {
				if freed, all := tried(t, in, p, c, set); freed && (all || !wholly) {
					t.Fatalf("%s\nis not smallest: %s\nblocked: %s", told(c), told(set), told(p.Blocked))
				}
			})
		}
	})
	t.Logf("proven sets by size: %v, of all causes together: %v", sizes, sums)
	if sizes[1] == 0 || sizes[2] == 0 || sums[1]+sums[2] == 0 {
		t.Errorf("the draws exercise too little: %v %v", sizes, sums)
	}
}

// eachSmaller gives all sets of so many changes at most.
func eachSmaller(all, set []plan.Change, most int, each func([]plan.Change)) {
	each(set)
	if most == 0 {
		return
	}
	for n, c := range all {
		eachSmaller(all[n+1:], append(set[:len(set):len(set)], c), most-1, each)
	}
}
