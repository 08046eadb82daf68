package cli

import (
	"fmt"
	"strings"

	"github.com/evenkeel/evenkeel/internal/execution"
)

// sentence says in words what a fact says; "" for those that only the machine needs.
func sentence(f execution.Fact) string {
	switch f.Kind {
	case execution.CampaignApplied:
		return "campaign " + f.Campaign + " begins: " + f.Why
	case execution.ControllerTook:
		return fmt.Sprintf("controller %d has it from here on", f.Generation)
	case execution.CampaignPaused, execution.CampaignResumed, execution.CampaignAborted, execution.CampaignHalted, execution.CampaignForced:
		return strings.TrimPrefix(string(f.Kind), "campaign-") + " by " + f.Who + because(f.Why)
	case execution.CampaignFinished:
		return "campaign finished: " + f.Code
	case execution.ParentEnded:
		return f.Why + "; this one begins"
	case execution.NoticeAccepted:
		return fmt.Sprintf("notice    %s to %s accepted (%s, %d promises)", f.NoticeKind, f.Tenant, f.Contact, len(f.Slots))
	case execution.NoticeFailed:
		return fmt.Sprintf("notice    %s to %s failed%s", f.NoticeKind, f.Tenant, because(f.Why))
	case execution.CohortHeld:
		return fmt.Sprintf("cohort %s is HELD (%s): %s; next: %s", f.Cohort, f.Code, firstLine(f.Why), f.Next)
	case execution.CohortReleased:
		return fmt.Sprintf("cohort %s released by %s%s", f.Cohort, f.Who, because(f.Why))
	}
	if line := turnSentence(f); line != "" {
		return line
	}
	return instanceSentence(f)
}

// turnSentence says in words what happened to a turn as a whole.
func turnSentence(f execution.Fact) string {
	who := f.Host
	if f.Turn != "" {
		who = f.Turn // the host's id, or h1+live-patch
	}
	switch f.Kind {
	case execution.TurnPrepares:
		return fmt.Sprintf("%-8s  new software is put on its disk, ahead of its turn", who)
	case execution.TurnPermitted:
		return fmt.Sprintf("%-8s  its turn begins", who)
	case execution.TurnHeld:
		return fmt.Sprintf("%-8s  HELD%s (%s): %s; next: %s", who, heldIn(f), f.Code, firstLine(f.Why), f.Next)
	case execution.CanaryPassed:
		return fmt.Sprintf("%-8s  is the canary now, in place of %s (%s): %s", f.To, who, f.Code, firstLine(f.Why))
	case execution.TurnReleased:
		return fmt.Sprintf("%-8s  released by %s%s", who, f.Who, because(f.Why))
	case execution.TurnDone:
		return fmt.Sprintf("%-8s  ✔ done", who)
	case execution.TurnDropped:
		return fmt.Sprintf("%-8s  ✕ dropped%s", who, because(f.Why))
	case execution.StepStarted:
		if f.Step == execution.StepRevert {
			return fmt.Sprintf("%-8s  revert: its live patches are taken back: %s ...", who, strings.Join(f.Patches, ", "))
		}
		return fmt.Sprintf("%-8s  %s ...", who, f.Step)
	case execution.StepDone:
		return fmt.Sprintf("%-8s  %s done%s", who, f.Step, because(f.Why))
	case execution.StepFailed:
		if f.Step == execution.StepRevert {
			return fmt.Sprintf("%-8s  revert failed (attempt %d): its live patches are not all taken back%s", who, f.Attempt, because(f.Why))
		}
		return fmt.Sprintf("%-8s  %s failed (attempt %d)%s", who, f.Step, f.Attempt, because(f.Why))
	}
	return ""
}

// heldIn says where in its turn a host is held; a person's order does not say that.
func heldIn(f execution.Fact) string {
	return heldAt(f.Code, f.Step, f.Code != execution.CodeOperator)
}

func instanceSentence(f execution.Fact) string {
	switch f.Kind {
	case execution.MovePlaced:
		return fmt.Sprintf("%-8s  %s → %s ...", f.Instance, f.From, f.To)
	case execution.MoveDone:
		if f.BlackoutMs > 0 {
			return fmt.Sprintf("%-8s  %s → %s done, blackout %d ms", f.Instance, f.From, f.To, f.BlackoutMs)
		}
		return fmt.Sprintf("%-8s  %s → %s done", f.Instance, f.From, f.To)
	case execution.SlotPassed:
		return fmt.Sprintf("%-8s  what it was told of %s is kept by the turn of %s%s", f.Instance, f.Turn, f.To, because(f.Why))
	case execution.Died:
		return fmt.Sprintf("%-8s  %s → %s KILLED it: it is stopped on %s and will be started there", f.Instance, f.From, f.To, f.Host)
	case execution.MoveFailed:
		return fmt.Sprintf("%-8s  %s → %s failed (attempt %d; source %s, destination %s)%s", f.Instance, f.From, f.To, f.Attempt, f.Source, f.Destination, because(f.Why))
	case execution.StopStarted:
		return fmt.Sprintf("%-8s  %s on %s ...", f.Instance, f.Disposition, f.From)
	case execution.StopDone:
		return fmt.Sprintf("%-8s  stopped for the turn (%s)", f.Instance, f.Disposition)
	case execution.BackDone:
		return fmt.Sprintf("%-8s  runs again on %s", f.Instance, f.To)
	case execution.StopFailed, execution.BackFailed:
		return fmt.Sprintf("%-8s  %s (attempt %d)%s", f.Instance, f.Kind, f.Attempt, because(f.Why))
	case execution.HostLost:
		code := ""
		if f.Code != "" {
			code = " (" + f.Code + ")"
		}
		return fmt.Sprintf("%-8s  does not answer%s%s", f.Host, code, because(f.Why))
	case execution.Overrun:
		return fmt.Sprintf("%-8s  OVERRUN: %s", f.Instance, f.Why)
	case execution.NotReturned:
		return fmt.Sprintf("%-8s  does NOT run (%s): %s", f.Instance, f.Code, f.Why)
	case execution.Unfixed:
		if f.Code == execution.CodeCannotJudge {
			return fmt.Sprintf("%-8s  may still run unfixed software on %s: %s", f.Instance, f.Host, f.Why)
		}
		return fmt.Sprintf("%-8s  still runs unfixed software on %s: %s", f.Instance, f.Host, f.Why)
	case execution.Inherited:
		return fmt.Sprintf("%-8s  stands on %s%s", f.Instance, f.Host, because(f.Why))
	case execution.StaysAway:
		return fmt.Sprintf("%-8s  stays on %s: %s", f.Instance, f.To, f.Why)
	case execution.External:
		return fmt.Sprintf("%-8s  %s on %s: %s", f.Instance, f.Code, f.Host, f.Why)
	}
	return ""
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + firstLine(why)
}
