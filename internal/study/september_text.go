package study

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// Replanned is one campaign of 2014 with what each arm came to.
type Replanned struct {
	September
	Arms []*Rebooting
}

// The shares of hosts that do not return from a reboot: told by one customer in 2014, and by a provider in 2018.
const (
	lost2014 = 0.101
	lost2018 = 0.0127
)

// WriteSeptember writes the page of 2014, in Markdown, without what differs from run to run.
func WriteSeptember(w io.Writer, all []Replanned) error {
	p := &page{out: w}
	p.line("In September 2014 providers rebooted for XSA-108 before it became public on 1 October. This study plans the campaigns")
	p.line("of two of them on simulated fleets, with every rule on, and puts the plans beside what accounts tell. Nothing was")
	p.line("carried out: these are plans, and each was judged by the auditor.")
	p.line("")
	p.line("(S) is sourced from public accounts of the time, (D) derived from those by arithmetic, (A) assumed; - is not told. All")
	p.line("else is ours, from the plans. Times of plans are at worst (p99), where nothing else is said.")
	p.line("")
	p.arms()
	for n := range all {
		p.replanned(&all[n])
	}
	p.says()
	for n := range all {
		p.line("## What \"%s\" stands on", all[n].Name)
		p.line("")
		p.standsOn(rowsOf(all[n].Assumptions()))
	}
	return p.err
}

func (p *page) says() {
	p.line("## What the tables say")
	p.line("")
	p.line("The same deadlines hold with zones kept apart by the day, a canary, and a slot of two hours for each instance. What that")
	p.line("costs is the first hours, which are slow behind the canary. Saving takes no less time than stopping, but what was in")
	p.line("memory is kept. A spare host in each pool empties one host at a time: emptying all of them does not fit the time, and that")
	p.line("plan leaves hosts without the fix at disclosure; so in the last arm the operator says in the target whose guests stay.")
	p.line("Three choices of ours were made after trying, so that no host is left in the first two arms: how long before the first slot")
	p.line("notices go out, when the first windows open (1 or 2 hours before the reboots of 2014) and how fast waves grow (%d, not 4).", waveGrowth2014)
	p.line("Days are counted in UTC in all regions: slots that begin at other hours in each region share fewer waves, and hosts are")
	p.line("left. Two rules are off: stagger between regions, for which there is no time, and bringing home.")
	p.line("Interruptions of 2014 that were told of are of instances; ours are of hosts that take %s to reboot.", plan.Duration(rebootTimes(plan.Times{}).Reboot))
	p.line("")
}

func (p *page) arms() {
	p.line("- **As in 2014**: nothing can migrate or be saved; each instance is stopped and started in a slot that was promised.")
	p.line("- **Suspend**: instances are saved to disk with their memory, where they can be; else stopped.")
	p.line("- **Live migration first**: each host is emptied by live migration, onto what is spare; who cannot move is saved or stopped.")
	p.line("- **Live migration as far as time allows**: so many hosts of each pool are emptied, the guests of the others are saved in place.")
	p.line("")
}

func (p *page) replanned(r *Replanned) {
	p.line("## %s", r.Name)
	p.line("")
	head, cells := []string{"", "2014"}, [][]string{}
	for _, f := range r.facts() {
		cells = append(cells, []string{f.what, f.told.String()})
	}
	questions, breaches := 0, 0
	for _, a := range r.Arms {
		head = append(head, a.Arm.Name)
		for n, f := range r.facts() {
			cells[n] = append(cells[n], f.ours(a))
		}
		questions, breaches = questions+a.Asked, breaches+len(a.Findings)
	}
	p.table(append([][]string{head}, cells...))
	for _, a := range r.Arms {
		if a.Table.Row(blocked).Hosts > 0 {
			p.line("- %s: %s of %s hosts have no turn: %s.", capital(a.Arm.Name), number(a.Table.Row(blocked).Hosts), number(a.Table.Affected()), reasons(a.Table.Blocked))
		}
	}
	if r.emptied() > 0 {
		p.line("- Live migration as far as time allows: %d hosts of %d in each pool that is concerned are emptied.", r.emptied(), r.Hosts)
	}
	p.line("- The auditor asked %s questions of the %d plans and found %d breaches.", number(questions), len(r.Arms), breaches)
	p.line("")
	for _, a := range r.Arms {
		for _, f := range a.Findings[:min(len(a.Findings), 20)] {
			p.line("- law %d, %s: %s: %s", f.Law, f.Code, f.Subject, f.What)
		}
	}
}

