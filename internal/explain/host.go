package explain

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// The codes of why a host has a turn, and of what decided its clock time.
const (
	codeRoutine  = "routine"     // each host has a turn
	codeEmbargo  = "embargo"     // nothing is deployed before disclosure
	codeBefore   = "wave-before" // waves do not overlap
	codeSoak     = "soak"
	codeAtOnce   = "at-once"     // it starts as soon as the plan is made
	codePolicy   = "policy"      // policy does not allow a tactic
	codeCohort   = "cohort"      // nor the cohort
	codeRemedy   = "remedy"      // it does not bring the fix
	codeCannot   = "host-cannot" // the host's driver does not offer it
	codeStay     = "instances-stay"
	codeNotSaved = "not-saved"
)

func (s *scene) host(h *fleet.Host, assessed *advisory.Assessment) Host {
	out := Host{ID: h.ID, Need: s.need(h, assessed), Exposed: s.exposed(h, assessed)}
	if p := s.ix.HomePool(h.ID); p != nil {
		out.Pool, out.Site = p.ID, p.Site
	}
	for _, b := range s.p.Blocked {
		in := s.ix.Instances[b.Instance]
		if b.Host == h.ID || in != nil && in.Host == h.ID {
			out.Block = append(out.Block, b)
		}
	}
	out.Cause = s.causes("", h.ID, out.Block)
	for _, t := range s.turnsOf[h.ID] {
		out.Turns = append(out.Turns, s.turn(h, t))
	}
	if len(out.Turns) > 0 {
		out.Bound = s.bounds(h)
	}
	return out
}

// need says whether a host needs a turn, and by what verdict.
func (s *scene) need(h *fleet.Host, assessed *advisory.Assessment) Reason {
	if k := s.skipped[h.ID]; k != nil {
		return Reason{Code: k.Code, Why: k.Why}
	}
	if s.p.Target == nil {
		return Reason{Code: codeRoutine, Why: "a routine cycle reboots each host"}
	}
	r := Reason{Code: "affected", Why: "target " + s.p.Target.ID}
	if c := s.cohortOf(h); c != nil {
		r.Why += ", cohort " + s.cohorts.Name(c) + " (remedy " + orElse(c.Remedy, "reboot") + ")"
	} else {
		r.Why += ", no cohort"
	}
	if assessed == nil {
		return r
	}
	if v, ok := assessed.Host(h.ID); ok {
		r.Code = string(v.Verdict)
		if len(v.Evidence) > 0 {
			r.Why += ": " + v.Evidence[0]
		}
	}
	return r
}

func (s *scene) turn(h *fleet.Host, t *plan.Turn) Turn {
	out := Turn{ID: t.ID, Tactic: t.Tactic, Wave: t.Wave, Waves: len(s.waves), Canary: t.Canary, Start: t.Start, WorstEnd: t.WorstEnd(),
		Not: s.rejected(h, t), When: s.when(h, t), Earlier: s.earlier(t)}
	for _, slot := range s.slotsOf[t.ID] {
		f := Fate{Instance: slot.Instance, Disposition: slot.Disposition}
		for _, m := range s.movesOf[slot.Instance] {
			if m.Turn != t.ID {
				continue
			}
			if f.Home = f.Home || m.Home; !m.Home {
				f.To = m.To
			}
		}
		out.Fates = append(out.Fates, f)
	}
	return out
}

// when says what decided the clock time of a turn's wave: the latest of what it had to wait for.
func (s *scene) when(h *fleet.Host, t *plan.Turn) Reason {
	r := Reason{Code: codeAtOnce, At: s.p.Made, Why: "nothing had to be waited for when the plan was made"}
	later := func(code string, at time.Time, format string, args ...any) {
		if at.After(r.At) {
			r = Reason{Code: code, At: at, Why: fmt.Sprintf(format, args...)}
		}
	}
	if tg := s.p.Target; tg != nil && (tg.EmbargoDeploy == "no" || tg.EmbargoDeploy == "mitigations") {
		later(codeEmbargo, tg.Disclosure, "the fix may not be deployed before disclosure, %s", stamp(tg.Disclosure))
	}
	class := plan.ClassNone
	for _, slot := range s.slotsOf[t.ID] {
		if slot.Class == plan.ClassOutage || class == plan.ClassNone {
			class = slot.Class
		}
	}
	lead := s.policy.Lead.Of(class)
	if lead > 0 {
		from := s.p.Made.Add(lead + margin(lead))
		later(codeLead, from, "tenants are told %s ahead (lead time of a %s), so no slot begins before %s", plan.Duration(lead), class, stamp(from))
	}
	if t.Wave > 1 {
		before := &s.waves[t.Wave-2]
		if c := before.turns[0]; c.Canary && s.policy.Soak > 0 {
			later(codeSoak, c.WorstEnd().Add(s.policy.Soak.Std()), "the canary %s is over by %s at worst and soaks for %s", c.Host, stamp(c.WorstEnd()), s.policy.Soak)
		} else {
			later(codeBefore, before.worstEnd, "wave %d is over by %s at worst, and waves do not overlap", t.Wave-1, stamp(before.worstEnd))
		}
	}
	if !t.UpdateBy.IsZero() {
		later(codeNotReady, t.UpdateBy, "the new software is on the disks of all its hosts by %s at worst", stamp(t.UpdateBy))
	}
	for _, m := range s.onto[h.ID] {
		if s.waveOf(m) < t.Wave && !m.Home && t.Tactic != plan.Refresh && t.Tactic != plan.LivePatch {
			later(codeMinStay, m.End.Add(s.policy.MinStay.Std()), "%s landed on it at %s, and is to stay for %s", m.Instance, stamp(m.End), s.policy.MinStay)
		}
	}
	if tick := 2 * time.Minute; t.Start.After(r.At.Add(tick)) {
		why, since := r.Why, r.At
		r = Reason{Code: codeWindow, At: t.WindowStart, Site: t.Site, Why: fmt.Sprintf("the next slot of site %s that holds it lies in the window %s to %s, after this: %s", t.Site, stamp(t.WindowStart), stamp(t.WindowEnd), why)}
		hours := s.hoursOf(h, s.felt(t)...)
		if s.overrules(t) {
			hours = hours.Overruled()
		}
		if _, frozen := hours.Owners(); hours.Always && len(frozen) == 0 {
			r.Code, r.Why = codeOrder, "its wave starts when another host of it can; before that: "+why
			return r
		}
		r.Why += decides(hours, since, t) + clocks(hours, t)
	}
	return r
}

