package audit

import (
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

const (
	xenPkg = "xen-hypervisor-4.17-amd64"
	oldXen = "4.17.5+72-g01140da4e8-1"
	newXen = "4.17.7+13-g6d8a5a2f1b-1"
)

// patchedFleet: x1 and x2 run a build for which there is a live patch, x3 one for which there is none,
// x4 has the fix.
func patchedFleet() *fleet.Fleet {
	soft := func(v, build string) fleet.Software {
		m := map[string]string{xenPkg: v}
		return fleet.Software{Installed: m, Booted: m, Running: m, BuildID: build, LivePatches: []fleet.LivePatch{}}
	}
	host := func(id, v, build string) fleet.Host {
		return fleet.Host{ID: id, Pools: []string{"p1"}, Hypervisor: fleet.Xen, MemoryMiB: 8192, Software: soft(v, build), VirtCaps: []string{"pv", "hvm", "hap", "shadow"},
			Capabilities: []string{fleet.CanLivePatch, fleet.CanLiveMigrate, fleet.CanSuspend, fleet.CanReboot, fleet.CanUpdate}}
	}
	inst := func(id, host, tenant string) fleet.Instance {
		return fleet.Instance{ID: id, Host: host, Tenant: tenant, GuestType: "pv", MemoryMiB: 1024, Disks: []fleet.Disk{{Name: "xvda", Shared: true}}}
	}
	return &fleet.Fleet{
		Evenkeel: fleet.SchemaV1, Taken: at("2026-03-01 23:59"), Regions: []fleet.Region{{ID: "north"}}, Sites: []fleet.Site{{ID: "s1", Region: "north"}},
		Pools:     []fleet.Pool{{ID: "p1", Site: "s1"}},
		Tenants:   []fleet.Tenant{{ID: "acme", Contacts: []fleet.Contact{{Email: "ops@acme.example"}}}, {ID: "birch", Contacts: []fleet.Contact{{Email: "ops@birch.example"}}}},
		Hosts:     []fleet.Host{host("x1", oldXen, "b1b1"), host("x2", oldXen, "b1b1"), host("x3", oldXen, "b2b2"), host("x4", newXen, "b3b3")},
		Instances: []fleet.Instance{inst("v1", "x1", "acme"), inst("v2", "x2", "birch"), inst("v3", "x3", "acme")},
	}
}

// patchedPlan: x1 and x2 are live-patched in one night, x3 is rebooted in the next, and x1 and x2 in the
// one after that.
func patchedPlan() *plan.Plan {
	p := goodPlan()
	p.Target.Cohorts = []plan.Cohort{{Name: "xen", Remedy: "live-patch", Then: "reboot", Packages: map[string]string{xenPkg: newXen},
		LivePatches: []plan.WantedPatch{{Name: "lp1", Component: "xen", BuildID: "B1B1", File: "lp1", SHA256: strings.Repeat("a", 64)}}}}
	turn := func(id string, wave int, tactic plan.Tactic, start, end string, worst int64) plan.Turn {
		host, _, _ := strings.Cut(id, "+")
		t := plan.Turn{ID: id, Host: host, Pool: "p1", Site: "s1", Wave: wave, Tactic: tactic, Start: at(start), End: at(end), WorstS: worst}
		t.WindowStart = t.Start.Truncate(24 * time.Hour).Add(2 * time.Hour)
		t.WindowEnd = t.WindowStart.Add(2 * time.Hour)
		return t
	}
	p.Turns = []plan.Turn{
		turn("x1+live-patch", 1, plan.LivePatch, "2026-03-10 02:00", "2026-03-10 02:05", 600),
		turn("x2+live-patch", 2, plan.LivePatch, "2026-03-10 02:40", "2026-03-10 02:45", 600),
		turn("x3", 3, plan.Evacuate, "2026-03-11 02:00", "2026-03-11 02:20", 3600),
		turn("x1", 4, plan.Evacuate, "2026-03-12 02:00", "2026-03-12 02:20", 3600),
		turn("x2", 5, plan.Evacuate, "2026-03-12 02:55", "2026-03-12 03:15", 3600),
	}
	p.Turns[0].Canary, p.Turns[3].Canary, p.Turns[3].Deferred, p.Turns[4].Deferred = true, true, true, true
	p.Turns[2].Why = "no-live-patch: none is for its build"
	p.Moves, p.Slots, p.Blocked = nil, nil, nil
	for i, t := range p.Turns[2:] {
		in, tenant := []string{"v3", "v1", "v2"}[i], []string{"acme", "acme", "birch"}[i]
		p.Moves = append(p.Moves, plan.Move{Instance: in, From: t.Host, To: "x4", Turn: t.ID, Start: t.Start.Add(time.Minute), End: t.Start.Add(3 * time.Minute)})
		p.Slots = append(p.Slots, plan.Slot{ID: t.ID + "/" + in, Instance: in, Tenant: tenant, Turn: t.ID, Class: plan.ClassBlip, Disposition: plan.DispLiveMigrate,
			Start: t.WindowStart, End: t.WindowEnd, ExpectedMs: 200, WorstMs: 900, NoticeBy: t.WindowStart.Add(-24 * time.Hour)})
	}
	p.Skipped = []plan.Skipped{{Host: "x4", Code: "fixed", Why: "it runs " + newXen}}
	p.Start, p.End = p.Turns[0].Start, p.Turns[4].End
	seal(p)
	return p
}

// xenScript writes a journal of a world in which live patches are applied and lost.
type xenScript struct {
	*script
	build   map[string]string
	patches map[string][]fleet.LivePatch
	caps    []string
}

func newXenScript(f *fleet.Fleet, p *plan.Plan) *xenScript {
	s := &xenScript{script: newScript(f, p), build: map[string]string{}, patches: map[string][]fleet.LivePatch{}, caps: []string{"pv", "hvm", "hap", "shadow"}}
	s.pkg, s.fix = xenPkg, newXen
	for _, h := range f.Hosts {
		s.soft[h.ID], s.build[h.ID], s.patches[h.ID] = h.Software.Booted[xenPkg], h.Software.BuildID, []fleet.LivePatch{}
	}
	s.paint = func(host string, v *View) {
		v.BuildID, v.LivePatches, v.VirtCaps = s.build[host], slices.Clone(s.patches[host]), s.caps
		if strings.HasPrefix(v.BootID, "boot-2") {
			v.BuildID, v.LivePatches = "b3b3", []fleet.LivePatch{}
		}
		for i := range v.Instances {
			v.Instances[i].Running = nil
		}
	}
	slots := map[string][]string{}
	for _, sl := range p.Slots {
		slots[sl.Tenant] = append(slots[sl.Tenant], sl.ID)
	}
	for _, tenant := range []string{"acme", "birch"} {
		s.add(Fact{Kind: "notice-asked", Notice: "scheduled/" + tenant, NoticeKind: "scheduled", Tenant: tenant, Slots: slots[tenant]})
		s.add(Fact{Kind: "notice-accepted", Notice: "scheduled/" + tenant, Tenant: tenant, Contact: "ops@" + tenant + ".example", Attempt: 1})
	}
	return s
}

// patch carries one live patch out.
func (s *xenScript) patch(host string) {
	turn := plan.PatchTurn(host)
	s.see(host)
	s.add(Fact{Kind: "turn-permitted", Turn: turn, Host: host})
	s.add(Fact{Kind: "step-started", Turn: turn, Host: host, Step: "update", Attempt: 1, Deadline: s.now.Add(10 * time.Minute), BootID: s.boot[host]})
	s.patches[host] = []fleet.LivePatch{{Name: "lp1", Component: "xen", State: fleet.PatchApplied}}
	s.add(Fact{Kind: "step-done", Turn: turn, Host: host, Step: "update", Attempt: 1})
	s.add(Fact{Kind: "step-started", Turn: turn, Host: host, Step: "prove", Attempt: 1, Deadline: s.now.Add(10 * time.Minute)})
	s.see(host)
	s.add(Fact{Kind: "step-done", Turn: turn, Host: host, Step: "prove", Attempt: 1, BootID: s.boot[host], Why: "applied"})
	s.add(Fact{Kind: "turn-done", Turn: turn, Host: host})
}

// patchedJournal carries patchedPlan out without a hitch.
func patchedJournal() []Fact { return patchedJournalOf(patchedFleet(), patchedPlan()) }

func patchedJournalOf(f *fleet.Fleet, p *plan.Plan) []Fact {
	s := newXenScript(f, p)
	s.now = at("2026-03-10 02:00")
	s.patch("x1")
	s.now = at("2026-03-10 02:40")
	s.see("x1") // it has soaked
	s.patch("x2")
	s.now = at("2026-03-11 02:00")
	s.turn("x3", [][2]string{{"v3", "x4"}})
	s.now = at("2026-03-12 02:00")
	s.turn("x1", [][2]string{{"v1", "x4"}})
	s.now = at("2026-03-12 02:55")
	s.see("x1") // it has soaked
	s.turn("x2", [][2]string{{"v2", "x4"}})
	s.add(Fact{Kind: "campaign-finished", Code: "done"})
	return s.facts
}
