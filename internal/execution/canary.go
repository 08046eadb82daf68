package execution

import (
	"fmt"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// A canary is there to fail early, also after its turn was done. So once it has soaked its host is
// looked at once more, and no turn of a later wave begins before that look has shown it sound: on the
// boot on which it ended, healthy, its proof still holding. If it is not, its turn is held, the campaign
// halts, and a live patch is taken back (revert.go). The same look decides after the soak of a
// refresh's preparation, before any other disk is changed.

// soakedAt is when a canary that is done, or was not needed, has soaked; zero: it is neither.
func (s *State) soakedAt(c *TurnState) time.Time {
	if c.Phase != TurnFinished && !c.reached() {
		return time.Time{}
	}
	return c.Ended.Add(time.Duration(s.Plan.Policy.Soak))
}

// unjudged: the canary is done, turns of later waves wait, and its host was not seen sound since its
// soak.
func (s *State) unjudged(c *TurnState) bool {
	n := len(s.waiting)
	later := n > 0 && s.Turns[s.waiting[n-1]].Plan.Wave > c.Plan.Wave
	return c.Phase == TurnFinished && c.Judged.IsZero() && s.Plan.Policy.Canary && (later || s.passedWaits(c))
}

// preparedAlone: the canary of a refresh is prepared, other disks wait for that, and its host was not
// seen sound since its soak.
func (s *State) preparedAlone(c *TurnState) bool {
	return s.Plan.Policy.Canary && c.Plan.Canary && c.Phase == TurnWaiting && !c.Prepared.IsZero() && c.ready.IsZero() && !c.Plan.UpdateBy.IsZero() && len(s.unprepared) > 0
}

// judgedFrom is when a canary that is to be judged has soaked; zero: there is nothing to judge.
func (s *State) judgedFrom(c *TurnState) time.Time {
	switch {
	case s.unjudged(c):
		return s.soakedAt(c)
	case s.preparedAlone(c):
		return c.Prepared.Add(time.Duration(s.Plan.Policy.Soak))
	}
	return time.Time{}
}

// afterCanaries: the canaries of the waves before are done, have soaked and are sound.
func (s *State) afterCanaries(t *TurnState, now time.Time) *ruling {
	if !s.Plan.Policy.Canary {
		return nil
	}
	for _, c := range s.canaries {
		if c == t || c.Plan.Wave > t.Plan.Wave {
			continue
		}
		switch soaked := s.soakedAt(c); {
		case soaked.IsZero() && c.Phase != TurnAbandoned && c.Plan.Wave < t.Plan.Wave: // also where its cohort is held, which keeps no other turn waiting
			r := wait(time.Time{}, "the canary "+c.Plan.ID+" comes first")
			return &r
		case soaked.IsZero():
		case now.Before(soaked):
			r := wait(soaked, "the canary soaks")
			return &r
		case c.Plan.Wave < t.Plan.Wave && s.unjudged(c):
			r := wait(time.Time{}, "the canary "+c.Plan.ID+" has soaked, and a look must show that it is still sound")
			return &r
		}
	}
	return nil
}

// passCanaries: a turn of a later wave was permitted, so the canaries before it were judged. Journals
// from before canaries were judged say no more than that.
func (s *State) passCanaries(t *TurnState) {
	for _, c := range s.canaries {
		if c.Phase == TurnFinished && c.Judged.IsZero() && c.Plan.Wave < t.Plan.Wave {
			c.Judged = t.Permitted
		}
	}
}

// noteCanary takes in what a look shows of a canary that has soaked.
func (s *State) noteCanary(host string) {
	for _, c := range s.canaries {
		v := s.host(host).View
		switch soaked := s.judgedFrom(c); {
		case c.Plan.Host != host, soaked.IsZero(), v.At.Before(soaked):
		case s.sound(c, v).ok && c.Phase == TurnFinished:
			c.Judged, c.unwell = v.At, time.Time{}
		case s.sound(c, v).ok:
			c.ready, c.unwell = v.At, time.Time{}
		case c.unwell.IsZero():
			c.unwell = v.At
		}
	}
}

// sound judges a look at the host of a turn that was done.
func (s *State) sound(c *TurnState, v *HostView) proof {
	again := "then: evenkeel retry " + c.Plan.ID
	switch {
	case c.NewBoot != "" && v.BootID == "":
		return proof{soon: true, code: CodeCannotJudge, why: "its boot id cannot be read: " + strings.Join(v.Missing, "; "), next: "make it readable, " + again}
	case c.NewBoot != "" && v.BootID != c.NewBoot:
		return proof{code: CodeOtherBoot, why: fmt.Sprintf("it was rebooted since: boot id %s -> %s", c.NewBoot, v.BootID), next: "find out why, " + again}
	case c.inPlace():
		return s.proof(c, v)
	case v.Health != string(fleet.Up):
		return proof{soon: true, code: CodeUnhealthy, why: "it is " + v.Health + ": " + strings.Join(v.Missing, "; "), next: "make its services healthy, " + again}
	}
	return s.bootedProof(c, v)
}

// unwellNow says why a canary that has soaked is not sound; nil: it is, or it is too early to say.
func (s *State) unwellNow(c *TurnState, now time.Time) *Fact {
	soaked, h := s.judgedFrom(c), s.host(c.Plan.Host)
	if soaked.IsZero() || now.Before(soaked) {
		return nil
	}
	var p proof
	switch {
	case !h.Lost.IsZero() && now.Sub(later(h.Lost, soaked)) >= unwellFor:
		p = proof{code: CodeNoAnswer, why: "it has not answered since " + h.Lost.Format(time.RFC3339) + ": " + orElse(h.Why, "no answer"), next: "bring the host back, then: evenkeel retry " + c.Plan.ID}
	case !h.Lost.IsZero() || h.View == nil || h.At.Before(soaked):
		return nil
	default:
		if p = s.sound(c, h.View); p.ok || c.unwell.IsZero() || p.soon && now.Sub(c.unwell) < unwellFor {
			return nil
		}
	}
	if c.Phase != TurnFinished { // nothing of its turn was done but to prepare it
		return c.held(p.code, fmt.Sprintf("its disk was changed at %s, and after its soak it is not sound: %s", c.Prepared.Format(time.RFC3339), p.why), p.next)
	}
	return c.held(CodeCanaryUnwell, fmt.Sprintf("it was done at %s, and after its soak it is not sound: %s", c.Ended.Format(time.RFC3339), p.why), p.next)
}

// decideUnwell holds a canary that is not sound after its soak.
func (s *State) decideUnwell(now time.Time) []Fact {
	if s.Phase != PhaseRunning {
		return nil
	}
	for _, c := range s.canaries {
		if f := s.unwellNow(c, now); f != nil {
			return []Fact{*f}
		}
	}
	return nil
}

// wantCanaryLooks are the hosts of canaries that have soaked and are not judged.
func (s *State) wantCanaryLooks(now time.Time) (hosts []string) {
	if s.Phase != PhaseRunning {
		return nil
	}
	for _, c := range s.canaries {
		if soaked := s.judgedFrom(c); !soaked.IsZero() && !now.Before(soaked) {
			hosts = append(hosts, c.Plan.Host)
		}
	}
	return hosts
}

// nextCanary is the next moment at which there is something new to say of a canary by the clock alone.
func (s *State) nextCanary(at func(time.Time)) {
	for _, c := range s.canaries {
		soaked := s.judgedFrom(c)
		if soaked.IsZero() {
			continue
		}
		at(soaked)
		if !c.unwell.IsZero() {
			at(c.unwell.Add(unwellFor))
		}
		if h := s.host(c.Plan.Host); !h.Lost.IsZero() {
			at(later(h.Lost, soaked).Add(unwellFor))
		}
	}
}

// releaseCanary has a canary that was done, and was held since, proven anew: nothing disturbs anybody.
func (t *TurnState) releaseCanary() {
	if t.Code != CodeCanaryUnwell || t.Step != "" {
		return
	}
	t.Judged, t.unwell, t.NewBoot = time.Time{}, time.Time{}, ""
	switch t.Plan.Tactic {
	case plan.LivePatch:
		t.Step, t.UpdateBoot = StepUpdate, "" // a look tells whether it must be applied again
	case plan.Refresh:
		t.Step, t.UpdateBoot = StepJudge, ""
	default:
		t.Step = StepProve
	}
}
