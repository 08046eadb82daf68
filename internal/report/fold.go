package report

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Fold makes the report of one campaign from its journal, in the journal's order. The journal may
// end anywhere. The error says that it is no journal of one campaign: it is empty, does not begin
// with the plan, or mixes campaigns.
func Fold(facts []execution.Fact) (*Report, error) {
	if len(facts) == 0 {
		return nil, errors.New("the journal is empty: there is nothing to report on")
	}
	if facts[0].Kind != execution.CampaignApplied {
		return nil, fmt.Errorf("fact %d: found %s, expected %s: a campaign's journal begins with its plan", facts[0].Seq, facts[0].Kind, execution.CampaignApplied)
	}
	b := newBook()
	for i := range facts {
		f := &facts[i]
		if f.Campaign != "" && b.r.Campaign != "" && f.Campaign != b.r.Campaign {
			return nil, fmt.Errorf("fact %d: found campaign %s in the journal of %s, expected the facts of one campaign", f.Seq, f.Campaign, b.r.Campaign)
		}
		if f.At.Before(b.r.Until) {
			b.misfit(f, "its time "+stamp(f.At)+" lies before the fact ahead of it, "+stamp(b.r.Until))
		} else {
			b.r.Until = f.At
		}
		b.r.Facts++
		if err := b.take(f); err != nil {
			return nil, err
		}
	}
	return b.close(), nil
}

// book is a report being written.
type book struct {
	r          *Report
	plan       *plan.Plan
	fleet      *fleet.Fleet
	generation int64
	turns      map[string]*turn    // by turn id
	hosts      map[string]*Host    // by turn id, which is mostly the host's; by host id without a turn
	order      []string            // their keys in the order of the report
	guests     map[string]*guest   // by instance
	promises   map[string]*Promise // by slot id
	slotOf     map[string]*Promise // by turn/instance
	notices    map[string]*Notice
	noticed    []string
	acts       []*Act
	open       map[string]*Act // by turn/instance
	exposed    exposure
	stays      map[string]plan.Away        // turn/instance that was not brought home, and why
	patched    map[string]advisory.Verdict // of hosts with a live patch, by their looks: shown fixed, or affected since
}

func newBook() *book {
	return &book{
		r:     &Report{State: Running},
		turns: map[string]*turn{}, hosts: map[string]*Host{}, guests: map[string]*guest{}, promises: map[string]*Promise{},
		slotOf: map[string]*Promise{}, notices: map[string]*Notice{}, open: map[string]*Act{}, exposed: newExposure(), patched: map[string]advisory.Verdict{}, stays: map[string]plan.Away{},
	}
}

// take enters one fact.
func (b *book) take(f *execution.Fact) error {
	switch f.Kind {
	case execution.CampaignApplied:
		return b.apply(f)
	case execution.ControllerTook:
		if f.Generation > b.generation {
			b.generation = f.Generation
			b.r.Totals.Takeovers++
			b.event(f, fmt.Sprintf("another controller took over (generation %d)%s", f.Generation, because(f.Why)))
		}
	case execution.CampaignPaused, execution.CampaignResumed, execution.CampaignAborted, execution.CampaignHalted, execution.CampaignForced, execution.CampaignFinished:
		b.phase(f)
	case execution.NoticeAsked, execution.NoticeAccepted, execution.NoticeFailed:
		b.notice(f)
	case execution.HostSeen:
		b.see(f)
	case execution.HostLost:
		b.event(f, "does not answer: "+cmp.Or(f.Why, f.Code))
	case execution.Overrun:
		b.overrun(f)
	case execution.External:
		b.external(f)
	case execution.NotReturned:
		b.notReturned(f)
	case execution.CohortHeld, execution.CohortReleased:
		b.cohort(f)
	case execution.ParentEnded, execution.Inherited:
		b.parent(f)
	case execution.Unfixed:
		if f.Code == execution.CodeCannotJudge {
			b.event(f, "may still run unfixed software: "+f.Why)
			return nil
		}
		b.event(f, "still runs unfixed software: "+f.Why)
	case execution.MovePlaced, execution.MoveDone, execution.MoveFailed:
		b.move(f)
	case execution.SlotPassed:
		b.slotPassed(f)
	case execution.Died:
		b.died(f)
	case execution.CanaryPassed:
		b.passed(f)
	case execution.StopStarted, execution.StopDone, execution.StopFailed, execution.BackStarted, execution.BackDone, execution.BackFailed:
		b.stop(f)
	default:
		b.turnFact(f)
	}
	return nil
}

// apply takes a plan in: the first, or a child that replaces it.
func (b *book) apply(f *execution.Fact) error {
	p, fl := new(plan.Plan), new(fleet.Fleet)
	if err := json.Unmarshal(f.Plan, p); err != nil {
		return fmt.Errorf("fact %d: its plan does not read: %w", f.Seq, err)
	}
	if err := json.Unmarshal(f.Fleet, fl); err != nil {
		return fmt.Errorf("fact %d: its fleet does not read: %w", f.Seq, err)
	}
	r := b.r
	first := b.plan == nil
	b.plan, b.fleet = p, fl
	b.generation = max(b.generation, f.Generation)
	r.Revision, r.PlannedStart, r.PlannedEnd = max(f.Revision, p.Revision), p.Start, p.End
	r.blackout = time.Duration(p.Policy.Blackout)
	if first {
		r.Campaign, r.Public, r.Applied, r.By = cmp.Or(f.Campaign, p.Campaign), p.Public, f.At, f.Who
		if t := p.Target; t != nil {
			r.Target, r.Fixes, r.Disclosure = t.ID, t.Fixes, t.Disclosure
		}
		if p.Supersedes != "" {
			r.Supersedes, r.State = p.Supersedes, Waiting
		}
		b.exposed.begin(b, f.At)
	} else {
		b.event(f, fmt.Sprintf("revision %d replaced the plan", r.Revision))
	}
	b.enterInstances(f.At)
	b.enterTurns()
	b.enterPromises(first)
	return nil
}

