package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// turn is where one host's turn stands while the journal is read.
type turn struct {
	host  *Host
	since time.Time // when the step that is current began
	held  bool
}

// turnFact enters a fact about a turn as a whole or about one of its steps.
func (b *book) turnFact(f *execution.Fact) {
	t := b.turns[f.Turn]
	if t == nil {
		b.misfit(f, "no plan has turn "+f.Turn)
		return
	}
	h := t.host
	switch f.Kind {
	case execution.TurnPermitted:
		h.State, t.since = HostActive, f.At
		if h.Began.IsZero() {
			h.Began = f.At
		}
		if b.r.Began.IsZero() {
			b.r.Began = f.At
		}
	case execution.TurnPrepares: // its steps tell the rest; the turn itself is still ahead
	case execution.TurnHeld:
		b.hold(t, f)
	case execution.TurnReleased:
		t.release(f.At)
		h.State, h.Code, h.Why, h.Next, t.since = HostActive, "", "", "", f.At
		if h.Began.IsZero() {
			h.State = HostWaiting
		}
		b.r.Totals.Retries++
		b.event(f, "released for another try"+because(f.Why))
	case execution.TurnDone:
		t.release(f.At)
		h.State, h.Ended, h.Code, h.Why, h.Next = HostDone, f.At, "", "", ""
		b.mended(f)
		b.exposed.hostFixed(h.Host, f.At)
		if h.Tactic == plan.LivePatch { // nobody moved: all that run there run on the patched code
			b.allFixed(h.Host, f.At)
		}
	case execution.TurnDropped:
		t.release(f.At)
		h.State, h.Ended, h.Code, h.Why, h.Next = HostDropped, f.At, f.Code, f.Why, ""
		if f.Code == execution.CodeReached {
			b.exposed.hostFixed(h.Host, f.At)
			b.allFixed(h.Host, f.At) // a look showed it of all that was there
		}
		b.event(f, "its turn was dropped"+because(cmp.Or(f.Why, f.Code)))
	case execution.StepStarted, execution.StepDone, execution.StepFailed:
		b.step(t, f)
	case execution.StaysAway:
		b.stays[f.Turn+"/"+f.Instance] = plan.Away{Code: f.Code, Why: f.Why}
		b.event(f, "it is not brought home and stays on "+f.To+because(f.Why))
	case execution.Borrowed:
		h.Borrowed = append(h.Borrowed, f.Code)
	case execution.GivenBack:
		if i := slices.Index(h.Borrowed, f.Code); i >= 0 {
			h.Borrowed = slices.Delete(h.Borrowed, i, i+1)
		}
	default:
		b.misfit(f, "this version does not know the kind")
	}
}

func (b *book) hold(t *turn, f *execution.Fact) {
	h := t.host
	t.closeSteps(f.At, Failed, f.Code, f.Why)
	if !h.Ended.IsZero() { // a canary that was done and did not stay sound: its proof holds no more
		b.unfixed(h, f.At)
		h.Ended = time.Time{}
	}
	h.State, h.Code, h.Why, h.Next = HostHeld, f.Code, f.Why, f.Next
	b.wrong(f)
	t.held = true
	h.Holds = append(h.Holds, Span{Name: cmp.Or(string(f.Step), "before its first step"), Start: f.At, Result: Open, Code: f.Code, Why: f.Why})
	b.r.Totals.Holds++
	text := "held"
	if f.Step != "" {
		text += " at step " + string(f.Step)
	}
	if text += because(cmp.Or(f.Why, f.Code)); f.Next != "" {
		text += " (next: " + f.Next + ")"
	}
	b.event(f, text)
}

// release ends the hold that is open, and with it the step that waited.
func (t *turn) release(at time.Time) {
	if t.held {
		s := &t.host.Holds[len(t.host.Holds)-1]
		s.End, s.Result = at, Done
		t.held = false
	}
}

