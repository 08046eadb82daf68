package audit

import (
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// unwellJournal is a canary whose live patch is gone when it has soaked: the campaign halts, what is left
// is taken back, an operator aborts.
func unwellJournal() []Fact {
	p := patchedPlan()
	s := newXenScript(patchedFleet(), p)
	s.now = at("2026-03-10 02:00")
	s.patch("x1")
	s.now = at("2026-03-10 02:40")
	s.patches["x1"] = []fleet.LivePatch{{Name: "lp1", Component: "xen", State: "loaded"}}
	s.see("x1")
	const turn = "x1+live-patch"
	s.add(Fact{Kind: "turn-held", Turn: turn, Host: "x1", Code: "canary-unwell", Why: "its live patch is loaded", Next: "n"})
	s.add(Fact{Kind: "campaign-halted", Turn: turn, Host: "x1", Code: "canary-failed", Why: "its live patch is loaded"})
	s.add(Fact{Kind: "step-started", Turn: turn, Host: "x1", Step: "revert", Attempt: 1, Deadline: s.now.Add(time.Hour), Patches: []string{"lp1"}})
	s.patches["x1"] = []fleet.LivePatch{}
	s.see("x1")
	s.add(Fact{Kind: "step-done", Turn: turn, Host: "x1", Step: "revert", Attempt: 1, Why: "seen"})
	s.add(Fact{Kind: "campaign-aborted", Who: "operator:robin", Why: "no"})
	for _, id := range []string{turn, "x2+live-patch", "x3", "x1", "x2"} {
		s.add(Fact{Kind: "turn-dropped", Turn: id, Host: id[:2], Code: "aborted", Why: "aborted"})
	}
	s.add(Fact{Kind: "campaign-finished", Code: "aborted"})
	return s.facts
}

// afterSoak is the place of the look at the canary's host after its soak.
func (p *tape) afterSoak(host string) int { return p.of("turn-done", host) + 1 }

// canaryMutants break what is asked of a canary after its soak.
var canaryMutants = []journalMutant{
	{"a canary that nobody looked at after its soak", 6, one("canary-unlooked"), false, func(p *tape) {
		i := p.afterSoak("x1+live-patch")
		p.cutOut(i, i+1)
	}},
	{"a canary that was looked at before its soak was over", 6, one("canary-unlooked"), false, func(p *tape) {
		i := p.afterSoak("x1+live-patch")
		v := *p.facts[i].Seen
		v.At = p.facts[i-1].At.Add(29 * time.Minute)
		p.facts[i].Seen, p.facts[i].At = &v, v.At
	}},
	{"a canary that lost its live patch", 6, one("canary-unlooked"), false, func(p *tape) { p.facts[p.afterSoak("x1+live-patch")].Seen.LivePatches = []fleet.LivePatch{} }},
	{"a canary on another boot", 6, one("canary-unlooked"), false, func(p *tape) { p.facts[p.afterSoak("x1+live-patch")].Seen.BootID = "boot-9-x1" }},
	{"a canary that is sick", 6, one("canary-unlooked"), false, func(p *tape) { p.facts[p.afterSoak("x1+live-patch")].Seen.Health = "sick" }},
	{"a deferred canary that nobody looked at", 6, one("canary-unlooked"), false, func(p *tape) {
		i := p.afterSoak("x1")
		p.cutOut(i, i+1)
	}},
	{"a deferred canary that booted what is old", 6, one("canary-unlooked"), false, func(p *tape) {
		p.facts[p.of("turn-done", "x1")+1].Seen.Booted = map[string]string{xenPkg: oldXen}
	}},
	{"a canary called unwell that is sound", 10, []string{"canary-not-soaked", "unfounded-hold"}, false, func(p *tape) {
		p.put(p.afterSoak("x1+live-patch")+1, Fact{Kind: "turn-held", Turn: "x1+live-patch", Host: "x1", Code: "canary-unwell", Why: "w"})
		p.cutOut(p.of("turn-permitted", "x3")-1, len(p.facts))
	}},
	{"a canary passed over that is not held", 6, []string{"pass-touched"}, false, func(p *tape) {
		i := p.of("turn-permitted", "x1+live-patch")
		p.put(i, Fact{Kind: "canary-passed", Turn: "x1+live-patch", Host: "x1", To: "x2+live-patch", Code: "no-place", Why: "w"})
		p.cut(i + 1)
	}},
	{"a canary passed over after it was changed", 6, []string{"pass-touched"}, false, func(p *tape) {
		i := p.of("turn-done", "x1+live-patch")
		p.put(i, Fact{Kind: "turn-held", Turn: "x1+live-patch", Host: "x1", Code: "slot-missed", Why: "w"},
			Fact{Kind: "canary-passed", Turn: "x1+live-patch", Host: "x1", To: "x2+live-patch", Code: "slot-missed", Why: "w"})
		p.cut(i + 2)
	}},
	{"a canary passed over for a turn of the other stage", 6, []string{"pass-to"}, false, func(p *tape) {
		i := p.of("turn-permitted", "x1+live-patch")
		p.put(i, Fact{Kind: "turn-held", Turn: "x1+live-patch", Host: "x1", Code: "no-answer", Why: "w"},
			Fact{Kind: "canary-passed", Turn: "x1+live-patch", Host: "x1", To: "x1", Code: "no-answer", Why: "w"})
		p.cut(i + 2)
	}},
	{"a turn that goes beside the canary that stands in for it", 6, []string{"canary-not-soaked"}, false, func(p *tape) {
		i := p.of("step-started", "x1+live-patch", "update")
		p.put(i, Fact{Kind: "turn-held", Turn: "x1+live-patch", Host: "x1", Code: "no-answer", Why: "w"},
			Fact{Kind: "canary-passed", Turn: "x1+live-patch", Host: "x1", To: "x2+live-patch", Code: "no-answer", Why: "w"},
			Fact{Kind: "turn-released", Turn: "x1+live-patch", Host: "x1", Who: "operator:robin", Why: "w"})
		p.cut(i + 3)
	}},
}

// TestUnwellMutants: what must be found when a canary is not sound after its soak.
func TestUnwellMutants(t *testing.T) {
	for name, c := range map[string]struct {
		code  string
		spoil func(p *tape)
	}{
		"the campaign goes on": {"canary-goes-on", func(p *tape) { p.drop("campaign-halted") }},
		"a turn is permitted meanwhile": {"canary-not-soaked", func(p *tape) {
			p.put(p.find("campaign-halted"), Fact{Kind: "turn-permitted", Turn: "x2+live-patch", Host: "x2"})
		}},
		"its live patch is never undone": {"canary-not-reverted", func(p *tape) { p.cutOut(p.find("step-started", "revert"), p.find("step-done", "revert")+1) }},
		"it is held before its soak is over": {"unfounded-hold", func(p *tape) {
			f := p.get("turn-held", "x1+live-patch")
			held := *f
			p.drop("turn-held", "x1+live-patch")
			p.put(p.of("turn-done", "x1+live-patch")+1, held)
		}},
		"nobody looked": {"unfounded-hold", func(p *tape) {
			i := p.afterSoak("x1+live-patch")
			p.cutOut(i, i+1)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			p := &tape{t, unwellJournal()}
			c.spoil(p)
			p.renumber()
			if found := codes(Facts(p.facts).Findings); !slices.Contains(found, c.code) {
				t.Errorf("%s is not among %v", c.code, found)
			}
		})
	}
}

// returnMutants break what is asked of hosts that come back wrong.
var returnMutants = []journalMutant{
	{"a reboot into the old version is called proven", 5, one("came-back-old"), false, func(p *tape) {
		p.look(p.of("step-done", "x3", "prove"), "x3").Booted = map[string]string{xenPkg: oldXen}
	}},
	{"a reboot into what nobody can read is called proven", 5, one("came-back-old"), false, func(p *tape) {
		v := p.look(p.of("step-done", "x3", "prove"), "x3")
		v.Booted, v.Running = nil, nil
	}},
	{"a reboot into the very same build is called proven", 5, one("came-back-same"), false, func(p *tape) { p.look(p.of("step-done", "x3", "prove"), "x3").BuildID = "B2B2" }},
	heldFor("an old build that is another", "old-build", func(v *View) { v.BuildID = "b3b3" }),
	heldFor("an old build that nobody read", "old-build", func(v *View) { v.BuildID = "" }),
	heldFor("an old build on the same boot", "old-build", func(v *View) { v.BuildID, v.BootID = "b2b2", "boot-1-x3" }),
	heldFor("an old hypervisor that is new", "old-hypervisor", func(*View) {}),
	silentFor("a host without a control domain that answered", "no-dom0", true, Fact{Kind: "host-lost", Host: "x3", Code: "no-dom0", Why: "w"}),
	silentFor("a host without a network, by nobody's word", "no-network", false, Fact{Kind: "host-lost", Host: "x3", Code: "unreachable", Why: "w"}),
	silentFor("a host that is off, by another's word", "power-off", false, Fact{Kind: "host-lost", Host: "x4", Code: "power-off", Why: "w"}),
}

// heldFor holds x3 for what it came back as, where the look at it is changed like this.
func heldFor(name, code string, change func(v *View)) journalMutant {
	return journalMutant{name, 10, one("unfounded-hold"), false, func(p *tape) { p.comesBack(code, change) }}
}

// comesBack ends the journal as x3 is held for what a look shows of it.
func (p *tape) comesBack(code string, change func(v *View)) {
	i := p.of("step-done", "x3", "prove")
	change(p.look(i, "x3"))
	p.cut(i)
	p.put(i, Fact{Kind: "turn-held", Turn: "x3", Host: "x3", Step: "prove", Code: code, Why: "w", Next: "n"})
}

// silentFor holds x3 as silent after a fact, or after a look that it answered since.
func silentFor(name, code string, answers bool, f Fact) journalMutant {
	return journalMutant{name, 10, one("unfounded-hold"), false, func(p *tape) { p.silent(code, answers, f) }}
}

func (p *tape) silent(code string, answers bool, f Fact) {
	i := p.of("step-started", "x3", "prove") + 1
	held := Fact{Kind: "turn-held", Turn: "x3", Host: "x3", Step: "prove", Code: code, Why: "w", Next: "n"}
	look := p.facts[i]
	p.cut(i)
	p.put(i, f)
	if answers {
		p.facts = append(p.facts, look)
	}
	p.put(len(p.facts), held)
}

// TestTold: a host that came back wrong is held with the code of what was seen.
func TestTold(t *testing.T) {
	for name, spoil := range map[string]func(p *tape){
		"the very same build": func(p *tape) { p.comesBack("old-build", func(v *View) { v.BuildID = "b2b2" }) },
		"an older version": func(p *tape) {
			p.comesBack("old-hypervisor", func(v *View) { v.Booted = map[string]string{xenPkg: oldXen} })
		},
		"an older release that runs": func(p *tape) {
			p.comesBack("old-hypervisor", func(v *View) { v.Running = map[string]string{"xen-upstream": "4.17.5"} })
		},
		"no control domain": func(p *tape) {
			p.silent("no-dom0", false, Fact{Kind: "host-lost", Host: "x3", Code: "no-dom0", Why: "w"})
		},
		"no network": func(p *tape) {
			p.silent("no-network", false, Fact{Kind: "host-lost", Host: "x3", Code: "no-network", Why: "w"})
		},
		"switched off": func(p *tape) {
			p.silent("power-off", false, Fact{Kind: "host-lost", Host: "x3", Code: "power-off", Why: "w"})
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := &tape{t, patchedJournal()}
			spoil(p)
			p.renumber()
			if found := Facts(p.facts).Findings; len(found) > 0 {
				show(t, found)
				t.Fatal("found fault with a hold that is founded")
			}
		})
	}
}

