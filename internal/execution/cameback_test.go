package execution

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

const (
	hypervisor = "xen-hypervisor-4.17-amd64"
	oldXenPkg  = "4.17.5+72-g01140da4e8-1"
	newXenPkg  = "4.17.7+13-g7fcd3d41e8-1"
)

// xenWorld reboots h1 alone, from build b1 of Xen 4.17.5 to 4.17.7; back says what it comes back as.
// What its looks say of packages is given by hand: booted and installed by version, running by release.
func xenWorld(t *testing.T, change func(*plan.Plan), before, back *HostView) *world {
	w := newWorld(t, func(p *plan.Plan, f *fleet.Fleet) {
		for i := range f.Hosts {
			f.Hosts[i].Hypervisor = fleet.Xen
		}
		p.Target.Cohorts[0].Packages = map[string]string{hypervisor: newXenPkg}
		p.Turns, p.Policy.FailureBudget = p.Turns[:1], 9
		p.Slots = slices.DeleteFunc(p.Slots, func(sl plan.Slot) bool { return sl.Turn != "h1" })
		if change != nil {
			change(p)
		}
	})
	w.answer = func(c Chore) ([]Fact, bool) {
		h := w.hosts["h1"]
		if c.Host != "h1" || c.Kind != ChoreLook && c.Kind != ChoreProve || h.silent {
			return nil, false
		}
		v, as := w.view("h1"), before
		if h.boot > 1 {
			as = back
		}
		v.Booted, v.Running, v.Installed, v.BuildID, v.Missing = as.Booted, as.Running, as.Installed, as.BuildID, as.Missing
		if h.qemu == newQEMU && h.boot == 1 { // its update has run
			v.Installed = back.Installed
		}
		if as.Health != "" {
			v.Health = as.Health
		}
		for i := range v.Instances {
			v.Instances[i].Running = nil
		}
		return []Fact{{Kind: HostSeen, Host: "h1", Seen: v}}, true
	}
	return w
}

func pkg(v string) map[string]string { return map[string]string{hypervisor: v} }

func release(v string) map[string]string { return map[string]string{xenUpstream: v} }

