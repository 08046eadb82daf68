package audit

import (
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// A live patch helps only the build that it binds to, and only while nobody reboots the host. So it is
// planned for no other host, and where the cohort says so, a reboot of the same host follows later.

// patching asks of each live patch whether it brings the fix to its host, of each deferred reboot
// whether it may come when it does, and of each other reboot whether its host is past the target.
func (d *dossier) patching() {
	if d.p.Target == nil {
		return
	}
	over, wave := d.patchesOver()
	for _, t := range d.ordered {
		if d.hosts[t.Host] == nil {
			continue // form has said so
		}
		switch {
		case t.Tactic == plan.LivePatch:
			d.brings(t)
		case reboots(t.Tactic):
			d.notPast(t)
		}
		if t.Deferred {
			d.deferred(t, over, wave)
		}
	}
	d.rebootsOwed()
}

// patchesOver is when the last live patch is over at worst and has soaked, and the last wave with one;
// zero: there is none.
func (d *dossier) patchesOver() (over time.Time, wave int) {
	for _, t := range d.ordered {
		if t.Tactic == plan.LivePatch {
			over, wave = latest(over, worst(t)), max(wave, t.Wave)
		}
	}
	if d.p.Policy.Canary && !over.IsZero() {
		over = over.Add(time.Duration(d.p.Policy.Soak))
	}
	return over, wave
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// brings asks of a live patch whether the target names patches for its host's build that fix all that
// the target fixes (law 10), and says of each file which one it must be (law 5).
func (d *dossier) brings(t *plan.Turn) {
	h := d.hosts[t.Host]
	bound, why := bringing(d.p.Target, d.cohort(h), h.Software.BuildID)
	d.must(why == "", 10, "no-live-patch", ofTurn(t), t.Start, "another tactic, or live patches for its build that fix all that the target fixes", "turn %s is a live patch, and %s", t.ID, why)
	for _, p := range bound {
		d.must(p.File == "" || p.SHA256 != "", 5, "payload-unnamed", ofTurn(t), t.Start, "sha256 of the payload in the target", "turn %s uploads %s, and the target does not say which bytes live patch %s has", t.ID, p.File, p.Name)
	}
}

// bringing are the live patches of a cohort that bind to a build; why they do not bring all fixes of the
// target to it, "" when they do. A patch without a list of fixes fixes all.
func bringing(tg *plan.Target, c *plan.Cohort, build string) (bound []plan.WantedPatch, why string) {
	if c == nil || len(c.LivePatches) == 0 {
		return nil, "its cohort names none"
	}
	left := map[string]bool{}
	for _, id := range fixesOf(tg) {
		left[strings.ToLower(id)] = true
	}
	for _, p := range c.LivePatches {
		switch {
		case p.BuildID != "" && build == "":
			return nil, "live patch " + p.Name + " binds to build " + p.BuildID + ", and the build that runs is not known"
		case p.BuildID != "" && !strings.EqualFold(p.BuildID, build):
			continue
		}
		bound = append(bound, p)
		for _, id := range p.Fixes {
			delete(left, strings.ToLower(id))
		}
		if len(p.Fixes) == 0 {
			clear(left)
		}
	}
	if len(bound) == 0 {
		return nil, "none of its cohort binds to build " + build
	}
	for _, id := range fixesOf(tg) {
		if left[strings.ToLower(id)] {
			return bound, "none that binds to build " + build + " fixes " + id
		}
	}
	return bound, ""
}

// patchLess says what a list of live patches lacks of those wanted; "" when all are applied.
func patchLess(want []plan.WantedPatch, list []fleet.LivePatch) string {
	if list == nil {
		return "its list of live patches was not read"
	}
	for _, w := range want {
		state := "absent"
		for _, p := range list {
			if p.Name == w.Name && p.Component == w.Component {
				state = p.State
			}
		}
		if state != fleet.PatchApplied {
			return "live patch " + w.Name + " is " + state
		}
	}
	return ""
}

// deferred asks of a reboot that follows a live patch: its cohort asks for one (law 10); the fix is in
// effect without it, by a live patch of this plan or by one that was there, for disclosure does not
// bound it (law 9); and all live patches are over and have soaked (law 6).
func (d *dossier) deferred(t *plan.Turn, over time.Time, wave int) {
	h, s := d.hosts[t.Host], ofTurn(t)
	c := d.cohort(h)
	d.must(reboots(t.Tactic) && c != nil && c.Then == "reboot", 10, "deferred-what", s, t.Start, "a turn that reboots, in a cohort whose `then` is reboot", "turn %s, %s, is called deferred", t.ID, t.Tactic)
	if d.patchTurn(t.Host) == nil {
		why := d.hasPatches(h)
		d.must(why == "", 9, "deferred-exposed", s, t.Start, "a live patch ahead of it, a fleet that shows the live patches applied, or a reboot that is not deferred", "turn %s defers the reboot of host %s, no live patch is planned for it, and %s", t.ID, t.Host, why)
	}
	d.must(wave == 0 || !t.Start.Before(over) && t.Wave > wave, 6, "deferred-early", s, t.Start, "a later wave, from "+clock(over)+" on", "turn %s of wave %d starts %s, the live patches are over at worst and have soaked %s, the last ones in wave %d", t.ID, t.Wave, clock(t.Start), clock(over), wave)
}

// hasPatches says what a host lacks of its cohort's live patches by the plan's own fleet; "" when it has all
// that bind to its build, and these bring all fixes.
func (d *dossier) hasPatches(h *fleet.Host) string {
	want, why := bringing(d.p.Target, d.cohort(h), h.Software.BuildID)
	if why == "" {
		why = patchLess(want, h.Software.LivePatches)
	}
	return why
}

// patchTurn is the live patch that is planned for a host; nil without one.
func (d *dossier) patchTurn(host string) *plan.Turn {
	for _, id := range []string{plan.PatchTurn(host), host} {
		if t := d.turns[id]; t != nil && t.Host == host && t.Tactic == plan.LivePatch {
			return t
		}
	}
	return nil
}

// isPatchTurn: the turn goes by the name of a live patch that a reboot of the same host follows.
func (d *dossier) isPatchTurn(t *plan.Turn) bool {
	return t.ID == plan.PatchTurn(t.Host) && t.Tactic == plan.LivePatch && !t.Deferred && d.thenReboots(t.Host)
}

// thenReboots: the host's cohort wants it rebooted after its live patch.
func (d *dossier) thenReboots(host string) bool {
	h := d.hosts[host]
	if h == nil {
		return false
	}
	c := d.cohort(h)
	return c != nil && c.Then == "reboot"
}

// twins: the host has a live patch, and a reboot that is deferred.
func (d *dossier) twins(host string) bool {
	patch, later := d.turns[plan.PatchTurn(host)], d.turns[host]
	return patch != nil && patch.Host == host && d.isPatchTurn(patch) && later != nil && later.Host == host && later.Deferred
}

// rebootsOwed asks law 7 of each host that its cohort wants rebooted after its live patch, and that booted
// what is known to be older: there is a turn that reboots it, or a word under blocked.
func (d *dossier) rebootsOwed() {
	named, turned, patched := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, b := range d.p.Blocked {
		named[b.Host] = named[b.Host] || b.Instance == ""
	}
	for _, t := range d.ordered {
		turned[t.Host] = turned[t.Host] || reboots(t.Tactic)
		patched[t.Host] = patched[t.Host] || t.Tactic == plan.LivePatch
	}
	for _, k := range d.p.Skipped { // whom documents call fixed without its live patches has nothing that a reboot is to follow
		if h := d.hosts[k.Host]; h != nil && k.Code == "fixed" && d.thenReboots(k.Host) {
			patched[k.Host] = patched[k.Host] || d.hasPatches(h) == ""
		}
	}
	for i := range d.f.Hosts {
		h := &d.f.Hosts[i]
		if !patched[h.ID] || !d.thenReboots(h.ID) || !olderThan(d.cohort(h), h, h.Software.Booted) {
			continue
		}
		d.must(turned[h.ID] || named[h.ID], 7, "reboot-forgotten", Subject{Host: h.ID}, time.Time{}, "a deferred turn, or the host under blocked", "host %s booted %s, its cohort wants it rebooted after its live patch, and no turn does that",
			h.ID, versionsOf(h.Software.Booted))
	}
}

// notPast asks law 5 of a turn that changes and reboots a host: by the fleet that the plan was made from
// it is not past the target, with nothing on it that is older. Such an update could only take it back.
func (d *dossier) notPast(t *plan.Turn) {
	h := d.hosts[t.Host]
	c := d.cohort(h)
	if c == nil || len(c.Packages) == 0 {
		return
	}
	by, newer := familyFor(c, h), false
	for pkg, want := range c.Packages {
		for _, have := range []string{h.Software.Installed[pkg], h.Software.Booted[pkg]} {
			order, known := by.compare(have, want)
			if !known || order < 0 {
				return
			}
			newer = newer || order > 0
		}
	}
	if !newer || olderThan(c, h, h.Software.Running) {
		d.checked[4]++
		return
	}
	for _, in := range d.on[h.ID] {
		if occupies(in) && olderThan(c, h, in.Running) {
			return
		}
	}
	d.must(false, 5, "past-target", ofTurn(t), t.Start, "the host under skipped, or a target no older than what it has", "turn %s updates and reboots host %s, which is past the target: it has %s on its disk, and booted that",
		t.ID, t.Host, versionsOf(h.Software.Installed))
}
