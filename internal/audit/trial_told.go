package audit

import (
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// letter is one notice: what it promised, as the plan said when it was asked for.
type letter struct {
	kind, tenant string
	promises     map[string]plan.Slot
	asked        time.Time
	failed       bool
}

// telling is one promise that reached its tenant.
type telling struct {
	accepted time.Time
	promise  plan.Slot
}

// announces are the notices that tell of an interruption ahead; other is every other kind.
var (
	announces = map[string]bool{"planned": true, "scheduled": true, "rescheduled": true, "reminded": true, "starting": true}
	other     = map[string]bool{"finished": true, "overrun": true, "cancelled": true}
)

func (t *trial) notice(r *run, f *Fact) {
	s := Subject{Campaign: r.id, Notice: f.Notice, Tenant: f.Tenant, Seq: f.Seq}
	l := r.letters[f.Notice]
	if f.Kind == "notice-asked" {
		t.must(l == nil, 10, "notice-twice", s, f.At, "an id of its own for each notice", "notice %s is asked for twice", f.Notice)
		t.must(announces[f.NoticeKind] || other[f.NoticeKind], 10, "notice-kind", s, f.At, "a kind of notice that is known", "notice %s is of the kind %q", f.Notice, f.NoticeKind)
		t.asked(r, f, s)
		return
	}
	t.must(l != nil, 10, "notice-unasked", s, f.At, "a notice-asked, stored before the notice is sent", "fact %d, %s, is of notice %s, which was not asked for", f.Seq, f.Kind, f.Notice)
	if l == nil {
		return
	}
	if f.Kind == "notice-failed" {
		l.failed = true
		return
	}
	t.must(t.belongs(r, l.tenant, f.Contact), 4, "wrong-contact", s, f.At, "a contact of tenant "+l.tenant, "notice %s to tenant %s was accepted at %s, which is none of its contacts", f.Notice, l.tenant, f.Contact)
	for id, promise := range l.promises {
		switch {
		case announces[l.kind]:
			r.told[id] = append(r.told[id], telling{accepted: f.At, promise: promise})
		case l.kind == "cancelled":
			delete(r.told, id)
		}
	}
}

// asked opens a notice. It must name promises of the plan, all of one tenant: a tenant hears of its
// own instances only.
func (t *trial) asked(r *run, f *Fact, s Subject) {
	l := &letter{kind: f.NoticeKind, tenant: f.Tenant, promises: map[string]plan.Slot{}, asked: f.At}
	r.letters[f.Notice] = l
	for _, id := range f.Slots {
		sl := r.slotByID[id]
		if !announces[f.NoticeKind] && sl == nil {
			continue // the end of a promise of an earlier revision
		}
		s.Slot = id
		t.must(sl != nil, 10, "unknown-slot", s, f.At, "slots of the plan", "notice %s names slot %s, which the plan does not have", f.Notice, id)
		if sl == nil {
			continue
		}
		t.must(sl.Tenant == f.Tenant, 4, "wrong-tenant", s, f.At, "a notice to the tenant of the slot", "notice %s tells tenant %s of slot %s, which is of tenant %s", f.Notice, f.Tenant, id, sl.Tenant)
		l.promises[id] = *sl
		if f.NoticeKind == "overrun" && r.warned[id].IsZero() {
			r.warned[id] = f.At
		}
	}
}

// belongs: the address is one of the tenant's. What is no mail address is another channel.
func (t *trial) belongs(r *run, tenant, contact string) bool {
	tn := r.tenants[tenant]
	if tn == nil || !strings.Contains(contact, "@") {
		return true
	}
	for _, c := range tn.Contacts {
		if strings.EqualFold(c.Email, contact) {
			return true
		}
	}
	return false
}

// toldFirst asks law 4 of an act that begins: a notice of this very promise was accepted at least
// the class's lead time ago. An instance without a tenant has nobody to be told; one that others put
// on the host after everybody had been told - it is in no applied fleet, or an external fact says so -
// has no slot in this turn and may be live-migrated untold, but nothing more. Where policy says that an undeliverable notice is overridden, a notice that was asked for in time
// and failed counts.
func (t *trial) toldFirst(r *run, f *Fact, tr *turnRun, sl *plan.Slot, s Subject) {
	in := r.instances[f.Instance]
	if in != nil && in.Tenant == "" || tr.override {
		return
	}
	_, ours := r.inherited[f.Instance] // the parent brought it: that is our side, and not others
	arrived := in == nil || contains([]string{"appeared", "moved"}, t.guest(f.Instance).external) && !ours
	if sl == nil && arrived && f.Kind == "move-placed" {
		return
	}
	t.must(sl != nil, 4, "not-promised", s, f.At, "a slot for the instance in this turn, and a notice of it", "%s of %s begins in turn %s, for which nothing was promised", f.Kind, f.Instance, tr.id)
	if sl == nil {
		return
	}
	lead := r.plan.Policy.Lead.Of(sl.Class)
	for _, told := range r.told[sl.ID] {
		if samePromise(told.promise, *sl) && !f.At.Before(told.accepted.Add(lead)) {
			t.must(true, 4, "", s, f.At, "", "")
			return
		}
	}
	if r.plan.Policy.Undeliverable == "override" {
		for _, l := range r.letters {
			if p, of := l.promises[sl.ID]; of && l.failed && announces[l.kind] && samePromise(p, *sl) && !f.At.Before(l.asked.Add(lead)) {
				t.must(true, 4, "", s, f.At, "", "")
				return
			}
		}
	}
	last := "was never accepted"
	for _, told := range r.told[sl.ID] {
		last = "was accepted " + clock(told.accepted)
		if !samePromise(told.promise, *sl) {
			last += " for other times"
		}
	}
	t.must(false, 4, "not-told", s, f.At, "a notice of this slot, accepted by "+clock(f.At.Add(-lead)), "%s of %s begins %s; the notice of slot %s %s, its lead time is %s",
		f.Kind, f.Instance, clock(f.At), sl.ID, last, lead)
}

// samePromise: a slot that was moved or made worse is another promise, whatever its id.
func samePromise(a, b plan.Slot) bool {
	return a.Start.Equal(b.Start) && a.End.Equal(b.End) && a.Class == b.Class
}
