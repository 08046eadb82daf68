package audit

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// at reads an instant as tables write it.
func at(text string) time.Time {
	t, err := time.Parse("2006-01-02 15:04:05", text)
	if err != nil {
		if t, err = time.Parse("2006-01-02 15:04", text); err != nil {
			panic(err)
		}
	}
	return t
}

const (
	oldQEMU = "1:7.2+dfsg-7+deb12u15"
	newQEMU = "1:7.2+dfsg-7+deb12u16"
)

// goodFleet: pool p1 of hosts a, b and c, which need the fix, and e, which is down; pool p2 of d,
// which is fixed.
func goodFleet() *fleet.Fleet {
	soft := func(v string) fleet.Software {
		m := map[string]string{"qemu-system-x86": v}
		return fleet.Software{Installed: m, Booted: m, Running: m}
	}
	host := func(id, pool, version string) fleet.Host {
		return fleet.Host{ID: id, Pools: []string{pool}, Rack: "rack-" + id, Hypervisor: fleet.KVM, MemoryMiB: 8192, CPUModel: "Haswell",
			CPUFeatures: []string{"avx2", "sse4_2"}, MachineTypes: []string{"pc-q35-7.2"}, Networks: []string{"lan"}, Storage: []string{"nfs"}, Software: soft(version)}
	}
	inst := func(id, host, tenant, group string) fleet.Instance {
		return fleet.Instance{ID: id, Host: host, Tenant: tenant, Group: group, MemoryMiB: 1024, CPUFeatures: []string{"avx2"}, MachineType: "pc-q35-7.2",
			Networks: []string{"lan"}, Storage: []string{"nfs"}, Disks: []fleet.Disk{{Name: "vda", Shared: true}}}
	}
	f := &fleet.Fleet{
		Evenkeel: fleet.SchemaV1, Taken: at("2026-03-01 23:59"),
		Regions:    []fleet.Region{{ID: "north"}, {ID: "south"}},
		Sites:      []fleet.Site{{ID: "s1", Region: "north"}, {ID: "s2", Region: "north"}, {ID: "s3", Region: "south"}},
		Pools:      []fleet.Pool{{ID: "p1", Site: "s1"}, {ID: "p2", Site: "s2"}},
		HostGroups: []fleet.HostGroup{{ID: "quorum", Hosts: []string{"a", "b", "d"}, MaxUnavailable: 1}},
		Tenants: []fleet.Tenant{{ID: "acme", Contacts: []fleet.Contact{{Email: "ops@acme.example"}}},
			{ID: "birch", Contacts: []fleet.Contact{{Email: "ops@birch.example"}}}},
		Groups: []fleet.Group{{ID: "web", Tenant: "acme", MaxUnavailable: 1, Members: []string{"a1", "c1"}}, {ID: "db", Tenant: "birch", Spread: fleet.SpreadHost}},
		Hosts:  []fleet.Host{host("a", "p1", oldQEMU), host("b", "p1", oldQEMU), host("c", "p1", oldQEMU), host("d", "p2", newQEMU), host("e", "p1", oldQEMU)},
		Instances: []fleet.Instance{inst("a1", "a", "acme", ""), inst("a2", "a", "birch", "db"), inst("b1", "b", "birch", "db"),
			inst("c1", "c", "acme", ""), inst("d1", "d", "acme", ""), inst("own", "b", "", "")},
	}
	f.Hosts[4].Health = fleet.Down
	f.Instances[3].Disks[0].Shared = false // c1 cannot move: it is saved and restored
	return f
}

func goodPolicy() plan.Policy {
	p := plan.DefaultPolicy()
	p.MinStay = plan.Duration(10 * time.Minute)
	return p
}

