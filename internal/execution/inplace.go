package execution

import (
	"fmt"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Software that is changed under a host that goes on: on its disk (refresh), or in the code that runs
// (live patch). Proof is a look at the same boot.

// inPlace: the tactic changes a host's software without a reboot.
func (t *TurnState) inPlace() bool {
	return t.Plan.Tactic == plan.LivePatch || t.Plan.Tactic == plan.Refresh
}

// proving: looks must tell whether the change in place has come about.
func (t *TurnState) proving() bool { return t.inPlace() && t.Started && t.Step == StepProve }

// proof is what a look says of a change in place.
type proof struct {
	ok         bool
	soon       bool // it may still come about by itself
	code, why  string
	next       string
	transition bool // a live patch is on its way to every task
}

// updateInPlace runs the update, unless a look shows its effect already.
func (s *State) updateInPlace(t *TurnState, now time.Time, quiet bool) []Fact {
	if !s.sees(t, now) {
		return nil
	}
	c, v := s.cohort(t.Plan.Host), s.host(t.Plan.Host).View
	switch p := s.proof(t, v); {
	case p.ok:
		return t.done("nothing needed: " + p.why)
	case p.transition:
		return t.done("it was begun already: " + p.why)
	case p.code == CodeOtherBoot, !p.soon && t.Plan.Tactic == plan.LivePatch:
		return []Fact{*t.held(p.code, p.why, p.next)} // no command could change that
	case t.Plan.Tactic == plan.Refresh && t.Plan.UpdateBy.IsZero():
		return []Fact{*t.held(p.code, p.why+", and the plan reckons that it has the new software on its disk already", "plan again, or change its software by hand, then: evenkeel retry "+t.Plan.ID)}
	case c == nil || len(c.Update.Command) == 0 && c.Update.Hooks == "" && !(t.Plan.Tactic == plan.LivePatch && c.ByPayload()):
		return []Fact{*t.held(p.code, p.why+", and the target names no update for this host", "name update.command in its cohort and plan again, or change its software by hand, then: evenkeel retry "+t.Plan.ID)}
	case v.BootID == "":
		return t.failed(CodeStepFailed, "the host's boot id cannot be read, so nothing could prove the change on the same boot: "+strings.Join(v.Missing, "; "), "make it readable (SSH), then: evenkeel retry "+t.Plan.ID, false)
	case quiet:
		return nil
	}
	f := t.start(StepUpdate, now.Add(s.updateMost(t)))
	f.BootID = v.BootID
	return []Fact{f}
}

// proveInPlace waits until a look proves the change, or its deadline comes.
func (s *State) proveInPlace(t *TurnState, now time.Time) []Fact {
	if !t.Started {
		return []Fact{t.start(StepProve, now.Add(s.updateMost(t)))}
	}
	h := s.host(t.Plan.Host)
	p := proof{soon: true, code: CodeNoAnswer, why: "it does not answer since its software was changed: " + orElse(h.Why, "no answer"), next: "bring the host back, then: evenkeel retry " + t.Plan.ID}
	if h.View != nil && h.Lost.IsZero() && !h.At.Before(t.Since) {
		p = s.proof(t, h.View)
	}
	switch {
	case p.ok:
		return []Fact{{Kind: StepDone, Turn: t.Plan.ID, Host: t.Plan.Host, Step: StepProve, Attempt: t.Attempt, BootID: h.View.BootID, Why: p.why}}
	case p.soon && now.Before(s.proveBy(t)):
		return nil
	}
	return []Fact{*t.held(p.code, p.why, p.next)}
}

// proof judges a look at a host whose software is changed in place: the same boot as before, healthy,
// with the fix on its disk (refresh) or applied (live patch).
func (s *State) proof(t *TurnState, v *HostView) proof {
	again := "then: evenkeel retry " + t.Plan.ID
	if t.UpdateBoot != "" && v.BootID != "" && v.BootID != t.UpdateBoot {
		return proof{code: CodeOtherBoot, why: fmt.Sprintf("it was rebooted by others while its software was changed: boot id %s -> %s", t.UpdateBoot, v.BootID), next: "find out why, " + again}
	}
	if t.UpdateBoot != "" && v.BootID == "" {
		return proof{soon: true, code: CodeCannotJudge, why: "whether it is on the boot on which its software was changed cannot be read: " + strings.Join(v.Missing, "; "), next: "make its boot id readable, " + again}
	}
	if v.Health != string(fleet.Up) {
		return proof{soon: true, code: CodeUnhealthy, why: "it is " + v.Health + " after its software was changed: " + strings.Join(v.Missing, "; "), next: "make its services healthy, " + again}
	}
	c := s.cohort(t.Plan.Host)
	switch {
	case c == nil:
		return proof{code: CodeCannotJudge, why: "no cohort says what it should run", next: "add a cohort that matches it to the target and plan again"}
	case t.Plan.Tactic == plan.LivePatch:
		return patched(s.Plan.Target, c, v, again)
	case len(c.Packages) == 0:
		return proof{code: CodeCannotJudge, why: "its cohort names no package, so nothing could prove a refresh", next: "name the package and its version in the cohort and plan again"}
	}
	evidence := "boot id " + v.BootID
	for _, pkg := range sortedKeys(c.Packages) {
		code, what := s.inEffect(t.Plan.Host, v, false, pkg, c.Packages[pkg])
		switch code {
		case "":
			evidence += "; " + what
		case CodeCannotJudge:
			return proof{code: code, why: what, next: orderly(t.Plan.ID)}
		default:
			return proof{code: code, why: what, next: "install the fixed version by hand or mend the update, " + again}
		}
	}
	return proof{ok: true, why: evidence}
}

// patched judges the list of live patches: each that binds to the host's build must be applied, and together
// they must fix all that the target fixes.
// Linux: /sys/kernel/livepatch, applied once enabled and out of transition. Xen: xen-livepatch list.
func patched(target *plan.Target, c *plan.Cohort, v *HostView, again string) proof {
	if v.LivePatches == nil {
		return proof{soon: true, code: CodeCannotJudge, why: "its list of live patches cannot be read: " + strings.Join(v.Missing, "; "), next: "make it readable, " + again}
	}
	if left, some := target.Unpatched(c, v.BuildID); some && len(left) > 0 && (v.BuildID != "" || !c.ByBuild()) {
		return proof{code: CodeNotPatched, why: "the live patches for its build, " + orElse(v.BuildID, "which is not known") + ", do not fix " + strings.Join(left, ", "), next: "add what fixes it to the target, or plan another tactic"}
	}
	state := map[string]string{}
	for _, p := range v.LivePatches {
		state[p.Component+" "+p.Name] = p.State
	}
	var applied []string
	for _, want := range c.LivePatches {
		name := want.Component + " " + want.Name
		switch got := state[name]; {
		case want.BuildID != "" && v.BuildID == "":
			return proof{soon: true, code: CodeCannotJudge, why: "live patch " + want.Name + " binds to build " + want.BuildID + ", and the host's build id cannot be read", next: "make it readable, " + again}
		case want.BuildID != "" && !strings.EqualFold(v.BuildID, want.BuildID):
			continue // it is for another build
		case got == fleet.PatchApplied:
			applied = append(applied, name)
		case got == fleet.PatchTransition:
			return proof{soon: true, transition: true, code: CodeTransition, why: "live patch " + want.Name + " is in transition: some tasks still run the old code",
				next: "find the tasks that keep it (/proc/*/patch_state), wake or end them, " + again}
		case got == "":
			return proof{soon: true, code: CodeNotPatched, why: "live patch " + want.Name + " is not in the host's list", next: "look at " + logOf(want.Component) + ", " + again}
		default:
			return proof{soon: true, code: CodeNotPatched, why: "live patch " + want.Name + " is " + got + ", not applied", next: "look at " + logOf(want.Component) + ", " + again}
		}
	}
	if len(applied) == 0 {
		return proof{code: CodeNotPatched, why: "no live patch of its cohort binds to build " + orElse(v.BuildID, "of this host"), next: "add one for this build to the target, or plan another tactic"}
	}
	return proof{ok: true, why: "boot id " + v.BootID + "; applied: " + strings.Join(applied, ", ")}
}

// wantProof is the host of a change in place that looks must prove, and those whose instances are to
// be judged.
func (s *State) wantProof(t *TurnState) []string {
	switch {
	case t.Phase == TurnOnHold:
		return nil
	case t.proving():
		return []string{t.Plan.Host}
	case t.Plan.Tactic == plan.Refresh && t.Step == StepJudge:
		return s.toJudge(t)
	}
	return nil
}

// updateMost is how long a change of a host's software may take in a turn at most.
func (s *State) updateMost(t *TurnState) time.Duration {
	_, most := s.Plan.Policy.Times.UpdateIn(t.Plan.Tactic)
	return most
}

// logOf says where a component tells what became of a live patch.
func logOf(component string) string {
	if component == "xen" {
		return "xl dmesg, lines that begin with livepatch:"
	}
	return "the update's output and the kernel's log"
}
