package parse

import (
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/version"
)

// entry is one element of versions.
type entry struct {
	version, lessThan, orEqual, kind string
	says                             says
	changes                          []turning
}

// turning is a version from which on the status is another.
type turning struct {
	at   string
	says says
}

func (p *products) version(s *statement, n *node) {
	word := func(n *node, key string) string { t, _, _ := p.d.text(n, key); return strings.TrimSpace(t) }
	e := entry{version: word(n, "version"), lessThan: word(n, "lessThan"), orEqual: word(n, "lessThanOrEqual"), kind: strings.ToLower(word(n, "versionType"))}
	e.says = p.status(n, "status", isAffected|isUnaffected|isUnknown)
	for _, c := range p.d.objects(n, "changes", "an object with at and status") {
		e.changes = append(e.changes, turning{word(c, "at"), p.status(c, "status", isUnknown)})
	}
	if m := consult.FindStringSubmatch(e.version); m != nil && s.pkg == "xen" {
		p.xsas = append(p.xsas, strings.ToUpper(m[1]))
	}
	if e.isCommit(s.ecosystem) {
		s.commits = append(s.commits, e.commits()...)
		return
	}
	spans, ok := e.spans(s)
	if !ok {
		all := e.says
		for _, c := range e.changes {
			all |= c.says
		}
		s.missing(all, e.words())
		return
	}
	s.spans = append(s.spans, spans...)
}

// isCommit: source control's ids have an order only within their repository.
func (e *entry) isCommit(ecosystem string) bool {
	bound := e.lessThan + e.orEqual
	return slices.Contains([]string{"git", "hg", "svn", "cvs"}, e.kind) || ecosystem == version.Upstream && commitID.MatchString(e.version) && (bound == "" || bound == "*" || commitID.MatchString(bound))
}

// commits gives the affected stretches as ranges of commits.
func (e *entry) commits() (out []advisory.Range) {
	r := advisory.Range{Type: "GIT"}
	now := isUnaffected
	turn := func(at string, to says) {
		switch {
		case to == isAffected && now != isAffected:
			r.Events = append(r.Events, advisory.Event{Introduced: at})
		case to == isUnaffected && now == isAffected:
			r.Events = append(r.Events, advisory.Event{Fixed: at})
		}
		now = to
	}
	turn(e.version, e.says)
	for _, c := range e.changes {
		turn(c.at, c.says)
	}
	if len(r.Events) == 0 || e.version == "" {
		return nil
	}
	switch {
	case now != isAffected:
	case e.orEqual != "" && e.orEqual != "*":
		r.Events = append(r.Events, advisory.Event{LastAffected: e.orEqual})
	case e.lessThan != "" && e.lessThan != "*":
		r.Events = append(r.Events, advisory.Event{Fixed: e.lessThan})
	case e.lessThan+e.orEqual == "":
		r.Events = append(r.Events, advisory.Event{LastAffected: e.version})
	}
	return []advisory.Range{r}
}

// spans reads the versions of an entry; ok is false when they cannot be told.
func (e *entry) spans(s *statement) (out []span, ok bool) {
	if e.lessThan == "" && e.orEqual == "" {
		if len(e.changes) > 0 || e.version == "0" || !readable(s.ecosystem, e.version) {
			return nil, false
		}
		p := only(e.version)
		p.says = e.says
		return []span{p}, true
	}
	whole := span{says: e.says}
	if whole.lo, ok = s.from(e.version); !ok || e.lessThan != "" && e.orEqual != "" {
		return nil, false
	}
	if whole.hi, ok = s.upTo(e.lessThan+e.orEqual, e.orEqual != ""); !ok || !s.holdsAny(whole) {
		return nil, false
	}
	return e.changing(s, whole)
}

// changing cuts a span where the status changes along it.
func (e *entry) changing(s *statement, whole span) (out []span, ok bool) {
	for _, c := range e.changes {
		if !readable(s.ecosystem, c.at) {
			return nil, false
		}
	}
	compare := func(a, b string) int { o, _ := version.Compare(s.ecosystem, a, b); return o }
	changes := slices.Clone(e.changes)
	slices.SortStableFunc(changes, func(a, b turning) int { return compare(a.at, b.at) })
	for _, c := range changes {
		piece := span{lo: whole.lo, hi: before(c.at), says: whole.says}
		if !s.holdsAny(span{lo: piece.hi, hi: whole.hi}) {
			break // it changes only behind the end
		}
		if whole.lo.at == "" || compare(c.at, whole.lo.at) > 0 {
			out, whole.lo = append(out, piece), piece.hi
		}
		whole.says = c.says
	}
	return append(out, whole), true
}

// words tells an entry for people.
func (e *entry) words() string {
	out := e.version
	switch {
	case e.orEqual != "":
		out += " up to " + e.orEqual
	case e.lessThan != "":
		out += " to before " + e.lessThan
	}
	if out == "" {
		out = "no version"
	}
	return out
}
