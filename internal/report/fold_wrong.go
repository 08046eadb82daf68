package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// What went wrong with a kind of its own: hosts that came back wrong, cohorts whose migrations were held,
// canaries that did not stay sound.

// wrongCodes are the codes of holds that say what a host came back as.
var wrongCodes = []string{execution.CodeOldHypervisor, execution.CodeOldBuild, execution.CodeOldVersion, execution.CodeSameBoot, execution.CodeUnhealthy,
	execution.CodeNoDom0, execution.CodeNoNetwork, execution.CodePowerOff, execution.CodeNotBack}

// wrong enters a hold that says that its host came back wrong from its reboot.
func (b *book) wrong(f *execution.Fact) {
	h := b.turns[f.Turn].host
	if f.Step != execution.StepProve || h.Tactic == plan.LivePatch || h.Tactic == plan.Refresh || !slices.Contains(wrongCodes, f.Code) {
		return
	}
	b.r.Wrong = append(b.r.Wrong, WrongReturn{Host: h.Host, Turn: f.Turn, At: f.At, Code: f.Code, Why: cmp.Or(f.Why, f.Code), Next: f.Next})
}

// mended: the turn was done after all.
func (b *book) mended(f *execution.Fact) {
	for i := range b.r.Wrong {
		if w := &b.r.Wrong[i]; w.Turn == f.Turn && w.Mended.IsZero() {
			w.Mended = f.At
		}
	}
}

// unfixed: a host whose turn was done is not known to be fixed any more. Where it was live-patched,
// nor are those that run on it.
func (b *book) unfixed(h *Host, at time.Time) {
	b.exposed.hostUnfixed(h.Host, at)
	if h.Tactic != plan.LivePatch {
		return
	}
	for id, g := range b.guests {
		if g.line.After == h.Host && g.line.State != "gone" {
			b.exposed.guestUnfixed(id, at)
		}
	}
}

// patchSeen takes in what a look says of a host that its live patch has fixed: nothing of a live patch
// outlives a reboot, whoever ordered that. It counts as lost only where a look has shown the fix before; when
// it went is not known, so the later look's moment counts.
func (b *book) patchSeen(f *execution.Fact) {
	patch := b.hosts[plan.PatchTurn(f.Host)]
	if patch == nil {
		return
	}
	switch was, is := b.patched[f.Host], b.exposed.verdict(f.Host, f.Seen); {
	case is == advisory.IsAffected && was == advisory.IsFixed && patch.State == HostDone:
		b.patched[f.Host] = is
		b.unfixed(patch, f.Seen.At)
		b.event(f, "its live patch is not in effect any more: it is exposed again")
	case is == advisory.IsFixed && was == advisory.IsAffected:
		b.patched[f.Host] = is
		b.exposed.hostFixed(f.Host, f.Seen.At)
		b.allFixed(f.Host, f.Seen.At)
		b.event(f, "it is on the fix again")
	case is == advisory.IsFixed:
		b.patched[f.Host] = is
	}
}

// cohort enters that a cohort's migrations are held, or may go on.
func (b *book) cohort(f *execution.Fact) {
	if f.Kind == execution.CohortHeld {
		b.r.Totals.CohortHolds++
		b.r.Cohorts = append(b.r.Cohorts, CohortHold{Cohort: f.Cohort, Code: f.Code, Why: cmp.Or(f.Why, f.Code), Next: f.Next, Since: f.At})
		b.event(f, fmt.Sprintf("the migrations of cohort %s are held%s", f.Cohort, because(cmp.Or(f.Why, f.Code))))
		return
	}
	for i := range b.r.Cohorts {
		if c := &b.r.Cohorts[i]; c.Cohort == f.Cohort && c.Released.IsZero() {
			c.Released, c.By = f.At, f.Who
			b.event(f, "the migrations of cohort "+f.Cohort+" may go on"+because(f.Why))
			return
		}
	}
	b.misfit(f, "cohort "+f.Cohort+" is not held")
}

// passed: another turn goes first in place of a canary that was held before its host was changed.
func (b *book) passed(f *execution.Fact) {
	if was := b.turns[f.Turn]; was != nil {
		was.host.Canary = false
	}
	if is := b.turns[f.To]; is != nil {
		is.host.Canary = true
	}
	b.event(f, fmt.Sprintf("%s is the canary in place of %s (%s): %s", f.To, f.Turn, f.Code, f.Why))
}

// slotPassed enters that another turn keeps a promise at the time that was told.
func (b *book) slotPassed(f *execution.Fact) {
	for _, id := range f.Slots {
		p := b.promises[id]
		if p == nil {
			b.misfit(f, "the plan has no promise "+id)
			continue
		}
		delete(b.slotOf, p.Turn+"/"+p.Instance)
		p.Turn = f.To
		if to := b.turns[f.To]; to != nil {
			p.Host = to.host.Host
		}
		b.slotOf[p.Turn+"/"+p.Instance] = p
	}
}
