package planner

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// finish sums the plan up and seals it.
func (w *world) finish(o outset) (plan.Plan, error) {
	p := w.plan
	p.Evenkeel, p.Campaign, p.Revision, p.Parent = plan.SchemaV1, w.in.Campaign, w.in.Revision, w.in.Parent
	p.Supersedes = w.in.Supersedes
	p.Made, p.Public = w.in.Now.UTC(), public(w.in.Target)
	p.Target, p.Policy = w.in.Target, w.in.Policy
	p.FleetDigest, p.Fleet = plan.FleetDigest(w.in.Fleet), w.in.Fleet
	sorted(&p)
	p.Turns, p.Moves, p.Slots, p.Blocked = orEmpty(p.Turns), orEmpty(p.Moves), orEmpty(p.Slots), orEmpty(p.Blocked)
	if len(p.Turns) > 0 {
		p.Start, p.End = p.Turns[0].Start, p.Turns[0].WorstEnd()
	}
	for _, t := range p.Turns {
		p.End = later(p.End, t.WorstEnd())
	}
	p.Counts = count(&p)
	p.Bounds = w.measure(o, &p)
	p.Verdict = verdict(&p)
	p.Digest = plan.Digest(p)
	return p, nil
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// advisoryID is the shape of the ids that advisories go by.
var advisoryID = regexp.MustCompile(`(?i)\b(CVE|XSA|DSA|DLA|USN|GHSA|ELSA|RH[SBE]A|SUSE-SU)[- ]?[0-9a-z]{1,4}`)

// public names the work for people outside: what the target offers, unless that gives an advisory
// away.
func public(t *plan.Target) string {
	const plain = "scheduled maintenance"
	if t == nil || t.Public == "" {
		return plain
	}
	if advisoryID.MatchString(t.Public) {
		return plain
	}
	text := strings.ToLower(t.Public)
	for _, id := range append([]string{t.ID}, t.Fixes...) {
		if id != "" && strings.Contains(text, strings.ToLower(id)) {
			return plain
		}
	}
	return t.Public
}

func count(p *plan.Plan) plan.Counts {
	c := plan.Counts{Hosts: len(p.Turns), Moves: len(p.Moves), Blocked: len(p.Blocked), Skipped: len(p.Skipped)}
	instances, tenants := map[string]bool{}, map[string]bool{}
	for _, t := range p.Turns {
		c.Waves = max(c.Waves, t.Wave)
	}
	for _, s := range p.Slots {
		instances[s.Instance] = true
		if s.Tenant != "" {
			tenants[s.Tenant] = true
		}
		if s.Class == plan.ClassOutage {
			c.Stops++
		}
	}
	c.Instances, c.Tenants = len(instances), len(tenants)
	return c
}

// verdict answers in one sentence: can it be done, when, and at what cost.
func verdict(p *plan.Plan) string {
	hosts, left, need := 0, 0, "that need it"
	for _, b := range p.Blocked {
		if b.Host != "" {
			hosts++
		} else {
			left++
		}
		if b.Code == codeUnknown {
			need = "that need it or may"
		}
	}
	due := p.Counts.Hosts + hosts
	switch {
	case due == 0 && len(p.Blocked) > 0:
		return fmt.Sprintf("No: no host needs maintenance (%d skipped), but %s may; each blocker says what would tell.", p.Counts.Skipped, many(len(p.Blocked), "instance"))
	case due == 0:
		return fmt.Sprintf("Nothing to do: no host needs maintenance (%d skipped).", p.Counts.Skipped)
	case p.Counts.Hosts == 0:
		return fmt.Sprintf("No: of %s %s none can have a turn; each blocker says what would allow it.", many(due, "host"), need)
	}
	answer, rest := "Yes: all", ""
	switch {
	case hosts > 0:
		answer = fmt.Sprintf("Partly: %d of", p.Counts.Hosts)
	case left > 0:
		answer = "Partly: all"
	}
	if left > 0 {
		rest = fmt.Sprintf("; %s left as they are, each blocker says why", many(left, "instance"))
	}
	return fmt.Sprintf("%s %s %s in %s, from %s to %s; %s, %s%s.", answer, many(due, "host"), need, many(p.Counts.Waves, "wave"),
		stamp(p.Start), stamp(p.End), many(p.Counts.Moves, "live migration"), many(p.Counts.Stops, "stop"), rest)
}

func many(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
