package planner_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// refreshTarget wants the newer QEMU, without a reboot.
func refreshTarget() *plan.Target {
	return &plan.Target{Evenkeel: plan.TargetSchemaV1, ID: "t", Cohorts: []plan.Cohort{{Name: "all", Packages: map[string]string{"qemu-system-x86": newer},
		Remedy: "refresh", Update: plan.Update{Command: []string{"host-update"}}}}}
}

// oldFleet is uniform, on the older QEMU to the last process.
func oldFleet(n int, mem int64, each int, size int64) *fleet.Fleet {
	f := uniform(n, mem, each, size)
	on := func() map[string]string { return map[string]string{"qemu-system-x86": older} }
	for i := range f.Hosts {
		f.Hosts[i].Software = fleet.Software{Installed: on(), Booted: on(), Running: on()}
	}
	for i := range f.Instances {
		f.Instances[i].Running = on()
	}
	return f
}

func propose(t testing.TB, f *fleet.Fleet, tg *plan.Target, pol plan.Policy) plan.Plan {
	t.Helper()
	now := at(t, "2026-03-02 09:00")
	p, err := planner.Propose(planner.Input{Fleet: f, Target: tg, Assessment: advisory.Assess(f, tg, nil, 0, now), Policy: pol, Campaign: "c", Now: now, Revision: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range audit.Plan(f, &p) {
		t.Errorf("law %d, %s: %s: %s", x.Law, x.Code, x.Subject, x.What)
	}
	return p
}

func refreshPolicy() plan.Policy {
	p := eager()
	p.Tactics = []plan.Tactic{plan.Refresh, plan.Suspend}
	p.MaxAwayPercent, p.Canary, p.Soak = 34, true, plan.Duration(30*time.Minute)
	p.MinStay = plan.Duration(10 * time.Minute)
	return p
}

// TestRefreshMovesOnce: on three full hosts nobody moves twice, although no host is fixed at the
// outset: the software is on all disks before the first move, the canary's first and soaked.
func TestRefreshMovesOnce(t *testing.T) {
	p := propose(t, oldFleet(3, 8192, 4, 512), refreshTarget(), refreshPolicy())
	if len(p.Turns) != 3 || p.Counts.Moves != 12 || p.Counts.Stops != 0 || len(p.Slots) != 12 || len(p.Blocked) != 0 {
		t.Fatalf("turns %d, counts %+v, blocked %v", len(p.Turns), p.Counts, p.Blocked)
	}
	seen := map[string]bool{}
	for _, m := range p.Moves {
		if seen[m.Instance] {
			t.Errorf("%s moves twice", m.Instance)
		}
		seen[m.Instance] = true
	}
	canary := p.Turns[0]
	for i, u := range p.Turns {
		if u.Tactic != plan.Refresh || u.UpdateBy.IsZero() || u.UpdateBy.After(canary.Start) {
			t.Errorf("turn %+v is not prepared before the first move at %s", u, canary.Start)
		}
		if i > 0 && u.UpdateFrom.Before(canary.UpdateFrom.Add(30*time.Minute)) {
			t.Errorf("turn %s is prepared %s, before the canary has soaked", u.ID, u.UpdateFrom)
		}
	}
	if !canary.Canary || p.Counts.Waves != 3 || p.Bounds.MovesRatio != 1 {
		t.Errorf("canary %v, waves %d, bounds %+v", canary.Canary, p.Counts.Waves, p.Bounds)
	}
}

// TestRefreshInPlace: what cannot move is stopped in its slot on its own host, without a reboot, by
// what policy allows; what it does not allow blocks that instance and nobody else.
func TestRefreshInPlace(t *testing.T) {
	for _, c := range []struct {
		name    string
		tactics []plan.Tactic
		change  func(i *fleet.Instance)
		how     plan.Disposition // of the odd instance; blocked: none
		code    string
	}{
		{"a local disk, saved", []plan.Tactic{plan.Refresh, plan.Suspend}, func(i *fleet.Instance) { i.Disks = []fleet.Disk{{Name: "vda"}} }, plan.DispStatefulStop, ""},
		{"a local disk, stopped", []plan.Tactic{plan.Refresh, plan.Reboot}, func(i *fleet.Instance) { i.Disks = []fleet.Disk{{Name: "vda"}} }, plan.DispStop, ""},
		{"a device, stopped", []plan.Tactic{plan.Refresh, plan.Suspend, plan.Reboot}, func(i *fleet.Instance) { i.Devices = []string{"0000:03:00.0"} }, plan.DispStop, ""},
		{"a local disk, nothing allowed", []plan.Tactic{plan.Refresh, plan.Evacuate}, func(i *fleet.Instance) { i.Disks = []fleet.Disk{{Name: "vda"}} }, plan.DispBlocked, fleet.LocalDisk},
		{"pinned and not to be saved", []plan.Tactic{plan.Refresh, plan.Suspend}, func(i *fleet.Instance) { i.Pinned, i.NoSuspend = "licence", true }, plan.DispBlocked, fleet.PinnedToHost},
		{"nobody to tell", []plan.Tactic{plan.Refresh, plan.Suspend}, func(i *fleet.Instance) { i.Tenant = "cedar" }, plan.DispBlocked, "tenant-no-contact"},
		{"on the fix already", []plan.Tactic{plan.Refresh, plan.Suspend}, func(i *fleet.Instance) { i.Running = map[string]string{"qemu-system-x86": newer} }, plan.DispNone, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, pol := oldFleet(3, 8192, 4, 512), refreshPolicy()
			f.Tenants = append(f.Tenants, fleet.Tenant{ID: "cedar"})
			pol.Tactics = c.tactics
			odd := &f.Instances[5]
			c.change(odd)
			p := propose(t, f, refreshTarget(), pol)
			how := plan.DispNone
			for _, s := range p.Slots {
				if s.Instance == odd.ID {
					how = s.Disposition
				}
			}
			for _, b := range p.Blocked {
				if b.Host != "" || b.Instance != odd.ID || b.Code != c.code || b.Unblock == "" {
					t.Errorf("blocked: %+v", b)
				}
				how = plan.DispBlocked
			}
			if how != c.how || p.Counts.Moves != 11 || len(p.Turns) != 3 {
				t.Errorf("it is %q with %d moves in %d turns, want %q", how, p.Counts.Moves, len(p.Turns), c.how)
			}
			for _, u := range p.Turns {
				if u.Tactic != plan.Refresh {
					t.Errorf("turn %s is %s", u.ID, u.Tactic)
				}
			}
		})
	}
}

// TestRefreshWithoutRoom: on full hosts nobody can move; policy may have them saved in place, one
// after the other, or each is blocked by itself.
func TestRefreshWithoutRoom(t *testing.T) {
	f, pol := oldFleet(3, 2048, 4, 512), refreshPolicy()
	p := propose(t, f, refreshTarget(), pol)
	if p.Counts.Stops != 12 || p.Counts.Moves != 0 || len(p.Blocked) != 0 {
		t.Errorf("with suspend: %+v, blocked %v", p.Counts, p.Blocked)
	}
	pol.Tactics = []plan.Tactic{plan.Refresh}
	p = propose(t, f, refreshTarget(), pol)
	if len(p.Turns) != 3 || p.Counts.Stops+p.Counts.Moves != 0 || len(p.Blocked) != 12 || p.Blocked[0].Code != "no-room" {
		t.Errorf("without: %+v, blocked %v", p.Counts, p.Blocked)
	}
}

// TestRefreshFitsTheSlot: of those that are stopped one after the other, the ones that do not fit the
// longest slot are blocked, and the others are refreshed.
func TestRefreshFitsTheSlot(t *testing.T) {
	f, pol := oldFleet(2, 8192, 4, 512), refreshPolicy()
	for i := range 4 {
		f.Instances[i].Pinned = "licence"
	}
	pol.Slot = plan.Duration(25 * time.Minute) // two at 2 x 5 minutes each
	p := propose(t, f, refreshTarget(), pol)
	if p.Counts.Stops != 2 || len(p.Turns) != 2 || len(p.Blocked) != 2 || p.Blocked[0].Code != "slot-too-short" {
		t.Errorf("counts %+v, blocked %v", p.Counts, p.Blocked)
	}
}

// TestRefreshNobodyLandsOnWhatIsNotPrepared: a host that gets no turn takes nobody in, also when that
// shows only after others were planned onto it.
func TestRefreshNobodyLandsOnWhatIsNotPrepared(t *testing.T) {
	f, pol := oldFleet(3, 8192, 2, 512), refreshPolicy()
	whole := propose(t, f, refreshTarget(), pol)
	last := whole.Turns[2]
	if !slices.ContainsFunc(whole.Moves, func(m plan.Move) bool { return m.To == last.Host }) {
		t.Fatal("nobody lands on the last host: the test shows nothing")
	}
	pol.FinishBy = last.Start // too early for the last turn
	p := propose(t, f, refreshTarget(), pol)
	turns := map[string]bool{}
	for _, u := range p.Turns {
		turns[u.Host] = true
	}
	if len(turns) == 3 || len(turns) == 0 {
		t.Fatalf("%d hosts have a turn, the deadline is to cut some off", len(turns))
	}
	for _, m := range p.Moves {
		if !turns[m.To] {
			t.Errorf("%s lands on %s, which gets no turn", m.Instance, m.To)
		}
	}
}

// TestRefreshOfInstancesAlone: where the software is on disk already, only the instances are given
// another process, and nothing is done ahead.
func TestRefreshOfInstancesAlone(t *testing.T) {
	f := oldFleet(3, 8192, 4, 512)
	for i := range f.Hosts {
		f.Hosts[i].Software.Installed["qemu-system-x86"] = newer
	}
	p := propose(t, f, refreshTarget(), refreshPolicy())
	if len(p.Turns) != 3 || p.Counts.Moves != 12 {
		t.Fatalf("%d turns, counts %+v, blocked %v", len(p.Turns), p.Counts, p.Blocked)
	}
	for _, u := range p.Turns {
		if !u.UpdateFrom.IsZero() || !u.UpdateBy.IsZero() || u.Tactic != plan.Refresh {
			t.Errorf("turn %+v", u)
		}
	}
}

// TestPastTheTarget: a host that is past the target is neither updated nor rebooted for the sake of an
// old process on it, whatever the remedy of its cohort.
func TestPastTheTarget(t *testing.T) {
	f := oldFleet(2, 8192, 2, 512)
	for i := range f.Hosts {
		v := map[string]string{"qemu-system-x86": newer + ".1"}
		f.Hosts[i].Software = fleet.Software{Installed: v, Booted: v, Running: v}
	}
	tg := refreshTarget()
	tg.Cohorts[0].Remedy = "reboot"
	pol := refreshPolicy()
	pol.Tactics = []plan.Tactic{plan.Evacuate, plan.Suspend, plan.Reboot}
	if p := propose(t, f, tg, pol); len(p.Turns) != 0 || len(p.Blocked) == 0 || p.Blocked[0].Code != "no-tactic" {
		t.Errorf("without refresh: turns %v, blocked %v", p.Turns, p.Blocked)
	}
	pol.Tactics = []plan.Tactic{plan.Refresh, plan.Evacuate}
	p := propose(t, f, tg, pol)
	if len(p.Turns) != 2 || p.Counts.Moves != 4 {
		t.Fatalf("with refresh: turns %v, counts %+v", p.Turns, p.Counts)
	}
	for _, turn := range p.Turns {
		if turn.Tactic != plan.Refresh || !turn.UpdateFrom.IsZero() {
			t.Errorf("%+v", turn)
		}
	}
}

// TestVerdictOfARefreshThatLeavesAll: hosts with new software on the disk and nobody refreshed are no yes.
func TestVerdictOfARefreshThatLeavesAll(t *testing.T) {
	f := oldFleet(3, 8192, 2, 512)
	for i := range f.Instances {
		f.Instances[i].Pinned, f.Instances[i].NoSuspend = "licence", true
	}
	pol := refreshPolicy()
	pol.Tactics = []plan.Tactic{plan.Refresh}
	if p := propose(t, f, refreshTarget(), pol); len(p.Turns) != 3 || !strings.HasPrefix(p.Verdict, "Partly: all 3 hosts") || !strings.Contains(p.Verdict, "6 instances left as they are") {
		t.Errorf("%d turns: %s", len(p.Turns), p.Verdict)
	}
}

// TestRefreshBesideReboots: in a pool of both, whatever the cohorts, the plan is sound.
func TestRefreshBesideReboots(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		in.Target = refreshTarget()
		in.Policy.Tactics = []plan.Tactic{plan.Refresh, plan.Evacuate, plan.Suspend}
		other := in.Target.Cohorts[0]
		other.Name, other.Remedy = "reboots", "reboot"
		for _, h := range in.Fleet.Hosts {
			if rapid.Bool().Draw(t, "reboots") {
				other.Match.Hosts = append(other.Match.Hosts, h.ID)
			}
		}
		if len(other.Match.Hosts) > 0 {
			in.Target.Cohorts = []plan.Cohort{other, in.Target.Cohorts[0]}
		}
		in.Assessment = advisory.Assess(in.Fleet, in.Target, nil, 0, in.Now)
		p, err := planner.Propose(in)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range audit.Plan(in.Fleet, &p) {
			if f.Code != "not-home" || !cannotReturn(in, f.Subject.Instance) {
				t.Errorf("law %d, %s: %s: %s", f.Law, f.Code, f.Subject, f.What)
			}
		}
	})
}

