package parse

import (
	"strings"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/version"
)

// csafSpan is a range of versions as the branch product_version_range names it.
type csafSpan struct {
	events   []advisory.Event // of one range; none: see the others
	versions []string         // single ones
	except   []string         // single ones that it leaves out
	all      bool             // every version
}

// readSpan reads vers:scheme/constraint|constraint (VERS, ECMA-428), and the same without the
// scheme, as some publishers write. why says what keeps it from being read.
func readSpan(text, ecosystem string) (s csafSpan, why string) {
	rest, isVers := strings.CutPrefix(strings.TrimSpace(text), "vers:")
	if isVers {
		scheme, constraints, found := strings.Cut(rest, "/")
		if !found {
			return s, "it is no range of versions by VERS"
		}
		if why := schemeFits(scheme, ecosystem); why != "" {
			return s, why
		}
		rest = constraints
	} else if !strings.HasPrefix(rest, "<") && !strings.HasPrefix(rest, ">") {
		return s, "it is no range of versions by VERS"
	}
	if rest == "*" {
		return csafSpan{all: true}, ""
	}
	return readConstraints(rest, ecosystem)
}

// schemes are VERS's names for the rules by which versions are ordered.
var schemes = map[string]version.Family{
	"rpm": version.RPM, "deb": version.Deb, "apk": version.APK, "alpine": version.APK,
	"generic": version.Releases, "intdot": version.Releases, "semver": version.Releases, "github": version.Releases,
}

func schemeFits(scheme, ecosystem string) string {
	family, known := schemes[strings.ToLower(scheme)]
	switch {
	case scheme == "all" || scheme == "none" || ecosystem == "":
		return ""
	case !known:
		return "the order of versions " + cut(scheme, 20) + " is not known"
	case family != version.FamilyOf(ecosystem) && family != version.Releases:
		return "versions of " + ecosystem + " are not ordered as " + scheme + " says"
	}
	return ""
}

// readConstraints reads constraints in the order of their versions, as VERS demands: only then is it
// plain which belong together.
func readConstraints(text, ecosystem string) (s csafSpan, why string) {
	if ecosystem == "" {
		ecosystem = version.Upstream
	}
	last := ""
	for _, constraint := range strings.Split(text, "|") {
		sign, v := splitConstraint(constraint)
		if !isName(v) || strings.ContainsAny(v, "<>=!*, ") {
			return csafSpan{}, "it is no range of versions by VERS"
		}
		if last != "" {
			if order, err := version.Compare(ecosystem, last, v); err != nil {
				return csafSpan{}, err.Error()
			} else if order >= 0 {
				return csafSpan{}, "its versions are not in ascending order"
			}
		}
		if why := s.add(sign, v); why != "" {
			return csafSpan{}, why
		}
		last = v
	}
	if len(s.events) == 0 && len(s.versions) == 0 { // only exceptions: all others are meant
		s.events = []advisory.Event{{Introduced: "0"}}
	}
	return s, ""
}

// add takes the next constraint; why says what keeps it from being one.
func (s *csafSpan) add(sign, v string) (why string) {
	open := len(s.events) > 0 && s.events[len(s.events)-1].Introduced != ""
	switch sign {
	case "=":
		s.versions = append(s.versions, v)
	case "!=":
		s.except = append(s.except, v)
	case ">", ">=":
		if open {
			return "it begins twice"
		}
		if s.events = append(s.events, advisory.Event{Introduced: v}); sign == ">" {
			s.except = append(s.except, v) // an event cannot leave out the version that it names
		}
	default:
		switch {
		case open:
		case len(s.events) > 0 || len(s.versions) > 0:
			return "it ends where nothing began"
		default:
			s.events = append(s.events, advisory.Event{Introduced: "0"})
		}
		end := advisory.Event{Fixed: v}
		if sign == "<=" {
			end = advisory.Event{LastAffected: v}
		}
		s.events = append(s.events, end)
	}
	return ""
}

// splitConstraint takes a constraint apart; without a sign it is one version.
func splitConstraint(s string) (sign, v string) {
	s = strings.TrimSpace(s)
	for _, sign := range []string{"!=", "<=", ">=", "<", ">", "="} {
		if rest, ok := strings.CutPrefix(s, sign); ok {
			return sign, unescaped(strings.TrimSpace(rest))
		}
	}
	return "=", unescaped(s)
}

// ranges gives the span as ranges of an entry.
func (s *csafSpan) ranges() []advisory.Range {
	if s.all {
		return []advisory.Range{{Type: "ECOSYSTEM", Events: []advisory.Event{{Introduced: "0"}}}}
	}
	if len(s.events) == 0 {
		return nil
	}
	return []advisory.Range{{Type: "ECOSYSTEM", Events: s.events}}
}
