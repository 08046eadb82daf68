package execution

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// besides are campaigns that are open at once on one fleet: each has the pools of one site of its own, and
// host groups and groups reach over all of them.
type besides struct {
	f     *fleet.Fleet
	all   []*State
	names []string
}

func openAt(tb testing.TB, f *fleet.Fleet, now time.Time, p *plan.Plan) *State {
	tb.Helper()
	p.Revision = 1
	pj, _ := json.Marshal(p)
	fj, _ := json.Marshal(f)
	s := New()
	if err := s.Apply(Fact{Kind: CampaignApplied, At: now, Campaign: p.Campaign, Revision: 1, Plan: pj, Fleet: fj}); err != nil {
		tb.Fatal(err)
	}
	return s
}

func (b *besides) meet(s *State) {
	var others []Neighbour
	for i, o := range b.all {
		if o != s {
			others = append(others, Neighbour{Campaign: b.names[i], State: o})
		}
	}
	s.Meet(others)
}

func drawBesides(t *rapid.T, tb testing.TB) *besides {
	b := &besides{f: &fleet.Fleet{Regions: []fleet.Region{{ID: "r0"}, {ID: "r1"}}}}
	n, hosts := rapid.IntRange(2, 3).Draw(t, "campaigns"), rapid.IntRange(1, 4).Draw(t, "hosts")
	var ids, guests []string
	for c := range n {
		site, pool := fmt.Sprintf("s%d", c), fmt.Sprintf("p%d", c)
		b.f.Sites = append(b.f.Sites, fleet.Site{ID: site, Region: fmt.Sprintf("r%d", rapid.IntRange(0, 1).Draw(t, "region"))})
		b.f.Pools = append(b.f.Pools, fleet.Pool{ID: pool, Site: site})
		for h := range hosts {
			id := fmt.Sprintf("c%dh%d", c, h)
			ids = append(ids, id)
			b.f.Hosts = append(b.f.Hosts, fleet.Host{ID: id, Pools: []string{pool}, Hypervisor: fleet.KVM, MemoryMiB: 4096})
			for i := range rapid.IntRange(0, 2).Draw(t, "instances") {
				in := fmt.Sprintf("%si%d", id, i)
				guests = append(guests, in)
				b.f.Instances = append(b.f.Instances, fleet.Instance{ID: in, Host: id, MemoryMiB: 64})
			}
		}
	}
	for g := range rapid.IntRange(0, 3).Draw(t, "host groups") {
		b.f.HostGroups = append(b.f.HostGroups, fleet.HostGroup{ID: fmt.Sprintf("g%d", g), MaxUnavailable: rapid.IntRange(1, 2).Draw(t, "most"),
			Hosts: rapid.SliceOfNDistinct(rapid.SampledFrom(ids), 1, len(ids), rapid.ID).Draw(t, "in it")})
	}
	if len(guests) > 0 {
		for g := range rapid.IntRange(0, 3).Draw(t, "groups") {
			b.f.Groups = append(b.f.Groups, fleet.Group{ID: fmt.Sprintf("web%d", g), MaxUnavailable: rapid.IntRange(1, 2).Draw(t, "most"),
				Members: rapid.SliceOfNDistinct(rapid.SampledFrom(guests), 1, len(guests), rapid.ID).Draw(t, "members")})
		}
	}
	for c := range n {
		p := &plan.Plan{Campaign: fmt.Sprintf("c%d", c), Policy: plan.DefaultPolicy()}
		p.Policy.StaggerSites, p.Policy.StaggerRegions, p.Policy.MaxAwayPercent = rapid.Bool().Draw(t, "sites"), rapid.Bool().Draw(t, "regions"), 50
		p.Policy.AwayPerRegion = rapid.IntRange(0, 3).Draw(t, "away per region")
		if rapid.Bool().Draw(t, "advisory") {
			p.Target = &plan.Target{ID: "t"}
		}
		for h := range hosts {
			id := fmt.Sprintf("c%dh%d", c, h)
			p.Turns = append(p.Turns, plan.Turn{ID: id, Host: id, Pool: fmt.Sprintf("p%d", c), Site: fmt.Sprintf("s%d", c), Wave: 1 + h/2, Tactic: plan.Reboot})
		}
		b.names = append(b.names, p.Campaign)
		b.all = append(b.all, openAt(tb, b.f, at("01:00:00"), p))
	}
	return b
}

