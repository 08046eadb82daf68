package audit

import (
	"regexp"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// advisoryID is the shape of the ids that advisories go by.
var advisoryID = regexp.MustCompile(`(?i)\b(CVE-\d{4}-\d+|XSA-?\d+|DSA-\d+|DLA-\d+|USN-\d+|RH[SBE]A-\d{4}|GHSA-[0-9a-z]{4}-|ELSA-\d{4}|SUSE-SU-\d{4}|DEBIAN-CVE-)`)

// names finds an advisory's id in a text: one of the target's own, or anything of that shape; "" when
// there is none.
func names(text string, fixes []string) string {
	for _, id := range fixes {
		if id != "" && strings.Contains(strings.ToLower(text), strings.ToLower(id)) {
			return id
		}
	}
	return advisoryID.FindString(text)
}

func fixesOf(t *plan.Target) []string {
	if t == nil {
		return nil
	}
	return t.Fixes
}

// forbids: the fix itself may not be deployed before disclosure. Where only mitigations may, every
// turn of ours counts as the fix.
func forbids(t *plan.Target) bool {
	return t != nil && !t.Disclosure.IsZero() && (t.EmbargoDeploy == "no" || t.EmbargoDeploy == "mitigations")
}

// deadline is the operator's own: the target's, or else policy's; zero: none.
func deadline(p *plan.Plan) time.Time {
	if p.Target != nil && !p.Target.FinishBy.IsZero() {
		return p.Target.FinishBy
	}
	return p.Policy.FinishBy
}

// inEffectBy is when the last turn that brings the fix ends: a reboot that is deferred follows a live
// patch, by which the fix is in effect.
func inEffectBy(p *plan.Plan) (by time.Time) {
	deferred := false
	for i := range p.Turns {
		if t := &p.Turns[i]; t.Deferred {
			deferred = true
		} else {
			by = latest(by, t.End)
		}
	}
	if !deferred {
		return p.End
	}
	return by
}

// embargo asks law 9. A target that may not be deployed before disclosure cannot end before it
// either, so it needs no override for that.
func (d *dossier) embargo() {
	p := d.p
	none := Subject{}
	if by := deadline(p); !by.IsZero() {
		d.must(!p.End.After(by), 9, "finish-by", none, p.End, "an end by "+clock(by)+", or another finish_by", "the plan ends %s, it is to finish by %s", clock(p.End), clock(by))
	}
	tg := p.Target
	id := names(p.Public, fixesOf(tg))
	d.must(id == "", 9, "public-names-advisory", none, p.Made, "a public text without the advisory's id", "the public text %q names %s", p.Public, id)
	if tg == nil {
		return
	}
	if !tg.Disclosure.After(p.Made) { // public already, also when none is set
		return
	}
	if !forbids(tg) {
		by := inEffectBy(p)
		d.must(!by.After(tg.Disclosure) || p.Policy.AfterDisclosure, 9, "after-disclosure", none, by, "an end by "+clock(tg.Disclosure)+", or after_disclosure in policy",
			"the plan has brought the fix to all hosts by %s, the advisories become public %s", clock(by), clock(tg.Disclosure))
		return
	}
	for _, t := range d.ordered {
		d.must(!t.Start.Before(tg.Disclosure), 9, "under-embargo", ofTurn(t), t.Start, "a start no earlier than the disclosure, "+clock(tg.Disclosure),
			"turn %s starts %s, the fix may not be deployed before %s", t.ID, clock(t.Start), clock(tg.Disclosure))
	}
}

// appliedUnderEmbargo asks law 9 of a plan as it is applied: its public text, and its end. An
// operator who applies it with a reason has overridden the end, not the text.
func (t *trial) appliedUnderEmbargo(r *run, f *Fact) {
	tg := r.plan.Target
	s := Subject{Campaign: r.id, Seq: f.Seq}
	id := names(r.plan.Public, fixesOf(tg))
	t.must(id == "", 9, "public-names-advisory", s, f.At, "a public text without the advisory's id", "the public text %q names %s", r.plan.Public, id)
	if tg == nil {
		return
	}
	if !tg.Disclosure.After(f.At) || forbids(tg) {
		return
	}
	overridden := r.plan.Policy.AfterDisclosure || f.Why != "" && strings.HasPrefix(f.Who, "operator:")
	by := inEffectBy(r.plan)
	t.must(!by.After(tg.Disclosure) || overridden, 9, "after-disclosure", s, f.At, "an end by "+clock(tg.Disclosure)+", after_disclosure in policy, or an operator's reason",
		"the plan has brought the fix to all hosts by %s, the advisories become public %s", clock(by), clock(tg.Disclosure))
}
