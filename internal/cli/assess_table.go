package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
)

// assessTable prints an assessment for people; the first error of the output stays.
type assessTable struct {
	app    *App
	target bool // judged by a target, not by advisories alone
	detail bool // each host and instance by itself, with when and how its facts were seen
	err    error
}

func (t *assessTable) line(format string, args ...any) {
	t.write(printable(fmt.Sprintf(format, args...)))
}

func (t *assessTable) write(line string) {
	if _, err := fmt.Fprintln(t.app.Out, line); err != nil && t.err == nil {
		t.err = err
	}
}

// print writes the whole: who is affected and why, then what it adds up to, the sum last, where a
// terminal shows it.
func (t *assessTable) print(a *advisory.Assessment, conflicts []advisory.Conflict) {
	t.hosts(a.Hosts)
	t.instances(a.Instances)
	t.conflicts(conflicts)
	t.holders(a.Holders)
	t.shares("site", a.Sites, true)
	t.shares("tenant", a.Tenants, false)
	t.advisories(a.Advisories)
	t.remedies(a.Remedies)
	t.line("%-10s %s", "hosts", tally(a.Counts.Hosts))
	t.line("%-10s %s", "instances", tally(a.Counts.Instances))
	t.line("%-10s %s", "exposure", exposureWords(a.Exposure))
}

// paint colours a verdict's word on a terminal; the word says the same without.
func (t *assessTable) paint(v advisory.Verdict) string {
	colour := map[advisory.Verdict]string{advisory.IsAffected: "31", advisory.IsUnknown: "33", advisory.IsFixed: "32"}[v]
	if colour == "" || !t.app.Terminal || t.app.Getenv("NO_COLOR") != "" {
		return v.Words()
	}
	return "\x1b[" + colour + "m" + v.Words() + "\x1b[0m"
}

// alike are subjects that share verdict, evidence and all that is printed below their names.
type alike struct {
	names    []string
	verdict  advisory.Verdict
	where    string // of all alike
	at       string // of the one, when it stands alone
	evidence []string
	needs    string
	seen     []advisory.Seen
	from, to time.Time // when their facts were read
}

// grouped puts what is printed alike together, the most pressing first, in the order of names.
func grouped(list []alike, detail bool) (out []*alike) {
	at := map[string]*alike{}
	for _, v := range advisory.Verdicts {
		for i := range list {
			x := &list[i]
			if x.verdict != v {
				continue
			}
			key := strings.Join([]string{x.where, x.needs, strings.Join(x.evidence, "\n")}, "\x00")
			if g := at[key]; g != nil && !detail && g.verdict == v {
				g.names = append(g.names, x.names...)
				g.from, g.to = earlier(g.from, x.from), later(g.to, x.to)
				continue
			}
			at[key] = x
			out = append(out, x)
		}
	}
	return out
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (t *assessTable) hosts(list []advisory.HostVerdict) {
	all := make([]alike, 0, len(list))
	for _, h := range list {
		where := ""
		switch {
		case h.Cohort != "":
			where = "cohort " + h.Cohort
		case t.target:
			where = "in no cohort"
		}
		x := alike{names: []string{h.Host}, verdict: h.Verdict, where: where, evidence: h.Evidence, needs: h.Needs, seen: h.Seen}
		x.from, x.to = span(h.Seen)
		all = append(all, x)
	}
	t.groups("host", all)
}

func (t *assessTable) instances(list []advisory.InstanceVerdict) {
	all := make([]alike, 0, len(list))
	for _, i := range list {
		x := alike{names: []string{i.Instance}, verdict: i.Verdict, at: "on " + i.Host + tenantWord(i.Tenant), evidence: i.Evidence, needs: i.Needs, seen: i.Seen}
		x.from, x.to = span(i.Seen)
		all = append(all, x)
	}
	t.groups("instance", all)
}

// span is from when to when facts were read.
func span(seen []advisory.Seen) (from, to time.Time) {
	for i, s := range seen {
		if i == 0 {
			from, to = s.At, s.At
		}
		from, to = earlier(from, s.At), later(to, s.At)
	}
	return from, to
}

func tenantWord(tenant string) string {
	if tenant == "" {
		return ""
	}
	return ", of " + tenant
}

func (t *assessTable) groups(what string, list []alike) {
	for _, g := range grouped(list, t.detail) {
		where := strings.TrimRight("  "+g.where, " ")
		if n := len(g.names); n == 1 {
			t.write(printable(what+" "+g.names[0]) + "  " + t.paint(g.verdict) + printable(strings.TrimRight(where+"  "+g.at, " ")))
		} else {
			t.write(fmt.Sprintf("%d %ss  ", n, what) + t.paint(g.verdict) + printable(where+": "+some(g.names)))
		}
		for _, e := range g.evidence {
			t.line("    %s", e)
		}
		if g.needs != "" {
			t.line("    needs: %s", g.needs)
		}
		t.sightings(g)
		t.line("")
	}
}

// some names the first few.
func some(names []string) string {
	const most = 6
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more (--detail names each)", len(names)-most)
}

// sightings says when and how the facts were read: each of one subject in detail, else the stretch.
func (t *assessTable) sightings(g *alike) {
	if len(g.seen) == 0 {
		return
	}
	if t.detail {
		for _, s := range g.seen {
			v := cmp.Or(s.Version, "not there")
			if s.How != "" {
				v += "  by " + s.How
			}
			t.line("    seen %s  %s %s %s", stampOf(s.At), strings.ReplaceAll(s.Layer, "_", " "), s.Package, v)
		}
		return
	}
	var hows []string
	for _, s := range g.seen {
		if s.How != "" && !slices.Contains(hows, s.How) {
			hows = append(hows, s.How)
		}
	}
	by := ""
	if len(hows) > 0 {
		by = " by " + strings.Join(hows, ", ")
	}
	if g.from.Equal(g.to) {
		t.line("    seen %s%s", stampOf(g.from), by)
		return
	}
	t.line("    seen from %s to %s%s", stampOf(g.from), stampOf(g.to), by)
}

func stampOf(at time.Time) string {
	if at.IsZero() {
		return "at a time not recorded"
	}
	return at.UTC().Format(time.RFC3339)
}
