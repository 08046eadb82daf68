package execution

import (
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// doubledG1 is a child that begins with g1 left at h1 or h2 by its parent.
func doubledG1(t *testing.T) *world {
	w := newWorld(t, func(p *plan.Plan, _ *fleet.Fleet) { p.Supersedes = "c0" })
	w.run(at("00:40:00"))
	w.store(Fact{Kind: Inherited, Who: Engine, Instance: "g1", Host: "h1", To: "h2", Code: CodeUnproven, Why: "unread"}, ended())
	return w
}

// Where two copies run nothing begins at either end until a person has left one.
func TestTwoCopiesLeftByTheParent(t *testing.T) {
	w := doubledG1(t)
	w.hosts["h2"].guests["g1"], w.hosts["h2"].on["g1"] = "running", oldQEMU
	w.run(at("01:10:00"))
	if f := w.held("h1"); f.Code != CodeSplit || !strings.Contains(f.Why, "campaign c0") || w.kinds()[TurnPermitted] != 0 {
		t.Fatalf("%s: %s", f.Code, f.Why)
	}
	w.store(Fact{Kind: TurnReleased, Who: "operator:t", Turn: "h1", Host: "h1"})
	w.run(at("01:12:00"))
	if w.s.Turns["h1"].Phase != TurnOnHold {
		t.Fatalf("released with both copies running it is %s", w.s.Turns["h1"].Phase)
	}
	delete(w.hosts["h2"].guests, "g1")
	w.store(Fact{Kind: TurnReleased, Who: "operator:t", Turn: "h1", Host: "h1"})
	w.run(at("23:00:00"))
	if w.s.Turns["h1"].Phase != TurnFinished || len(w.s.Unproven()) != 0 {
		t.Fatalf("%s %s: %s", w.s.Turns["h1"].Phase, w.s.Turns["h1"].Why, w.tail(6))
	}
}

// Where one copy runs, looks prove it and nobody has to be asked.
func TestOneCopyLeftByTheParent(t *testing.T) {
	w := doubledG1(t)
	if len(w.s.Unproven()) != 1 || !w.s.isDisturbed("g1") {
		t.Fatal("the doubt is not known")
	}
	w.run(at("23:00:00"))
	if w.s.Phase != PhaseFinished || w.s.PhaseWhy != "done" || len(w.s.Unproven()) != 0 {
		t.Fatalf("%s %s: %s", w.s.Phase, w.s.PhaseWhy, w.tail(6))
	}
}

// A look that a later one has overtaken is not counted as one more that misses a copy.
func TestLateLookProvesNoAbsence(t *testing.T) {
	w := doubledG1(t)
	late := w.view("h2") // begins now, is recorded last
	for _, h := range []string{"h1", "h2", "h2"} {
		w.now = w.now.Add(time.Second)
		w.store(Fact{Kind: HostSeen, Host: h, Seen: w.view(h)})
	}
	w.now = w.now.Add(time.Second)
	w.store(Fact{Kind: HostSeen, Host: "h2", Seen: late})
	if len(w.s.Unproven()) != 1 {
		t.Fatal("two looks at h2, one of them recorded late, are taken for three")
	}
	w.store(Fact{Kind: HostSeen, Host: "h2", Seen: w.view("h2")})
	if len(w.s.Unproven()) != 0 {
		t.Fatal("the third look in a row does not end the doubt")
	}
}
