package audit

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// sideBySide are the journals of two campaigns on one fleet: a has h1 at site s1, b has h2 at site s2; web has a
// member on either, gateways has both hosts.
func sideBySide(stagger bool, most int, facts ...Fact) [][]Fact {
	return sideBySideBy(func(p *plan.Policy) { p.StaggerSites = stagger }, most, facts...)
}

// sideBySideBy lets policy set what it wants in a's; one campaign's word is enough.
func sideBySideBy(policy func(*plan.Policy), most int, facts ...Fact) [][]Fact {
	f := &fleet.Fleet{Regions: []fleet.Region{{ID: "r"}}, Sites: []fleet.Site{{ID: "s1", Region: "r"}, {ID: "s2", Region: "r"}},
		Pools:     []fleet.Pool{{ID: "p1", Site: "s1"}, {ID: "p2", Site: "s2"}},
		Hosts:     []fleet.Host{{ID: "h1", Pools: []string{"p1"}}, {ID: "h2", Pools: []string{"p2"}}},
		Instances: []fleet.Instance{{ID: "i1", Host: "h1"}, {ID: "i2", Host: "h2"}}, Links: []fleet.Link{{ID: "line", Mbps: 1000, Sites: []string{"s2"}}},
		Groups: []fleet.Group{{ID: "web", Members: []string{"i1", "i2"}, MaxUnavailable: most}}, HostGroups: []fleet.HostGroup{{ID: "gateways", Hosts: []string{"h1", "h2"}, MaxUnavailable: most}}}
	fj, _ := json.Marshal(f)
	start := time.Date(2026, 3, 1, 1, 0, 0, 0, time.UTC)
	out := make([][]Fact, 2)
	for i, id := range []string{"a", "b"} {
		p := plan.Plan{Campaign: id, Policy: plan.DefaultPolicy()}
		if p.Policy.StaggerSites = false; i == 0 {
			policy(&p.Policy)
		}
		for _, h := range []string{"h1", "h2"} {
			p.Turns = append(p.Turns, plan.Turn{ID: h, Host: h, Tactic: plan.Reboot})
		}
		pj, _ := json.Marshal(p)
		out[i] = []Fact{{Seq: 1, At: start, Kind: "campaign-applied", Campaign: id, Plan: pj, Fleet: fj}}
	}
	for n, k := range facts {
		i := int(k.Campaign[0] - 'a')
		k.Turn = k.Host
		if k.At = start.Add(time.Duration(n+1) * time.Second); k.Retry { // at the moment of the one before
			k.At = k.At.Add(-time.Second)
		}
		k.Seq = int64(len(out[i]) + 1)
		out[i] = append(out[i], k)
	}
	return out
}

func permitBeside(c, h string) Fact {
	return Fact{Kind: "turn-permitted", Campaign: c, Host: h}
}

func ofBeside(kind, c, h, in string) Fact {
	return Fact{Kind: kind, Campaign: c, Host: h, Instance: in}
}

func sameMoment(f Fact) Fact {
	f.Retry = true
	return f
}

// besideCases are what two journals may show together; codes is what must be found.
var besideCases = map[string]struct {
	stagger bool
	most    int
	facts   []Fact
	codes   string
}{
	"one after the other":             {true, 1, []Fact{permitBeside("a", "h1"), ofBeside("turn-done", "a", "h1", ""), permitBeside("b", "h2")}, "[]"},
	"in one moment, the end is first": {true, 1, []Fact{permitBeside("b", "h2"), ofBeside("turn-done", "b", "h2", ""), sameMoment(permitBeside("a", "h1"))}, "[]"},
	"a host group":                    {false, 1, []Fact{permitBeside("a", "h1"), permitBeside("b", "h2")}, "[host-group]"},
	"a host group that spares two":    {false, 2, []Fact{permitBeside("a", "h1"), permitBeside("b", "h2")}, "[]"},
	"sites kept apart":                {true, 2, []Fact{permitBeside("a", "h1"), permitBeside("b", "h2")}, "[stagger]"},
	"kept apart the other way about":  {true, 2, []Fact{permitBeside("b", "h2"), permitBeside("a", "h1")}, "[stagger]"},
	"held at another site":            {true, 2, []Fact{permitBeside("a", "h1"), ofBeside("turn-held", "a", "h1", ""), permitBeside("b", "h2")}, "[]"},
	"retried at another site":         {true, 2, []Fact{permitBeside("a", "h1"), ofBeside("turn-held", "a", "h1", ""), ofBeside("turn-released", "a", "h1", ""), permitBeside("b", "h2")}, "[stagger]"},
	"one host":                        {false, 2, []Fact{permitBeside("a", "h1"), permitBeside("b", "h1")}, "[host-claimed]"},
	"a group":                         {false, 1, []Fact{ofBeside("stop-started", "a", "h1", "i1"), ofBeside("move-placed", "b", "h2", "i2")}, "[group]"},
	"a group, stopped":                {false, 1, []Fact{ofBeside("stop-started", "a", "h1", "i1"), ofBeside("stop-done", "a", "h1", "i1"), ofBeside("move-placed", "b", "h2", "i2")}, "[group]"},
	"a group, back":                   {false, 1, []Fact{ofBeside("stop-started", "a", "h1", "i1"), ofBeside("stop-done", "a", "h1", "i1"), ofBeside("back-done", "a", "h1", "i1"), ofBeside("move-placed", "b", "h2", "i2")}, "[]"},
	"a group, moved":                  {false, 1, []Fact{ofBeside("move-placed", "a", "h1", "i1"), ofBeside("move-done", "a", "h1", "i1"), ofBeside("stop-started", "b", "h2", "i2")}, "[]"},
	"a group that spares two":         {false, 2, []Fact{ofBeside("stop-started", "a", "h1", "i1"), ofBeside("move-placed", "b", "h2", "i2")}, "[]"},
	"after its end":                   {true, 1, []Fact{permitBeside("a", "h1"), ofBeside("campaign-finished", "a", "", ""), permitBeside("b", "h2")}, "[]"},
}