// goodPlan: the canary a and then b in one night, c in the next.
func goodPlan() *plan.Plan {
	turn := func(id string, wave int, start, end, night string) plan.Turn {
		return plan.Turn{ID: id, Host: id, Pool: "p1", Site: "s1", Wave: wave, Canary: wave == 1, Tactic: plan.Evacuate, Start: at(start), End: at(end), WorstS: 3600,
			WindowStart: at(night + " 02:00"), WindowEnd: at(night + " 04:00")}
	}
	move := func(instance, from, to, turn, start, end string) plan.Move {
		return plan.Move{Instance: instance, From: from, To: to, Turn: turn, Start: at(start), End: at(end)}
	}
	p := &plan.Plan{
		Evenkeel: plan.SchemaV1, Campaign: "spring", Revision: 1, Made: at("2026-03-01 00:00"), Public: "hypervisor maintenance",
		Target: &plan.Target{ID: "spring", Fixes: []string{"CVE-2025-11234"}, FinishBy: at("2026-03-15 00:00"),
			Cohorts: []plan.Cohort{{Packages: map[string]string{"qemu-system-x86": newQEMU}}}},
		Policy: goodPolicy(), Start: at("2026-03-10 02:00"), End: at("2026-03-11 02:25"),
		Turns: []plan.Turn{
			turn("a", 1, "2026-03-10 02:00", "2026-03-10 02:20", "2026-03-10"),
			turn("b", 2, "2026-03-10 02:50", "2026-03-10 03:10", "2026-03-10"),
			turn("c", 3, "2026-03-11 02:00", "2026-03-11 02:25", "2026-03-11"),
		},
		Moves: []plan.Move{
			move("a1", "a", "b", "a", "2026-03-10 02:01", "2026-03-10 02:03"),
			move("a2", "a", "c", "a", "2026-03-10 02:03", "2026-03-10 02:05"),
			move("a1", "b", "a", "b", "2026-03-10 02:51", "2026-03-10 02:53"),
			move("b1", "b", "a", "b", "2026-03-10 02:53", "2026-03-10 02:55"),
			move("own", "b", "a", "b", "2026-03-10 02:55", "2026-03-10 02:57"),
			move("a2", "c", "b", "c", "2026-03-11 02:01", "2026-03-11 02:03"),
		},
		Blocked: []plan.Blocked{{Host: "e", Code: "host-unfit", Why: "it is down", Unblock: "bring it up"}},
		Skipped: []plan.Skipped{{Host: "d", Code: "fixed", Why: "it runs " + newQEMU}},
	}
	slot := func(turn, instance, tenant, night string, d plan.Disposition) {
		s := plan.Slot{ID: turn + "/" + instance, Instance: instance, Tenant: tenant, Turn: turn, Class: plan.ClassOf(d), Disposition: d,
			Start: at(night + " 02:00"), End: at(night + " 04:00"), ExpectedMs: 200, WorstMs: 900}
		if s.Class == plan.ClassOutage {
			s.ExpectedMs, s.WorstMs = 332_000, 1_800_000
		}
		s.NoticeBy = s.Start.Add(-p.Policy.Lead.Of(s.Class))
		p.Slots = append(p.Slots, s)
	}
	slot("a", "a1", "acme", "2026-03-10", plan.DispLiveMigrate)
	slot("a", "a2", "birch", "2026-03-10", plan.DispLiveMigrate)
	slot("b", "a1", "acme", "2026-03-10", plan.DispLiveMigrate)
	slot("b", "b1", "birch", "2026-03-10", plan.DispLiveMigrate)
	slot("b", "own", "", "2026-03-10", plan.DispLiveMigrate)
	slot("c", "c1", "acme", "2026-03-11", plan.DispStatefulStop)
	slot("c", "a2", "birch", "2026-03-11", plan.DispLiveMigrate)
	seal(p)
	return p
}

// seal writes counts and digest as they should be.
func seal(p *plan.Plan) {
	waves, hosts, touched, tenants, stops := map[int]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, 0
	for _, t := range p.Turns {
		waves[t.Wave], hosts[t.Host] = true, true
	}
	for _, s := range p.Slots {
		touched[s.Instance] = true
		if s.Tenant != "" {
			tenants[s.Tenant] = true
		}
		if s.Class == plan.ClassOutage {
			stops++
		}
	}
	for _, m := range p.Moves {
		touched[m.Instance] = true
	}
	p.Counts = plan.Counts{Hosts: len(hosts), Waves: len(waves), Instances: len(touched), Tenants: len(tenants), Moves: len(p.Moves), Stops: stops,
		Blocked: len(p.Blocked), Skipped: len(p.Skipped)}
	p.Digest, _ = Digest(p)
}