// TestXenThatComesBackWrong tells an old hypervisor, an old build and an old version apart.
func TestXenThatComesBackWrong(t *testing.T) {
	was := HostView{Booted: pkg(oldXenPkg), Installed: pkg(oldXenPkg), Running: release("4.17.5"), BuildID: "b1"}
	for name, c := range map[string]struct {
		change func(*plan.Plan)
		was    func(*HostView)
		back   HostView
		code   string // empty: it is done
		says   string
	}{
		"well":                            {back: HostView{Booted: pkg(newXenPkg), Installed: pkg(newXenPkg), Running: release("4.17.7"), BuildID: "b2"}, says: "hypervisor build b1 -> b2"},
		"well, the release is not told":   {back: HostView{Booted: pkg(newXenPkg), BuildID: "b2"}},
		"booted old":                      {back: HostView{Booted: pkg(oldXenPkg), Installed: pkg(newXenPkg), BuildID: "b0"}, code: CodeOldHypervisor, says: "booted " + hypervisor + " " + oldXenPkg + ", older than " + newXenPkg},
		"booted old, the build of before": {back: HostView{Booted: pkg(oldXenPkg), BuildID: "b1"}, code: CodeOldHypervisor, says: "its build id is the one from before the reboot, b1"},
		"its package is not known, its release is older": {back: HostView{Running: release("4.17.5"), Installed: pkg(newXenPkg), BuildID: "b1"}, code: CodeOldHypervisor, says: "runs Xen 4.17.5, older than"},
		"old, and its tools do not get on with it":       {back: HostView{Running: release("4.14.6"), BuildID: "b0", Health: "sick"}, code: CodeOldHypervisor},
		"called new, the very build of before":           {back: HostView{Booted: pkg(newXenPkg), Installed: pkg(newXenPkg), BuildID: "b1"}, code: CodeOldBuild, says: "build id b1; before it, it booted " + hypervisor + " " + oldXenPkg},
		"called the same release, the very build": {was: func(v *HostView) { v.Booted, v.Running = nil, release("4.17.7") },
			back: HostView{Running: release("4.17.7"), Installed: pkg(newXenPkg), BuildID: "B1"}, code: CodeOldBuild, says: "before its turn " + hypervisor + " " + oldXenPkg + " was installed"},
		"a routine update changed it, the very build": {change: func(p *plan.Plan) { p.Target.Cohorts[0].Packages = map[string]string{"linux-image-amd64": "1"} },
			back: HostView{Booted: map[string]string{"linux-image-amd64": "2"}, Installed: pkg(newXenPkg), BuildID: "b1"}, code: CodeOldBuild, says: "its update changed " + hypervisor},
		"a reboot for the kernel alone": {change: func(p *plan.Plan) { p.Target.Cohorts[0].Packages = map[string]string{"linux-image-amd64": "1"} },
			back: HostView{Booted: map[string]string{"linux-image-amd64": "2"}, Installed: pkg(oldXenPkg), BuildID: "b1"}},
		"it ran the fix before": {was: func(v *HostView) {
			v.Booted, v.Installed, v.Missing = pkg(newXenPkg), pkg(newXenPkg), []string{"its clock"}
			v.Running = release("4.17.7")
		},
			back: HostView{Booted: pkg(newXenPkg), Installed: pkg(newXenPkg), Running: release("4.17.7"), BuildID: "b1"}},
		"nothing tells what it booted": {back: HostView{BuildID: "b2"}, code: CodeOldVersion, says: "cannot be read"},
		"sick":                         {back: HostView{Booted: pkg(newXenPkg), BuildID: "b2", Health: "sick"}, code: CodeUnhealthy},
		"live patches and no package": {change: func(p *plan.Plan) {
			p.Target.Cohorts[0].Packages, p.Target.Cohorts[0].LivePatches = nil, []plan.WantedPatch{{Name: "lp1", Component: "xen", BuildID: "b9"}}
		}, back: HostView{BuildID: "b2"}, code: CodeCannotJudge, says: "nothing could prove a reboot"},
		"a mixed cohort's reboot is proven by its packages": {change: func(p *plan.Plan) {
			p.Target.Cohorts[0].Remedy, p.Target.Cohorts[0].LivePatches = "live-patch", []plan.WantedPatch{{Name: "lp1", Component: "xen", BuildID: "b9"}}
		}, back: HostView{Booted: pkg(newXenPkg), BuildID: "b2"}, says: newXenPkg},
	} {
		t.Run(name, func(t *testing.T) {
			before := was
			if c.was != nil {
				c.was(&before)
			}
			w := xenWorld(t, c.change, &before, &c.back)
			w.run(at("01:58:00"))
			if c.code == "" {
				i := slices.IndexFunc(w.facts, func(f Fact) bool { return f.Kind == StepDone && f.Step == StepProve })
				if i < 0 || !strings.Contains(w.facts[i].Why, c.says) {
					t.Fatalf("it is not proven: %s", w.tail(4))
				}
				return
			}
			if f := w.held("h1"); f.Code != c.code || !strings.Contains(f.Why, c.says) || !strings.HasSuffix(f.Next, "evenkeel retry h1") && c.code != CodeCannotJudge || f.Step != StepProve {
				t.Errorf("held with %+v", f)
			}
			if w.s.Fixed("h1") {
				t.Error("and called fixed")
			}
		})
	}
}

