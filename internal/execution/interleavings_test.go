package execution

import (
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// toReboot runs the suspend turn h3 up to its reboot order, which is never answered.
func toReboot(t *testing.T) *world {
	t.Helper()
	w := newWorld(t, nil)
	w.answer = func(c Chore) ([]Fact, bool) { return nil, c.Kind == ChoreReboot && c.Host == "h3" }
	for now := at("01:00:00"); w.begun["h3/reboot/1"] == 0; now = now.Add(time.Second) {
		if now.After(at("02:00:00")) {
			t.Fatalf("h3 never came to its reboot: %s", w.tail(8))
		}
		w.run(now)
	}
	return w
}

// While a reboot order may be on its way nobody is brought back: whoever runs then is killed by it.
func TestNobodyIsBroughtBackIntoAReboot(t *testing.T) {
	for name, order := range map[string]Fact{
		"abort": {Kind: CampaignAborted, Who: "operator:t"},
		"hold":  {Kind: TurnHeld, Who: "operator:t", Turn: "h3", Host: "h3", Code: CodeOperator, Why: "wait"},
		"pause": {Kind: CampaignPaused, Who: "operator:t"},
	} {
		t.Run(name, func(t *testing.T) {
			w := toReboot(t)
			w.store(order)
			w.run(w.now.Add(10 * time.Second))
			for _, c := range w.s.Outstanding(w.now) {
				if c.Kind == ChoreBack {
					t.Fatalf("%s is brought back to h3 while its reboot order is out: %s", c.Instance, w.tail(4))
				}
			}
			for _, f := range w.facts {
				if f.Kind == BackStarted {
					t.Fatalf("%s was brought back to h3 while its reboot order is out: %s", f.Instance, w.tail(4))
				}
			}
		})
	}
}

// An abort during a reboot does not leave the host before it is back and its instances run.
func TestAbortDuringARebootWaitsForTheHost(t *testing.T) {
	w := toReboot(t)
	w.store(Fact{Kind: CampaignAborted, Who: "operator:t"})
	back := w.now.Add(4 * time.Minute) // within reboot_max, which is 5 minutes
	h := w.hosts["h3"]
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Host != "h3" {
			return nil, false
		}
		if !w.now.Before(back) {
			if h.boot == 1 {
				h.boot, h.booted = 2, h.qemu
			}
			return nil, false
		}
		switch c.Kind {
		case ChoreReboot: // the order was taken; its answer is lost with the connection
			return []Fact{{Kind: StepFailed, Turn: c.Turn, Host: c.Host, Step: c.Step, Attempt: c.Attempt, Code: "unreachable", Why: "the connection broke", Retry: true}}, true
		case ChoreBack:
			return []Fact{{Kind: BackFailed, Turn: c.Turn, Host: c.Host, Instance: c.Instance, Attempt: c.Attempt, Code: "unreachable", Why: "connection refused", Retry: true}}, true
		case ChoreUncordon: // a bare libvirt host has no cordon: nothing there delays the end
			return nil, false
		case ChoreLook, ChoreProve:
			return []Fact{{Kind: HostLost, Host: c.Host, Why: "connection refused"}}, true
		}
		return nil, false
	}
	w.run(at("23:00:00"))
	if st := h.guests["g12"]; st != "running" {
		t.Fatalf("g12 is %s on h3, which came back within its reboot_max: %s", st, w.tail(14))
	}
}

// A host whose boot id changed was rebooted, whatever runs on it since: nobody is stopped for it again.
func TestALostRebootAnswerStopsNobodyTwice(t *testing.T) {
	w := newWorld(t, nil)
	w.answer = func(c Chore) ([]Fact, bool) {
		h := w.hosts[c.Host]
		if c.Kind != ChoreReboot || c.Host != "h3" || h.boot > 1 {
			return nil, false
		}
		h.boot, h.booted = 2, h.qemu
		h.guests["g12"], h.on["g12"] = "running", h.qemu // autostart
		return []Fact{{Kind: StepFailed, Turn: c.Turn, Host: c.Host, Step: c.Step, Attempt: c.Attempt, Code: "unreachable", Why: "the answer was lost", Retry: true}}, true
	}
	w.run(at("23:00:00"))
	stops := 0
	for _, f := range w.facts {
		if f.Kind == StopStarted && f.Instance == "g12" {
			stops++
		}
	}
	if stops != 1 {
		t.Fatalf("g12 was stopped %d times for one reboot: %s", stops, w.tail(5))
	}
}

