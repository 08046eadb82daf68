package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// enterPromises lists the plan's slots. A child plan changes the slots that nothing was done in yet
// and takes back those that it does not have.
func (b *book) enterPromises(first bool) {
	now := map[string]bool{}
	for _, s := range b.plan.Slots {
		now[s.ID] = true
		p := b.promises[s.ID]
		if p == nil {
			p = &Promise{}
			b.promises[s.ID] = p
		} else if len(p.acts) > 0 {
			continue
		}
		p.Slot, p.replaced, p.told = s, "", s.Told // by the campaign before this one
		p.Host = s.Turn
		if t := b.turns[s.Turn]; t != nil {
			p.Host = t.host.Host
		}
		b.slotOf[s.Turn+"/"+s.Instance] = p
	}
	for id, p := range b.promises {
		if !first && !now[id] && len(p.acts) == 0 {
			p.replaced = fmt.Sprintf("revision %d took it back", b.r.Revision)
		}
	}
}

func (b *book) overrun(f *execution.Fact) {
	b.r.Totals.Overruns++
	b.event(f, "its slot is past and it is not back"+because(f.Why))
	ids := f.Slots
	if len(ids) == 0 {
		ids = []string{f.Turn + "/" + f.Instance}
	}
	for _, id := range ids {
		p := b.promises[id]
		if p == nil {
			p = b.slotOf[id]
		}
		if p != nil {
			p.overrun = "an overrun was recorded at " + stamp(f.At)
		}
	}
}

// closePromises says of each promise how it came out.
func (b *book) closePromises() {
	r := b.r
	r.Totals.Promises = map[Outcome]int{}
	for _, p := range b.promises {
		b.measure(p)
	}
	for _, p := range b.promises {
		p.Outcome, p.Why = b.judge(p)
		r.Totals.Promises[p.Outcome]++
		r.Promises = append(r.Promises, *p)
	}
	slices.SortFunc(r.Promises, func(x, y Promise) int {
		return cmp.Or(x.Start.Compare(y.Start), cmp.Compare(x.ID, y.ID))
	})
}

// measure fills in what was done. An attempt that failed and left the instance running is counted
// as an attempt; how long it paused the instance, if at all, no one measured.
func (b *book) measure(p *Promise) {
	p.Attempts = len(p.acts)
	open := false
	for _, a := range p.acts {
		if p.From.IsZero() {
			p.From = a.Start
		}
		open = open || a.Result == Open
		if a.End.After(p.To) {
			p.To = a.End
		}
		switch {
		case a.Result == Failed:
		case a.Ms < 0 || p.ActualMs < 0:
			p.ActualMs = -1
		default:
			p.ActualMs += a.Ms
		}
	}
	if open {
		p.To = time.Time{}
	}
	p.Told = !p.told.IsZero()
	if p.Told {
		first := p.From
		if first.IsZero() {
			first = p.Start
		}
		p.ToldAheadS = int64(first.Sub(p.told).Seconds())
	}
}

// judge compares a promise with what was done.
func (b *book) judge(p *Promise) (Outcome, string) {
	if breaches := b.breaches(p); len(breaches) > 0 {
		return Overrun, strings.Join(breaches, "; ")
	}
	state, over := HostWaiting, b.r.State == Finished
	why := ""
	if t := b.turns[p.Turn]; t != nil {
		state, why = t.host.State, cmp.Or(t.host.Why, t.host.Code)
	}
	over = over || state == HostDone || state == HostDropped
	var done, open, failed int
	last := ""
	for _, a := range p.acts {
		switch a.Result {
		case Done:
			done++
		case Open:
			open++
		case Failed:
			failed++
			last = cmp.Or(a.Why, a.Code)
		}
	}
	switch {
	case open > 0:
		return Moving, ""
	case done > 0 && (over || !b.mayReturn(p) || state == HostHeld):
		return b.proven(p)
	case done > 0:
		return Moving, "it may still be brought home"
	case p.gone != "":
		return Dropped, p.gone
	case p.handed && state != HostDone:
		return Handed, "its tenant goes by what it was told: " + b.r.handedTo
	case p.replaced != "":
		return Dropped, p.replaced
	case state == HostDropped:
		return Dropped, cmp.Or(why, "its turn was dropped")
	case over && failed > 0:
		return Unmoved, fmt.Sprintf("attempts that failed: %d; it stayed where it was%s", failed, because(last))
	case over && p.Class == plan.ClassNone && state == HostDone:
		return Kept, ""
	case over && state == HostDone:
		return Unmoved, "nothing had to be done to it"
	case over:
		return Dropped, "the campaign ended before anything was done to it"
	case state == HostHeld:
		return OnHold, why
	case b.r.Until.After(p.End):
		return Unmoved, "its slot passed and nothing was done"
	case failed > 0:
		return Moving, "an attempt failed" + because(last)
	}
	return Ahead, ""
}

