package planner_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// full has n hosts of so many GiB, each full of equal instances.
func full(n int, gib int64, each int) *fleet.Fleet {
	return uniform(n, gib<<10, each, gib<<10/int64(each))
}

// sound says what the auditor finds fault with.
func sound(t interface {
	Helper()
	Errorf(string, ...any)
}, f *fleet.Fleet, p *plan.Plan) {
	t.Helper()
	for _, wrong := range audit.Plan(f, p) {
		t.Errorf("law %d, %s: %s: %s", wrong.Law, wrong.Code, wrong.Subject, wrong.What)
	}
}

// TestFullHostsAreSaved: hosts of 256 GiB that are full are saved and restored within promised slots by the policy
// that people start with, and their tenants are told how long that may take.
func TestFullHostsAreSaved(t *testing.T) {
	f := full(6, 256, 8)
	p := routine(t, f, plan.DefaultPolicy())
	if len(p.Blocked) > 0 || p.Counts.Hosts != 6 || p.Counts.Stops != 48 {
		t.Fatalf("%+v, blocked %+v", p.Counts, p.Blocked)
	}
	sound(t, f, &p)
	const saves = 10 + 256*1024/200 + 1 // seconds: 1321
	const most = (saves*3 + 1) / 2
	for _, turn := range p.Turns {
		if turn.Tactic != plan.Suspend || turn.SaveMaxS != most || turn.WorstS != 15+2*most+20*60 {
			t.Errorf("turn %s: %s, saves in %d s, %d s at worst; want %d s", turn.ID, turn.Tactic, turn.SaveMaxS, turn.WorstS, most)
		}
	}
	for _, s := range p.Slots {
		if s.Disposition != plan.DispStatefulStop || s.ExpectedMs != (2*saves+5*60+15)*1000 || s.WorstMs != (2*most+20*60+15)*1000 {
			t.Errorf("slot %s: %s, %d ms, %d ms at worst", s.ID, s.Disposition, s.ExpectedMs, s.WorstMs)
		}
	}
}

// TestSavesTakeTheirTime: whatever hosts hold, a plan by saving and restoring is sound; who is blocked has no slot
// that would do, and the length that is said to do does.
func TestSavesTakeTheirTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := base()
		for i := range rapid.IntRange(1, 5).Draw(t, "hosts") {
			h := host(fmt.Sprintf("h%04d", i), rapid.SampledFrom([]int64{16, 64, 128, 256, 512, 1024}).Draw(t, "GiB")<<10)
			f.Hosts = append(f.Hosts, h)
			for used, k := int64(0), 0; used < h.MemoryMiB*9/10; k++ {
				size := min(h.MemoryMiB-used, rapid.Int64Range(512+h.MemoryMiB/24, 56<<10).Draw(t, "MiB")) // one is saved within save_max
				f.Instances = append(f.Instances, vm(fmt.Sprintf("%s-v%d", h.ID, k), h.ID, size))
				used += size
			}
		}
		pol := plan.DefaultPolicy()
		pol.Tactics = rapid.SampledFrom([][]plan.Tactic{{plan.Suspend}, {plan.Evacuate, plan.Suspend}, {plan.Suspend, plan.Reboot}, {plan.Evacuate, plan.Suspend, plan.Reboot}}).Draw(t, "tactics")
		pol.Slot = plan.Duration(rapid.SampledFrom([]time.Duration{time.Hour, 2 * time.Hour, 3 * time.Hour}).Draw(t, "slot"))
		pol.Windows = []plan.WindowRule{{Start: "01:00", Length: plan.Duration(rapid.SampledFrom([]time.Duration{2 * time.Hour, 4 * time.Hour}).Draw(t, "window"))}}
		pol.BringHome = rapid.Bool().Draw(t, "home")
		p := routineOf(t, f, pol)
		sound(t, f, &p)
		if p.Counts.Hosts+len(p.Blocked) != len(f.Hosts) {
			t.Fatalf("%d turns, blocked %v", p.Counts.Hosts, codes(p))
		}
		reboot := slices.Contains(pol.Tactics, plan.Reboot)
		for _, b := range p.Blocked {
			if b.Code != "slot-too-short" || reboot {
				t.Fatalf("%s: %s; %s", b.Code, b.Why, b.Unblock)
			}
			if !strings.Contains(b.Unblock, "allow the tactic reboot") {
				t.Errorf("it does not say that stopping some would do: %s", b.Unblock)
			}
			need, err := time.ParseDuration(regexp.MustCompile(`at least ([0-9hms]+)`).FindStringSubmatch(b.Unblock)[1])
			if err != nil {
				t.Fatal(err)
			}
			longer := pol
			longer.Slot, longer.Windows = plan.Duration(need), []plan.WindowRule{{Always: true}}
			if again := routineOf(t, f, longer); slices.Contains(codes(again), b.Host+":slot-too-short") {
				t.Errorf("%s does not do for %s: %+v", need, b.Host, again.Blocked)
			}
		}
	})
}

