package planner

import (
	"regexp"
	"strings"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// finish sums the plan up and seals it.
func (w *world) finish(o outset) (plan.Plan, error) {
	p := w.plan
	head(w.in, &p)
	p.Bounds = w.measure(o, &p)
	p.Verdict = verdict(&p)
	p.Digest = plan.Digest(p)
	return p, nil
}

// head says what a plan was made from, orders its lists and counts them.
func head(in Input, p *plan.Plan) {
	p.Evenkeel, p.Campaign, p.Revision, p.Parent = plan.SchemaV1, in.Campaign, in.Revision, in.Parent
	p.Supersedes = in.Supersedes
	p.Made, p.Public = in.Now.UTC(), public(in.Target)
	p.Target, p.Policy, p.Profile = in.Target, in.Policy, in.Profile
	p.FleetDigest, p.Fleet = plan.FleetDigest(in.Fleet), in.Fleet
	sorted(p)
	keepTold(in, p)
	p.Turns, p.Moves, p.Slots, p.Blocked = orEmpty(p.Turns), orEmpty(p.Moves), orEmpty(p.Slots), orEmpty(p.Blocked)
	if len(p.Turns) > 0 {
		p.Start, p.End = p.Turns[0].Start, p.Turns[0].WorstEnd()
	}
	for _, t := range p.Turns {
		p.End = later(p.End, t.WorstEnd())
	}
	p.Counts = count(p)
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
	hosts, instances, tenants := make(map[string]bool, len(p.Turns)), make(map[string]bool, len(p.Slots)), map[string]bool{}
	waves := map[int]bool{} // their numbers may have gaps where a plan was made again
	for _, t := range p.Turns {
		waves[t.Wave] = true
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
	c.Waves = len(waves)
	c.Hosts, c.Instances, c.Tenants = len(hosts), len(instances), len(tenants)
	return c
}
