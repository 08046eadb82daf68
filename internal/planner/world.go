package planner

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// world is the fleet as it will be at the sweep's present instant, with what is planned so far.
type world struct {
	in      Input
	again   *replay           // where a plan is made again, what of it is kept; nil: it is made anew
	past    map[string]string // host -> why it needs no turn whatever the assessment says
	policy  plan.Policy
	ix      *fleet.Index
	cohorts *advisory.Cohorts // nil in a routine cycle
	now     time.Time         // Input.Now, up to the next full second
	clock   time.Time         // no wave may start before

	hosts  []*host  // by id
	guests []*guest // by id
	pools  []*pool  // by id
	groups []*group // by id
	queue  []*host  // hosts due for a turn at the outset of a stage, in the order in which they are tried
	waiting
	wides    map[string]int
	wideSets [][]*group // groups that are wide, by the numbers in wides
	lanes    map[laneKey]*lane
	// calendar knows whose windows and freezes bear on a turn.
	calendar *plan.Calendar
	alike    *alike

	ahead  ahead                   // of all refreshes
	banned map[string]plan.Blocked // hosts that an earlier draft of this plan has found no turn for
	// shed: host -> the withdrawn fix on it, or under an instance on it, of which its cohort names a
	// newer version.
	shed map[string]string

	by      way
	fronts  map[front]*progress
	judged  int        // blockers before the first wave
	rough   bool       // waves were reckoned of sizes that are not quite alike
	stalled bool       // nothing was learnt of the wave before, and nobody had a turn
	short   bool       // some hosts did not get into a wave for want of room
	held    bool       // some did not because it was to be no bigger
	twice   int        // moves to hosts that are not fixed
	relaxed bool       // some hosts got leave to save or stop what does not fit elsewhere
	joined  bool       // some hosts have a slot that is cut as that of another place
	waves   int        // in all
	stage   stage      // that is swept now
	ofStage int        // waves of it
	largest [kinds]int // turns of the largest wave of each kind so far
	patched time.Time  // when the last live patch is over at worst; zero: there is none
	ends    plan.Ends  // of turns at worst, where policy leaves gaps between places

	defers     bool                    // some reboots follow live patches
	rebootIn   map[string]int          // host -> the wave of its deferred reboot
	undeferred map[string]plan.Blocked // hosts that an earlier draft of this plan has found no time or room to reboot
	plan       plan.Plan
	tolled     *plan.Toll               // of the finished draft, once it was asked for
	risks      map[string]advisory.Risk // of hosts at the outset, once they were asked for
	exposed    *int64                   // exposure of the finished draft, once it was asked for
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
	pool        *pool         // home
	pools       []*pool       // all, home first
	links       []*fleet.Link // that it lies behind
	hostGroups  []*hostGroup
	site        string
	region      string
	rack        string     // within the site; one that is not known is the host's own
	ground      *lane      // were nobody on it
	lane        *lane      // as those on it make it
	times       plan.Times // policy's, or its own where a rule knows them
	can         tactics
	updates     bool     // its turn changes software
	overruled   bool     // freezes of tenants that give way to a deadline do so
	unpatched   string   // why it is not live-patched although its cohort is; empty: there is no such reason
	deferral    deferral // the reboot that follows its live patch

	used     int64    // MiB taken by guests, reservations of the wave under way included
	guests   []*guest // those that run here now
	received int      // moves that landed here in waves before
	arriving int      // moves of the wave under way that land here

	seq       int       // among all hosts, by id
	mark      uint32    // of its id
	class     int32     // as it offers its software now
	shelved   int64     // MiB free by which it stands on its shelves; -1: it stands on none
	shelves   []*shelf  // of its pools
	places    []place   // in the rows of its pools
	inTurn    bool      // in the wave under way
	place     int       // in the queue
	sort      int       // what it has in common with all of its line; 0: it is not in the queue
	line      *line     // in which it waits; nil: in none
	rests     bool      // it waits by itself
	colour    int       // of its wave, from 1, where groups decide who goes together; 0: none yet
	revised   int       // the wave after which it was revised last
	counted   counted   // in its pool's ledger
	next      time.Time // when its turn could start next, and in which slot
	piece     piece
	notBefore time.Time // its turn must not start before: somebody just arrived
	minWorst  time.Duration
	least     leastKnown
	changes   int     // of its guests, from 1
	mayStop   bool    // could not be emptied: what does not fit may be saved or stopped
	stays     bool    // there is no time to move any whom policy lets be saved or stopped
	hurried   bool    // so that others are not too late for a deadline
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
	*fleet.Instance
	class       int32  // with the software that it runs on now
	mark        uint32 // of its id
	at          *host
	off         *host // that its last move took it off for good; nil: none did
	groups      []*group
	fresh, left bool          // it needs no other process; it stays as it is and is blocked by itself
	stuck       *fleet.Reason // why it cannot move alive from anywhere; nil: it can, as far as the host goes
}

// alive: it has something to lose. A stopped instance stays where it is and is promised nothing.
func (g *guest) alive() bool { return g.State != fleet.Stopped }

type pool struct {
	*fleet.Pool
	hosts    []*host  // all that share it, by id
	shelves  []*shelf // of these, the ones at the target
	rows     []*row   // of these, the others
	home     int      // hosts whose home it is
	shared   bool     // some of its hosts are in other pools too
	maxAway  int
	together int   // hosts in one wave by the rules of racks and regions, once asked for
	reserve  int64 // MiB
	free     int64 // MiB free on the healthy hosts whose home it is
	age      int
	stirred  bool    // that grew since the wave before
	bench    []*host // due, and wait for it to grow
	ledger   ledger  // of what is ahead

	unit  int64 // MiB: the size of nearly all instances in it, or else what all sizes are multiples of
	rough bool  // it is not the size of all
	mixed bool  // they are of more than one size
	tight bool  // and room is so scarce that it has to be filled without gaps
	step  int64 // MiB: hosts whose free memory differs by less count as equal

	failed    int // tries to enter a wave, for which patience with it was spent
	preparing int // hosts that are to be prepared for a refresh, still
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

func newWorld(in Input, ix *fleet.Index) (*world, error) {
	w := &world{in: in, policy: in.Policy, ix: ix, lanes: map[laneKey]*lane{}, rebootIn: map[string]int{}, fronts: map[front]*progress{}, wides: map[string]int{}, wideSets: [][]*group{nil}}
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
	var err error
	if w.calendar, err = plan.NewCalendar(&w.policy, w.ix); err != nil {
		return nil, err
	}
	w.alike = newAlike(w.ix)
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
		h := &host{Host: asOffered(w.ix.Hosts[id]), seq: len(w.hosts), mark: markOf(id), changes: 1, tried: -1, shelved: -1, region: w.ix.RegionOf(id), rack: plan.RackOf(w.ix.Hosts[id]), links: w.ix.LinksOf(id)}
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
			p.shared = p.shared || len(h.Pools) > 1
		}
		if len(h.pools) == 0 {
			return fmt.Errorf("host %s is in no pool: name at least one", id)
		}
		h.pool, h.site = h.pools[0], h.pools[0].Site
		h.times = w.policy.TimesOf(h.Host, h.site)
		h.pool.home++
		for _, g := range w.ix.HostGroupsOf[id] {
			h.hostGroups = append(h.hostGroups, groups[g.ID])
		}
		var err error
		if h.ground, err = w.laneOf(h, nil); err != nil {
			return err
		}
		h.lane = h.ground
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
		g := &guest{Instance: w.ix.Instances[id], class: w.alike.instance(w.ix.Instances[id]), mark: markOf(id)}
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
