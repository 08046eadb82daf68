package planner_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

func turnOf(t *testing.T, p plan.Plan, host string) plan.Turn {
	t.Helper()
	for _, u := range p.Turns {
		if u.Host == host {
			return u
		}
	}
	t.Fatalf("host %s has no turn; blocked: %+v", host, p.Blocked)
	return plan.Turn{}
}

func codes(p plan.Plan) (out []string) {
	for _, b := range p.Blocked {
		out = append(out, b.Host+b.Instance+":"+b.Code)
	}
	return out
}

// TestPVWithoutShadow: a Xen whose virt_caps lack shadow cannot live-migrate a PV guest; such a guest is
// saved and restored, for that reason, where one of another type or on another build is moved.
func TestPVWithoutShadow(t *testing.T) {
	without, with := strings.Fields("pv hvm hap gnttab-v1 gnttab-v2"), strings.Fields("pv hvm hap shadow gnttab-v1 gnttab-v2")
	for name, c := range map[string]struct {
		guestType string
		caps      []string
		tactics   []plan.Tactic
		how       plan.Disposition
		why       string
	}{
		"pv on 4.17.7":                        {"pv", without, plan.DefaultPolicy().Tactics, plan.DispStatefulStop, fleet.NoShadow},
		"pv on 4.17.5":                        {"pv", with, plan.DefaultPolicy().Tactics, plan.DispLiveMigrate, ""},
		"pvh on 4.17.7":                       {"pvh", without, plan.DefaultPolicy().Tactics, plan.DispLiveMigrate, ""},
		"pv on 4.17.7, and nothing else goes": {"pv", without, []plan.Tactic{plan.Evacuate}, plan.DispBlocked, fleet.NoShadow},
	} {
		t.Run(name, func(t *testing.T) {
			f := uniform(3, 16384, 1, 1024)
			for i := range f.Hosts {
				f.Hosts[i].Hypervisor, f.Hosts[i].VirtCaps, f.Instances[i].GuestType = fleet.Xen, with, "pvh"
			}
			f.Hosts[0].VirtCaps, f.Instances[0].GuestType = c.caps, c.guestType
			pol := eager()
			pol.Tactics = c.tactics
			p := routine(t, f, pol)
			if c.how == plan.DispBlocked {
				if len(p.Blocked) == 0 || p.Blocked[0].Code != c.why || !strings.Contains(p.Blocked[0].Why, "shadow") || !strings.Contains(p.Blocked[0].Unblock, "PVH") {
					t.Errorf("%+v", p.Blocked)
				}
				return
			}
			why := turnOf(t, p, "h0000").Why
			n := slices.IndexFunc(p.Slots, func(s plan.Slot) bool { return s.ID == "h0000/v0000-00" })
			if n < 0 || p.Slots[n].Disposition != c.how || strings.Contains(why, "(no-shadow)") != (c.why != "") {
				t.Errorf("slots %+v, why %q; expected %s and %q", p.Slots, why, c.how, c.why)
			}
		})
	}
}

