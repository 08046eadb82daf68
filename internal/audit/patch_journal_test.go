package audit

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// repatch changes plan and fleet of a journal with live patches as they were applied.
func (p *tape) repatch(change func(f *fleet.Fleet, pl *plan.Plan)) {
	f, pl := patchedFleet(), patchedPlan()
	change(f, pl)
	p.facts[0].Plan, _ = json.Marshal(pl)
	p.facts[0].Fleet, _ = json.Marshal(f)
}

// of gives the place of the first fact of a kind that is of the turn, and agrees with the other words.
func (p *tape) of(kind, turn string, words ...string) int {
	p.t.Helper()
	for i, f := range p.facts {
		if f.Kind == kind && f.Turn == turn && !slices.ContainsFunc(words, func(w string) bool { return w != f.Step && w != f.Instance }) {
			return i
		}
	}
	p.t.Fatalf("no %s fact of turn %s with %v", kind, turn, words)
	return -1
}

// look gives the look at a host that came last before place i, to be changed.
func (p *tape) look(i int, host string) *View {
	p.t.Helper()
	for i--; i >= 0; i-- {
		if f := &p.facts[i]; f.Kind == "host-seen" && f.Host == host {
			v := *f.Seen
			f.Seen = &v
			return f.Seen
		}
	}
	p.t.Fatalf("no look at %s", host)
	return nil
}

// overX4 makes v3 land on y1, which is on the old, with a fresh look at x2, which is patched and may keep it.
func (p *tape) overX4(seen bool) {
	i := p.of("move-placed", "x3", "v3")
	p.facts[i].To, p.facts[i+1].To = "y1", "y1"
	y := *p.look(i, "x4")
	y.BootID, y.Booted, y.Running, y.Installed = "boot-1-y1", map[string]string{xenPkg: oldXen}, nil, nil
	looks := []Fact{{Kind: "host-seen", Host: "y1", Seen: &y}}
	if seen {
		x := *p.look(i, "x2")
		x.At = p.facts[i-1].At
		looks = append(looks, Fact{Kind: "host-seen", Host: "x2", Seen: &x})
	}
	p.put(i, looks...)
}

// cutOut takes the facts from place i up to place j out.
func (p *tape) cutOut(i, j int) { p.facts = slices.Delete(p.facts, i, j) }

// patchJournalMutants break one thing in patchedJournal; exactly the codes named must be found.
var patchJournalMutants = slices.Concat(patchTurnMutants, canaryMutants, returnMutants, cohortMutants)

