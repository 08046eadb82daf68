package report

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/plan"
)

func TestWholeCampaign(t *testing.T) {
	r := newJournal(t).begin().firstTurn().secondTurn().finish("done").fold()
	if r.State != Finished || r.Why != "done" || r.Campaign != "c1" || r.By != "operator:ana" || r.Ended.IsZero() {
		t.Errorf("%s %q of %s by %s", r.State, r.Why, r.Campaign, r.By)
	}
	n := r.Totals
	if n.HostsPlanned != 2 || n.HostsDone != 2 || n.Rebooted != 2 || n.InstancesTouched != 3 || n.TenantsTouched != 2 || n.InstancesBefore != 3 || n.InstancesRunning != 3 {
		t.Errorf("totals %+v", n)
	}
	if n.Moves != 3 || n.Stops != 1 || n.MovesFailed != 0 || n.Takeovers != 0 || n.Holds != 0 || n.BlackoutMedianMs != 240 || n.BlackoutMaxMs != 310 || n.StopMaxMs != 99000 {
		t.Errorf("totals %+v", n)
	}
	if len(r.Promises) != 3 || n.Promises[Kept] != 3 {
		t.Errorf("promises %v", n.Promises)
	}
	db := r.promise("hv-1/db-1")
	if db.ActualMs != 99000 || !db.Told || db.From.Sub(r.Applied) < 24*time.Hour || db.ToldAheadS != int64(db.From.Sub(applied.Add(62*time.Second)).Seconds()) {
		t.Errorf("db-1: %+v", db)
	}
	if len(r.NeverBack) != 0 || len(r.Events) != 0 {
		t.Errorf("never back %v, events %v", r.NeverBack, r.Events)
	}
	h := r.hostLine("hv-1")
	if h.State != HostDone || h.BootBefore != "hv-1-boot-1" || h.BootAfter != "hv-1-boot-2" || len(h.Borrowed) != 0 || !strings.Contains(h.Proof, newQEMU) {
		t.Errorf("hv-1: %+v", h)
	}
	var names []string
	total := 0.0
	for _, s := range h.Steps {
		names = append(names, s.Name)
		total += s.Seconds
	}
	if got := strings.Join(names, " "); got != "cordon empty update stop reboot prove return" || total != 184 || h.DurationS != 184 {
		t.Errorf("steps %s, %v s in all, turn %d s", got, total, h.DurationS)
	}
	if r.Hosts[0].Host != "hv-1" || r.Hosts[2].State != HostSkipped {
		t.Errorf("hosts out of order: %v", r.Hosts)
	}
	if r.Notices[0].AheadS != int64(r.Notices[0].FirstDisruption.Sub(r.Notices[0].Accepted).Seconds()) || r.Notices[0].AheadS < 86400 {
		t.Errorf("notice %+v", r.Notices[0])
	}
}

// TestExposure: hv-1 is unfixed from the start until its proof, hv-2 likewise; web-1 first moves to
// hv-2, which is not fixed yet, and is fixed only by its second move.
func TestExposure(t *testing.T) {
	j := newJournal(t).begin().firstTurn().secondTurn().finish("done")
	var hosts, guests float64
	for _, f := range j.facts {
		since := f.At.Sub(applied).Hours()
		switch {
		case f.Kind == execution.StepDone && f.Step == execution.StepProve:
			hosts += since
		case f.Kind == execution.BackDone, f.Kind == execution.MoveDone && f.To == "hv-1":
			guests += since
		}
	}
	e := j.fold().Exposure
	if !e.Counted || math.Abs(e.HostHours-hosts) > 1e-9 || math.Abs(e.InstanceHours-guests) > 1e-9 || e.HostsAtStart != 2 || e.GuestsAtStart != 3 || e.HostsLeft != 0 || e.GuestsLeft != 0 {
		t.Errorf("%+v, want %f and %f hours", e, hosts, guests)
	}
	j = newJournal(t).begin().after(10 * time.Hour).add(execution.Fact{Kind: execution.CampaignPaused, Why: "lunch"})
	if e = j.fold().Exposure; e.HostsLeft != 2 || e.GuestsLeft != 3 || math.Abs(e.HostHours-2*(10*time.Hour+62*time.Second).Hours()) > 1e-9 {
		t.Errorf("nothing fixed yet: %+v", e)
	}
	j = newJournal(t)
	j.plan.Target = nil
	if e = j.begin().firstTurn().fold().Exposure; e.Counted || e.HostHours != 0 {
		t.Errorf("a routine cycle: %+v", e)
	}
}

