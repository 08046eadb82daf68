package execution

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/version"
)

// decideEmpty moves every instance that can move off the host, late-placed, as far as concurrency,
// groups and room allow now. Those that will be saved or stopped stay until StepStop.
func (s *State) decideEmpty(t *TurnState, now time.Time, quiet bool) []Fact {
	if !s.sees(t, now) {
		return nil
	}
	if facts, wait := s.gone(t); facts != nil || wait {
		return facts
	}
	if end := s.lastEnd(t); !end.IsZero() && now.After(end) && !t.anyStage(StageMoving) && len(present(s.host(t.Plan.Host).View)) > 0 {
		return []Fact{*t.held(CodeSlotMissed, "the host is not empty and its slots ended at "+end.Format(time.RFC3339), "plan again: what is left needs another slot")}
	}
	left, stuck := s.unprovenOf(t)+t.count(StageMoving), []string{}
	var why []string
	soon := left > 0
	for _, in := range present(s.host(t.Plan.Host).View) {
		if in.Incoming {
			left++
			soon = true
			continue
		}
		if s.disposition(t, in.ID) != plan.DispLiveMigrate {
			continue // its turn comes after the update
		}
		g := t.guest(in.ID)
		if g.Stage == StageMoving || g.Stage == StageHoming || g.Sticky != "" {
			continue // counted already
		}
		left++
		if other := s.unproven[in.ID]; other != "" { // another turn's move of it ended unread
			return []Fact{*t.held(CodeUnproven, fmt.Sprintf("%s runs here and, for all that is known, may run twice: turn %s does not know where its move of it ended", in.ID, other), "settle turn "+other+" first, then: evenkeel retry "+t.Plan.Host)}
		}
		if in.State == string(fleet.Paused) && !in.Migrating {
			stuck = append(stuck, in.ID+" is paused by somebody")
			continue
		}
		if g.Stage == StageStuck {
			stuck = append(stuck, fmt.Sprintf("%s: %s", in.ID, orElse(g.Why, g.Code)))
			continue
		}
		if g.Stage == StageAway && t.Refills >= maxRefills {
			return []Fact{*t.held(CodeRefilled, in.ID+" and others keep coming back to the host that is being emptied", "stop the tool that places them, then: evenkeel retry "+t.Plan.Host)}
		}
		if quiet || now.Before(g.RetryAt) || s.movesFull(t) {
			soon = true
			continue
		}
		f, p := s.tryMove(t, in, now)
		if f != nil {
			return f
		}
		soon = soon || p.Wait
		for _, r := range p.Why {
			why = append(why, in.ID+" to "+r.Why)
		}
	}
	switch {
	case left == 0 && len(stuck) == 0:
		return t.done("no instance that can move is left on the host")
	case soon || quiet:
		return nil
	case len(stuck) > 0:
		return []Fact{*t.held(s.stuckCode(t), "cannot be moved: "+strings.Join(stuck, "; "), s.afterStuck(t))}
	}
	return []Fact{*t.held(CodeNoPlace, "no destination: "+strings.Join(why, "; "), "free room or lift the rule named, then: evenkeel retry "+t.Plan.Host)}
}

// lastEnd is when the last of a turn's slots ends; without slots, its window.
func (s *State) lastEnd(t *TurnState) time.Time {
	end := time.Time{}
	for _, sl := range s.ofTurn[t.Plan.ID] {
		end = later(end, sl.End)
	}
	if end.IsZero() {
		end = t.Plan.WindowEnd
	}
	return end
}

// stuckCode: two copies of one instance outrank every other reason.
func (s *State) stuckCode(t *TurnState) string {
	for _, g := range t.sortedGuests() {
		if g.Stage == StageStuck && g.Code == CodeSplit {
			return CodeSplit
		}
	}
	return CodeMoveFailed
}

// afterStuck is what a person can do about instances that cannot be moved. A stop is never the answer
// by itself: their tenants were promised a live migration and must be told of a stop first (law 1).
func (s *State) afterStuck(t *TurnState) string {
	for _, g := range t.Guests {
		if g.Stage == StageStuck && g.Code == "no-progress" && slices.Contains(s.Plan.Policy.NonConverging, "suspend") {
			return "it dirties memory faster than it can be sent: plan again with a stop for it, of which its tenant is told first; or, once it is calmer: evenkeel retry " + t.Plan.Host
		}
	}
	return "look at these instances, then: evenkeel retry " + t.Plan.Host
}

