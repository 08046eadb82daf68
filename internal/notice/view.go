package notice

import (
	"net/mail"
	"net/url"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// view is all that the templates print. Whatever comes from outside has been through clean; hosts,
// turns, targets and the campaign are not in it.
type view struct {
	Kind                              Kind
	Badge, Subject, Heading, Lead     string
	Tenant, Work, Zone                string
	Advisories                        []string
	ReasonName, Reason                string
	Sections                          []section
	Happenings                        []happening
	Prepare                           bool
	Promise                           []string
	Others                            string
	Contact, ContactLink, ContactMail string
	Reference                         string
}

// section is one slot as it is told: all instances that share times, class and disposition.
type section struct {
	Number, Of int
	Title      string // "now" under Was; empty otherwise
	Now        span
	Was        *span
	Class      string
	WasClass   string // when it changed
	Rows       []row
}

// span is an interval in UTC and in the tenant's zone.
type span struct {
	From, To           string
	LocalFrom, LocalTo string // empty when the tenant's zone is UTC
	Length             string
	Notes              []string
}

// row is one instance in a section.
type row struct {
	Instance        string
	Expected, Worst string // empty when there is no interruption
	P95             string // empty where the promise does not say it
	WasTimes        string // expected and worst before, when they changed
	Actual          *actual
}

// see turns a notice that has passed Lint into what is printed.
func see(n Notice, disclosed bool) (view, error) {
	loc, err := zone(n.Tenant.Timezone)
	if err != nil {
		return view{}, err
	}
	k := kinds[n.Kind]
	v := view{
		Kind: n.Kind, Badge: k.badge, Heading: k.heading, Lead: lead(n),
		Tenant: tenantName(n), Work: prose(n.Public), Zone: zoneName(loc),
		ReasonName: k.reason, Reason: prose(n.Reason),
		Prepare:  k.prepare,
		Sections: sections(n, loc), Happenings: happenings(n),
		Contact: prose(n.OperatorContact), Reference: reference(n),
	}
	if v.Work == "" {
		v.Work = "Host maintenance"
	}
	if disclosed {
		for _, id := range n.Advisories {
			v.Advisories = append(v.Advisories, clean(id))
		}
	}
	if k.promise {
		v.Promise = promiseWords
		if n.All {
			v.Others = "No other instance of yours is interrupted by this maintenance. Should that change, you are told first."
		}
	}
	v.ContactMail, v.ContactLink = contactLink(n.OperatorContact)
	v.Subject = subject(n, v)
	return v, nil
}

func tenantName(n Notice) string {
	if n.Tenant.Name != "" {
		return prose(n.Tenant.Name)
	}
	return clean(n.Tenant.ID)
}

// zoneName is empty for UTC, which is always printed.
func zoneName(loc *time.Location) string {
	if loc == time.UTC {
		return ""
	}
	return loc.String()
}

// contactLink tells whether a contact can be followed: a mail address or an https page.
func contactLink(contact string) (address, link string) {
	contact = strings.TrimSpace(contact)
	if a, err := mail.ParseAddress(contact); err == nil && a.Address == contact && clean(contact) == contact {
		return contact, ""
	}
	if u, err := url.Parse(contact); err == nil && u.Scheme == "https" && u.Host != "" && clean(contact) == contact {
		return "", contact
	}
	return "", ""
}

// sections groups items that share all but the instance, in the order of their start.
func sections(n Notice, loc *time.Location) []section {
	type key struct {
		start, end, wasStart, wasEnd time.Time
		class, wasClass              plan.Class
		disposition                  plan.Disposition
	}
	at := map[key]int{}
	var all []section
	for _, it := range n.Items {
		s := it.Slot
		k := key{start: s.Start.UTC(), end: s.End.UTC(), class: s.Class, disposition: s.Disposition}
		if n.Kind != Rescheduled {
			it.Was = nil
		}
		if it.Was != nil {
			k.wasStart, k.wasEnd, k.wasClass = it.Was.Start.UTC(), it.Was.End.UTC(), it.Was.Class
		}
		i, known := at[k]
		if !known {
			i = len(all)
			at[k] = i
			all = append(all, newSection(it, loc))
		}
		all[i].Rows = append(all[i].Rows, newRow(n.Kind, it, loc))
	}
	for i := range all {
		all[i].Number, all[i].Of = i+1, len(all)
	}
	return all
}

func newSection(it Item, loc *time.Location) section {
	s := section{Now: newSpan(it.Slot.Start, it.Slot.End, loc), Class: className(it.Slot)}
	if it.Was != nil {
		was := newSpan(it.Was.Start, it.Was.End, loc)
		s.Was = &was
		if it.Was.Class != it.Slot.Class || it.Was.Disposition != it.Slot.Disposition {
			s.WasClass = className(*it.Was)
		}
	}
	return s
}

func className(s plan.Slot) string {
	return classWord[s.Class] + ", " + dispositions[s.Disposition].Title
}

func newSpan(start, end time.Time, loc *time.Location) span {
	s := span{From: stamp(start, time.UTC), To: stamp(end, time.UTC), Length: lasting(end.Sub(start))}
	if loc != time.UTC {
		s.LocalFrom, s.LocalTo = stamp(start, loc), stamp(end, loc)
		s.Notes = clockNotes(start, end, loc)
	}
	return s
}

func newRow(kind Kind, it Item, loc *time.Location) row {
	r := row{Instance: clean(it.Instance)}
	r.Expected, r.Worst = times(it.Slot)
	if r.Expected != "" && it.Slot.P95Ms > 0 {
		r.P95 = lasting(time.Duration(it.Slot.P95Ms) * time.Millisecond)
	}
	if it.Was != nil && (it.Was.ExpectedMs != it.Slot.ExpectedMs || it.Was.WorstMs != it.Slot.WorstMs) {
		expected, worst := times(*it.Was)
		r.WasTimes = "no interruption"
		if expected != "" {
			r.WasTimes = "expected " + expected + ", worst case " + worst
		}
	}
	if kind == Finished {
		r.Actual = newActual(it, loc)
	}
	return r
}

func times(s plan.Slot) (expected, worst string) {
	if s.Class == plan.ClassNone {
		return "", ""
	}
	return lasting(time.Duration(s.ExpectedMs) * time.Millisecond), lasting(time.Duration(s.WorstMs) * time.Millisecond)
}

// happenings lists each thing that is done once, in the order in which the sections name them.
func happenings(n Notice) []happening {
	seen := map[string]bool{}
	var all []happening
	for _, it := range n.Items {
		name := className(it.Slot)
		if seen[name] {
			continue
		}
		seen[name] = true
		h := dispositions[it.Slot.Disposition]
		h.Title = name
		all = append(all, h)
	}
	return all
}

// With pairs an interval with the tenant's zone, for the page's "span".
func (v view) With(s any) (paired struct {
	Span span
	Zone string
}) {
	switch s := s.(type) {
	case span:
		paired.Span = s
	case *span:
		paired.Span = *s
	}
	paired.Zone = v.Zone
	return paired
}
