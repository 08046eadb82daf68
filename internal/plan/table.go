package plan

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// TableOptions say how a plan is written for people.
type TableOptions struct {
	// Path is the file that the plan was saved to, for the next command; empty: it was not saved.
	Path string
	// Zone gives a site's time zone; nil or a nil zone: UTC alone is shown.
	Zone func(site string) *time.Location
	// Notes are told ahead of the next command: a heading each, with lines below it.
	Notes []Note
	// Most is how many hosts of one wave and blockers of one cause are named; 0: all.
	Most int
	// AsBound is the plan for the same by ToBound of the policy, to compare with. nil: NoPrice says why not.
	AsBound *Plan
	NoPrice string
}

// Table writes a plan for people. The first screen says whether it can be done, who is hurt, what is
// blocked and what to do now; below it come the waves with their clock times, what would allow what is
// blocked, how far from the bounds it is, and the next command once more.
func Table(w io.Writer, p Plan, o TableOptions) error {
	t := &table{out: w, p: &p, o: o}
	t.line("%s", p.Verdict)
	t.line("")
	t.first()
	t.summary()
	t.home()
	t.tactics()
	t.ahead()
	t.waves()
	t.blocked()
	t.causes()
	t.skipped()
	t.notes()
	t.next()
	return t.err
}

// table prints; the first error of the output stays.
type table struct {
	out io.Writer
	p   *Plan
	o   TableOptions
	err error

	asked    bool                // for the calendar
	calendar *Calendar           // nil: it has nothing to say
	tenants  map[string][]string // turn -> tenants that have a say in it
	// overruled: turn -> what of its tenants gives way to the deadline, in words
	overruled map[string][]string
}

func (t *table) line(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.out, strings.TrimRight(format, " ")+"\n", args...)
	}
}

func (t *table) summary() {
	c := t.p.Counts
	t.line("campaign   %s, revision %d (%s)", t.p.Campaign, t.p.Revision, t.p.Public)
	if t.p.Supersedes != "" {
		t.line("supersedes campaign %s, which ends in a safe place before the first turn here", t.p.Supersedes)
		if kept := t.keptPromises(); kept > 0 {
			t.line("keeps      %d of %d promises as that campaign told them; nobody is told of these again", kept, len(t.p.Slots))
		}
	}
	blocked, half := t.blockedHosts()
	t.line("hosts      %d with a turn, %d blocked, %d skipped", c.Hosts, blocked, c.Skipped)
	if half > 0 {
		t.line("           %d of them with a live patch alone: the reboot that is to follow is blocked", half)
	}
	t.line("instances  %d touched, of %s; %s, %s", c.Instances, many(c.Tenants, "tenant"), many(c.Moves, "live migration"), many(c.Stops, "stop"))
	if c.Hosts > 0 {
		t.line("time       %s to %s at worst", moment(t.p.Start, nil), moment(t.p.End, nil))
		t.bounds()
	}
	t.line("")
}

// blockedHosts counts hosts that are blocked, and those that have a turn all the same: a live patch, whose
// reboot is blocked.
func (t *table) blockedHosts() (all, half int) {
	turned, seen := map[string]bool{}, map[string]bool{}
	for _, u := range t.p.Turns {
		turned[u.Host] = true
	}
	for _, b := range t.p.Blocked {
		switch {
		case b.Host == "" || seen[b.Host]:
		case turned[b.Host]:
			half++
		default:
			all++
		}
		seen[b.Host] = true
	}
	return all, half
}

// waves lists each wave: when, in UTC and in the zones of its sites, and which hosts by which tactic.
func (t *table) waves() {
	moves, stops := map[string]int{}, map[string]int{}
	for _, m := range t.p.Moves {
		moves[m.Turn]++
	}
	for _, s := range t.p.Slots {
		if s.Class == ClassOutage {
			stops[s.Turn]++
		}
	}
	for i := 0; i < len(t.p.Turns); {
		n := i
		for n < len(t.p.Turns) && t.p.Turns[n].Wave == t.p.Turns[i].Wave {
			n++
		}
		t.wave(t.p.Turns[i:n], moves, stops)
		i = n
	}
}

func (t *table) wave(turns []Turn, moves, stops map[string]int) {
	start, end := turns[0].Start, turns[0].WorstEnd()
	var sites []string
	for _, u := range turns {
		if u.WorstEnd().After(end) {
			end = u.WorstEnd()
		}
		sites = append(sites, u.Site)
	}
	slices.Sort(sites)
	t.line("wave %d  %s to %s at worst", turns[0].Wave, moment(start, nil), clockOf(start, end, time.UTC))
	for _, site := range slices.Compact(sites) {
		if t.o.Zone != nil {
			if zone := t.o.Zone(site); zone != nil && zone.String() != "UTC" {
				t.line("  at %s %s to %s", site, moment(start, zone), clockOf(start, end, zone))
			}
		}
	}
	t.hours(turns)
	for i, u := range turns {
		if t.o.Most > 0 && i == t.o.Most {
			t.line("  and %d more hosts", len(turns)-i)
			return
		}
		mark := ""
		if u.Deferred {
			mark = "  deferred"
		}
		if u.Canary {
			mark += "  canary"
		}
		nearly := ""
		if u.P95S > 0 {
			nearly = fmt.Sprintf(", %s in 95 of 100", time.Duration(u.P95S)*time.Second)
		}
		t.line("  %s  %s  %s, %s, %s expected%s%s", u.Host, u.Tactic, many(moves[u.ID], "move"), many(stops[u.ID], "stop"), u.End.Sub(u.Start), nearly, mark)
		if stops[u.ID] > 0 {
			t.line("    %s", u.Why)
		}
	}
}

