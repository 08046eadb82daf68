package execution

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

func TestWholeCampaign(t *testing.T) {
	w := newWorld(t, nil)
	w.run(at("23:00:00"))
	if w.s.Phase != PhaseFinished || w.s.PhaseWhy != "done" {
		t.Fatalf("phase %s %s: %s", w.s.Phase, w.s.PhaseWhy, w.tail(8))
	}
	for id, h := range w.hosts {
		if h.boot != 2 || h.booted != newQEMU {
			t.Errorf("%s: boot %d, booted %s", id, h.boot, h.booted)
		}
	}
	running := 0
	for _, h := range w.hosts {
		for _, st := range h.guests {
			if st == "running" {
				running++
			}
		}
	}
	if running != 12 {
		t.Errorf("%d instances run, want 12", running)
	}
	n := w.kinds()
	if n[StopDone] != 1 || n[BackDone] != 1 || n[TurnDone] != 3 || n[Borrowed] != 3 || n[GivenBack] != 3 {
		t.Errorf("facts: %v", n)
	}
	for _, f := range w.facts {
		if (f.Kind == MovePlaced || f.Kind == StopStarted) && f.At.Before(at("01:00:00")) {
			t.Errorf("%s of %s at %s lies before its slot", f.Kind, f.Instance, f.At)
		}
		if f.Kind == MovePlaced && f.Turn != "h1" && !w.s.Fixed(f.To) {
			t.Errorf("%s was placed on %s, which is not fixed", f.Instance, f.To)
		}
	}
}

// A journal cut anywhere and folded again is the same state, and wants the same chores.
func TestReplayAnywhere(t *testing.T) {
	w := newWorld(t, nil)
	w.run(at("23:00:00"))
	live := New()
	for i, f := range w.facts {
		var again Fact
		b, _ := json.Marshal(f)
		if err := json.Unmarshal(b, &again); err != nil {
			t.Fatal(err)
		}
		if err := live.Apply(f); err != nil {
			t.Fatal(err)
		}
		if i%7 != 0 {
			continue
		}
		folded, err := Fold(w.facts[:i+1])
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(folded.Outstanding(f.At), live.Outstanding(f.At)) || !reflect.DeepEqual(folded.Decide(f.At), live.Decide(f.At)) {
			t.Fatalf("after fact %d the folded state wants something else", i+1)
		}
	}
}

func TestFactsOutOfOrderAreRefused(t *testing.T) {
	w := newWorld(t, nil)
	for name, f := range map[string]Fact{
		"a gap":           {Seq: 9, At: w.now, Kind: CampaignPaused},
		"time backwards":  {Seq: 2, At: w.now.Add(-time.Second), Kind: CampaignPaused},
		"an unknown turn": {Seq: 2, At: w.now, Kind: TurnDone, Turn: "nowhere"},
		"an unknown kind": {Seq: 2, At: w.now, Kind: "made-up", Turn: "h1"},
	} {
		if err := w.s.Apply(f); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func TestNothingBeforeTheNoticeIsAccepted(t *testing.T) {
	w := newWorld(t, nil)
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Kind == ChoreTell {
			return []Fact{{Kind: NoticeFailed, Notice: c.Notice, NoticeKind: c.NoticeKind, Tenant: c.Tenant, Attempt: c.Attempt, Retry: true, Why: "451"}}, true
		}
		return nil, false
	}
	w.run(at("01:30:00"))
	if n := w.kinds(); n[TurnPermitted] != 0 || n[NoticeFailed] < 3 {
		t.Fatalf("facts: %v", n)
	}
	w.answer = nil // the mail server is back at 01:30, too late for a lead of ten minutes and the slot
	w.run(at("05:00:00"))
	if n := w.kinds(); n[TurnPermitted] != 3 && w.held("h3").Code != CodeSlotMissed {
		t.Fatalf("facts: %v", n)
	}
	for _, f := range w.facts {
		if f.Kind == MovePlaced && f.At.Before(at("01:40:00")) {
			t.Fatalf("%s was moved at %s, less than the lead time after its notice", f.Instance, f.At)
		}
	}
}

func TestUndeliverableHolds(t *testing.T) {
	w := newWorld(t, nil)
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Kind == ChoreTell && c.NoticeKind == NoticeScheduled {
			return []Fact{{Kind: NoticeFailed, Notice: c.Notice, NoticeKind: c.NoticeKind, Tenant: c.Tenant, Attempt: c.Attempt, Why: "550"}}, true
		}
		return nil, false
	}
	w.run(at("05:00:00"))
	if f := w.held("h1"); f.Code != CodeUndelivered {
		t.Fatalf("held for %s", f.Code)
	}
	if n := w.kinds(); n[MovePlaced] != 0 {
		t.Fatalf("moved without a word to anybody: %v", n)
	}
}

