package simulated

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// Live patches of a simulated hypervisor, by the rules of xen-livepatch: a strict stack, one build,
// nothing left after a reboot. The list's order is the stack's, the top one last.

var _ driver.Patcher = (*Driver)(nil)

// OpPatch and OpUnpatch are the calls of a Patcher; a host's service carries out one payload a call.
const (
	OpPatch   Op = "patch"
	OpUnpatch Op = "unpatch"
)

// patchTakes is how long one payload takes to be uploaded and applied, or taken back.
const patchTakes = 2 * time.Second

// payloadMark begins a payload of the simulated world.
const payloadMark = "simulated live patch\n"

// Payload makes a payload that binds to a build and is to be stacked on another patch (empty: on
// nothing).
func Payload(build, on string) []byte {
	return []byte(payloadMark + "build: " + build + "\non: " + on + "\n")
}

func readPayload(b []byte) (build, on string, ok bool) {
	lines := strings.Split(string(b), "\n")
	if len(lines) != 4 || lines[0]+"\n" != payloadMark {
		return "", "", false
	}
	build, first := strings.CutPrefix(lines[1], "build: ")
	on, second := strings.CutPrefix(lines[2], "on: ")
	return build, on, first && second
}

// Apply brings patches to applied, one after the other; each is looked for first and proven after.
func (d *Driver) Apply(ctx context.Context, f driver.Fence, h driver.Host, want []driver.Patch) (driver.PatchOutcome, error) {
	out, err := d.patches(ctx, h)
	acted := false
	for i := 0; err == nil && i < len(want); i++ {
		p := want[i]
		if sum := driver.Sum(p.Payload); p.Payload != nil && p.SHA256 != "" && !strings.EqualFold(sum, p.SHA256) {
			err = &driver.Error{Code: driver.CodePatchHash, Why: fmt.Sprintf("the SHA-256 of the payload of live patch %s is %s, not %s; nothing was uploaded", p.Name, sum, p.SHA256), Next: "find out where that file comes from"}
		} else if state := patchState(out.Patches, p.Name); state != fleet.PatchApplied {
			acted = true
			out, err = d.patch(ctx, h, Call{Op: OpPatch, Generation: f.Generation, Patch: &p}, func(l []fleet.LivePatch) bool { return patchState(l, p.Name) == fleet.PatchApplied })
		}
	}
	out.Already = err == nil && !acted
	return out, err
}

// Revert takes the named patches back, the last one first, and unloads them.
func (d *Driver) Revert(ctx context.Context, f driver.Fence, h driver.Host, names []string) (driver.PatchOutcome, error) {
	out, err := d.patches(ctx, h)
	acted := false
	for i := len(names) - 1; err == nil && i >= 0; i-- {
		name := names[i]
		if patchState(out.Patches, name) == "" {
			continue
		}
		acted = true
		out, err = d.patch(ctx, h, Call{Op: OpUnpatch, Generation: f.Generation, Patch: &driver.Patch{Name: name}}, func(l []fleet.LivePatch) bool { return patchState(l, name) == "" })
	}
	out.Already = err == nil && !acted
	return out, err
}

// patch makes one call and reads the list, whatever came of it.
func (d *Driver) patch(ctx context.Context, h driver.Host, c Call, there func([]fleet.LivePatch) bool) (driver.PatchOutcome, error) {
	a, acted := d.askFor(ctx, h, c, d.Limits.Settle)
	out, err := d.patches(lastLook(ctx), h)
	switch {
	case err == nil && there(out.Patches):
		return out, nil
	case acted != nil:
		return out, acted
	case a.Code != "":
		out.Log = []string{a.Why}
		e := refusal(h, c, a)
		if strings.HasPrefix(a.Code, "patch-") {
			e.Code, e.Retry, e.Next = a.Code, a.Code == driver.CodePatchBusy, "look at the host's list of live patches"
		}
		return out, e
	case err != nil:
		return out, err
	}
	return out, &driver.Error{Code: driver.CodeFailed, Retry: true, Why: fmt.Sprintf("host %s said that %s of %s was done, and its list does not show it", h.ID, c.Op, c.Patch.Name), Next: "try again"}
}