// codes lists the different codes of findings, sorted.
func codes(list []Finding) []string {
	out := []string{}
	for _, f := range list {
		if !slices.Contains(out, f.Code) {
			out = append(out, f.Code)
		}
	}
	slices.Sort(out)
	return out
}

func show(t *testing.T, list []Finding) {
	t.Helper()
	for _, f := range list {
		t.Logf("law %d %s [%s]: %s; allowed: %s", f.Law, f.Code, f.Subject, f.What, f.Allow)
	}
}

// script writes a journal while it keeps a small world: who is where, and which boot a host is on.
type script struct {
	facts []Fact
	now   time.Time
	f     *fleet.Fleet
	at    map[string]string
	state map[string]string
	boot  map[string]string
	soft  map[string]string
	runs  map[string]string
	pkg   string                     // the one package of the world
	fix   string                     // the version that a turn brings
	paint func(host string, v *View) // adds to a look what else the world has
}

func newScript(f *fleet.Fleet, p *plan.Plan) *script {
	s := &script{now: p.Made.Add(time.Minute), f: f, pkg: "qemu-system-x86", fix: newQEMU, at: map[string]string{}, state: map[string]string{}, boot: map[string]string{}, soft: map[string]string{}, runs: map[string]string{}}
	for _, h := range f.Hosts {
		s.boot[h.ID] = "boot-1-" + h.ID
		s.soft[h.ID] = h.Software.Installed["qemu-system-x86"]
	}
	for _, i := range f.Instances {
		s.at[i.ID], s.state[i.ID] = i.Host, "running"
		s.runs[i.ID] = s.soft[i.Host]
	}
	planText, _ := json.Marshal(p)
	fleetText, _ := json.Marshal(f)
	s.add(Fact{Kind: "campaign-applied", Who: "operator:robin", Revision: p.Revision, Generation: 1, Plan: planText, Fleet: fleetText})
	return s
}

// add writes a fact one second after the last.
func (s *script) add(f Fact) {
	s.now = s.now.Add(time.Second)
	f.At, f.Seq, f.Campaign = s.now, int64(len(s.facts)+1), "spring"
	if f.Who == "" {
		f.Who = "engine"
	}
	s.facts = append(s.facts, f)
}

// see writes a look at a host as the script's world has it.
func (s *script) see(host string) {
	versions := map[string]string{s.pkg: s.soft[host]}
	v := &View{At: s.now.Add(time.Second), BootID: s.boot[host], Health: "up", Installed: versions, Booted: versions, Running: versions, MemoryMiB: 8192, FreeMiB: 8192}
	for _, i := range s.f.Instances {
		if s.at[i.ID] == host {
			v.Instances = append(v.Instances, Sighting{ID: i.ID, State: s.state[i.ID], MemoryMiB: i.MemoryMiB, Running: map[string]string{s.pkg: s.runs[i.ID]}})
			v.FreeMiB -= i.MemoryMiB
		}
	}
	if s.paint != nil {
		s.paint(host, v)
	}
	s.add(Fact{Kind: "host-seen", Host: host, Seen: v})
}

func (s *script) step(turn, step string, bootID string) {
	s.add(Fact{Kind: "step-started", Turn: turn, Host: turn, Step: step, Attempt: 1, Deadline: s.now.Add(time.Hour), BootID: bootID})
	if step == "reboot" {
		s.boot[turn] = "boot-2-" + turn
	}
	if step == "prove" {
		s.see(turn)
		bootID = s.boot[turn]
	}
	s.add(Fact{Kind: "step-done", Turn: turn, Host: turn, Step: step, Attempt: 1, BootID: bootID, Why: "seen"})
}