// Members of a group on one host go one after the other, and never while another one is away.
func TestGroupIsKept(t *testing.T) {
	w := newWorld(t, func(p *plan.Plan, f *fleet.Fleet) {
		f.Groups[0].Members = []string{"g1", "g4", "g7", "g10"} // all on h1
		p.Policy.MovesPerHost = 4
	})
	group := map[string]bool{"g1": true, "g4": true, "g7": true, "g10": true}
	held := map[string][]Fact{}
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Kind == ChoreMove && group[c.Instance] && len(held[c.Key]) == 0 {
			for _, o := range w.s.open {
				if o.Instance != c.Instance && group[o.Instance] {
					t.Fatalf("%s and %s of one group move at once", o.Instance, c.Instance)
				}
			}
			held[c.Key] = []Fact{{}}
			return nil, true // no answer the first time it is asked
		}
		return nil, false
	}
	w.run(at("23:00:00"))
	if w.s.Phase != PhaseFinished {
		t.Fatalf("phase %s: %s", w.s.Phase, w.tail(5))
	}
}

func TestFailures(t *testing.T) {
	cases := []struct {
		name   string
		change func(*plan.Plan, *fleet.Fleet)
		answer func(w *world, c Chore) ([]Fact, bool)
		turn   string
		code   string
		check  func(t *testing.T, w *world)
	}{
		{name: "the update fails", turn: "h1", code: "update-failed", answer: func(w *world, c Chore) ([]Fact, bool) {
			if c.Kind == ChoreUpdate {
				return []Fact{{Kind: StepFailed, Turn: c.Turn, Step: c.Step, Attempt: c.Attempt, Code: "update-failed", Why: "exit 1", Retry: true}}, true
			}
			return nil, false
		}, check: func(t *testing.T, w *world) {
			if w.begun["h1/update/3"] != 1 || w.begun["h1/update/4"] != 0 {
				t.Errorf("attempts: %v", w.begun)
			}
		}},
		{name: "the host does not come back", turn: "h1", code: CodeNotBack, answer: func(w *world, c Chore) ([]Fact, bool) {
			if c.Kind == ChoreReboot {
				w.hosts[c.Host].silent = true
				return []Fact{{Kind: StepDone, Turn: c.Turn, Step: c.Step, Attempt: c.Attempt}}, true
			}
			return nil, false
		}},
		{name: "it comes back unchanged", turn: "h1", code: CodeOldVersion, answer: func(w *world, c Chore) ([]Fact, bool) {
			if c.Kind == ChoreReboot {
				w.hosts[c.Host].boot++
				return []Fact{{Kind: StepDone, Turn: c.Turn, Step: c.Step, Attempt: c.Attempt}}, true
			}
			return nil, false
		}},
		{name: "it did not reboot at all", turn: "h1", code: CodeSameBoot, answer: func(w *world, c Chore) ([]Fact, bool) {
			if c.Kind == ChoreReboot {
				return []Fact{{Kind: StepDone, Turn: c.Turn, Step: c.Step, Attempt: c.Attempt}}, true
			}
			return nil, false
		}},
		{name: "both ends run", turn: "h1", code: CodeSplit, answer: func(w *world, c Chore) ([]Fact, bool) {
			if c.Kind == ChoreMove && c.Instance == "g4" {
				w.hosts[c.To].guests["g4"], w.hosts[c.To].on["g4"] = "running", oldQEMU
				return []Fact{{Kind: MoveFailed, Turn: c.Turn, Instance: c.Instance, From: c.From, To: c.To, Attempt: c.Attempt, Code: CodeSplit, Why: "runs twice", Source: "running", Destination: "running"}}, true
			}
			return nil, false
		}},
		{name: "no room anywhere", turn: "h1", code: CodeNoPlace, change: func(p *plan.Plan, f *fleet.Fleet) {
			for i := range f.Hosts {
				f.Hosts[i].MemoryMiB = 380
			}
		}, answer: func(w *world, c Chore) ([]Fact, bool) {
			if c.Kind == ChoreLook || c.Kind == ChoreProve {
				v := w.view(c.Host)
				v.FreeMiB -= 2048 - 380
				return []Fact{{Kind: HostSeen, Host: c.Host, Seen: v}}, true
			}
			return nil, false
		}},
		{name: "somebody refills the host for ever", turn: "h1", code: CodeRefilled, answer: func(w *world, c Chore) ([]Fact, bool) {
			if c.Kind == ChoreUpdate {
				w.hosts["h1"].guests["gX"], w.hosts["h1"].on["gX"] = "running", oldQEMU
				return nil, false
			}
			if c.Kind == ChoreMove && c.Instance == "gX" {
				f := w.obey(c)
				w.hosts["h1"].guests["gX"] = "running"
				return f, true
			}
			return nil, false
		}},
		{name: "the saved one does not come back", turn: "h3", code: CodeNotReturned, answer: func(w *world, c Chore) ([]Fact, bool) {
			if c.Kind == ChoreBack {
				return []Fact{{Kind: BackFailed, Turn: c.Turn, Instance: c.Instance, To: c.To, Attempt: c.Attempt, Code: "failed", Why: "image damaged", Retry: true}}, true
			}
			return nil, false
		}, check: func(t *testing.T, w *world) {
			if st := w.s.Status(w.now); len(st.NotBack) != 1 || st.NotBack[0] != "g12" {
				t.Errorf("the list of those not back: %v", st.NotBack)
			}
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, c.change)
			w.answer = func(ch Chore) ([]Fact, bool) { return c.answer(w, ch) }
			w.run(at("23:00:00"))
			f := w.held(c.turn)
			if f.Code != c.code || f.Why == "" || f.Next == "" {
				t.Fatalf("held: %+v", f)
			}
			want := PhaseHalted
			if c.code == CodeNoPlace {
				want = PhaseRunning // nothing broke; but it keeps the pool's only leave to be away
			}
			if w.s.Phase != want {
				t.Errorf("phase %s after a broken canary or turn, want %s", w.s.Phase, want)
			}
			for _, o := range w.s.Order {
				if tu := w.s.Turns[o]; o > c.turn && !tu.Permitted.IsZero() {
					t.Errorf("%s began although the budget is spent", o)
				}
			}
			if c.check != nil {
				c.check(t, w)
			}
		})
	}
}