// TestMonitorEndsExposure: what the instance's own monitor says counts, wherever it runs.
func TestMonitorEndsExposure(t *testing.T) {
	j := newJournal(t).begin().after(time.Hour)
	seen := func(v string) *execution.HostView {
		return &execution.HostView{At: j.now, Health: "up", Instances: []execution.InstanceView{{ID: "web-1", State: "running", Running: map[string]string{qemu: v}}}}
	}
	j.add(execution.Fact{Kind: execution.HostSeen, Host: "hv-1", Seen: seen(oldQEMU)})
	if e := j.fold().Exposure; e.GuestsLeft != 3 {
		t.Errorf("an old monitor: %+v", e)
	}
	j.add(execution.Fact{Kind: execution.HostSeen, Host: "hv-1", Seen: seen(newQEMU)})
	if e := j.fold().Exposure; e.GuestsLeft != 2 {
		t.Errorf("a new monitor: %+v", e)
	}
}

// TestLandingIsNoProof: an instance that landed on a fixed host counts as fixed since then, unless its own
// monitor says the contrary, or it is moved on to a host that is not fixed.
func TestLandingIsNoProof(t *testing.T) {
	run := func(version, on string) (Exposure, float64) {
		j := newJournal(t).begin().firstTurn().turn(execution.TurnPermitted, "hv-2").place("hv-2", "web-2", "hv-1", 1).after(time.Minute)
		landed := j.now.Sub(applied).Hours()
		j.moved("hv-2", "web-2", "hv-1", 1, 100).after(time.Hour)
		if version != "" {
			j.add(execution.Fact{Kind: execution.HostSeen, Host: "hv-1", Seen: &execution.HostView{At: j.now, Health: "up",
				Instances: []execution.InstanceView{{ID: "web-2", State: "running", Running: map[string]string{qemu: version}}}}})
		}
		if on != "" {
			j.add(execution.Fact{Kind: execution.MovePlaced, Turn: "hv-2", Instance: "web-2", From: "hv-1", To: on, Attempt: 2, Disposition: plan.DispLiveMigrate})
			j.moved("hv-2", "web-2", on, 2, 100)
		}
		return j.after(time.Hour).add(execution.Fact{Kind: execution.CampaignPaused, Why: "w"}).fold().Exposure, landed
	}
	trusted, landed := run("", "")
	proven, _ := run(newQEMU, "")
	if trusted.GuestsLeft != 1 || proven.GuestsLeft != 1 || math.Abs(trusted.InstanceHours-proven.InstanceHours) > 1e-9 {
		t.Errorf("landed at %f hours: %+v, proven %+v", landed, trusted, proven)
	}
	for name, c := range map[string][2]string{"its monitor says the old version": {oldQEMU, ""}, "it was moved on": {"", "hv-2"}} {
		if e, _ := run(c[0], c[1]); e.GuestsLeft != 2 || e.InstanceHours < trusted.InstanceHours+1.9 {
			t.Errorf("%s: %+v, trusted %+v", name, e, trusted)
		}
	}
}

// TestReachedEndsExposure: a turn that is dropped since its host is at the target ends the exposure of
// the host and of all on it.
func TestReachedEndsExposure(t *testing.T) {
	j := newJournal(t).begin().after(time.Hour)
	j.add(execution.Fact{Kind: execution.TurnDropped, Turn: "hv-1", Host: "hv-1", Code: execution.CodeReached, Why: "it is there"})
	if e := j.fold().Exposure; e.HostsLeft != 1 || e.GuestsLeft != 1 {
		t.Errorf("%+v", e)
	}
	j = newJournal(t).begin().after(time.Hour)
	j.add(execution.Fact{Kind: execution.TurnDropped, Turn: "hv-1", Host: "hv-1", Code: execution.CodeAborted, Why: "enough"})
	if e := j.fold().Exposure; e.HostsLeft != 2 || e.GuestsLeft != 3 {
		t.Errorf("a drop for another reason: %+v", e)
	}
}

