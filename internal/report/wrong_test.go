package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// both writes a report in both forms for people.
func both(t *testing.T, r *Report) (text, page string) {
	t.Helper()
	var a, b bytes.Buffer
	if err := Text(&a, r, nil); err != nil {
		t.Fatal(err)
	}
	if err := HTML(&b, r, nil); err != nil {
		t.Fatal(err)
	}
	return a.String(), b.String()
}

func says(t *testing.T, r *Report, words ...string) {
	t.Helper()
	text, page := both(t, r)
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("the text does not say %q:\n%s", w, text)
		}
		if !strings.Contains(page, w) {
			t.Errorf("the page does not say %q", w)
		}
	}
}

// patchFirst has hv-1 live-patched first, alone, and rebooted later in its own turn.
func patchFirst(t *testing.T) *journal {
	j := newJournal(t)
	hv2, hv1 := j.plan.Turns[0], j.plan.Turns[1]
	patch := hv1
	patch.ID, patch.Tactic = plan.PatchTurn("hv-1"), plan.LivePatch
	hv1.Wave, hv1.Deferred, hv2.Wave = 2, true, 3
	j.plan.Turns = []plan.Turn{hv2, hv1, patch}
	return j
}

// patched runs hv-1's live patch: 30 s of update, 5 s of proof.
func (j *journal) patched() *journal {
	id := plan.PatchTurn("hv-1")
	fact := func(k execution.Kind, step execution.Step) execution.Fact {
		return execution.Fact{Kind: k, Turn: id, Host: "hv-1", Step: step, Attempt: 1, BootID: bootOf("hv-1", 1)}
	}
	j.at(j.night().Add(-time.Hour)).add(fact(execution.TurnPermitted, "")).add(fact(execution.StepStarted, execution.StepUpdate)).after(30 * time.Second).add(fact(execution.StepDone, execution.StepUpdate))
	j.add(execution.Fact{Kind: execution.HostSeen, Host: "hv-1", Seen: &execution.HostView{At: j.now, BootID: bootOf("hv-1", 1), Health: "up"}})
	proof := fact(execution.StepDone, execution.StepProve)
	proof.Why = "applied: xen lp1"
	return j.after(5 * time.Second).add(proof).add(fact(execution.TurnDone, ""))
}

// Both turns of one host are shown, each with its own end; the host counts once, and the exposure ends
// with the live patch.
func TestLivePatchAndDeferredReboot(t *testing.T) {
	r := patchFirst(t).begin().patched().fold()
	if n := r.Totals; n.HostsPlanned != 2 || n.HostsDone != 0 || n.HostsOpen != 2 || n.Patched != 1 || n.Rebooted != 0 || r.Exposure.HostsLeft != 1 {
		t.Errorf("after the live patch: %+v, exposed %d", n, r.Exposure.HostsLeft)
	}
	j := patchFirst(t).begin().patched().firstTurn()
	j.add(execution.Fact{Kind: execution.HostSeen, Host: "hv-1", Seen: &execution.HostView{At: j.now, BootID: bootOf("hv-1", 2), Health: "up"}})
	r = j.secondTurn().finish("done").fold()
	if n := r.Totals; n.HostsPlanned != 2 || n.HostsDone != 2 || n.Patched != 1 || n.Rebooted != 2 {
		t.Errorf("at the end: %+v", n)
	}
	patch, reboot := r.Hosts[0], r.Hosts[1]
	if patch.Turn != "hv-1+live-patch" || patch.Tactic != plan.LivePatch || patch.BootAfter != patch.BootBefore || patch.Proof != "applied: xen lp1" {
		t.Errorf("its live patch: %+v", patch)
	}
	if reboot.Turn != "hv-1" || !reboot.Deferred || reboot.BootAfter != bootOf("hv-1", 2) {
		t.Errorf("its reboot: %+v", reboot)
	}
	says(t, r, "hv-1, its live patch", "hv-1, its deferred reboot", "1 live-patched, 2 rebooted")
	text, _ := both(t, r)
	if n := strings.Count(text, "hv-1, its "); n != 2 {
		t.Errorf("%d lines of hv-1", n)
	}
}