// Retry after a person has settled a move whose ends were not known goes on.
func TestRetryAfterAMoveIsSettled(t *testing.T) {
	for name, dst := range map[string]string{"split": "running", "unreachable": "unreachable"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, nil)
			to, done := "", false
			w.answer = func(c Chore) ([]Fact, bool) {
				switch {
				case c.Kind == ChoreMove && c.Instance == "g4" && !done:
					done, to = true, c.To
					if dst == "running" {
						w.hosts[to].guests["g4"], w.hosts[to].on["g4"] = "running", oldQEMU
					} else {
						w.hosts[to].silent = true
					}
					return []Fact{{Kind: MoveFailed, Turn: c.Turn, Instance: c.Instance, From: c.From, To: c.To, Attempt: c.Attempt, Code: "unreachable", Why: "lost", Retry: true, Source: "running", Destination: dst}}, true
				case c.Kind == ChoreMove && !done:
					return nil, true // g4 first
				}
				return nil, false
			}
			w.run(at("01:20:00"))
			w.held("h1")
			w.hosts[to].silent = false
			delete(w.hosts[to].guests, "g4") // the operator leaves exactly one copy
			w.answer = nil
			if w.s.Phase == PhaseHalted {
				w.store(Fact{Kind: CampaignResumed, Who: "operator:t"})
			}
			w.store(Fact{Kind: TurnReleased, Who: "operator:t", Turn: "h1", Host: "h1"})
			w.run(at("23:00:00"))
			if w.s.Turns["h1"].Phase != TurnFinished {
				t.Fatalf("h1 is %s (%s) after the operator settled it and retried: %s", w.s.Turns["h1"].Phase, w.s.Turns["h1"].Code, w.tail(4))
			}
		})
	}
}

// No step waits for ever: a host that falls silent in mid-turn holds its turn, and a person hears of it.
func TestASilentHostHoldsItsTurn(t *testing.T) {
	for _, step := range []Step{StepEmpty, StepStop, StepJudge} {
		t.Run(string(step), func(t *testing.T) {
			w := newWorld(t, nil)
			w.answer = func(c Chore) ([]Fact, bool) {
				if w.s.Turns["h3"].Phase == TurnActive && w.s.Turns["h3"].Step == step {
					w.hosts["h3"].silent = true
				}
				return nil, false
			}
			w.run(at("02:30:00"))
			if ph := w.s.Turns["h3"].Phase; ph != TurnOnHold {
				t.Errorf("h3 fell silent at %s, its slot is long past, and its turn is %s", step, ph)
			}
			if n := w.kinds()[HostLost]; n > 200 {
				t.Errorf("the journal has grown by %d facts that say the same: h3 does not answer", n)
			}
		})
	}
}

// A stop that waits for its group waits no longer than its slot.
func TestAStopThatMayNotBeginMissesItsSlot(t *testing.T) {
	w := newWorld(t, func(_ *plan.Plan, f *fleet.Fleet) {
		f.Groups = []fleet.Group{{ID: "db", Tenant: "acme", Members: []string{"g12", "g2"}, MaxUnavailable: 1}}
	})
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Kind != ChoreUpdate || c.Host != "h3" {
			return nil, false
		}
		facts := w.obey(c)
		for id, h := range w.hosts {
			if h.guests["g2"] == "running" {
				h.guests["g2"] = "off" // its owner shuts it down, for good
				facts = append(facts, Fact{Kind: HostSeen, Host: id, Seen: w.view(id)})
			}
		}
		return facts, true
	}
	w.run(at("06:00:00"))
	if tu := w.s.Turns["h3"]; tu.Phase != TurnOnHold || tu.Code != CodeSlotMissed {
		t.Fatalf("four hours after the slot's end the turn is %s at %s (%s)", tu.Phase, tu.Step, tu.Code)
	}
}

