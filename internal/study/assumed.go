package study

import (
	"fmt"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// Kind of what a number stands on.
type Kind string

// The kinds.
const (
	Sourced Kind = "S" // public accounts of the time, or a record
	Derived Kind = "D" // arithmetic from sourced numbers
	Assumed Kind = "A" // tune freely
)

// Assumption is one number or choice that the table depends on.
type Assumption struct {
	What  string
	Value string
	Kind  Kind
	Note  string
}

// Assumptions of a scenario, all that it depends on.
func (s Scenario) Assumptions() []Assumption {
	return append(s.ofTheWeek(), s.ofTheFleet()...)
}

func (s Scenario) ofTheWeek() []Assumption {
	return []Assumption{
		{"public dates", "5 March: XSA-121, 122; 10 March: XSA-120, 123, 124; 12 March: XSA-119", Sourced, "their records; noon UTC is the usual hour (A)"},
		{"announced", "27 February", Sourced, "public accounts of the time"},
		{"plan made, live patches built", stamp(s.Now), Derived, "live updating was announced on 2 March, 72 h after the first notices"},
		{"to finish by", stamp(s.FinishBy), Derived, "providers named 10 March; noon UTC as above"},
		{"after the first disclosure", "allowed", Derived, "the deadline that providers named is later than 5 March"},
		{"fix deployed under embargo", "yes", Sourced, "providers did"},
		{"live patch fails on a host", round(s.FailureShare), Assumed, "each host by itself, drawn from the seed; the failure budget is set so that it does not halt the campaign"},
		{"notice ahead", fmt.Sprintf("%s for a migration, %s for a stop", hours(s.Lead.Blip.Std()), hours(s.Lead.Outage.Std())), Assumed, "the first reboots came three days after the announcement"},
		{"windows", "any hour; promised slots of 2 h", Assumed, "two providers promised 2 h"},
		{"sites of a region", "never two at once", Sourced, "zone by zone, a provider's rule of 2011 and 2014"},
		{"away at once", "5 % of a pool, so one host of 37", Assumed, "the default policy"},
		{"waves", "canary, 30 min soak, then each at most 4 times the largest before", Assumed, "the default policy"},
		{"a live patch", fmt.Sprintf("%s, at worst %s", plan.DefaultPolicy().Times.Patch, plan.DefaultPolicy().Times.PatchMax), Assumed, "the default policy"},
		{"a host's reboot", "35 min, at worst 60 min", Derived, "prgmr 2017 (XSA-213, XSA-216): mean 35 and 38 min, 15 to 67"},
		{"saving to disk", "200 MiB/s, at most 10 min a host", Assumed, "the planner's own rate"},
		{"what a live patch brings", "all six", Assumed, "XSA-121 to 123 are in the hypervisor's code. XSA-119 is in the toolstack and its fix would come as a package that disturbs nobody. XSA-120 is in dom0's Linux and XSA-124 has no patch: both take a device that is passed through"},
	}
}

func (s Scenario) ofTheFleet() []Assumption {
	return []Assumption{
		{"hosts", fmt.Sprintf("%s in %d regions, %d sites each, %d pools each, %d hosts each", number(s.AllHosts()), s.Regions, s.Sites, s.Pools, s.Hosts), Assumed, "nine regions and three zones as of the largest provider"},
		{"hosts affected", round(s.AffectedShare), s.affectedKind(), "drawn by host; the others booted a build that has the fixes (A)"},
		{"builds of Xen with a live patch", fmt.Sprintf("%d of %d", s.Covered, s.Builds), Sourced, "90 % is an estimate of 2016, told by prgmr in 2017 (XSA-216), of advisories that can be live-patched; here it is taken for builds (A)"},
		{"build of a host", "drawn, each as likely", Assumed, ""},
		{"builds with shadow paging", fmt.Sprintf("%d of %d, and %d of the %d without a live patch", s.Shadow, s.Builds, s.uncoveredShadow(), s.Builds-s.Covered), Assumed, "without it no PV guest live-migrates away; Xen can be built without"},
		{"abilities of Xen", "as of today", Assumed, "Xen of 2015 had no live patching (since 4.7) and providers used their own; versions are those of 2015"},
		{"instances", fmt.Sprintf("%s each; a host of %d GiB is full", sizes(s.Sizes), s.HostMiB>>10), Assumed, "so about 20 on a host"},
		{"guests", guests(s.Guests), Assumed, "PVH of today's kind"},
		{"pinned, local disk, not to be saved", fmt.Sprintf("%s, %s, %s of the instances", round(s.Pinned), round(s.LocalDisk), round(s.NoSuspend)), Assumed, "pinned and local disk bind an instance to its host"},
		{"devices passed through", "none", Assumed, "so XSA-120 and XSA-124 affect nobody"},
		{"spare capacity", fmt.Sprintf("one host of %d in each pool, about 3 %%", s.Hosts), Assumed, "it holds nothing but the operator's probe; no further reserve"},
		{"redundancy groups", "a third of the hosts' number in each pool, of three instances on three hosts", Assumed, "one of three may be away at once"},
		{"tenants", number(s.Tenants), Assumed, "all can be told"},
		{"links", "10 Gbit/s", Assumed, ""},
		{"seed", fmt.Sprint(s.Seed), Assumed, "the same seed gives the same page"},
	}
}

// affectedKind: a tenth is what providers said that they would reboot; anything else is a question.
func (s Scenario) affectedKind() Kind {
	if s.AffectedShare == plannedShare {
		return Sourced
	}
	return Assumed
}

// uncoveredShadow counts the builds that have shadow paging and no live patch: from their hosts PV guests
// can move.
func (s Scenario) uncoveredShadow() (n int) {
	old, _ := s.builds()
	for _, b := range old {
		if b.patch == "" && b.shadow {
			n++
		}
	}
	return n
}

func hours(d time.Duration) string { return fmt.Sprintf("%d h", int(d.Hours())) }

func sizes(list []Share[int64]) string {
	words := make([]string, len(list))
	for n, o := range list {
		words[n] = fmt.Sprintf("%d GiB (%.0f %%)", o.Value>>10, 100*o.Part)
	}
	return strings.Join(words, ", ")
}

func guests(list []Share[string]) string {
	words := make([]string, len(list))
	for n, o := range list {
		words[n] = fmt.Sprintf("%s %.0f %%", strings.ToUpper(o.Value), 100*o.Part)
	}
	return strings.Join(words, ", ")
}

// assumptions prints them once, and what differs between the readings beside each other.
func (p *page) assumptions(readings []Reading) {
	p.line("## What it stands on")
	p.line("")
	p.line("S: sourced from public accounts of the time; D: derived from those by arithmetic; A: assumed.")
	p.line("")
	rows := [][]string{{"what", "value", "kind", "note"}}
	for n, a := range readings[0].Scenario.Assumptions() {
		value, kind := a.Value, string(a.Kind)
		for _, r := range readings[1:] {
			if other := r.Scenario.Assumptions()[n]; other.Value != a.Value {
				value += "; " + other.Value
				kind += "; " + string(other.Kind)
			}
		}
		rows = append(rows, []string{a.What, value, kind, a.Note})
	}
	p.standsOn(rows)
}

// rowsOf are assumptions as a table.
func rowsOf(list []Assumption) [][]string {
	rows := [][]string{{"what", "value", "kind", "note"}}
	for _, a := range list {
		rows = append(rows, []string{a.What, a.Value, string(a.Kind), a.Note})
	}
	return rows
}

// standsOn prints assumptions; no column of them holds numbers alone.
func (p *page) standsOn(rows [][]string) {
	for n, cells := range rows {
		p.line("| %s |", strings.Join(cells, " | "))
		if n == 0 {
			p.line("|---|---|---|---|")
		}
	}
	p.line("")
}
