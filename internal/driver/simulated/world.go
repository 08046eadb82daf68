package simulated

import (
	"container/heap"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// Options of a world. The zero value of each field means what its comment says.
type Options struct {
	Clock  Clock  // RealTime
	Seed   uint64 // of boot ids, durations and faults
	Faults Faults // none
	Times  Times  // DefaultTimes
	// Updates: package -> version that an update installs when its command names none.
	Updates map[string]string
	// Autostart: instances start by themselves when their host boots.
	Autostart bool
	// Log hears of each record as a JSON line, when set.
	Log io.Writer
}

// Times are how long things take in the world.
type Times struct {
	Latency              time.Duration // of a call's way there, and of its way back
	RebootMin, RebootMax time.Duration // from going down to being up, evenly spread
	Down                 time.Duration // from the order to reboot to going down
	Update               time.Duration
	Stop, Start          time.Duration
	Switch               time.Duration // fixed part of a migration's blackout
	Blackout             time.Duration // the switch-over begins once the rest fits this
	Keepalive            time.Duration // after so long without its peer a host gives a migration up
	DiskMiBps            float64       // of a save and a restore
	// Where these are given they take the place of the fixed durations above: RebootMin and RebootMax, Update, and
	// the time that saving or restoring takes beside its disk's rate. Moves is the least time of a migration's first
	// pass, which its links may stretch.
	Reboots, Updates, Saves, Moves Lasting
}

// DefaultTimes are what the libvirt lab showed, with a server's reboot.
func DefaultTimes() Times {
	return Times{
		Latency:   2 * time.Millisecond,
		RebootMin: 60 * time.Second, RebootMax: 180 * time.Second, Down: 2 * time.Second,
		Update: 20 * time.Second, Stop: 3 * time.Second, Start: time.Second,
		Switch: 50 * time.Millisecond, Blackout: 300 * time.Millisecond,
		Keepalive: 30 * time.Second, DiskMiBps: 400,
	}
}

// World is what is really so. Its methods may be called from any goroutine.
type World struct {
	clock     Clock
	times     Times
	updates   map[string]string
	autostart bool
	sink      io.Writer

	mu        sync.Mutex
	chance    *chance
	now       time.Time
	seq       uint64
	agenda    agenda
	hosts     map[string]*machine
	hostIDs   []string // of the fleet, sorted
	instances map[string]*instance
	builds    map[string]hypervisor // by the versions of its packages
	began     time.Time
	ids       []string // of the fleet's instances that ran at the beginning, sorted
	added     int      // instances that others added
	log       []Record
	tally     *Tally
	sinkErr   error
}

// NewWorld makes a world from a fleet, which it copies. Instances without a state run; a fleet
// that names unknown hosts, or puts more memory on a host than it has, is an error.
func NewWorld(f *fleet.Fleet, o Options) (*World, error) {
	if o.Clock == nil {
		o.Clock = RealTime()
	}
	if o.Times == (Times{}) {
		o.Times = DefaultTimes()
	}
	w := &World{
		clock: o.Clock, times: o.Times, updates: maps.Clone(o.Updates), autostart: o.Autostart, sink: o.Log,
		chance: newChance(o.Seed, o.Faults), now: o.Clock.Now(),
		hosts: map[string]*machine{}, instances: map[string]*instance{}, builds: map[string]hypervisor{}, tally: NewTally(),
	}
	w.began = w.now
	for _, spec := range f.Hosts {
		if w.hosts[spec.ID] != nil {
			return nil, fmt.Errorf("host %s is in the fleet twice", spec.ID)
		}
		w.addHost(spec)
	}
	if err := w.Break(o.Faults); err != nil {
		return nil, err
	}
	w.hostIDs = slices.Sorted(maps.Keys(w.hosts))
	for _, spec := range f.Instances {
		if err := w.settle(spec); err != nil {
			return nil, err
		}
	}
	w.ids = slices.Sorted(maps.Keys(w.tally.Running))
	return w, w.sinkErr
}

// settle puts one instance of the fleet on its host.
func (w *World) settle(spec fleet.Instance) error {
	h := w.hosts[spec.Host]
	switch {
	case h == nil:
		return fmt.Errorf("instance %s: its host %q is not in the fleet", spec.ID, spec.Host)
	case w.instances[spec.ID] != nil:
		return fmt.Errorf("instance %s is in the fleet twice", spec.ID)
	}
	i := w.addInstance(spec)
	c := w.define(i, h)
	if spec.State == fleet.Stopped {
		return nil
	}
	if free := h.free(); free < spec.MemoryMiB {
		return fmt.Errorf("instance %s: needs %d MiB, but host %s has %d MiB free", spec.ID, spec.MemoryMiB, h.id, free)
	}
	c.software = h.softwareFor(i)
	for pkg, version := range spec.Running {
		c.software[pkg] = version
	}
	if spec.State == fleet.Paused {
		c.state = fleet.Paused
		return nil
	}
	w.setRunning(c, "beginning")
	return nil
}

// Advance brings the world up to the clock's moment. Calls do so by themselves; it is for those
// who read the log while nobody calls.
func (w *World) Advance() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
}

// advance makes happen, each at its own moment, what fell due since the last call.
func (w *World) advance() {
	now := w.clock.Now()
	for len(w.agenda) > 0 && !w.agenda[0].at.After(now) {
		e := heap.Pop(&w.agenda).(appointment)
		w.now = e.at
		e.do()
	}
	if now.After(w.now) {
		w.now = now
	}
}

// after makes an appointment.
func (w *World) after(d time.Duration, do func()) {
	w.seq++
	heap.Push(&w.agenda, appointment{at: w.now.Add(max(d, 0)), seq: w.seq, do: do})
}

// record writes one line of the log.
func (w *World) record(r Record) {
	r.At = w.now
	w.log = append(w.log, r)
	w.tally.Add(r)
	if w.sink != nil && w.sinkErr == nil {
		_, w.sinkErr = w.sink.Write(r.line())
	}
}

// appointment is something that will happen in the world.
type appointment struct {
	at  time.Time
	seq uint64
	do  func()
}

type agenda []appointment

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	if !a[i].at.Equal(a[j].at) {
		return a[i].at.Before(a[j].at)
	}
	return a[i].seq < a[j].seq
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(appointment)) }
func (a *agenda) Pop() any {
	old := *a
	e := old[len(old)-1]
	old[len(old)-1] = appointment{}
	*a = old[:len(old)-1]
	return e
}
