package audit

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// inPlaceJournalMutants break one thing in refreshJournal, or in patchJournal where patch is set; each code
// named must be among what is found.
var inPlaceJournalMutants = []struct {
	name  string
	law   int
	codes []string
	patch bool
	spoil func(p *tape)
}{
	{"a host is prepared after its turn", 10, one("prepares-what"), false, func(p *tape) {
		p.put(p.find("turn-permitted", "b"), Fact{Kind: "turn-prepares", Turn: "a", Host: "a"})
	}},
	{"a host is prepared while paused", 8, one("prepare-while-stopped"), false, func(p *tape) {
		i := p.find("turn-prepares", "b")
		p.put(i, Fact{Kind: "campaign-paused", Who: "operator:robin", Why: "w"})
		p.put(i+2, Fact{Kind: "campaign-resumed", Who: "operator:robin", Why: "w"})
	}},
	{"an update that nobody planned", 10, one("unplanned-update"), false, func(p *tape) {
		p.replan2(func(pl *plan.Plan) { pl.Turns[1].UpdateFrom, pl.Turns[1].UpdateBy = time.Time{}, time.Time{} })
	}},
	{"two hosts are prepared at once", 6, one("too-many-prepared"), false, func(p *tape) {
		c := p.facts[p.find("turn-prepares", "c")]
		p.drop("turn-prepares", "c")
		p.put(p.find("turn-prepares", "b")+1, c)
	}},
	{"the canary has not soaked on disk", 6, one("canary-not-soaked"), false, func(p *tape) {
		p.replan2(func(pl *plan.Plan) { pl.Policy.Soak = plan.Duration(40 * time.Minute) })
	}},
	{"a host is prepared under embargo", 9, one("under-embargo"), false, func(p *tape) {
		p.replan2(func(pl *plan.Plan) { pl.Target.EmbargoDeploy, pl.Target.Disclosure = "no", at("2026-03-01 00:30") })
	}},
	{"no look shows the software on disk", 5, one("prepared-unproven"), false, func(p *tape) {
		for i := p.find("turn-prepares", "b"); p.facts[i].Kind != "step-done" || p.facts[i].Step != "prove"; i++ {
			if p.facts[i].Kind == "host-seen" {
				v := *p.facts[i].Seen
				v.Installed = map[string]string{"qemu-system-x86": oldQEMU}
				p.facts[i].Seen = &v
			}
		}
	}},
	{"a host is prepared on another boot", 5, one("prepared-on-another-boot"), false, func(p *tape) { p.lookWhilePrepared("b").BootID = "boot-9-b" }},
	{"its destination lost the software again", 6, one("software-taken-away"), false, func(p *tape) {
		p.onDiskBefore(p.find("move-placed", "a1"), "b", oldQEMU)
	}},
	{"a stop on a host that lost the software again", 6, one("software-taken-away"), false, func(p *tape) {
		p.onDiskBefore(p.find("stop-started", "c1"), "c", oldQEMU)
	}},
	{"a canary that was dropped has not soaked on disk", 6, []string{"canary-not-soaked", "dropped-midway"}, false, func(p *tape) {
		p.replan2(func(pl *plan.Plan) { pl.Policy.Soak = plan.Duration(20 * time.Minute) })
		p.put(p.find("turn-prepares", "b"), atTarget("a"))
		p.facts[p.find("turn-dropped", "a")].At = p.get("turn-prepares", "b").At
	}},
	{"a canary that was dropped has not soaked", 6, []string{"canary-not-soaked", "ended-twice"}, false, func(p *tape) {
		p.replan2(func(pl *plan.Plan) { pl.Policy.Soak = plan.Duration(20 * time.Minute) })
		p.put(p.find("turn-permitted", "b"), atTarget("a"))
	}},
	{"a turn begins unprepared", 6, []string{"onto-old-process", "unprepared"}, false, func(p *tape) {
		for _, kind := range []string{"turn-prepares", "step-started", "step-done", "step-started", "step-done"} {
			p.drop(kind, "b")
		}
	}},
	{"an instance is moved twice", 5, one("refreshed-twice"), false, func(p *tape) {
		i := p.find("move-placed", "own")
		f := p.facts[i]
		f.Turn, f.Instance, f.To = "b", "a1", "a"
		p.put(i, f, Fact{Kind: "move-done", Turn: "b", Instance: "a1", From: "b", To: "a", Attempt: 1, BlackoutMs: 1, Source: "absent", Destination: "running"})
	}},
	{"its monitor says the old version", 5, one("refresh-unproven"), false, func(p *tape) { p.says("a1", oldQEMU) }},
	{"its monitor says nothing", 5, one("refresh-unproven"), false, func(p *tape) { p.says("a1", "") }},
	{"somebody is left on the old version", 7, one("not-refreshed"), false, func(p *tape) {
		for i := p.find("turn-permitted", "a"); p.facts[i].Kind != "turn-done"; i++ {
			if p.facts[i].Kind == "host-seen" && p.facts[i].Host == "a" {
				v := *p.facts[i].Seen
				v.Instances = append(v.Instances, Sighting{ID: "x1", State: "running", MemoryMiB: 512, Running: map[string]string{"qemu-system-x86": oldQEMU}})
				p.facts[i].Seen = &v
			}
		}
	}},
	{"a refresh reboots", 1, one("reboot-unplanned"), false, func(p *tape) {
		p.put(p.find("turn-done", "c"), Fact{Kind: "step-started", Turn: "c", Host: "c", Step: "reboot", Attempt: 1, BootID: "boot-1-c"})
	}},
	{"a live patch that the list calls loaded", 5, one("live-patch-unproven"), true, func(p *tape) { p.lastLook().LivePatches[0].State = "loaded" }},
	{"a live patch that is not listed", 5, one("live-patch-unproven"), true, func(p *tape) { p.lastLook().LivePatches = nil }},
	{"a live patch on another boot", 5, one("live-patch-unproven"), true, func(p *tape) { p.lastLook().BootID = "boot-9" }},
	{"a live patch that stops somebody", 1, one("live-patch-disturbs"), true, func(p *tape) {
		p.put(p.find("turn-done", "c"), Fact{Kind: "stop-started", Turn: "c", Instance: "c1", From: "c", Disposition: plan.DispStatefulStop, Attempt: 1})
	}},
}