// A live patch that was held, and whose host was rebooted instead, leaves the host done; one whose reboot is
// dropped does not.
func TestHostsWithTwoTurnsCountOnce(t *testing.T) {
	instead := patchFirst(t).begin().at(newJournal(t).night()).add(execution.Fact{Kind: execution.TurnDropped, Turn: "hv-1+live-patch", Host: "hv-1", Code: execution.CodeInstead, Why: "w"}).firstTurn().fold()
	if n := instead.Totals; n.HostsDone != 1 || n.HostsOpen != 1 || n.Patched != 0 {
		t.Errorf("rebooted instead: %+v", n)
	}
	aborted := patchFirst(t).begin().patched().add(execution.Fact{Kind: execution.TurnDropped, Turn: "hv-1", Host: "hv-1", Code: execution.CodeAborted, Why: "w"}).fold()
	if n := aborted.Totals; n.HostsDone != 0 || n.HostsDropped != 1 || n.HostsOpen != 1 {
		t.Errorf("its reboot is dropped: %+v", n)
	}
	spared := patchFirst(t).begin().patched().add(execution.Fact{Kind: execution.TurnDropped, Turn: "hv-1", Host: "hv-1", Code: execution.CodeReached, Why: "w"}).fold()
	if n := spared.Totals; n.HostsDone != 1 || n.HostsDropped != 0 {
		t.Errorf("its reboot is not needed: %+v", n)
	}
}

// A canary that is not sound after its soak is held again, and its host is exposed again.
func TestCanaryUnwell(t *testing.T) {
	j := patchFirst(t).begin().patched().after(30 * time.Minute)
	before := j.fold().Exposure
	j.add(execution.Fact{Kind: execution.TurnHeld, Turn: "hv-1+live-patch", Host: "hv-1", Code: execution.CodeCanaryUnwell, Why: "after its soak it is not sound: live patch lp1 is not in the host's list", Next: "evenkeel retry hv-1+live-patch"})
	j.add(execution.Fact{Kind: execution.CampaignHalted, Turn: "hv-1+live-patch", Host: "hv-1", Code: execution.CodeCanary, Why: "the canary hv-1 failed"})
	r := j.after(time.Hour).add(execution.Fact{Kind: execution.CampaignPaused, Why: "w"}).fold()
	line := r.Hosts[0]
	if line.State != HostHeld || line.Code != execution.CodeCanaryUnwell || !line.Ended.IsZero() || r.Totals.HostsHeld != 1 || r.Totals.Patched != 0 {
		t.Errorf("its line is %+v", line)
	}
	if e := r.Exposure; e.HostsLeft != 2 || before.HostsLeft != 1 || e.GuestsLeft != before.GuestsLeft+2 || e.HostHours < before.HostHours+1.9 {
		t.Errorf("exposure %+v, before it was held %+v", e, before)
	}
	says(t, r, "after its soak it is not sound", "evenkeel retry hv-1")
}

// A host that loses its live patch is exposed again from the look that shows it, until one shows it fixed; a
// look that did not read its list says nothing.
func TestLivePatchThatFades(t *testing.T) {
	const xen, was, fixed = "xen-hypervisor-4.17-amd64", "4.17.5+1-1", "4.17.7+1-1"
	none, lp := []fleet.LivePatch{}, []fleet.LivePatch{{Name: "lp1", Component: "xen", State: fleet.PatchApplied}}
	j := patchFirst(t)
	for i := range j.fleet.Hosts {
		h := &j.fleet.Hosts[i]
		sw := map[string]string{xen: map[bool]string{true: was, false: fixed}[i < 2]}
		h.Hypervisor, h.Software = fleet.Xen, fleet.Software{Installed: sw, Booted: sw, LivePatches: none}
	}
	j.plan.Target.Cohorts[0] = plan.Cohort{Name: "xen", Ecosystem: "Debian:12", Packages: map[string]string{xen: fixed}, Remedy: "live-patch", Then: "reboot",
		LivePatches: []plan.WantedPatch{{Name: "lp1", Component: "xen"}}}
	var at []Exposure
	j.begin().patched()
	for i, seen := range []struct {
		boot int
		have string
		list []fleet.LivePatch
	}{{1, was, lp}, {2, was, nil}, {2, was, none}, {2, was, none}, {3, fixed, none}, {3, fixed, nil}} {
		sw := map[string]string{xen: seen.have}
		j.after(time.Hour).add(execution.Fact{Kind: execution.HostSeen, Host: "hv-1",
			Seen: &execution.HostView{At: j.now, BootID: bootOf("hv-1", seen.boot), Health: "up", Installed: sw, Booted: sw, LivePatches: seen.list}})
		at = append(at, j.fold().Exposure)
		if left := map[bool]int{false: 1, true: 2}[i == 2 || i == 3]; at[i].HostsLeft != left {
			t.Errorf("look %d: %d hosts are exposed, want %d", i, at[i].HostsLeft, left)
		}
	}
	// hv-2 is exposed all the time; hv-1 from look 2 to look 4.
	for i, want := range []float64{1, 1, 2, 2, 1} {
		if got := at[i+1].HostHours - at[i].HostHours; got < want-0.01 || got > want+0.01 {
			t.Errorf("from look %d to %d: %.2f host-hours, want %.0f", i, i+1, got, want)
		}
	}
	if at[3].GuestsLeft != at[1].GuestsLeft+2 || at[4].GuestsLeft != at[1].GuestsLeft {
		t.Errorf("instances: %d, %d, %d", at[1].GuestsLeft, at[3].GuestsLeft, at[4].GuestsLeft)
	}
	says(t, j.fold(), "its live patch is not in effect any more", "it is on the fix again")
}

