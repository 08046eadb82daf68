package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/advisory"
)

// What an assessment adds up to, by site, tenant, advisory and remedy.

// mostRows is how many rows of a table people read; -o json has them all.
const mostRows = 20

// rows prints a table whose first row is the head; numbers stand to the right.
func (t *assessTable) rows(rows [][]string, left int) {
	width := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, cell := range r {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	for _, r := range rows {
		var b strings.Builder
		for i, cell := range r {
			pad := strings.Repeat(" ", width[i]-len([]rune(cell)))
			switch {
			case i > 0 && i >= left:
				b.WriteString("  " + pad + cell)
			case i > 0:
				b.WriteString("  " + cell + pad)
			default:
				b.WriteString(cell + pad)
			}
		}
		t.line("%s", strings.TrimRight(b.String(), " "))
	}
}

// more says how many rows were left out.
func (t *assessTable) more(n int) {
	if n > 0 && !t.detail {
		t.line("and %d more (--detail or -o json lists them)", n)
	}
	t.line("")
}

func (t *assessTable) cut(n int) int {
	if t.detail {
		return n
	}
	return min(n, mostRows)
}

// shares prints what falls to each site or tenant, those with most harm first.
func (t *assessTable) shares(what string, list []advisory.Share, withHosts bool) {
	if len(list) == 0 {
		return
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b advisory.Share) int {
		return cmp.Or(cmp.Compare(b.Instances.Affected, a.Instances.Affected), cmp.Compare(b.Hosts.Affected, a.Hosts.Affected), cmp.Compare(b.Instances.Unknown, a.Instances.Unknown))
	})
	head := []string{"by " + what}
	if withHosts {
		head = append(head, "hosts", "affected", "unknown", "fixed", "not aff.", "host-hours")
	}
	rows := [][]string{append(head, "instances", "affected", "unknown", "fixed", "not aff.", "VM-hours")}
	for _, s := range list[:t.cut(len(list))] {
		row := []string{cmp.Or(s.ID, "(none)")}
		if withHosts {
			row = append(row, counts(s.Hosts)...)
			row = append(row, hoursWord(s.HostHours))
		}
		row = append(row, counts(s.Instances)...)
		rows = append(rows, append(row, hoursWord(s.InstanceHours)))
	}
	t.rows(rows, 1)
	t.more(len(list) - t.cut(len(list)))
}

func counts(n advisory.Tally) []string {
	return []string{fmt.Sprint(n.All()), fmt.Sprint(n.Affected), fmt.Sprint(n.Unknown), fmt.Sprint(n.Fixed), fmt.Sprint(n.NotAffected)}
}

// hoursWord is a number of hours as people read it.
func hoursWord(h float64) string {
	if h != 0 && h < 10 {
		return fmt.Sprintf("%.1f", h)
	}
	return fmt.Sprintf("%.0f", h)
}

// advisories prints, where there are several, which of them harm how much.
func (t *assessTable) advisories(list []advisory.AdvisoryShare) {
	if len(list) < 2 {
		return
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b advisory.AdvisoryShare) int {
		return cmp.Or(cmp.Compare(b.HostsAffected+b.InstancesAffected, a.HostsAffected+a.InstancesAffected), cmp.Compare(b.HostsUnknown+b.InstancesUnknown, a.HostsUnknown+a.InstancesUnknown))
	})
	rows := [][]string{{"by advisory", "from", "hosts affected", "unknown", "instances affected", "unknown"}}
	for _, s := range list[:t.cut(len(list))] {
		rows = append(rows, []string{s.ID, s.Source, fmt.Sprint(s.HostsAffected), fmt.Sprint(s.HostsUnknown), fmt.Sprint(s.InstancesAffected), fmt.Sprint(s.InstancesUnknown)})
	}
	t.rows(rows, 2)
	t.more(len(list) - t.cut(len(list)))
}

// remedies prints what would fix how much.
func (t *assessTable) remedies(list []advisory.Remedy) {
	if len(list) == 0 {
		return
	}
	rows := [][]string{{"what would change it", "cohort", "of", "hosts", "instances", "host-hours", "VM-hours"}}
	for _, r := range list[:t.cut(len(list))] {
		rows = append(rows, []string{r.Needs, cmp.Or(r.Cohort, "-"), r.Verdict.Words(), fmt.Sprint(r.Hosts), fmt.Sprint(r.Instances), hoursWord(r.HostHours), hoursWord(r.InstanceHours)})
	}
	t.rows(rows, 3)
	t.more(len(list) - t.cut(len(list)))
}

func (t *assessTable) conflicts(list []advisory.Conflict) {
	for _, c := range list {
		t.line("contradiction: %s", c.What)
		for i := range c.IDs {
			t.line("    %s: %s", c.IDs[i], c.Sources[i])
		}
		t.line("")
	}
}

// holders lists who has a fix that was withdrawn.
func (t *assessTable) holders(list []advisory.Holder) {
	if len(list) == 0 {
		return
	}
	rows := [][]string{{"has a withdrawn fix", "layer", "fix", "why"}}
	for _, h := range list[:t.cut(len(list))] {
		who := "host " + h.Host
		if h.Instance != "" {
			who = "instance " + h.Instance + " on " + h.Host + tenantWord(h.Tenant)
		}
		rows = append(rows, []string{who, strings.ReplaceAll(h.Layer, "_", " "), h.Fix, h.Why})
	}
	t.rows(rows, 4)
	t.more(len(list) - t.cut(len(list)))
}

// exposureWords says for how long the fleet has been open to what is public.
func exposureWords(e advisory.Exposure) string {
	var words []string
	if (e.Hosts > 0 || e.Instances > 0) && !e.Since.IsZero() {
		words = append(words, fmt.Sprintf("%s host-hours and %s VM-hours so far (at most), since %s; each hour adds %d and %d",
			hoursWord(e.HostHours), hoursWord(e.InstanceHours), e.Since.UTC().Format("2006-01-02 15:04 UTC"), e.Hosts, e.Instances))
	}
	if e.Undated > 0 {
		words = append(words, fmt.Sprintf("%d affected hosts are not counted: no document says since when it is public", e.Undated))
	}
	if e.Embargoed > 0 {
		words = append(words, fmt.Sprintf("%d affected hosts are not exposed yet: it is not public", e.Embargoed))
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, "; ")
}