// tryMove places one instance and checks its slot.
func (s *State) tryMove(t *TurnState, in InstanceView, now time.Time) ([]Fact, Placement) {
	known := s.index.Instances[in.ID] != nil
	sl := s.turnSlot[t.Plan.ID+"/"+in.ID]
	deadline := now.Add(time.Duration(s.Plan.Policy.Times.MigrateMax))
	end := t.Plan.WindowEnd // for one that nobody was told about
	if sl != nil {
		end = sl.End
	}
	if !end.IsZero() && deadline.After(end) {
		return []Fact{*t.held(CodeSlotMissed, fmt.Sprintf("%s's slot ends at %s and its move may take %s", in.ID, end.Format(time.RFC3339), time.Duration(s.Plan.Policy.Times.MigrateMax)), "plan again: what is left needs another slot")}, Placement{}
	}
	if sl == nil && !s.noted(t, in.ID) {
		t := Fact{Kind: External, Turn: t.Plan.ID, Host: t.Plan.Host, Instance: in.ID, Code: "appeared", Why: "it was put on this host by others; it can only be live-migrated"}
		return []Fact{t}, Placement{}
	}
	p := s.Place(t, in.ID, now)
	if p.To == "" {
		return nil, p
	}
	g := t.guest(in.ID)
	f := Fact{Kind: MovePlaced, Turn: t.Plan.ID, Instance: in.ID, From: t.Plan.Host, To: p.To, Attempt: g.Attempt + 1,
		Deadline: deadline, Disposition: plan.DispLiveMigrate}
	if known {
		f.Tenant = s.index.Instances[in.ID].Tenant
	}
	for _, r := range p.Why {
		f.Why += "; " + r.Why
	}
	if f.Why != "" {
		f.Why = "no fixed host can take it" + f.Why
	}
	return []Fact{f}, p
}

// noted: the journal says already that the instance came to this host by others' hands.
func (s *State) noted(t *TurnState, instance string) bool { return s.appeared[t.Plan.ID+"/"+instance] }

// movesFull: the host or its pool has as many migrations in flight as policy allows.
func (s *State) movesFull(t *TurnState) bool {
	host, pool := 0, 0
	for _, a := range s.open {
		if a.Kind != MovePlaced {
			continue
		}
		if a.Turn == t.Plan.ID {
			host++
		}
		if s.Turns[a.Turn].Plan.Pool == t.Plan.Pool {
			pool++
		}
	}
	p := s.Plan.Policy
	return host >= max(1, p.MovesPerHost) || pool >= max(1, p.MovesPerPool)
}

// gone records instances that should be on the host by all we know and that several looks in a row
// did not show. wait: some were missed, but not often enough to believe it.
func (s *State) gone(t *TurnState) (facts []Fact, wait bool) {
	absent := s.host(t.Plan.Host).Absent
	for _, id := range sortedKeys(absent) {
		switch {
		case s.unproven[id] != "":
			continue // its own reading of both ends decides
		case absent[id] < looksToBelieve:
			wait = true
		default:
			facts = append(facts, Fact{Kind: External, Turn: t.Plan.ID, Host: t.Plan.Host, Instance: id, Code: "gone", Why: "it was on this host and is not there any more; no act of ours moved it"})
		}
	}
	return facts, wait
}

// doubts: the last look did not show an instance that should be there, and one look may be wrong.
func (s *State) doubts(host string) bool {
	for id, n := range s.host(host).Absent {
		if n < looksToBelieve && s.unproven[id] == "" {
			return true
		}
	}
	return false
}

