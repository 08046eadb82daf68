package parse

import (
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/version"
)

// match is one entry of cpeMatch.
type match struct {
	cpe        cpeName
	ok         bool // its criteria is a CPE name
	criteria   string
	vulnerable bool
	project    string
	// startIncluding, startExcluding, endIncluding, endExcluding
	bounds [4]string
}

func (m *match) bounded() bool { return m.bounds != [4]string{} }

// platform is what a match stands for when something else runs on it.
func (m *match) platform() []place {
	if !m.ok {
		return somewhere
	}
	return m.cpe.platform(m.bounded())
}

// words tells a match that gives no versions.
func (m *match) words(negated bool) string {
	switch {
	case negated:
		return m.criteria + ", negated"
	case !m.bounded():
		return m.criteria + " without any bound of versions"
	}
	return m.criteria + " with the bounds " + strings.Join(slices.DeleteFunc(slices.Clone(m.bounds[:]), func(s string) bool { return s == "" }), ", ")
}

// span reads the versions of a match; ok is false when it gives none: an asterisk without bounds
// says that nobody looked closer.
func (l *matchList) span(m *match) (p span, ok bool) {
	p.says = isAffected
	if !m.bounded() {
		text, single := m.cpe.release()
		if !single || !readable(l.ecosystem, text) {
			return p, false
		}
		p.lo, p.hi = before(text), after(text)
		return p, true
	}
	b := m.bounds
	if said(m.cpe.version) || said(m.cpe.update) || m.cpe.version == "-" || b[0] != "" && b[1] != "" || b[2] != "" && b[3] != "" {
		return p, false // bounds of what: it says two things
	}
	ok = true
	switch {
	case b[0] != "":
		p.lo, ok = l.from(b[0])
	case b[1] != "":
		p.lo, ok = after(b[1]), readable(l.ecosystem, b[1])
	}
	if !ok {
		return p, false
	}
	switch {
	case b[2] != "":
		p.hi, ok = l.upTo(b[2], true)
	case b[3] != "":
		p.hi, ok = l.upTo(b[3], false)
	}
	return p, ok && l.holdsAny(p)
}

// holdsAny says whether a span's ends are in order.
func (s *statement) holdsAny(p span) bool {
	if p.lo.at == "" || p.hi.at == "" {
		return true
	}
	order, err := version.Compare(s.ecosystem, p.lo.at, p.hi.at)
	return err == nil && (order < 0 || order == 0 && !p.lo.after && p.hi.after)
}