// TestTactic: the least disruptive one that instance, host and policy allow.
func TestTactic(t *testing.T) {
	shared := func(i *fleet.Instance) {}
	local := func(i *fleet.Instance) { i.Disks = []fleet.Disk{{Name: "vda"}} }
	for name, c := range map[string]struct {
		spoil   func(*fleet.Instance)
		allowed []plan.Tactic
		want    plan.Tactic // empty: blocked
		how     plan.Disposition
	}{
		"all can move":                      {shared, plan.DefaultPolicy().Tactics, plan.Evacuate, plan.DispLiveMigrate},
		"one is saved":                      {local, plan.DefaultPolicy().Tactics, plan.Suspend, plan.DispStatefulStop},
		"saving is not allowed":             {local, []plan.Tactic{plan.Evacuate}, "", ""},
		"only stopping is":                  {local, []plan.Tactic{plan.Evacuate, plan.Reboot}, plan.Reboot, plan.DispStop},
		"it cannot be saved":                {func(i *fleet.Instance) { local(i); i.NoSuspend = true }, []plan.Tactic{plan.Evacuate, plan.Suspend, plan.Reboot}, plan.Reboot, plan.DispStop},
		"a device cannot be saved":          {func(i *fleet.Instance) { i.Devices = []string{"gpu"} }, plan.DefaultPolicy().Tactics, "", ""},
		"no live migration at all":          {shared, []plan.Tactic{plan.Suspend}, plan.Suspend, plan.DispStatefulStop},
		"a stopped one is in nobody's way":  {func(i *fleet.Instance) { local(i); i.State = fleet.Stopped }, []plan.Tactic{plan.Evacuate}, plan.Evacuate, ""},
		"it dirties too fast, so post-copy": {func(i *fleet.Instance) { i.DirtyMiBps = 5000 }, plan.DefaultPolicy().Tactics, plan.Evacuate, plan.DispLiveMigrate},
		"a paused one is moved":             {func(i *fleet.Instance) { i.State = fleet.Paused }, plan.DefaultPolicy().Tactics, plan.Evacuate, plan.DispLiveMigrate},
	} {
		t.Run(name, func(t *testing.T) {
			f := uniform(3, 16384, 2, 1024)
			c.spoil(&f.Instances[0])
			pol := eager()
			pol.Tactics, pol.MaxAwayPercent = c.allowed, 5
			p := routine(t, f, pol)
			if c.want == "" {
				if len(p.Turns) != 2 || len(p.Blocked) != 2 {
					t.Fatalf("%d turns, blocked %v", len(p.Turns), codes(p))
				}
				return
			}
			if got := turnOf(t, p, "h0000").Tactic; got != c.want {
				t.Errorf("the tactic is %s, want %s", got, c.want)
			}
			var how plan.Disposition
			for _, s := range p.Slots {
				if s.ID == "h0000/v0000-00" {
					how = s.Disposition
				}
			}
			if how != c.how {
				t.Errorf("the disposition is %q, want %q", how, c.how)
			}
		})
	}
}

// TestThreeHosts: the smallest fleet that people try. Each host is emptied once, the canary's
// instances go where they are moved once more only, and all promises lie in one slot.
func TestThreeHosts(t *testing.T) {
	f := uniform(3, 2048, 4, 80)
	pol := plan.DefaultPolicy()
	pol.Windows = []plan.WindowRule{{Always: true}}
	pol.Lead = plan.Lead{Blip: plan.Duration(time.Minute), Outage: plan.Duration(time.Minute)}
	pol.Soak = 0
	p := routine(t, f, pol)
	c := p.Counts
	if c.Hosts != 3 || c.Waves != 3 || c.Instances != 12 || c.Moves != 16 || c.Stops != 0 || c.Blocked != 0 {
		t.Errorf("%+v", c)
	}
	if p.Bounds.WavesRatio != 1 || p.Bounds.MovesMin != 16 {
		t.Errorf("%+v", p.Bounds)
	}
	if first := p.Turns[0]; !first.Canary || !first.Start.Equal(at(t, "2026-03-02 09:01:05")) {
		t.Errorf("the first turn: %+v", first)
	}
	if !strings.HasPrefix(p.Verdict, "Yes: all 3 hosts that need it in 3 waves, from 2026-03-02 09:01 UTC") {
		t.Error(p.Verdict)
	}
}

// TestReserve: with the reserve kept, two hosts block each other, and the way out that is named works; where
// policy lets them be saved, their instances are.
func TestReserve(t *testing.T) {
	f := uniform(2, 8192, 2, 1024)
	pol := eager()
	pol.KeepReserve = true
	if p := routine(t, f, pol); len(p.Blocked) > 0 || p.Counts.Stops != 4 || !strings.Contains(p.Turns[0].Why, "(reserve)") {
		t.Fatalf("blocked %v, %d stops, %+v", codes(p), p.Counts.Stops, p.Turns)
	}
	pol.Tactics = []plan.Tactic{plan.Evacuate}
	pol.KeepReserve, pol.MaxAwayPercent = true, 5
	p := routine(t, f, pol)
	if want := []string{"h0000:reserve", "h0001:reserve"}; !slices.Equal(codes(p), want) {
		t.Fatalf("blocked %v, want %v", codes(p), want)
	}
	if !strings.Contains(p.Blocked[0].Unblock, "reserve_mib: 4096") {
		t.Fatal(p.Blocked[0].Unblock)
	}
	for name, mib := range map[string]int64{"the reserve that is named": 4096, "one more": 4097} {
		f.Pools[0].ReserveMiB = &mib
		if p = routine(t, f, pol); (len(p.Blocked) == 0) != (mib == 4096) {
			t.Errorf("%s: blocked %v", name, codes(p))
		}
	}
	f.Pools[0].ReserveMiB = nil
	pol.KeepReserve = false
	if p = routine(t, f, pol); len(p.Blocked) > 0 {
		t.Errorf("keep_reserve: false: blocked %v", codes(p))
	}
}

