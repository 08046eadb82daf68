package execution

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

const (
	oldQEMU = "1:7.2+dfsg-7+deb12u15"
	newQEMU = "1:7.2+dfsg-7+deb12u18"
)

func at(clock string) time.Time {
	t, err := time.Parse("15:04:05", clock)
	if err != nil {
		panic(err)
	}
	return time.Date(2026, 3, 1, t.Hour(), t.Minute(), t.Second(), 0, time.UTC)
}

// world is a small obedient world: it answers chores as a sound driver would, at once or when told.
// It is written apart from the simulated driver, so that the machine is tested by its contract alone.
type world struct {
	t     *testing.T
	s     *State
	now   time.Time
	facts []Fact
	hosts map[string]*worldHost
	// answer may replace what a chore comes to; nil facts: no answer yet.
	answer func(c Chore) (facts []Fact, mine bool)
	begun  map[string]int // chores by key, how often begun
	kill   bool           // the controller is killed, and folds its journal, before each decision
}

type worldHost struct {
	boot   int
	qemu   string // installed
	booted string
	free   int64
	guests map[string]string // id -> running, saved, stopped
	on     map[string]string // id -> QEMU it runs on
	silent bool
	// patches and build are what a look says of live patches; mute guests tell nothing of what they run on.
	patches []fleet.LivePatch
	build   string
	xen     map[string]string // what it runs by its hypervisor's own word
	caps    []string
	health  string
	mute    map[string]bool
}

// testFleet has three hosts with four instances each; g1 g2 g3 are one group on three hosts; g12 has
// a local disk.
func testFleet() *fleet.Fleet {
	f := &fleet.Fleet{Evenkeel: fleet.SchemaV1, Regions: []fleet.Region{{ID: "eu"}}, Sites: []fleet.Site{{ID: "s1", Region: "eu"}},
		Pools:   []fleet.Pool{{ID: "p1", Site: "s1"}},
		Tenants: []fleet.Tenant{{ID: "acme", Contacts: []fleet.Contact{{Email: "a@acme.example"}}}},
		Groups:  []fleet.Group{{ID: "web", Tenant: "acme", Members: []string{"g1", "g2", "g3"}, MaxUnavailable: 1}}}
	for h := 1; h <= 3; h++ {
		f.Hosts = append(f.Hosts, fleet.Host{ID: fmt.Sprintf("h%d", h), Pools: []string{"p1"}, Hypervisor: fleet.KVM, MemoryMiB: 2048,
			Software: fleet.Software{Installed: map[string]string{"qemu-system-x86": oldQEMU}}})
	}
	for g := 1; g <= 12; g++ {
		in := fleet.Instance{ID: fmt.Sprintf("g%d", g), Host: fmt.Sprintf("h%d", (g-1)%3+1), Tenant: "acme", MemoryMiB: 80}
		if g == 12 {
			in.Disks = []fleet.Disk{{Name: "vda"}}
		}
		f.Instances = append(f.Instances, in)
	}
	return f
}

// testPlan turns h1, h2, h3 in three waves within one slot from 01:00 to 02:00.
func testPlan(f *fleet.Fleet) *plan.Plan {
	pol := plan.DefaultPolicy()
	pol.Lead = plan.Lead{Blip: plan.Duration(10 * time.Minute), Outage: plan.Duration(10 * time.Minute)}
	pol.Soak, pol.Blackout = 0, plan.Duration(5*time.Second)
	pol.Times.MigrateMax = plan.Duration(2 * time.Minute)
	pol.Times.RebootMax = plan.Duration(5 * time.Minute)
	pol.Times.SaveMax = plan.Duration(time.Minute)
	pol.MinStay = plan.Duration(time.Minute)
	p := &plan.Plan{Evenkeel: plan.SchemaV1, Campaign: "c1", Revision: 1, Public: "maintenance", Policy: pol,
		Target: &plan.Target{ID: "t", Fixes: []string{"CVE-2025-11234"}, Cohorts: []plan.Cohort{{Packages: map[string]string{"qemu-system-x86": newQEMU},
			Update: plan.Update{Command: []string{"host-update"}}}}}}
	for w := 1; w <= 3; w++ {
		h := fmt.Sprintf("h%d", w)
		tactic := plan.Evacuate
		if w == 3 {
			tactic = plan.Suspend
		}
		p.Turns = append(p.Turns, plan.Turn{ID: h, Host: h, Pool: "p1", Site: "s1", Wave: w, Canary: w == 1, Tactic: tactic, Start: at("01:00:00").Add(time.Duration(w-1) * 15 * time.Minute),
			WorstS: 600, WindowStart: at("01:00:00"), WindowEnd: at("02:00:00")})
	}
	for _, in := range f.Instances {
		for w := 1; w <= 3; w++ { // told of every turn, so that late placement is free
			h := fmt.Sprintf("h%d", w)
			d := plan.DispLiveMigrate
			if in.ID == "g12" {
				if in.Host != h {
					continue
				}
				d = plan.DispStatefulStop
			}
			p.Slots = append(p.Slots, plan.Slot{ID: h + "/" + in.ID, Instance: in.ID, Tenant: "acme", Turn: h, Class: plan.ClassOf(d), Disposition: d,
				Start: at("01:00:00"), End: at("02:00:00")})
		}
	}
	return p
}