// emptied are the hosts of a pool that are rationed live migration: with the spare one.
func (r *Replanned) emptied() int {
	for _, a := range r.Arms {
		if a.Arm.Rationed {
			return r.Emptied + 1
		}
	}
	return 0
}

// fact is one row: what accounts tell, and how it is read from an arm.
type fact struct {
	what string
	told Fact
	ours func(a *Rebooting) string
}

func (r *Replanned) facts() []fact {
	t := r.Told
	return append([]fact{
		{"first host", t.Start, func(a *Rebooting) string { return stamp(a.Table.Start) }},
		{"last host back", t.End, func(a *Rebooting) string { return stamp(a.Table.End) }},
		{"campaign, hours", t.Hours, func(a *Rebooting) string { return tenths(a.Table.End.Sub(a.Table.Start)) }},
		{"slack before disclosure", t.Slack, func(a *Rebooting) string { return tenths(r.Public.Sub(a.Table.End)) + " h" }},
		{"hosts rebooted", t.Hosts, func(a *Rebooting) string {
			return number(a.Table.Sum.Reboots) + ", " + percent(a.Table.Sum.Reboots, a.Table.Sum.Hosts)
		}},
		{"affected hosts left without the fix", Fact{}, func(a *Rebooting) string { return number(a.Table.Row(blocked).Hosts) }},
		{"most hosts away at once", t.AtOnce, func(a *Rebooting) string {
			return fmt.Sprintf("%s, %s of a site", number(a.People.AtOnce), number(a.People.AtOnceInSite))
		}},
		{"days with two sites of a region", t.Apart, func(a *Rebooting) string { return number(a.People.SameDay) }},
	}, r.forCustomers()...)
}

// forCustomers are the rows that customers would ask for.
func (r *Replanned) forCustomers() []fact {
	t := r.Told
	return []fact{
		{"instances stopped", Fact{}, func(a *Rebooting) string { return number(a.Table.Sum.Stopped) }},
		{"instances saved", Fact{}, func(a *Rebooting) string { return number(a.Table.Sum.Saved) }},
		{"instances only moved", Fact{}, func(a *Rebooting) string { return number(a.Table.Sum.Blip) }},
		{"customers touched", t.Customers, func(a *Rebooting) string {
			return number(a.People.Touched) + ", " + percent(a.People.Touched, a.People.Customers)
		}},
		{"customers with a stop or save", Fact{}, func(a *Rebooting) string {
			return number(a.People.Interrupted) + ", " + percent(a.People.Interrupted, a.People.Customers)
		}},
		{"longest interruption of an instance", t.Longest, func(a *Rebooting) string {
			return fmt.Sprintf("%.0f min expected, %.0f at worst", a.People.Longest.Minutes(), a.People.LongestAtWorst.Minutes())
		}},
		{"worst customer: hours with something away", Fact{}, func(a *Rebooting) string { return tenths(a.People.WorstCustomer) }},
		{"redundancy groups with two away at once", Fact{}, func(a *Rebooting) string { return number(a.People.GroupsAtOnce) }},
		{"least notice", t.Notice, func(a *Rebooting) string { return tenths(a.People.LeastNotice) + " h" }},
		{"promised", t.Promised, func(a *Rebooting) string {
			return "a slot of " + hours(a.Plan.Policy.Slot.Std()) + " for each instance"
		}},
		{"instances on hosts that do not return, to be expected", Fact{}, func(a *Rebooting) string {
			stay := float64(a.Table.Sum.Stopped + a.Table.Sum.Saved)
			return fmt.Sprintf("%s to %s", number(int(stay*lost2018+0.5)), number(int(stay*lost2014+0.5)))
		}},
	}
}

func tenths(d time.Duration) string { return fmt.Sprintf("%.1f", d.Hours()) }

func capital(words string) string { return strings.ToUpper(words[:1]) + words[1:] }