// TestLivePatchPlan: a turn without a slot, in waves after a canary; where nothing could prove the
// patch, or nothing applies it, the host is blocked.
func TestLivePatchPlan(t *testing.T) {
	f, pol := oldFleet(3, 8192, 4, 512), refreshPolicy()
	pol.Tactics = []plan.Tactic{plan.LivePatch}
	for i := range f.Hosts {
		f.Hosts[i].Capabilities = []string{fleet.CanLivePatch, fleet.CanUpdate}
	}
	tg := refreshTarget()
	tg.Cohorts[0].Remedy = "live-patch"
	tg.Cohorts[0].LivePatches = []plan.WantedPatch{{Name: "livepatch_1", Component: "linux"}}
	p := propose(t, f, tg, pol)
	if len(p.Turns) != 3 || len(p.Slots)+len(p.Moves) != 0 || !p.Turns[0].Canary || p.Turns[1].Start.Before(p.Turns[0].End.Add(30*time.Minute)) {
		t.Errorf("turns %+v, %d slots, blocked %v", p.Turns, len(p.Slots), p.Blocked)
	}
	for _, u := range p.Turns {
		if u.Tactic != plan.LivePatch || !u.UpdateBy.IsZero() {
			t.Errorf("turn %+v", u)
		}
	}
	for code, spoil := range map[string]func(c *plan.Cohort){
		"no-live-patch":   func(c *plan.Cohort) { c.LivePatches = nil },
		"no-update-named": func(c *plan.Cohort) { c.Update = plan.Update{} },
	} {
		bad := *tg
		bad.Cohorts = slices.Clone(tg.Cohorts)
		spoil(&bad.Cohorts[0])
		if p := propose(t, f, &bad, pol); len(p.Turns) != 0 || len(p.Blocked) != 3 || p.Blocked[0].Code != code {
			t.Errorf("%s: %d turns, blocked %v", code, len(p.Turns), p.Blocked)
		}
	}
}

