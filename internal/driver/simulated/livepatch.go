package simulated

import (
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// transition is how long a live patch takes to reach every task of a host.
const transition = 10 * time.Second

// patchesIn are the live patches that an update applies: its command names each as COMPONENT:NAME,
// such as linux:livepatch_1.
func patchesIn(c Call) (out []fleet.LivePatch) {
	for _, arg := range c.Update.Command {
		if component, name, ok := strings.Cut(arg, ":"); ok && name != "" && (component == "linux" || component == "xen") {
			out = append(out, fleet.LivePatch{Component: component, Name: name})
		}
	}
	return out
}

func (h *machine) patch(p fleet.LivePatch) *fleet.LivePatch {
	for i := range h.patches {
		if o := &h.patches[i]; o.Component == p.Component && o.Name == p.Name {
			return o
		}
	}
	return nil
}

// livePatch begins to apply live patches; the command ends once they are in transition, as a kernel's
// does. A reboot takes them away.
func (w *World) livePatch(h *machine, want []fleet.LivePatch) (Answer, *work) {
	if !slices.ContainsFunc(want, func(p fleet.LivePatch) bool { return h.patch(p) == nil }) || w.chance.strikes(UpdateSays70) {
		return Answer{Exit: 70, Why: "nothing to do"}, nil
	}
	takes := w.lasts("update lasts", w.times.Updates, w.times.Update)
	job := &work{what: string(OpUpdate), ends: w.now.Add(takes)}
	h.updating = job
	fails := w.chance.strikes(UpdateFails)
	bootID := h.bootID
	w.after(takes, func() {
		if h.updating != job {
			return // the host went down
		}
		h.updating, job.done = nil, true
		if fails {
			job.exit, job.why = 1, "kpatch: failed to load module"
			return
		}
		for _, p := range want {
			if h.patch(p) == nil {
				p.State = fleet.PatchTransition
				h.patches = append(h.patches, p)
				w.settlePatch(h, p, bootID)
			}
		}
		job.why = "loaded"
	})
	return Answer{}, job
}

// settlePatch ends a patch's transition, unless a task keeps it; somebody may take it away again.
func (w *World) settlePatch(h *machine, p fleet.LivePatch, bootID string) {
	same := func() *fleet.LivePatch {
		if !h.up || h.bootID != bootID {
			return nil
		}
		return h.patch(p)
	}
	if w.chance.strikes(PatchStuck) {
		return
	}
	w.after(transition, func() {
		if o := same(); o != nil {
			o.State = fleet.PatchApplied
			w.record(Record{Kind: HostPatched, Host: h.id, Why: p.Component + " " + p.Name})
		}
	})
	w.mayLose(h, p)
}

// mayLose lets others take a live patch away again, soon or later, and the host reset itself.
func (w *World) mayLose(h *machine, p fleet.LivePatch) {
	for _, f := range []struct {
		fault  Fault
		within time.Duration
	}{{PatchLost, time.Minute}, {PatchFades, 40 * time.Minute}} {
		if !w.chance.strikes(f.fault) {
			continue
		}
		bootID := h.bootID
		w.after(time.Duration(w.chance.between(f.fault, 0, float64(f.within))), func() {
			if h.up && h.bootID == bootID && h.patch(p) != nil {
				h.patches = slices.DeleteFunc(h.patches, func(o fleet.LivePatch) bool { return o.Component == p.Component && o.Name == p.Name })
				w.record(Record{Kind: OthersActed, Host: h.id, Why: "live patch " + p.Name + " taken away"})
			}
		})
	}
	w.mayReset(h)
}

// LivePatches lists a host's live patches at this moment.
func (w *World) LivePatches(host string) []fleet.LivePatch {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	return slices.Clone(w.mustHost(host).patches)
}

// SoftwareOf is what an instance that runs on a host runs on, package by package; nil where none does.
func (w *World) SoftwareOf(instance string) map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.advance()
	if i := w.instances[instance]; i != nil {
		for _, c := range i.copies {
			if c.state == fleet.Running && !c.incoming {
				return c.software
			}
		}
	}
	return nil
}
