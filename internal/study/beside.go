package study

import "fmt"

// What providers reported of March 2015, as shares of their fleets.
const (
	plannedShare  = 0.1   // to be rebooted, as announced
	rebootedShare = 0.001 // rebooted in the end
)

// beside puts the outcomes beside what providers reported.
func (p *page) beside(readings []Reading) {
	p.line("## Beside what providers reported")
	p.line("")
	rows := [][]string{{"", "host reboots", "of all hosts", "of affected hosts", "instances saved or stopped", "of all instances", "instances moved"}}
	for _, r := range readings {
		for n, o := range r.Outcomes {
			for _, t := range []struct {
				what  string
				table *Table
			}{{"planned", &o.Planned}, {"with failures", &o.Drawn}} {
				rows = append(rows, besides(fmt.Sprintf("%s, arm %d, %s", r.Name, n+1, t.what), t.table))
			}
		}
	}
	s := readings[0].Scenario
	rows = append(rows,
		[]string{"reported (S): announced", "", share(plannedShare), "", "", share(plannedShare), ""},
		[]string{"reported (S): in the end", "", share(rebootedShare), share(rebootedShare / plannedShare), "", share(rebootedShare), ""},
		[]string{"the same, read as 0.1 % of the announced 10 % (D)", "", share(rebootedShare * plannedShare), share(rebootedShare), "", share(rebootedShare * plannedShare), ""})
	p.table(rows)
	p.line("Reported in: iTnews, \"AWS, Rackspace forced to reboot clouds over new Xen flaws\" (news 401053: around 10 percent of one")
	p.line("provider's instances; another spoke of a portion of its fleet, a third of reboots until 10 March), and Network World,")
	p.line("\"What happens inside Amazon when there's a Xen vulnerability\" (3 March 2015: about 0.1 %% of instances). They count")
	p.line("instances, not hosts; the table takes both as the same share. Accounts differ on what the 0.1 %% is of.")
	p.line("")
	p.line("What the table says: with live patches for %s of the builds, about %s of the affected hosts are left to be rebooted in", round(part(s.Covered, s.Builds)), round(part(s.Builds-s.Covered, s.Builds)))
	p.line("either arm. Migration does not change how many hosts reboot, it changes what their instances feel. To reboot 0.1 %% of a")
	p.line("fleet of which 10 %% is affected takes live patches for %s of the affected hosts (D): so either live update reached", round(1-rebootedShare/plannedShare))
	p.line("more builds than are granted here, or fewer hosts were affected than had been announced. The accounts do not say which.")
	p.line("")
}

func part(n, of int) float64 { return float64(n) / float64(of) }

func besides(what string, t *Table) []string {
	away := t.Sum.Saved + t.Sum.Stopped
	return []string{what, number(t.Sum.Reboots), percent(t.Sum.Reboots, t.Sum.Hosts), percent(t.Sum.Reboots, t.Affected()),
		number(away), percent(away, t.Sum.Instances()), number(t.Sum.Blip)}
}
