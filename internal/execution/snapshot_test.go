package execution

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

func hostOf(f *fleet.Fleet, id string) *fleet.Host {
	for i := range f.Hosts {
		if f.Hosts[i].ID == id {
			return &f.Hosts[i]
		}
	}
	return nil
}

func instanceOf(f *fleet.Fleet, id string) *fleet.Instance {
	for i := range f.Instances {
		if f.Instances[i].ID == id {
			return &f.Instances[i]
		}
	}
	return nil
}

// TestSnapshot: what was seen and proven of hosts and instances, the rest as the plan's fleet has it, and
// nothing younger than it is.
func TestSnapshot(t *testing.T) {
	taken := at("00:10:00")
	w := newWorld(t, func(p *plan.Plan, f *fleet.Fleet) {
		f.Taken = taken
		p.Policy.BringHome = true
		for i := range f.Hosts {
			f.Hosts[i].Hypervisor, f.Hosts[i].VirtCaps = fleet.Xen, []string{"pv", "hap", "shadow"}
			f.Hosts[i].BootID, f.Hosts[i].Rack = f.Hosts[i].ID+"-boot-1", "r1"
		}
		p.Turns = p.Turns[:1]
		p.Slots = slices.DeleteFunc(p.Slots, func(sl plan.Slot) bool { return sl.Turn != "h1" })
	})
	if got := hostOf(w.s.Snapshot(w.now), "h3"); !got.Seen.Equal(taken) || got.Software.Installed["qemu-system-x86"] != oldQEMU {
		t.Errorf("unseen, h3 is %+v", got)
	}
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Kind == ChoreReboot {
			h := w.hosts[c.Host]
			h.caps, h.build, h.patches = []string{"pv", "hap"}, "b2", []fleet.LivePatch{}
		}
		if c.Kind == ChoreMove && c.Home {
			return nil, true // not yet home
		}
		return nil, false
	}
	w.run(at("01:04:00"))
	w.now = w.s.At.Add(time.Second)
	w.hosts["h2"].guests["new-1"], w.hosts["h2"].on["new-1"] = "running", oldQEMU
	delete(w.hosts["h2"].guests, "g5")
	w.hosts["h2"].guests["g2"] = "stopped"
	w.store(Fact{Kind: HostSeen, Host: "h2", Seen: w.view("h2")}, Fact{Kind: External, Turn: "h1", Host: "h2", Instance: "g5", Code: "gone", Why: "deleted"},
		Fact{Kind: HostLost, Host: "h3", Why: "silent"})
	before, _ := json.Marshal(w.s.Fleet)
	now := w.now.Add(time.Second)
	f := w.s.Snapshot(now)
	h1, h2, h3 := hostOf(f, "h1"), hostOf(f, "h2"), hostOf(f, "h3")
	switch {
	case !f.Taken.Equal(now) || len(f.Hosts) != 3:
		t.Errorf("taken %s, %d hosts", f.Taken, len(f.Hosts))
	case h1.Software.Booted["qemu-system-x86"] != newQEMU || h1.Software.BuildID != "b2" || h1.Software.LivePatches == nil || h1.BootID != "h1-boot-2" || h1.Rack != "r1":
		t.Errorf("h1 is %+v", h1)
	case !slices.Equal(h1.VirtCaps, []string{"pv", "hap"}):
		t.Errorf("h1 came back with %v", h1.VirtCaps)
	case !slices.Equal(h2.VirtCaps, []string{"pv", "hap", "shadow"}) || h2.Health != fleet.Up || !h2.Seen.Equal(w.s.Hosts["h2"].At):
		t.Errorf("h2, whose look read no virt_caps, is %+v", h2)
	case h3.Health != fleet.Down:
		t.Errorf("h3, which does not answer, is %s", h3.Health)
	}
	if instanceOf(f, "g5") != nil || instanceOf(f, "new-1") != nil || instanceOf(f, "g2").State != fleet.Stopped {
		t.Errorf("g5 %v, new-1 %v, g2 %s", instanceOf(f, "g5"), instanceOf(f, "new-1"), instanceOf(f, "g2").State)
	}
	moved := 0
	for _, id := range []string{"g1", "g4", "g7", "g10"} {
		in := instanceOf(f, id)
		if in.Host != w.s.Guests[id].Host {
			t.Errorf("%s is on %s, and %s in the snapshot", id, w.s.Guests[id].Host, in.Host)
		}
		if in.Host == "h1" {
			continue
		}
		moved++
		if in.Home != "h1" {
			t.Errorf("%s is away and its home is %q", id, in.Home)
		}
	}
	if moved != 4 {
		t.Errorf("%d instances are away", moved)
	}
	if after, _ := json.Marshal(w.s.Fleet); string(before) != string(after) {
		t.Error("a snapshot changes the campaign's own fleet")
	}
	if again := w.s.Snapshot(now); !reflect.DeepEqual(f, again) {
		t.Error("a second snapshot of the same moment differs")
	}
}

