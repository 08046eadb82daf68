package notice

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// advisoryName finds what looks like an advisory's name, whether the target lists it or not.
var advisoryName = regexp.MustCompile(`(?i)\b(CVE[-_ ]?\d{4}[-_ ]?\d{3,}|XSA[-_ ]?\d+|GHSA(-[0-9a-z]{4}){3}|(DSA|DLA|RHSA|USN|ALAS|SUSE-SU|OSV|INTEL-SA|AMD-SB)[-_ ]\d[-:.\d]*)`)

// Lint gives the reasons for which a notice cannot be sent; none when it may be. Each says what is
// missing and what would allow it. The sentences are for operators.
func Lint(n Notice) []string {
	var bad []string
	say := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	if _, known := kinds[n.Kind]; !known {
		say("kind %q is not known", n.Kind)
	}
	if n.ID == "" {
		say("it has no id")
	}
	if n.Tenant.ID == "" {
		say("it has no tenant")
	}
	if len(n.Tenant.Contacts) == 0 {
		say("tenant %q has no contact: give it one in the fleet", n.Tenant.ID)
	}
	if _, err := zone(n.Tenant.Timezone); err != nil {
		say("tenant %q: %v", n.Tenant.ID, err)
	}
	if strings.TrimSpace(n.OperatorContact) == "" {
		say("there is no operator contact to answer questions: set contact in the policy")
	}
	if len(n.Items) == 0 {
		say("it names no slot")
	}
	for _, it := range n.Items {
		for _, why := range lintSlot(it.Slot) {
			say("slot %q: %s", it.Slot.ID, why)
		}
		for _, why := range lintItem(n.Kind, it) {
			say("slot %q: %s", it.Slot.ID, why)
		}
	}
	if !n.Disclosed {
		bad = append(bad, lintEmbargo(n)...)
	}
	return bad
}

func lintSlot(s plan.Slot) (bad []string) {
	if s.Instance == "" {
		bad = append(bad, "it names no instance")
	}
	switch {
	case s.Start.IsZero() || s.End.IsZero():
		bad = append(bad, "it lacks an exact start or end")
	case !s.Start.Before(s.End):
		bad = append(bad, "its end is not after its start")
	}
	if _, known := classWord[s.Class]; !known {
		return append(bad, fmt.Sprintf("class %q is not none, blip or outage", s.Class))
	}
	if _, known := dispositions[s.Disposition]; !known {
		return append(bad, fmt.Sprintf("disposition %q is nothing that can be promised", s.Disposition))
	}
	if weight[s.Class] < weight[plan.ClassOf(s.Disposition)] {
		bad = append(bad, fmt.Sprintf("class %s plays disposition %s down, which is at least a %s", s.Class, s.Disposition, plan.ClassOf(s.Disposition)))
	}
	if s.Class == plan.ClassNone {
		return bad
	}
	if s.ExpectedMs <= 0 {
		bad = append(bad, "it lacks the expected interruption")
	}
	if s.WorstMs <= 0 {
		bad = append(bad, "it lacks the worst-case interruption")
	}
	if s.ExpectedMs > s.WorstMs {
		bad = append(bad, "the expected interruption is longer than the worst case")
	}
	if s.P95Ms != 0 && (s.P95Ms < s.ExpectedMs || s.P95Ms > s.WorstMs) {
		bad = append(bad, "what it takes in 95 of 100 cases is not between the expected interruption and the worst case")
	}
	if s.WorstMs > s.End.Sub(s.Start).Milliseconds() {
		bad = append(bad, "the worst case does not fit in the slot")
	}
	return bad
}

func lintItem(kind Kind, it Item) (bad []string) {
	if it.Instance != it.Slot.Instance {
		bad = append(bad, fmt.Sprintf("it is told for instance %q but promised for %q", it.Instance, it.Slot.Instance))
	}
	if kind == Rescheduled && it.Was == nil {
		bad = append(bad, "a rescheduled notice needs what the promise was")
	}
	if it.Was != nil {
		if it.Was.Instance != it.Instance || it.Was.Tenant != it.Slot.Tenant {
			return append(bad, "what it was is the promise of another instance")
		}
		for _, why := range lintSlot(*it.Was) {
			bad = append(bad, "what it was: "+why)
		}
	}
	if it.ActualFrom.IsZero() != it.ActualTo.IsZero() || it.ActualTo.Before(it.ActualFrom) {
		bad = append(bad, "the actual interruption has no proper start and end")
	}
	return bad
}

// lintEmbargo looks through the words that operators wrote for a name that must wait for disclosure.
// What tenants named themselves (instances, their own name) they know already.
func lintEmbargo(n Notice) (bad []string) {
	for _, field := range []struct {
		name, text string
		hidden     []string
	}{
		{"public", n.Public, n.Hidden}, {"reason", n.Reason, n.Hidden}, {"operator contact", n.OperatorContact, nil},
	} {
		if advisoryName.MatchString(field.text) || holdsAny(field.text, n.Advisories) || holdsAny(field.text, field.hidden) {
			bad = append(bad, "before disclosure its "+field.name+" text names an advisory, the target or the campaign: use other words")
		}
	}
	return bad
}

// holdsAny finds a word whatever its case and its dashes. Words under four letters are too common
// to be names.
func holdsAny(text string, words []string) bool {
	text = squeeze(text)
	return slices.ContainsFunc(words, func(w string) bool {
		w = squeeze(w)
		return len(w) >= 4 && strings.Contains(text, w)
	})
}

// squeeze keeps letters and digits only, in lower case, so that xsa_999 and XSA-999 are one.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, s)
}
