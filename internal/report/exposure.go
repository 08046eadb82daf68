package report

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// exposure adds up how long hosts and instances stay unfixed. It begins when the plan is applied,
// for those that the plan's target calls affected by the fleet's facts, and for those of which nothing
// is known, on a host that the plan has a turn for or calls blocked. A host is fixed once its turn has
// proven it (a refresh: on its disk; its instances count by themselves), until that proof holds no
// more. An instance is fixed once its own monitor says so, or once it began to run anew on a fixed
// host, as long as its monitor does not say the contrary after that.
type exposure struct {
	target  *plan.Target
	fleet   *fleet.Fleet
	cohorts *advisory.Cohorts
	byID    map[string]*fleet.Host
	fixed   map[string]bool // hosts
	hosts   map[string]time.Time
	guests  map[string]time.Time // since when unfixed
	began   map[string]time.Time // of those: when it began to run anew on a fixed host
	was     map[string]bool      // hosts and instances that were unfixed at the start
	wasG    map[string]bool
	first   int
	firstG  int
	sum     int64 // milliseconds of hosts, and below of guests: nanoseconds of many would not fit in 64 bits
	sumG    int64
}

func newExposure() exposure {
	return exposure{fixed: map[string]bool{}, hosts: map[string]time.Time{}, guests: map[string]time.Time{}, began: map[string]time.Time{}, byID: map[string]*fleet.Host{}, was: map[string]bool{}, wasG: map[string]bool{}}
}

func (e *exposure) begin(b *book, at time.Time) {
	e.target, e.fleet = b.plan.Target, b.fleet
	if e.target == nil {
		return
	}
	e.cohorts = advisory.NewCohorts(b.fleet, e.target)
	concerned := map[string]bool{} // by the plan they need the fix, or may
	for _, t := range b.plan.Turns {
		concerned[t.Host] = true
	}
	for _, k := range b.plan.Blocked {
		concerned[k.Host] = true
	}
	for i := range b.fleet.Hosts {
		e.byID[b.fleet.Hosts[i].ID] = &b.fleet.Hosts[i]
	}
	a := advisory.Assess(b.fleet, e.target, nil, 0, at)
	for _, h := range a.Hosts {
		switch {
		case h.Verdict == advisory.IsAffected || (h.Verdict == advisory.IsUnknown && concerned[h.Host]):
			e.hosts[h.Host], e.was[h.Host] = at, true
			e.first++
		case h.Verdict == advisory.IsFixed:
			e.fixed[h.Host] = true
		}
	}
	for _, i := range a.Instances {
		if i.Verdict == advisory.IsAffected || (i.Verdict == advisory.IsUnknown && concerned[i.Host]) {
			e.guests[i.Instance], e.wasG[i.Instance] = at, true
			e.firstG++
		}
	}
}

func (e *exposure) hostFixed(host string, at time.Time) {
	if since, ok := e.hosts[host]; ok {
		e.sum += at.Sub(since).Milliseconds()
		delete(e.hosts, host)
	}
	e.fixed[host] = true
}

// hostUnfixed: what proved the fix of a host holds no more.
func (e *exposure) hostUnfixed(host string, at time.Time) {
	if _, is := e.hosts[host]; e.was[host] && !is {
		e.hosts[host] = at
	}
	delete(e.fixed, host)
}

// guestUnfixed: the same of an instance that ran on the fix through its host alone.
func (e *exposure) guestUnfixed(instance string, at time.Time) {
	if _, is := e.guests[instance]; e.wasG[instance] && !is {
		e.guests[instance] = at
	}
}

// verdict judges a host by what a look says of its software alone: what the look does not tell is not
// known.
func (e *exposure) verdict(host string, v *execution.HostView) advisory.Verdict {
	if e.target == nil || e.byID[host] == nil {
		return advisory.IsUnknown
	}
	h := *e.byID[host]
	h.Seen = v.At
	h.Software = fleet.Software{Installed: v.Installed, Booted: v.Booted, Running: v.Running, BuildID: v.BuildID, LivePatches: v.LivePatches}
	one := &fleet.Fleet{Sites: e.fleet.Sites, Pools: e.fleet.Pools, Hosts: []fleet.Host{h}}
	return advisory.Assess(one, e.target, nil, 0, v.At).Hosts[0].Verdict
}

// landed: the instance runs on a host in a process that began there.
func (e *exposure) landed(instance, host string, at time.Time) {
	if delete(e.began, instance); e.fixed[host] {
		e.began[instance] = at
	}
}

func (e *exposure) guestFixed(instance string, at time.Time) {
	if since, ok := e.guests[instance]; ok {
		if b, anew := e.began[instance]; anew {
			at = b
		}
		e.sumG += at.Sub(since).Milliseconds()
		delete(e.guests, instance)
	}
}

// gone: an instance that is not there any more is not exposed.
func (e *exposure) gone(instance string, at time.Time) { e.guestFixed(instance, at) }

// seen believes an instance's own monitor.
func (e *exposure) seen(v *execution.InstanceView, host string, at time.Time) {
	h := e.byID[host]
	if _, ok := e.guests[v.ID]; !ok || h == nil || len(v.Running) == 0 {
		return
	}
	one := &fleet.Fleet{Sites: e.fleet.Sites, Pools: e.fleet.Pools, Hosts: []fleet.Host{*h},
		Instances: []fleet.Instance{{ID: v.ID, Host: host, State: fleet.State(v.State), Running: v.Running}}}
	a := advisory.Assess(one, e.target, nil, 0, at)
	switch a.Instances[0].Verdict {
	case advisory.IsFixed:
		e.guestFixed(v.ID, at)
	case advisory.IsAffected:
		delete(e.began, v.ID)
	}
}

func (e *exposure) end(until time.Time) Exposure {
	for id, at := range e.began {
		e.guestFixed(id, at)
	}
	out := Exposure{Counted: e.target != nil, HostsAtStart: e.first, GuestsAtStart: e.firstG, HostsLeft: len(e.hosts), GuestsLeft: len(e.guests)}
	for _, since := range e.hosts {
		e.sum += until.Sub(since).Milliseconds()
	}
	for _, since := range e.guests {
		e.sumG += until.Sub(since).Milliseconds()
	}
	out.HostHours, out.InstanceHours = float64(e.sum)/3_600_000, float64(e.sumG)/3_600_000
	return out
}