var patchTurnMutants = []journalMutant{
	{"a live patch that the list calls loaded", 5, one("live-patch-unproven"), false, func(p *tape) {
		p.look(p.of("step-done", "x2+live-patch", "prove"), "x2").LivePatches = []fleet.LivePatch{{Name: "lp1", Component: "xen", State: "loaded"}}
	}},
	{"a live patch whose list nobody read", 5, one("live-patch-unproven"), false, func(p *tape) {
		p.look(p.of("step-done", "x2+live-patch", "prove"), "x2").LivePatches = nil
	}},
	{"a live patch on a build that nobody read", 5, one("live-patch-unproven"), false, func(p *tape) { p.look(p.of("step-done", "x2+live-patch", "prove"), "x2").BuildID = "" }},
	{"a live patch that does not fix all", 5, []string{"canary-unlooked", "live-patch-unproven"}, false, func(p *tape) {
		p.repatch(func(_ *fleet.Fleet, pl *plan.Plan) {
			pl.Target.Fixes = append(pl.Target.Fixes, "XSA-9")
			pl.Target.Cohorts[0].LivePatches[0].Fixes = []string{"CVE-2025-11234"}
		})
	}},
	{"a live patch that nobody proved", 5, one("live-patch-unproven"), false, func(p *tape) {
		p.drop("step-started", "x2+live-patch", "prove")
		p.drop("step-done", "x2+live-patch", "prove")
	}},
	{"a reboot while a live patch waits", 6, []string{"deferred-early", "turn-forgotten"}, false, func(p *tape) {
		p.cutOut(p.of("turn-permitted", "x2+live-patch")-1, p.of("turn-done", "x2+live-patch")+1)
	}},
	{"a reboot before the live patches have soaked", 6, []string{"canary-not-soaked", "deferred-early"}, false, func(p *tape) {
		p.repatch(func(_ *fleet.Fleet, pl *plan.Plan) { pl.Policy.Soak = plan.Duration(48 * time.Hour) })
	}},
	{"a reboot in the midst of its host's live patch", 5, []string{"deferred-early", "turns-overlap"}, false, func(p *tape) {
		i := p.of("turn-done", "x2+live-patch")
		done := p.facts[i]
		p.cutOut(i, i+1)
		p.put(p.of("turn-done", "x2"), done)
	}},
	{"a retried live patch in the midst of its host's reboot", 5, []string{"turns-overlap"}, false, func(p *tape) {
		i := p.of("step-done", "x2+live-patch", "prove")
		p.facts[i] = Fact{Campaign: "spring", Who: "engine", At: p.facts[i].At, Kind: "step-failed", Turn: "x2+live-patch", Host: "x2", Step: "prove", Attempt: 1, Why: "w"}
		p.facts[i+1] = Fact{Campaign: "spring", Who: "engine", At: p.facts[i].At, Kind: "turn-held", Turn: "x2+live-patch", Host: "x2", Step: "prove", Code: "live-patch-missing", Why: "w"}
		j := p.of("step-started", "x2", "update")
		p.put(j, Fact{Kind: "turn-released", Turn: "x2+live-patch", Host: "x2", Who: "operator:robin"},
			Fact{Kind: "step-started", Turn: "x2+live-patch", Host: "x2", Step: "prove", Attempt: 2},
			Fact{Kind: "turn-dropped", Turn: "x2+live-patch", Host: "x2", Code: "reboot-instead", Why: "w"})
	}},
	{"a deferred reboot that is dropped for a live patch", 10, one("not-at-target"), false, func(p *tape) {
		p.cutOut(p.of("turn-permitted", "x2"), p.of("turn-done", "x2")+1)
		p.put(p.find("campaign-finished"), Fact{Kind: "turn-dropped", Turn: "x2", Host: "x2", Code: "already-at-target", Why: "w"})
	}},
	{"a live patch that is dropped and not there", 10, one("not-at-target"), false, func(p *tape) {
		i := p.of("turn-permitted", "x2+live-patch")
		p.cutOut(i, p.of("turn-done", "x2+live-patch")+1)
		p.put(i, Fact{Kind: "turn-dropped", Turn: "x2+live-patch", Host: "x2", Code: "already-at-target", Why: "w"})
	}},
	{"a PV guest leaves a hypervisor that lost shadow", 6, one("cannot-take"), false, func(p *tape) {
		p.look(p.of("turn-permitted", "x2"), "x2").VirtCaps = []string{"pv", "hvm", "hap", "gnttab-v2"}
	}},
	{"a move onto the old while a host that is patched has room", 6, one("unfixed-destination"), false, func(p *tape) {
		p.overX4(true)
		p.repatch(func(f *fleet.Fleet, pl *plan.Plan) {
			ontoPatched(f, pl, "y1")
			pl.Moves = pl.Moves[:3]
		})
	}},
	{"live patches that end after disclosure", 9, one("after-disclosure"), false, func(p *tape) {
		p.repatch(func(_ *fleet.Fleet, pl *plan.Plan) { pl.Target.Disclosure = at("2026-03-10 02:44") })
	}},
}

func TestPatchJournalMutants(t *testing.T) {
	for _, m := range patchJournalMutants {
		t.Run(m.name, func(t *testing.T) {
			p := &tape{t, patchedJournal()}
			m.spoil(p)
			p.renumber()
			found := Facts(p.facts).Findings
			if got := codes(found); !slices.Equal(got, m.codes) {
				show(t, found)
				t.Fatalf("found %v, want %v", got, m.codes)
			}
			if !slices.ContainsFunc(found, func(x Finding) bool { return x.Law == m.law && x.What != "" && x.Allow != "" }) {
				t.Errorf("no finding with words is of law %d", m.law)
			}
		})
	}
}

