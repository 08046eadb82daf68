package unblock

import (
	"slices"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// option is one change that could help, with a number where it has one: more of it helps more.
type option struct {
	key         string // tells it from all others
	rank        rank
	least, most int64   // of its number; 1 and 1 where it has none
	only        subject // whom alone it concerns; empty: several
	needs       *option // which must be there as well
	moves       string  // the instance that it puts elsewhere; empty: none. One instance is put to one place
	behind      bool    // it is against what shows up behind the cause
	change      func(n int64) plan.Change
	apply       func(in *planner.Input, n int64)
}

// rank orders changes: of two that do the same, the lower one is proposed.
type rank int

const (
	repair    rank = iota // what is broken or missing works again
	ofOne                 // one host or instance is set up otherwise
	undrastic             // more tactics or longer times; nobody is stopped for it
	addition              // a host more
	lessSafe              // a smaller reserve, a group that spares more
	suspends              // instances may be saved
	reboots               // instances may be stopped
	drastic               // a rule is given up
)

// options are all changes that could help against what is blocked, in the order in which they are tried.
func (s *search) options(list []plan.Blocked) []*option {
	c := &collector{search: s, seen: map[string]bool{}}
	for _, b := range list {
		c.add(b)
	}
	inOrder(c.out)
	return c.out
}

// collector gathers options, each once.
type collector struct {
	*search
	seen map[string]bool
	out  []*option
}

func (c *collector) put(o *option) {
	if o == nil || c.seen[o.key] {
		return
	}
	if o.most == 0 {
		o.least, o.most = 1, 1
	}
	if o.most < o.least {
		return
	}
	c.seen[o.key] = true
	c.out = append(c.out, o)
}

// add writes down what could help against one blocker, by its code.
func (c *collector) add(b plan.Blocked) {
	i := c.ix.Instances[b.Instance]
	h := c.ix.Hosts[c.hostOf(b)]
	if h == nil {
		return
	}
	if i != nil {
		c.ofInstance(b, i, h)
		return
	}
	switch b.Code {
	case "host-down":
		c.put(hostUp(h))
	case "no-window":
		c.newWindow(h)
	case "host-group-degraded":
		c.hostGroups(h)
	case "no-update":
		c.put(hostCan(h, fleet.CanUpdate))
	case "no-tactic", plan.NoLivePatch:
		c.tactics(h, everyTactic...)
		c.capabilities(h)
	case "slot-too-short":
		c.longerSlots(h)
		c.saves(h)
	case "reserve":
		c.room(h, nil)
		c.reserves(h)
	case "no-room":
		c.room(h, nil)
		c.stops(h)
	case fleet.SpreadForbids:
		c.room(h, nil)
		c.spreads(c.ix.On[h.ID])
		c.stops(h)
	case "after-disclosure", "after-finish-by":
		c.sooner(h)
		c.deadline(b.Code)
	case "group-in-one-turn":
		c.apart(b, h)
		c.groups(b, c.ix.On[h.ID])
		c.tactics(h, plan.Evacuate)
	}
}

// ofInstance writes down what could help an instance.
func (c *collector) ofInstance(b plan.Blocked, i *fleet.Instance, h *fleet.Host) {
	switch b.Code {
	case "tenant-no-contact":
		c.put(contact(i.Tenant))
		return
	case "paused":
		c.put(serves(i))
		return
	case "group-degraded", "group-in-one-turn":
		if b.Code == "group-in-one-turn" {
			c.apart(b, h)
		}
		c.groups(b, []*fleet.Instance{i})
		c.tactics(h, plan.Evacuate)
		return
	case "slot-too-short":
		c.longerSlots(h)
		return
	case "no-tactic":
		c.tactics(h, plan.Refresh, plan.Evacuate)
	case "reserve":
		c.room(h, nil)
		c.reserves(h)
	case "no-room", "no-destination":
		c.room(h, nil)
	case fleet.SpreadForbids:
		c.room(h, nil)
		c.spreads([]*fleet.Instance{i})
	default:
		c.stuck(b.Code, i, h)
	}
	c.stops(h)
	c.saved(i, h)
}

// saves lets a turn that is too long for what it saves save less: some are stopped, or there is room for them elsewhere.
func (c *collector) saves(h *fleet.Host) {
	if slices.Contains(c.in.Policy.Tactics, plan.Suspend) {
		c.tactics(h, plan.Reboot)
		c.room(h, nil)
	}
}

// saved lets an instance be saved that is too large for policy's time.
func (c *collector) saved(i *fleet.Instance, h *fleet.Host) {
	if !i.NoSuspend && len(i.Devices) == 0 && planner.SaveTime(c.in.Policy.Times, i.MemoryMiB) > c.in.Policy.Times.SaveMax.Std() {
		c.longer("save_max", func(t *plan.Times) *plan.Duration { return &t.SaveMax })
	}
}

// stuck writes down what would let an instance move that cannot.
func (c *collector) stuck(code string, i *fleet.Instance, h *fleet.Host) {
	switch code {
	case fleet.NoLiveMigration:
		c.put(hostCan(h, fleet.CanLiveMigrate))
		c.others(h, func(o *fleet.Host) { c.put(hostCan(o, fleet.CanLiveMigrate)) })
		c.room(h, h)
	case fleet.NoShadow:
		c.put(shadow(h))
		c.put(guestType(i))
	case fleet.HostUnfit:
		c.others(h, func(o *fleet.Host) { c.put(hostUp(o)) })
		c.room(h, h)
	case fleet.CPUMismatch:
		c.put(plainCPU(i))
		c.others(h, func(o *fleet.Host) { c.put(c.cpuFeatures(o)) })
		c.room(h, h)
	case fleet.MachineMissing, fleet.NetworkMissing, fleet.StorageMissing:
		c.others(h, func(o *fleet.Host) { c.put(c.offering(o, code)) })
		c.room(h, h)
	case fleet.OlderHypervisor, fleet.OtherHypervisor, fleet.NoCommonPool:
		c.room(h, h)
	case "migration-too-long":
		c.longer("migrate_max", func(t *plan.Times) *plan.Duration { return &t.MigrateMax })
		c.put(fewerMoves(c.in.Policy))
	case "non-converging":
		c.put(postCopy(c.in.Policy))
		c.put(fewerMoves(c.in.Policy))
	default: // of the instance itself: pinned, disks, devices, and what a driver found
		c.put(unbound(i))
	}
}

// others are the hosts of the same pools that could be made places to go to.
func (c *collector) others(h *fleet.Host, each func(*fleet.Host)) {
	n := 0
	for _, pool := range h.Pools {
		for _, o := range c.ix.PoolHosts[pool] {
			if o == h || n >= 8 {
				continue
			}
			each(o)
			n++
		}
	}
}

// stops lets what cannot move be saved or stopped.
func (c *collector) stops(h *fleet.Host) {
	c.tactics(h, plan.Suspend, plan.Reboot)
	if !h.Can(fleet.CanSuspend) {
		c.put(hostCan(h, fleet.CanSuspend))
	}
}

func (c *collector) capabilities(h *fleet.Host) {
	for _, capability := range []string{fleet.CanReboot, fleet.CanUpdate, fleet.CanSuspend, fleet.CanLiveMigrate, fleet.CanLivePatch} {
		if _, cohort := c.cohortOf(h); capability == fleet.CanLivePatch && !c.remedies(cohort, plan.LivePatch) {
			continue
		}
		c.put(hostCan(h, capability))
	}
}

// needed joins what the cause's instances need of the hosts that they could go to.
func (s *search) needed(of func(*fleet.Instance) []string) (list []string) {
	for _, id := range s.g.instances() {
		if i := s.ix.Instances[id]; i != nil {
			list = append(list, of(i)...)
		}
	}
	return sortedUnique(list)
}

func with(list []string, more ...string) []string {
	out := slices.Clone(list)
	for _, m := range more {
		if !slices.Contains(out, m) {
			out = append(out, m)
		}
	}
	return out
}
