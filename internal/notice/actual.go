package notice

import "time"

// actual is what happened, beside what was promised.
type actual struct {
	What             string
	Span             *span // nil when there was no interruption, or none is known
	InSlot, InLength string
	Kept             string // kept, broken; empty when not known
	Verdict          string
}

// newActual sets what happened beside the promise: was it inside the slot, was it within the worst
// case? What was not measured is not called kept.
func newActual(it Item, loc *time.Location) *actual {
	if it.ActualFrom.IsZero() {
		if it.ActualMs < 0 {
			return &actual{What: "not known", Verdict: "It is not known whether the promise was kept."}
		}
		return &actual{What: "it was not interrupted", Verdict: "The promise was kept.", Kept: "kept"}
	}
	during := newSpan(it.ActualFrom, it.ActualTo, loc)
	a := &actual{Span: &during}
	inside, early, late := true, it.Slot.Start.Sub(it.ActualFrom), it.ActualTo.Sub(it.Slot.End)
	a.InSlot = "inside the slot"
	switch {
	case early > 0:
		inside, a.InSlot = false, "it began "+lasting(early)+" before the slot"
	case late > 0:
		inside, a.InSlot = false, "it ended "+lasting(late)+" after the slot"
	}
	took, worst := it.ActualTo.Sub(it.ActualFrom), time.Duration(it.Slot.WorstMs)*time.Millisecond
	a.What = "interrupted for at most " + lasting(took) + " (not measured more closely)"
	if it.ActualMs >= 0 {
		took = time.Duration(it.ActualMs) * time.Millisecond
		a.What = "interrupted for " + lasting(took)
	}
	switch {
	case took <= worst:
		a.InLength = "within the worst case"
	case it.ActualMs < 0:
		a.InLength = "its length was not measured"
	default:
		a.InLength = lasting(took-worst) + " longer than the worst case"
	}
	switch {
	case inside && took <= worst:
		a.Kept, a.Verdict = "kept", "The promise was kept."
	case inside && it.ActualMs < 0:
		a.Verdict = "It is not known whether the promise was kept."
	default:
		a.Kept, a.Verdict = "broken", "The promise was not kept."
	}
	return a
}
