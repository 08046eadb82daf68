package advisory

import (
	"slices"
	"strings"
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
	std := newStanding(as, now)
	for i := range as {
		if why := std.gone(i); why != "" {
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
			d.kin[i] = append(d.kin[i], byName[name]...)
		}
		slices.Sort(d.kin[i])
		d.kin[i] = slices.DeleteFunc(slices.Compact(d.kin[i]), func(k int) bool { return k == i })
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
			if b := &d.all[k]; len(b.Applies) > 0 && len(b.Upstream) <= 1 && (v == "" || b.Names(v)) {
				out, narrowed = append(out, b.Applies...), true
			}
		}
		if !narrowed {
			return nil
		}
	}
	return out
}

// vulnerabilities are those that a document is about: each of Upstream, or each CVE that it names,
// where it names several; else the one that its id stands for, written "".
func (a *Advisory) vulnerabilities() []string {
	if len(a.Upstream) > 0 {
		return a.Upstream
	}
	if cves := a.cves(); len(cves) > 1 {
		return cves
	}
	return []string{""}
}

// cves are the CVEs among its names.
func (a *Advisory) cves() (out []string) {
	for _, n := range a.names() {
		if strings.HasPrefix(n, "CVE-") && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

// within: everything that a is about, b is about too. Only then do they contradict each other when
// a says affected and b says fixed: a record of several vulnerabilities may be behind on another.
func (a *Advisory) within(b *Advisory) bool {
	return !slices.ContainsFunc(a.vulnerabilities(), func(v string) bool { return !b.answers(a, v) })
}

// answers: a is about v, which is one of the vulnerabilities of another document.
func (a *Advisory) answers(other *Advisory, v string) bool {
	if v == "" {
		return alike(a, other)
	}
	return a.Names(v)
}

// answered: for each vulnerability of document i there is another document that is about it, of
// which ok holds.
func (d *docs) answered(i int, ok func(k int) bool) bool {
	a := &d.all[i]
	return !slices.ContainsFunc(a.vulnerabilities(), func(v string) bool {
		return !slices.ContainsFunc(d.kin[i], func(k int) bool { return d.all[k].answers(a, v) && ok(k) })
	})
}
