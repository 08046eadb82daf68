package engine_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/engine"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/store"
)

// postman accepts every notice; other chores never answer.
type postman struct{}

func (postman) Start(c execution.Chore, report func([]execution.Fact)) func() {
	if c.Kind == execution.ChoreTell {
		go report([]execution.Fact{{Kind: execution.NoticeAccepted, Notice: c.Notice, NoticeKind: c.NoticeKind, Tenant: c.Tenant, Contact: c.Contact, Attempt: c.Attempt, Slots: c.Slots}})
	}
	return func() {}
}

// tape is a journal that remembers what was appended in which order over all campaigns.
type tape struct {
	*store.Memory
	mu      sync.Mutex
	appends []appended
}

type appended struct {
	id    string
	facts []execution.Fact
}

func (t *tape) Append(ctx context.Context, id string, after int64, facts []execution.Fact) ([]execution.Fact, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	stored, err := t.Memory.Append(ctx, id, after, facts)
	if err == nil {
		t.appends = append(t.appends, appended{id, stored})
	}
	return stored, err
}

// cut is a journal as a kill after n appends left it.
func (t *tape) cut(test *testing.T, n int) *tape {
	test.Helper()
	out := &tape{Memory: store.NewMemory()}
	for _, a := range t.appends[:n] {
		if _, err := out.Append(test.Context(), a.id, a.facts[0].Seq-1, a.facts); err != nil {
			test.Fatal(err)
		}
	}
	return out
}

func (t *tape) count(test *testing.T, id string, kind execution.Kind) (n int) {
	test.Helper()
	if err := t.Read(test.Context(), id, 0, func(f execution.Fact) error {
		if f.Kind == kind {
			n++
		}
		return nil
	}); err != nil {
		test.Fatal(err)
	}
	return n
}

func serve(t *testing.T, j store.Journal, d engine.Dispatcher) (c *engine.Controller, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	c, err := engine.NewController(ctx, j, soon{}, slog.New(slog.NewTextHandler(io.Discard, nil)), func(func() engine.Campaign) engine.Dispatcher { return d })
	if err != nil {
		t.Fatal(err)
	}
	stop = func() { cancel(); c.Wait() }
	t.Cleanup(stop)
	return c, stop
}

// childOf is a plan of the same pool that supersedes a campaign.
func childOf(t *testing.T, id, parent string) *plan.Plan {
	t.Helper()
	p := planOf(t, id, "p", [2]string{"h1", "h2"}, "", "")
	p.Supersedes = parent
	p.Digest = plan.Digest(*p)
	return p
}