func TestCampaignsAreJudgedTogether(t *testing.T) {
	for name, tt := range besideCases {
		codes := []string{}
		for _, f := range Beside(sideBySide(tt.stagger, tt.most, tt.facts...)...).Findings {
			codes = append(codes, f.Code)
		}
		if fmt.Sprint(codes) != tt.codes {
			t.Errorf("%s: found %v, want %s", name, codes, tt.codes)
		}
	}
}

func moveBeside(c, from, to, in string) Fact {
	return Fact{Kind: "move-placed", Campaign: c, Host: from, Instance: in, From: from, To: to}
}

// besidePlaceCases are what places and links bear of two campaigns together; policy is a's.
var besidePlaceCases = map[string]struct {
	policy func(*plan.Policy)
	facts  []Fact
	codes  string
}{
	"hosts of a region":                  {func(p *plan.Policy) { p.AwayPerRegion = 1 }, []Fact{permitBeside("a", "h1"), permitBeside("b", "h2")}, "[away-from-place]"},
	"the other way about":                {func(p *plan.Policy) { p.AwayPerRegion = 1 }, []Fact{permitBeside("b", "h2"), permitBeside("a", "h1")}, "[away-from-place]"},
	"a region that bears two":            {func(p *plan.Policy) { p.AwayPerRegion = 2 }, []Fact{permitBeside("a", "h1"), permitBeside("b", "h2")}, "[]"},
	"one after the other":                {func(p *plan.Policy) { p.AwayPerRegion = 1 }, []Fact{permitBeside("a", "h1"), ofBeside("turn-done", "a", "h1", ""), permitBeside("b", "h2")}, "[]"},
	"its policy binds while it is there": {func(p *plan.Policy) { p.AwayPerRegion = 1 }, []Fact{permitBeside("b", "h1"), permitBeside("b", "h2")}, "[]"},
	"too soon after": {func(p *plan.Policy) { p.StaggerSites, p.StaggerGap.Sites = true, plan.Duration(time.Minute) },
		[]Fact{permitBeside("a", "h1"), ofBeside("turn-done", "a", "h1", ""), permitBeside("b", "h2")}, "[stagger-gap]"},
	"late enough": {func(p *plan.Policy) { p.StaggerSites, p.StaggerGap.Sites = true, plan.Duration(time.Second) },
		[]Fact{permitBeside("a", "h1"), ofBeside("turn-done", "a", "h1", ""), permitBeside("b", "h2")}, "[]"},
	"moves in a region":   {func(p *plan.Policy) { p.MovesPerRegion = 1 }, []Fact{moveBeside("a", "h1", "h2", "i1"), moveBeside("b", "h2", "h1", "i2")}, "[moves-per-place]"},
	"moves over a link":   {func(p *plan.Policy) { p.MovesPerLink = 1 }, []Fact{moveBeside("b", "h1", "h2", "i1"), moveBeside("a", "h2", "h1", "i2")}, "[moves-per-link]"},
	"one move has ended":  {func(p *plan.Policy) { p.MovesPerLink, p.MovesPerRegion = 1, 1 }, []Fact{moveBeside("a", "h1", "h2", "i1"), ofBeside("move-done", "a", "h1", "i1"), moveBeside("b", "h2", "h1", "i2")}, "[]"},
	"moves that it bears": {func(p *plan.Policy) { p.MovesPerLink, p.MovesPerRegion = 2, 2 }, []Fact{moveBeside("a", "h1", "h2", "i1"), moveBeside("b", "h2", "h1", "i2")}, "[]"},
}

func TestPlacesAreJudgedTogether(t *testing.T) {
	for name, tt := range besidePlaceCases {
		codes := []string{}
		for _, f := range Beside(sideBySideBy(tt.policy, 2, tt.facts...)...).Findings {
			codes = append(codes, f.Code)
		}
		if fmt.Sprint(codes) != tt.codes {
			t.Errorf("%s: found %v, want %s", name, codes, tt.codes)
		}
	}
}