// enterTurns lists the plan's hosts: those with a turn in the order of the plan, then the others.
func (b *book) enterTurns() {
	turns := slices.Clone(b.plan.Turns)
	slices.SortStableFunc(turns, func(x, y plan.Turn) int {
		return cmp.Or(cmp.Compare(x.Wave, y.Wave), x.Start.Compare(y.Start), cmp.Compare(x.ID, y.ID))
	})
	planned, ids := map[string]bool{}, map[string]bool{}
	for _, t := range turns {
		h := b.line(t.ID, t.Host)
		planned[t.Host] = true
		if h.Began.IsZero() { // a turn that has begun stays as it was begun
			h.Pool, h.Site, h.Wave, h.Canary, h.Tactic = t.Pool, t.Site, t.Wave, t.Canary, t.Tactic
			h.Turn, h.Deferred = t.ID, t.Deferred
			h.PlannedStart, h.PlannedEnd, h.State, h.Code, h.Why = t.Start, t.End, HostWaiting, "", ""
		}
		if b.turns[t.ID] == nil {
			b.turns[t.ID] = &turn{host: h}
		}
		ids[t.ID] = true
	}
	for id, t := range b.turns {
		if !ids[id] && t.host.State == HostWaiting {
			t.host.State, t.host.Why = HostDropped, fmt.Sprintf("revision %d has no turn for it", b.r.Revision)
		}
	}
	for _, k := range b.plan.Skipped {
		if h := b.host(k.Host); !planned[k.Host] && h.State == "" {
			h.State, h.Code, h.Why = HostSkipped, k.Code, k.Why
		}
	}
	for _, k := range b.plan.Blocked {
		if k.Host == "" || k.Instance != "" {
			continue
		}
		if h := b.host(k.Host); !planned[k.Host] && h.State == "" {
			h.State, h.Code, h.Why, h.Next = HostBlocked, k.Code, k.Why, k.Unblock
		}
	}
}

// host gives the line of a host, made when it is new: where it has two turns, that of its reboot.
func (b *book) host(id string) *Host { return b.line(id, id) }

// line gives the line of a turn, or of a host without one, made when it is new.
func (b *book) line(key, host string) *Host {
	h := b.hosts[key]
	if h == nil {
		h = &Host{Host: host}
		b.hosts[key] = h
		b.order = append(b.order, key)
	}
	return h
}

func (b *book) phase(f *execution.Fact) {
	r := b.r
	r.Why = cmp.Or(f.Why, f.Code)
	switch f.Kind {
	case execution.CampaignPaused:
		r.State = Paused
		r.Totals.Pauses++
		b.event(f, "paused"+because(f.Why))
	case execution.CampaignResumed:
		r.State = b.under()
		b.event(f, "resumed"+because(f.Why))
	case execution.CampaignAborted:
		r.State = Aborted
		b.event(f, "aborted"+because(f.Why))
		for _, id := range f.Slots {
			if p := b.promises[id]; p != nil {
				p.handed, r.handedTo = true, f.Why
			}
		}
	case execution.CampaignForced:
		b.event(f, "closed by force"+because(f.Why))
	case execution.CampaignHalted:
		r.State = Halted
		b.event(f, "halted"+because(cmp.Or(f.Why, f.Code)))
	case execution.CampaignFinished:
		r.State, r.Ended, r.Why = Finished, f.At, cmp.Or(f.Code, f.Why)
	}
}

func (b *book) event(f *execution.Fact, text string) {
	b.r.Events = append(b.r.Events, Event{At: f.At, Seq: f.Seq, Kind: string(f.Kind), Who: f.Who, Host: f.Host, Instance: f.Instance, Tenant: f.Tenant, Text: text})
}

// misfit notes a fact that does not fit; the report goes on without it.
func (b *book) misfit(f *execution.Fact, why string) {
	b.r.Misfits = append(b.r.Misfits, fmt.Sprintf("fact %d (%s): %s", f.Seq, f.Kind, why))
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

// close puts everything in order and sums it up.
func (b *book) close() *Report {
	r := b.r
	for _, id := range b.order {
		h := b.hosts[id]
		b.closeHost(h)
		if h.State != "" { // a host that was only looked at has no line
			r.Hosts = append(r.Hosts, *h)
		}
	}
	for _, a := range b.acts {
		r.Acts = append(r.Acts, *a)
	}
	b.closePromises()
	b.closeNotices()
	b.closeInstances()
	b.closeAway()
	r.Exposure = b.exposed.end(r.Until)
	b.sum()
	return r
}
