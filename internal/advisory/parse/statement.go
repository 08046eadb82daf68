package parse

import (
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/version"
)

// says is what is said of versions; several bits: one of them, and it cannot be told which.
type says uint8

const (
	isAffected says = 1 << iota
	isUnaffected
	isUnknown
)

// decided is the one thing that is said, or that it is unknown.
func (s says) decided() says {
	if s == isAffected || s == isUnaffected {
		return s
	}
	return isUnknown
}

// statement is what one source in a record says of the versions of one package. As CVE's standard
// has it (cve-schema, versions.md): the first span that holds a version decides, and rest decides
// for versions that none holds.
type statement struct {
	source    string // as messages name it: NVD, cna (Linux)
	ecosystem string
	pkg       string
	applies   []advisory.Condition
	spans     []span
	rest      says
	// implied: rest is not stated but follows from what is listed, as with NVD. Then one list of
	// the source does not speak against another.
	implied bool
	commits []advisory.Range // ranges of commits, which nothing here compares
	// onlyCommits: rest is said of commits.
	onlyCommits bool
	unread      []string // what could not be read as versions, for people
	// perhaps says that what is called affected is so only on some platform, of which a fleet's facts
	// do not tell whether a host is it.
	perhaps bool
}

// span is a stretch of versions.
type span struct {
	lo, hi edge
	says   says
	// unread: which versions are meant cannot be told, so it may hold any.
	unread bool
}

// edge is one end of a span: just before a version, or just after it.
type edge struct {
	at    string // a version that can be compared; empty: the beginning or the end of all
	after bool
}

func before(v string) edge { return edge{at: v} }
func after(v string) edge  { return edge{at: v, after: true} }
func only(v string) span   { return span{lo: before(v), hi: after(v)} }

// upTo reads the upper end of a span. By CVE's convention * is infinity: 6.1.* is the end of all
// that begins with 6.1, whether it is called less than or less than or equal.
func (s *statement) upTo(text string, including bool) (e edge, ok bool) {
	if text == "*" {
		return edge{}, true
	}
	if series, found := strings.CutSuffix(text, ".*"); found {
		next, known := seriesEnd(s.pkg, series)
		return before(next), known && s.ecosystem == version.Upstream && readable(s.ecosystem, series) && readable(s.ecosystem, next)
	}
	return edge{text, including}, readable(s.ecosystem, text)
}

// from reads the lower end of a span: 0 and * are the beginning.
func (s *statement) from(text string) (e edge, ok bool) {
	if text == "0" || text == "*" {
		return edge{}, true
	}
	return before(text), readable(s.ecosystem, text)
}

// missing adds a span of which only its saying is known, and remembers how it is written.
func (s *statement) missing(what says, text string) {
	s.spans = append(s.spans, span{says: what, unread: true})
	s.unread = append(s.unread, cut(plain(text), 80))
}

// listed joins some texts for people; of many the first.
func listed(texts []string, most int) string {
	texts = distinct(texts)
	if len(texts) <= most {
		return strings.Join(texts, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(texts[:most], ", "), len(texts)-most)
}

// gaps names what could not be read.
func (s *statement) gaps() []string {
	if len(s.unread) == 0 {
		return nil
	}
	quoted := make([]string, len(s.unread))
	for i, t := range s.unread {
		quoted[i] = quote80(t)
	}
	return []string{s.source + " says of " + s.pkg + " what gives no version that can be compared: " + listed(quoted, 3)}
}

func quote80(s string) string { return fmt.Sprintf("%q", cut(s, 80)) }

// decides says whether it tells of any version what it is.
func (s *statement) decides() bool {
	if s.onlyCommits {
		return false
	}
	return s.rest != isUnknown && len(s.unread) == 0 || slices.ContainsFunc(s.spans, func(p span) bool { return !p.unread && p.says != isUnknown })
}