// TestSavesThatTakeTooLong: where saving all together does not fit a slot, the largest are stopped instead if
// policy allows that, as few as will do, and told so; if it does not, the host is blocked.
func TestSavesThatTakeTooLong(t *testing.T) {
	f := uniform(2, 512<<10, 3, 40<<10)
	for i := range f.Instances {
		f.Instances[i].Pinned = "licence"
	}
	f.Instances[1].MemoryMiB = 48 << 10
	pol := eager()
	pol.Tactics, pol.Slot = []plan.Tactic{plan.Evacuate, plan.Suspend}, plan.Duration(45*time.Minute) // 22 m are left for saves: of 82 GiB
	if p := routine(t, f, pol); !slices.Contains(codes(p), "h0000:slot-too-short") {
		t.Fatalf("blocked %v", codes(p))
	}
	pol.Tactics = append(pol.Tactics, plan.Reboot)
	p := routine(t, f, pol)
	if len(p.Blocked) > 0 || p.Turns[0].Tactic != plan.Reboot || !strings.Contains(p.Turns[0].Why, "v0000-01 (save-too-long)") {
		t.Fatalf("blocked %v, turns %+v", codes(p), p.Turns)
	}
	sound(t, f, &p)
	how := map[string]plan.Disposition{}
	for _, s := range p.Slots {
		how[s.Instance] = s.Disposition
	}
	if how["v0000-01"] != plan.DispStop || how["v0000-00"] != plan.DispStatefulStop || how["v0000-02"] != plan.DispStatefulStop {
		t.Errorf("%v: the largest one alone had to be stopped", how)
	}
}

// TestOneTooLargeToSave: what policy gives one instance stays the limit for each.
func TestOneTooLargeToSave(t *testing.T) {
	f := full(1, 64, 1) // 338 s
	if p := routine(t, f, plan.DefaultPolicy()); !slices.Contains(codes(p), "v0000-00:no-destination") || !strings.Contains(p.Blocked[0].Why, "saving its 65536 MiB takes about 5m38s and policy allows 5m") {
		t.Errorf("%+v", p.Blocked)
	}
}

// TestSavedWhereMovesTakeTooLong: a host that cannot be emptied within any slot is saved where that fits: what finds no
// room; or all, where moving half of it beside would take too long.
func TestSavedWhereMovesTakeTooLong(t *testing.T) {
	pol := plan.DefaultPolicy()
	pol.KeepReserve = false
	for name, c := range map[string]struct {
		spare int64 // GiB of a host that is empty
		moves int
		why   string
	}{
		"room for few":  {16, 2, "v0000-02 (no-room)"},
		"room for half": {128, 0, "v0000-00 (slot-too-short)"},
		"room for all":  {256, 0, "v0000-00 (slot-too-short)"},
	} {
		t.Run(name, func(t *testing.T) {
			f := full(1, 256, 32)
			f.Hosts = append(f.Hosts, host("h0001", c.spare<<10))
			for i := range f.Hosts {
				f.Hosts[i].NICMbps = 1000
			}
			p := routine(t, f, pol)
			sound(t, f, &p)
			if len(p.Blocked) > 0 || p.Counts.Hosts != 2 || len(p.Moves) != c.moves || !strings.Contains(p.Turns[1].Why, c.why) {
				t.Fatalf("%d moves, turns %+v, blocked %+v", len(p.Moves), p.Turns, p.Blocked)
			}
			only := pol
			only.Tactics = []plan.Tactic{plan.Evacuate}
			if p = routine(t, f, only); !slices.ContainsFunc(p.Blocked, func(b plan.Blocked) bool { return b.Host == "h0000" }) {
				t.Error("it could have been emptied")
			}
		})
	}
}

// TestStoppedForADeadline: where saving takes so long that the last hosts would be too late, and policy allows stops, what
// takes longer than one instance may is stopped: late is worse.
func TestStoppedForADeadline(t *testing.T) {
	f := full(6, 256, 8)
	pol := plan.DefaultPolicy()
	pol.Windows, pol.Lead = []plan.WindowRule{{Always: true}}, plan.Lead{}
	pol.Tactics = []plan.Tactic{plan.Suspend, plan.Reboot}
	pol.FinishBy = at(t, "2026-03-02 17:00")
	p := routine(t, f, pol)
	stops := 0
	for _, s := range p.Slots {
		if s.Disposition == plan.DispStop {
			stops++
		}
	}
	if len(p.Blocked) > 0 || stops == 0 || stops == len(p.Slots) {
		t.Errorf("%d of %d are stopped, blocked %+v", stops, len(p.Slots), p.Blocked)
	}
	sound(t, f, &p)
	pol.FinishBy = at(t, "2026-03-03 00:00")
	if p = routine(t, f, pol); len(p.Blocked) > 0 || p.Counts.Stops != len(p.Slots) || strings.Contains(p.Turns[5].Why, "save-too-long") {
		t.Errorf("with time enough %s; blocked %+v", p.Turns[5].Why, p.Blocked)
	}
}