func TestPromiseOutcomes(t *testing.T) {
	const h, web, db = "hv-1", "hv-1/web-1", "hv-1/db-1"
	permit := func(j *journal, at time.Duration) *journal {
		return j.begin().at(j.night().Add(at)).turn(execution.TurnPermitted, h)
	}
	for _, c := range []struct {
		name, id string
		journal  func(j *journal) *journal
		want     Outcome
		says     string
	}{
		{"waiting", web, func(j *journal) *journal { return j.begin() }, Ahead, ""},
		{"moving", web, func(j *journal) *journal { return permit(j, 0).place(h, "web-1", "hv-2", 1) }, Moving, ""},
		{"kept", web, func(j *journal) *journal {
			return permit(j, 0).place(h, "web-1", "hv-2", 1).after(time.Second).moved(h, "web-1", "hv-2", 1, 5000)
		}, Kept, ""},
		{"longer than told", web, func(j *journal) *journal {
			return permit(j, 0).place(h, "web-1", "hv-2", 1).after(9*time.Second).moved(h, "web-1", "hv-2", 1, 5001)
		}, Overrun, "interrupted for 5 s, told was at most 5 s; a pause of 5 s is no blip"},
		{"not measured, but short", web, func(j *journal) *journal {
			return permit(j, 0).place(h, "web-1", "hv-2", 1).after(5*time.Second).moved(h, "web-1", "hv-2", 1, -1)
		}, Kept, ""},
		{"not measured", web, func(j *journal) *journal {
			return permit(j, 0).place(h, "web-1", "hv-2", 1).after(6*time.Second).moved(h, "web-1", "hv-2", 1, -1)
		}, Unproven, "the act took 6 s, told was at most 5 s"},
		{"before its slot", web, func(j *journal) *journal {
			return permit(j, -90*time.Second).place(h, "web-1", "hv-2", 1).after(time.Second).moved(h, "web-1", "hv-2", 1, 100)
		}, Overrun, "began 1 m 30 s before its slot"},
		{"after its slot", web, func(j *journal) *journal {
			return permit(j, 2*time.Hour-time.Second).place(h, "web-1", "hv-2", 1).after(61*time.Second).moved(h, "web-1", "hv-2", 1, 100)
		}, Overrun, "ended 1 m after its slot"},
		{"stopped and not back", db, func(j *journal) *journal {
			return permit(j, time.Hour).stopFact(execution.StopStarted, h, "db-1").after(time.Second).stopFact(execution.StopDone, h, "db-1").at(j.night().Add(3 * time.Hour)).add(execution.Fact{Kind: execution.CampaignPaused})
		}, Overrun, "it is not over 1 h after its slot"},
		{"told blip, was stopped", web, func(j *journal) *journal {
			return permit(j, 0).stopFact(execution.StopStarted, h, "web-1").after(time.Second).stopFact(execution.BackDone, h, "web-1")
		}, Overrun, "told was class blip, but it was stopped"},
		{"the journal says overrun", db, func(j *journal) *journal {
			return permit(j, 0).add(execution.Fact{Kind: execution.Overrun, Turn: h, Instance: "db-1", Slots: []string{db}, Why: "late"})
		}, Overrun, "an overrun was recorded at"},
		{"failed, and stayed", web, func(j *journal) *journal {
			return permit(j, 0).place(h, "web-1", "hv-2", 1).after(time.Second).
				add(execution.Fact{Kind: execution.MoveFailed, Turn: h, Instance: "web-1", From: h, To: "hv-2", Attempt: 1, Code: "no-progress", Why: "it does not converge", Source: "running", Destination: "absent"}).
				add(execution.Fact{Kind: execution.TurnDropped, Turn: h, Host: h, Code: "aborted"}).finish("aborted")
		}, Dropped, "aborted"},
		{"nothing had to be done", web, func(j *journal) *journal { return permit(j, 0).turn(execution.TurnDone, h) }, Unmoved, "nothing had to be done"},
		{"held", web, func(j *journal) *journal {
			return permit(j, 0).add(execution.Fact{Kind: execution.TurnHeld, Turn: h, Host: h, Step: execution.StepUpdate, Code: "step-failed", Why: "apt is locked"})
		}, OnHold, "apt is locked"},
		{"gone", web, func(j *journal) *journal {
			return permit(j, 0).add(execution.Fact{Kind: execution.External, Turn: h, Host: h, Instance: "web-1", Code: "gone", Why: "its tenant deleted it"})
		}, Dropped, "its tenant deleted it"},
		{"its slot passed", web, func(j *journal) *journal {
			return j.begin().at(j.night().Add(3 * time.Hour)).add(execution.Fact{Kind: execution.CampaignPaused})
		}, Unmoved, "its slot passed"},
		{"a child keeps it", web, func(j *journal) *journal {
			return j.begin().add(execution.Fact{Kind: execution.CampaignAborted, Code: execution.CodeSuperseded, Why: "campaign summer takes its place", Slots: []string{web}}).
				add(execution.Fact{Kind: execution.TurnDropped, Turn: h, Host: h, Code: execution.CodeSuperseded, Why: "x"}).finish("superseded")
		}, Handed, "campaign summer takes its place"},
		{"the campaign ended", web, func(j *journal) *journal { return j.begin().finish("aborted") }, Dropped, "the campaign ended before"},
		{"may come home", web, func(j *journal) *journal {
			j.plan.Policy.BringHome = true
			return permit(j, 0).place(h, "web-1", "hv-2", 1).after(time.Second).moved(h, "web-1", "hv-2", 1, 100)
		}, Moving, "it may still be brought home"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := c.journal(newJournal(t)).fold().promise(c.id)
			if p.Outcome != c.want || !strings.Contains(p.Why, c.says) {
				t.Errorf("%s (%s), want %s (%s)", p.Outcome, p.Why, c.want, c.says)
			}
		})
	}
}

