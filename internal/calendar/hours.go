package calendar

import (
	"fmt"
	"slices"
	"time"
)

// Owner is whose windows or freezes they are.
type Owner struct{ Kind, ID string }

// The kinds of owners; the policy's has no id.
const (
	OfPolicy    = "policy"
	OfRegion    = "region"
	OfSite      = "site"
	OfHostGroup = "host group"
	OfTenant    = "tenant"
)

func (o Owner) String() string {
	if o.ID == "" {
		return "the " + o.Kind
	}
	return o.Kind + " " + o.ID
}

// Layer is the windows of one owner.
type Layer struct {
	Owner   Owner
	Windows Windows
}

// Freeze is a stretch in which an owner allows nothing.
type Freeze struct {
	Owner Owner
	Why   string // for people
	Interval
	Yields bool // it gives way to a deadline
}

// Stretch says for people how long it lasts, and why.
func (f Freeze) Stretch() string {
	why := ""
	if f.Why != "" {
		why = " (" + f.Why + ")"
	}
	return f.Start.Format("2006-01-02 15:04 UTC") + " to " + f.End.Format("2006-01-02 15:04 UTC") + why
}

// String says for people whose freeze it is and how long it lasts.
func (f Freeze) String() string {
	why := ""
	if f.Why != "" {
		why = " (" + f.Why + ")"
	}
	return fmt.Sprintf("the freeze of %s%s from %s to %s", f.Owner, why, f.Start.Format("2006-01-02 15:04 UTC"), f.End.Format("2006-01-02 15:04 UTC"))
}

// ReadFreeze reads a freeze from its two wall times, such as "2026-11-27 00:00", in a zone. The error says what cannot
// be read.
func ReadFreeze(owner Owner, why, from, to, zone string) (Freeze, error) {
	loc, err := Zone(zone)
	if err != nil {
		return Freeze{}, err
	}
	var ends [2]time.Time
	for i, text := range []string{from, to} {
		wall, err := time.Parse(WallForm, text)
		if err != nil {
			return Freeze{}, fmt.Errorf("found %q, expected a date and a time of day such as 2026-11-27 00:00", text)
		}
		first, last, _ := Readings(wall.Year(), wall.Month(), wall.Day(), wall.Hour(), wall.Minute(), loc)
		ends[i] = []time.Time{first, last}[i]
	}
	if !ends[1].After(ends[0]) {
		return Freeze{}, fmt.Errorf("found a freeze from %s to %s, expected one that ends after it begins", from, to)
	}
	return Freeze{Owner: owner, Why: why, Interval: Interval{ends[0], ends[1]}}, nil
}

// WallForm is how a date with a time of day is written.
const WallForm = "2006-01-02 15:04"

// Hours are when something may be done that several owners have a say in.
type Hours struct {
	// Always: no owner's windows bound it. Freezes may.
	Always  bool
	layers  []Layer // the others, or the only one there is
	all     []Layer
	freezes []Freeze // by start
}

// Meet puts the windows and the freezes of all owners together.
func Meet(layers []Layer, freezes []Freeze) Hours {
	h := Hours{all: layers, freezes: slices.Clone(freezes)}
	for _, l := range layers {
		if !l.Windows.Always {
			h.layers = append(h.layers, l)
		}
	}
	if h.Always = len(h.layers) == 0; h.Always && len(layers) == 1 {
		h.layers = layers // its bounded windows stand beside the one that is always open
	}
	slices.SortStableFunc(h.freezes, func(a, b Freeze) int { return a.Start.Compare(b.Start) })
	return h
}

// Owners are those whose windows bound it, and those who freeze it, in the order in which Meet got them.
func (h Hours) Owners() (windows, freezes []Owner) {
	for _, l := range h.all {
		if !l.Windows.Always {
			windows = append(windows, l.Owner)
		}
	}
	for _, f := range h.freezes {
		if !slices.Contains(freezes, f.Owner) {
			freezes = append(freezes, f.Owner)
		}
	}
	return windows, freezes
}

// Without are the hours without one owner's windows.
func (h Hours) Without(o Owner) Hours {
	return Meet(slices.DeleteFunc(slices.Clone(h.all), func(l Layer) bool { return l.Owner == o }), h.freezes)
}

// Thawed are the hours without one owner's freezes.
func (h Hours) Thawed(o Owner) Hours {
	return Meet(h.all, slices.DeleteFunc(slices.Clone(h.freezes), func(f Freeze) bool { return f.Owner == o }))
}

// Overruled are the hours without the freezes that give way to a deadline.
func (h Hours) Overruled() Hours {
	return Meet(h.all, slices.DeleteFunc(slices.Clone(h.freezes), func(f Freeze) bool { return f.Yields }))
}

// Yields tells whether some freeze gives way to a deadline.
func (h Hours) Yields() bool {
	return slices.ContainsFunc(h.freezes, func(f Freeze) bool { return f.Yields })
}

// Yielding are the freezes of one owner that give way to a deadline and bear on a stretch.
func (h Hours) Yielding(o Owner, in Interval) (out []Freeze) {
	for _, f := range h.freezes {
		if f.Yields && f.Owner == o && f.Start.Before(in.End) && in.Start.Before(f.End) {
			out = append(out, f)
		}
	}
	return out
}

