package audit

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// form asks whether the plan can be trusted as a record (law 10): known references, unique ids,
// ordered times, and a digest that is its own.
func (d *dossier) form() {
	p := d.p
	none := time.Time{}
	d.must(p.Evenkeel == plan.SchemaV1, 10, "schema", Subject{}, none,
		"a plan whose `evenkeel` is "+plan.SchemaV1, "the plan's schema is %q", p.Evenkeel)
	d.must(p.Campaign != "", 10, "no-campaign", Subject{}, none, "a campaign's name", "the plan names no campaign")
	d.must(p.Revision >= 1 && p.Parent < p.Revision, 10, "revision", Subject{}, none,
		"a revision of at least 1, above its parent's", "revision %d has parent %d", p.Revision, p.Parent)
	d.must(p.Supersedes == "" || p.Supersedes != p.Campaign, 10, "own-parent", Subject{Campaign: p.Campaign}, none,
		"another campaign's name under supersedes, or none", "campaign %s supersedes itself", p.Campaign)
	d.must(!p.Made.IsZero(), 10, "no-made", Subject{}, none, "the moment at which the plan was made", "the plan does not say when it was made")
	digest, err := Digest(p)
	d.must(err == nil && p.Digest == digest, 10, "digest", Subject{}, none,
		"the plan as it was made, unchanged", "the plan's digest is %q, its content gives %q", p.Digest, digest)
	if p.FleetDigest != "" {
		text, err := json.Marshal(d.f)
		d.must(err == nil && p.FleetDigest == hexSum(text), 10, "fleet-digest", Subject{}, none,
			"the fleet that the plan was made from", "the plan was made from a fleet of digest %q, the one at hand gives %q", p.FleetDigest, hexSum(text))
	}
	d.formTurns()
	d.formMoves()
	d.formSlots()
	d.formRest()
}

// Digest is the sha256, in hex, of the plan's JSON with its digest and its copy of the fleet left
// empty (the fleet has a digest of its own), and without causes, together and summary, which are
// words on it.
func Digest(p *plan.Plan) (string, error) {
	bare := *p
	bare.Digest, bare.Fleet, bare.Causes, bare.Together, bare.Summary = "", nil, nil, nil, nil
	text, err := json.Marshal(&bare)
	if err != nil {
		return "", err
	}
	return hexSum(text), nil
}