// TestFull: where nothing can be emptied, instances are saved in their slots, or the reason is told.
func TestFull(t *testing.T) {
	f := uniform(3, 8192, 8, 1024)
	pol := eager()
	if p := routine(t, f, pol); len(p.Turns) != 3 || p.Counts.Stops != 24 || p.Counts.Moves != 0 {
		t.Errorf("%+v %v", p.Counts, codes(p))
	}
	pol.Tactics = []plan.Tactic{plan.Evacuate}
	p := routine(t, f, pol)
	if len(p.Turns) != 0 || len(p.Blocked) != 3 || p.Blocked[0].Code != "no-room" {
		t.Errorf("%d turns, blocked %v", len(p.Turns), codes(p))
	}
}

// TestGroups: members on different hosts go in different waves, members on one host one after the
// other, and nobody is touched while the group is down to its limit.
func TestGroups(t *testing.T) {
	f := uniform(6, 16384, 2, 1024)
	f.Groups = []fleet.Group{{ID: "quorum", Members: []string{"v0000-00", "v0001-00", "v0002-00", "v0002-01"}}}
	p := routine(t, f, eager())
	waves := map[int]bool{}
	for _, h := range []string{"h0000", "h0001", "h0002"} {
		waves[turnOf(t, p, h).Wave] = true
	}
	if len(waves) != 3 {
		t.Errorf("three hosts with members are in %d waves", len(waves))
	}
	var pair []plan.Move
	for _, m := range p.Moves {
		if m.Turn == "h0002" && strings.HasPrefix(m.Instance, "v0002") {
			pair = append(pair, m)
		}
	}
	if len(pair) != 2 || pair[1].Start.Before(pair[0].End) {
		t.Errorf("two members on one host move at the same time: %+v", pair)
	}

	f.Instances[0].State = fleet.Stopped // v0000-00
	want := []string{"v0001-00:group-degraded", "v0002-00:group-degraded", "v0002-01:group-degraded", "h0001:instance-blocked", "h0002:instance-blocked"}
	if p = routine(t, f, eager()); !slices.Equal(codes(p), want) || len(p.Turns) != 4 {
		t.Errorf("%d turns, blocked %v", len(p.Turns), codes(p))
	}

	f.Instances[0].State = fleet.Running
	f.Instances[4].Pinned, f.Instances[5].Pinned = "licence", "licence" // both on h0002
	want = []string{"v0002-00:group-in-one-turn", "v0002-01:group-in-one-turn", "h0002:instance-blocked"}
	if p = routine(t, f, eager()); !slices.Equal(codes(p), want) {
		t.Errorf("blocked %v, want %v", codes(p), want)
	}
}

