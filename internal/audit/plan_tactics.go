package audit

import (
	"slices"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// What may be done to hosts and instances is said by policy, and narrowed by the cohort and by what each host
// is able to do.

// tacticsAllowed asks of each turn and each promise whether policy and cohort allow it (law 1), and whether
// the host publishes that it can be done (law 10).
func (d *dossier) tacticsAllowed() {
	for _, t := range d.ordered {
		if d.hosts[t.Host] == nil || !serving[t.Tactic] {
			continue // form has said so
		}
		d.must(d.allows(t.Host, t.Tactic), 1, "tactic-forbidden", ofTurn(t), t.Start, "another tactic, or this one among the tactics of policy and cohort",
			"turn %s is %s, and its policy or its cohort does not allow that", t.ID, t.Tactic)
		d.able(t)
	}
	for i := range d.p.Slots {
		s := &d.p.Slots[i]
		if t := d.turns[s.Turn]; t != nil && d.hosts[t.Host] != nil {
			d.must(d.allowsTo(t, s.Disposition), 1, "promise-forbidden", ofSlot(s), s.Start, "another disposition, or what allows this one in policy and cohort: evacuate or refresh, and no in_place, to move; suspend; reboot",
				"%s is promised %s in turn %s, and its policy or its cohort does not allow that", s.Instance, s.Disposition, t.ID)
		}
	}
}

// allows: a tactic is among those of policy, and of the host's cohort where that names some.
func (d *dossier) allows(host string, tactic plan.Tactic) bool {
	c := d.cohort(d.hosts[host])
	return slices.Contains(d.p.Policy.Tactics, tactic) && (c == nil || len(c.Tactics) == 0 || slices.Contains(c.Tactics, tactic))
}

// allowsTo: what a turn does to an instance is allowed. What moves comes home by the same leave.
func (d *dossier) allowsTo(t *plan.Turn, what plan.Disposition) bool {
	switch what {
	case plan.DispLiveMigrate:
		c := d.cohort(d.hosts[t.Host])
		return (c == nil || !c.InPlace) && (d.allows(t.Host, plan.Evacuate) || t.Tactic == plan.Refresh && d.allows(t.Host, plan.Refresh))
	case plan.DispStatefulStop:
		return d.allows(t.Host, plan.Suspend)
	case plan.DispStop:
		return d.allows(t.Host, plan.Reboot)
	}
	return true
}

// able asks of a turn whether its host publishes what it takes.
func (d *dossier) able(t *plan.Turn) {
	d.must(d.hosts[t.Host].Health != fleet.Down, 10, "host-down", ofTurn(t), t.Start, "the host under blocked until it answers", "turn %s is of a host that is down", t.ID)
	need := fleet.CanUpdate
	switch {
	case t.Tactic == plan.LivePatch:
		need = fleet.CanLivePatch
	case reboots(t.Tactic):
		need = fleet.CanReboot
	case t.UpdateBy.IsZero():
		return // a refresh of what is on its disk already
	}
	d.must(can(d.hosts[t.Host], need), 10, "host-unable", ofTurn(t), t.Start, "another tactic, or a host that publishes "+need, "turn %s, %s, takes %s, which host %s does not publish", t.ID, t.Tactic, need, t.Host)
}