// A move whose end is unknown is tried again only after both ends were looked at.
func TestUnknownMoveIsReadAtBothEndsFirst(t *testing.T) {
	w := newWorld(t, nil)
	first, failed := "", time.Time{}
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Kind != ChoreMove || c.Instance != "g1" {
			return nil, false
		}
		if c.Attempt == 1 {
			first, failed = c.To, w.now
			return []Fact{{Kind: MoveFailed, Turn: c.Turn, Instance: c.Instance, From: c.From, To: c.To, Attempt: 1, Code: "unreachable", Why: "lost", Retry: true, Source: "running", Destination: "unreachable"}}, true
		}
		for _, h := range []string{c.From, first} {
			if w.s.host(h).At.Before(failed) {
				t.Fatalf("tried again before %s was looked at", h)
			}
		}
		return nil, false
	}
	w.run(at("23:00:00"))
	if w.s.Phase != PhaseFinished {
		t.Fatalf("phase %s: %s", w.s.Phase, w.tail(5))
	}
}

// Wherever an abort falls, nothing is left in flight, stopped or borrowed.
func TestAbortAnywhere(t *testing.T) {
	ref := newWorld(t, nil)
	ref.run(at("23:00:00"))
	for n := 2; n < len(ref.facts); n += 3 {
		w := newWorld(t, nil)
		w.answer = func(Chore) ([]Fact, bool) {
			if len(w.facts) >= n && w.s.Phase == PhaseRunning {
				return []Fact{{Kind: CampaignAborted, Who: "operator:t", Why: "enough"}}, true
			}
			return nil, false
		}
		w.run(at("23:00:00"))
		if w.s.Phase != PhaseFinished {
			t.Fatalf("aborted at fact %d: phase %s: %s", n, w.s.Phase, w.tail(6))
		}
		after := false
		for _, f := range w.facts {
			after = after || f.Kind == CampaignAborted
			if after && (f.Kind == MovePlaced || f.Kind == StopStarted || f.Kind == TurnPermitted || f.Kind == StepStarted && f.Step == StepReboot) {
				t.Fatalf("aborted at fact %d: %s of %s%s afterwards", n, f.Kind, f.Host, f.Instance)
			}
		}
		running := 0
		for _, h := range w.hosts {
			for _, st := range h.guests {
				if st == "running" {
					running++
				}
			}
		}
		if k := w.kinds(); running != 12 || k[Borrowed] != k[GivenBack] {
			t.Fatalf("aborted at fact %d: %d run, borrowed %d, given back %d", n, running, k[Borrowed], k[GivenBack])
		}
	}
}

