package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// underTerms is a target with the strictest terms of its own and of its advisories' documents. An
// earlier disclosure of one of several becomes a time to finish by, unless policy allows a plan to end
// after disclosure.
func underTerms(t *plan.Target, terms advisory.Terms, policy plan.Policy, now time.Time) *plan.Target {
	out := *t
	if !terms.Disclosure.After(now) {
		return &out // all is public: the target stays as it was written
	}
	out.Disclosure, out.EmbargoDeploy = terms.Disclosure, terms.Deploy
	if terms.FinishBy.IsZero() || policy.AfterDisclosure {
		return &out
	}
	by := out.FinishBy
	if by.IsZero() {
		by = policy.FinishBy
	}
	if by.IsZero() || terms.FinishBy.Before(by) {
		out.FinishBy = terms.FinishBy
	}
	return &out
}

// termNotes say which terms count, and which source gave them.
func termNotes(terms advisory.Terms, t *plan.Target, policy plan.Policy, now time.Time) (notes []plan.Note) {
	if terms.Disclosure.After(now) {
		deploy := terms.Deploy
		if deploy == "" {
			deploy = "yes"
		}
		n := plan.Note{Heading: fmt.Sprintf("embargo    nothing is named before %s; deployment before that: %s", stampOf(t.Disclosure), deploy), Lines: terms.Why}
		switch {
		case terms.FinishBy.IsZero():
		case policy.AfterDisclosure:
			n.Lines = append(n.Lines, "the first of them is public from "+stampOf(terms.FinishBy)+" on; policy allows the plan to end after that")
		default:
			n.Lines = append(n.Lines, "the first of them is public from "+stampOf(terms.FinishBy)+" on: the plan is to end by then (after_disclosure in policy would lift that)")
		}
		notes = append(notes, n)
	}
	if len(terms.Conflicts) > 0 {
		notes = append(notes, plan.Note{Heading: "contradictions on disclosure", Lines: terms.Conflicts})
	}
	return notes
}

// holderNotes list who has a fix that was withdrawn: hosts, with the tenants that run there, and
// instances whose own process has it.
func holderNotes(f *fleet.Fleet, holders []advisory.Holder) []plan.Note {
	if len(holders) == 0 {
		return nil
	}
	n := plan.Note{Heading: fmt.Sprintf("withdrawn  a fix that was withdrawn is on (%d)", len(holders))}
	for _, h := range holders {
		who := "host " + h.Host + tenantsOn(f, h.Host)
		if h.Instance != "" {
			who = "instance " + h.Instance + " on " + h.Host + tenantWord(h.Tenant)
		}
		n.Lines = append(n.Lines, fmt.Sprintf("%s: %s, %s: %s", who, h.Fix, h.Layer, h.Why))
	}
	return []plan.Note{n}
}

// tenantsOn says whose instances run on a host.
func tenantsOn(f *fleet.Fleet, host string) string {
	n, tenants := 0, map[string]bool{}
	for i := range f.Instances {
		if in := &f.Instances[i]; in.Host == host && in.State != fleet.Stopped {
			if n++; in.Tenant != "" {
				tenants[in.Tenant] = true
			}
		}
	}
	words := fmt.Sprintf(" (%d instances on it", n)
	if len(tenants) > 0 {
		words += ", of " + strings.Join(slices.Sorted(maps.Keys(tenants)), " ")
	}
	return words + ")"
}

func printNotes(w io.Writer, notes []plan.Note) {
	for _, n := range notes {
		fmt.Fprintln(w, printable(n.Heading))
		for _, l := range n.Lines {
			fmt.Fprintln(w, printable("  "+l))
		}
	}
}
