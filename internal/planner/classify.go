package planner

import (
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// tactics are those that policy, cohort, remedy and the host's capabilities leave.
type tactics struct {
	livePatch, refresh, evacuate, suspend, reboot bool

	save, stop bool // what may be done to an instance that does not move
	inPlace    bool // and none may
}

func (t tactics) none() bool {
	return !t.livePatch && !t.refresh && !t.evacuate && !t.suspend && !t.reboot
}
func (t tactics) moves() bool { return (t.refresh || t.evacuate) && !t.inPlace }

// classify decides for each host whether it gets a turn, is skipped or is blocked.
func (w *world) classify() {
	for _, h := range w.hosts {
		w.classifyHost(h)
	}
	for _, h := range w.hosts {
		h.class = w.alike.host(h.Host)
	}
	// Only now is it known where instances could go.
	for _, h := range w.hosts {
		if h.status == due && !h.can.livePatch {
			w.judgeGuests(h)
		}
		if h.deferral.ahead && (h.status == due || h.status == patched) {
			w.judgeDeferral(h)
		}
	}
	w.prepare(later(w.now, w.embargo()), false)
}

func (w *world) classifyHost(h *host) {
	h.after = h.Host
	cohort, ok := w.needs(h)
	if !ok {
		return
	}
	if h.Health == fleet.Down {
		w.blockHost(h, "host-down", "host "+h.ID+" does not answer", "bring it back, read the fleet again and plan again")
		return
	}
	if h.ground.hours.None() {
		w.blockHost(h, "no-window", fmt.Sprintf("no window of the policy matches region %s, site %s, hypervisor %s", h.region, h.site, h.Hypervisor),
			"add a window that matches it to the policy")
		return
	}
	for _, g := range h.hostGroups {
		if g.spare <= 0 {
			w.blockHost(h, "host-group-degraded", fmt.Sprintf("host group %s allows %d away, and %d of its hosts are down already", g.ID, g.MaxUnavailable, g.MaxUnavailable-g.spare),
				"bring back the hosts of "+g.ID+" that are down, or raise its max_unavailable")
			return
		}
	}
	h.updates = w.in.Target != nil && !w.onlyGuests(h)
	h.can = w.allowed(h, cohort)
	h.after = asFixed(h.Host, cohort)
	if h.refreshed() {
		h.Host = h.after // before anybody moves
	}
	w.planDeferral(h)
	switch {
	case w.banned[h.ID].Code != "":
		b := w.banned[h.ID]
		w.blockHost(h, b.Code, b.Why, b.Unblock)
	case h.status == patched: // its deferred reboot is judged by itself
	case h.can.livePatch && w.buildOf(h) == "" && cohort.ByBuild():
		w.blockHost(h, "build-unknown", "the build id of the hypervisor of host "+h.ID+" was not read, and live patches of its cohort are for one build each: which of them are for it is not known",
			"read the host's build id, then assess and plan again")
	case h.updates && (h.can.refresh || h.can.livePatch) && len(cohort.Update.Command) == 0 && cohort.Update.Hooks == "" && (h.can.refresh || !cohort.ByPayload()):
		w.blockHost(h, "no-update-named", "the target names no update for host "+h.ID+", so nothing would bring it the fix", "name update.command in the cohort "+cohort.Name)
	case h.updates && !h.Can(fleet.CanUpdate):
		w.blockHost(h, "no-update", "host "+h.ID+" cannot be updated: its driver does not offer it", "give the host an ssh address or a driver that can update it")
	case h.unpatched != "":
		w.blockUnpatched(h, cohort)
	case h.can.none():
		w.blockHost(h, "no-tactic", w.whyNoTactic(h, cohort), "allow a tactic that both the host can carry out and the remedy needs, in the policy's and the cohort's tactics")
	}
}

// needs tells whether a host needs a turn and by which cohort (nil in a routine cycle); those that
// do not are skipped, those of which nothing is known are blocked.
func (w *world) needs(h *host) (*plan.Cohort, bool) {
	if w.in.Underway[h.ID] {
		b := underway(h.ID, w.in.Supersedes)
		w.blockHost(h, b.Code, b.Why, b.Unblock)
		return nil, false
	}
	if why := w.past[h.ID]; why != "" && w.in.Target == nil {
		h.status = at
		w.plan.Skipped = append(w.plan.Skipped, plan.Skipped{Host: h.ID, Code: codeDone, Why: why})
		return nil, false
	}
	if w.in.Target == nil {
		return nil, true
	}
	v, known := w.in.Assessment.Host(h.ID)
	switch {
	case !known:
		w.blockHost(h, codeUnknown, "the assessment does not know host "+h.ID, "assess this fleet again")
		return nil, false
	case w.shed[h.ID] != "": // whatever documents say of it
	case v.Verdict == advisory.IsFixed && v.Then != "": // by its live patch
	case v.Verdict == advisory.IsFixed && w.onlyGuests(h):
	case v.Verdict == advisory.IsFixed, v.Verdict == advisory.NotAffected:
		h.status = at
		w.plan.Skipped = append(w.plan.Skipped, plan.Skipped{Host: h.ID, Code: string(v.Verdict), Why: firstOf(v.Evidence, "the assessment says so")})
		w.blockUnsure(h)
		return nil, false
	case v.Verdict != advisory.IsAffected:
		w.blockHost(h, codeUnknown, "whether host "+h.ID+" is affected is not known: "+allOf(v.Evidence, "there is no evidence"), orElse(v.Needs, "look at the host's software, then assess again"))
		return nil, false
	}
	c := w.cohorts.Of(h.Host)
	if c == nil {
		w.blockHost(h, "no-cohort", "no cohort of target "+w.in.Target.ID+" matches host "+h.ID+", so nothing says what would fix it", "add a cohort that matches it to the target")
		return nil, false
	}
	return c, true
}

// blockUnsure names the instances of a host that needs no turn of which that cannot be said.
func (w *world) blockUnsure(h *host) {
	for _, g := range h.guests {
		v, ok := w.in.Assessment.Instance(g.ID)
		if !ok || v.Verdict != advisory.IsAffected && v.Verdict != advisory.IsUnknown {
			continue
		}
		b := plan.Blocked{Instance: g.ID, Code: codeUnknown, Why: "host " + h.ID + " needs no turn, and whether instance " + g.ID + " is affected is not known: " + allOf(v.Evidence, "there is no evidence"),
			Unblock: orElse(v.Needs, "assess this fleet again")}
		if v.Verdict == advisory.IsAffected {
			b.Code, b.Why = codeGuestAlone, "host "+h.ID+" is not affected, and instance "+g.ID+" on it is: "+firstOf(v.Evidence, "the assessment says so")
		}
		w.plan.Blocked = append(w.plan.Blocked, b)
	}
}

// onlyGuests: the host itself is fixed, but instances on it still run on what was there before.
func (w *world) onlyGuests(h *host) bool {
	if v, _ := w.in.Assessment.Host(h.ID); v.Verdict != advisory.IsFixed || v.Then != "" {
		return false
	}
	for _, g := range h.guests {
		if v, ok := w.in.Assessment.Instance(g.ID); ok && v.Verdict == advisory.IsAffected {
			return true
		}
	}
	return false
}

func (w *world) allowed(h *host, c *plan.Cohort) tactics {
	may := func(t plan.Tactic) bool { return w.may(c, t) }
	remedy := ""
	if c != nil {
		remedy = c.Remedy
	}
	reboot := h.Can(fleet.CanReboot)
	t := tactics{
		livePatch: w.patches(h, c),
		refresh:   (remedy == "refresh" || c != nil && w.onlyGuests(h)) && may(plan.Refresh),
		evacuate:  reboot && may(plan.Evacuate),
		suspend:   reboot && may(plan.Suspend) && h.Can(fleet.CanSuspend),
		reboot:    reboot && may(plan.Reboot),
	}
	t.save, t.stop = t.suspend, t.reboot
	if c != nil && c.InPlace {
		t.inPlace, t.evacuate = true, false
	}
	if t.refresh { // in place: no reboot is needed
		t.save, t.stop = may(plan.Suspend) && h.Can(fleet.CanSuspend), may(plan.Reboot)
	}
	if c != nil && w.onlyGuests(h) {
		// The host is at the target or past it: its update could only take it back, and its reboot
		// would help nobody whom a new process does not help.
		t.evacuate, t.suspend, t.reboot = false, false, false
	}
	return t
}

// may: policy and cohort allow a tactic.
func (w *world) may(c *plan.Cohort, t plan.Tactic) bool {
	return slices.Contains(w.policy.Tactics, t) && (c == nil || len(c.Tactics) == 0 || slices.Contains(c.Tactics, t))
}

func (w *world) whyNoTactic(h *host, c *plan.Cohort) string {
	why := fmt.Sprintf("policy allows %s", list(w.policy.Tactics))
	if c != nil {
		if len(c.Tactics) > 0 {
			why += fmt.Sprintf(", the cohort %s", list(c.Tactics))
		}
		if c.InPlace {
			why += ", and that nobody is live-migrated (in_place)"
		}
		why += ", the remedy is " + orElse(c.Remedy, "reboot")
	}
	if c != nil && w.onlyGuests(h) {
		why += ", the host itself is fixed and only instances on it run on what was there before: refresh gives them new processes"
	}
	if h.Capabilities != nil {
		why += fmt.Sprintf(", the host offers %s", list(h.Capabilities))
	}
	return "no tactic is left for host " + h.ID + ": " + why
}

// judgeGuests tells stuck instances apart and blocks the host when one of them can neither move nor
// be stopped.
func (w *world) judgeGuests(h *host) {
	var first *plan.Blocked
	block := func(b plan.Blocked) {
		w.plan.Blocked = append(w.plan.Blocked, b)
		if first == nil {
			first = &b
		}
	}
	for _, g := range h.toDo() {
		g.stuck = w.whyStuck(g)
		switch b := w.whyBlocked(h, g); {
		case b == nil:
		case h.refreshed():
			w.leave(g, *b)
		default:
			block(*b)
		}
	}
	if h.refreshed() {
		return // one after the other: no two of a group stay together
	}
	if first == nil {
		for _, b := range w.crowded(h) {
			block(b)
		}
	}
	if first != nil {
		w.blockHost(h, "instance-blocked", fmt.Sprintf("instance %s: %s", first.Instance, first.Why), first.Unblock)
	}
}

// blockUnpatched blocks a host that cannot be live-patched, where nothing else is left.
func (w *world) blockUnpatched(h *host, c *plan.Cohort) {
	why, unblock := w.whyNoReboot(h, c)
	if h.can.none() {
		why, unblock = w.whyNoTactic(h, c), "allow one of evacuate, suspend and reboot in the policy's and the cohort's tactics"
	}
	if why == "" {
		return
	}
	switch {
	case !w.may(c, plan.LivePatch):
		unblock = "allow the tactic live-patch in policy and cohort, or " + unblock
	case w.shed[h.ID] == "":
		unblock = "bring live patches for its build that fix all that the target fixes, or " + unblock
	}
	w.blockHost(h, plan.NoLivePatch, strings.TrimPrefix(h.unpatched, plan.NoLivePatch+": ")+"; "+why, unblock)
}

func (w *world) blockHost(h *host, code, why, unblock string) {
	if h.deferral.ahead && !h.can.livePatch {
		why = "it has its live patch, or gets it, and the reboot that is to follow cannot be planned: " + why
	}
	if h.toPrepare() {
		for _, p := range h.pools {
			p.preparing--
		}
	}
	h.status = blocked
	h.stand()
	w.lineUp(h)
	w.reckon(h)
	w.plan.Blocked = append(w.plan.Blocked, plan.Blocked{Host: h.ID, Code: code, Why: why, Unblock: unblock})
}
