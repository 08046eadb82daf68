package execution

import (
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// odd is no version that Debian's rules can put in order.
const odd = "v7.2-local"

// TestOrderByEcosystem: the cohort's ecosystem rules, else the host's own, else Debian's.
func TestOrderByEcosystem(t *testing.T) {
	for _, c := range []struct {
		cohort, host, have, want string
		order                    int
		why                      string // of what cannot be compared
	}{
		{"", "", oldQEMU, newQEMU, -1, ""}, {"", "", newQEMU, newQEMU, 0, ""}, {"", "", odd, newQEMU, 0, odd + " and " + newQEMU + " cannot be compared"},
		{"", "Rocky Linux:9", "17:8.2.0-11.el9_4", "17:8.2.0-11.el9_4.2", -1, ""}, {"", "Rocky Linux:9", "8.2.0^git1-1", "8.2.0-1", 1, ""}, {"", "Debian:12", "8.2.0^git1-1", "8.2.0-1", 0, "cannot be compared"},
		{"Alpine:v3.20", "", "8.2.0_rc1-r0", "8.2.0-r0", -1, ""}, {"", "Alpine", "8.2.0_rc1-r0", "8.2.0-r0", -1, ""}, {"Red Hat:9", "Rocky Linux:9", "8.2.0-1", "8.2.0~rc1-1", 1, ""},
		{"Debian:12", "Rocky Linux:9", "8.2.0-1", "8.2.0-1", 0, "the cohort is of Debian:12, and h1 says that it is Rocky Linux:9"}, {"", "Slackware:15", "8.2.0", "8.2.0", 0, `ecosystem "Slackware:15"`},
	} {
		w := newWorld(t, func(p *plan.Plan, f *fleet.Fleet) {
			p.Target.Cohorts[0].Ecosystem, f.Hosts[0].Ecosystem = c.cohort, c.host
		})
		order, err := w.s.order("h1", c.have, c.want)
		if order != c.order || (err == nil) != (c.why == "") || err != nil && !(strings.Contains(err.Error(), c.why) && strings.Contains(err.Error(), c.have+" and "+c.want)) {
			t.Errorf("%+v: %d, %v", c, order, err)
		}
	}
}

// TestNoOrderIsNoProof: where a turn must prove its fix, a version that cannot be compared holds it, and
// the reason names both versions and what a person can do.
func TestNoOrderIsNoProof(t *testing.T) {
	all := func(h *worldHost, v string) {
		for g := range h.on {
			h.on[g] = v
		}
	}
	for name, c := range map[string]struct {
		refresh bool
		after   ChoreKind
		spoil   func(h *worldHost)
		step    Step
	}{
		"what the host booted":           {false, ChoreReboot, func(h *worldHost) { h.booted = odd }, StepProve},
		"what an instance on it runs on": {false, ChoreBack, func(h *worldHost) { all(h, odd) }, StepJudge},
		"what is on its disk":            {true, ChoreUpdate, func(h *worldHost) { h.qemu = odd }, StepProve},
		"what a refreshed one runs on":   {true, ChoreBack, func(h *worldHost) { all(h, odd) }, StepJudge},
	} {
		t.Run(name, func(t *testing.T) {
			change := func(p *plan.Plan, f *fleet.Fleet) {
				if c.refresh {
					toRefresh(p, f)
				}
				p.Policy.FailureBudget = 9
			}
			w, turn := newWorld(t, change), ""
			w.answer = func(ch Chore) ([]Fact, bool) {
				if ch.Kind != c.after || turn != "" {
					return nil, false
				}
				facts := w.obey(ch)
				c.spoil(w.hosts[ch.Host])
				turn = ch.Host
				return facts, true
			}
			w.run(at("03:00:00"))
			if turn == "" {
				t.Fatalf("no chore of kind %v came: %s", c.after, w.tail(8))
			}
			f := w.held(turn)
			if f.Code != CodeCannotJudge || f.Step != c.step || !strings.Contains(f.Why, odd+" and "+newQEMU+" cannot be compared") || !strings.Contains(f.Next, "ecosystem") || !strings.Contains(f.Next, "evenkeel retry "+turn) {
				t.Errorf("held with %+v", f)
			}
			if w.s.Turns[turn].Phase == TurnFinished {
				t.Error("the turn is called done")
			}
		})
	}
}

// TestNoOrderIsNamedAtTheEnd: an instance that nothing touched and whose version cannot be compared is
// named as not known, never passed over as fixed.
func TestNoOrderIsNamedAtTheEnd(t *testing.T) {
	w := refreshWorld(t, func(p *plan.Plan) {
		p.Slots = slices.DeleteFunc(p.Slots, func(s plan.Slot) bool { return s.Instance == "g12" })
		p.Blocked = []plan.Blocked{{Instance: "g12", Code: "local-disk", Why: "w", Unblock: "u"}}
	})
	w.hosts["h3"].on["g12"] = odd
	w.run(at("03:00:00"))
	n := 0
	for _, f := range w.facts {
		if f.Kind != Unfixed {
			continue
		}
		n++
		if f.Instance != "g12" || f.Code != CodeCannotJudge || !strings.Contains(f.Why, odd+" and "+newQEMU+" cannot be compared") {
			t.Errorf("named with %+v", f)
		}
	}
	if n != 1 {
		t.Errorf("%d are named: %s", n, w.tail(8))
	}
}

// TestOneInDoubtLeavesAllInDoubt: of two packages one is fixed and the other cannot be compared; one
// that is known to be old decides.
func TestOneInDoubtLeavesAllInDoubt(t *testing.T) {
	w := newWorld(t, func(p *plan.Plan, _ *fleet.Fleet) {
		p.Target.Cohorts[0].Packages = map[string]string{"a": "2", "b": "2"}
	})
	for _, c := range []struct {
		a, b string
		want freshness
	}{{"2", "3", onFix}, {"2", "", onFix}, {"2", "v3", unordered}, {"v3", "2", unordered}, {"v3", "1", onOld}, {"1", "v3", onOld}, {"v3", "", unordered}, {"", "", untold}} {
		if got := w.s.runsOn("h1", InstanceView{Running: map[string]string{"a": c.a, "b": c.b}}); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}