func (s *script) move(turn, instance, to string) {
	s.see(to)
	from := s.at[instance]
	s.add(Fact{Kind: "move-placed", Turn: turn, Instance: instance, From: from, To: to, Attempt: 1, Deadline: s.now.Add(15 * time.Minute)})
	s.at[instance], s.runs[instance] = to, s.soft[to]
	s.add(Fact{Kind: "move-done", Turn: turn, Instance: instance, From: from, To: to, Attempt: 1, BlackoutMs: 200, Source: "absent", Destination: "running"})
}

// turn carries one turn out; moves are pairs of instance and destination, saves are saved and restored.
func (s *script) turn(host string, moves [][2]string, saves ...string) {
	s.see(host)
	s.add(Fact{Kind: "turn-permitted", Turn: host, Host: host})
	s.add(Fact{Kind: "borrowed", Turn: host, Host: host, Code: "cordon"})
	s.step(host, "cordon", "")
	for _, m := range moves {
		s.move(host, m[0], m[1])
	}
	s.add(Fact{Kind: "step-done", Turn: host, Host: host, Step: "empty", Why: "nothing is left"})
	s.step(host, "update", "")
	for _, i := range saves {
		s.add(Fact{Kind: "stop-started", Turn: host, Instance: i, From: host, Disposition: plan.DispStatefulStop, Attempt: 1, Deadline: s.now.Add(5 * time.Minute)})
		s.state[i] = "stopped"
		s.add(Fact{Kind: "stop-done", Turn: host, Instance: i, From: host, Disposition: plan.DispStatefulStop, Attempt: 1})
	}
	s.see(host)
	s.step(host, "reboot", s.boot[host])
	s.soft[host] = s.fix
	s.step(host, "prove", "")
	for _, i := range saves {
		s.add(Fact{Kind: "back-started", Turn: host, Instance: i, To: host, Disposition: plan.DispStatefulStop, Attempt: 1})
		s.state[i], s.runs[i] = "running", s.fix
		s.add(Fact{Kind: "back-done", Turn: host, Instance: i, To: host, Disposition: plan.DispStatefulStop, Attempt: 1})
	}
	s.see(host)
	s.add(Fact{Kind: "given-back", Turn: host, Host: host, Code: "cordon"})
	s.step(host, "uncordon", "")
	s.add(Fact{Kind: "turn-done", Turn: host, Host: host})
}

// goodJournal carries goodPlan out without a hitch.
func goodJournal() []Fact { return journalOf(goodFleet(), goodPlan()) }

func journalOf(f *fleet.Fleet, p *plan.Plan) []Fact {
	s := newScript(f, p)
	slots := map[string][]string{}
	for _, sl := range p.Slots {
		slots[sl.Tenant] = append(slots[sl.Tenant], sl.ID)
	}
	for _, tenant := range []string{"acme", "birch"} {
		s.add(Fact{Kind: "notice-asked", Notice: "scheduled/" + tenant, NoticeKind: "scheduled", Tenant: tenant, Slots: slots[tenant]})
		s.add(Fact{Kind: "notice-accepted", Notice: "scheduled/" + tenant, Tenant: tenant, Contact: "ops@" + tenant + ".example", Attempt: 1})
	}
	s.now = at("2026-03-10 02:00")
	s.turn("a", [][2]string{{"a1", "b"}, {"a2", "c"}})
	s.now = at("2026-03-10 02:50")
	s.see("a") // it has soaked
	s.turn("b", [][2]string{{"a1", "a"}, {"b1", "a"}, {"own", "a"}})
	s.now = at("2026-03-11 02:00")
	s.turn("c", [][2]string{{"a2", "b"}}, "c1")
	for _, tenant := range []string{"acme", "birch"} {
		s.add(Fact{Kind: "notice-asked", Notice: "finished/" + tenant, NoticeKind: "finished", Tenant: tenant, Slots: slots[tenant]})
		s.add(Fact{Kind: "notice-accepted", Notice: "finished/" + tenant, Tenant: tenant, Contact: "ops@" + tenant + ".example", Attempt: 1})
	}
	s.add(Fact{Kind: "campaign-finished", Code: "done"})
	return s.facts
}
