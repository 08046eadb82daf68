package unblock

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
	"github.com/evenkeel/evenkeel/internal/version"
)

// addedMost hosts of one shape are added to a pool at most.
const addedMost = 4

// room makes room in a host's pools: hosts come back, or new ones come. A new one is like `like`, or where
// that is nil like the largest of the pool: a larger one would only raise the pool's own reserve. One that fewer of
// the host's instances could move to than to a host like their own would not help them; then it is like that.
func (c *collector) room(h, like *fleet.Host) {
	for _, pool := range h.Pools {
		for _, o := range c.ix.PoolHosts[pool] {
			if o != h {
				c.put(hostUp(o))
			}
		}
	}
	pool := h.Pools[0]
	if largest := c.largest(pool, h); like == nil && c.takes(largest, h) >= c.takes(h, h) {
		like = largest
	} else if like == nil {
		like = c.shaped(pool, h)
	} else {
		like = c.shaped(pool, like)
	}
	most := like.MemoryMiB
	for _, i := range c.ix.On[h.ID] {
		most = max(most, i.MemoryMiB)
	}
	var before *option
	for n := 1; n <= addedMost; n++ {
		o := c.addHost(pool, like, most, n)
		o.needs = before
		c.put(o)
		before = o
		if c.seen[o.key] { // it may be there already, from another host that is blocked
			before = c.have(o.key)
		}
	}
}

func (c *collector) have(key string) *option {
	n := slices.IndexFunc(c.out, func(o *option) bool { return o.key == key })
	return c.out[n]
}

// largest is the up host of a pool with most memory, one that can live-migrate rather than one that cannot.
func (c *collector) largest(pool string, h *fleet.Host) *fleet.Host {
	best := h
	better := func(a, b *fleet.Host) int {
		return cmp.Or(cmp.Compare(fitness(b), fitness(a)), cmp.Compare(b.MemoryMiB, a.MemoryMiB), strings.Compare(a.ID, b.ID))
	}
	for _, o := range c.ix.PoolHosts[pool] {
		if o.Hypervisor == h.Hypervisor && better(o, best) < 0 {
			best = o
		}
	}
	return best
}

// takes counts the instances of a host that could move to a new one that is like another.
func (c *collector) takes(like, h *fleet.Host) (n int) {
	to := *like
	to.Health = fleet.Up
	for _, i := range c.ix.On[h.ID] {
		if i.TakesMemory() && canBePut(c.ix, i, h, &to) == nil {
			n++
		}
	}
	return n
}

func fitness(h *fleet.Host) (n int) {
	if h.Can(fleet.CanLiveMigrate) {
		n += 2
	}
	if h.IsUp() {
		n++
	}
	return n
}

// shaped is the first host of a pool that offers what h does.
func (c *collector) shaped(pool string, h *fleet.Host) *fleet.Host {
	for _, o := range c.ix.PoolHosts[pool] {
		if o.Hypervisor == h.Hypervisor && o.MemoryMiB == h.MemoryMiB && o.CPUModel == h.CPUModel && slices.Equal(o.CPUFeatures, h.CPUFeatures) &&
			slices.Equal(o.Networks, h.Networks) && slices.Equal(o.Storage, h.Storage) && slices.Equal(o.MachineTypes, h.MachineTypes) &&
			slices.Equal(o.VirtCaps, h.VirtCaps) && slices.Equal(o.Capabilities, h.Capabilities) &&
			maps.Equal(o.Software.Installed, h.Software.Installed) && maps.Equal(o.Software.Booted, h.Software.Booted) && maps.Equal(o.Software.Running, h.Software.Running) {
			return o
		}
	}
	return h
}

// addHost adds a host: empty, up, at the target, in a rack of its own, in no host group.
func (c *collector) addHost(pool string, like *fleet.Host, most int64, number int) *option {
	id := fmt.Sprintf("new-%s-like-%s-%d", pool, like.ID, number)
	return &option{key: "add " + id, rank: addition, least: 1, most: most,
		change: func(n int64) plan.Change {
			return plan.Change{Of: "host", ID: id, Field: "add", To: fmt.Sprintf("memory_mib: %d, pools: [%s], like host %s", n, pool, like.ID),
				Words: fmt.Sprintf("add a host with %d MiB to pool %s, shaped like %s and at the target", n, pool, like.ID)}
		},
		apply: func(in *planner.Input, n int64) { added(in, id, pool, like, n) }}
}

func added(in *planner.Input, id, pool string, like *fleet.Host, mib int64) {
	h := *like
	h.ID, h.Pools, h.MemoryMiB, h.Rack, h.Health, h.Spare = id, []string{pool}, mib, "", fleet.Up, false
	h.URI, h.SSH, h.BootID = "", "", ""
	if h.Capabilities != nil {
		h.Capabilities = with(h.Capabilities, fleet.CanLiveMigrate, fleet.CanReboot)
	}
	if in.Target != nil {
		if c := advisory.NewCohorts(in.Fleet, in.Target).Of(&h); c != nil {
			h.Software = atTarget(h.Software, c, cmp.Or(c.Ecosystem, h.Ecosystem))
		}
		in.Assessment = withVerdict(in.Assessment, advisory.HostVerdict{Host: id, Verdict: advisory.IsFixed, Evidence: []string{"it is new, and at the target"}})
	}
	in.Fleet.Hosts = append(in.Fleet.Hosts, h)
}

// atTarget is software with the packages of a cohort at least at their versions, where it has them.
func atTarget(s fleet.Software, c *plan.Cohort, ecosystem string) fleet.Software {
	raise := func(have map[string]string) map[string]string {
		out := maps.Clone(have)
		for pkg, want := range c.Packages {
			if v, ok := out[pkg]; ok {
				if order, err := version.Compare(cmp.Or(ecosystem, version.Debian), v, want); err == nil && order < 0 {
					out[pkg] = want
				}
			}
		}
		return out
	}
	s.Installed, s.Booted, s.Running = raise(s.Installed), raise(s.Booted), raise(s.Running)
	return s
}

// reserves makes the reserves of a host's pools smaller, or gives them up.
func (c *collector) reserves(h *fleet.Host) {
	for _, pool := range h.Pools {
		now, id := c.ix.ReserveMiB(pool), pool
		c.put(&option{key: "reserve " + id, rank: lessSafe, least: 1, most: now,
			change: func(n int64) plan.Change {
				return plan.Change{Of: "pool", ID: id, Field: "reserve_mib", To: fmt.Sprint(now - n), Words: fmt.Sprintf("keep %d MiB of pool %s free, and not %d", now-n, id, now)}
			},
			apply: func(in *planner.Input, n int64) {
				mib := now - n
				one(in.Fleet.Pools, func(p *fleet.Pool) bool { return p.ID == id }).ReserveMiB = &mib
			}})
	}
	c.put(fixedChange(option{rank: drastic, apply: func(in *planner.Input, _ int64) { in.Policy.KeepReserve = false }},
		plan.Change{Of: "policy", Field: "keep_reserve", To: "false", Words: "let moves eat the reserves of all pools"}))
}