// decideStop saves or stops what stays, in its promised slot and with its group's leave.
func (s *State) decideStop(t *TurnState, now time.Time, quiet bool) []Fact {
	if !s.sees(t, now) || s.doubts(t.Plan.Host) || s.unprovenOf(t) > 0 {
		return nil
	}
	left := 0
	for _, in := range present(s.host(t.Plan.Host).View) {
		left++
		g := t.guest(in.ID)
		d := s.disposition(t, in.ID)
		sl := s.turnSlot[t.Plan.ID+"/"+in.ID]
		switch {
		case d != plan.DispStatefulStop && d != plan.DispStop:
			return t.failed(CodeRefilled, in.ID+" runs on the emptied host", "keep other tools from placing instances there", true)
		case g.Stage == StageStopping:
			continue
		case g.Stage == StageStuck:
			return []Fact{*t.held(CodeStopFailed, fmt.Sprintf("%s: %s", in.ID, g.Why), "look at this instance, then: evenkeel retry "+t.Plan.Host)}
		case now.Add(s.restWorst()).After(sl.End):
			why := fmt.Sprintf("%s's slot ends at %s and what is left may take %s", in.ID, sl.End.Format(time.RFC3339), s.restWorst())
			if full := s.groupFull(s.instance(in.ID)); full != "" {
				why += "; group " + full + " could not spare it before"
			}
			return []Fact{*t.held(CodeSlotMissed, why, "plan again: it needs another slot")}
		case quiet || g.InDoubt || now.Before(g.RetryAt) || s.groupFull(s.instance(in.ID)) != "":
			continue
		}
		return []Fact{{Kind: StopStarted, Turn: t.Plan.ID, Instance: in.ID, Tenant: sl.Tenant, From: t.Plan.Host, Disposition: d, Attempt: g.Attempt + 1,
			Deadline: now.Add(time.Duration(s.Plan.Policy.Times.SaveMax))}}
	}
	if left == 0 {
		return t.done("nothing runs on the host")
	}
	return nil
}

// restWorst is the worst case from the first stop to the last instance back.
func (s *State) restWorst() time.Duration {
	t := s.Plan.Policy.Times
	return time.Duration(2*t.SaveMax + t.RebootMax)
}

// decideReboot looks once more that the host is empty, then orders the reboot of that very boot.
func (s *State) decideReboot(t *TurnState, now time.Time, quiet bool) []Fact {
	if !t.Ordered.IsZero() { // ordered before, and not proven to have been refused: the boot id will tell
		return []Fact{{Kind: StepDone, Turn: t.Plan.ID, Host: t.Plan.Host, Step: StepReboot, Attempt: t.Attempt, BootID: t.OldBoot, Why: "the order went out and its answer was lost: the host's boot id tells what came of it"}}
	}
	if quiet || !s.sees(t, now) || s.doubts(t.Plan.Host) || s.unprovenOf(t) > 0 || t.anyStage(StageMoving, StageHoming, StageStopping, StageBacking) {
		return nil
	}
	v := s.host(t.Plan.Host).View
	if t.OldBoot != "" && v.BootID != "" && v.BootID != t.OldBoot { // an earlier order took effect after all
		return []Fact{{Kind: StepDone, Turn: t.Plan.ID, Host: t.Plan.Host, Step: StepReboot, Attempt: t.Attempt, BootID: t.OldBoot, Why: "its boot id changed from " + t.OldBoot + " to " + v.BootID}}
	}
	if p := present(v); len(p) > 0 {
		if t.Refills >= maxRefills {
			return []Fact{*t.held(CodeRefilled, fmt.Sprintf("%s and others keep coming back to the emptied host", p[0].ID), "stop the tool that places them, then: evenkeel retry "+t.Plan.Host)}
		}
		return t.failed(CodeRefilled, p[0].ID+" runs on the emptied host", "keep other tools from placing instances there", true)
	}
	if v.BootID == "" {
		return t.failed(CodeStepFailed, "the host's boot id cannot be read, so its reboot cannot be guarded: "+strings.Join(v.Missing, "; "), "make it readable (SSH), then: evenkeel retry "+t.Plan.Host, false)
	}
	for _, g := range t.sortedGuests() {
		if sl := s.turnSlot[t.Plan.ID+"/"+g.ID]; sl != nil && g.Stage == StageStopped {
			if worst := time.Duration(s.Plan.Policy.Times.RebootMax + s.Plan.Policy.Times.SaveMax); now.Add(worst).After(sl.End) {
				return []Fact{*t.held(CodeSlotMissed, fmt.Sprintf("%s's slot ends at %s and the reboot may take %s", g.ID, sl.End.Format(time.RFC3339), worst), "plan again: it needs another slot")}
			}
		}
	}
	f := t.start(StepReboot, now.Add(2*time.Minute))
	f.BootID = v.BootID
	return []Fact{f}
}

// decideProof judges what came back: another boot, healthy, with the fix in effect.
func (s *State) decideProof(t *TurnState, now time.Time) []Fact {
	if !t.Started {
		return []Fact{t.start(StepProve, now.Add(time.Duration(s.Plan.Policy.Times.RebootMax)))}
	}
	if s.proofAt(t) {
		return s.judgeProof(t)
	}
	if now.Before(t.Deadline) {
		return nil
	}
	h := s.host(t.Plan.Host)
	if h.View != nil && h.At.After(t.Since) && h.Lost.IsZero() && h.View.BootID == t.OldBoot {
		return []Fact{*t.held(CodeSameBoot, "it still answers with the boot id from before its reboot order", "reboot it by hand or find out why it did not, then: evenkeel retry "+t.Plan.Host)}
	}
	return []Fact{*t.held(CodeNotBack, fmt.Sprintf("it has not come back within %s: %s", time.Duration(s.Plan.Policy.Times.RebootMax), orElse(h.Why, "no answer")), "bring it back by its console, then: evenkeel retry "+t.Plan.Host)}
}

