package execution

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// decideStop saves or stops what stays, in its promised slot and with its group's leave.
func (s *State) decideStop(t *TurnState, now time.Time, quiet bool) []Fact {
	if !s.knows(t, now) || s.doubts(t.Plan.Host) || s.unprovenOf(t) > 0 {
		return nil
	}
	left := 0
	for _, in := range s.left(t) {
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
			return []Fact{*t.held(CodeStopFailed, fmt.Sprintf("%s: %s", in.ID, g.Why), "look at this instance, then: evenkeel retry "+t.Plan.ID)}
		case now.Add(s.restWorst(t)).After(sl.End):
			why := fmt.Sprintf("%s's slot ends at %s and what is left may take %s", in.ID, sl.End.Format(time.RFC3339), s.restWorst(t))
			if full := s.groupFull(s.instance(in.ID)); full != "" {
				why += "; group " + full + " could not spare it before"
			}
			return []Fact{*t.held(CodeSlotMissed, why, "plan again: it needs another slot")}
		case quiet || g.InDoubt || now.Before(g.RetryAt) || s.groupFull(s.instance(in.ID)) != "":
			continue
		}
		return []Fact{{Kind: StopStarted, Turn: t.Plan.ID, Instance: in.ID, Tenant: sl.Tenant, From: t.Plan.Host, Disposition: d, Attempt: g.Attempt + 1,
			Deadline: now.Add(s.saveMax(t))}}
	}
	if left == 0 {
		return t.done("nothing runs on the host")
	}
	return nil
}

// left lists the instances that occupy a turn's host by the last look at it, but for those that our own acts
// have stopped or taken away since: each of these acts has read that by itself.
func (s *State) left(t *TurnState) []InstanceView {
	v := s.host(t.Plan.Host).View
	return slices.DeleteFunc(present(v), func(in InstanceView) bool {
		g := s.Guests[in.ID]
		return g != nil && g.Changed.After(v.At) && !s.inFlight(in.ID) && (g.Host != t.Plan.Host || g.State == fleet.Stopped)
	})
}

// saveMax is how long each save, stop, restore or start of a turn may take: as long as all of them
// together, for its instances are saved side by side, or wait for one another, and share the host's disk.
func (s *State) saveMax(t *TurnState) time.Duration { return t.Plan.SaveMax(s.Plan.Policy.Times) }

// decideReboot orders the reboot of the boot that was seen last, once the host is empty by a look that is
// fresh and by what our own acts have done since. That others have filled it meanwhile, the order's own look finds.
func (s *State) decideReboot(t *TurnState, now time.Time, quiet bool) []Fact {
	if !t.Ordered.IsZero() { // ordered before, and not proven to have been refused: the boot id will tell
		return []Fact{{Kind: StepDone, Turn: t.Plan.ID, Host: t.Plan.Host, Step: StepReboot, Attempt: t.Attempt, BootID: t.OldBoot, Why: "the order went out and its answer was lost: the host's boot id tells what came of it"}}
	}
	if quiet || !s.knows(t, now) || s.doubts(t.Plan.Host) || s.unprovenOf(t) > 0 || t.anyStage(StageMoving, StageHoming, StageStopping, StageBacking) {
		return nil
	}
	v := s.host(t.Plan.Host).View
	if t.OldBoot != "" && v.BootID != "" && v.BootID != t.OldBoot { // an earlier order took effect after all
		return []Fact{{Kind: StepDone, Turn: t.Plan.ID, Host: t.Plan.Host, Step: StepReboot, Attempt: t.Attempt, BootID: t.OldBoot, Why: "its boot id changed from " + t.OldBoot + " to " + v.BootID}}
	}
	if p := s.left(t); len(p) > 0 {
		if t.Refills >= maxRefills {
			return []Fact{*t.held(CodeRefilled, fmt.Sprintf("%s and others keep coming back to the emptied host", p[0].ID), "stop the tool that places them, then: evenkeel retry "+t.Plan.ID)}
		}
		return t.failed(CodeRefilled, p[0].ID+" runs on the emptied host", "keep other tools from placing instances there", true)
	}
	if v.BootID == "" {
		return t.failed(CodeStepFailed, "the host's boot id cannot be read, so its reboot cannot be guarded: "+strings.Join(v.Missing, "; "), "make it readable (SSH), then: evenkeel retry "+t.Plan.ID, false)
	}
	for _, g := range t.sortedGuests() {
		if sl := s.turnSlot[t.Plan.ID+"/"+g.ID]; sl != nil && g.Stage == StageStopped {
			if worst := s.backWorst(t); now.Add(worst).After(sl.End) {
				return []Fact{*t.held(CodeSlotMissed, fmt.Sprintf("%s's slot ends at %s and the reboot may take %s", g.ID, sl.End.Format(time.RFC3339), worst), "plan again: it needs another slot")}
			}
		}
	}
	f := t.start(StepReboot, now.Add(2*time.Minute))
	f.BootID = v.BootID
	return []Fact{f}
}