// What an instance runs on is as old as the look that showed it; one that moved since was not asked.
func TestSnapshotOfMonitors(t *testing.T) {
	w := newWorld(t, func(_ *plan.Plan, f *fleet.Fleet) {
		f.Taken = at("00:10:00")
		for i := range f.Instances {
			f.Instances[i].Running = map[string]string{"qemu-system-x86": oldQEMU}
		}
	})
	w.store(Fact{Kind: HostSeen, Host: "h2", Seen: w.view("h2")})
	w.now = w.now.Add(time.Minute)
	f := w.s.Snapshot(w.now)
	if in := instanceOf(f, "g1"); !in.Looked.At.Equal(at("00:10:00")) || in.Running == nil {
		t.Errorf("g1, whose host nobody looked at: %+v", in)
	}
	if in := instanceOf(f, "g2"); !in.Looked.At.Equal(at("00:30:00")) || in.Running["qemu-system-x86"] != oldQEMU {
		t.Errorf("g2: %+v", in)
	}
	w.store(Fact{Kind: TurnPermitted, Turn: "h2", Host: "h2"},
		Fact{Kind: MovePlaced, Turn: "h2", Host: "h2", Instance: "g2", From: "h2", To: "h3", Attempt: 1},
		Fact{Kind: MoveDone, Turn: "h2", Host: "h2", Instance: "g2", From: "h2", To: "h3", Attempt: 1, Source: "absent", Destination: "running"})
	if in := instanceOf(w.s.Snapshot(w.now), "g2"); in.Host != "h3" || in.Running != nil {
		t.Errorf("g2 after its move: %+v", in)
	}
}

// A PV guest goes home only from a host that can still send it: virt_caps count as they were seen last.
func TestTheWayHomeByWhatTheHostShows(t *testing.T) {
	for _, caps := range [][]string{{"pv", "hap", "shadow"}, {"pv", "hap"}, nil} {
		w := newWorld(t, func(p *plan.Plan, f *fleet.Fleet) {
			p.Policy.BringHome = true
			for i := range f.Hosts {
				f.Hosts[i].Hypervisor, f.Hosts[i].VirtCaps = fleet.Xen, []string{"pv", "hap", "shadow"}
			}
			for i := range f.Instances {
				f.Instances[i].GuestType = "pv"
			}
			p.Turns = p.Turns[:1]
			p.Slots = slices.DeleteFunc(p.Slots, func(sl plan.Slot) bool { return sl.Turn != "h1" })
		})
		w.answer = func(c Chore) ([]Fact, bool) {
			if c.Kind == ChoreReboot { // the others were rebooted by a person meanwhile, into what has these
				w.hosts["h2"].caps, w.hosts["h3"].caps = caps, caps
				w.store(Fact{Kind: HostSeen, Host: "h2", Seen: w.view("h2")}, Fact{Kind: HostSeen, Host: "h3", Seen: w.view("h3")})
			}
			return nil, false
		}
		w.run(at("01:58:00"))
		away := 0
		for _, f := range w.facts {
			if f.Kind == StaysAway {
				away++
				if f.Code != fleet.NoShadow || f.Why == "" {
					t.Errorf("%s stays away: %s %s", f.Instance, f.Code, f.Why)
				}
			}
		}
		if can := len(caps) != 2; (away == 0) != can || w.s.PhaseWhy != "done" {
			t.Errorf("with %v %d stay away, it is %s %s: %s", caps, away, w.s.Phase, w.s.PhaseWhy, w.tail(3))
		}
	}
}
