package explain

import (
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// The codes of why something is or is not done to an instance.
const (
	codeCanMove   = "can-move"
	codeInPlace   = "in-place"
	codeNoTactic  = "no-tactic"
	codeConverge  = "non-converging"
	codePause     = "long-pause"
	codeStopped   = "stopped"
	codeNoTurn    = "host-has-no-turn"
	codeBlocked   = "host-blocked"
	codeLivePatch = "live-patch"
	codeFresh     = "on-the-fix"
	codeItself    = "blocked-itself"
	codeDeadline  = "deadline"       // emptied, some host would be too late
	codeNowhere   = "no-destination" // its host has no other host in its pools
)

func (s *scene) instance(i *fleet.Instance, assessed *advisory.Assessment) Instance {
	out := Instance{ID: i.ID, Host: i.Host, Tenant: i.Tenant, Ends: s.where(i.ID, len(s.waves)+1)}
	for n := range s.p.Slots {
		if slot := &s.p.Slots[n]; slot.Instance == i.ID && s.turns[slot.Turn] != nil {
			out.Touched = append(out.Touched, s.touch(i, slot))
		}
	}
	slices.SortStableFunc(out.Touched, func(a, b Touch) int { return a.Wave - b.Wave })
	for _, b := range s.p.Blocked {
		if b.Instance == i.ID || b.Instance == "" && b.Host == i.Host && len(out.Touched) == 0 {
			out.Block = append(out.Block, b)
		}
	}
	out.Cause = s.causes(i.ID, i.Host, out.Block)
	if len(out.Touched) == 0 {
		r := s.left(i, &out, assessed)
		out.Left = &r
	}
	out.Twice = s.twice(out.Touched)
	return out
}

// causes are those of the plan's causes that name the host or the instance.
func (s *scene) causes(instance, host string, blocked []plan.Blocked) (out []plan.Cause) {
	if len(blocked) == 0 {
		return nil
	}
	for _, c := range s.p.Causes {
		if slices.Contains(c.Hosts, host) || instance != "" && slices.Contains(c.Instances, instance) {
			out = append(out, c)
		}
	}
	return out
}

// touch explains one promise.
func (s *scene) touch(i *fleet.Instance, slot *plan.Slot) Touch {
	t := s.turns[slot.Turn]
	out := Touch{Slot: *slot, Wave: t.Wave}
	if slot.Disposition != plan.DispLiveMigrate {
		out.Why = s.stays(i, t, slot.Disposition)
		return out
	}
	out.Why = Reason{Code: codeCanMove, Why: "it can move alive, which disturbs it least"}
	if t.Tactic == plan.Refresh {
		out.Why.Why = "one move gives it a process of the new software"
	}
	for _, m := range s.movesOf[i.ID] {
		switch {
		case m.Turn != t.ID:
		case m.Home:
			out.Home = &Fate{Instance: i.ID, Disposition: plan.DispLiveMigrate, To: m.To, Home: true}
		default:
			out.Move = s.choice(m)
		}
	}
	return out
}

// stays says why an instance is saved or stopped in a turn and not moved.
func (s *scene) stays(i *fleet.Instance, t *plan.Turn, how plan.Disposition) Reason {
	r := s.whyStays(i, t)
	switch {
	case how == plan.DispStatefulStop:
		r.Why += "; its memory is saved and restored"
	case how == plan.DispStop:
		r.Why += "; it is stopped and started: " + s.whyNotSaved(i, t)
	}
	return r
}

func (s *scene) whyStays(i *fleet.Instance, t *plan.Turn) Reason {
	h := s.ix.Hosts[t.Host]
	if c := s.cohortOf(h); c != nil && c.InPlace {
		return Reason{Code: codeInPlace, Why: "its host's cohort is served in place, without live migrations"}
	}
	now := s.instanceBy(i, t.Wave)
	from := s.hostBy(h, t.Wave)
	if why := fleet.Bound(i); why != nil {
		return Reason{Code: why.Code, Instance: i.ID, Why: orElse(why.Why, why.Code)}
	}
	if !h.Can(fleet.CanLiveMigrate) {
		return Reason{Code: fleet.NoLiveMigration, Host: h.ID, Why: "host " + h.ID + " cannot live-migrate"}
	}
	if !s.allows(h, plan.Evacuate) && t.Tactic != plan.Refresh {
		return Reason{Code: codeNoTactic, Why: "policy or cohort does not allow the tactic evacuate"}
	}
	if h.Hypervisor != fleet.Xen && i.DirtyMiBps >= tooDirty*s.bandwidth(nic(h)) && !slices.Contains(s.policy.NonConverging, "post-copy") {
		return Reason{Code: codeConverge, Instance: i.ID, Why: fmt.Sprintf("it dirties %g MiB/s of memory and a migration gets %.0f MiB/s", i.DirtyMiBps, s.bandwidth(nic(h)))}
	}
	if pause := plan.LastRound(h.Hypervisor, float64(i.MemoryMiB), i.DirtyMiBps, s.bandwidth(nic(h))); pause > s.policy.Blackout.Std() {
		return Reason{Code: codePause, Instance: i.ID, Why: fmt.Sprintf("it dirties %g MiB/s of memory, a migration gets %.0f MiB/s and would stop it for %s at its end; policy allows %s", i.DirtyMiBps, s.bandwidth(nic(h)), pause, s.policy.Blackout)}
	}
	if took := s.moveTime(i, nic(h)); took > s.policy.Times.MigrateMax.Std() {
		return Reason{Code: codeTooLong, Instance: i.ID, Why: fmt.Sprintf("moving its %d MiB takes about %s and policy allows %s", i.MemoryMiB, lasts(took), s.policy.Times.MigrateMax)}
	}
	if t.ForDeadline {
		return s.hurried(t)
	}
	return s.crowdedOut(now, from, t)
}

// hurried: it could move, and stays so that more hosts have their turn before a deadline.
func (s *scene) hurried(t *plan.Turn) Reason {
	name, by := "finish_by", s.policy.FinishBy
	if tg := s.p.Target; tg != nil {
		if !tg.FinishBy.IsZero() {
			by = tg.FinishBy
		}
		if d := tg.Disclosure; d.After(t.Start) && !s.policy.AfterDisclosure && (by.IsZero() || d.Before(by)) {
			name, by = "disclosure", d
		}
	}
	return Reason{Code: codeDeadline, Host: t.Host, At: by,
		Why: fmt.Sprintf("it could move, and host %s is served in place so that it shares a wave: with all hosts emptied, fewer would have their turn before %s (%s)", t.Host, name, stamp(by))}
}

// crowdedOut: it could move, and no host can take it in that wave.
func (s *scene) crowdedOut(i *fleet.Instance, from *fleet.Host, t *plan.Turn) Reason {
	w := &s.waves[t.Wave-1]
	a := &asked{scene: s, t: t, h: s.ix.Hosts[t.Host], wave: t.Wave, w: w}
	l := s.open(t.Wave)
	g := &landing{i, from, s.companyOf(i, t.Host, t.Wave)}
	counts, most, first := map[string]int{}, int64(0), ""
	for _, n := range s.neighbours(a.h) {
		o := s.hosts[n]
		x := spot{o, o.MemoryMiB - l.used[n] - l.land[n]}
		code, _ := a.refuses(g, x)
		switch {
		case l.turn[n] != nil:
			code = codeInTurn
		case !o.IsUp():
			code = fleet.HostUnfit
		case code == "":
			code = codeReserve // or what keeps planning off: a host from which it could not go on
		}
		if code == fleet.NoRoom {
			most = max(most, x.free)
		}
		if counts[code]++; counts[code] > counts[first] {
			first = code
		}
	}
	return Reason{Code: orElse(first, codeNowhere), Instance: i.ID, Need: i.MemoryMiB, Have: most,
		Why: fmt.Sprintf("no host takes its %d MiB in wave %d: %s", i.MemoryMiB, t.Wave, countedOpen(counts))}
}

// countedOpen words a count in which allowed hosts stand as those of a reserve.
func countedOpen(counts map[string]int) string {
	return strings.Replace(counted(counts), refusedWords[codeReserve], "by which the pool's reserve would be eaten, from which it could not go on, or where there is no time in the slot to move it beside the saves", 1)
}

// whyNotSaved says why its memory is not saved.
func (s *scene) whyNotSaved(i *fleet.Instance, t *plan.Turn) string {
	h := s.ix.Hosts[t.Host]
	switch save := s.saveTime(i.MemoryMiB); {
	case !s.allows(h, plan.Suspend):
		return "policy or cohort does not allow the tactic suspend"
	case !h.Can(fleet.CanSuspend):
		return "host " + h.ID + " cannot suspend"
	case i.NoSuspend:
		return "its state cannot be saved"
	case len(i.Devices) > 0:
		return "the state of its device " + i.Devices[0] + " cannot be saved"
	case save > s.policy.Times.SaveMax.Std():
		return fmt.Sprintf("saving its %d MiB takes about %s and policy allows %s", i.MemoryMiB, lasts(save), s.policy.Times.SaveMax)
	}
	return "with its memory, all that its host saves would not be saved and restored within a slot"
}

// left says why nothing is done to an instance.
func (s *scene) left(i *fleet.Instance, out *Instance, assessed *advisory.Assessment) Reason {
	turns := s.turnsOf[i.Host]
	own := slices.ContainsFunc(out.Block, func(b plan.Blocked) bool { return b.Instance == i.ID })
	switch {
	case own:
		return Reason{Code: codeItself, Instance: i.ID, Why: "it is blocked by itself, as said below"}
	case len(turns) == 0 && s.skipped[i.Host] != nil:
		return Reason{Code: codeNoTurn, Host: i.Host, Why: fmt.Sprintf("its host %s needs no turn (%s): %s", i.Host, s.skipped[i.Host].Code, s.skipped[i.Host].Why)}
	case len(turns) == 0:
		return Reason{Code: codeBlocked, Host: i.Host, Why: "its host " + i.Host + " is blocked, as said below"}
	case !i.TakesMemory():
		return Reason{Code: codeStopped, Host: i.Host, Why: "it does not run: it stays on its host, and is promised nothing"}
	case turns[0].Tactic == plan.LivePatch:
		return Reason{Code: codeLivePatch, Host: i.Host, Why: fmt.Sprintf("its host %s is live-patched in wave %d, which touches nobody", i.Host, turns[0].Wave)}
	}
	r := Reason{Code: codeFresh, Host: i.Host, Why: fmt.Sprintf("the turn of its host %s in wave %d leaves it alone: it needs no other process", i.Host, turns[0].Wave)}
	if assessed != nil {
		if v, ok := assessed.Instance(i.ID); ok && len(v.Evidence) > 0 {
			r.Why += " (" + v.Evidence[0] + ")"
		}
	}
	return r
}

// twice says why an instance is moved more than once.
func (s *scene) twice(touched []Touch) *Reason {
	var moves []*Choice
	for n := range touched {
		if touched[n].Move != nil {
			moves = append(moves, touched[n].Move)
		}
	}
	if len(moves) < 2 {
		return nil
	}
	first := moves[0]
	var own *plan.Turn
	for _, t := range s.turnsOf[first.To] {
		if t.Start.After(first.Start) && t.Tactic != plan.LivePatch {
			own = t
		}
	}
	r := Reason{Code: codeNotFixed, Host: first.To, Why: fmt.Sprintf("it moves %d times: its first move lands on %s", len(moves), first.To)}
	if own == nil {
		return &r
	}
	r.At = own.Start
	r.Why += fmt.Sprintf(", which is not fixed by then and has its own turn in wave %d", own.Wave)
	wave := s.turns[touched[0].Turn].Wave
	fixed := 0
	for _, n := range s.neighbours(s.ix.Hosts[first.From]) {
		if s.level(s.hosts[n].ID, wave) == onTheFix {
			fixed++
		}
	}
	if fixed == 0 {
		r.Why += fmt.Sprintf("; no host of its pools is fixed when wave %d begins", wave)
	} else {
		r.Why += fmt.Sprintf("; none of the %s of its pools that are fixed when wave %d begins can take it", many(fixed, "host"), wave)
	}
	return &r
}

func (s *scene) cohortOf(h *fleet.Host) *plan.Cohort {
	if s.cohorts == nil {
		return nil
	}
	return s.cohorts.Of(h)
}

// allows: policy and cohort leave a tactic.
func (s *scene) allows(h *fleet.Host, t plan.Tactic) bool {
	c := s.cohortOf(h)
	return slices.Contains(s.policy.Tactics, t) && (c == nil || len(c.Tactics) == 0 || slices.Contains(c.Tactics, t))
}

func orElse(a, b string) string {
	if a == "" {
		return b
	}
	return a
}
