package report

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// applied is when the test's campaign begins; slots are from 02:00 to 04:00 on the next day.
var applied = time.Date(2026, 3, 1, 1, 0, 0, 0, time.UTC)

const (
	oldQEMU = "1:7.2+dfsg-7+deb12u15"
	newQEMU = "1:7.2+dfsg-7+deb12u18"
	qemu    = "qemu-system-x86"
)

// journal is a journal being written by hand. Its clock goes on with each at and after.
type journal struct {
	t     testing.TB
	now   time.Time
	facts []execution.Fact
	plan  *plan.Plan
	fleet *fleet.Fleet
}

// newJournal has two hosts, hv-1 (a canary with web-1, live-migrated, and db-1, stopped) and hv-2
// (with web-2, live-migrated), and a third, hv-3, that is fixed already.
func newJournal(t testing.TB) *journal {
	j := &journal{t: t, now: applied}
	host := func(id, v string) fleet.Host {
		sw := map[string]string{qemu: v}
		return fleet.Host{ID: id, Pools: []string{"p"}, Hypervisor: fleet.KVM, MemoryMiB: 8192, Software: fleet.Software{Installed: sw, Booted: sw}}
	}
	guest := func(id, host, tenant string) fleet.Instance {
		return fleet.Instance{ID: id, Host: host, Tenant: tenant, MemoryMiB: 256, Running: map[string]string{qemu: oldQEMU}}
	}
	j.fleet = &fleet.Fleet{
		Evenkeel: fleet.SchemaV1, Regions: []fleet.Region{{ID: "r"}}, Sites: []fleet.Site{{ID: "s", Region: "r"}}, Pools: []fleet.Pool{{ID: "p", Site: "s"}},
		Hosts:     []fleet.Host{host("hv-1", oldQEMU), host("hv-2", oldQEMU), host("hv-3", newQEMU)},
		Instances: []fleet.Instance{guest("web-1", "hv-1", "acme"), guest("db-1", "hv-1", "birch"), guest("web-2", "hv-2", "acme"), guest("old-1", "hv-3", "cedar")},
	}
	j.fleet.Instances[3].State = fleet.Stopped
	night := applied.Truncate(24 * time.Hour).Add(26 * time.Hour)
	slot := func(turn, instance, tenant string, d plan.Disposition, expected, worst int64) plan.Slot {
		return plan.Slot{ID: turn + "/" + instance, Instance: instance, Tenant: tenant, Turn: turn, Class: plan.ClassOf(d), Disposition: d,
			Start: night, End: night.Add(2 * time.Hour), ExpectedMs: expected, WorstMs: worst}
	}
	j.plan = &plan.Plan{
		Evenkeel: plan.SchemaV1, Campaign: "c1", Revision: 1, Public: "hypervisor maintenance <spring>", Policy: plan.DefaultPolicy(),
		Target: &plan.Target{ID: "t1", Fixes: []string{"CVE-2025-11234"}, Cohorts: []plan.Cohort{{Name: "kvm", Packages: map[string]string{qemu: newQEMU}}}},
		Start:  night, End: night.Add(30 * time.Minute),
		Turns: []plan.Turn{
			{ID: "hv-2", Host: "hv-2", Pool: "p", Site: "s", Wave: 2, Tactic: plan.Evacuate, Start: night.Add(10 * time.Minute), End: night.Add(20 * time.Minute)},
			{ID: "hv-1", Host: "hv-1", Pool: "p", Site: "s", Wave: 1, Canary: true, Tactic: plan.Evacuate, Start: night, End: night.Add(10 * time.Minute)},
		},
		Slots: []plan.Slot{
			slot("hv-1", "web-1", "acme", plan.DispLiveMigrate, 300, 5000),
			slot("hv-1", "db-1", "birch", plan.DispStop, 60000, 600000),
			slot("hv-2", "web-2", "acme", plan.DispLiveMigrate, 300, 5000),
		},
		Skipped: []plan.Skipped{{Host: "hv-3", Code: "fixed", Why: "it booted with " + newQEMU}},
	}
	return j
}

// night is the moment at which the slots begin.
func (j *journal) night() time.Time { return j.plan.Start }

func (j *journal) at(t time.Time) *journal { j.now = t; return j }

func (j *journal) after(d time.Duration) *journal { return j.at(j.now.Add(d)) }

func (j *journal) add(f execution.Fact) *journal {
	f.Seq, f.At, f.Campaign = int64(len(j.facts)+1), j.now, "c1"
	if f.Who == "" {
		f.Who = "engine"
	}
	j.facts = append(j.facts, f)
	return j
}

func (j *journal) apply() *journal {
	p, err := json.Marshal(j.plan)
	if err != nil {
		j.t.Fatal(err)
	}
	f, err := json.Marshal(j.fleet)
	if err != nil {
		j.t.Fatal(err)
	}
	return j.add(execution.Fact{Kind: execution.CampaignApplied, Who: "operator:ana", Revision: j.plan.Revision, Generation: 1, Plan: p, Fleet: f}).
		add(execution.Fact{Kind: execution.ControllerTook, Generation: 1})
}