// replan2 changes the refresh plan as it was applied.
func (p *tape) replan2(change func(pl *plan.Plan)) {
	pl := refreshPlan()
	change(pl)
	p.facts[0].Plan, _ = json.Marshal(pl)
}

// says makes each look after an instance's move tell another version of it.
func (p *tape) says(instance, version string) {
	for i := p.find("move-done", instance); i < len(p.facts); i++ {
		if p.facts[i].Seen == nil {
			continue
		}
		v := *p.facts[i].Seen
		v.Instances = slices.Clone(v.Instances)
		for k := range v.Instances {
			if v.Instances[k].ID == instance {
				v.Instances[k].Running = nil
				if version != "" {
					v.Instances[k].Running = map[string]string{"qemu-system-x86": version}
				}
			}
		}
		p.facts[i].Seen = &v
	}
}

func atTarget(turn string) Fact {
	return Fact{Kind: "turn-dropped", Turn: turn, Host: turn, Code: "already-at-target", Why: "it is there"}
}

// lookWhilePrepared is the last look at a host before its preparation was proven, of its own.
func (p *tape) lookWhilePrepared(host string) *View {
	at := 0
	for i := p.find("turn-prepares", host); p.facts[i].Kind != "step-done" || p.facts[i].Step != "prove"; i++ {
		if p.facts[i].Kind == "host-seen" && p.facts[i].Host == host {
			at = i
		}
	}
	if at == 0 {
		at = p.find("step-done", host, "prove")
		v := *p.facts[p.find("host-seen", host)].Seen
		v.Installed = map[string]string{"qemu-system-x86": newQEMU}
		v.At = p.facts[at-1].At
		p.put(at, Fact{Kind: "host-seen", Host: host, Seen: &v})
		p.facts[at].At = v.At
	}
	v := *p.facts[at].Seen
	p.facts[at].Seen = &v
	return &v
}

// onDiskBefore makes the last look at a host before a fact show another version on its disk.
func (p *tape) onDiskBefore(i int, host, version string) {
	for i--; p.facts[i].Kind != "host-seen" || p.facts[i].Host != host; i-- {
	}
	v := *p.facts[i].Seen
	v.Installed = map[string]string{"qemu-system-x86": version}
	p.facts[i].Seen = &v
}

func (p *tape) lastLook() *View {
	for i := len(p.facts) - 1; i >= 0; i-- {
		if p.facts[i].Seen != nil {
			return p.facts[i].Seen
		}
	}
	panic("no look")
}

func TestInPlaceMutants(t *testing.T) {
	check := func(t *testing.T, found []Finding, law int, want []string) {
		for _, code := range want {
			if !slices.Contains(codes(found), code) {
				show(t, found)
				t.Errorf("found %v, want %s", codes(found), code)
			}
		}
		if !slices.ContainsFunc(found, func(f Finding) bool {
			return f.Law == law && slices.Contains(want, f.Code) && f.What != "" && f.Allow != ""
		}) {
			t.Errorf("no such finding is of law %d, with words", law)
		}
	}
	for _, m := range inPlacePlanMutants {
		t.Run("plan "+m.name, func(t *testing.T) {
			p := refreshPlan()
			if m.patch {
				p = patchPlan()
			}
			m.spoil(p)
			seal(p)
			check(t, Plan(refreshFleet(), p), m.law, m.codes)
		})
	}
	for _, m := range inPlaceJournalMutants {
		t.Run("journal "+m.name, func(t *testing.T) {
			p := &tape{t, refreshJournal()}
			if m.patch {
				p.facts = patchJournal()
			}
			m.spoil(p)
			p.renumber()
			check(t, Facts(p.facts).Findings, m.law, m.codes)
		})
	}
}
