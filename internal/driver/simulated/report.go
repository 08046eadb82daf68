package simulated

import (
	"maps"
	"slices"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// What hosts tell of themselves. LieNotFound may leave an instance out that is there.

// capabilities of every simulated host that its fleet entry does not limit; a Xen can be live-patched.
var (
	capabilities    = []string{"live-migrate", "reboot", "suspend", "update"}
	xenCapabilities = []string{"live-migrate", "live-patch", "reboot", "suspend", "update"}
)

// hides says that the host lies about one copy this time.
func (w *World) hides(d *resident) bool {
	if d.state != fleet.Running || !w.chance.strikes(LieNotFound) {
		return false
	}
	w.record(Record{Kind: Lied, Host: d.on.id, Instance: d.of.id, Why: "not found, while it runs"})
	return true
}

func (w *World) reportHost(h *machine) *HostReport {
	r := &HostReport{
		BootID: h.bootID, PastBootIDs: slices.Clone(h.past),
		Software: fleet.Software{Installed: maps.Clone(h.installed), Booted: maps.Clone(h.booted), Running: h.tellsRunning(),
			BuildID: h.runs.build, LivePatches: append([]fleet.LivePatch{}, h.patches...)},
		Capabilities: capabilities, MemoryMiB: h.spec.MemoryMiB, FreeMiB: h.free(), Cordoned: h.cordoned,
		Instances: []InstanceReport{}, Facts: h.spec,
	}
	if h.spec.Hypervisor == fleet.Xen {
		r.Capabilities = xenCapabilities
	}
	if h.spec.Capabilities != nil {
		r.Capabilities = h.spec.Capabilities
	}
	r.Facts.VirtCaps = h.runs.caps
	r.Facts.BootID, r.Facts.Software, r.Facts.Capabilities = h.bootID, r.Software, r.Capabilities
	for _, d := range h.sortedCopies() {
		if !w.hides(d) {
			r.Instances = append(r.Instances, report(d))
		}
	}
	return r
}

func report(d *resident) InstanceReport {
	r := InstanceReport{
		ID: d.of.id, State: d.state, Incoming: d.incoming, Migrating: d.job != nil, Saved: d.saved,
		MemoryMiB: d.of.spec.MemoryMiB, Facts: d.of.spec,
	}
	if d.state != fleet.Stopped && d.on.spec.Hypervisor != fleet.Xen { // a domain has no monitor that would tell
		r.Running = maps.Clone(d.software)
	}
	r.Facts.Host, r.Facts.State, r.Facts.Running = d.on.id, d.state, r.Running
	return r
}

func (w *World) lookup(h *machine, c Call) (Answer, *work) {
	d := h.copies[c.Instance]
	if d == nil || w.hides(d) {
		return Answer{Code: codeNoDomain, Why: "no instance " + c.Instance + " at " + h.id}, nil
	}
	r := report(d)
	return Answer{Instance: &r}, nil
}

func (w *World) job(h *machine, c Call) (Answer, *work) {
	d := h.copies[c.Instance]
	if d == nil {
		return Answer{Code: codeNoDomain, Why: "no instance " + c.Instance + " at " + h.id}, nil
	}
	m := d.job
	switch {
	case m == nil && d.last == nil:
		return Answer{Job: &JobReport{}}, nil
	case m == nil:
		m = d.last
		r := &JobReport{Completed: m.code == "", Code: m.code, Why: m.why, PostCopy: m.wantPost, Total: m.total}
		if m.code == "" && !m.wantPost { // after post-copy the statistics are lost
			r.Blackout = m.blackout
		}
		return Answer{Job: r}, nil
	}
	return Answer{Job: &JobReport{
		Active: true, To: m.dst.on.id, TotalMiB: m.src.of.spec.MemoryMiB,
		RemainingMiB: int64(m.leftAt(w.now)), DirtyMiBps: m.src.of.spec.DirtyMiBps * (1 - m.throttle),
		Iteration: m.iteration, PostCopy: m.wantPost,
	}}, nil
}
