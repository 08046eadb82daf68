package planner

import (
	"fmt"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/calendar"
)

// codeApart: the windows of all who have a say in a turn have too little in common.
const codeApart = "windows-apart"

// blockApart blocks a host for whose turn no slot opens from an instant on. Where several have a say in it, it finds
// out whose windows or freezes stand against the others', and what of theirs would do.
func (w *world) blockApart(h *host, from time.Time, worst time.Duration) {
	hours := h.lane.hours
	if hours.Single() {
		w.blockHost(h, "no-window", "no window opens within "+days(horizon)+" in which the turn would fit", "widen the policy's windows")
		return
	}
	need := worst + w.spare()
	windows, freezes := hours.Owners()
	what := "all time"
	if len(windows) > 0 {
		what = "what the windows of " + namesOf(windows) + " have in common"
	}
	if len(freezes) > 0 {
		what += ", less the freezes of " + namesOf(freezes) + ","
	}
	found := "is nothing"
	if best := hours.Best(from, from.Add(horizon)); best.End.After(best.Start) {
		found = fmt.Sprintf("is at most %s at a time, first from %s on", best.End.Sub(best.Start), stamp(best.Start))
	}
	w.blockHost(h, codeApart, fmt.Sprintf("its turn may take %s (p99) and needs %s in one slot, and in the %s from %s on %s %s", worst, need, days(horizon), stamp(from), what, found),
		w.bringTogether(hours, from, need))
}

// bringTogether names for each owner what of it alone would do: a window at an instant that suits all others, or no
// freeze.
func (w *world) bringTogether(hours calendar.Hours, from time.Time, need time.Duration) string {
	var ways []string
	windows, freezes := hours.Owners()
	for _, o := range windows {
		if at, ok := w.opens(hours.Without(o), from, need); ok {
			ways = append(ways, fmt.Sprintf("a window of %s of at least %s from %s on", o, need, stamp(at)))
		}
	}
	for _, o := range freezes {
		if at, ok := w.opens(hours.Thawed(o), from, need); ok {
			ways = append(ways, fmt.Sprintf("no freeze of %s for %s from %s on", o, need, stamp(at)))
		}
	}
	if len(ways) == 0 {
		return fmt.Sprintf("windows of %s that have at least %s in common: no change of one owner alone would do", namesOf(windows), need)
	}
	return strings.Join(ways, ", or ")
}

// opens is when a slot that holds so much begins first.
func (w *world) opens(hours calendar.Hours, from time.Time, need time.Duration) (time.Time, bool) {
	l := &lane{hours: hours, slot: w.policy.Slot.Std(), auto: w.policy.AutoSlots(), from: from}
	at, _, ok := l.next(from, from, need)
	return at, ok
}

// decides names those without whose windows or freezes a turn could start in time; empty: that would not do, or there is
// nobody beside the policy.
func (w *world) decides(h *host, from time.Time, worst time.Duration) string {
	hours, need := h.lane.hours, worst+w.spare()
	if hours.Single() {
		return ""
	}
	var who []string
	ask := func(what string, o calendar.Owner, without calendar.Hours) {
		if at, ok := w.opens(without, from, need); ok && at.Before(h.next) && w.tooLate(at.Add(worst)) == "" {
			who = append(who, fmt.Sprintf("%s of %s (without them: %s)", what, o, stamp(at)))
		}
	}
	windows, freezes := hours.Owners()
	for _, o := range windows {
		ask("the windows", o, hours.Without(o))
	}
	for _, o := range freezes {
		ask("the freezes", o, hours.Thawed(o))
	}
	if len(who) == 0 {
		return ""
	}
	return "; what keeps it from an earlier start is " + strings.Join(who, ", and by itself ")
}

func namesOf(owners []calendar.Owner) string {
	var names []string
	for _, o := range owners {
		names = append(names, o.String())
	}
	if n := len(names); n > 1 {
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	}
	return strings.Join(names, "")
}
