package planner

import (
	"cmp"
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// world is the fleet as it will be at the sweep's present instant, with what is planned so far.
type world struct {
	in      Input
	policy  plan.Policy
	ix      *fleet.Index
	cohorts *advisory.Cohorts // nil in a routine cycle
	now     time.Time         // Input.Now, up to the next full second
	clock   time.Time         // no wave may start before

	hosts  []*host  // by id
	guests []*guest // by id
	pools  []*pool  // by id
	groups []*group // by id
	queue  []*host  // hosts due for a turn, in the order in which they are tried
	lanes  map[laneKey]*lane

	ahead  ahead                   // of all refreshes
	banned map[string]plan.Blocked // hosts that an earlier draft of this plan has found no turn for
	// shed: host -> the withdrawn fix on it, or under an instance on it, of which its cohort names a
	// newer version.
	shed map[string]string

	waves   int        // in all
	stage   stage      // that is swept now
	ofStage int        // waves of it
	largest [kinds]int // turns of the largest wave of each kind so far
	patched time.Time  // when the last live patch is over at worst; zero: there is none

	defers     bool                    // some reboots follow live patches
	rebootIn   map[string]int          // host -> the wave of its deferred reboot
	undeferred map[string]plan.Blocked // hosts that an earlier draft of this plan has found no time or room to reboot
	plan       plan.Plan
}

// status of a host.
type status int

const (
	due     status = iota // has a turn ahead
	patched               // it has its live patch; its deferred reboot is ahead, or blocked
	done                  // its turn is planned: at the target from then on
	at                    // needs no turn: fixed or not affected
	blocked               // needs one and cannot have it, or not known
)

type host struct {
	*fleet.Host             // with the software as it offers it now
	after       *fleet.Host // and once its turn is over
	status      status
	pool        *pool   // home
	pools       []*pool // all, home first
	hostGroups  []*hostGroup
	site        string
	region      string
	lane        *lane
	can         tactics
	updates     bool     // its turn changes software
	unpatched   string   // why it is not live-patched although its cohort is; empty: there is no such reason
	deferral    deferral // the reboot that follows its live patch

	used     int64    // MiB taken by guests, reservations of the wave under way included
	guests   []*guest // those that run here now
	received int      // moves that landed here in waves before
	arriving int      // moves of the wave under way that land here

	place     int       // in the queue
	next      time.Time // when its turn could start next, and in which slot
	piece     piece
	notBefore time.Time // its turn must not start before: somebody just arrived
	minWorst  time.Duration
	wave      *wave   // in which its turn is
	mayStop   bool    // could not be emptied: what does not fit may be saved or stopped
	tried     int     // age of its pools when it last failed on its own; -1: it did not
	trouble   trouble // how it failed
}

// fixed: instances may stay here. A host that is refreshed has the new software on its disk before
// anybody moves.
func (h *host) fixed() bool {
	return h.status == done || h.status == at || h.status == due && h.refreshed()
}

// free is the memory left, what is on its way included.
func (h *host) free() int64 { return h.MemoryMiB - h.used }

// age grows with every change in the host's pools.
func (h *host) age() (n int) {
	for _, p := range h.pools {
		n += p.age
	}
	return n
}

type guest struct {
	*fleet.Instance // with the software that it runs on now
	at              *host
	groups          []*group
	fresh, left     bool          // it needs no other process; it stays as it is and is blocked by itself
	stuck           *fleet.Reason // why it cannot move alive from anywhere; nil: it can, as far as the host goes
}

// alive: it has something to lose. A stopped instance stays where it is and is promised nothing.
func (g *guest) alive() bool { return g.State != fleet.Stopped }

type pool struct {
	*fleet.Pool
	hosts   []*host // all that share it, by id
	fixed   []*host // of these, the ones at the target, in the order in which they got there
	open    []*host // of these, the others, in the order in which they are taken as destinations
	home    int     // hosts whose home it is
	maxAway int
	reserve int64 // MiB
	free    int64 // MiB free on the healthy hosts whose home it is
	age     int
}

type group struct {
	*fleet.Group
	members []*guest
	spare   int            // members that may be disturbed: the limit less those that are down
	domain  map[string]int // members per spread domain; while one moves it counts at both ends
}

type hostGroup struct {
	*fleet.HostGroup
	spare int // hosts that may be away: the limit less those that are down
}

func newWorld(in Input) (*world, error) {
	w := &world{in: in, policy: in.Policy, ix: fleet.NewIndex(in.Fleet), lanes: map[laneKey]*lane{}, rebootIn: map[string]int{}}
	if w.policy.Slot <= 0 {
		return nil, fmt.Errorf("policy: slot: found %s, expected a duration above zero", w.policy.Slot)
	}
	w.policy.MovesPerHost = max(1, w.policy.MovesPerHost)
	w.policy.MovesPerPool = max(1, w.policy.MovesPerPool)
	w.now = in.Now.UTC().Truncate(time.Second)
	if w.now.Before(in.Now) {
		w.now = w.now.Add(time.Second)
	}
	w.clock = w.now
	if in.Target != nil {
		w.cohorts = advisory.NewCohorts(in.Fleet, in.Target)
	}
	w.addPools()
	if err := w.addHosts(); err != nil {
		return nil, err
	}
	if err := w.addGuests(); err != nil {
		return nil, err
	}
	w.addGroups()
	w.noteFresh()
	return w, nil
}

func (w *world) addPools() {
	for _, id := range sortedKeys(w.ix.Pools) {
		w.pools = append(w.pools, &pool{Pool: w.ix.Pools[id], reserve: w.ix.ReserveMiB(id)})
	}
}

func (w *world) addHosts() error {
	pools := make(map[string]*pool, len(w.pools))
	for _, p := range w.pools {
		pools[p.ID] = p
	}
	groups := map[string]*hostGroup{}
	for _, id := range sortedKeys(w.ix.HostGroups) {
		groups[id] = w.newHostGroup(w.ix.HostGroups[id])
	}
	for _, id := range sortedKeys(w.ix.Hosts) {
		h := &host{Host: asOffered(w.ix.Hosts[id]), tried: -1, region: w.ix.RegionOf(id)}
		if h.Ecosystem == "" && w.cohorts != nil {
			if c := w.cohorts.Of(h.Host); c != nil {
				h.Ecosystem = c.Ecosystem // of the copy that asOffered made
			}
		}
		for _, name := range h.Pools {
			p := pools[name]
			if p == nil {
				return fmt.Errorf("host %s: pool %q is not in the fleet: correct it (evenkeel fleet check lists all such mistakes)", id, name)
			}
			h.pools = append(h.pools, p)
			p.hosts = append(p.hosts, h)
		}
		if len(h.pools) == 0 {
			return fmt.Errorf("host %s is in no pool: name at least one", id)
		}
		h.pool, h.site = h.pools[0], h.pools[0].Site
		h.pool.home++
		for _, g := range w.ix.HostGroupsOf[id] {
			h.hostGroups = append(h.hostGroups, groups[g.ID])
		}
		var err error
		if h.lane, err = w.laneOf(h); err != nil {
			return err
		}
		w.hosts = append(w.hosts, h)
	}
	for _, p := range w.pools {
		p.maxAway = max(1, p.home*w.policy.MaxAwayPercent/100)
	}
	return nil
}

func (w *world) newHostGroup(g *fleet.HostGroup) *hostGroup {
	hg := &hostGroup{HostGroup: g, spare: g.MaxUnavailable}
	for _, id := range g.Hosts {
		if h := w.ix.Hosts[id]; h != nil && h.Health == fleet.Down {
			hg.spare--
		}
	}
	return hg
}

func (w *world) addGuests() error {
	hosts := make(map[string]*host, len(w.hosts))
	for _, h := range w.hosts {
		hosts[h.ID] = h
	}
	for _, id := range sortedKeys(w.ix.Instances) {
		g := &guest{Instance: w.ix.Instances[id]}
		if g.at = hosts[g.Host]; g.at == nil {
			return fmt.Errorf("instance %s: host %q is not in the fleet: correct it (evenkeel fleet check lists all such mistakes)", id, g.Host)
		}
		w.guests = append(w.guests, g)
		if g.alive() {
			g.at.guests = append(g.at.guests, g)
			g.at.used += g.MemoryMiB
		}
	}
	for _, h := range w.hosts {
		if h.IsUp() {
			h.pool.free += h.free()
		}
	}
	return nil
}

func (w *world) addGroups() {
	guests := make(map[string]*guest, len(w.guests))
	for _, g := range w.guests {
		guests[g.ID] = g
	}
	for _, id := range sortedKeys(w.ix.Groups) {
		gr := &group{Group: w.ix.Groups[id], domain: map[string]int{}}
		gr.spare = gr.Allowed()
		for _, m := range w.ix.Members[id] {
			g := guests[m.ID]
			g.groups = append(g.groups, gr)
			gr.members = append(gr.members, g)
			gr.domain[gr.domainOf(g.at)]++
			if isDown(g) {
				gr.spare--
			}
		}
		w.groups = append(w.groups, gr)
	}
}

// isDown: the instance does not serve, from whatever cause.
func isDown(g *guest) bool {
	return cmp.Or(g.State, fleet.Running) != fleet.Running || g.at.Health == fleet.Down
}

// domainOf names the domain that a group's members may not share; a host without a known rack is a
// rack of its own.
func (gr *group) domainOf(h *host) string {
	switch {
	case gr.Spread == fleet.SpreadSite:
		return h.site
	case gr.Spread == fleet.SpreadRack && h.Rack != "":
		return h.site + "\x00" + h.Rack
	}
	return "host\x00" + h.ID
}