// proofAt: a look since the step began shows the host on another boot.
func (s *State) proofAt(t *TurnState) bool {
	h := s.host(t.Plan.Host)
	return t.Started && h.View != nil && h.Lost.IsZero() && !h.At.Before(t.Since) && h.View.BootID != "" && h.View.BootID != t.OldBoot
}

func (s *State) judgeProof(t *TurnState) []Fact {
	v := s.host(t.Plan.Host).View
	if v.Health != string(fleet.Up) {
		return []Fact{*t.held(CodeUnhealthy, "it came back "+v.Health+": "+strings.Join(v.Missing, "; "), "make its services healthy, then: evenkeel retry "+t.Plan.Host)}
	}
	evidence := "boot id " + v.BootID
	if t.OldBoot != "" {
		evidence = fmt.Sprintf("boot id %s -> %s", t.OldBoot, v.BootID)
	}
	if c := s.cohort(t.Plan.Host); c != nil {
		for _, pkg := range sortedKeys(c.Packages) {
			ok, what := inEffect(v, t.OldBoot != "", c.Ecosystem, pkg, c.Packages[pkg])
			if !ok {
				return []Fact{*t.held(CodeOldVersion, what, "install the fixed version and reboot the host by hand, or mend the update, then: evenkeel retry "+t.Plan.Host)}
			}
			evidence += "; " + what
		}
	}
	return []Fact{{Kind: StepDone, Turn: t.Plan.ID, Host: t.Plan.Host, Step: StepProve, Attempt: t.Attempt, BootID: v.BootID, Why: evidence}}
}

// inEffect says whether a package is at the wanted version in what the host booted with, or, where
// no reboot was part of the turn, in what is installed. What cannot be read is not in effect.
func inEffect(v *HostView, rebooted bool, ecosystem, pkg, want string) (bool, string) {
	have, how := v.Booted[pkg], "booted"
	if !rebooted {
		have, how = v.Installed[pkg], "installed"
	}
	if have == "" {
		return false, fmt.Sprintf("the %s version of %s cannot be read: %s", how, pkg, strings.Join(v.Missing, "; "))
	}
	c, err := version.Compare(ecosystem, have, want)
	if err != nil {
		return false, err.Error()
	}
	if c < 0 {
		return false, fmt.Sprintf("%s %s %s is older than %s", pkg, how, have, want)
	}
	return true, fmt.Sprintf("%s %s %s (wanted %s)", pkg, how, have, want)
}

// decideJudge looks at the guests on the host through their own monitors.
func (s *State) decideJudge(t *TurnState, now time.Time) []Fact {
	if !s.sees(t, now) {
		return nil
	}
	c := s.cohort(t.Plan.Host)
	n, unknown := 0, 0
	for _, in := range present(s.host(t.Plan.Host).View) {
		if c == nil || in.Incoming {
			continue
		}
		n++
		for _, pkg := range sortedKeys(c.Packages) {
			have := in.Running[pkg]
			if have == "" {
				unknown++
				continue
			}
			if r, err := version.Compare(c.Ecosystem, have, c.Packages[pkg]); err == nil && r < 0 {
				return []Fact{*t.held(CodeStillOld, fmt.Sprintf("%s still runs on %s %s", in.ID, pkg, have), "restart or migrate this instance, then: evenkeel retry "+t.Plan.Host)}
			}
		}
	}
	if n > 0 && unknown == n*len(c.Packages) {
		return t.failed(CodeCannotJudge, fmt.Sprintf("none of the %d instances on it says through its monitor what it runs on", n), "look at their monitors, then: evenkeel retry "+t.Plan.Host, true)
	}
	return t.done(fmt.Sprintf("%d instances on it judged through their monitors, %d facts not readable", n, unknown))
}