// TestSilentAfterTheReboot names what is known out of band of a host that does not answer, no earlier than
// it is sure, and says where nothing tells.
func TestSilentAfterTheReboot(t *testing.T) {
	at := func(f Fact, from time.Time) time.Duration { return f.At.Sub(from) }
	for name, c := range map[string]struct {
		codes func(since time.Duration) string // what each report says, by the time since the order
		code  string
		early bool
		says  string
	}{
		"nothing tells":       {func(time.Duration) string { return "unreachable" }, CodeNotBack, false, "within 5m0s: the word of its console"},
		"switched off":        {func(time.Duration) string { return CodePowerOff }, CodePowerOff, false, "it is switched off"},
		"no network":          {func(time.Duration) string { return CodeNoNetwork }, CodeNoNetwork, false, "cannot be reached"},
		"no control domain":   {func(time.Duration) string { return CodeNoDom0 }, CodeNoDom0, true, "no control domain came up"},
		"off, then no answer": {func(d time.Duration) string { return map[bool]string{true: CodePowerOff, false: ""}[d < time.Minute] }, CodeNotBack, false, "within 5m0s: the word of its console"},
		"for a moment no control domain": {func(d time.Duration) string {
			return map[bool]string{true: CodeNoDom0, false: CodeNoNetwork}[d < 50*time.Second]
		},
			CodeNoNetwork, false, "cannot be reached"},
		"at the very end": {func(d time.Duration) string { return map[bool]string{true: "", false: CodeNoDom0}[d < 290*time.Second] }, CodeNoDom0, false, "no control domain"},
	} {
		t.Run(name, func(t *testing.T) {
			view := HostView{Booted: pkg(oldXenPkg), Installed: pkg(oldXenPkg), BuildID: "b1"}
			w := xenWorld(t, nil, &view, &view)
			inner := w.answer
			w.store(Fact{Kind: HostLost, Host: "h1", Code: CodePowerOff, Why: "of another time"}, Fact{Kind: HostSeen, Host: "h1", Seen: w.view("h1")})
			w.answer = func(ch Chore) ([]Fact, bool) {
				tn := w.s.Turns["h1"]
				if ch.Kind == ChoreReboot {
					w.hosts["h1"].silent = true
					return []Fact{{Kind: StepDone, Turn: ch.Turn, Host: ch.Host, Step: ch.Step, Attempt: ch.Attempt}}, true
				}
				if ch.Host == "h1" && !tn.Ordered.IsZero() && (ch.Kind == ChoreLook || ch.Kind == ChoreProve) {
					return []Fact{{Kind: HostLost, Host: "h1", Code: c.codes(w.now.Sub(tn.Ordered)), Why: "the word of its console"}}, true
				}
				return inner(ch)
			}
			w.run(w.now.Add(time.Hour))
			f, tn := w.held("h1"), w.s.Turns["h1"]
			if f.Code != c.code || !strings.Contains(f.Why+f.Next, c.says) {
				t.Errorf("held with %+v", f)
			}
			since, least := at(f, tn.Ordered), sureAfter
			if !c.early {
				least = time.Duration(w.s.Plan.Policy.Times.RebootMax)
			}
			if since < least || c.early && since > 2*time.Minute {
				t.Errorf("held %s after the order", since)
			}
		})
	}
}

// A code from before the order tells nothing, and a host that answers on its old boot was not rebooted.
func TestNotRebooted(t *testing.T) {
	view := HostView{Booted: pkg(oldXenPkg), Installed: pkg(oldXenPkg), BuildID: "b1"}
	w := xenWorld(t, nil, &view, &view)
	inner := w.answer
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Kind == ChoreReboot {
			return []Fact{{Kind: StepDone, Turn: c.Turn, Host: c.Host, Step: c.Step, Attempt: c.Attempt}}, true
		}
		return inner(c)
	}
	w.run(at("01:58:00"))
	if f := w.held("h1"); f.Code != CodeSameBoot {
		t.Errorf("held with %+v", f)
	}
}

