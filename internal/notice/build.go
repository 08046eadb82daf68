package notice

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Extra is what a notice says beyond the plan; the zero value adds nothing.
type Extra struct {
	ID     string               // instead of CAMPAIGN/rN/KIND/TENANT, when a tenant gets several of a kind
	Was    map[string]plan.Slot // slot id -> the promise before (rescheduled)
	Actual map[string]Actual    // slot id -> what happened (finished)
	Reason string               // one sentence that tenants read
}

// Actual is the interruption that happened in one slot; the zero value says that there was none.
// Where a finished notice has no Actual for a slot, it says that what happened is not known.
type Actual struct {
	From, To time.Time // the interruption lies between these; both zero when there was none
	Ms       int64     // its length; -1: not measured
}

// ForPlan gives one scheduled notice per tenant that the plan touches, by tenant id. Slots without
// a tenant are nobody's to be told of. Before a notice is sent it must pass Lint.
func ForPlan(p *plan.Plan, f *fleet.Fleet, now time.Time) []Notice {
	slots := map[string][]plan.Slot{}
	for _, s := range p.Slots {
		if s.Tenant != "" {
			slots[s.Tenant] = append(slots[s.Tenant], s)
		}
	}
	tenants := map[string]fleet.Tenant{}
	for _, t := range f.Tenants {
		tenants[t.ID] = t
	}
	notices := make([]Notice, 0, len(slots))
	for id, theirs := range slots {
		tenant, known := tenants[id]
		if !known {
			tenant = fleet.Tenant{ID: id}
		}
		n := empty(p, Scheduled, tenant, now)
		n.All = true
		for _, s := range theirs {
			n.Items = append(n.Items, Item{Slot: s, Instance: s.Instance})
		}
		n.sort()
		n.Reason = overruled(n.Items)
		notices = append(notices, n)
	}
	slices.SortFunc(notices, func(a, b Notice) int { return cmp.Compare(a.Tenant.ID, b.Tenant.ID) })
	return notices
}

// Build makes the notice that execution asked for by kind, tenant and slot ids. Give it the moment
// at which it was asked for (not the one at which it is sent), and a repetition is the same mail.
// It refuses slots of other tenants and slots that the plan does not hold.
func Build(p *plan.Plan, f *fleet.Fleet, kind Kind, tenantID string, slotIDs []string, now time.Time, extra Extra) (Notice, error) {
	if _, known := kinds[kind]; !known {
		return Notice{}, fmt.Errorf("notice kind %q is not known", kind)
	}
	at := slices.IndexFunc(f.Tenants, func(t fleet.Tenant) bool { return t.ID == tenantID })
	if at < 0 {
		return Notice{}, fmt.Errorf("tenant %q is not in the fleet: a fleet that names it and its contacts would allow the notice", tenantID)
	}
	n := empty(p, kind, f.Tenants[at], now)
	if extra.ID != "" {
		n.ID = extra.ID
	}
	n.Reason = extra.Reason
	wanted := map[string]bool{}
	for _, id := range slotIDs {
		wanted[id] = true
	}
	theirs := 0
	for _, s := range p.Slots {
		if s.Tenant == tenantID {
			theirs++
		}
		if !wanted[s.ID] {
			continue
		}
		if s.Tenant != tenantID {
			return Notice{}, fmt.Errorf("slot %q is promised to tenant %q, not to %q", s.ID, s.Tenant, tenantID)
		}
		delete(wanted, s.ID)
		n.Items = append(n.Items, item(kind, s, extra))
	}
	for _, id := range slotIDs {
		if wanted[id] {
			return Notice{}, fmt.Errorf("slot %q is not in revision %d of campaign %q", id, p.Revision, p.Campaign)
		}
	}
	n.All = len(n.Items) == theirs
	n.sort()
	if n.Reason == "" && kinds[kind].promise {
		n.Reason = overruled(n.Items)
	}
	return n, owned(n, f)
}

// overruled says that times were kept free at the tenant's wish and are not any more; empty: none was. It names no
// deadline: that may be the disclosure.
func overruled(items []Item) string {
	var said []string
	for _, it := range items {
		if o := it.Slot.Overrules; o != "" && !slices.Contains(said, o) {
			said = append(said, o)
		}
	}
	if len(said) == 0 {
		return ""
	}
	return "You asked for no maintenance from " + strings.Join(said, ", and from ") + ". This work must be done by a deadline that leaves no other time."
}

func item(kind Kind, s plan.Slot, extra Extra) Item {
	it := Item{Slot: s, Instance: s.Instance}
	if was, moved := extra.Was[s.ID]; moved {
		it.Was = &was
	}
	if a, happened := extra.Actual[s.ID]; happened {
		it.ActualFrom, it.ActualTo, it.ActualMs = a.From, a.To, a.Ms
	} else if kind == Finished {
		it.ActualMs = -1 // nobody said: it must not read as 'not interrupted'
	}
	return it
}

// owned refuses a notice on an instance that by now belongs to another tenant.
func owned(n Notice, f *fleet.Fleet) error {
	told := map[string]bool{}
	for _, it := range n.Items {
		told[it.Instance] = true
	}
	for _, in := range f.Instances {
		if told[in.ID] && in.Tenant != n.Tenant.ID {
			return fmt.Errorf("instance %q belongs to tenant %q, not to %q: only a new plan revision can tell of it", in.ID, in.Tenant, n.Tenant.ID)
		}
	}
	return nil
}

// empty is a notice without items.
func empty(p *plan.Plan, kind Kind, tenant fleet.Tenant, now time.Time) Notice {
	if tenant.Timezone == "" {
		tenant.Timezone = "UTC"
	}
	n := Notice{
		ID:   ID(p.Campaign, p.Revision, kind, tenant.ID),
		Kind: kind, Campaign: p.Campaign, Revision: p.Revision, Tenant: tenant,
		Public: p.Public, Disclosed: true, OperatorContact: p.Policy.Contact,
		Key: p.Digest + p.FleetDigest,
	}
	if t := p.Target; t != nil {
		n.Disclosure = t.Disclosure
		n.Disclosed = !now.Before(t.Disclosure)
		n.Advisories = slices.Clone(t.Fixes)
		n.Hidden = []string{p.Campaign, t.ID}
	}
	return n
}

// sort puts items by start, then instance, then slot id.
func (n *Notice) sort() {
	slices.SortFunc(n.Items, func(a, b Item) int {
		return cmp.Or(a.Slot.Start.Compare(b.Slot.Start), cmp.Compare(a.Instance, b.Instance), cmp.Compare(a.Slot.ID, b.Slot.ID))
	})
}