// within holds what all campaigns have under way to the limits, reckoned anew from the fleet.
func (b *besides) within(t *rapid.T) {
	away, by := map[string]bool{}, map[string]map[string]int{} // group -> campaign -> members on hosts in a turn
	var at []*State
	host, region := map[string]string{}, map[string]string{}
	for _, s := range b.f.Sites {
		region[s.ID] = s.Region
	}
	for _, in := range b.f.Instances {
		host[in.ID] = in.Host
	}
	for _, s := range b.all {
		for id := range s.active {
			if tr := s.Turns[id]; !tr.Permitted.IsZero() {
				away[tr.Plan.Host] = true
				at = append(at, s)
			}
		}
	}
	for _, g := range b.f.HostGroups {
		n := 0
		for _, h := range g.Hosts {
			if away[h] {
				n++
			}
		}
		if n > g.MaxUnavailable {
			t.Fatalf("host group %s: %d away of at most %d: %v", g.ID, n, g.MaxUnavailable, away)
		}
	}
	for _, g := range b.f.Groups {
		by[g.ID] = map[string]int{}
		sum := 0
		for _, m := range g.Members {
			if away[host[m]] {
				by[g.ID][host[m][:2]]++
				sum++
			}
		}
		if len(by[g.ID]) > 1 && sum > g.Allowed() {
			t.Fatalf("group %s: of at most %d, campaigns have %v", g.ID, g.Allowed(), by[g.ID])
		}
	}
	inRegion, sharedBy := map[string]int{}, map[string]map[*State]bool{}
	for _, s := range at {
		r := region["s"+s.Campaign[1:]]
		if inRegion[r]++; sharedBy[r] == nil {
			sharedBy[r] = map[*State]bool{}
		}
		sharedBy[r][s] = true
	}
	for r, by := range sharedBy {
		for s := range by {
			if most := s.Plan.Policy.AwayPerRegion; most > 0 && inRegion[r] > most {
				t.Fatalf("region %s: %d are away in %d campaigns, and campaign %s lets %d be", r, inRegion[r], len(by), s.Campaign, most)
			}
		}
	}
	for i, s := range at {
		for _, o := range at[:i] {
			if s == o {
				continue
			}
			same := region["s"+s.Campaign[1:]] == region["s"+o.Campaign[1:]]
			pa, pb := s.Plan.Policy, o.Plan.Policy
			if same && (pa.StaggerSites || pb.StaggerSites) || !same && (pa.StaggerRegions || pb.StaggerRegions) {
				t.Fatalf("campaigns %s and %s are under way at places that are kept apart", s.Campaign, o.Campaign)
			}
		}
	}
}