// Wherever a pause falls, nothing disruptive begins until it is resumed, and the end is the same.
func TestPauseAnywhere(t *testing.T) {
	ref := newWorld(t, nil)
	ref.run(at("23:00:00"))
	for n := 2; n < len(ref.facts); n += 5 {
		w := newWorld(t, nil)
		paused := -1
		w.answer = func(Chore) ([]Fact, bool) {
			if len(w.facts) >= n && paused < 0 {
				paused = len(w.facts)
				return []Fact{{Kind: CampaignPaused, Who: "operator:t"}}, true
			}
			return nil, false
		}
		w.run(at("01:20:00"))
		for _, f := range w.facts[max(paused, 0):] {
			if paused >= 0 && (f.Kind == MovePlaced || f.Kind == StopStarted || f.Kind == TurnPermitted || f.Kind == StepStarted && f.Step == StepReboot) {
				t.Fatalf("paused at fact %d: %s of %s%s", n, f.Kind, f.Host, f.Instance)
			}
		}
		if w.s.Phase == PhasePaused {
			w.store(Fact{Kind: CampaignResumed, Who: "operator:t"})
		}
		w.run(at("23:00:00"))
		if w.s.Phase != PhaseFinished && !strings.Contains(w.tail(3), CodeSlotMissed) {
			t.Fatalf("paused at fact %d: phase %s: %s", n, w.s.Phase, w.tail(6))
		}
	}
}

func TestOverrunIsToldAtOnce(t *testing.T) {
	w := newWorld(t, nil)
	w.answer = func(c Chore) ([]Fact, bool) {
		return nil, c.Kind == ChoreBack // the saved instance is never heard of again
	}
	w.run(at("03:00:00"))
	var told time.Time
	for _, f := range w.facts {
		if f.Kind == Overrun && f.Instance == "g12" {
			told = f.At
		}
	}
	if told.IsZero() || told.Sub(at("02:00:00")) > 5*time.Minute {
		t.Fatalf("told at %s: %s", told, w.tail(5))
	}
	if w.s.Notices["c1/r1/overrun/acme/h3/g12"] == nil {
		t.Error("no notice was asked for")
	}
}