// mayBringBack: nobody is brought back onto a host that a reboot order of ours may still take down.
// It is over once the host was seen on another boot, or on the same one long after the order.
func (s *State) mayBringBack(t *TurnState, now time.Time) bool {
	if t.Ordered.IsZero() {
		return true
	}
	h := s.host(t.Plan.Host)
	if h.View == nil || !h.Lost.IsZero() || !h.At.After(t.Ordered) {
		return false
	}
	return h.View.BootID != t.OldBoot && h.View.Health == string(fleet.Up) ||
		h.View.BootID == t.OldBoot && !h.At.Before(t.Ordered.Add(time.Duration(s.Plan.Policy.Times.RebootMax)))
}

// bringBack restores or starts what the turn stopped. It is no new disruption: it is allowed under
// pause, halt, abort and hold.
func (s *State) bringBack(t *TurnState, now time.Time) []Fact {
	if !s.mayBringBack(t, now) {
		return nil
	}
	for _, g := range t.sortedGuests() {
		if g.Stage != StageStopped || now.Before(g.RetryAt) {
			continue
		}
		if g.Failures >= maxBackFailures {
			if t.Phase == TurnOnHold {
				continue
			}
			return []Fact{*t.held(CodeNotReturned, fmt.Sprintf("%s does not come back: %s", g.ID, g.Why), "start it by hand, then: evenkeel retry "+t.Plan.Host)}
		}
		return []Fact{{Kind: BackStarted, Turn: t.Plan.ID, Instance: g.ID, To: t.Plan.Host, Disposition: g.Disposition, Attempt: g.Attempt + 1,
			Deadline: now.Add(time.Duration(s.Plan.Policy.Times.SaveMax))}}
	}
	return nil
}

// decideHome brings moved instances back where policy says so, within their slot; those that cannot
// come stay where they run.
func (s *State) decideHome(t *TurnState, now time.Time, quiet bool) []Fact {
	if !s.Plan.Policy.BringHome {
		return t.done("instances stay where they run")
	}
	if (quiet && s.Phase != PhaseAborted) || !s.sees(t, now) {
		return nil
	}
	away, home := 0, 0
	for _, g := range t.sortedGuests() {
		if g.Stage == StageHome {
			home++
		}
		if g.Stage == StageHoming || g.Sticky != "" {
			away++
			continue
		}
		who := s.Guests[g.ID]
		sl := s.turnSlot[t.Plan.ID+"/"+g.ID]
		deadline := now.Add(time.Duration(s.Plan.Policy.Times.MigrateMax))
		if g.Stage != StageAway || g.GoneHome || who.Gone || who.Host != g.MovedTo || s.index.Instances[g.ID] == nil {
			continue
		}
		if why := s.refusesHome(t, g, deadline); why != "" {
			return []Fact{{Kind: StaysAway, Turn: t.Plan.ID, Host: t.Plan.Host, Instance: g.ID, To: who.Host, Code: "stays", Why: why}}
		}
		if now.Before(g.RetryAt) || s.movesFull(t) || s.groupFull(s.instance(g.ID)) != "" {
			away++
			continue
		}
		f := Fact{Kind: MovePlaced, Turn: t.Plan.ID, Instance: g.ID, From: who.Host, To: t.Plan.Host, Attempt: g.Attempt + 1, Deadline: deadline, Home: true, Disposition: plan.DispLiveMigrate}
		if sl != nil {
			f.Tenant = sl.Tenant
		}
		return []Fact{f}
	}
	if away > 0 {
		return nil
	}
	return t.done(fmt.Sprintf("%d instances are back home", home))
}

// refusesHome says why an instance cannot be brought home; "" when it can.
func (s *State) refusesHome(t *TurnState, g *TurnGuest, deadline time.Time) string {
	in := s.instance(g.ID)
	sl := s.turnSlot[t.Plan.ID+"/"+g.ID]
	switch no, apart := s.fits(in, in.Host, t.Plan.Host), s.spreads(in, t.Plan.Host); {
	case s.Phase == PhaseAborted:
		return "the campaign was aborted"
	case g.Failures > 0 && (g.Code != "" && g.Stuck || g.Failures >= maxMoveFailures):
		return "its move home failed: " + orElse(g.Why, g.Code)
	case sl != nil && deadline.After(sl.End):
		return "its slot ends before the move home is sure to be over"
	case sl == nil:
		return "nobody was told of a move home"
	case no != nil:
		return no.Why
	case apart != nil:
		return apart.Why
	case s.free(t.Plan.Host) < in.MemoryMiB:
		return fmt.Sprintf("its home has %d MiB free and it needs %d", s.free(t.Plan.Host), in.MemoryMiB)
	}
	return ""
}