func (d *Driver) patches(ctx context.Context, h driver.Host) (driver.PatchOutcome, error) {
	r, err := d.readHost(ctx, h)
	if err != nil {
		return driver.PatchOutcome{}, err
	}
	return driver.PatchOutcome{Patches: append([]fleet.LivePatch{}, r.Software.LivePatches...)}, nil
}

func patchState(list []fleet.LivePatch, name string) string {
	for _, p := range list {
		if p.Name == name {
			return p.State
		}
	}
	return ""
}

// servePatch is the host's side: one at a time, each judged when it begins and again when it ends.
func (w *World) servePatch(h *machine, c Call) (Answer, *work) {
	switch {
	case c.Patch == nil:
		return Answer{Code: codeInvalid, Why: "no live patch is named"}, nil
	case h.updating != nil && h.updating.what == patchWork(c):
		return Answer{}, h.updating // the same request again waits for the same end
	case h.updating != nil:
		return Answer{Code: driver.CodePatchBusy, Why: "busy with " + h.updating.what}, nil
	}
	if a := w.judgePatch(h, c); a.Code != "" {
		return a, nil
	}
	job := &work{what: patchWork(c), ends: w.now.Add(patchTakes)}
	h.updating = job
	fails := w.chance.strikes(UpdateFails)
	w.after(patchTakes, func() {
		if h.updating != job {
			return // the host went down
		}
		h.updating, job.done = nil, true
		a := w.judgePatch(h, c)
		if fails && a.Code == "" {
			a = Answer{Code: driver.CodePatchInvalid, Why: c.Patch.Name + ": expectation failed"}
		}
		if job.code, job.why = a.Code, a.Why; a.Code == "" {
			w.changePatch(h, c)
		}
	})
	return Answer{}, job
}

func patchWork(c Call) string { return string(c.Op) + " " + c.Patch.Name }

// judgePatch refuses what a hypervisor would refuse.
func (w *World) judgePatch(h *machine, c Call) Answer {
	p := c.Patch
	refuse := func(code, why string) Answer { return Answer{Code: code, Why: p.Name + ": " + why} }
	top := ""
	for _, o := range h.patches {
		if o.State == fleet.PatchApplied {
			top = o.Name
		}
	}
	have := h.patch(fleet.LivePatch{Component: "xen", Name: p.Name})
	if c.Op == OpUnpatch {
		if have != nil && have.State == fleet.PatchApplied && top != p.Name {
			return refuse(driver.CodePatchBusy, "can't unload. Top is "+top)
		}
		return Answer{}
	}
	build, on, ok := readPayload(p.Payload)
	switch runs := h.runs.build; {
	case have != nil && have.State == fleet.PatchApplied, p.Payload == nil && have != nil:
		return Answer{}
	case p.Payload == nil:
		return refuse(driver.CodePatchMissing, "it is not in the list, and its payload is not at hand")
	case !ok:
		return refuse(driver.CodePatchInvalid, "Not an ELF payload!")
	case build != runs || p.BuildID != "" && !strings.EqualFold(p.BuildID, runs):
		return refuse(driver.CodePatchBuild, "check against hypervisor build-id failed")
	case !p.Replace && on != top:
		return refuse(driver.CodePatchDependency, "check against "+top+" build-id failed")
	}
	return Answer{}
}

func (w *World) changePatch(h *machine, c Call) {
	name := c.Patch.Name
	if have := h.patch(fleet.LivePatch{Component: "xen", Name: name}); c.Op == OpPatch && have != nil && have.State == fleet.PatchApplied {
		return // a second copy of the call
	}
	h.patches = slices.DeleteFunc(slices.Clone(h.patches), func(o fleet.LivePatch) bool { return o.Component == "xen" && o.Name == name })
	if c.Op == OpUnpatch {
		w.record(Record{Kind: HostUnpatched, Host: h.id, Why: "xen " + name})
		return
	}
	for i := range h.patches {
		if o := &h.patches[i]; c.Patch.Replace && o.Component == "xen" && o.State == fleet.PatchApplied {
			o.State = fleet.PatchLoaded
			w.record(Record{Kind: HostUnpatched, Host: h.id, Why: "xen " + o.Name})
		}
	}
	h.patches = append(h.patches, fleet.LivePatch{Name: name, Component: "xen", State: fleet.PatchApplied})
	w.record(Record{Kind: HostPatched, Host: h.id, Why: "xen " + name})
	w.mayLose(h, fleet.LivePatch{Component: "xen", Name: name})
}