// TestWindows: slots lie in the sites' own nights, also where clocks change, and two sites of one
// region never at once.
func TestWindows(t *testing.T) {
	f := uniform(2, 16384, 1, 1024)
	f.Sites = append(f.Sites, fleet.Site{ID: "n2", Region: "north", Timezone: "America/New_York"})
	f.Pools = append(f.Pools, fleet.Pool{ID: "other", Site: "n2"})
	for _, id := range []string{"o1", "o2"} {
		h := host(id, 16384)
		h.Pools = []string{"other"}
		f.Hosts = append(f.Hosts, h)
		f.Instances = append(f.Instances, vm("v-"+id, id, 1024))
	}
	pol := eager()
	pol.MaxAwayPercent = 5
	pol.StaggerSites = true
	pol.Slot = plan.Duration(2 * time.Hour)
	pol.Windows = []plan.WindowRule{{Start: "02:30", Length: plan.Duration(4 * time.Hour)}}
	in := planner.Input{Fleet: f, Policy: pol, Campaign: "c", Revision: 1, Now: at(t, "2026-03-27 12:00")}
	p, err := planner.Propose(in)
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]string{
		"h0000": "2026-03-29 01:30", // the night in which 02:30 does not exist: 03:30
		"o1":    "2026-03-29 06:30",
	} {
		if got := turnOf(t, p, host).Start; !got.Equal(at(t, want)) {
			t.Errorf("host %s starts %s, want %s", host, got, want)
		}
	}
	for _, s := range p.Slots {
		if s.End.Sub(s.Start) != 2*time.Hour {
			t.Errorf("slot %s is %s long", s.ID, s.End.Sub(s.Start))
		}
	}
}

// TestLimits: what does not fit before the limit is blocked by name, the rest is planned.
func TestLimits(t *testing.T) {
	f := uniform(3, 16384, 2, 1024)
	pol := eager()
	pol.MaxAwayPercent = 5
	now := at(t, "2026-03-02 09:00")
	old := &plan.Target{ID: "t", Fixes: []string{"CVE-2025-11234"}, Public: "security work for cve-2025-11234", Cohorts: []plan.Cohort{{}}}
	affected := advisory.Assessment{Hosts: []advisory.HostVerdict{
		{Host: "h0000", Verdict: advisory.IsAffected}, {Host: "h0001", Verdict: advisory.IsAffected}, {Host: "h0002", Verdict: advisory.IsAffected}}}
	propose := func(change func(*planner.Input)) plan.Plan {
		tg := *old
		in := planner.Input{Fleet: f, Target: &tg, Assessment: affected, Policy: pol, Campaign: "c", Revision: 1, Now: now}
		change(&in)
		p, err := planner.Propose(in)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	day := 24 * time.Hour
	p := propose(func(in *planner.Input) { in.Target.Disclosure = now.Add(day + 80*time.Minute) })
	if len(p.Turns) != 2 || !slices.Equal(codes(p), []string{"h0002:after-disclosure"}) {
		t.Errorf("disclosure: %d turns, blocked %v", len(p.Turns), codes(p))
	}
	if p.Public != "scheduled maintenance" {
		t.Errorf("public: %q", p.Public)
	}
	p = propose(func(in *planner.Input) {
		in.Target.Disclosure = now.Add(day + 80*time.Minute)
		in.Policy.AfterDisclosure = true
	})
	if len(p.Blocked) > 0 {
		t.Errorf("after_disclosure: blocked %v", codes(p))
	}
	p = propose(func(in *planner.Input) { in.Policy.FinishBy = now.Add(day) })
	if len(p.Turns) != 0 || len(p.Blocked) != 3 || p.Blocked[0].Code != "after-finish-by" {
		t.Errorf("finish by: %d turns, blocked %v", len(p.Turns), codes(p))
	}
	p = propose(func(in *planner.Input) {
		in.Target.Disclosure, in.Target.EmbargoDeploy = now.Add(3*day), "no"
	})
	if len(p.Turns) != 3 || p.Start.Before(now.Add(3*day)) {
		t.Errorf("embargo: %d turns from %s", len(p.Turns), p.Start)
	}
	pol.Slot = plan.Duration(20 * time.Minute)
	p = propose(func(*planner.Input) {})
	if len(p.Blocked) != 3 || p.Blocked[0].Code != "slot-too-short" {
		t.Errorf("slot: blocked %v", codes(p))
	}
}

// TestVerdicts: fixed and unaffected hosts are skipped and receive instances first; unknown and dead
// ones are blocked with what to look at.
func TestVerdicts(t *testing.T) {
	f := uniform(6, 16384, 2, 1024)
	f.Hosts[4].Health = fleet.Down
	a := advisory.Assessment{Hosts: []advisory.HostVerdict{
		{Host: "h0000", Verdict: advisory.IsAffected}, {Host: "h0001", Verdict: advisory.IsFixed}, {Host: "h0002", Verdict: advisory.NotAffected},
		{Host: "h0003", Verdict: advisory.IsUnknown, Needs: "read its packages"}, {Host: "h0004", Verdict: advisory.IsAffected}}}
	p, err := planner.Propose(planner.Input{Fleet: f, Target: &plan.Target{ID: "t", Cohorts: []plan.Cohort{{}}}, Assessment: a,
		Policy: eager(), Campaign: "c", Revision: 1, Now: at(t, "2026-03-02 09:00")})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"h0003:verdict-unknown", "h0004:host-down", "h0005:verdict-unknown"}
	if !slices.Equal(codes(p), want) || len(p.Turns) != 1 || len(p.Skipped) != 2 {
		t.Fatalf("%d turns, %d skipped, blocked %v", len(p.Turns), len(p.Skipped), codes(p))
	}
	if p.Blocked[0].Unblock != "read its packages" {
		t.Errorf("%+v", p.Blocked[0])
	}
	for _, m := range p.Moves {
		if m.To != "h0001" && m.To != "h0002" {
			t.Errorf("%s goes to %s, which is not fixed", m.Instance, m.To)
		}
	}
}