// TestGoodPatchJournals: what may happen with live patches, deferred reboots and cohorts that are held.
func TestGoodPatchJournals(t *testing.T) {
	for name, change := range map[string]func(p *tape){
		"as it is": func(*tape) {},
		"deferred after disclosure": func(p *tape) {
			p.repatch(func(_ *fleet.Fleet, pl *plan.Plan) { pl.Target.Disclosure = at("2026-03-11 03:00") })
		},
		"two live patches at once, whatever max_away_percent": func(p *tape) {
			p.repatch(func(_ *fleet.Fleet, pl *plan.Plan) {
				pl.Policy.Canary, pl.Policy.MaxAwayPercent = false, 1
			})
			i, j := p.of("turn-permitted", "x2+live-patch")-1, p.of("turn-done", "x2+live-patch")
			second := slices.Clone(p.facts[i : j+1])
			p.cutOut(i, j+1)
			p.put(p.of("step-started", "x1+live-patch", "update"), second...)
			for n := range second {
				if k := p.of("turn-permitted", "x1+live-patch") + 1 + n; p.facts[k].Seen != nil {
					v := *p.facts[k].Seen
					v.At = p.facts[k].At
					p.facts[k].Seen = &v
				}
			}
		},
		"a live patch that is held is given up for its host's reboot": func(p *tape) {
			i := p.of("step-done", "x2+live-patch", "prove")
			p.facts[i] = Fact{Campaign: "spring", Who: "engine", At: p.facts[i].At, Kind: "turn-held", Turn: "x2+live-patch", Host: "x2", Step: "prove", Code: "live-patch-missing", Why: "w"}
			p.cutOut(i+1, i+2)
			p.put(p.of("turn-permitted", "x2"), Fact{Kind: "turn-dropped", Turn: "x2+live-patch", Host: "x2", Code: "reboot-instead", Why: "w"})
		},
		"a deferred reboot that is not needed any more": func(p *tape) {
			i := p.of("turn-permitted", "x2")
			v := p.look(i, "x2")
			v.Booted, v.BootID = map[string]string{xenPkg: newXen}, "boot-9-x2"
			p.cutOut(i, p.of("turn-done", "x2")+1)
			p.put(i, Fact{Kind: "turn-dropped", Turn: "x2", Host: "x2", Code: "already-at-target", Why: "w"})
		},
		"a live patch that is there already": func(p *tape) {
			i := p.of("turn-permitted", "x2+live-patch")
			p.look(i, "x2").LivePatches = []fleet.LivePatch{{Name: "lp1", Component: "xen", State: fleet.PatchApplied}}
			p.cutOut(i, p.of("turn-done", "x2+live-patch")+1)
			p.put(i, Fact{Kind: "turn-dropped", Turn: "x2+live-patch", Host: "x2", Code: "already-at-target", Why: "w"})
		},
		"a plan from before canaries were judged twice": func(p *tape) {
			p.cutOut(p.of("turn-done", "x1+live-patch")+1, p.of("turn-done", "x1+live-patch")+2)
			var raw map[string]any
			if err := json.Unmarshal(p.facts[0].Plan, &raw); err != nil {
				p.t.Fatal(err)
			}
			delete(raw["policy"].(map[string]any), "wave_growth")
			p.facts[0].Plan, _ = json.Marshal(raw)
		},
		"a canary that was unwell for a moment": func(p *tape) {
			i := p.of("turn-done", "x1+live-patch") + 1
			v := *p.facts[i].Seen
			v.Health = "sick"
			f := Fact{Kind: "host-seen", Host: "x1", Seen: &v}
			p.put(i, f)
			p.facts[i].At = v.At
		},
		"a move onto the old, for nobody was told of the patched host's reboot": func(p *tape) {
			p.overX4(true)
			p.repatch(func(f *fleet.Fleet, pl *plan.Plan) {
				ontoPatched(f, pl, "y1")
				pl.Moves = pl.Moves[:3]
				pl.Slots = slices.DeleteFunc(pl.Slots, func(s plan.Slot) bool { return s.ID == "x2/v3" })
			})
		},
		"a PV guest leaves a hypervisor whose capabilities nobody read": func(p *tape) { p.look(p.of("turn-permitted", "x2"), "x2").VirtCaps = nil },
	} {
		t.Run(name, func(t *testing.T) {
			p := &tape{t, patchedJournal()}
			change(p)
			p.renumber()
			if found := Facts(p.facts).Findings; len(found) > 0 {
				show(t, found)
				t.Fatal("found fault with what is allowed")
			}
		})
	}
}

// TestRunningPatchJournal: a journal that is cut anywhere is judged by what it says so far.
func TestRunningPatchJournal(t *testing.T) {
	for _, facts := range [][]Fact{patchedJournal(), unwellJournal(), heldJournal()} {
		for n := 1; n <= len(facts); n++ {
			if v := Facts(slices.Clone(facts[:n])); !v.Clean() {
				show(t, v.Findings)
				t.Fatalf("after %d of %d facts, %s", n, len(facts), facts[n-1].Kind)
			}
		}
	}
}