// A guest that obeys our request to shut down late was stopped by us: it comes back.
func TestALateShutdownIsOurs(t *testing.T) {
	for name, order := range map[string]Kind{"abort": CampaignAborted, "pause": CampaignPaused} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, func(p *plan.Plan, _ *fleet.Fleet) {
				for i := range p.Slots {
					if p.Slots[i].Instance == "g12" {
						p.Slots[i].Disposition = plan.DispStop
					}
				}
			})
			failed := false
			looks := 0
			w.answer = func(c Chore) ([]Fact, bool) {
				switch {
				case c.Kind == ChoreStop && !failed:
					failed = true
					return []Fact{{Kind: StopFailed, Turn: c.Turn, Host: c.Host, Instance: c.Instance, Attempt: c.Attempt, Disposition: c.Disposition, From: c.From, Code: "deadline", Why: "it did not shut down in time; it runs on", Retry: true}}, true
				case c.Kind == ChoreLook && c.Host == "h3" && failed:
					if looks++; looks == 1 {
						f := []Fact{{Kind: HostSeen, Host: "h3", Seen: w.view("h3")}} // it still runs
						w.hosts["h3"].guests["g12"] = "saved"                         // now it is down
						return append(f, Fact{Kind: order, Who: "operator:t"}), true
					}
				case c.Kind == ChoreStop:
					return nil, true
				}
				return nil, false
			}
			w.run(at("01:30:00"))
			if order == CampaignPaused {
				w.store(Fact{Kind: CampaignResumed, Who: "operator:t"})
			}
			w.run(at("23:00:00"))
			if st := w.hosts["h3"].guests["g12"]; st != "running" {
				t.Fatalf("g12, which shut down at our request, is %s at the end (%s %s): %s", st, w.s.Phase, w.s.PhaseWhy, w.tail(6))
			}
		})
	}
}

// A cordon whose answer was lost may be there: it is given back.
func TestACordonWhoseAnswerWasLostIsGivenBack(t *testing.T) {
	w := newWorld(t, nil)
	cordoned := false
	w.answer = func(c Chore) ([]Fact, bool) {
		switch c.Kind {
		case ChoreCordon:
			cordoned = true // it takes effect, and no answer ever comes
			if w.s.Phase == PhaseRunning {
				return []Fact{{Kind: CampaignAborted, Who: "operator:t"}}, true
			}
			return nil, true
		case ChoreUncordon:
			cordoned = false
		}
		return nil, false
	}
	w.run(at("23:00:00"))
	if w.s.Phase != PhaseFinished || cordoned {
		t.Fatalf("phase %s; h1 is cordoned: %v; %s", w.s.Phase, cordoned, w.tail(5))
	}
}

// What comes back unfixed but healthy holds its turn, not the instances that were stopped for it.
func TestAHoldAfterTheRebootBringsInstancesBack(t *testing.T) {
	w := newWorld(t, nil)
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Kind == ChoreReboot && c.Host == "h3" {
			w.hosts["h3"].boot++ // it boots the old version
			return []Fact{{Kind: StepDone, Turn: c.Turn, Host: c.Host, Step: c.Step, Attempt: c.Attempt}}, true
		}
		return nil, false
	}
	w.run(at("23:00:00"))
	if f := w.held("h3"); f.Code != CodeOldVersion {
		t.Fatalf("held for %s", f.Code)
	}
	if st := w.hosts["h3"].guests["g12"]; st != "running" {
		t.Fatalf("h3 is up and healthy and its turn is held; g12, stopped by us, is %s for good", st)
	}
}

// Nobody is told that work does not take place which did.
func TestCancelledIsToldOnlyOfWhatDidNotHappen(t *testing.T) {
	w := newWorld(t, nil)
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Kind == ChoreUpdate && w.s.Phase == PhaseRunning {
			return []Fact{{Kind: CampaignAborted, Who: "operator:t"}}, true // h1 is empty by now
		}
		return nil, false
	}
	w.run(at("23:00:00"))
	for _, f := range w.facts {
		if f.Kind == NoticeAsked && f.NoticeKind == NoticeCancelled && w.s.Actual(f.Slots[0]) != nil {
			t.Errorf("%s is told that %s is cancelled; it was carried out", f.Tenant, f.Slots[0])
		}
	}
}