func hexSum(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// serving are the tactics that bring a host to the target.
var serving = map[plan.Tactic]bool{plan.LivePatch: true, plan.Refresh: true, plan.Evacuate: true, plan.Suspend: true, plan.Reboot: true}

func (d *dossier) formTurns() {
	p := d.p
	ids := map[string]bool{}
	for i := range p.Turns {
		t := &p.Turns[i]
		s := ofTurn(t)
		d.must(!ids[t.ID], 10, "double-id", s, t.Start, "one turn per id", "turn %s occurs twice", t.ID)
		ids[t.ID] = true
		d.must(t.ID == t.Host || d.isPatchTurn(t), 10, "turn-id", s, t.Start, "a turn named after its host, or its live patch where a reboot follows", "turn %s is named otherwise than its host %s", t.ID, t.Host)
		h := d.hosts[t.Host]
		d.must(h != nil, 10, "unknown-host", s, t.Start, "a host of the fleet", "turn %s names host %s, which the fleet does not have", t.ID, t.Host)
		if h != nil {
			at := d.where(t.Host)
			d.must(t.Pool == d.home(t.Host) && t.Site == at.site, 10, "turn-place", s, t.Start, "the host's home pool and its site",
				"turn %s says pool %q and site %q, the fleet %q and %q", t.ID, t.Pool, t.Site, d.home(t.Host), at.site)
		}
		d.must(serving[t.Tactic], 10, "tactic", s, t.Start, "a tactic that brings the host to the target; a host that is held belongs under blocked",
			"turn %s has the tactic %q", t.ID, t.Tactic)
		d.must(t.Wave >= 1, 10, "wave", s, t.Start, "waves counted from 1", "turn %s lies in wave %d", t.ID, t.Wave)
		d.must(t.Start.Before(t.End) && !t.End.After(worst(t)), 10, "turn-times", s, t.Start, "start < end <= start + worst_s",
			"turn %s starts %s, ends %s, and takes at worst %d s", t.ID, clock(t.Start), clock(t.End), t.WorstS)
		d.must(!t.Start.Before(p.Made), 10, "before-made", s, t.Start, "a start after the plan was made",
			"turn %s starts %s, before the plan was made at %s", t.ID, clock(t.Start), clock(p.Made))
		d.must(!t.Start.Before(p.Start) && !t.End.After(p.End), 10, "plan-times", s, t.Start, "a plan whose start and end enclose its turns",
			"turn %s runs %s to %s, the plan %s to %s", t.ID, clock(t.Start), clock(t.End), clock(p.Start), clock(p.End))
	}
}

func (d *dossier) formMoves() {
	for i := range d.p.Moves {
		m := &d.p.Moves[i]
		s := ofMove(m)
		d.must(d.instances[m.Instance] != nil, 10, "unknown-instance", s, m.Start, "an instance of the fleet", "a move names instance %s, which the fleet does not have", m.Instance)
		d.must(d.hosts[m.From] != nil && d.hosts[m.To] != nil && m.From != m.To, 10, "move-hosts", s, m.Start, "two different hosts of the fleet",
			"the move of %s goes from %q to %q", m.Instance, m.From, m.To)
		d.must(m.Start.Before(m.End), 10, "move-times", s, m.Start, "start < end", "the move of %s starts %s and ends %s", m.Instance, clock(m.Start), clock(m.End))
		t := d.turns[m.Turn]
		d.must(t != nil, 10, "unknown-turn", s, m.Start, "a turn of the plan", "the move of %s names turn %q, which the plan does not have", m.Instance, m.Turn)
		if t == nil {
			continue
		}
		d.must(m.Home || m.From == t.Host, 10, "move-of-turn", s, m.Start, "a move away from the turn's host",
			"the move of %s starts on %s, turn %s is of host %s", m.Instance, m.From, t.ID, t.Host)
		d.must(!m.Home || m.To == t.Host, 10, "home-move", s, m.Start, "a way home that ends on the turn's host",
			"the move of %s home ends on %s, turn %s is of host %s", m.Instance, m.To, t.ID, t.Host)
		d.must(!m.Start.Before(t.Start) && !m.End.After(worst(t)), 2, "move-outside-turn", s, m.Start, "a move within its turn's start and start + worst_s",
			"the move of %s runs %s to %s, its turn %s at worst %s to %s", m.Instance, clock(m.Start), clock(m.End), t.ID, clock(t.Start), clock(worst(t)))
	}
}

func (d *dossier) formSlots() {
	ids := map[string]bool{}
	for i := range d.p.Slots {
		sl := &d.p.Slots[i]
		s := ofSlot(sl)
		d.must(!ids[sl.ID], 10, "double-id", s, sl.Start, "one slot per turn and instance", "slot %s occurs twice", sl.ID)
		ids[sl.ID] = true
		d.must(sl.ID == sl.Turn+"/"+sl.Instance, 10, "slot-id", s, sl.Start, "an id of the form turn/instance",
			"slot %s is of turn %s and instance %s", sl.ID, sl.Turn, sl.Instance)
		d.must(d.turns[sl.Turn] != nil, 10, "unknown-turn", s, sl.Start, "a turn of the plan", "slot %s names turn %q, which the plan does not have", sl.ID, sl.Turn)
		in := d.instances[sl.Instance]
		d.must(in != nil, 10, "unknown-instance", s, sl.Start, "an instance of the fleet", "slot %s names instance %s, which the fleet does not have", sl.ID, sl.Instance)
		d.must(in == nil || in.Tenant == sl.Tenant, 10, "slot-tenant", s, sl.Start, "the instance's own tenant",
			"slot %s is promised to tenant %q, the instance belongs to another", sl.ID, sl.Tenant)
		d.must(sl.Start.Before(sl.End), 10, "slot-times", s, sl.Start, "start < end", "slot %s starts %s and ends %s", sl.ID, clock(sl.Start), clock(sl.End))
	}
}

// formRest: what is blocked or skipped exists in the fleet and says why.
func (d *dossier) formRest() {
	for _, b := range d.p.Blocked {
		s := Subject{Host: b.Host, Instance: b.Instance}
		known := (b.Host != "" || b.Instance != "") && (b.Host == "" || d.hosts[b.Host] != nil) && (b.Instance == "" || d.instances[b.Instance] != nil)
		d.must(known, 10, "unknown-blocked", s, time.Time{}, "a host or an instance of the fleet", "the plan blocks %q, which the fleet does not have", b.Host+b.Instance)
		d.must(b.Code != "" && b.Why != "" && b.Unblock != "", 10, "blocked-unsaid", s, time.Time{}, "a code, the reason, and what would unblock it",
			"%s is blocked with code %q, reason %q, remedy %q", b.Host+b.Instance, b.Code, b.Why, b.Unblock)
	}
	for _, k := range d.p.Skipped {
		s := Subject{Host: k.Host}
		d.must(d.hosts[k.Host] != nil, 10, "unknown-host", s, time.Time{}, "a host of the fleet", "the plan skips host %s, which the fleet does not have", k.Host)
		d.must(k.Code != "" && k.Why != "", 10, "skipped-unsaid", s, time.Time{}, "a code and the reason", "host %s is skipped with code %q and reason %q", k.Host, k.Code, k.Why)
	}
}

// counts asks whether the plan sums itself up rightly.
func (d *dossier) counts() {
	waves, touched, tenants, stops := map[int]bool{}, map[string]bool{}, map[string]bool{}, 0
	hosts := map[string]bool{} // one may have two turns
	for i := range d.p.Turns {
		waves[d.p.Turns[i].Wave], hosts[d.p.Turns[i].Host] = true, true
	}
	for i := range d.p.Slots {
		s := &d.p.Slots[i]
		if !disrupts(s.Class) {
			continue
		}
		touched[s.Instance] = true
		if s.Tenant != "" {
			tenants[s.Tenant] = true
		}
		if s.Class == plan.ClassOutage {
			stops++
		}
	}
	for i := range d.p.Moves {
		touched[d.p.Moves[i].Instance] = true
	}
	c := d.p.Counts
	for _, n := range []struct {
		name       string
		said, real int
	}{
		{"hosts", c.Hosts, len(hosts)}, {"waves", c.Waves, len(waves)}, {"instances", c.Instances, len(touched)},
		{"tenants", c.Tenants, len(tenants)}, {"moves", c.Moves, len(d.p.Moves)}, {"stops", c.Stops, stops},
		{"blocked", c.Blocked, len(d.p.Blocked)}, {"skipped", c.Skipped, len(d.p.Skipped)},
	} {
		d.must(n.said == n.real, 10, "count", Subject{}, time.Time{}, "counts that agree with the lists", "the plan counts %d %s and lists %d", n.said, n.name, n.real)
	}
}
