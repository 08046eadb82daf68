package advisory

import (
	"slices"
	"strings"
	"time"
)

// finding is a verdict on the way: with its evidence and what would change it.
type finding struct {
	verdict Verdict
	needs   []string
	lines   []string
	says    []docWord
	fix     string // of an affected version: one that the documents call fixed
}

// docWord is what one document says.
type docWord struct {
	doc  int
	says saying
}

// rank orders verdicts for joining: one certain harm outweighs all doubts, one doubt all good news.
func rank(v Verdict) int { return slices.Index(Verdicts, v) }

// join folds the findings on several packages into one.
func join(fs ...finding) finding {
	out := finding{verdict: NotAffected}
	explained := map[string]bool{}
	for _, f := range fs {
		if rank(f.verdict) < rank(out.verdict) {
			out.verdict = f.verdict
		}
		out.says = append(out.says, f.says...)
		for _, l := range f.lines {
			// An indented line explains the one above; the same explanation is given once.
			if strings.HasPrefix(l, " ") {
				if explained[l] {
					continue
				}
				explained[l] = true
			}
			out.lines = append(out.lines, l)
		}
	}
	for _, f := range fs {
		if f.verdict != out.verdict {
			continue
		}
		out.fix = orElse(out.fix, f.fix)
		for _, n := range f.needs {
			if !slices.Contains(out.needs, n) {
				out.needs = append(out.needs, n)
			}
		}
	}
	return out
}

// outcome is a finding as it is given out, shared by all subjects that are judged alike.
type outcome struct {
	verdict  Verdict
	needs    string
	evidence []string
	since    time.Time // when the first document that affects it became public
	undated  bool      // affected, and no document or target says since when
	harms    []int     // documents that call it affected
	doubts   []int     // documents that cannot tell, and do not harm
	then     string    // HostVerdict.Then
	severity Severity  // of the worst of harms
}

// outcomeOf sums a finding up.
func (s *assessor) outcomeOf(f finding, in *setting) *outcome {
	o := &outcome{verdict: f.verdict, evidence: f.lines}
	if f.verdict == IsAffected || f.verdict == IsUnknown {
		o.needs = strings.Join(f.needs, "; ")
	}
	for _, w := range f.says {
		switch {
		case w.says == affected && !slices.Contains(o.harms, w.doc):
			o.harms = append(o.harms, w.doc)
		case w.says == cannot && !slices.Contains(o.doubts, w.doc):
			o.doubts = append(o.doubts, w.doc)
		}
	}
	o.doubts = slices.DeleteFunc(o.doubts, func(doc int) bool { return slices.Contains(o.harms, doc) })
	if f.verdict != IsAffected {
		return o
	}
	for n, doc := range o.harms {
		a := &s.docs.all[doc]
		if severity := SeverityOf(a.Severity); n == 0 {
			o.severity = severity
		} else {
			o.severity = worst(o.severity, severity)
		}
		if t := a.public(); !t.IsZero() && (o.since.IsZero() || t.Before(o.since)) {
			o.since = t
		}
		o.evidence = append(slices.Clip(o.evidence), in.mitigated(a)...)
	}
	if o.since.IsZero() && !s.target.Disclosure.IsZero() {
		o.since = s.target.Disclosure
	}
	o.undated = o.since.IsZero()
	if o.since.After(s.now) {
		o.since = time.Time{} // under embargo: nobody else knows of it
	}
	return o
}

// public is when a document's vulnerability became known to all.
func (a *Advisory) public() time.Time {
	if !a.Disclosure.IsZero() {
		return a.Disclosure.UTC()
	}
	return a.Published.UTC()
}

// mitigated says which of an advisory's mitigations are in place.
func (s *setting) mitigated(a *Advisory) (lines []string) {
	for _, m := range a.Mitigations {
		in := len(m.Config) > 0
		for key, want := range m.Config {
			have, ok := s.host.Config[key]
			if s.single {
				if own, set := s.guests[0].config[key]; set {
					have, ok = own, true
				}
			}
			in = in && ok && have == want
		}
		if in {
			lines = append(lines, a.ID+": a mitigation is in place: "+m.Text)
		}
	}
	return lines
}