func TestReleaseOf(t *testing.T) {
	for v, want := range map[string][]int{"4.17.5": {4, 17, 5}, "4.17.7+13-g7fcd": {4, 17, 7}, "2:4.14.6-1": {4, 14, 6}, "4.17-unstable": {4, 17}, "": nil, "xen": nil, "4..1": {4}} {
		if got := releaseOf(v); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", v, got, want)
		}
	}
}

// A Xen guest has no monitor that tells what it runs on: the host's own proof holds for those that were
// saved and restored on it.
func TestXenGuestsAreJudgedByTheirHost(t *testing.T) {
	was := HostView{Booted: pkg(oldXenPkg), Installed: pkg(oldXenPkg), BuildID: "b1"}
	back := HostView{Booted: pkg(newXenPkg), Installed: pkg(newXenPkg), BuildID: "b2"}
	w := xenWorld(t, func(p *plan.Plan) {
		p.Turns[0].Tactic = plan.Suspend
		for i := range p.Slots {
			p.Slots[i].Disposition, p.Slots[i].Class = plan.DispStatefulStop, plan.ClassOutage
		}
	}, &was, &back)
	w.run(at("01:58:00"))
	if n := w.kinds()[BackDone]; n != 4 || w.s.PhaseWhy != "done" || !w.s.Fixed("h1") {
		t.Errorf("%d are back, it is %s %s, fixed %v: %s", n, w.s.Phase, w.s.PhaseWhy, w.s.Fixed("h1"), w.tail(4))
	}
}

// A host that answers on its old boot until shortly before the deadline was not rebooted: one look that was
// lost after that, and the old boot's login on its console, are no sign of anything else.
func TestOneLostLookNamesNothing(t *testing.T) {
	view := HostView{Booted: pkg(oldXenPkg), Installed: pkg(oldXenPkg), BuildID: "b1"}
	w := xenWorld(t, nil, &view, &view)
	inner := w.answer
	w.answer = func(c Chore) ([]Fact, bool) {
		tn := w.s.Turns["h1"]
		switch {
		case c.Kind == ChoreReboot:
			return []Fact{{Kind: StepDone, Turn: c.Turn, Host: c.Host, Step: c.Step, Attempt: c.Attempt}}, true
		case c.Host == "h1" && tn.Step == StepProve && tn.Deadline.Sub(w.now) < 5*time.Second:
			return []Fact{{Kind: HostLost, Host: "h1", Code: CodeNoNetwork, Why: "its console says \"h1 login:\""}}, true
		}
		return inner(c)
	}
	w.run(at("01:58:00"))
	if f := w.held("h1"); f.Code != CodeSameBoot {
		t.Errorf("held with %+v", f)
	}
}

// A controller that takes over long after the deadline looks for itself before it names a trouble: the host
// may have come back well meanwhile.
func TestTakeOverLooksFirst(t *testing.T) {
	was := HostView{Booted: pkg(oldXenPkg), Installed: pkg(oldXenPkg), BuildID: "b1"}
	back := HostView{Booted: pkg(newXenPkg), Installed: pkg(newXenPkg), BuildID: "b2"}
	w := xenWorld(t, nil, &was, &back)
	inner := w.answer
	away := true
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Kind == ChoreProve && away {
			return nil, true // the controller is killed: nobody hears of anything
		}
		return inner(c)
	}
	for until := w.now; w.s.Turns["h1"].Step != StepProve && until.Before(at("01:58:00")); until = until.Add(time.Second) {
		w.run(until)
	}
	w.now = w.s.Turns["h1"].Deadline.Add(time.Hour)
	w.store(Fact{Kind: ControllerTook, Generation: w.s.Generation + 1})
	for _, f := range w.s.Decide(w.now) {
		if f.Kind == TurnHeld {
			t.Fatalf("held before it looked: %+v", f)
		}
	}
	i := slices.IndexFunc(w.s.Outstanding(w.now), func(c Chore) bool { return c.Kind == ChoreProve })
	if i < 0 || w.s.Outstanding(w.now)[i].Deadline.Sub(w.now) < 45*time.Second {
		t.Fatalf("the look has no time: %+v", w.s.Outstanding(w.now))
	}
	away = false
	w.run(w.now.Add(5 * time.Minute))
	if !slices.ContainsFunc(w.facts, func(f Fact) bool { return f.Kind == StepDone && f.Step == StepProve }) {
		t.Errorf("it came back well, and is not proven: %s", w.tail(5))
	}
}