// Hosts that came back wrong are named with what they came back as, and whether that was mended.
func TestHostsThatCameBackWrong(t *testing.T) {
	for _, mended := range []bool{false, true} {
		j := newJournal(t).begin()
		const h = "hv-1"
		j.at(j.night().Add(time.Second)).turn(execution.TurnPermitted, h).step(h, execution.StepReboot, time.Second)
		j.add(execution.Fact{Kind: execution.StepStarted, Turn: h, Host: h, Step: execution.StepProve, Attempt: 1}).after(2 * time.Minute)
		j.add(execution.Fact{Kind: execution.TurnHeld, Turn: h, Host: h, Step: execution.StepProve, Code: execution.CodeOldBuild, Why: "it runs the very hypervisor from before", Next: "evenkeel retry hv-1"})
		if mended {
			j.after(time.Minute).turn(execution.TurnReleased, h).step(h, execution.StepProve, time.Second).turn(execution.TurnDone, h)
		}
		r := j.fold()
		if len(r.Wrong) != 1 || r.Wrong[0].Host != h || r.Wrong[0].Code != execution.CodeOldBuild || r.Wrong[0].Mended.IsZero() == mended {
			t.Fatalf("mended %v: %+v", mended, r.Wrong)
		}
		says(t, r, "old-build", "it runs the very hypervisor from before")
		if text, _ := both(t, r); !strings.Contains(text, "HOSTS THAT CAME BACK WRONG: 1") {
			t.Error("the text does not list it")
		}
	}
	held := newJournal(t).begin().at(newJournal(t).night()).turn(execution.TurnPermitted, "hv-1").
		add(execution.Fact{Kind: execution.TurnHeld, Turn: "hv-1", Host: "hv-1", Step: execution.StepEmpty, Code: execution.CodeUnhealthy, Why: "w"}).fold()
	if len(held.Wrong) != 0 {
		t.Errorf("a hold ahead of its reboot is no wrong return: %+v", held.Wrong)
	}
}

// Cohorts that were held are told with since when, until when and by whom.
func TestHeldCohorts(t *testing.T) {
	j := newJournal(t).begin().at(newJournal(t).night())
	j.add(execution.Fact{Kind: execution.CohortHeld, Cohort: "kvm", Code: execution.CodeMigrationsFail, Why: "3 migrations in a row failed", Next: "evenkeel replan c1"})
	r := j.fold()
	if len(r.Cohorts) != 1 || !r.Cohorts[0].Released.IsZero() || r.Totals.CohortHolds != 1 {
		t.Fatalf("held: %+v", r.Cohorts)
	}
	says(t, r, "3 migrations in a row failed", "evenkeel replan c1")
	r = j.after(time.Hour).add(execution.Fact{Kind: execution.CohortReleased, Who: "operator:ana", Cohort: "kvm"}).fold()
	if c := r.Cohorts[0]; !c.Released.Equal(j.now) || c.By != "operator:ana" {
		t.Errorf("released: %+v", c)
	}
	says(t, r, "operator:ana")
	if bad := newJournal(t).begin().add(execution.Fact{Kind: execution.CohortReleased, Cohort: "kvm"}); true {
		r, err := Fold(bad.facts)
		if err != nil || len(r.Misfits) != 1 {
			t.Errorf("a release of what is not held: %v %v", err, r.Misfits)
		}
	}
}