// step enters a step. A step that only waits for moves or looks has no start of its own in the
// journal: it began when the one before it ended.
func (b *book) step(t *turn, f *execution.Fact) {
	h := t.host
	name := string(f.Step)
	if f.Kind == execution.StepStarted {
		// A step that is started again without an answer to the first: that attempt was given up.
		t.closeSteps(f.At, Failed, "", "no answer to this attempt")
		h.Steps = append(h.Steps, Span{Name: name, Attempt: f.Attempt, Start: f.At, Result: Open})
		if f.Attempt > 1 {
			b.r.Totals.Retries++
		}
		if f.Step == execution.StepReboot && h.BootBefore == "" {
			h.BootBefore = f.BootID
		}
		return
	}
	s := t.openStep(name)
	if s == nil {
		start := t.since
		if start.IsZero() {
			start = f.At
		}
		h.Steps = append(h.Steps, Span{Name: name, Attempt: f.Attempt, Start: start})
		s = &h.Steps[len(h.Steps)-1]
	}
	s.End, s.Why, s.Code = f.At, f.Why, f.Code
	if f.Kind == execution.StepFailed {
		s.Result = Failed
		b.event(f, fmt.Sprintf("step %s failed, attempt %d%s", name, f.Attempt, because(cmp.Or(f.Why, f.Code))))
		return
	}
	s.Result, t.since = Done, f.At
	if f.Step == execution.StepProve {
		h.BootAfter, h.Proof = f.BootID, f.Why
		b.exposed.hostFixed(h.Host, f.At)
	}
}

// allFixed: all that is on a host runs on the fix.
func (b *book) allFixed(host string, at time.Time) {
	for id, g := range b.guests {
		if g.line.After == host {
			b.exposed.guestFixed(id, at)
		}
	}
}

func (t *turn) openStep(name string) *Span {
	for i := len(t.host.Steps) - 1; i >= 0; i-- {
		if s := &t.host.Steps[i]; s.Result == Open && s.Name == name {
			return s
		}
	}
	return nil
}

func (t *turn) closeSteps(at time.Time, result Result, code, why string) {
	for i := range t.host.Steps {
		if s := &t.host.Steps[i]; s.Result == Open {
			s.End, s.Result, s.Code, s.Why = at, result, code, why
		}
	}
}

// see takes an observation in: what the host runs, and where instances are.
func (b *book) see(f *execution.Fact) {
	if f.Seen == nil {
		b.misfit(f, "it holds no observation")
		return
	}
	b.host(f.Host).see(f.Seen)
	if patch := b.hosts[plan.PatchTurn(f.Host)]; patch != nil && patch.Ended.IsZero() { // what comes after is told of its reboot
		patch.see(f.Seen)
	}
	b.patchSeen(f)
	for i := range f.Seen.Instances {
		b.seeInstance(f, &f.Seen.Instances[i])
	}
}

func (h *Host) see(v *execution.HostView) {
	h.Health = v.Health
	if len(v.Booted) > 0 {
		h.Software = v.Booted
	} else if len(v.Running) > 0 {
		h.Software = v.Running
	}
	switch {
	case v.BootID == "":
	case h.BootBefore == "":
		h.BootBefore = v.BootID
	case v.BootID != h.BootBefore:
		h.BootAfter = v.BootID
	}
}

// closeHost fills in what only the journal's end tells.
func (b *book) closeHost(h *Host) {
	until := b.r.Until
	for _, list := range [][]Span{h.Steps, h.Holds} {
		for i := range list {
			end := list[i].End
			if end.IsZero() {
				end = until
			}
			list[i].Seconds = end.Sub(list[i].Start).Seconds()
		}
	}
	if !h.Began.IsZero() {
		end := h.Ended
		if end.IsZero() {
			end = until
		}
		h.DurationS = int64(end.Sub(h.Began).Seconds())
	}
	if b.r.State == Finished && h.State == HostWaiting {
		h.State, h.Why = HostDropped, "the campaign ended before its turn began"
	}
}