// ready are a campaign's turns that may begin now.
func (b *besides) ready(s *State, now time.Time) (ids []string) {
	b.meet(s)
	for _, id := range s.front() {
		if s.permit(s.Turns[id], now).ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// Whatever the order in which campaigns decide and turns end: the limits hold over all of them together, who
// goes ahead loses nothing to others, and every turn gets its permit in the end.
func TestCampaignsBesideEachOther(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b, now := drawBesides(rt, t), at("01:00:00")
		apply := func(s *State, f Fact) {
			f.At, f.Host = now, f.Turn
			if f.Kind == HostSeen {
				f.Host, f.Turn = f.Seen.BootID, ""
			}
			if err := s.Apply(f); err != nil {
				rt.Fatal(err)
			}
		}
		for _, s := range b.all {
			for id := range s.Turns {
				apply(s, Fact{Kind: HostSeen, Seen: &HostView{At: now, BootID: id, Health: "up"}})
			}
		}
		left, idle := 0, 0
		for _, s := range b.all {
			left += len(s.Turns)
		}
		for left > 0 {
			if idle > 60 {
				why := ""
				for _, s := range b.all {
					if len(b.ready(s, now))+len(s.Active()) > 0 {
						idle = 0 // something could go on, and was not drawn
					}
					for _, id := range s.front() {
						b.meet(s)
						why += fmt.Sprintf("%s: %s\n", id, s.permit(s.Turns[id], now).why)
					}
				}
				if idle > 0 {
					rt.Fatalf("%d turns never begin:\n%s", left, why)
				}
			}
			s := b.all[rapid.IntRange(0, len(b.all)-1).Draw(rt, "who")]
			idle++
			if ids := b.ready(s, now); len(ids) > 0 && rapid.IntRange(0, 2).Draw(rt, "begin") > 0 {
				before := map[*State][]string{}
				for _, o := range b.all {
					if o != s && o.Ahead(s) {
						before[o] = b.ready(o, now)
					}
				}
				apply(s, Fact{Kind: TurnPermitted, Turn: rapid.SampledFrom(ids).Draw(rt, "turn")})
				b.within(rt)
				for o, had := range before {
					if is := b.ready(o, now); len(is) < len(had) {
						rt.Fatalf("campaign %s goes ahead of %s: %v could begin, and now %v", o.Campaign, s.Campaign, had, is)
					}
				}
				idle = 0
			} else if under := s.Active(); len(under) > 0 && rapid.Bool().Draw(rt, "end") {
				apply(s, Fact{Kind: TurnDone, Turn: under[0]})
				left--
				idle = 0
			}
		}
	})
}

// pair is two campaigns with a host each: web has a member on both, rack has both hosts.
func pair(tb testing.TB) (a, b *State, now time.Time) {
	now = at("01:00:00")
	f := &fleet.Fleet{Regions: []fleet.Region{{ID: "r"}}, Sites: []fleet.Site{{ID: "s", Region: "r"}}, Pools: []fleet.Pool{{ID: "p", Site: "s"}, {ID: "q", Site: "s"}},
		Hosts:     []fleet.Host{{ID: "h1", Pools: []string{"p"}}, {ID: "h2", Pools: []string{"q"}}},
		Instances: []fleet.Instance{{ID: "i1", Host: "h1"}, {ID: "i2", Host: "h2"}}, Groups: []fleet.Group{{ID: "web", Members: []string{"i1", "i2"}}}}
	one := &plan.Plan{Campaign: "cycle", Policy: plan.DefaultPolicy(), Turns: []plan.Turn{{ID: "h1", Host: "h1", Pool: "p", Site: "s", Wave: 1, Tactic: plan.Reboot}}}
	two := &plan.Plan{Campaign: "xsa", Policy: plan.DefaultPolicy(), Target: &plan.Target{ID: "xsa"}, Turns: []plan.Turn{{ID: "h2", Host: "h2", Pool: "q", Site: "s", Wave: 1, Tactic: plan.Reboot}}}
	a, b = openAt(tb, f, now, one), openAt(tb, f, now.Add(time.Minute), two)
	a.Meet([]Neighbour{{Campaign: "xsa", State: b}})
	b.Meet([]Neighbour{{Campaign: "cycle", State: a}})
	return a, b, now.Add(time.Minute)
}

// An urgent campaign that was applied later goes first, and the other one says for what it waits.
func TestTheUrgentCampaignGoesFirst(t *testing.T) {
	a, b, now := pair(t)
	if r := a.permit(a.Turns["h1"], now); r.ok || r.needLook || !strings.Contains(r.why, "campaign xsa: it goes ahead, and its turn h2 waits for the same: group web") {
		t.Fatalf("the routine cycle gets %+v", r)
	}
	if r := b.permit(b.Turns["h2"], now); !r.needLook {
		t.Fatalf("the urgent one gets %+v", r)
	}
	if !b.Ahead(a) || a.Ahead(b) {
		t.Error("a fix of advisories goes before a routine cycle")
	}
	b.Plan.Target, a.Plan.Policy.FinishBy = nil, now
	if b.Ahead(a) || !a.Ahead(b) {
		t.Error("of two cycles the one with a deadline goes first")
	}
	a.Plan.Policy.FinishBy = time.Time{}
	if b.Ahead(a) || !a.Ahead(b) {
		t.Error("of two alike the one that was applied first goes first")
	}
}

