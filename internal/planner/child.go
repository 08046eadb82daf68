package planner

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/evenkeel/evenkeel/internal/version"
)

// sound refuses input that would plan what must not be: a campaign that takes its own place, or turns
// that give hosts a fix which the target itself withdraws.
func sound(in Input) error {
	if in.Supersedes != "" && in.Supersedes == in.Campaign {
		return fmt.Errorf("campaign %s cannot supersede itself: give the new one another name", in.Campaign)
	}
	if in.Target == nil {
		return nil
	}
	var bad []error
	for n := range in.Target.Cohorts {
		c := &in.Target.Cohorts[n]
		for _, u := range in.Target.Unsound(c) {
			name := c.Name
			if name == "" {
				name = fmt.Sprintf("#%d", n+1)
			}
			bad = append(bad, fmt.Errorf("target %s, cohort %s, %s: %s is withdrawn (%s): name a fix that stands, or leave the cohort out", in.Target.ID, name, strings.TrimSuffix(u.Path, ".name"), u.What, u.Why))
		}
	}
	return errors.Join(bad...)
}

// noteShed finds the hosts that have, or on which an instance runs on, a withdrawn version of a package
// of which their cohort names a newer one. Documents may go on to call the withdrawn one fixed.
func (w *world) noteShed() {
	w.shed = map[string]string{}
	if w.in.Target == nil {
		return
	}
	for _, x := range w.in.Assessment.Holders {
		h := w.ix.Hosts[x.Host]
		pkg, v, versioned := strings.Cut(x.Fix, " ")
		if h == nil || !versioned || w.shed[x.Host] != "" {
			continue
		}
		if c := w.cohorts.Of(h); c != nil && c.Packages[pkg] != "" {
			if order, err := version.Compare(cmp.Or(c.Ecosystem, h.Ecosystem), v, c.Packages[pkg]); err == nil && order < 0 {
				w.shed[x.Host] = x.Fix
			}
		}
	}
}