// TestWaveBound: uniform fleets reach the bound when policy lets them.
func TestWaveBound(t *testing.T) {
	for _, used := range []int{6, 7, 8, 9} {
		p := routine(t, uniform(60, 10240, used, 1024), eager())
		if p.Bounds.WavesRatio != 1 || len(p.Blocked) > 0 {
			t.Errorf("%d of 10 places used: %d waves, at least %d; blocked %d", used, p.Counts.Waves, p.Bounds.WavesMin, len(p.Blocked))
		}
	}
}

// TestSpares: an empty host goes first and then takes instances, so each moves once.
func TestSpares(t *testing.T) {
	f := uniform(4, 8192, 3, 1024)
	spare := host("spare", 8192)
	spare.Spare = true
	f.Hosts = append(f.Hosts, spare)
	pol := eager()
	pol.MaxAwayPercent = 5
	p := routine(t, f, pol)
	if p.Turns[0].Host != "spare" || p.Counts.Moves != 12 || p.Bounds.MovesRatio != 1 {
		t.Errorf("first %s, %+v %+v", p.Turns[0].Host, p.Counts, p.Bounds)
	}
}

// TestHome: instances come back inside their turn and slot.
func TestHome(t *testing.T) {
	f := uniform(3, 8192, 3, 1024)
	pol := eager()
	pol.BringHome, pol.MaxAwayPercent = true, 5
	p := routine(t, f, pol)
	last := map[string]string{}
	for _, m := range p.Moves {
		last[m.Instance] = m.To
		if u := turnOf(t, p, m.Turn); m.End.After(u.End) {
			t.Errorf("%s ends its move after its turn", m.Instance)
		}
	}
	for _, i := range f.Instances {
		if last[i.ID] != i.Host {
			t.Errorf("%s ends on %s, not on %s", i.ID, last[i.ID], i.Host)
		}
	}
	if p.Counts.Moves != 18 || p.Bounds.MovesRatio != 1 {
		t.Errorf("%+v %+v", p.Counts, p.Bounds)
	}
}

// TestBrokenInput: what is no fleet or no policy is an error that names it.
func TestBrokenInput(t *testing.T) {
	for want, spoil := range map[string]func(*planner.Input){
		"no fleet":    func(in *planner.Input) { in.Fleet = nil },
		`pool "gone"`: func(in *planner.Input) { in.Fleet.Hosts[0].Pools = []string{"gone"} },
		`host "gone"`: func(in *planner.Input) { in.Fleet.Instances[0].Host = "gone" },
		"windows[0]":  func(in *planner.Input) { in.Policy.Windows = []plan.WindowRule{{Start: "25:00"}} },
		"slot":        func(in *planner.Input) { in.Policy.Slot = 0 },
	} {
		in := planner.Input{Fleet: uniform(2, 4096, 1, 512), Policy: eager(), Campaign: "c", Revision: 1, Now: time.Unix(1e9, 0)}
		spoil(&in)
		if _, err := planner.Propose(in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want an error on %s, got %v", want, err)
		}
	}
}
