package simulated

import (
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// instance is one virtual machine as it really is: the copies of it that hosts know of.
type instance struct {
	id      string
	spec    fleet.Instance
	copies  []*resident
	removed bool
}

// resident is an instance as one host knows it. Normally there is one; during a migration there are
// two, of which one runs; after a fault there may be two that run.
type resident struct {
	of       *instance
	on       *machine
	state    fleet.State // running, paused, stopped
	incoming bool        // the receiving half of a migration
	saved    bool        // stopped, with its memory on the host's disk
	husk     bool        // its memory is worth nothing: out of date after a move, or not yet booted
	software map[string]string
	job      *migration // the migration away from here that is under way
	last     *migration // the last one that ended
	busy     *work      // a save, stop, start or restore under way
}

// work is something that takes a while at a host and then has a result.
type work struct {
	what string
	ends time.Time
	done bool
	code string
	why  string
	exit int
}

func (w *World) addInstance(spec fleet.Instance) *instance {
	i := &instance{id: spec.ID, spec: spec}
	i.spec.Disks = slices.Clone(spec.Disks)
	i.spec.Devices = slices.Clone(spec.Devices)
	i.spec.Immovable = slices.Clone(spec.Immovable)
	w.instances[i.id] = i
	return i
}

// define makes a host know of an instance.
func (w *World) define(i *instance, h *machine) *resident {
	c := &resident{of: i, on: h, state: fleet.Stopped}
	h.copies[i.id] = c
	i.copies = append(i.copies, c)
	return c
}

// forget makes a host know nothing of an instance. It must not run there.
func (w *World) forget(c *resident) {
	c.drop()
	delete(c.on.copies, c.of.id)
	c.of.copies = slices.DeleteFunc(c.of.copies, func(o *resident) bool { return o == c })
}

// drop gives up the work under way at a copy.
func (c *resident) drop() {
	if c.busy != nil {
		c.busy.giveUp()
		c.busy = nil
	}
}

// giveUp ends work without its effect.
func (j *work) giveUp() {
	j.done, j.code, j.why, j.exit = true, codeFailed, j.what+" was cut short", 1
}

// held lists the copies that hold the instance's memory: running, paused or saved, and not a
// half that is only being filled.
func (i *instance) held() []*resident {
	var held []*resident
	for _, c := range i.copies {
		if (c.state != fleet.Stopped && !c.incoming && !c.husk) || c.saved {
			held = append(held, c)
		}
	}
	return held
}

func (w *World) setRunning(c *resident, why string) {
	if c.state != fleet.Running {
		c.state = fleet.Running
		w.record(Record{Kind: Runs, Host: c.on.id, Instance: c.of.id, Why: why})
	}
}

func (w *World) setIdle(c *resident, state fleet.State, why string) {
	was := c.state
	c.state = state
	if was == fleet.Running {
		w.record(Record{Kind: Ceases, Host: c.on.id, Instance: c.of.id, Why: why})
	}
}

// start boots an instance's guest from its disks.
func (w *World) start(c *resident, why string) {
	c.saved = false
	c.software = c.on.softwareFor(c.of)
	w.setRunning(c, why)
}

// lose takes away what a copy holds in memory, as a power cut or a kill does. The instance is
// killed if nothing else of it holds its memory.
func (w *World) lose(c *resident, why string) {
	held, incoming := c.state != fleet.Stopped && !c.husk, c.incoming
	w.setIdle(c, fleet.Stopped, "killed")
	c.drop()
	c.incoming, c.husk = false, false
	if incoming {
		w.forget(c) // the receiving half was never more than a process
		return
	}
	if held && len(c.of.held()) == 0 {
		w.record(Record{Kind: Killed, Host: c.on.id, Instance: c.of.id, Why: why})
	}
}

// remove deletes an instance everywhere, as its owner or another tool does.
func (w *World) remove(i *instance, why string) {
	i.removed = true
	w.record(Record{Kind: OthersActed, Instance: i.id, Why: why})
	for _, c := range slices.Clone(i.copies) {
		if c.job != nil {
			w.breakMove(c.job, codeFailed, "the instance was removed")
		}
	}
	for _, c := range slices.Clone(i.copies) {
		w.setIdle(c, fleet.Stopped, "removed")
		w.forget(c)
	}
}

// immovable says why the hypervisor refuses to migrate the instance to h, or "".
func (i *instance) immovable(h *machine) string {
	s := i.spec
	switch {
	case len(s.Devices) > 0:
		return "it holds the host's device " + s.Devices[0]
	case len(s.Immovable) > 0:
		return s.Immovable[0].Code + ": " + s.Immovable[0].Why
	case len(h.spec.MachineTypes) > 0 && s.MachineType != "" && !slices.Contains(h.spec.MachineTypes, s.MachineType):
		return "machine type " + s.MachineType + " is unknown at " + h.id
	}
	for _, d := range s.Disks {
		if !d.Shared {
			return "unsafe: disk " + d.Name + " is local to its host"
		}
	}
	if len(h.spec.CPUFeatures) > 0 {
		for _, f := range s.CPUFeatures {
			if !slices.Contains(h.spec.CPUFeatures, f) {
				return "CPU feature " + f + " is missing at " + h.id
			}
		}
	}
	return ""
}