// What is not known, or does not turn here, is taken to be under way.
func TestACampaignThatDoesNotTurnHoldsWhatItMayHave(t *testing.T) {
	a, b, now := pair(t)
	for why, n := range map[string]Neighbour{"what it holds is not known": {Campaign: "xsa"}, "group web may have 1": {Campaign: "xsa", State: b, Frozen: true}} {
		a.Meet([]Neighbour{n})
		if r := a.permit(a.Turns["h1"], now); r.ok || !strings.Contains(r.why, why) {
			t.Errorf("%s: %+v", why, r)
		}
	}
	b.Phase = PhaseFinished
	a.Meet([]Neighbour{{Campaign: "xsa", State: b, Frozen: true}})
	if r := a.permit(a.Turns["h1"], now); !r.needLook {
		t.Errorf("one that has finished still holds something: %+v", r)
	}
}

// A member that is away by another campaign's looks and acts counts, and one that is back there does not.
func TestMembersAwayInAnotherCampaign(t *testing.T) {
	a, b, now := pair(t)
	in := a.instance("i1")
	if full := a.groupFull(in); full != "" {
		t.Fatalf("group %s is full and nobody is away", full)
	}
	see := func(state string) {
		if err := b.Apply(Fact{Kind: HostSeen, At: now, Host: "h2", Seen: &HostView{At: now, Health: "up", Instances: []InstanceView{{ID: "i2", State: state}}}}); err != nil {
			t.Fatal(err)
		}
	}
	see("stopped")
	if full := a.groupFull(in); full != "web" {
		t.Error("i2 is stopped by the looks of the campaign that has its host, and web can spare i1")
	}
	a.Guests["i2"].State = fleet.Stopped // so the plan's fleet had it
	now = now.Add(time.Second)
	see("running")
	if full := a.groupFull(in); full != "" {
		t.Error("i2 runs again by the looks of the campaign that has its host, and web cannot spare i1")
	}
}

// near are the campaigns of pair in one rack, with what their policies say; the urgent one's turn is under way.
func near(t *testing.T, cycle, urgent func(*plan.Policy)) (a, b *State, now time.Time) {
	t.Helper()
	a, b, now = pair(t)
	for _, s := range []*State{a, b} {
		s.Fleet.Groups, s.index.GroupsOf = nil, nil
		for _, h := range s.index.Hosts {
			h.Rack = "k"
		}
		s.Plan.Policy.StaggerSites = false
	}
	cycle(&a.Plan.Policy)
	urgent(&b.Plan.Policy)
	return a, b, now
}

func (s *State) mustApply(t *testing.T, f Fact) {
	t.Helper()
	if err := s.Apply(f); err != nil {
		t.Fatal(err)
	}
}