func newWorld(t *testing.T, change func(*plan.Plan, *fleet.Fleet)) *world {
	f := testFleet()
	p := testPlan(f)
	if change != nil {
		change(p, f)
	}
	w := &world{t: t, s: New(), now: at("00:30:00"), hosts: map[string]*worldHost{}, begun: map[string]int{}}
	for _, h := range f.Hosts {
		w.hosts[h.ID] = &worldHost{boot: 1, qemu: oldQEMU, booted: oldQEMU, free: 2048, guests: map[string]string{}, on: map[string]string{}}
	}
	for _, in := range f.Instances {
		w.hosts[in.Host].guests[in.ID], w.hosts[in.Host].on[in.ID] = "running", oldQEMU
		w.hosts[in.Host].free -= in.MemoryMiB
	}
	pj, _ := json.Marshal(p)
	fj, _ := json.Marshal(f)
	w.store(Fact{Kind: CampaignApplied, Who: "operator:t", Campaign: p.Campaign, Revision: 1, Plan: pj, Fleet: fj})
	return w
}

func (w *world) store(facts ...Fact) {
	w.t.Helper()
	for _, f := range facts {
		f.Seq, f.At, f.Campaign = int64(len(w.facts)+1), w.now, "c1"
		if err := w.s.Apply(f); err != nil {
			w.t.Fatal(err)
		}
		w.facts = append(w.facts, f)
	}
}

// run turns the machine until it is finished, nothing can happen any more, or the moment comes.
func (w *world) run(until time.Time) {
	w.t.Helper()
	for range 5000 {
		for {
			w.killed()
			facts := w.s.Decide(w.now)
			if len(facts) == 0 {
				break
			}
			w.store(facts...)
		}
		acted := false
		next := w.s.Wake(w.now)
		for _, c := range w.s.Outstanding(w.now) {
			if c.NotBefore.After(w.now) {
				if next.IsZero() || c.NotBefore.Before(next) {
					next = c.NotBefore
				}
				continue
			}
			facts, mine := []Fact(nil), false
			if w.answer != nil {
				facts, mine = w.answer(c)
			}
			if !mine {
				facts = w.obey(c)
			}
			w.begun[c.Key]++
			if len(facts) > 0 {
				w.now = w.now.Add(time.Second)
				w.store(facts...)
				acted = true
				break // what is outstanding may have changed
			}
		}
		if acted {
			continue
		}
		if w.s.Phase == PhaseFinished || next.IsZero() || next.After(until) {
			return
		}
		w.now = next
	}
	w.t.Fatalf("the machine does not come to rest; last facts: %s", w.tail(12))
}

// killed folds the journal anew, where the controller is killed after each fact.
func (w *world) killed() {
	if !w.kill {
		return
	}
	s, err := Fold(w.facts)
	if err != nil {
		w.t.Fatal(err)
	}
	w.s = s
}

func (w *world) tail(n int) string {
	out := ""
	for _, f := range w.facts[max(0, len(w.facts)-n):] {
		f.Plan, f.Fleet, f.Seen = nil, nil, nil
		b, _ := json.Marshal(f)
		out += "\n" + string(b)
	}
	return out
}