// A host whose packages look right and whose build id is that of the older hypervisor which the plan saw
// there is not at the target: its turn stays.
func TestSameBuildIsNotReached(t *testing.T) {
	for name, c := range map[string]struct {
		build   string
		reached bool
	}{"the very build": {"B1", false}, "another build": {"b2", true}} {
		look := HostView{Booted: pkg(newXenPkg), Installed: pkg(newXenPkg), Running: release("4.17.7"), BuildID: c.build}
		w := newWorld(t, func(p *plan.Plan, f *fleet.Fleet) {
			for i := range f.Hosts {
				f.Hosts[i].Hypervisor = fleet.Xen
				f.Hosts[i].Software = fleet.Software{Booted: pkg(oldXenPkg), Installed: pkg(oldXenPkg), BuildID: "b1"}
			}
			p.Target.Cohorts[0].Packages = map[string]string{hypervisor: newXenPkg}
		})
		v := w.view("h1")
		v.Booted, v.Running, v.Installed, v.BuildID, v.Missing = look.Booted, look.Running, look.Installed, look.BuildID, nil
		for i := range v.Instances {
			v.Instances[i].Running = nil
		}
		w.store(Fact{Kind: HostSeen, Host: "h1", Seen: v})
		if got := w.s.reached["h1"] != ""; got != c.reached {
			t.Errorf("%s: at the target %v, want %v (%s)", name, got, c.reached, w.s.reached["h1"])
		}
	}
}

// After a retry only what is heard after it counts: the last word is waited for, and what was said of the
// boot before is not said again.
func TestRetryHearsAnew(t *testing.T) {
	view := HostView{Booted: pkg(oldXenPkg), Installed: pkg(oldXenPkg), BuildID: "b1"}
	w := xenWorld(t, func(p *plan.Plan) { p.Policy.Times.RebootMax = plan.Duration(20 * time.Second) }, &view, &view)
	inner, said := w.answer, CodePowerOff
	w.answer = func(c Chore) ([]Fact, bool) {
		switch tn := w.s.Turns["h1"]; {
		case c.Kind == ChoreReboot:
			return []Fact{{Kind: StepDone, Turn: c.Turn, Host: c.Host, Step: c.Step, Attempt: c.Attempt}}, true
		case c.Host == "h1" && !tn.Ordered.IsZero() && said != "":
			return []Fact{{Kind: HostLost, Host: "h1", Code: said, Why: "it is dark"}}, true
		case c.Host == "h1" && !tn.Ordered.IsZero():
			return nil, true // no answer at all
		}
		return inner(c)
	}
	for until := w.now; w.s.Turns["h1"].Phase != TurnOnHold && until.Before(at("01:58:00")); until = until.Add(time.Second) {
		w.run(until)
	}
	if f := w.held("h1"); f.Code != CodePowerOff {
		t.Fatalf("held with %+v", f)
	}
	said = ""
	w.store(Fact{Kind: TurnReleased, Turn: "h1", Host: "h1", Who: "operator:me"})
	retried := w.now
	w.run(w.now.Add(2 * time.Minute))
	f := w.held("h1")
	if f.Code != CodeNotBack || strings.Contains(f.Why, "dark") {
		t.Errorf("held with %+v", f)
	}
	if after := f.At.Sub(retried); after < 20*time.Second+grace {
		t.Errorf("held %s after the retry, when its last word was still to come", after)
	}
}