func TestTroubles(t *testing.T) {
	const h = "hv-1"
	j := newJournal(t).begin().at(newJournal(t).night()).turn(execution.TurnPermitted, h).step(h, execution.StepCordon, time.Second)
	j.add(execution.Fact{Kind: execution.Borrowed, Turn: h, Host: h, Code: "cordon"})
	j.place(h, "web-1", "hv-2", 1).after(10 * time.Second).
		add(execution.Fact{Kind: execution.MoveFailed, Turn: h, Instance: "web-1", From: h, To: "hv-2", Attempt: 1, Code: "no-progress", Why: "it does not converge", Retry: true, Source: "running", Destination: "absent"})
	j.after(time.Second).add(execution.Fact{Kind: execution.ControllerTook, Generation: 2, Why: "controller started"})
	j.place(h, "web-1", "hv-2", 2).after(10*time.Second).moved(h, "web-1", "hv-2", 2, 90).stepDone(h, execution.StepEmpty)
	j.add(execution.Fact{Kind: execution.StepStarted, Turn: h, Host: h, Step: execution.StepUpdate, Attempt: 1}).after(time.Minute)
	j.add(execution.Fact{Kind: execution.StepFailed, Turn: h, Host: h, Step: execution.StepUpdate, Attempt: 1, Code: "update-failed", Why: "exit 100", Retry: true})
	j.add(execution.Fact{Kind: execution.TurnHeld, Turn: h, Host: h, Step: execution.StepUpdate, Code: "step-failed", Why: "exit 100", Next: "evenkeel retry hv-1"}).after(time.Hour)
	j.add(execution.Fact{Kind: execution.CampaignPaused, Who: "operator:ana", Why: "looking"}).after(time.Minute).add(execution.Fact{Kind: execution.CampaignResumed, Who: "operator:ana"})
	j.add(execution.Fact{Kind: execution.TurnReleased, Who: "operator:ana", Turn: h, Host: h})
	j.stopFact(execution.StopStarted, h, "db-1").after(time.Second).stopFact(execution.StopDone, h, "db-1").after(time.Second)
	j.stopFact(execution.BackStarted, h, "db-1").add(execution.Fact{Kind: execution.BackFailed, Turn: h, Instance: "db-1", To: h, Attempt: 1, Code: "failed", Why: "no image"})
	j.add(execution.Fact{Kind: execution.External, Host: "hv-2", Instance: "web-2", Code: "gone", Why: "its tenant deleted it"})
	j.add(execution.Fact{Kind: execution.TurnHeld, Turn: h, Host: h, Step: execution.StepReturn, Code: "not-returned", Why: "db-1 does not come back"})
	r := j.fold()

	n := r.Totals
	if n.MovesFailed != 1 || n.Moves != 1 || n.Holds != 2 || n.Retries != 2 || n.Pauses != 1 || n.Takeovers != 1 || n.Externals != 1 {
		t.Errorf("totals %+v", n)
	}
	line := r.hostLine(h)
	if line.State != HostHeld || line.Code != "not-returned" || len(line.Holds) != 2 || line.Holds[0].Seconds != 3660 || line.Holds[0].Result != Done || line.Holds[1].Result != Open || len(line.Borrowed) != 1 {
		t.Errorf("host %+v", line)
	}
	if len(r.NeverBack) != 2 || r.NeverBack[0].Instance != "db-1" || !r.NeverBack[0].Ours || !strings.Contains(r.NeverBack[0].Why, "no image") || r.NeverBack[1].Instance != "web-2" || r.NeverBack[1].Ours {
		t.Errorf("never back %+v", r.NeverBack)
	}
	if p := r.promise("hv-1/web-1"); p.Outcome != Kept || p.Attempts != 2 || p.ActualMs != 90 {
		t.Errorf("a move that worked at the second try: %+v", p)
	}
	var text bytes.Buffer
	if err := Text(&text, r, nil); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"another controller took over (generation 2)", "its move to hv-2 failed, attempt 1: it does not converge", "step update failed, attempt 1: exit 100",
		"held at step update: exit 100 (next: evenkeel retry hv-1)", "(operator:ana)  paused: looking", "by others: gone: its tenant deleted it", "not given back: cordon",
		"NEVER CAME BACK: 2", "db-1  of birch, on hv-1", "VERDICT: the auditor was not asked"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("does not say %q:\n%s", want, text.String())
		}
	}
}