// inEffect says whether a package is at the wanted version in what the host booted with, or, where
// no reboot was part of the turn, in what is installed: code "", or what speaks against it. What cannot
// be read or compared is not in effect.
func (s *State) inEffect(host string, v *HostView, rebooted bool, pkg, want string) (code, what string) {
	have, how := v.Booted[pkg], "booted"
	if !rebooted {
		have, how = v.Installed[pkg], "installed"
	}
	if have == "" {
		return CodeOldVersion, fmt.Sprintf("the %s version of %s cannot be read: %s", how, pkg, strings.Join(v.Missing, "; "))
	}
	switch order, err := s.order(host, have, want); {
	case err != nil:
		return CodeCannotJudge, fmt.Sprintf("whether %s %s %s is fixed is not known: %v", pkg, how, have, err)
	case order < 0:
		return CodeOldVersion, fmt.Sprintf("%s %s %s is older than %s", pkg, how, have, want)
	}
	return "", fmt.Sprintf("%s %s %s (wanted %s)", pkg, how, have, want)
}

// decideJudge looks at the guests on the host through their own monitors.
func (s *State) decideJudge(t *TurnState, now time.Time) []Fact {
	c := s.cohort(t.Plan.Host)
	own := ownPackages(c)
	switch {
	case c != nil && len(own) == 0:
		return t.done("what the target names is the host's own: its proof holds for all on it")
	case c == nil:
		return t.done("no cohort says what should run on it")
	case !s.sees(t, now):
		return nil
	}
	n, unknown := 0, 0
	for _, in := range present(s.host(t.Plan.Host).View) {
		if in.Incoming {
			continue
		}
		n++
		for _, pkg := range own {
			have := in.Running[pkg]
			if have == "" {
				unknown++
				continue
			}
			switch r, err := s.order(t.Plan.Host, have, c.Packages[pkg]); {
			case err != nil:
				return []Fact{*t.held(CodeCannotJudge, fmt.Sprintf("whether %s runs on the fix is not known: its monitor says %s %s: %v", in.ID, pkg, have, err), orderly(t.Plan.ID))}
			case r < 0:
				return []Fact{*t.held(CodeStillOld, fmt.Sprintf("%s still runs on %s %s", in.ID, pkg, have), "restart or migrate this instance, then: evenkeel retry "+t.Plan.ID)}
			}
		}
	}
	if n > 0 && unknown == n*len(own) {
		return t.failed(CodeCannotJudge, fmt.Sprintf("none of the %d instances on it says through its monitor what it runs on", n), "look at their monitors, then: evenkeel retry "+t.Plan.ID, true)
	}
	return t.done(fmt.Sprintf("%d instances on it judged through their monitors, %d facts not readable", n, unknown))
}

// ownPackages are the packages of a cohort that run in an instance's own process, as QEMU does; a hypervisor
// and a kernel are the host's, and no monitor of an instance tells of them.
func ownPackages(c *plan.Cohort) (own []string) {
	if c == nil {
		return nil
	}
	for _, pkg := range sortedKeys(c.Packages) {
		if !advisory.OfHost(pkg, c) {
			own = append(own, pkg)
		}
	}
	return own
}