// None reports whether some owner has windows, and none of them is ever open here.
func (h Hours) None() bool {
	return slices.ContainsFunc(h.all, func(l Layer) bool { return l.Windows.None() })
}

// Single: one owner alone has a say, with windows.
func (h Hours) Single() bool { return len(h.all) == 1 && len(h.freezes) == 0 }

// Longest bounds the length of what Between may give: the shortest of each owner's longest windows.
func (h Hours) Longest() (longest time.Duration) {
	for i, l := range h.layers {
		if w := l.Windows.Longest(); i == 0 || w < longest {
			longest = w
		}
	}
	return longest
}

// Between gives the stretches that end after from and start before to in which one window of each owner is open, less
// freezes, by start, then end. What Always allows is not among them.
func (h Hours) Between(from, to time.Time) (out []Interval) {
	for i, l := range h.layers {
		w := l.Windows.Between(from, to)
		if i == 0 {
			out = w
			continue
		}
		out = within(meet(out, w), from, to)
	}
	if len(h.freezes) > 0 {
		out = within(h.thawed(out), from, to)
	}
	return out
}

// meet gives what two sorted lists have in common, sorted; what lies within another stretch of it is left out.
func meet(a, b []Interval) (out []Interval) {
	first := 0
	for _, x := range a {
		for first < len(b) && !b[first].End.After(x.Start) {
			first++ // nothing from here on starts before x does
		}
		for _, y := range b[first:] {
			if !y.Start.Before(x.End) {
				break
			}
			both := Interval{latest(x.Start, y.Start), earliest(x.End, y.End)}
			if both.End.After(both.Start) {
				out = append(out, both)
			}
		}
	}
	slices.SortFunc(out, byStart)
	kept := out[:0]
	for _, o := range out {
		for len(kept) > 0 && kept[len(kept)-1].Start.Equal(o.Start) {
			kept = kept[:len(kept)-1] // it ends no later
		}
		if n := len(kept); n == 0 || o.End.After(kept[n-1].End) {
			kept = append(kept, o)
		}
	}
	return kept
}

// thawed is what freezes leave of stretches.
func (h Hours) thawed(list []Interval) (out []Interval) {
	for _, o := range list {
		for _, f := range h.freezes {
			if !f.End.After(o.Start) || !f.Start.Before(o.End) || !o.Start.Before(o.End) {
				continue
			}
			if f.Start.After(o.Start) {
				out = append(out, Interval{o.Start, f.Start})
			}
			o.Start = latest(o.Start, f.End)
		}
		if o.End.After(o.Start) {
			out = append(out, o)
		}
	}
	slices.SortFunc(out, byStart)
	return slices.CompactFunc(out, func(a, b Interval) bool { return byStart(a, b) == 0 })
}

// within keeps what ends after from and starts before to.
func within(list []Interval, from, to time.Time) []Interval {
	return slices.DeleteFunc(list, func(o Interval) bool { return !o.End.After(from) || !o.Start.Before(to) })
}

func byStart(a, b Interval) int {
	if c := a.Start.Compare(b.Start); c != 0 {
		return c
	}
	return a.End.Compare(b.End)
}

// Thaw is the first instant, not before at, from which on nothing is frozen for so long.
func (h Hours) Thaw(at time.Time, length time.Duration) time.Time {
	for _, f := range h.freezes {
		if f.End.After(at) && f.Start.Before(at.Add(length)) {
			at = f.End
		}
	}
	return at
}

// Closed names those whose windows or freezes forbid [from, to): with a few words on each, in the order of Owners.
func (h Hours) Closed(from, to time.Time) (out []Closed) {
	for _, l := range h.all {
		if l.Windows.Always || slices.ContainsFunc(l.Windows.Between(from, to), func(o Interval) bool { return !o.Start.After(from) && !o.End.Before(to) }) {
			continue
		}
		out = append(out, Closed{Owner: l.Owner, Why: "no window of " + l.Owner.String() + " holds it"})
	}
	for _, f := range h.freezes {
		if f.End.After(from) && f.Start.Before(to) {
			out = append(out, Closed{Owner: f.Owner, Frozen: true, Why: f.String() + " forbids it"})
		}
	}
	return out
}

// Closed is one owner's no.
type Closed struct {
	Owner  Owner
	Frozen bool
	Why    string
}

// Best is the longest stretch of those that Between gives and that start in some time, the first of them; zero when there
// is none.
func (h Hours) Best(from, to time.Time) (best Interval) {
	for _, o := range h.Between(from, to) {
		if !o.Start.Before(from) && o.End.Sub(o.Start) > best.End.Sub(best.Start) {
			best = o
		}
	}
	return best
}

// Shifts tells of all owners' windows between two instants on which a change of clocks bears.
func (h Hours) Shifts(from, to time.Time) (out []Shift) {
	for _, l := range h.all {
		out = append(out, l.Windows.Shifts(from, to)...)
	}
	return out
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func earliest(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
