package audit

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Beside the policy regions, sites, host groups and tenants may own windows and freezes. A turn that somebody feels, and
// each of its slots, lies in a window of every owner of its place; a turn or slot of a tenant in a window of that tenant.
// In a freeze of its place no turn runs at all; in a tenant's none that the tenant feels (law 2).

// say is what one owner allows over the time of the plan.
type say struct {
	owner  string
	ruled  bool // it owns windows
	open   opening
	frozen []span
	noes   []span // freezes that give way to a deadline
}

// bears: it allows less than always.
func (s *say) bears() bool { return s.ruled || len(s.frozen)+len(s.noes) > 0 }

// judgeHours asks each turn.
func (d *dossier) judgeHours() {
	from, to := d.reach()
	known := map[string]*say{}
	for _, t := range d.ordered {
		felt := d.disrupting(t)
		for _, s := range d.saysOf(known, t, from, to) {
			d.must(unfrozen(s.frozen, t.Start, worst(t)), 2, "frozen", ofTurn(t), t.Start, "a time outside the freezes of "+s.owner,
				"turn %s runs at worst %s to %s, in a freeze of %s", t.ID, clock(t.Start), clock(worst(t)), s.owner)
			if felt {
				d.inOwn(s, t, ofTurn(t))
			}
			for _, slot := range d.slotsOf[t.ID] {
				if disrupts(slot.Class) {
					d.slotInOwn(s, slot)
				}
			}
		}
		for _, slot := range d.slotsOf[t.ID] {
			if tn := d.tenants[slot.Tenant]; tn != nil && disrupts(slot.Class) {
				d.ofTenant(d.sayOf(known, "tenant "+tn.ID, tn.Timezone, tn.Windows, tn.Freezes, from, to), t, slot)
			}
		}
	}
}

// reach is the time that the plan's turns, their windows and slots lie in.
func (d *dossier) reach() (from, to time.Time) {
	widen := func(start, end time.Time) {
		if !start.IsZero() && (from.IsZero() || start.Before(from)) {
			from = start
		}
		if end.After(to) {
			to = end
		}
	}
	for _, t := range d.ordered {
		widen(t.Start, worst(t))
		widen(t.WindowStart, t.WindowEnd)
	}
	for i := range d.p.Slots {
		widen(d.p.Slots[i].Start, d.p.Slots[i].End)
	}
	return from, to
}

// inOwn: the turn lies in a window of the owner, and so does the stretch that it calls its window.
func (d *dossier) inOwn(s *say, t *plan.Turn, who Subject) {
	if !s.ruled {
		return
	}
	d.must(s.open.holds(t.Start, worst(t)), 2, "turn-outside-own-window", who, t.Start, "a window of "+s.owner+" that holds the turn's start and start + worst_s",
		"turn %s runs at worst %s to %s, in no window of %s", t.ID, clock(t.Start), clock(worst(t)), s.owner)
	d.must(s.open.holds(t.WindowStart, t.WindowEnd), 2, "window-misstated", who, t.Start, "bounds that windows of "+s.owner+" hold",
		"turn %s says its window is %s to %s, which no window of %s holds", t.ID, clock(t.WindowStart), clock(t.WindowEnd), s.owner)
}

func (d *dossier) slotInOwn(s *say, slot *plan.Slot) {
	d.must(!s.ruled || s.open.holds(slot.Start, slot.End), 2, "slot-outside-own-window", ofSlot(slot), slot.Start, "a slot inside one window of "+s.owner,
		"slot %s is %s to %s, in no window of %s", slot.ID, clock(slot.Start), clock(slot.End), s.owner)
	d.must(unfrozen(s.frozen, slot.Start, slot.End), 2, "slot-frozen", ofSlot(slot), slot.Start, "a slot outside the freezes of "+s.owner,
		"slot %s is %s to %s, in a freeze of %s", slot.ID, clock(slot.Start), clock(slot.End), s.owner)
}

// ofTenant asks a slot's tenant of the slot and of the turn behind it.
func (d *dossier) ofTenant(s *say, t *plan.Turn, slot *plan.Slot) {
	s = &say{owner: s.owner, ruled: s.ruled, open: s.open, noes: s.noes, frozen: append(append([]span{}, s.frozen...), d.frozenFor(t.Host, slot.Tenant)...)}
	if !d.overrules(s, t, slot) {
		s.frozen = append(s.frozen, s.noes...)
	}
	if !s.bears() {
		return
	}
	d.inOwn(s, t, ofSlot(slot))
	d.slotInOwn(s, slot)
	d.must(unfrozen(s.frozen, t.Start, worst(t)), 2, "frozen", ofSlot(slot), t.Start, "a time outside the freezes of "+s.owner,
		"turn %s interrupts %s and runs at worst %s to %s, in a freeze of %s", t.ID, slot.Instance, clock(t.Start), clock(worst(t)), s.owner)
}

// overrules: the slot says that a no of its tenant gave way. It does so only to a deadline that the turn keeps, and only
// where there is one.
func (d *dossier) overrules(s *say, t *plan.Turn, slot *plan.Slot) bool {
	if slot.Overrules == "" {
		return false
	}
	by := deadline(d.p)
	if tg := d.p.Target; tg != nil && tg.Disclosure.After(d.p.Made) && !forbids(tg) && !d.p.Policy.AfterDisclosure && !t.Deferred && (by.IsZero() || tg.Disclosure.Before(by)) {
		by = tg.Disclosure
	}
	d.must(!by.IsZero() && !worst(t).After(by), 2, "overruled-for-nothing", ofSlot(slot), slot.Start, "a finish_by or disclosure that the turn keeps, or no word that something is overruled",
		"slot %s says that it overrules %s, and turn %s ends at worst %s: no deadline is kept by that", slot.ID, slot.Overrules, t.ID, clock(worst(t)))
	d.must(!unfrozen(s.noes, slot.Start, slot.End), 2, "overrules-nothing", ofSlot(slot), slot.Start, "an empty overrules, for its tenant said no to nothing of it",
		"slot %s says that it overrules %s, and no freeze of %s that yields holds any of %s to %s", slot.ID, slot.Overrules, s.owner, clock(slot.Start), clock(slot.End))
	return true
}

