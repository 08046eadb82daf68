package explain

import (
	"fmt"
	"io"
	"strings"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// Write writes an answer for people. plain makes words that came from files safe to print.
func Write(w io.Writer, a Answer, plain func(string) string) error {
	t := text{plain: plain}
	for _, n := range a.Notes {
		t.line("note: %s", n)
	}
	if a.Host != nil {
		t.host(a.Host)
	}
	if a.Host != nil && a.Instance != nil {
		t.line("")
	}
	if a.Instance != nil {
		t.instance(a.Instance)
	}
	_, err := io.WriteString(w, t.out.String())
	return err
}

type text struct {
	out   strings.Builder
	plain func(string) string
}

func (t *text) line(format string, args ...any) {
	t.out.WriteString(strings.TrimRight(t.plain(fmt.Sprintf(format, args...)), " ") + "\n")
}

// said writes a reason with its code, and the law where one would be broken.
func said(r Reason) string {
	if r.Law > 0 {
		return fmt.Sprintf("%s [%s, law %d]", r.Why, r.Code, r.Law)
	}
	return fmt.Sprintf("%s [%s]", r.Why, r.Code)
}

func (t *text) host(h *Host) {
	t.line("host %s  pool %s, site %s", h.ID, h.Pool, h.Site)
	t.line("  need       %s", said(h.Need))
	if h.Exposed != nil {
		t.line("  exposed    %s", said(*h.Exposed))
	}
	for n := range h.Turns {
		t.turn(&h.Turns[n])
	}
	if len(h.Bound) > 0 {
		t.line("  bounds     why its pool takes so many waves")
		for _, r := range h.Bound {
			t.line("    %s", said(r))
		}
	}
	t.blocked(h.Block, h.Cause)
}

func (t *text) turn(u *Turn) {
	canary := ""
	if u.Canary {
		canary = ", the canary"
	}
	t.line("  turn       wave %d of %d%s: %s, from %s to %s at worst", u.Wave, u.Waves, canary, u.Tactic, stamp(u.Start), stamp(u.WorstEnd))
	t.line("  when       %s", said(u.When))
	for _, r := range u.Not {
		t.line("  not        %s: %s", r.Tactic, said(r.Reason))
	}
	t.earlier(u.Earlier)
	moves, stops := 0, 0
	for _, f := range u.Fates {
		if f.To == "" {
			stops++
		} else {
			moves++
		}
	}
	if len(u.Fates) == 0 {
		t.line("  instances  none is touched")
		return
	}
	t.line("  instances  %d move, %d stay and are stopped", moves, stops)
	const most = 20
	for n, f := range u.Fates {
		if n == most {
			t.line("    and %d more (-o json names all)", len(u.Fates)-most)
			break
		}
		to := ""
		if f.To != "" {
			to = " to " + f.To
		}
		if f.Home {
			to += ", and home again"
		}
		t.line("    %s  %s%s", f.Instance, f.Disposition, to)
	}
}

// earlier writes waves that one and the same rule forbids as one, with the numbers of the last of them.
func (t *text) earlier(all []Earlier) {
	if len(all) == 0 {
		return
	}
	t.line("  not earlier, for")
	for from := 0; from < len(all); {
		to := from
		for to+1 < len(all) && all[to+1].Reasons[0].Code == all[from].Reasons[0].Code && all[to+1].Reasons[0].Law == all[from].Reasons[0].Law {
			to++
		}
		last := all[to]
		waves := fmt.Sprintf("wave %d", last.Wave)
		if from < to {
			waves = fmt.Sprintf("waves %d to %d", all[from].Wave, last.Wave)
		}
		also := ""
		if len(last.Reasons) > 1 {
			var codes []string
			for _, r := range last.Reasons[1:] {
				codes = append(codes, r.Code)
			}
			also = "; also " + strings.Join(codes, ", ")
		}
		t.line("    %s: %s%s", waves, said(last.Reasons[0]), also)
		from = to + 1
	}
}

func (t *text) instance(i *Instance) {
	tenant := ""
	if i.Tenant != "" {
		tenant = ", tenant " + i.Tenant
	}
	t.line("instance %s  on host %s%s; the plan leaves it on %s", i.ID, i.Host, tenant, i.Ends)
	if i.Left != nil {
		t.line("  untouched  %s", said(*i.Left))
	}
	for n := range i.Touched {
		t.touch(&i.Touched[n])
	}
	if i.Twice != nil {
		t.line("  twice      %s", said(*i.Twice))
	}
	t.blocked(i.Block, i.Cause)
}

func (t *text) touch(u *Touch) {
	t.line("  wave %d     %s in turn %s: %s", u.Wave, u.Disposition, u.Turn, said(u.Why))
	nearly := ""
	if u.P95Ms > 0 {
		nearly = ", " + millis(u.P95Ms) + " in 95 of 100 cases"
	}
	t.line("    promise  %s to %s, %s: %s expected%s, %s at worst; told by %s", stamp(u.Start), stamp(u.End), u.Class, millis(u.ExpectedMs), nearly, millis(u.WorstMs), stamp(u.NoticeBy))
	if c := u.Move; c != nil {
		t.line("    moves    %s to %s at %s; %d MiB were free there", c.From, c.To, stamp(c.Start), c.FreeMiB)
		t.line("    there    %s", said(c.Why))
		if c.Link != nil {
			t.line("    rate     %s", said(*c.Link))
		}
		t.line("    others   %s", others(c))
	}
	if u.Home != nil {
		t.line("    home     it comes back to %s once its host is done", u.Home.To)
	}
	if u.Away != nil {
		t.line("    home     it cannot come back to %s: %s [%s]", u.Turn, u.Away.Why, u.Away.Code)
	}
}

// others says how many destinations were refused by what.
func others(c *Choice) string {
	refused := 0
	var parts []string
	for _, r := range c.Refused {
		refused += r.Hosts
		words := fmt.Sprintf("%d %s", r.Hosts, wordsFor(r.Code))
		if r.Code == "no-room" {
			words += fmt.Sprintf(" (most free %d MiB)", c.MostFree)
		}
		parts = append(parts, words)
	}
	out := fmt.Sprintf("%d of %s refused", refused, many(c.Hosts, "host"))
	if refused > 0 {
		out += ": " + strings.Join(parts, ", ")
	}
	if len(c.Next) > 0 {
		var next []string
		for _, o := range c.Next {
			words := fmt.Sprintf("%s (%d MiB free", o.Host, o.FreeMiB)
			if o.Wave > 0 {
				words += fmt.Sprintf(", own turn in wave %d", o.Wave)
			}
			next = append(next, words+")")
		}
		out += "; by every rule it could then have gone to " + strings.Join(next, ", ")
	}
	return out
}

func millis(ms int64) string {
	if ms < 1000 {
		return fmt.Sprintf("%d ms", ms)
	}
	return fmt.Sprintf("%d s", (ms+500)/1000)
}

func (t *text) blocked(list []plan.Blocked, causes []plan.Cause) {
	const most = 20
	for n, b := range list {
		if n == most {
			t.line("  blocked    and %d more (-o json names all)", len(list)-most)
			break
		}
		who := "host " + b.Host
		if b.Instance != "" {
			who = "instance " + b.Instance
		}
		t.line("  blocked    %s: %s [%s]", who, b.Why, b.Code)
		t.line("    freed by %s", b.Unblock)
	}
	for _, c := range causes {
		for _, change := range c.Changes {
			t.line("  change     %s (frees %s)", change.Words, freed(c))
		}
		if len(c.Changes) == 0 && c.Why != "" {
			t.line("  change     %s", c.Why)
		}
	}
}

func freed(c plan.Cause) string {
	var parts []string
	if len(c.Hosts) > 0 {
		parts = append(parts, many(len(c.Hosts), "host"))
	}
	if len(c.Instances) > 0 {
		parts = append(parts, many(len(c.Instances), "instance"))
	}
	return orNone(strings.Join(parts, " and "))
}
