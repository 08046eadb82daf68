package execution

import (
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// TestStopInDoubtDisturbs: between a stop that ended without an answer and the look that tells what came of it, the
// member counts as disturbed: no other of its group may be stopped or moved.
func TestStopInDoubtDisturbs(t *testing.T) {
	w := newWorld(t, nil)
	w.store(Fact{Kind: HostSeen, Host: "h1", Seen: w.view("h1")}, Fact{Kind: HostSeen, Host: "h2", Seen: w.view("h2")})
	w.now = at("01:00:00")
	w.store(Fact{Kind: TurnPermitted, Turn: "h1"})
	other := w.s.instance("g2")
	if full := w.s.groupFull(other); full != "" {
		t.Fatalf("group %s is full from the outset", full)
	}
	stop := Fact{Turn: "h1", Instance: "g1", Tenant: "acme", From: "h1", Disposition: plan.DispStatefulStop, Attempt: 1, Deadline: w.now.Add(time.Minute)}
	began, failed := stop, stop
	began.Kind, failed.Kind, failed.Code, failed.Retry = StopStarted, StopFailed, "deadline", true
	w.store(began)
	w.now = w.now.Add(time.Minute)
	w.store(failed)
	if full := w.s.groupFull(other); full != "web" {
		t.Errorf("g1 may be stopping still, and g2 may be stopped: %q", full)
	}
	w.now = w.now.Add(time.Second)
	w.store(Fact{Kind: HostSeen, Host: "h1", Seen: w.view("h1")})
	if full := w.s.groupFull(other); full != "" {
		t.Errorf("a look shows that g1 runs, and group %s is full", full)
	}
}