// mayReturn: it may still be brought home by policy, or by the plan.
func (b *book) mayReturn(p *Promise) bool {
	switch b.plan.Policy.HomeRule() {
	case plan.HomeReturn:
		return true
	case plan.HomeSettle:
		return slices.ContainsFunc(b.plan.Moves, func(m plan.Move) bool { return m.Home && m.Turn == p.Turn && m.Instance == p.Instance })
	}
	return false
}

// proven: inside its slot; was it as short as told, and did it last?
func (b *book) proven(p *Promise) (Outcome, string) {
	if g := b.guests[p.Instance]; g != nil && g.listed && !b.touchedAfter(p) {
		return Unproven, fmt.Sprintf("it does not run at the end (%s on %s), and nobody saw when, or why, it stopped", g.line.State, g.line.After)
	}
	if took := p.To.Sub(p.From); p.ActualMs < 0 && took.Milliseconds() > p.WorstMs {
		return Unproven, fmt.Sprintf("the interruption was not measured; the act took %s, told was at most %s", span(took), ms(p.WorstMs))
	}
	return Kept, ""
}

// touchedAfter: a later promise had something done to the instance, so this one had left it running.
func (b *book) touchedAfter(p *Promise) bool {
	for _, o := range b.promises {
		if o.Instance == p.Instance && o.ID != p.ID && o.From.After(p.From) {
			return true
		}
	}
	return false
}

// breaches says in what the promise was not kept.
func (b *book) breaches(p *Promise) (out []string) {
	if p.overrun != "" {
		out = append(out, p.overrun)
	}
	if p.From.IsZero() {
		return out
	}
	if early := p.Start.Sub(p.From); early > 0 {
		out = append(out, "it began "+span(early)+" before its slot")
	}
	if late := p.To.Sub(p.End); !p.To.IsZero() && late > 0 {
		out = append(out, "it ended "+span(late)+" after its slot")
	}
	if late := b.r.Until.Sub(p.End); p.To.IsZero() && late > 0 {
		out = append(out, "it is not over "+span(late)+" after its slot")
	}
	if p.ActualMs > p.WorstMs {
		out = append(out, "it was interrupted for "+ms(p.ActualMs)+", told was at most "+ms(p.WorstMs))
	}
	for _, a := range p.acts {
		switch {
		case a.Result == Failed:
		case a.Kind == "death":
			out = append(out, "a move of it left it running nowhere, and it had to be started again")
		case (a.Kind == "stop" || a.Kind == "save") && p.Class != plan.ClassOutage:
			out = append(out, fmt.Sprintf("told was class %s, but it was stopped", p.Class))
		case p.Class == plan.ClassNone:
			out = append(out, "told was class none, but it was moved")
		case p.Class == plan.ClassBlip && b.r.blackout > 0 && a.Ms > b.r.blackout.Milliseconds():
			out = append(out, "a pause of "+ms(a.Ms)+" is no blip: policy allows "+span(b.r.blackout))
		}
	}
	return out
}

// notice enters the ledger.
func (b *book) notice(f *execution.Fact) {
	n := b.notices[f.Notice]
	if n == nil {
		n = &Notice{ID: f.Notice, Kind: f.NoticeKind, Tenant: f.Tenant, Slots: f.Slots, Asked: f.At}
		b.notices[f.Notice] = n
		b.noticed = append(b.noticed, f.Notice)
		if f.Kind != execution.NoticeAsked {
			b.misfit(f, "the notice was never asked for")
		}
	}
	switch f.Kind {
	case execution.NoticeAccepted:
		if n.Accepted.IsZero() { // the first acceptance counts
			n.Accepted, n.Contact, n.Why = f.At, f.Contact, ""
		}
		for _, id := range n.Slots {
			if p := b.promises[id]; p != nil && p.told.IsZero() && tellsAhead(n.Kind) {
				p.told = f.At
			}
		}
	case execution.NoticeFailed:
		n.Failures++
		b.r.Totals.NoticesFailed++
		n.Contact, n.Why = cmp.Or(n.Contact, f.Contact), cmp.Or(f.Why, f.Code)
		b.event(f, fmt.Sprintf("notice %s was not accepted by %s%s", f.Notice, cmp.Or(f.Contact, "anyone"), because(n.Why)))
	}
}

// tellsAhead: the kinds of notices that promise something. The others tell of what is past.
func tellsAhead(kind string) bool {
	return !slices.Contains([]string{"overrun", "finished", "cancelled", "starting"}, kind)
}

func (b *book) closeNotices() {
	for _, id := range b.noticed {
		n := b.notices[id]
		b.r.Totals.NoticesAsked++
		if !n.Accepted.IsZero() {
			b.r.Totals.NoticesAccepted++
		}
		for _, s := range n.Slots {
			if p := b.promises[s]; p != nil && !p.From.IsZero() && (n.FirstDisruption.IsZero() || p.From.Before(n.FirstDisruption)) {
				n.FirstDisruption = p.From
			}
		}
		if tellsAhead(n.Kind) && !n.Accepted.IsZero() && !n.FirstDisruption.IsZero() {
			n.AheadS = int64(n.FirstDisruption.Sub(n.Accepted).Seconds())
		}
		b.r.Notices = append(b.r.Notices, *n)
	}
}