// tactics, least disruptive first.
var tactics = []plan.Tactic{plan.LivePatch, plan.Refresh, plan.Evacuate, plan.Suspend, plan.Reboot}

// rejected says of each tactic that disturbs less than the turn's own why it was not taken.
func (s *scene) rejected(h *fleet.Host, t *plan.Turn) (out []Rejected) {
	for _, other := range tactics {
		if other == t.Tactic {
			break
		}
		if t.Deferred && other == plan.LivePatch {
			continue // it has had it
		}
		out = append(out, Rejected{other, s.whyNot(h, t, other)})
	}
	return out
}

func (s *scene) whyNot(h *fleet.Host, t *plan.Turn, other plan.Tactic) Reason {
	c := s.cohortOf(h)
	needs := map[plan.Tactic]string{plan.LivePatch: fleet.CanLivePatch, plan.Evacuate: fleet.CanReboot, plan.Suspend: fleet.CanSuspend}[other]
	switch {
	case c == nil && (other == plan.LivePatch || other == plan.Refresh):
		return Reason{Code: codeRoutine, Why: "a routine cycle is there to reboot"}
	case other == plan.LivePatch && c.Remedy != string(plan.LivePatch), other == plan.Refresh && c.Remedy != string(plan.Refresh):
		return Reason{Code: codeRemedy, Why: fmt.Sprintf("the remedy of cohort %s is %s", s.cohorts.Name(c), orElse(c.Remedy, "reboot"))}
	case !slices.Contains(s.policy.Tactics, other):
		return Reason{Code: codePolicy, Why: "policy does not allow it: it allows " + names(s.policy.Tactics)}
	case !s.allows(h, other):
		return Reason{Code: codeCohort, Why: fmt.Sprintf("cohort %s does not allow it: it allows %s", s.cohorts.Name(c), names(c.Tactics))}
	case needs != "" && !h.Can(needs):
		return Reason{Code: codeCannot, Host: h.ID, Why: fmt.Sprintf("the host does not offer %s: it offers %s", needs, orNone(strings.Join(h.Capabilities, ", ")))}
	case other == plan.LivePatch:
		return s.whyUnpatched(h, t, c)
	case other == plan.Evacuate && c != nil && c.InPlace:
		return Reason{Code: codeInPlace, Why: "its cohort is served in place, without live migrations"}
	}
	return s.whoStays(t, other)
}

// whyUnpatched: its cohort has live patches, and this host gets none.
func (s *scene) whyUnpatched(h *fleet.Host, t *plan.Turn, c *plan.Cohort) Reason {
	build := h.Software.BuildID
	left, patched := s.p.Target.Unpatched(c, build)
	switch {
	case len(c.LivePatches) == 0:
		return Reason{Code: plan.NoLivePatch, Why: "its cohort names no live patch"}
	case !patched:
		return Reason{Code: plan.NoLivePatch, Why: "no live patch of its cohort is for its build " + orElse(build, "(not read)")}
	case len(left) > 0:
		return Reason{Code: plan.NoLivePatch, Why: "the live patches for its build " + build + " do not fix " + strings.Join(left, ", ")}
	}
	return Reason{Code: plan.NoLivePatch, Why: orElse(t.Why, "a live patch does not do here")}
}

// whoStays: some instances cannot be dealt with by the lesser tactic.
func (s *scene) whoStays(t *plan.Turn, other plan.Tactic) Reason {
	var who []string
	n := 0
	for _, slot := range s.slotsOf[t.ID] {
		i := s.ix.Instances[slot.Instance]
		if plan.ClassOf(slot.Disposition) != plan.ClassOutage || other == plan.Suspend && slot.Disposition != plan.DispStop {
			continue
		}
		n++
		if len(who) == 3 {
			continue
		}
		why := s.whyNotSaved(i, t)
		if other != plan.Suspend {
			why = s.whyStays(i, t).Why
		}
		who = append(who, i.ID+": "+why)
	}
	if n == 0 {
		return Reason{Code: codeOrder, Why: "nothing runs on it that would have to be moved or saved"}
	}
	text := strings.Join(who, "; ")
	if n > len(who) {
		text += fmt.Sprintf("; and %d more", n-len(who))
	}
	if other == plan.Suspend {
		return Reason{Code: codeNotSaved, Need: int64(n), Why: fmt.Sprintf("%s cannot be saved: %s", many(n, "instance"), text)}
	}
	return Reason{Code: codeStay, Need: int64(n), Why: fmt.Sprintf("%s cannot leave it: %s", many(n, "instance"), text)}
}

func names(list []plan.Tactic) string {
	var out []string
	for _, t := range list {
		out = append(out, string(t))
	}
	return orNone(strings.Join(out, ", "))
}
