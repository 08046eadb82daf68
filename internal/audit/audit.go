// Package audit judges a plan or a journal against the laws, by other code
// than the code that made it: every law is written twice.
//
// It never imports planner, calendar, execution or advisory, never asks
// fleet.CanMove, and never reads a clock or a file: it works on UTC instants,
// the standard library and the value types of fleet and plan. The journal is
// read as JSON lines into its own Fact. It changes nothing and proposes
// nothing; a finding says what is wrong, with the numbers, and what would
// have allowed it.
//
// Start reading at Finding, then PlanVerdict (plan.go; replay.go plays the
// plan by its own clock) and Journal (journal.go; trial.go is what is known so
// far, the trial_*.go files judge).
//
// Where intervals meet - one ends at the instant at which another starts -
// they do not overlap.
package audit

import (
	"fmt"
	"sort"
	"strings"
	"time"
)

// Laws is the number of laws.
const Laws = 10

// lawNames are the laws' short names, law 1 first.
var lawNames = [Laws]string{
	"no silent stop", "inside the slot", "redundancy", "told first", "once, and in one place",
	"room", "all come back", "halt means halt", "embargo", "on the record",
}

// LawName gives the short name of a law (1 to 10); empty for any other number.
func LawName(law int) string {
	if law < 1 || law > Laws {
		return ""
	}
	return lawNames[law-1]
}

// Subject names what a finding is about; what does not apply is empty.
type Subject struct {
	Campaign string `json:"campaign,omitempty"`
	Turn     string `json:"turn,omitempty"`
	Host     string `json:"host,omitempty"`
	Instance string `json:"instance,omitempty"`
	Slot     string `json:"slot,omitempty"`
	Tenant   string `json:"tenant,omitempty"`
	Group    string `json:"group,omitempty"`
	Pool     string `json:"pool,omitempty"`
	Cohort   string `json:"cohort,omitempty"`
	Notice   string `json:"notice,omitempty"`
	Seq      int64  `json:"seq,omitempty"` // the fact at which it was seen
}

// String writes the subject for people, most specific last.
func (s Subject) String() string {
	var parts []string
	add := func(name, id string) {
		if id != "" {
			parts = append(parts, name+" "+id)
		}
	}
	add("campaign", s.Campaign)
	add("pool", s.Pool)
	add("cohort", s.Cohort)
	add("group", s.Group)
	add("tenant", s.Tenant)
	add("turn", s.Turn)
	if s.Host != s.Turn {
		add("host", s.Host)
	}
	add("instance", s.Instance)
	add("slot", s.Slot)
	add("notice", s.Notice)
	if s.Seq != 0 {
		parts = append(parts, fmt.Sprintf("fact %d", s.Seq))
	}
	return strings.Join(parts, ", ")
}

// Finding is one breach of one law.
type Finding struct {
	Law     int       `json:"law"`  // 1 to 10
	Code    string    `json:"code"` // stable, for machines
	Subject Subject   `json:"subject"`
	At      time.Time `json:"at,omitzero"` // the instant of the breach; zero: it has none
	What    string    `json:"what"`        // a sentence with the numbers
	Allow   string    `json:"allow"`       // what would have allowed it
}

// LawStatus is how one law came out.
type LawStatus struct {
	Law     int    `json:"law"`
	Name    string `json:"name"`
	Checked int    `json:"checked"` // single questions that were asked
	Broken  int    `json:"broken"`  // findings
}

// Verdict is the outcome of an audit.
type Verdict struct {
	Findings []Finding       `json:"findings"` // by time, then law, code and subject
	Laws     [Laws]LawStatus `json:"laws"`     // law 1 first
	// Finished: each campaign of the journal has finished; false for a plan.
	Finished bool `json:"finished"`
}

// Clean reports whether no law is broken.
func (v Verdict) Clean() bool { return len(v.Findings) == 0 }

// record collects findings and counts the questions asked.
type record struct {
	findings []Finding
	checked  [Laws]int
}

// must asks one question: when ok is false it becomes a finding. what is a format for args.
func (r *record) must(ok bool, law int, code string, s Subject, at time.Time, allow, what string, args ...any) {
	r.checked[law-1]++
	if ok {
		return
	}
	r.findings = append(r.findings, Finding{
		Law: law, Code: code, Subject: s, At: at, What: fmt.Sprintf(what, args...), Allow: allow,
	})
}

// verdict sorts and sums up what was collected.
func (r *record) verdict() Verdict {
	v := Verdict{Findings: r.findings}
	sort.SliceStable(v.Findings, func(i, j int) bool { return before(&v.Findings[i], &v.Findings[j]) })
	for i := range v.Laws {
		v.Laws[i] = LawStatus{Law: i + 1, Name: lawNames[i], Checked: r.checked[i]}
	}
	for _, f := range v.Findings {
		v.Laws[f.Law-1].Broken++
	}
	return v
}

func before(a, b *Finding) bool {
	if !a.At.Equal(b.At) {
		return a.At.Before(b.At)
	}
	if a.Law != b.Law {
		return a.Law < b.Law
	}
	if a.Code != b.Code {
		return a.Code < b.Code
	}
	return a.Subject.String() < b.Subject.String()
}

// clock writes an instant for people: UTC, to the second.
func clock(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }
