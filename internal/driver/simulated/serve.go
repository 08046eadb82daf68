package simulated

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// serve is a host's service: it does what one call asks and answers. Long work is handed back, and
// its end is the answer.
func (w *World) serve(h *machine, c Call) (Answer, *work) {
	switch c.Op {
	case OpHost:
		return Answer{Host: w.reportHost(h)}, nil
	case OpLookup:
		return w.lookup(h, c)
	case OpJob:
		return w.job(h, c)
	}
	if c.Generation < h.generation {
		why := fmt.Sprintf("generation %d is stale: %d was seen", c.Generation, h.generation)
		w.record(Record{Kind: HostRefused, Host: h.id, Instance: c.Instance, Why: string(c.Op) + ": " + why})
		return Answer{Code: codeRefused, Why: why}, nil
	}
	h.generation = c.Generation
	switch c.Op {
	case OpUpdate:
		return w.update(h, c)
	case OpPatch, OpUnpatch:
		return w.servePatch(h, c)
	case OpReboot:
		return w.reboot(h, c)
	case OpCordon, OpUncordon:
		h.cordoned = c.Op == OpCordon
		return Answer{}, nil
	}
	d := h.copies[c.Instance]
	if d == nil {
		return Answer{Code: codeNoDomain, Why: "no instance " + c.Instance + " at " + h.id}, nil
	}
	if d.busy != nil && !d.busy.done {
		if d.busy.what == string(c.Op) {
			return Answer{}, d.busy // the same request again waits for the same end
		}
		return Answer{Code: codeInvalid, Why: "busy with " + d.busy.what}, nil
	}
	return w.serveInstance(h, d, c)
}

func (w *World) serveInstance(h *machine, d *resident, c Call) (Answer, *work) {
	switch c.Op {
	case OpMigrate:
		return w.migrate(d, c), nil
	case OpAbort:
		return w.abort(d), nil
	case OpPostCopy:
		return w.toPostCopy(d), nil
	}
	if d.job != nil || d.incoming {
		return Answer{Code: codeInvalid, Why: "a migration is under way"}, nil
	}
	memory := time.Duration(float64(d.of.spec.MemoryMiB) / w.times.DiskMiBps * float64(time.Second))
	switch {
	case c.Op == OpDestroy:
		return w.destroy(d), nil
	case c.Op == OpSave && d.state == fleet.Running:
		w.setIdle(d, fleet.Paused, "save")
		return Answer{}, w.work(d, c.Op, memory+w.lasts("save lasts", w.times.Saves, 0), func() { d.state, d.saved = fleet.Stopped, true })
	case c.Op == OpStop && d.state == fleet.Running:
		return Answer{}, w.work(d, c.Op, w.times.Stop, func() { w.setIdle(d, fleet.Stopped, "stop") })
	case c.Op == OpRestore && d.state == fleet.Stopped && d.saved, c.Op == OpStart && d.state == fleet.Stopped:
		if free := h.free(); free < d.of.spec.MemoryMiB {
			return Answer{Code: codeNoRoom, Why: noRoom(h, free, d.of)}, nil
		}
		restore := d.saved // a start of a saved instance restores it, as libvirt's managed save does
		if memory += w.lasts("save lasts", w.times.Saves, 0); !restore {
			memory = w.times.Start
		}
		d.state, d.husk, d.software = fleet.Paused, !restore, h.softwareFor(d.of)
		return Answer{}, w.work(d, c.Op, memory, func() {
			d.saved, d.husk = false, false
			w.setRunning(d, map[bool]string{true: "restore", false: "start"}[restore])
		})
	}
	return Answer{Code: codeInvalid, Why: fmt.Sprintf("%s: the instance is %s", c.Op, d.state)}, nil
}

func noRoom(h *machine, free int64, i *instance) string {
	return fmt.Sprintf("%s has %d MiB free, %s needs %d MiB", h.id, free, i.id, i.spec.MemoryMiB)
}

// work begins something at a copy that ends after d, if the host lives so long.
func (w *World) work(d *resident, op Op, takes time.Duration, end func()) *work {
	job := &work{what: string(op), ends: w.now.Add(takes)}
	d.busy = job
	w.after(takes, func() {
		if d.busy == job {
			end()
			job.done, d.busy = true, nil
		}
	})
	return job
}