func (w *world) view(id string) *HostView {
	h := w.hosts[id]
	v := &HostView{At: w.now, BootID: fmt.Sprintf("%s-boot-%d", id, h.boot), Health: "up", MemoryMiB: 2048, FreeMiB: h.free,
		Installed: map[string]string{"qemu-system-x86": h.qemu}, Booted: map[string]string{"qemu-system-x86": h.booted}, BuildID: h.build, LivePatches: h.patches, VirtCaps: h.caps, Running: h.xen}
	if h.health != "" {
		v.Health = h.health
	}
	for _, g := range sortedKeys(h.guests) {
		in := InstanceView{ID: g, State: "running", MemoryMiB: 80, Running: map[string]string{"qemu-system-x86": h.on[g]}}
		if h.mute[g] {
			in.Running = nil
		}
		if h.guests[g] != "running" {
			in.State, in.Saved, in.Running = "stopped", h.guests[g] == "saved", nil
		}
		v.Instances = append(v.Instances, in)
	}
	return v
}

// obey does what the chore says.
func (w *world) obey(c Chore) []Fact {
	done := Fact{Turn: c.Turn, Host: c.Host, Instance: c.Instance, Attempt: c.Attempt, Step: c.Step, Disposition: c.Disposition, From: c.From, To: c.To, Home: c.Home}
	h := w.hosts[c.Host]
	if h != nil && h.silent && c.Kind != ChoreMove {
		if c.Kind == ChoreLook || c.Kind == ChoreProve {
			return []Fact{{Kind: HostLost, Host: c.Host, Why: "silent"}}
		}
		return nil
	}
	switch c.Kind {
	case ChoreTell:
		return []Fact{{Kind: NoticeAccepted, Notice: c.Notice, NoticeKind: c.NoticeKind, Tenant: c.Tenant, Contact: c.Contact, Attempt: c.Attempt, Slots: c.Slots}}
	case ChoreLook, ChoreProve:
		return []Fact{{Kind: HostSeen, Host: c.Host, Seen: w.view(c.Host)}}
	case ChoreCordon:
		done.Kind = StepDone
		return []Fact{{Kind: Borrowed, Turn: c.Turn, Host: c.Host, Code: "cordon"}, done}
	case ChoreUncordon:
		done.Kind = StepDone
		return []Fact{{Kind: GivenBack, Turn: c.Turn, Host: c.Host, Code: "cordon"}, done}
	case ChoreUpdate:
		done.Kind, h.qemu = StepDone, newQEMU
	case ChoreReboot:
		for g, st := range h.guests {
			if st == "running" {
				w.t.Fatalf("%s is rebooted while %s runs on it", c.Host, g)
			}
		}
		done.Kind, h.booted = StepDone, h.qemu
		h.boot++
	case ChoreMove:
		from, to := w.hosts[c.From], w.hosts[c.To]
		if from.guests[c.Instance] != "running" && to.guests[c.Instance] != "running" {
			w.t.Fatalf("%s is moved from %s to %s and runs on neither", c.Instance, c.From, c.To)
		}
		delete(from.guests, c.Instance)
		to.guests[c.Instance], to.on[c.Instance] = "running", to.qemu
		from.free, to.free = from.free+80, to.free-80
		done.Kind, done.Source, done.Destination, done.BlackoutMs = MoveDone, "absent", "running", 100
	case ChoreStop:
		done.Kind, h.guests[c.Instance] = StopDone, "saved"
		h.free += 80
	case ChoreBack:
		done.Kind, h.guests[c.Instance], h.on[c.Instance] = BackDone, "running", h.qemu
		h.free -= 80
	}
	return []Fact{done}
}

// kinds counts facts by kind.
func (w *world) kinds() map[Kind]int {
	n := map[Kind]int{}
	for _, f := range w.facts {
		n[f.Kind]++
	}
	return n
}

// held gives the hold's fact of a turn, or fails.
func (w *world) held(turn string) Fact {
	w.t.Helper()
	for i := len(w.facts) - 1; i >= 0; i-- {
		if f := w.facts[i]; f.Kind == TurnHeld && f.Turn == turn {
			return f
		}
	}
	w.t.Fatalf("turn %s is not held: %s", turn, w.tail(12))
	return Fact{}
}
