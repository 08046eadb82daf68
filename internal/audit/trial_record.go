package audit

import "strings"

// required lists, per kind, the fields that a fact of the kind must fill in beside seq, at, kind,
// who and campaign. A kind that is not here is unknown.
var required = map[string][]string{
	"campaign-applied": {"plan", "fleet"}, "controller-took": {"generation"}, "campaign-paused": {"why"}, "campaign-resumed": {},
	"campaign-aborted": {"why"}, "campaign-halted": {"why"}, "campaign-forced": {"why"}, "campaign-finished": {"code"},
	"parent-ended": {"code", "why"}, "inherited": {"instance", "host", "why"},
	"notice-asked": {"notice", "tenant", "notice_kind", "slots"}, "notice-accepted": {"notice"}, "notice-failed": {"notice", "why"},
	"turn-prepares": {"turn", "host"}, "turn-permitted": {"turn", "host"}, "turn-held": {"turn", "host", "code", "why"}, "turn-released": {"turn", "host"},
	"cohort-held": {"cohort", "code", "why"}, "cohort-released": {"cohort"},
	"turn-done": {"turn", "host"}, "turn-dropped": {"turn", "host", "code", "why"},
	"step-started": {"turn", "host", "step"}, "step-done": {"turn", "host", "step"}, "step-failed": {"turn", "host", "step", "why"},
	"move-placed": {"turn", "instance", "from", "to"}, "move-done": {"turn", "instance", "from", "to"}, "move-failed": {"turn", "instance", "from", "to", "why"},
	"canary-passed": {"turn", "host", "to", "code", "why"},
	"slot-passed":   {"turn", "instance", "to", "slots", "why"},
	"died":          {"turn", "instance", "host", "from", "to", "why"},
	"stop-started":  {"turn", "instance", "from", "disposition"}, "stop-done": {"turn", "instance", "from"}, "stop-failed": {"turn", "instance", "from", "why"},
	"back-started": {"turn", "instance", "to"}, "back-done": {"turn", "instance", "to"}, "back-failed": {"turn", "instance", "to", "why"},
	"host-seen": {"host", "seen"}, "host-lost": {"host", "why"}, "overrun": {"turn", "instance"},
	"borrowed": {"turn", "host", "code"}, "given-back": {"turn", "host", "code"}, "external": {"code"},
	"stays-away": {"turn", "instance", "to", "why"}, "not-returned": {"instance", "code", "why"}, "unfixed": {"instance", "host", "why"},
}

// worldKinds are facts about the world, which may come without a campaign.
var worldKinds = map[string]bool{"controller-took": true, "host-seen": true, "host-lost": true, "external": true}

// afterFinish are the kinds that may still come once a campaign has finished: words, and looks.
var afterFinish = map[string]bool{
	"notice-asked": true, "notice-accepted": true, "notice-failed": true, "host-seen": true, "host-lost": true, "external": true, "controller-took": true,
}

// absent names the first required field that a fact leaves empty; "" when all are there.
func absent(f *Fact) string {
	there := map[string]bool{
		"plan": len(f.Plan) > 0, "fleet": len(f.Fleet) > 0, "generation": f.Generation > 0, "why": f.Why != "", "code": f.Code != "",
		"notice": f.Notice != "", "tenant": f.Tenant != "", "notice_kind": f.NoticeKind != "", "slots": len(f.Slots) > 0,
		"turn": f.Turn != "", "host": f.Host != "", "step": f.Step != "", "instance": f.Instance != "", "from": f.From != "", "to": f.To != "",
		"disposition": f.Disposition != "", "cohort": f.Cohort != "", "seen": f.Seen != nil,
	}
	for _, field := range required[f.Kind] {
		if !there[field] {
			return field
		}
	}
	return ""
}

// onRecord asks law 10 of a fact as such, and gives the campaign that it belongs to; nil when it
// belongs to none that is known.
func (t *trial) onRecord(f *Fact) *run {
	s := Subject{Campaign: f.Campaign, Turn: f.Turn, Host: f.Host, Instance: f.Instance, Notice: f.Notice, Seq: f.Seq}
	t.must(f.Seq == t.seq+1, 10, "seq-gap", s, f.At, "numbers from 1 without gaps", "fact %d follows fact %d", f.Seq, t.seq)
	t.must(!f.At.IsZero(), 10, "no-time", s, f.At, "the moment of the fact", "fact %d has no time", f.Seq)
	t.must(!f.At.Before(t.now), 10, "backwards", s, f.At, "a time of the last fact or later", "fact %d is of %s, an earlier one of %s", f.Seq, clock(f.At), clock(t.now))
	_, offset := f.At.Zone()
	t.must(offset == 0, 10, "not-utc", s, f.At, "times in UTC", "fact %d writes its time %d s off UTC", f.Seq, offset)
	name, operator := strings.CutPrefix(f.Who, "operator:")
	t.must(f.Who == "engine" || operator && name != "", 10, "who", s, f.At, "engine, or operator:NAME", "fact %d was written by %q", f.Seq, f.Who)
	_, known := required[f.Kind]
	t.must(known, 10, "kind", s, f.At, "a kind of fact that is known", "fact %d is of the kind %q", f.Seq, f.Kind)
	field := absent(f)
	t.must(field == "", 10, "incomplete", s, f.At, "a value for "+field, "fact %d, %s, says nothing under %s", f.Seq, f.Kind, field)
	t.fence(f, s)
	if f.Kind == "campaign-applied" {
		t.must(f.Campaign != "", 10, "no-campaign", s, f.At, "the campaign's name", "fact %d applies a plan to no campaign", f.Seq)
		return nil
	}
	r := t.runs[f.Campaign]
	if r == nil && f.Campaign == "" && len(t.runs) == 1 {
		for _, only := range t.runs {
			r = only
		}
	}
	t.must(r != nil || f.Campaign == "" && worldKinds[f.Kind], 10, "before-applied", s, f.At, "a campaign-applied ahead of all other facts of a campaign",
		"fact %d, %s, is of campaign %q, which no earlier fact applies", f.Seq, f.Kind, f.Campaign)
	if r == nil {
		return nil
	}
	t.must(!r.finished || afterFinish[f.Kind], 10, "after-finish", s, f.At, "no act after the campaign has finished", "fact %d, %s, follows the end of campaign %s", f.Seq, f.Kind, r.id)
	if f.Turn != "" {
		_, has := r.turns[f.Turn]
		t.must(has, 10, "unknown-turn", s, f.At, "a turn of the plan", "fact %d names turn %q, which the plan does not have", f.Seq, f.Turn)
	}
	return r
}

// fence asks law 5 of generations: each controller that takes over has a newer one, and no older one
// writes any more.
func (t *trial) fence(f *Fact, s Subject) {
	if f.Generation == 0 {
		return
	}
	if f.Kind == "controller-took" {
		t.must(f.Generation > t.generation, 5, "generation-not-newer", s, f.At, "a generation above all before it", "a controller took over with generation %d, %d was seen before", f.Generation, t.generation)
		t.took = f.Seq
	} else {
		t.must(f.Generation >= t.generation, 5, "stale-controller", s, f.At, "no fact by a controller that was taken over from", "fact %d is of generation %d, %d has taken over", f.Seq, f.Generation, t.generation)
	}
	t.generation = max(t.generation, f.Generation)
}