func (w *World) migrate(d *resident, c Call) Answer {
	to := w.hosts[c.To]
	switch {
	case d.state != fleet.Running || d.incoming:
		return Answer{Code: codeInvalid, Why: "the instance is not running"}
	case d.job != nil:
		return Answer{Code: codeInvalid, Why: "a migration is under way"}
	case to == nil || to == d.on:
		return Answer{Code: codeInvalid, Why: "no such destination: " + c.To}
	case !to.live(w.now) || to.serviceOff > 0:
		return Answer{Code: codeSilent, Why: "unable to connect to " + to.id}
	case to.copies[d.of.id] != nil && to.copies[d.of.id].state != fleet.Stopped:
		return Answer{Code: codeInvalid, Why: "an instance of that name is active at " + to.id}
	}
	if why := d.of.immovable(to); why != "" {
		return Answer{Code: codeUnsafe, Why: why}
	}
	if why := d.unfollowed(); why != "" {
		w.record(Record{Kind: HostRefused, Host: d.on.id, Instance: d.of.id, To: to.id, Why: "migrate: " + why})
		return Answer{Code: codeUnsafe, Why: why}
	}
	rule := w.hinders(d, to)
	if rule != nil && rule.Refused {
		return Answer{Code: codeUnsafe, Why: whyHindered(to)}
	}
	if free := to.free(); free < d.of.spec.MemoryMiB {
		return Answer{Code: codeNoRoom, Why: noRoom(to, free, d.of)}
	}
	if old := to.copies[d.of.id]; old != nil { // a stale definition is replaced
		w.forget(old)
	}
	w.beginMove(d, to, c)
	if m := d.job; m != nil && rule != nil {
		w.failInCopy(m, MovesFail, whyHindered(to))
	}
	return Answer{}
}

func (w *World) abort(d *resident) Answer {
	switch {
	case d.job == nil:
		return Answer{Code: codeInvalid, Why: "no job is active"}
	case d.job.phase == switching || d.job.phase == postCopy:
		return Answer{Code: codeInvalid, Why: "too late to abort: the destination takes over"}
	}
	w.breakMove(d.job, codeAborted, "aborted by the client")
	return Answer{}
}

func (w *World) toPostCopy(d *resident) Answer {
	m := d.job
	if m == nil || m.phase != copying {
		return Answer{Code: codeInvalid, Why: "no pre-copy is active"}
	}
	m.left = m.leftAt(w.now) + m.dirtied(w.now)
	m.wantPost = true
	w.switchOver(m, 0)
	return Answer{}
}

// destroy ends a paused copy and forgets it. What runs is never destroyed by this call.
func (w *World) destroy(d *resident) Answer {
	if d.state == fleet.Running {
		return Answer{Code: codeInvalid, Why: "the instance runs"}
	}
	w.lose(d, "destroyed")
	if d.on.copies[d.of.id] == d {
		w.forget(d)
	}
	return Answer{}
}

func (w *World) reboot(h *machine, c Call) (Answer, *work) {
	switch {
	case c.BootID != h.bootID:
		why := fmt.Sprintf("boot id is %s, not %s", h.bootID, c.BootID)
		w.record(Record{Kind: HostRefused, Host: h.id, Why: "reboot: " + why})
		return Answer{Code: codeRefused, Why: why}, nil
	case !h.goingDown:
		w.orderReboot(h)
	}
	return Answer{}, nil
}

// update begins a host's update, or waits for the one under way, as a package manager's lock makes it.
func (w *World) update(h *machine, c Call) (Answer, *work) {
	if h.updating != nil {
		return Answer{}, h.updating
	}
	if patches := patchesIn(c); len(patches) > 0 {
		return w.livePatch(h, patches)
	}
	want := w.wanted(c)
	needed := false
	for pkg, version := range want {
		needed = needed || h.installed[pkg] != version
	}
	if !needed || w.chance.strikes(UpdateSays70) {
		return Answer{Exit: 70, Why: "nothing to do"}, nil
	}
	takes := w.lasts("update lasts", w.times.Updates, w.times.Update)
	job := &work{what: string(OpUpdate), ends: w.now.Add(takes)}
	h.updating = job
	fails := w.chance.strikes(UpdateFails)
	w.after(takes, func() {
		if h.updating != job {
			return // the host went down
		}
		h.updating, job.done = nil, true
		if fails {
			job.exit, job.why = 1, "E: sub-process returned an error code"
			return
		}
		maps.Copy(h.installed, want)
		for pkg, version := range want {
			if !h.isHypervisor(pkg) { // that one begins to run at the next boot
				h.running[pkg] = version
			}
		}
		job.why = "installed " + versions(want)
		w.record(Record{Kind: HostUpdated, Host: h.id, Install: maps.Clone(h.installed)})
		w.flap(h)
	})
	return Answer{}, job
}

// wanted is what an update installs: what its command names as package=version, or the world's own.
func (w *World) wanted(c Call) map[string]string {
	want := map[string]string{}
	for _, arg := range c.Update.Command {
		if pkg, version, ok := strings.Cut(arg, "="); ok {
			want[pkg] = version
		}
	}
	if len(want) == 0 {
		return w.updates
	}
	return want
}

func versions(m map[string]string) string {
	var vs []string
	for _, pkg := range slices.Sorted(maps.Keys(m)) {
		vs = append(vs, pkg+"="+m[pkg])
	}
	return strings.Join(vs, " ")
}
