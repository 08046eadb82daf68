package advisory

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/version"
)

// Conflict is a contradiction between two documents on one vulnerability that can be seen from the
// documents alone. It decides nothing: Assess says of a version on which documents disagree that it
// is unknown.
type Conflict struct {
	IDs     []string `json:"ids" yaml:"ids"`         // of the two documents
	Sources []string `json:"sources" yaml:"sources"` // their files or addresses, in the same order
	What    string   `json:"what" yaml:"what"`       // both statements
}

// Conflicts names the contradictions among documents on the same vulnerability, in the order in
// which the documents are given. What one leaves out and another says is none. Of documents on one
// vulnerability the first mostAlike are held against each other.
func Conflicts(as []Advisory) (out []Conflict) {
	byName := map[string][]int{}
	for i := range as {
		for _, name := range as[i].identity() {
			if len(byName[name]) < mostAlike {
				byName[name] = append(byName[name], i)
			}
		}
	}
	for i := range as {
		var later []int
		for _, name := range as[i].identity() {
			later = append(later, byName[name]...)
		}
		slices.Sort(later)
		for _, k := range slices.Compact(later) {
			if k > i && !revisions(&as[i], &as[k]) {
				out = append(out, contradictions(&as[i], &as[k])...)
			}
		}
	}
	return out
}

// mostAlike bounds what a feed that gives all its documents one name can cost.
const mostAlike = 100

// identity are the names of the one vulnerability that a is about. A record of several (a DSA for
// five CVEs) is known by its own id alone: its fix is of the last of them, and no word on the others.
func (a *Advisory) identity() []string {
	names := a.names()
	slices.Sort(names)
	names = slices.Compact(names)
	if len(a.cves()) > 1 || len(a.Upstream) > 1 {
		return []string{a.ID}
	}
	return names
}

// revisions: two states of one document. The later takes the earlier's place; that is no conflict.
func revisions(a, b *Advisory) bool {
	return a.ID == b.ID && a.Format == b.Format && a.Document == b.Document && !a.Modified.IsZero() && !b.Modified.IsZero() && !a.Modified.Equal(b.Modified)
}

func contradictions(a, b *Advisory) (out []Conflict) {
	add := func(format string, args ...any) {
		out = append(out, Conflict{IDs: []string{a.ID, b.ID}, Sources: []string{a.Source, b.Source}, What: fmt.Sprintf(format, args...)})
	}
	na, nb := a.named(), b.named()
	if a.Withdrawn.IsZero() != b.Withdrawn.IsZero() {
		gone, stands, when := na, nb, a.Withdrawn
		if a.Withdrawn.IsZero() {
			gone, stands, when = nb, na, b.Withdrawn
		}
		add("%s was withdrawn on %s, %s was not", gone, when.UTC().Format(time.DateOnly), stands)
	}
	if x, y := a.Disclosure, b.Disclosure; !x.IsZero() && !y.IsZero() && apart(x, y) {
		add("%s says that it became public on %s, %s on %s", na, day(x), nb, day(y))
	}
	// Published before it was public: the other way round is a record that came late.
	for _, s := range []struct {
		p, q   *Advisory
		np, nq string
	}{{a, b, na, nb}, {b, a, nb, na}} {
		early := s.p.Disclosure.IsZero() && !s.p.Published.IsZero() && !s.q.Disclosure.IsZero()
		if early && s.p.Published.Before(s.q.Disclosure) && apart(s.p.Published, s.q.Disclosure) {
			add("%s was published on %s, %s says that it became public on %s", s.np, day(s.p.Published), s.nq, day(s.q.Disclosure))
		}
	}
	for _, x := range a.statements() {
		for _, y := range b.statements() {
			if what := x.against(y, na, nb); what != "" {
				add("%s", what)
			}
		}
	}
	return out
}

// named is how a document is called beside another on the same vulnerability.
func (a *Advisory) named() string {
	if a.Source == "" {
		return a.ID
	}
	return a.ID + " (" + a.Source + ")"
}

func apart(x, y time.Time) bool { return x.Sub(y).Abs() > 24*time.Hour }

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// statement is what a document says of one package in one ecosystem, as far as two can be compared.
type statement struct {
	ecosystem, pkg string
	denied         bool   // no version of it is affected
	affected       bool   // some are
	fixes          []span // where they begin and end
}

// span is one affected stretch.
type span struct {
	from  string // "": from the first version on
	fixed string // the first that is fixed; "": none is named
	last  string // the last that is affected, where that is said instead
}

