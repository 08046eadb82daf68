package planner

import (
	"fmt"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Codes of reasons that only the planner knows.
const (
	codeTooLong       = "migration-too-long"
	codeNonConverging = "non-converging"
	codeLongPause     = "long-pause"
	codeUnknown       = "verdict-unknown"
	codeGuestAlone    = "instance-affected-alone"
	codeNoContact     = "tenant-no-contact"
	codeDegraded      = "group-degraded"
	codeOneTurn       = "group-in-one-turn"
	codeNoDestination = "no-destination"
	codeNotMoved      = "live migration is not allowed" // by policy or cohort: no code of a blocker, only why somebody stays
)

// whyStuck says why an instance cannot leave its host alive, wherever there were room; nil: it can.
func (w *world) whyStuck(g *guest) *fleet.Reason {
	if r := fleet.Bound(g.Instance); r != nil {
		return r
	}
	from := g.at
	if !from.Can(fleet.CanLiveMigrate) {
		return &fleet.Reason{Code: fleet.NoLiveMigration, Why: "host " + from.ID + " cannot live-migrate"}
	}
	if !w.converges(g, nic(from)) {
		return &fleet.Reason{Code: codeNonConverging, Why: fmt.Sprintf("it dirties %g MiB/s of memory and a migration gets %.0f MiB/s", g.DirtyMiBps, w.bandwidth(nic(from)))}
	}
	if pause, most := w.pause(g, nic(from)), w.policy.Blackout.Std(); pause > most {
		return &fleet.Reason{Code: codeLongPause, Why: fmt.Sprintf("it dirties %g MiB/s of memory, a migration gets %.0f MiB/s and would stop it for %s at its end; policy allows %s", g.DirtyMiBps, w.bandwidth(nic(from)), pause, most)}
	}
	if t, most := w.moveTime(g, nic(from)), w.policy.Times.MigrateMax.Std(); t > most {
		return &fleet.Reason{Code: codeTooLong, Why: fmt.Sprintf("moving its %d MiB takes about %s and policy allows %s", g.MemoryMiB, t, most)}
	}
	var first *fleet.Reason
	for _, p := range from.pools {
		for _, h := range p.hosts {
			if h == from {
				continue
			}
			if w.alike.canMove(g.class, from.class, h.class) {
				return nil
			}
			if first == nil || first.Code == fleet.HostUnfit {
				first = fleet.CanMove(w.ix, g.Instance, from.Host, h.Host)
			}
		}
	}
	if first == nil {
		return &fleet.Reason{Code: codeNoDestination, Why: "its host has no other host in its pools"}
	}
	return first
}

// stop is what happens to one instance that does not move.
type stop struct {
	guest *guest
	how   plan.Disposition // stateful-stop, stop, or blocked
	why   string           // code of why it does not move
}

// fallback is the least that can be done to an instance that does not move.
func (w *world) fallback(h *host, g *guest) stop {
	s := stop{guest: g, how: plan.DispBlocked, why: codeNotMoved}
	switch {
	case h.can.inPlace:
		s.why = "in-place"
	case g.stuck != nil:
		s.why = g.stuck.Code
	case h.hurried:
		s.why = codeDeadline
	case h.stays:
		s.why = codeSlotTooShort
	}
	switch {
	case h.can.save && w.whyNoSave(g) == "":
		s.how = plan.DispStatefulStop
	case h.can.stop:
		s.how = plan.DispStop
	}
	return s
}

// whyNoSave says why an instance's memory cannot be saved and restored; empty: it can.
func (w *world) whyNoSave(g *guest) string {
	switch t := w.saveTime([]stop{{guest: g, how: plan.DispStatefulStop}}); {
	case g.NoSuspend:
		return "its state cannot be saved"
	case len(g.Devices) > 0:
		return "the state of its device " + g.Devices[0] + " cannot be saved"
	case t > w.policy.Times.SaveMax.Std():
		return fmt.Sprintf("saving its %d MiB takes about %s and policy allows %s", g.MemoryMiB, t, w.policy.Times.SaveMax)
	}
	return ""
}

// mustStop: it stays on the host through the turn, whatever room there is elsewhere.
func (w *world) mustStop(h *host, g *guest) bool {
	return g.stuck != nil || !h.can.moves() || h.stays && w.fallback(h, g).how != plan.DispBlocked
}

// whyBlocked says why nothing at all may be done to an instance; nil: something may.
func (w *world) whyBlocked(h *host, g *guest) *plan.Blocked {
	if g.Tenant != "" && !w.reachable(g.Tenant) {
		return &plan.Blocked{Instance: g.ID, Code: codeNoContact, Why: "tenant " + g.Tenant + " has no contact that could be told",
			Unblock: "add a contact to tenant " + g.Tenant}
	}
	if h.refreshed() && g.State == fleet.Paused {
		return &plan.Blocked{Instance: g.ID, Code: "paused", Why: "it is paused by somebody, and keeps its process until it runs again or is stopped", Unblock: "let it run, or stop it, and plan again"}
	}
	for _, gr := range g.groups {
		if gr.spare <= 0 {
			return &plan.Blocked{Instance: g.ID, Code: codeDegraded,
				Why:     fmt.Sprintf("group %s allows %d of its members to be down, and %d are down already", gr.ID, gr.Allowed(), gr.Allowed()-gr.spare),
				Unblock: "start the members of " + gr.ID + " that are down (or take them out of the group), then plan again"}
		}
	}
	if !w.mustStop(h, g) || w.fallback(h, g).how != plan.DispBlocked {
		return nil
	}
	return w.neitherWay(h, g)
}

// neitherWay words the blocker of an instance that can neither move nor be stopped.
func (w *world) neitherWay(h *host, g *guest) *plan.Blocked {
	b := &plan.Blocked{Instance: g.ID, Code: "no-tactic", Why: "policy allows no live migration"}
	unblock := "allow the tactic evacuate"
	if h.can.inPlace {
		b.Why, unblock = "its cohort is served in place, without live migrations (in_place)", ""
	}
	if g.stuck != nil && !h.can.inPlace {
		b.Code, b.Why, unblock = g.stuck.Code, orElse(g.stuck.Why, g.stuck.Code), freeing[g.stuck.Code]
	}
	why := w.whyNoSave(g)
	switch {
	case why != "":
		b.Why += ", and it cannot be suspended: " + why
		b.Unblock = either(unblock, "allow the tactic reboot (it is stopped in its slot and started after)")
	case !h.Can(fleet.CanSuspend):
		b.Why += ", and its host cannot suspend"
		b.Unblock = either(unblock, "allow the tactic reboot (it is stopped in its slot and started after)")
	default:
		b.Why += ", and policy allows neither suspend nor reboot"
		b.Unblock = either(unblock, "allow the tactic suspend (it is saved in its slot and restored after)")
	}
	return b
}

// freeing says what would let an instance move, by the code of what forbids it.
var freeing = map[string]string{
	fleet.LocalDisk:       "put its disks on shared storage",
	fleet.DevicePassed:    "take the passed-through device away from it",
	fleet.PinnedToHost:    "unpin it",
	fleet.NoLiveMigration: "enable live migration between hosts of the pool",
	fleet.NoShadow:        "run it as PVH, or boot its host with a Xen that has shadow paging",
	fleet.NoCommonPool:    "add a host to the pool",
	fleet.CPUMismatch:     "add a host with its CPU to the pool, or give it a CPU model that others offer",
	fleet.MachineMissing:  "add a host that offers its machine type",
	fleet.NetworkMissing:  "add its network to another host",
	fleet.StorageMissing:  "add its storage to another host",
	fleet.OlderHypervisor: "add a host with the same or a newer hypervisor to the pool",
	fleet.OtherHypervisor: "add a host of the same hypervisor to the pool",
	fleet.HostUnfit:       "make another host of the pool healthy",
	codeNoDestination:     "add a host to the pool",
	codeTooLong:           "raise times.migrate_max or lower moves_per_host",
	codeNonConverging:     "add post-copy to non_converging",
	codeLongPause:         "let fewer move at once (moves_per_host), raise blackout, or allow suspend",
}

func (w *world) reachable(tenant string) bool {
	t := w.ix.Tenants[tenant]
	if t == nil {
		return false
	}
	for _, c := range t.Contacts {
		if c.Email != "" {
			return true
		}
	}
	return false
}

// crowded blocks members of one group that stay on the host through one turn when the group cannot
// spare them all at once.
func (w *world) crowded(h *host) (out []plan.Blocked) {
	var stops, moves []*guest
	for _, g := range h.guests {
		if w.mustStop(h, g) {
			stops = append(stops, g)
		} else {
			moves = append(moves, g)
		}
	}
	all := needsOf(stops, moves)
	for _, g := range stops {
		for _, gr := range g.groups {
			if n := all.of(gr).count(); n > gr.spare {
				out = append(out, plan.Blocked{Instance: g.ID, Code: codeOneTurn,
					Why:     fmt.Sprintf("it and other members of group %s are on host %s: its turn disturbs %d at once, and the group can spare %d", gr.ID, h.ID, n, gr.spare),
					Unblock: fmt.Sprintf("move members of %s to different hosts, or raise its max_unavailable to %d", gr.ID, gr.Allowed()-gr.spare+n)})
				break
			}
		}
	}
	return out
}