// TestTwoRevisions: a child plan takes one promise back and moves another.
func TestTwoRevisions(t *testing.T) {
	j := newJournal(t).begin()
	j.plan.Revision, j.plan.Parent = 2, 1
	j.plan.Slots = j.plan.Slots[:2]
	j.plan.Turns = j.plan.Turns[1:]
	j.plan.Slots[0].Start, j.plan.Slots[0].End = j.plan.Slots[0].Start.Add(24*time.Hour), j.plan.Slots[0].End.Add(24*time.Hour)
	r := j.after(time.Hour).apply().fold()
	if p := r.promise("hv-2/web-2"); p.Outcome != Dropped || p.Why != "revision 2 took it back" {
		t.Errorf("%s %s", p.Outcome, p.Why)
	}
	if p := r.promise("hv-1/web-1"); p.Outcome != Ahead || !p.Start.Equal(j.plan.Slots[0].Start) {
		t.Errorf("%s %s", p.Outcome, p.Start)
	}
	if h := r.hostLine("hv-2"); h.State != HostDropped || r.Revision != 2 {
		t.Errorf("%s, revision %d", h.State, r.Revision)
	}
}

func TestBrokenJournals(t *testing.T) {
	whole := newJournal(t).begin().firstTurn()
	for _, c := range []struct {
		name  string
		facts []execution.Fact
		says  string
	}{
		{"empty", nil, "the journal is empty"},
		{"no plan", whole.facts[1:], "fact 2: found controller-took, expected campaign-applied"},
		{"unreadable plan", []execution.Fact{{Seq: 1, Kind: execution.CampaignApplied, Plan: json.RawMessage(`{`)}}, "its plan does not read"},
		{"two campaigns", append(append([]execution.Fact{}, whole.facts...), execution.Fact{Seq: 99, At: whole.now, Kind: execution.TurnDone, Campaign: "c2"}), "found campaign c2 in the journal of c1"},
	} {
		if _, err := Fold(c.facts); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %s", c.name, err, c.says)
		}
	}
	j := newJournal(t).begin().turn(execution.TurnDone, "hv-9").moved("hv-1", "web-1", "hv-2", 7, 1)
	r, err := Fold(j.facts)
	if err != nil || len(r.Misfits) != 2 {
		t.Errorf("%v, misfits %v", err, r.Misfits)
	}
}

// TestCutAnywhere: a journal cut off after any fact gives a report in every form, and what it says
// never runs ahead of what happened.
func TestCutAnywhere(t *testing.T) {
	whole := newJournal(t).begin().firstTurn().secondTurn().finish("done")
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, len(whole.facts)).Draw(t, "facts")
		r, err := Fold(whole.facts[:n])
		if err != nil || len(r.Misfits) > 0 {
			t.Fatalf("after %d facts: %v, %v", n, err, r.Misfits)
		}
		sum := 0
		for _, k := range r.Totals.Promises {
			sum += k
		}
		if sum != 3 || !r.Until.Equal(whole.facts[n-1].At) || (r.State == Finished) != (n == len(whole.facts)) {
			t.Fatalf("after %d facts: %+v", n, r.Totals)
		}
		for _, a := range r.Acts {
			if a.End.After(r.Until) || (a.Result == Done) == a.End.IsZero() {
				t.Fatalf("after %d facts: %+v", n, a)
			}
		}
		for _, write := range []func(*bytes.Buffer) error{
			func(b *bytes.Buffer) error { return Text(b, r, nil) },
			func(b *bytes.Buffer) error { return JSON(b, r, nil) },
			func(b *bytes.Buffer) error { return HTML(b, r, nil) },
		} {
			var b bytes.Buffer
			if err := write(&b); err != nil || b.Len() == 0 {
				t.Fatal(err)
			}
		}
	})
}