// resetJournal is a canary that was rebooted by the second of two orders, was done, was reset by itself while it
// soaked, and is proven anew when a person has it tried again.
func resetJournal(t *testing.T) *tape {
	p := &tape{t, patchedJournal()}
	i := p.of("step-started", "x1", "reboot")
	again := p.facts[i]
	again.Attempt = 2
	p.put(i+1, Fact{Kind: "step-failed", Turn: "x1", Host: "x1", Step: "reboot", Attempt: 1, Code: "no-answer", Why: "lost"})
	p.put(i+2, again)
	p.facts[p.of("step-done", "x1", "reboot")].Attempt = 2
	i = p.of("turn-done", "x1") + 1
	look := p.facts[i]
	v := *look.Seen
	v.BootID = "boot-3-x1"
	look.Seen = &v
	p.cut(i)
	p.facts = append(p.facts, look)
	s := &script{facts: p.facts, now: look.At}
	s.add(Fact{Kind: "turn-held", Turn: "x1", Host: "x1", Code: "canary-unwell", Why: "it was rebooted since", Next: "n"})
	s.add(Fact{Kind: "campaign-halted", Turn: "x1", Host: "x1", Code: "canary-failed", Why: "it was rebooted since"})
	s.add(Fact{Kind: "turn-released", Who: "operator:robin", Turn: "x1", Host: "x1", Why: "a loose cable"})
	s.add(Fact{Kind: "campaign-resumed", Who: "operator:robin", Why: "a loose cable"})
	s.add(Fact{Kind: "step-started", Turn: "x1", Host: "x1", Step: "prove", Attempt: 2, Deadline: s.now.Add(time.Hour)})
	w := v
	w.At, w.BootID = s.now, "boot-4-x1" // and once more
	s.add(Fact{Kind: "host-seen", Host: "x1", Seen: &w})
	s.add(Fact{Kind: "step-done", Turn: "x1", Host: "x1", Step: "prove", Attempt: 2, BootID: "boot-4-x1", Why: "seen"})
	s.add(Fact{Kind: "turn-done", Turn: "x1", Host: "x1"})
	p.facts = s.facts
	p.renumber()
	return p
}

// TestResetAfterTheTurn: that a host was reset by itself after its turn was done is not the turn's doing, however
// many orders it took; that it boots twice before that is.
func TestResetAfterTheTurn(t *testing.T) {
	p := resetJournal(t)
	if found := Facts(p.facts).Findings; len(found) > 0 {
		show(t, found)
		t.Error("found fault with a canary that others reset")
	}
	i := p.of("turn-done", "x1")
	p.put(i, p.facts[i+1])
	p.facts[i].At = p.facts[i-1].At
	v := *p.facts[i].Seen
	v.At, p.facts[i].Seen = p.facts[i].At, &v
	p.renumber()
	if found := codes(Facts(p.facts).Findings); !slices.Contains(found, "rebooted-twice") {
		t.Errorf("a second boot before the turn was done is not among %v", found)
	}
}