// TestRefreshesOnce: whatever the fleet, a refresh moves an instance at most once where nobody is
// brought home, and each that its own monitor says is old is moved, stopped or named.
func TestRefreshesOnce(t *testing.T) {
	moves, stops := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		in.Policy.Tactics = rapid.SampledFrom([][]plan.Tactic{{plan.Refresh}, {plan.Refresh, plan.Suspend}, {plan.Refresh, plan.Reboot}}).Draw(t, "how")
		in.Policy.BringHome = false
		in.Target = refreshTarget()
		in.Assessment = advisory.Assess(in.Fleet, in.Target, nil, 0, in.Now)
		p, err := planner.Propose(in)
		if err != nil {
			t.Fatal(err)
		}
		turns, done := map[string]bool{}, map[string]int{}
		for _, u := range p.Turns {
			turns[u.Host] = u.Tactic == plan.Refresh
		}
		for _, s := range p.Slots {
			done[s.Instance]++
		}
		for _, b := range p.Blocked {
			if b.Instance != "" {
				done[b.Instance]++
			}
		}
		for _, i := range in.Fleet.Instances {
			want := 0
			if turns[i.Host] && i.State != fleet.Stopped && i.Running["qemu-system-x86"] == older {
				want = 1
			}
			if n := done[i.ID]; n < want || n > 1 {
				t.Errorf("%s on %s is touched or named %d times", i.ID, i.Host, n)
			}
		}
		moves, stops = moves+p.Counts.Moves, stops+p.Counts.Stops
	})
	if moves == 0 || stops == 0 {
		t.Errorf("%d moves and %d stops: the draws exercise nothing", moves, stops)
	}
}
