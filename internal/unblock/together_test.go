package unblock_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
	"github.com/evenkeel/evenkeel/internal/unblock"
)

// stays are those whom a plan blocks by codes of their own.
func stays(p plan.Plan) []plan.Blocked {
	return slices.DeleteFunc(slices.Clone(p.Blocked), func(b plan.Blocked) bool { return b.Code == "instance-blocked" })
}

// open: nothing is known that would free it of some cause.
func open(causes []plan.Cause, b plan.Blocked) bool {
	return slices.ContainsFunc(causes, func(c plan.Cause) bool {
		return len(c.Changes) == 0 && (slices.Contains(c.Hosts, b.Host) || slices.Contains(c.Instances, b.Instance))
	})
}

// unsaid counts whom a plan blocks of whom it is not said that they stay blocked.
func unsaid(p plan.Plan, causes []plan.Cause, all *plan.Together) (n int) {
	for _, b := range stays(p) {
		said := slices.ContainsFunc(all.Left, func(o plan.Blocked) bool { return o.Host == b.Host && o.Instance == b.Instance && o.Code == b.Code })
		if !said && !open(causes, b) {
			n++
		}
	}
	return n
}

// joined judges what is said of all changes at once, by code of its own: planned with them, those alone are
// blocked of whom it is said, or for whom no cause has changes; and without any of them somebody else is.
// It gives how many are blocked then for whom a cause has changes.
func joined(t rapid.TB, in planner.Input, causes []plan.Cause, all *plan.Together) (lost int) {
	left := func(changes []plan.Change) (n, beyond int) {
		p, err := planner.Propose(edited(t, in, changes))
		if err != nil {
			t.Fatal(err)
		}
		return len(stays(p)), unsaid(p, causes, all)
	}
	if n, beyond := left(all.Changes); n != all.Blocked || beyond > 0 {
		t.Errorf("%d are blocked then, %d of them unsaid: %s", n, beyond, told(all))
	}
	chained(t, all.Changes)
	for n := range all.Changes {
		if strings.Contains(all.Why, "the search ended") {
			break
		}
		less := append(append([]plan.Change{}, all.Changes[:n]...), all.Changes[n+1:]...)
		if _, beyond := left(less); beyond == 0 {
			t.Errorf("change %d can be spared: %s", n, told(all))
		}
	}
	for _, b := range all.Left {
		if !open(causes, b) {
			lost++
		}
	}
	return lost
}

// sums count what was said of all causes at once.
type sums struct{ cases, lost, fewer, more int }

// take judges one of them.
func (n *sums) take(t rapid.TB, in planner.Input, causes []plan.Cause, all *plan.Together) {
	sets := 0
	for _, c := range causes {
		sets += min(1, len(c.Changes))
	}
	if all == nil != (sets < 2) {
		t.Fatalf("%d causes can be freed, together: %s", sets, told(all))
	}
	if all == nil {
		return
	}
	n.cases++
	if joined(t, in, causes, all) > 0 {
		n.lost++
	}
	if strings.Contains(all.Why, "not needed beside") {
		n.fewer++
	}
	if strings.Contains(all.Why, "shows up only once") {
		n.more++
	}
}

func (n *sums) check(t *testing.T) {
	t.Logf("%d of several causes: %d leave somebody blocked, %d need fewer changes and %d more", n.cases, n.lost, n.fewer, n.more)
	if n.cases < 20 || n.lost*5 > n.cases || n.fewer == 0 || n.more == 0 {
		t.Errorf("%d of several causes: %d leave somebody blocked, %d need fewer changes and %d more", n.cases, n.lost, n.fewer, n.more)
	}
}

// TestTogetherTakes: one number for all, one change in the place of several, and what shows up behind.
func TestTogetherTakes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		wrong func(*planner.Input)
		want  string
		left  int
	}{
		"the longest slot": {func(in *planner.Input) { // of each pool another
			in.Fleet.Pools = append(in.Fleet.Pools, fleet.Pool{ID: "slow", Site: "n1"})
			for n := range in.Fleet.Hosts[2:] {
				in.Fleet.Hosts[2+n].Pools, in.Fleet.Hosts[2+n].NICMbps = []string{"slow"}, 10
			}
			in.Policy.Slot = plan.Duration(20 * time.Minute)
			in.Policy.Times.MigrateMax = plan.Duration(time.Hour)
		}, "policy  slot 212m", 0},
		"one tactic for two causes": {func(in *planner.Input) {
			in.Fleet.Instances[0].Pinned, in.Fleet.Instances[2].Disks = "licence", []fleet.Disk{{Name: "vda"}}
		}, "policy  tactics evacuate, suspend", 0},
		"two that have nothing to do with each other": {func(in *planner.Input) {
			in.Fleet.Instances[0].Devices, in.Fleet.Instances[2].Tenant = []string{"gpu"}, "mute"
		}, "tenant mute contacts an e-mail address + instance v000-0 devices ", 0},
		"and one that nobody can free": {func(in *planner.Input) {
			in.Fleet.Instances[0].Devices, in.Fleet.Instances[2].Tenant = []string{"gpu"}, "mute"
			in.Fleet.Hosts[3].Software = fleet.Software{}
		}, "tenant mute contacts an e-mail address + instance v000-0 devices ", 1},
	} {
		in := easy()
		in.Fleet.Tenants = append(in.Fleet.Tenants, fleet.Tenant{ID: "mute"})
		c.wrong(&in)
		in = targeted(in.Fleet, in.Policy, in.Target)
		p := propose(t, in)
		causes, all := unblock.Causes(in, p)
		if all == nil {
			t.Errorf("%s: nothing is said of all: %s", name, told(causes))
			continue
		}
		var got []string
		for _, o := range all.Changes {
			got = append(got, strings.Join([]string{o.Of, o.ID, o.Field, o.To}, " "))
		}
		if strings.Join(got, " + ") != c.want || all.Blocked != c.left || len(all.Left) != c.left {
			t.Errorf("%s: got %s\nof %s", name, told(all), told(causes))
		}
		joined(t, in, causes, all)
	}
}