func TestJSONAndVerdict(t *testing.T) {
	r := newJournal(t).begin().firstTurn().secondTurn().finish("done").fold()
	v := &audit.Verdict{Finished: true, Findings: []audit.Finding{{Law: 4, Code: "told-late", Subject: audit.Subject{Tenant: "acme"}, What: "told 3 h ahead", Allow: "24 h ahead"}}}
	var out bytes.Buffer
	if err := JSON(&out, r, v); err != nil {
		t.Fatal(err)
	}
	var back struct {
		Campaign string
		Promises []struct {
			ID, Outcome, Class string
			ActualMs           int64 `json:"actual_ms"`
		}
		Verdict struct{ Findings []audit.Finding }
	}
	if err := json.Unmarshal(out.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if back.Campaign != "c1" || len(back.Promises) != 3 || back.Promises[0].Outcome != "kept" || back.Promises[0].Class == "" || len(back.Verdict.Findings) != 1 {
		t.Errorf("%+v", back)
	}
	var text bytes.Buffer
	if err := Text(&text, r, v); err != nil {
		t.Fatal(err)
	}
	if s := text.String(); !strings.Contains(s, "VERDICT: violations 1 (") || !strings.Contains(s, "law 4, told first [told-late] tenant acme: told 3 h ahead") || !strings.HasPrefix(s, "hypervisor maintenance <spring>: report on campaign c1") {
		t.Errorf("%s", s)
	}
}

func TestHTML(t *testing.T) {
	j := newJournal(t)
	j.fleet.Instances[0].Tenant = `<script>alert("x")</script>`
	j.plan.Slots[0].Tenant = j.fleet.Instances[0].Tenant
	r := j.begin().firstTurn().secondTurn().finish("done").fold()
	var out bytes.Buffer
	if err := HTML(&out, r, &audit.Verdict{Finished: true}); err != nil {
		t.Fatal(err)
	}
	s := out.String()
	for _, bad := range []string{"<script", "http://", "https://", "src=", "@import", "url(http", "ZgotmplZ", "NaN"} {
		if strings.Contains(s, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	for _, want := range []string{"<title>hypervisor maintenance &lt;spring&gt;: report on campaign c1</title>", "&lt;script&gt;alert(", `<text class="lane" x="0" y="13">hv-1 <tspan class="done">✓ done, 3 m 4 s</tspan>`,
		"evenkeel report c1", "prefers-color-scheme: dark", "promised slot 2026-03-02 02:00-04:00Z", "move of web-1, done, hv-1 to hv-2, interrupted 240 ms", "violations 0"} {
		if !strings.Contains(s, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0 ms", 340 * time.Millisecond: "340 ms", 4200 * time.Millisecond: "4.2 s", 59960 * time.Millisecond: "1 m", 60 * time.Second: "1 m",
		185 * time.Second: "3 m 5 s", 130 * time.Minute: "2 h 10 m", 76 * time.Hour: "3 d 4 h", -time.Second: "-1 s", 3599600 * time.Millisecond: "1 h",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%d) = %q, want %q", d, got, want)
		}
	}
}

// TestScale: places rise with time, lie on the page, and stretches keep their order.
func TestScale(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var all []interval
		for range rapid.IntRange(1, 40).Draw(t, "n") {
			from := applied.Add(time.Duration(rapid.IntRange(0, 500000).Draw(t, "from")) * time.Second)
			all = append(all, interval{from, from.Add(time.Duration(rapid.IntRange(0, 4000).Draw(t, "long")) * time.Second)})
		}
		s := newScale(append([]interval(nil), all...))
		if len(s) == 0 || len(s) > maxPieces || s[0].x0 != 0 || math.Abs(s[len(s)-1].x1-100) > 1e-6 {
			t.Fatalf("%+v", s)
		}
		for i := 1; i < len(s); i++ {
			if s[i].x0 <= s[i-1].x1 || !s[i].from.After(s[i-1].to) {
				t.Fatalf("piece %d overlaps the one before: %+v", i, s)
			}
		}
		for _, i := range all {
			if a, b := s.x(i.from), s.x(i.to); a < 0 || b > 100 || b < a {
				t.Fatalf("%v lies from %f to %f", i, a, b)
			}
		}
	})
}