// cause is what several blocked things have in common.
type cause struct {
	code    string
	members []Blocked
}

// blocked groups what is blocked by cause, the most frequent first; hosts that wait for one of
// their instances are told with it.
func (t *table) blocked() {
	if len(t.p.Blocked) == 0 {
		return
	}
	var causes []cause
	for _, b := range t.p.Blocked {
		if b.Host != "" && b.Code == "instance-blocked" {
			continue
		}
		i := slices.IndexFunc(causes, func(c cause) bool { return c.code == b.Code })
		if i < 0 {
			i, causes = len(causes), append(causes, cause{code: b.Code})
		}
		causes[i].members = append(causes[i].members, b)
	}
	slices.SortStableFunc(causes, func(a, b cause) int {
		return cmp.Or(cmp.Compare(len(b.members), len(a.members)), strings.Compare(a.code, b.code))
	})
	t.line("")
	t.line("blocked")
	for _, c := range causes {
		t.line("  %s (%d)", c.code, len(c.members))
		for i, b := range c.members {
			if t.o.Most > 0 && i == t.o.Most {
				t.line("    and %d more", len(c.members)-i)
				break
			}
			who := "host " + b.Host
			if b.Instance != "" {
				who = "instance " + b.Instance
			}
			t.line("    %s: %s", who, b.Why)
			t.line("      would allow it: %s", b.Unblock)
		}
	}
}

func (t *table) skipped() {
	n := map[string]int{}
	var codes []string
	for _, s := range t.p.Skipped {
		if n[s.Code]++; n[s.Code] == 1 {
			codes = append(codes, s.Code)
		}
	}
	slices.Sort(codes)
	for _, code := range codes {
		t.line("")
		t.line("skipped    %s: %s", many(n[code], "host"), code)
	}
}

// Note is what a plan's maker has to say beside the plan.
type Note struct {
	Heading string
	Lines   []string
}

func (t *table) notes() {
	for _, n := range t.o.Notes {
		t.line("")
		t.line("%s", n.Heading)
		for i, l := range n.Lines {
			if t.o.Most > 0 && i == t.o.Most {
				t.line("  and %d more", len(n.Lines)-i)
				break
			}
			t.line("  %s", l)
		}
	}
}

func (t *table) next() {
	t.line("")
	t.line("next: %s", t.todo())
}

// todo is the next thing to do.
func (t *table) todo() string {
	switch {
	case t.p.Counts.Hosts == 0 && len(t.p.Blocked) == 0:
		return "nothing"
	case t.p.Counts.Hosts == 0:
		return "do what would allow one of them, then plan again"
	case t.p.Profile == Bound:
		return "to carry it out, plan without --profile bound"
	case t.o.Path == "":
		return fmt.Sprintf("the same command with --out plan.json, then: evenkeel apply plan.json --revision %d", t.p.Revision)
	}
	return fmt.Sprintf("evenkeel apply %s --revision %d", t.o.Path, t.p.Revision)
}

func many(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// moment writes an instant in UTC, or in a zone with its name.
func moment(at time.Time, zone *time.Location) string {
	if zone == nil {
		return at.UTC().Format("Mon 2006-01-02 " + clockForm(at) + " UTC")
	}
	return at.In(zone).Format("Mon 2006-01-02 " + clockForm(at) + " MST")
}

// clockOf writes the end of a stretch: the clock alone where the day is the same, and the zone's name where
// clocks have been changed since the start; without it a stretch may seem to end before it starts.
func clockOf(start, end time.Time, zone *time.Location) string {
	a, b := start.In(zone), end.In(zone)
	form := clockForm(end)
	if a.YearDay() != b.YearDay() || a.Year() != b.Year() {
		form = "Mon 2006-01-02 " + form
	}
	if a.Format("-07:00") != b.Format("-07:00") {
		form += " MST"
	}
	return b.Format(form)
}

// clockForm leaves seconds out where there are none.
func clockForm(at time.Time) string {
	if at.Second() == 0 {
		return "15:04"
	}
	return "15:04:05"
}

// keptPromises counts those that the campaign before told.
func (t *table) keptPromises() (n int) {
	for i := range t.p.Slots {
		if !t.p.Slots[i].Told.IsZero() {
			n++
		}
	}
	return n
}