func phaseOf(t *testing.T, c *engine.Controller, id string) (execution.Phase, string) {
	t.Helper()
	st, err := c.Status(id, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return st.Phase, st.Why
}

// A child waits for its parent, which is told to end; then it begins. Whatever instant the server is
// killed at, the next one brings it to the same end, and nothing is told twice.
func TestAChildTakesItsParentsPlace(t *testing.T) {
	j := &tape{Memory: store.NewMemory()}
	c, stop := serve(t, j, postman{})
	if err := c.Apply(t.Context(), planOf(t, "one", "p", [2]string{"h1", "h2"}, "", ""), "t"); err != nil {
		t.Fatal(err)
	}
	until(t, "its tenant is told", func() bool { return j.count(t, "one", execution.NoticeAccepted) == 1 })
	if err := c.Apply(t.Context(), childOf(t, "two", "one"), "t"); err != nil {
		t.Fatal(err)
	}
	settled := func(c *engine.Controller, j *tape) func() bool {
		return func() bool {
			one, why := phaseOf(t, c, "one")
			two, _ := phaseOf(t, c, "two")
			return one == execution.PhaseFinished && why == execution.CodeSuperseded && two == execution.PhaseRunning
		}
	}
	until(t, "the child has its parent's place", settled(c, j))
	stop()
	if n := j.count(t, "one", execution.NoticeAccepted); n != 3 { // one promise, two turns cancelled
		t.Errorf("%d notices of the parent were accepted, want 3", n)
	}
	child := 0
	for child < len(j.appends) && j.appends[child].id != "two" {
		child++
	}
	for n := child + 1; n <= len(j.appends); n++ {
		again := j.cut(t, n)
		c, stop := serve(t, again, postman{})
		until(t, "the same end after a kill", settled(c, again))
		stop()
		if a, e := again.count(t, "one", execution.CampaignAborted), again.count(t, "two", execution.ParentEnded); a != 1 || e != 1 {
			t.Fatalf("killed after append %d: the parent was told to end %d times, the child of its end %d times", n, a, e)
		}
	}
}

// A parent that cannot end keeps its child waiting, and the child says what for.
func TestAChildSaysWhatItWaitsFor(t *testing.T) {
	c, _, _ := control(t, store.NewMemory()) // nobody accepts a notice
	if err := c.Apply(t.Context(), planOf(t, "one", "p", [2]string{"h1", "h2"}, "", ""), "t"); err != nil {
		t.Fatal(err)
	}
	until(t, "its tenant is to be told", func() bool {
		st, err := c.Status("one", time.Now())
		return err == nil && st.Notices.Asked == 1
	})
	if err := c.Apply(t.Context(), childOf(t, "two", "one"), "t"); err != nil {
		t.Fatal(err)
	}
	until(t, "the child waits and says why", func() bool {
		phase, why := phaseOf(t, c, "two")
		return phase == execution.PhaseWaiting && strings.Contains(why, "campaign one") && strings.Contains(why, "not accepted yet")
	})
	if phase, why := phaseOf(t, c, "one"); phase != execution.PhaseAborted || !strings.Contains(why, "campaign two") {
		t.Fatalf("%s: %s", phase, why)
	}
	if r := refusal(c.Order(t.Context(), "two", engine.Order{Verb: "resume", Who: "t"})); r == nil || r.Code != "phase" {
		t.Fatalf("a waiting child was resumed: %v", r)
	}
	if err := c.Order(t.Context(), "two", engine.Order{Verb: "pause", Who: "t", Why: "lunch"}); err != nil {
		t.Fatal(err)
	}
}

func TestWhoMayFollow(t *testing.T) {
	c, _ := serve(t, store.NewMemory(), postman{})
	if err := c.Apply(t.Context(), planOf(t, "one", "p", [2]string{"h1", "h2"}, "", ""), "t"); err != nil {
		t.Fatal(err)
	}
	apply := func(p *plan.Plan) *engine.Refused { return refusal(c.Apply(t.Context(), p, "t")) }
	if r := apply(childOf(t, "two", "nosuch")); r == nil || r.Code != "unknown-parent" || r.Next == "" {
		t.Fatalf("a parent that nobody knows: %v", r)
	}
	if r := apply(childOf(t, "two", "two")); r == nil {
		t.Fatal("it supersedes itself")
	}
	if r := apply(childOf(t, "two", "one")); r != nil {
		t.Fatal(r)
	}
	if r := apply(childOf(t, "three", "one")); r == nil || r.Code != "superseded" || !strings.Contains(r.Next, "two") {
		t.Fatalf("a second child: %v", r)
	}
	if r := apply(childOf(t, "three", "two")); r != nil {
		t.Fatalf("a child's own child: %v", r)
	}
	until(t, "the last of the line runs", func() bool {
		one, _ := phaseOf(t, c, "one")
		two, _ := phaseOf(t, c, "two")
		three, _ := phaseOf(t, c, "three")
		return one == execution.PhaseFinished && two == execution.PhaseFinished && three == execution.PhaseRunning
	})
	if r := apply(planOf(t, "four", "p", [2]string{"h1", "h2"}, "", "")); r == nil || r.Code != "claimed" || !strings.Contains(r.Why, "three") {
		t.Fatalf("one that supersedes nobody: %v", r)
	}
	// A late advisory: the parent is over, and the child begins at once.
	if err := c.Order(t.Context(), "three", engine.Order{Verb: "abort", Who: "t", Why: "enough"}); err != nil {
		t.Fatal(err)
	}
	until(t, "three is over", func() bool { phase, _ := phaseOf(t, c, "three"); return phase == execution.PhaseFinished })
	if r := apply(childOf(t, "four", "three")); r != nil {
		t.Fatal(r)
	}
	until(t, "four begins", func() bool { phase, _ := phaseOf(t, c, "four"); return phase == execution.PhaseRunning })
}

// What the parent's moves changed since the child's fleet was read is told to the child.
func TestTheChildHearsWhoStandsWhere(t *testing.T) {
	j := &tape{Memory: store.NewMemory()}
	stored := func(p *plan.Plan, more ...execution.Fact) {
		t.Helper()
		bare := *p
		bare.Fleet = nil
		pj, _ := json.Marshal(bare)
		fj, _ := json.Marshal(p.Fleet)
		at := time.Now().UTC().Truncate(time.Millisecond).Add(-time.Minute)
		facts := append([]execution.Fact{{Kind: execution.CampaignApplied, Who: "operator:t", Campaign: p.Campaign, Revision: 1, Plan: pj, Fleet: fj}}, more...)
		for i := range facts {
			facts[i].At, facts[i].Campaign = at, p.Campaign
			if facts[i].Who == "" {
				facts[i].Who = execution.Engine
			}
		}
		if _, err := j.Append(t.Context(), p.Campaign, 0, facts); err != nil {
			t.Fatal(err)
		}
	}
	stored(planOf(t, "one", "p", [2]string{"h1", "h2"}, "", ""),
		execution.Fact{Kind: execution.TurnPermitted, Turn: "h1", Host: "h1"},
		execution.Fact{Kind: execution.MovePlaced, Turn: "h1", Instance: "i-h1", From: "h1", To: "h2", Attempt: 1},
		execution.Fact{Kind: execution.MoveDone, Turn: "h1", Instance: "i-h1", From: "h1", To: "h2", Attempt: 1, Source: "absent", Destination: "running"},
		execution.Fact{Kind: execution.TurnDropped, Turn: "h1", Host: "h1", Code: execution.CodeSuperseded, Why: "x"},
		execution.Fact{Kind: execution.TurnDropped, Turn: "h2", Host: "h2", Code: execution.CodeSuperseded, Why: "x"},
		execution.Fact{Kind: execution.CampaignAborted, Code: execution.CodeSuperseded, Why: "x"},
		execution.Fact{Kind: execution.CampaignFinished, Code: execution.CodeSuperseded})
	stored(childOf(t, "two", "one"))
	c, stop := serve(t, j, postman{})
	until(t, "the child runs", func() bool { phase, _ := phaseOf(t, c, "two"); return phase == execution.PhaseRunning })
	stop()
	var told []execution.Fact
	_ = j.Read(t.Context(), "two", 0, func(f execution.Fact) error {
		if f.Kind == execution.Inherited {
			told = append(told, f)
		}
		return nil
	})
	if len(told) != 1 || told[0].Instance != "i-h1" || told[0].Host != "h2" || !strings.Contains(told[0].Why, "campaign one") {
		t.Fatalf("%+v", told)
	}
}
