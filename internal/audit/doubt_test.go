package audit

import "testing"

// TestDoubtHolds: a move whose end is not known takes memory at both ends, until a look shows that it does not
// run at one of them; and again should it run there later.
func TestDoubtHolds(t *testing.T) {
	tr := newTrial()
	g := tr.guest("i")
	g.memory, g.host, g.state = 1024, "a", "unknown"
	g.doubt = &doubt{turn: &turnRun{doubts: map[string]bool{}}, from: "a", to: "b", ends: map[string]string{}}
	tr.hold(g, "a", "b")
	for n, look := range []struct {
		host, state string
		a, b        int64
	}{{"a", "stopped", 0, 1024}, {"a", "paused", 1024, 1024}, {"a", "stopped", 0, 1024}, {"b", "running", 0, 1024}} {
		tr.learn(g, look.host, look.state)
		if a, b := tr.machine("a").used, tr.machine("b").used; a != look.a || b != look.b {
			t.Errorf("look %d, %s on %s: it takes %d MiB on a and %d on b, want %d and %d", n, look.state, look.host, a, b, look.a, look.b)
		}
	}
	if g.doubt != nil || g.host != "b" || g.state != "running" {
		t.Errorf("looks at both ends left %+v on %s, %s", g.doubt, g.host, g.state)
	}
}
