package engine_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/engine"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/store"
)

// told is a campaign whose tenant was told of all its promises, and which has lost an instance since.
func told(t *testing.T, facts ...execution.Fact) *tape {
	t.Helper()
	p := twoCohorts(t)
	notice := execution.Fact{Kind: execution.NoticeAsked, Notice: "spring/r1/scheduled/acme", NoticeKind: execution.NoticeScheduled, Tenant: "acme"}
	for i := range p.Slots {
		notice.Slots = append(notice.Slots, p.Slots[i].ID)
	}
	accepted := notice
	accepted.Kind, accepted.Contact = execution.NoticeAccepted, "ops@acme.example"
	j := &tape{Memory: store.NewMemory()}
	was := recorded(t, p, append([]execution.Fact{notice, accepted}, facts...)...)
	if err := was.Read(t.Context(), "spring", 0, func(f execution.Fact) error {
		_, err := j.Append(t.Context(), "spring", f.Seq-1, []execution.Fact{f})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return j
}

// gone: an instance was deleted by its owner.
func gone(id string) execution.Fact {
	return execution.Fact{Kind: execution.External, Instance: id, Host: "q2", Code: "gone", Why: "its tenant deleted it"}
}

func slotsTold(p *plan.Plan) (kept, anew []string) {
	for _, s := range p.Slots {
		if s.Told.IsZero() {
			anew = append(anew, s.ID)
		} else {
			kept = append(kept, s.ID)
		}
	}
	return kept, anew
}

// The child of a campaign in one of whose pools an instance is gone keeps the promises of the other pool: nobody there is told
// again, or told that anything is off.
func TestAChildKeepsWhatWasTold(t *testing.T) {
	j := told(t, gone("i-q2"))
	c, stop := serve(t, j, postman{})
	p, err := c.Replan("spring", engine.Replan{})
	if err != nil {
		t.Fatal(err)
	}
	kept, _ := slotsTold(p)
	if !slices.Contains(kept, "p1/i-p1") || !slices.Contains(kept, "p2/i-p2") || slices.Contains(kept, "q2/i-q2") {
		t.Fatalf("kept %v", kept)
	}

	forged := *p
	forged.Slots = slices.Clone(p.Slots)
	at := slices.IndexFunc(forged.Slots, func(s plan.Slot) bool { return s.ID == "p1/i-p1" })
	forged.Slots[at].Told = forged.Slots[at].Told.Add(-time.Hour)
	forged.Digest = plan.Digest(forged)
	if r := refusal(c.Apply(t.Context(), &forged, "t")); r == nil || r.Code != "stale" || !strings.Contains(r.Why, "acme was told of p1/i-p1") {
		t.Fatalf("a promise that was told at another hour: %v", r)
	}
	if err := c.Apply(t.Context(), p, "t"); err != nil {
		t.Fatal(err)
	}
	until(t, "the child has its parent's place", func() bool {
		one, why := phaseOf(t, c, "spring")
		two, _ := phaseOf(t, c, p.Campaign)
		return one == execution.PhaseFinished && why == execution.CodeSuperseded && two == execution.PhaseRunning
	})
	stop()
	for _, id := range []string{"spring", p.Campaign} {
		if err := j.Read(t.Context(), id, 4, func(f execution.Fact) error {
			if f.Kind == execution.NoticeAsked && slices.ContainsFunc(f.Slots, func(s string) bool { return slices.Contains(kept, s) }) {
				t.Errorf("campaign %s asks for notice %s of %v, of which nothing has become another", id, f.Notice, f.Slots)
			}
			if f.Kind == execution.ParentEnded && len(f.Slots) > 0 {
				t.Errorf("not handed over: %v", f.Slots)
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
}

// What the parent takes back between the child's plan and its own end is told anew by the child.
func TestAPromiseLostOnTheWay(t *testing.T) {
	j := told(t, gone("i-q2"))
	c, stop := serve(t, j, postman{})
	p, err := c.Replan("spring", engine.Replan{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Apply(t.Context(), p, "t"); err != nil {
		t.Fatal(err)
	}
	stop()
	child := slices.IndexFunc(j.appends, func(a appended) bool { return a.id == p.Campaign })
	cut := j.cut(t, child+1) // killed before the parent heard of it
	last := j.appends[child-1].facts[0]
	off := execution.Fact{At: last.At, Kind: execution.NoticeAsked, Who: execution.Engine, Campaign: "spring", Revision: 1, Notice: "spring/r1/cancelled/acme/p1", NoticeKind: execution.NoticeCancelled, Tenant: "acme", Slots: []string{"p1/i-p1"}}
	if _, err := cut.Append(t.Context(), "spring", last.Seq, []execution.Fact{off}); err != nil {
		t.Fatal(err)
	}
	c, stop = serve(t, cut, postman{})
	until(t, "the child has its parent's place", func() bool { two, _ := phaseOf(t, c, p.Campaign); return two == execution.PhaseRunning })
	until(t, "acme is told anew", func() bool { return slices.Contains(slotsAsked(t, cut, p.Campaign), "p1/i-p1") })
	stop()
	if all := slotsAsked(t, cut, p.Campaign); slices.Contains(all, "p2/i-p2") {
		t.Errorf("told anew: %v", all)
	}
}

// slotsAsked are the promises of which a campaign asks notices.
func slotsAsked(t *testing.T, j store.Journal, id string) (all []string) {
	t.Helper()
	if err := j.Read(t.Context(), id, 0, func(f execution.Fact) error {
		if f.Kind == execution.NoticeAsked {
			all = append(all, f.Slots...)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// Until a canary is judged nothing is known of the fix, and a plan made again would go on without one.
func TestNoPlanAgainWhileACanarySoaks(t *testing.T) {
	p := twoCohorts(t)
	i := slices.IndexFunc(p.Turns, func(t plan.Turn) bool { return t.Canary })
	if i < 0 {
		t.Fatal("the plan has no canary")
	}
	id := p.Turns[i].ID
	c, stop := serve(t, told(t, gone("i-q2"), execution.Fact{Kind: execution.TurnPermitted, Turn: id, Host: p.Turns[i].Host}), postman{})
	defer stop()
	_, err := c.Replan("spring", engine.Replan{})
	if r := refusal(err); r == nil || r.Code != "canary" || !strings.Contains(r.Why, "host "+p.Turns[i].Host) || r.Next == "" {
		t.Fatalf("%v", err)
	}
}
