package planner

import (
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
	p.Target, p.Policy, p.Profile = w.in.Target, w.in.Policy, w.in.Profile
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
	c := plan.Counts{Moves: len(p.Moves), Blocked: len(p.Blocked), Skipped: len(p.Skipped)}
	hosts, instances, tenants := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, t := range p.Turns {
		c.Waves = max(c.Waves, t.Wave)
		hosts[t.Host] = true // a live patch and its deferred reboot are two turns of one
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
	c.Hosts, c.Instances, c.Tenants = len(hosts), len(instances), len(tenants)
	return c
}