// saysOf are those who have a say at a turn's place.
func (d *dossier) saysOf(known map[string]*say, t *plan.Turn, from, to time.Time) (out []*say) {
	at := d.where(t.Host)
	add := func(s *say) {
		if s.bears() {
			out = append(out, s)
		}
	}
	add(&say{owner: "the policy", frozen: d.frozenFor(t.Host, "")})
	for i := range d.f.Regions {
		if r := &d.f.Regions[i]; r.ID == at.region {
			add(d.sayOf(known, "region "+r.ID, at.zone, r.Windows, r.Freezes, from, to))
			break
		}
	}
	if s := d.sites[at.site]; s != nil {
		add(d.sayOf(known, "site "+s.ID, at.zone, s.Windows, s.Freezes, from, to))
	}
	for _, g := range d.hostGroups[t.Host] {
		add(d.sayOf(known, "host group "+g.ID, at.zone, g.Windows, g.Freezes, from, to))
	}
	return out
}

// sayOf reads what an owner writes, once for each zone that it may mean.
func (d *dossier) sayOf(known map[string]*say, owner, zone string, windows []fleet.Window, freezes []fleet.Freeze, from, to time.Time) *say {
	key := owner + "\x00" + zone
	if s := known[key]; s != nil {
		return s
	}
	s := &say{owner: owner, ruled: len(windows) > 0}
	known[key] = s
	var rules []plan.WindowRule
	for _, w := range windows {
		rules = append(rules, plan.WindowRule{Days: w.Days, RRule: w.RRule, From: w.From, Start: w.Start, Length: w.Length, Timezone: w.Timezone})
	}
	var err error
	if s.ruled {
		s.open, err = openings(rules, place{zone: zone}, from, to)
	}
	for _, z := range freezes {
		at, bad := frozenSpan(z.From, z.To, orZone(z.Timezone, zone))
		if bad != nil && err == nil {
			err = bad
		}
		if z.Yields {
			s.noes = append(s.noes, at)
		} else {
			s.frozen = append(s.frozen, at)
		}
	}
	if s.bears() {
		d.must(err == nil, 2, "own-windows-unreadable", Subject{}, time.Time{}, "windows and freezes with known zones, dates and rules", "what %s writes cannot be read: %v", owner, err)
	}
	return s
}

// frozenFor are the policy's freezes of a host that name no tenant, or those that name one.
func (d *dossier) frozenFor(host, tenant string) (out []span) {
	at := d.where(host)
	for i, r := range d.p.Policy.Freezes {
		inGroup := len(r.HostGroups) == 0
		for _, g := range d.hostGroups[host] {
			inGroup = inGroup || contains(r.HostGroups, g.ID)
		}
		meant := tenant == "" && len(r.Tenants) == 0 || tenant != "" && contains(r.Tenants, tenant)
		if !meant || !inGroup || !matches(r.Regions, at.region) || !matches(r.Sites, at.site) || r.Hypervisor != "" && r.Hypervisor != at.hypervisor {
			continue
		}
		s, err := frozenSpan(r.From, r.To, orZone(r.Timezone, at.zone))
		d.must(err == nil, 2, "freeze-unreadable", Subject{Host: host}, time.Time{}, "a freeze with a known zone and two dates with times of day", "policy's freezes[%d] cannot be read: %v", i, err)
		out = append(out, s)
	}
	return out
}

func orZone(zone, other string) string {
	if zone == "" {
		return other
	}
	return zone
}

// frozenSpan is a freeze in its longest reading: from the first instant that may be meant to the last.
func frozenSpan(from, to, zone string) (span, error) {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		return span{}, fmt.Errorf("time zone %q: %w", zone, err)
	}
	var s span
	for _, end := range []struct {
		text string
		to   *time.Time
		last bool
	}{{from, &s.start, false}, {to, &s.end, true}} {
		u, err := time.Parse("2006-01-02 15:04", end.text)
		if err != nil {
			return span{}, fmt.Errorf("%q is no date with a time of day like 2026-11-27 00:00", end.text)
		}
		a, b := meant(u, loc)
		if *end.to = a; end.last {
			*end.to = b
		}
	}
	return s, nil
}

// meant are the first and the last instant that a wall time may mean: those at which clocks show it, or, when they never
// do, those by the clocks of before and after the change.
func meant(u time.Time, loc *time.Location) (first, last time.Time) {
	var shown, all []time.Time
	for _, x := range []time.Time{u.Add(-15 * time.Hour), u.Add(13 * time.Hour)} {
		_, off := x.In(loc).Zone()
		at := u.Add(-time.Duration(off) * time.Second)
		if all = append(all, at); shows(at, u, loc) {
			shown = append(shown, at)
		}
	}
	if len(shown) > 0 {
		all = shown
	}
	first, last = all[0], all[len(all)-1]
	if last.Before(first) {
		first, last = last, first
	}
	return first.UTC(), last.UTC()
}

// unfrozen: nothing of [start, end) lies in one of the spans.
func unfrozen(spans []span, start, end time.Time) bool {
	for _, s := range spans {
		if s.end.After(start) && s.start.Before(end) {
			return false
		}
	}
	return true
}
