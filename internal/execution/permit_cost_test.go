package execution

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// wide is a fleet of pools of twenty hosts, each host in a host group with three of other pools; one turn in
// ten of the pools is under way, and h00000's is asked for.
func wide(tb testing.TB, hosts int) (*State, time.Time) {
	tb.Helper()
	f := &fleet.Fleet{Regions: []fleet.Region{{ID: "r"}}, Sites: []fleet.Site{{ID: "s", Region: "r"}}}
	p := &plan.Plan{Campaign: "c", Revision: 1, Policy: plan.DefaultPolicy()}
	name := func(h int) string { return fmt.Sprintf("h%05d", h) }
	for h := range hosts {
		pool := fmt.Sprintf("p%d", h/20)
		if h%20 == 0 {
			f.Pools = append(f.Pools, fleet.Pool{ID: pool, Site: "s"})
		}
		f.Hosts = append(f.Hosts, fleet.Host{ID: name(h), Pools: []string{pool}, Hypervisor: fleet.KVM, MemoryMiB: 1024})
		p.Turns = append(p.Turns, plan.Turn{ID: name(h), Host: name(h), Pool: pool, Site: "s", Wave: 1, Tactic: plan.Reboot, WorstS: 60, WindowStart: at("01:00:00"), WindowEnd: at("05:00:00")})
	}
	for h := range hosts / 4 {
		f.HostGroups = append(f.HostGroups, fleet.HostGroup{ID: "g" + name(h), MaxUnavailable: 1,
			Hosts: []string{name(h), name(h + hosts/4), name(h + hosts/2), name(h + 3*hosts/4)}})
	}
	pj, _ := json.Marshal(p)
	fj, _ := json.Marshal(f)
	s, now := New(), at("01:00:00")
	put := func(k Fact) {
		k.At = now
		if err := s.Apply(k); err != nil {
			tb.Fatal(err)
		}
	}
	put(Fact{Kind: CampaignApplied, Campaign: "c", Revision: 1, Plan: pj, Fleet: fj})
	for h := 21; h < hosts/4; h += 200 {
		put(Fact{Kind: HostSeen, Host: name(h), Seen: &HostView{At: now, Health: "up"}})
		put(Fact{Kind: TurnPermitted, Turn: name(h), Host: name(h)})
	}
	put(Fact{Kind: HostSeen, Host: name(0), Seen: &HostView{At: now, Health: "up"}})
	return s, now
}

// BenchmarkPermit asks for one permit, gives it and ends its turn.
func BenchmarkPermit(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprintf("hosts=%d", n), func(b *testing.B) {
			s, now := wide(b, n)
			t := s.Turns["h00000"]
			for b.Loop() {
				if r := s.permit(t, now); !r.ok {
					b.Fatal(r.why)
				}
				s.active[t.Plan.ID], t.Permitted, t.Phase = true, now, TurnActive
				s.recount(t)
				delete(s.active, t.Plan.ID)
				t.Phase = TurnWaiting
				s.recount(t)
			}
		})
	}
}

// What is kept with each fact is what a look over all turns finds.
func TestWhatIsUnderWayIsCounted(t *testing.T) {
	s, now := wide(t, 1000)
	check := func(when string) {
		t.Helper()
		hosts, pools := map[string]int{}, map[string]int{}
		for id := range s.active {
			if o := s.Turns[id]; !o.Permitted.IsZero() {
				hosts[o.Plan.Host]++
				pools[o.Plan.Pool]++
			}
		}
		if fmt.Sprint(hosts) != fmt.Sprint(s.inTurn.hosts) || len(s.inTurn.sites["s"]) != len(hosts) || len(s.inTurn.waves[1]) != len(hosts) {
			t.Fatalf("%s: %v, counted %v, at the site %d, of the wave %d", when, hosts, s.inTurn.hosts, len(s.inTurn.sites["s"]), len(s.inTurn.waves[1]))
		}
		for p, n := range s.inTurn.pools {
			if n != pools[p] {
				t.Fatalf("%s: %d away in pool %s, counted %d", when, pools[p], p, n)
			}
		}
	}
	check("at first")
	for _, f := range []Fact{{Kind: TurnHeld, Turn: "h00021", Code: CodeOperator}, {Kind: TurnReleased, Turn: "h00021"}, {Kind: TurnDone, Turn: "h00021"}, {Kind: TurnDropped, Turn: "h00221"}} {
		f.At, f.Host = now, f.Turn
		n := len(s.inTurn.hosts)
		if err := s.Apply(f); err != nil {
			t.Fatal(err)
		}
		if over := f.Kind == TurnDone || f.Kind == TurnDropped; over != (len(s.inTurn.hosts) == n-1) {
			t.Errorf("%s of %s: %d hosts under way, %d before", f.Kind, f.Turn, len(s.inTurn.hosts), n)
		}
		if f.Kind != TurnHeld { // a held turn has its host, and lets later waves begin
			check(string(f.Kind))
		}
	}
	if len(s.waiting) != 1000-2 || s.waiting[0] != "h00000" || s.waiting[1] != "h00001" {
		t.Errorf("%d wait, first %v", len(s.waiting), s.waiting[:2])
	}
}