func (j *journal) tell(tenant, contact string, slots ...string) *journal {
	id := "n-" + tenant
	j.add(execution.Fact{Kind: execution.NoticeAsked, Notice: id, NoticeKind: "scheduled", Tenant: tenant, Slots: slots})
	return j.after(time.Second).add(execution.Fact{Kind: execution.NoticeAccepted, Notice: id, NoticeKind: "scheduled", Tenant: tenant, Contact: contact, Attempt: 1})
}

func (j *journal) turn(kind execution.Kind, host string) *journal {
	return j.add(execution.Fact{Kind: kind, Turn: host, Host: host})
}

// step starts a step and ends it d later.
func (j *journal) step(host string, s execution.Step, d time.Duration) *journal {
	j.add(execution.Fact{Kind: execution.StepStarted, Turn: host, Host: host, Step: s, Attempt: 1, BootID: bootOf(host, 1)})
	return j.after(d).stepDone(host, s)
}

func (j *journal) stepDone(host string, s execution.Step) *journal {
	f := execution.Fact{Kind: execution.StepDone, Turn: host, Host: host, Step: s, Attempt: 1}
	if s == execution.StepProve {
		f.BootID, f.Why = bootOf(host, 2), "boot id changed; "+qemu+" booted "+newQEMU
	}
	return j.add(f)
}

func bootOf(host string, n int) string { return host + "-boot-" + string(rune('0'+n)) }

func (j *journal) place(host, instance, to string, attempt int) *journal {
	return j.add(execution.Fact{Kind: execution.MovePlaced, Turn: host, Instance: instance, From: host, To: to, Attempt: attempt, Disposition: plan.DispLiveMigrate})
}

func (j *journal) moved(host, instance, to string, attempt int, blackout int64) *journal {
	return j.add(execution.Fact{Kind: execution.MoveDone, Turn: host, Instance: instance, From: host, To: to, Attempt: attempt, BlackoutMs: blackout, Source: "absent", Destination: "running"})
}

func (j *journal) stopFact(kind execution.Kind, host, instance string) *journal {
	return j.add(execution.Fact{Kind: kind, Turn: host, Instance: instance, From: host, To: host, Disposition: plan.DispStop, Attempt: 1})
}

// begin applies the plan and tells both tenants.
func (j *journal) begin() *journal {
	return j.apply().after(time.Minute).tell("acme", "ops@acme.example", "hv-1/web-1", "hv-2/web-2").tell("birch", "admin@birch.example", "hv-1/db-1")
}

// firstTurn runs hv-1's turn: 5 s cordon, 20 s of moving, 60 s update, a stop, a reboot of 90 s.
func (j *journal) firstTurn() *journal {
	const h = "hv-1"
	j.at(j.night().Add(time.Second)).turn(execution.TurnPermitted, h).step(h, execution.StepCordon, 5*time.Second)
	j.add(execution.Fact{Kind: execution.Borrowed, Turn: h, Host: h, Code: "cordon"})
	j.place(h, "web-1", "hv-2", 1).after(20*time.Second).moved(h, "web-1", "hv-2", 1, 240).stepDone(h, execution.StepEmpty)
	j.step(h, execution.StepUpdate, time.Minute)
	j.stopFact(execution.StopStarted, h, "db-1").after(4*time.Second).stopFact(execution.StopDone, h, "db-1").stepDone(h, execution.StepStop)
	j.step(h, execution.StepReboot, 2*time.Second).step(h, execution.StepProve, 90*time.Second)
	j.stopFact(execution.BackStarted, h, "db-1").after(3*time.Second).stopFact(execution.BackDone, h, "db-1").stepDone(h, execution.StepReturn)
	j.add(execution.Fact{Kind: execution.GivenBack, Turn: h, Host: h, Code: "cordon"})
	return j.turn(execution.TurnDone, h)
}

// secondTurn runs hv-2's turn: web-2 and web-1, which waits there, move to hv-1.
func (j *journal) secondTurn() *journal {
	const h = "hv-2"
	j.after(10*time.Minute).turn(execution.TurnPermitted, h).step(h, execution.StepCordon, 5*time.Second)
	j.place(h, "web-2", "hv-1", 1).after(15*time.Second).moved(h, "web-2", "hv-1", 1, 310)
	j.place(h, "web-1", "hv-1", 1).after(15*time.Second).moved(h, "web-1", "hv-1", 1, 180).stepDone(h, execution.StepEmpty)
	j.step(h, execution.StepUpdate, time.Minute).step(h, execution.StepReboot, time.Second).step(h, execution.StepProve, 80*time.Second)
	return j.turn(execution.TurnDone, h)
}

func (j *journal) finish(code string) *journal {
	return j.after(time.Second).add(execution.Fact{Kind: execution.CampaignFinished, Code: code})
}

// fold makes the report and fails the test when it cannot.
func (j *journal) fold() *Report {
	j.t.Helper()
	r, err := Fold(j.facts)
	if err != nil {
		j.t.Fatal(err)
	}
	if len(r.Misfits) > 0 {
		j.t.Errorf("facts that do not fit: %v", r.Misfits)
	}
	return r
}

func (r *Report) promise(id string) Promise {
	for _, p := range r.Promises {
		if p.ID == id {
			return p
		}
	}
	return Promise{}
}

func (r *Report) hostLine(id string) Host {
	for _, h := range r.Hosts {
		if h.Host == id {
			return h
		}
	}
	return Host{}
}