// Hosts away in a rack or region count over all campaigns, by the policy of whichever bounds them, and the last
// one that may be away is the urgent campaign's.
func TestPlacesBearAllCampaigns(t *testing.T) {
	none := func(*plan.Policy) {}
	for name, limit := range map[string]func(*plan.Policy){"its rack": func(p *plan.Policy) { p.AwayPerRack = 1 }, "region r": func(p *plan.Policy) { p.AwayPerRegion = 1 }} {
		for _, policies := range [][2]func(*plan.Policy){{limit, none}, {none, limit}} {
			a, b, now := near(t, policies[0], policies[1])
			if r := a.permit(a.Turns["h1"], now); r.ok || r.needLook || !strings.Contains(r.why, "campaign xsa: it goes ahead, and its turn h2 waits for the same: hosts away in "+name) {
				t.Errorf("%s: ahead of the urgent campaign: %+v", name, r)
			}
			b.mustApply(t, Fact{Kind: TurnPermitted, At: now, Turn: "h2", Host: "h2"})
			if r := a.permit(a.Turns["h1"], now); r.ok || r.needLook || !strings.Contains(r.why, "1 hosts of "+name+" are away in all campaigns") {
				t.Errorf("%s: with the urgent campaign's host away: %+v", name, r)
			}
			a.Meet([]Neighbour{{Campaign: "xsa", State: b, Frozen: true}})
			if r := a.permit(a.Turns["h1"], now); r.needLook {
				t.Errorf("%s: what a campaign that does not turn may have away is not counted", name)
			}
			a.Meet([]Neighbour{{Campaign: "xsa", State: b}})
			b.mustApply(t, Fact{Kind: TurnDone, At: now, Turn: "h2", Host: "h2"})
			if r := a.permit(a.Turns["h1"], now); !r.needLook {
				t.Errorf("%s: nobody is away, and it gets %+v", name, r)
			}
		}
	}
	two := func(p *plan.Policy) { p.AwayPerRegion = 2 }
	if a, _, now := near(t, two, two); !a.permit(a.Turns["h1"], now).needLook {
		t.Error("a region that can spare a host for both keeps one waiting")
	}
}

// The time that a policy wants between places counts from the turns of other campaigns, too, also of one that is over.
func TestGapsBesideOtherCampaigns(t *testing.T) {
	gap := func(p *plan.Policy) { p.StaggerRacks, p.StaggerGap.Racks = true, plan.Duration(10*time.Minute) }
	none := func(*plan.Policy) {}
	for _, policies := range [][2]func(*plan.Policy){{gap, none}, {none, gap}} {
		a, b, now := near(t, policies[0], policies[1])
		for _, s := range []*State{a, b} {
			s.index.Hosts["h2"].Rack = "l"
		}
		b.mustApply(t, Fact{Kind: TurnPermitted, At: now, Turn: "h2", Host: "h2"})
		b.mustApply(t, Fact{Kind: TurnDone, At: now, Turn: "h2", Host: "h2"})
		for _, b.Phase = range []Phase{PhaseRunning, PhaseFinished} {
			if r := a.permit(a.Turns["h1"], now.Add(9*time.Minute)); r.needLook || !r.until.Equal(now.Add(10*time.Minute)) || !strings.Contains(r.why, "campaign xsa: policy leaves 10m") {
				t.Errorf("nine minutes after another campaign's turn: %+v", r)
			}
			if r := a.permit(a.Turns["h1"], now.Add(10*time.Minute)); !r.needLook {
				t.Errorf("ten minutes after: %+v", r)
			}
		}
	}
}

// Migrations in flight in a rack, a region and over a link count over all campaigns.
func TestMigrationsOfAllCampaigns(t *testing.T) {
	none := func(*plan.Policy) {}
	for name, limit := range map[string]func(*plan.Policy){"rack": func(p *plan.Policy) { p.MovesPerRack = 1 }, "region": func(p *plan.Policy) { p.MovesPerRegion = 1 }, "link": func(p *plan.Policy) { p.MovesPerLink = 1 }} {
		for _, policies := range [][2]func(*plan.Policy){{limit, none}, {none, limit}} {
			a, b, _ := near(t, policies[0], policies[1])
			for _, s := range []*State{a, b} {
				s.Fleet.Links = []fleet.Link{{ID: "line", Mbps: 1000, Hosts: []string{"h1"}}}
				s.index = fleet.NewIndex(s.Fleet)
			}
			if a.crowded("h1", "h2") {
				t.Errorf("%s: crowded, and nothing is in flight", name)
			}
			b.open["m"] = &openAct{Kind: MovePlaced, From: "h2", To: "h1"}
			if !a.crowded("h1", "h2") {
				t.Errorf("%s: another campaign's migration is not counted", name)
			}
		}
	}
}