// After 'cancelled' was told, the slot is no promise any more: a retry does not bring it back.
func TestACancelledSlotIsNeverUsed(t *testing.T) {
	w := newWorld(t, func(p *plan.Plan, f *fleet.Fleet) {
		f.Tenants = append(f.Tenants, fleet.Tenant{ID: "birch", Contacts: []fleet.Contact{{Email: "b@birch.example"}}})
		for i := range p.Slots {
			if p.Slots[i].Instance == "g10" {
				p.Slots[i].Tenant = "birch"
			}
		}
	})
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Kind == ChoreTell && c.Tenant == "birch" && c.NoticeKind == NoticeScheduled {
			return []Fact{{Kind: NoticeFailed, Notice: c.Notice, NoticeKind: c.NoticeKind, Tenant: c.Tenant, Attempt: c.Attempt, Why: "550"}}, true
		}
		return nil, false
	}
	w.run(at("01:05:00"))
	if f := w.held("h1"); f.Code != CodeUndelivered {
		t.Fatalf("held for %s", f.Code)
	}
	// birch's instance is deleted by its owner; the operator retries.
	delete(w.hosts["h1"].guests, "g10")
	for range looksToBelieve {
		w.now = w.now.Add(5 * time.Second)
		w.store(Fact{Kind: HostSeen, Host: "h1", Seen: w.view("h1")})
	}
	w.store(Fact{Kind: External, Turn: "h1", Host: "h1", Instance: "g10", Code: "gone", Why: "deleted"})
	w.store(Fact{Kind: TurnReleased, Who: "operator:t", Turn: "h1", Host: "h1"})
	w.run(at("23:00:00"))
	cancelled := map[string]bool{}
	for _, f := range w.facts {
		if f.Kind == NoticeAccepted && f.NoticeKind == NoticeCancelled {
			cancelled[f.Slots[0]] = true
		}
		if (f.Kind == MovePlaced || f.Kind == StopStarted) && cancelled[f.Turn+"/"+f.Instance] {
			t.Fatalf("%s of %s in turn %s, after its tenant was told that this slot is cancelled", f.Kind, f.Instance, f.Turn)
		}
	}
}

// Attempts name acts: no key is ever used for two of them.
func TestKeysAreNeverUsedTwice(t *testing.T) {
	w := newWorld(t, nil)
	started := map[string]int{}
	refilled := false
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Kind == ChoreReboot && c.Host == "h1" && !refilled {
			refilled = true
			w.hosts["h1"].guests["gX"], w.hosts["h1"].on["gX"] = "running", oldQEMU
			return []Fact{{Kind: StepFailed, Turn: c.Turn, Host: c.Host, Step: c.Step, Attempt: c.Attempt, Code: "unreachable", Why: "no answer", Retry: true}}, true
		}
		return nil, false
	}
	w.run(at("23:00:00"))
	for _, f := range w.facts {
		if f.Kind == StepStarted {
			key := f.Turn + "/" + string(f.Step) + "/" + string(rune('0'+f.Attempt))
			if started[key]++; started[key] > 1 {
				t.Errorf("%s was started twice: a late answer of the first passes for one of the second", key)
			}
		}
	}
}

// A host does not begin its own turn while one of our moves is on its way to it.
func TestNoTurnBeginsUnderAnArrivingMove(t *testing.T) {
	w := newWorld(t, func(p *plan.Plan, _ *fleet.Fleet) {
		p.Policy.Canary, p.Policy.MaxAwayPercent, p.Policy.KeepReserve = false, 100, false
		for i := range p.Turns {
			p.Turns[i].Canary = false
		}
	})
	arriving := ""
	w.answer = func(c Chore) ([]Fact, bool) {
		if c.Kind == ChoreMove && c.Turn == "h1" && (arriving == "" || arriving == c.Key) {
			if arriving == "" {
				arriving = c.Key
				return []Fact{{Kind: TurnHeld, Who: "operator:t", Turn: "h1", Host: "h1", Code: CodeOperator, Why: "wait"}}, true
			}
			return nil, true
		}
		return nil, false
	}
	w.run(at("01:01:30"))
	for _, o := range w.s.open {
		if o.Kind == MovePlaced && !w.s.Turns[o.To].Permitted.IsZero() {
			t.Fatalf("turn %s began while %s is on its way to it", o.To, o.Instance)
		}
	}
}
