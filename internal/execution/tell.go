package execution

import (
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// What tenants must hear is reckoned when something happens, so that deciding costs nothing while
// nothing did: the promises at once; that all is over; that a promise will not be needed.

// noticeID names a notice: CAMPAIGN/rN/KIND/TENANT, and the slot or turn where a tenant hears of each
// apart.
func (s *State) noticeID(kind, tenant, of string) string {
	id := fmt.Sprintf("%s/r%d/%s/%s", s.Campaign, s.Revision, kind, tenant)
	if of != "" {
		id += "/" + of
	}
	return id
}

// ask notes a notice as due. code says why, where a kind has several reasons.
func (s *State) ask(kind, tenant, apart, code string, of []*plan.Slot) {
	id := s.noticeID(kind, tenant, apart)
	if s.Notices[id] != nil || len(of) == 0 {
		return
	}
	f := Fact{Kind: NoticeAsked, Notice: id, NoticeKind: kind, Tenant: tenant, Code: code}
	for _, sl := range of {
		f.Slots = append(f.Slots, sl.ID)
	}
	s.due[id] = f
}

// reckon looks at the tenants of a turn whose phase has changed.
func (s *State) reckon(t *TurnState) {
	seen := map[string]bool{}
	for _, sl := range s.ofTurn[t.Plan.ID] {
		if sl.Tenant != "" && !seen[sl.Tenant] {
			seen[sl.Tenant] = true
			s.reckonTenant(sl.Tenant)
		}
	}
}

func (s *State) reckonTenant(tenant string) {
	var done []*plan.Slot
	off := map[string][]*plan.Slot{} // by turn
	open := false
	for _, sl := range s.slotsOf[tenant] {
		switch t := s.Turns[sl.Turn]; {
		case !s.heard(sl.ID):
			continue // it never heard of it
		case s.handed[sl.ID] && t.Phase != TurnFinished && s.actual[sl.ID] == nil:
			continue // the child says what becomes of it
		case t.Phase == TurnFinished, t.Phase == TurnAbandoned && s.actual[sl.ID] != nil:
			done = append(done, sl)
		case t.Phase == TurnAbandoned, t.Phase == TurnOnHold && t.Permitted.IsZero() && (t.Code == CodeSlotMissed || t.Code == CodeUndelivered):
			off[sl.Turn] = append(off[sl.Turn], sl)
		default:
			open = true
		}
	}
	for turn, slots := range off {
		s.ask(NoticeCancelled, tenant, turn, s.Turns[turn].Code, slots)
	}
	if !open {
		s.ask(NoticeFinished, tenant, "", "", done)
	}
}

func (s *State) applyNotice(f Fact) {
	n := s.Notices[f.Notice]
	if n == nil {
		n = &NoticeState{ID: f.Notice, Kind: f.NoticeKind, Tenant: f.Tenant, Slots: f.Slots, Code: f.Code, Asked: f.At}
		s.Notices[f.Notice] = n
		delete(s.due, f.Notice)
		s.unsent[f.Notice] = true
		if f.NoticeKind == NoticeCancelled {
			for _, id := range f.Slots {
				s.cancelled[id] = true
			}
		}
		if f.NoticeKind == NoticeScheduled {
			for _, id := range f.Slots {
				s.bySlot[id] = f.Notice
			}
		}
	}
	defer func() {
		if !n.Accepted.IsZero() || n.GaveUp || n.Tries >= maxNoticeTries {
			delete(s.unsent, n.ID)
		}
	}()
	switch f.Kind {
	case NoticeAccepted:
		n.Accepted, n.Contact, n.Why = f.At, f.Contact, ""
		n.Attempts++
	case NoticeFailed:
		n.Attempts++
		if f.Code != "no-channel" {
			n.Tries++
		}
		n.Why = f.Why
		n.RetryAt = f.At.Add(backoff(n.Attempts, 5*time.Second, 5*time.Minute))
		if !f.Retry {
			n.Contacts++ // this address is given up; the next contact is tried where policy allows
			n.RetryAt = f.At
		}
		if !f.Retry && (s.Plan.Policy.Undeliverable != "next-contact" || n.Contacts >= len(s.contacts(n.Tenant))) {
			n.GaveUp = true
		}
	}
}

func (s *State) contacts(tenant string) []fleet.Contact {
	if t := s.index.Tenants[tenant]; t != nil {
		return t.Contacts
	}
	return nil
}
