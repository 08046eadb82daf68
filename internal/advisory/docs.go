package advisory

import (
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// docs are the advisories that stand at one moment, what the target says of them, and which of them
// are about the same vulnerability.
type docs struct {
	all     []Advisory
	claimed []bool   // all[i] is one of those that the target says it fixes
	covered bool     // each advisory that the target fixes has a document among all
	bare    []string // those that have none
	notes   []string // on those that were withdrawn or superseded
	kin     [][]int  // all[i] -> the others about the same vulnerability, or about one of its
	// where says where all[i] applies: its own conditions, else those that other documents give for
	// each of its vulnerabilities. Empty: everywhere.
	where [][]Condition
}

func newDocs(t *plan.Target, as []Advisory, now time.Time) docs {
	d := docs{covered: true}
	for i := range as {
		if why := gone(as, i, now); why != "" {
			d.notes = append(d.notes, why)
			continue
		}
		a := as[i]
		d.all = append(d.all, a)
		d.claimed = append(d.claimed, len(t.Fixes) == 0 || slices.ContainsFunc(t.Fixes, a.Names))
	}
	for _, id := range t.Fixes {
		if !slices.ContainsFunc(as, func(a Advisory) bool { return a.Names(id) }) {
			d.covered, d.bare = false, append(d.bare, id)
		}
	}
	d.relate()
	return d
}

// gone says why a document is not judged by; "" when it stands.
func gone(as []Advisory, i int, now time.Time) string {
	a := &as[i]
	if !a.Withdrawn.IsZero() && !a.Withdrawn.After(now) {
		return a.ID + " was withdrawn on " + a.Withdrawn.UTC().Format(time.DateOnly) + ": not judged by"
	}
	for k := range as {
		b := &as[k]
		if k == i || !b.Withdrawn.IsZero() && !b.Withdrawn.After(now) {
			continue
		}
		if slices.Contains(b.Supersedes, a.ID) {
			return a.ID + " is superseded by " + b.ID + ": not judged by"
		}
		if revisions(a, b) && b.Modified.After(a.Modified) {
			return a.ID + " (" + a.Source + ") is an older copy of " + b.Source + ": not judged by"
		}
	}
	return ""
}

// relate fills in kin and where.
func (d *docs) relate() {
	byName := map[string][]int{}
	for i := range d.all {
		for _, name := range d.all[i].names() {
			if at := byName[name]; len(at) == 0 || at[len(at)-1] != i {
				byName[name] = append(at, i)
			}
		}
	}
	d.kin, d.where = make([][]int, len(d.all)), make([][]Condition, len(d.all))
	for i := range d.all {
		for _, name := range d.all[i].names() {
			for _, k := range byName[name] {
				if k != i && !slices.Contains(d.kin[i], k) {
					d.kin[i] = append(d.kin[i], k)
				}
			}
		}
		slices.Sort(d.kin[i])
	}
	for i := range d.all {
		d.where[i] = d.applies(i)
	}
}

// applies joins the conditions of one document. A document without any is narrowed by others only if
// each of its vulnerabilities is.
func (d *docs) applies(i int) (out []Condition) {
	a := &d.all[i]
	if len(a.Applies) > 0 {
		return a.Applies
	}
	for _, v := range a.vulnerabilities() {
		narrowed := false
		for _, k := range d.kin[i] {
			if b := &d.all[k]; len(b.Applies) > 0 && len(b.vulnerabilities()) == 1 && (v == "" || b.Names(v)) {
				out, narrowed = append(out, b.Applies...), true
			}
		}
		if !narrowed {
			return nil
		}
	}
	return out
}

// vulnerabilities are those that a document is about: each of Upstream; else the one that its id
// stands for, written "".
func (a *Advisory) vulnerabilities() []string {
	if len(a.Upstream) == 0 {
		return []string{""}
	}
	return a.Upstream
}

// within: everything that a is about, b is about too. Only then do they contradict each other when
// a says affected and b says fixed: a record of several vulnerabilities may be behind on another.
func (a *Advisory) within(b *Advisory) bool {
	if len(a.Upstream) == 0 {
		return alike(a, b)
	}
	for _, v := range a.Upstream {
		if !b.Names(v) {
			return false
		}
	}
	return true
}