// TestLongTables: the page says what it leaves out; the numbers stay whole.
func TestLongTables(t *testing.T) {
	r := newJournal(t).begin().fold()
	for range mostRows + 6 {
		r.Acts = append(r.Acts, Act{Kind: "move", Instance: "web-1", Turn: "hv-1", From: "hv-1", Start: applied, End: applied, Result: Done})
	}
	var out bytes.Buffer
	if err := HTML(&out, r, nil); err != nil {
		t.Fatal(err)
	}
	if s := out.String(); !strings.Contains(s, "2006 in all") || !strings.Contains(s, "<p>6 more are not on this page") || strings.Count(s, `data-label="Interrupted"`) != mostRows+4 {
		t.Errorf("%d rows", strings.Count(s, `data-label="Interrupted"`))
	}
}

// TestNamedList: at its end a campaign names those that do not run; the report believes it over an
// older look.
func TestNamedList(t *testing.T) {
	j := newJournal(t).begin().firstTurn().secondTurn()
	j.add(execution.Fact{Kind: execution.StaysAway, Turn: "hv-2", Host: "hv-2", Instance: "web-2", To: "hv-1", Why: "hv-2 lacks room"})
	j.add(execution.Fact{Kind: execution.NotReturned, Host: "hv-1", Instance: "web-2", Tenant: "acme", Code: "paused", Why: "somebody paused it"})
	r := j.finish("partly").fold()
	if len(r.NeverBack) != 1 || r.NeverBack[0].Instance != "web-2" || r.NeverBack[0].Ours || r.NeverBack[0].Why != "somebody paused it" || r.Totals.InstancesRunning != 2 {
		t.Errorf("%+v, %d running", r.NeverBack, r.Totals.InstancesRunning)
	}
	outcome := map[string]Outcome{}
	for _, p := range r.Promises {
		if p.Instance == "web-2" {
			outcome[p.Turn] = p.Outcome
		}
	}
	if outcome["hv-2"] != Unproven {
		t.Errorf("promises of one that does not run at the end: %v", outcome)
	}
	if len(r.Events) != 2 || !strings.Contains(r.Events[0].Text, "stays on hv-1: hv-2 lacks room") {
		t.Errorf("%+v", r.Events)
	}
}

// TestSlotPassed: a promise that another host's turn keeps at the same time is kept by what that turn did.
func TestSlotPassed(t *testing.T) {
	j := newJournal(t).begin().at(applied.Add(24 * time.Hour))
	j.add(execution.Fact{Kind: execution.SlotPassed, Turn: "hv-2", Host: "hv-2", Instance: "web-2", Tenant: "acme", To: "hv-1", Slots: []string{"hv-2/web-2"}, Why: "hv-2 is lost"})
	j.at(j.night().Add(time.Minute)).turn(execution.TurnPermitted, "hv-1").place("hv-1", "web-2", "hv-3", 1).after(time.Second).moved("hv-1", "web-2", "hv-3", 1, 200)
	j.turn(execution.TurnDone, "hv-1").add(execution.Fact{Kind: execution.TurnDropped, Turn: "hv-2", Host: "hv-2", Code: "operator", Why: "it is dead"})
	r := j.finish("partly").fold()
	if p := r.promise("hv-2/web-2"); p.Turn != "hv-1" || p.Host != "hv-1" || p.Outcome != Kept {
		t.Errorf("it is of turn %s on %s: %s (%s)", p.Turn, p.Host, p.Outcome, p.Why)
	}
	j.add(execution.Fact{Kind: execution.SlotPassed, Turn: "hv-2", Host: "hv-2", Instance: "web-9", To: "hv-1", Slots: []string{"hv-2/web-9"}, Why: "w"})
	if r, err := Fold(j.facts); err != nil || len(r.Misfits) != 1 {
		t.Errorf("of a promise that nobody made: %v, %v", r.Misfits, err)
	}
}