// statements are what a says, one for each ecosystem and package that it names, in its order.
func (a *Advisory) statements() (out []statement) {
	for _, e := range a.Affected {
		if e.Ecosystem == "" || version.FamilyOf(e.Ecosystem) == version.Builds {
			continue
		}
		i := slices.IndexFunc(out, func(s statement) bool { return sameEcosystem(s.ecosystem, e.Ecosystem) && s.pkg == e.Package })
		if i < 0 {
			i, out = len(out), append(out, statement{ecosystem: e.Ecosystem, pkg: e.Package})
		}
		s := &out[i]
		whole := len(e.Ranges) == 0 && len(e.Versions) == 0
		switch e.Status {
		case StatusNotAffected:
			// Narrowed to some hosts, it is no word on the others.
			s.denied = s.denied || whole && len(e.Applies) == 0
		case "", StatusAffected:
			s.affected = s.affected || !whole
			s.fixes = append(s.fixes, e.stretches()...)
		case StatusFixed:
			if len(e.Versions) == 1 && len(e.Ranges) == 0 {
				s.fixes = append(s.fixes, span{fixed: e.Versions[0]})
			}
		}
	}
	return out
}

func sameEcosystem(a, b string) bool {
	da, ra := version.Split(a)
	db, rb := version.Split(b)
	return da == db && ra == rb
}

// stretches are the affected stretches of the ranges that can be compared.
func (e *Affected) stretches() (out []span) {
	for _, r := range e.Ranges {
		if r.Type != "" && r.Type != "ECOSYSTEM" {
			continue
		}
		var s *span
		for _, ev := range r.Events {
			switch {
			case ev.Introduced != "":
				out = append(out, span{from: fromFirst(ev.Introduced)})
				s = &out[len(out)-1]
			case s == nil: // an end without a beginning: parse names it
			case ev.Fixed != "":
				s.fixed = ev.Fixed
			case ev.LastAffected != "":
				s.last = ev.LastAffected
			}
		}
	}
	return out
}

func fromFirst(v string) string {
	if v == "0" {
		return ""
	}
	return v
}

// against says in words what two statements on one package contradict each other in; "" when in
// nothing that can be seen.
func (s statement) against(o statement, ns, no string) string {
	if s.pkg != o.pkg || !sameEcosystem(s.ecosystem, o.ecosystem) {
		return ""
	}
	subject := s.ecosystem + " " + s.pkg
	switch {
	case s.denied && o.affected && !o.denied:
		return fmt.Sprintf("%s says that %s is not affected, %s that it is", ns, subject, no)
	case o.denied && s.affected && !s.denied:
		return fmt.Sprintf("%s says that %s is affected, %s that it is not", ns, subject, no)
	}
	_, release := version.Split(s.ecosystem)
	alone := release != "" && len(s.fixes) == 1 && len(o.fixes) == 1
	for _, x := range s.fixes {
		for _, y := range o.fixes {
			// Of a project's own releases each branch has its fix: only like is compared with like.
			if x.from != y.from && !alone {
				continue
			}
			if what := x.against(y, s.ecosystem, subject, ns, no); what != "" {
				return what
			}
		}
	}
	return ""
}

func (x span) against(y span, ecosystem, subject, nx, ny string) string {
	differ := func(a, b string) bool {
		n, err := version.Compare(ecosystem, a, b)
		return a != "" && b != "" && err == nil && n != 0 // what cannot be compared does not contradict
	}
	upTo := func(last, fixed string) bool {
		n, err := version.Compare(ecosystem, last, fixed)
		return last != "" && fixed != "" && err == nil && n >= 0
	}
	switch {
	case differ(x.fixed, y.fixed):
		return fmt.Sprintf("%s says that %s is fixed in %s, %s in %s", nx, subject, x.fixed, ny, y.fixed)
	case upTo(y.last, x.fixed):
		return fmt.Sprintf("%s says that %s is fixed in %s, %s that it is affected up to %s", nx, subject, x.fixed, ny, y.last)
	case upTo(x.last, y.fixed):
		return fmt.Sprintf("%s says that %s is affected up to %s, %s that it is fixed in %s", nx, subject, x.last, ny, y.fixed)
	}
	return ""
}

// Shared is a name that several documents carry.
type Shared struct {
	Names []string `json:"names" yaml:"names"` // sorted
	IDs   []string `json:"ids" yaml:"ids"`     // of the documents, in the order given
	// Sources are their files or addresses, in the same order.
	Sources []string `json:"sources" yaml:"sources"`
}

// Together tells which documents are about the same vulnerability: the names that several of them
// carry, those with the same documents as one.
func Together(as []Advisory) (out []Shared) {
	byName := map[string][]int{}
	for i := range as {
		for _, name := range as[i].names() {
			if at := byName[name]; len(at) == 0 || at[len(at)-1] != i {
				byName[name] = append(at, i)
			}
		}
	}
	var order []string
	for name, at := range byName {
		if len(at) > 1 {
			order = append(order, name)
		}
	}
	slices.SortFunc(order, func(a, b string) int {
		if n := slices.Compare(byName[a], byName[b]); n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
	for n, name := range order {
		if n > 0 && slices.Equal(byName[name], byName[order[n-1]]) {
			last := &out[len(out)-1]
			last.Names = append(last.Names, name)
			continue
		}
		s := Shared{Names: []string{name}}
		for _, i := range byName[name] {
			s.IDs, s.Sources = append(s.IDs, as[i].ID), append(s.Sources, as[i].Source)
		}
		out = append(out, s)
	}
	return out
}
