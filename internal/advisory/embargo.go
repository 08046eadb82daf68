package advisory

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// Terms is what a target and the documents on its advisories say together of time. Several
// advisories may become public at different moments; work that is done for all of them at once keeps
// the strictest of their terms.
type Terms struct {
	// Disclosure is the latest of the moments at which they become public: before it nothing may be
	// named. Zero: all are public, or nobody says otherwise.
	Disclosure time.Time
	// Deploy says whether the fix may be deployed before that: the strictest word of any whose
	// disclosure lies ahead. Empty: none says, or all are public.
	Deploy string
	// FinishBy is the earliest of the moments that lie ahead, where the fix may be deployed before it:
	// from then on the first of them is known to all. Zero: there is none.
	FinishBy time.Time
	// Why says what came from where, one sentence each; Conflicts names dates that contradict each
	// other, with both sources. The later one counts.
	Why, Conflicts []string
}

// strictness of a word on deployment under embargo.
var strictness = map[string]int{"": 0, "yes": 1, "mitigations": 2, "no": 3}

// claim is what one source says of one vulnerability, or of all that the target fixes.
type claim struct {
	who    string // the source, as people know it
	public time.Time
	deploy string
	a      *Advisory // nil: the target
}

// Embargo joins the terms of a target with those of the documents on the advisories that it fixes (all
// of them, where it names none). Withdrawn and superseded documents do not count.
func Embargo(t *plan.Target, as []Advisory, now time.Time) Terms {
	var claims []claim
	std := newStanding(as, now)
	for i := range as {
		a := &as[i]
		if std.gone(i) == "" && (len(t.Fixes) == 0 || slices.ContainsFunc(t.Fixes, a.Names)) {
			claims = append(claims, claim{a.named(), a.public(), a.EmbargoDeploy, a})
		}
	}
	out := Terms{Conflicts: contradicting(claims, now)}
	if !t.Disclosure.IsZero() || t.EmbargoDeploy != "" {
		own := claim{"target " + t.ID, t.Disclosure.UTC(), t.EmbargoDeploy, nil}
		for _, c := range claims {
			if own.public.After(now) && c.public.After(own.public) {
				out.Conflicts = append(out.Conflicts, fmt.Sprintf("%s says that all is public from %s on, %s says %s: the later counts", own.who, moment(own.public), c.who, moment(c.public)))
			}
		}
		claims = append(claims, own)
	}
	out.join(claims, now)
	return out
}

// join takes the latest disclosure, the strictest word on deployment, and the earliest end.
func (t *Terms) join(claims []claim, now time.Time) {
	earliest := time.Time{}
	for _, c := range claims {
		if c.public.After(t.Disclosure) {
			t.Disclosure = c.public
		}
		if c.public.After(now) {
			if earliest.IsZero() || c.public.Before(earliest) {
				earliest = c.public
			}
			t.Why = append(t.Why, fmt.Sprintf("%s: public from %s on%s", c.who, moment(c.public), deployWords(c.deploy)))
		}
	}
	if !t.Disclosure.After(now) {
		if t.Deploy = ""; len(claims) == 0 {
			t.Disclosure = time.Time{}
		}
		return
	}
	for _, c := range claims {
		// A target's own word counts for all that it fixes, also where documents give the date.
		if strictness[c.deploy] > strictness[t.Deploy] && (c.public.After(now) || c.a == nil) {
			t.Deploy = c.deploy
		}
	}
	if strictness[t.Deploy] <= strictness["yes"] && earliest.Before(t.Disclosure) {
		t.FinishBy = earliest
	}
}

func deployWords(deploy string) string {
	switch deploy {
	case "yes":
		return ", may be deployed before"
	case "mitigations":
		return ", only mitigations may be deployed before"
	case "no":
		return ", must not be deployed before"
	}
	return ""
}

// contradicting names documents on one vulnerability whose dates differ, as long as one lies ahead.
func contradicting(claims []claim, now time.Time) (out []string) {
	for i, x := range claims {
		for _, y := range claims[i+1:] {
			ahead := x.public.After(now) || y.public.After(now)
			if ahead && !x.public.IsZero() && !y.public.IsZero() && !x.public.Equal(y.public) && oneVulnerability(x.a, y.a) {
				out = append(out, fmt.Sprintf("%s says that it is public from %s on, %s says %s: the later counts", x.who, moment(x.public), y.who, moment(y.public)))
			}
		}
	}
	return out
}

// oneVulnerability: both are about one and the same, and not about several.
func oneVulnerability(a, b *Advisory) bool {
	theirs := b.identity()
	return slices.ContainsFunc(a.identity(), func(id string) bool { return slices.Contains(theirs, id) })
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04Z") }
