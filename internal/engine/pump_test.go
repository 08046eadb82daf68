package engine_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/engine"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/store"
)

// clock is set by hand.
type clock struct{ now time.Time }

func (c *clock) Now() time.Time                            { return c.now }
func (c *clock) Wait(context.Context, time.Duration) error { return nil }

// hands records which chores were begun and cancelled, and answers when told to.
type hands struct {
	journal   *spy
	begun     []execution.Chore
	report    map[string]func([]execution.Fact)
	cancelled []string
	unstored  []string // chores begun before the journal held the fact that asks for them
}

func (h *hands) Start(c execution.Chore, report func([]execution.Fact)) func() {
	h.begun = append(h.begun, c)
	h.report[c.Key] = report
	if c.Kind == execution.ChoreTell && !h.journal.holds(execution.NoticeAsked, c.Notice) {
		h.unstored = append(h.unstored, c.Key)
	}
	return func() { h.cancelled = append(h.cancelled, c.Key) }
}

func (h *hands) keys() (keys []string) {
	for _, c := range h.begun {
		keys = append(keys, c.Key)
	}
	return keys
}

// spy is a journal that can fail.
type spy struct {
	*store.Memory
	fail    error
	appends int
}

func (s *spy) Append(ctx context.Context, id string, after int64, facts []execution.Fact) ([]execution.Fact, error) {
	if s.fail != nil {
		return nil, s.fail
	}
	s.appends++
	return s.Memory.Append(ctx, id, after, facts)
}

func (s *spy) facts() (out []execution.Fact) {
	_ = s.Read(context.Background(), "c", 0, func(f execution.Fact) error { out = append(out, f); return nil })
	return out
}

func (s *spy) holds(k execution.Kind, notice string) bool {
	return slices.ContainsFunc(s.facts(), func(f execution.Fact) bool { return f.Kind == k && f.Notice == notice })
}

var dawn = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

// applied is a journal that holds a plan of one host with one instance.
func applied(t *testing.T) *spy {
	t.Helper()
	f := fleet.Fleet{Regions: []fleet.Region{{ID: "r"}}, Sites: []fleet.Site{{ID: "s", Region: "r"}}, Pools: []fleet.Pool{{ID: "p", Site: "s"}},
		Tenants:   []fleet.Tenant{{ID: "acme", Contacts: []fleet.Contact{{Email: "a@acme.example"}}}},
		Hosts:     []fleet.Host{{ID: "h1", Pools: []string{"p"}, MemoryMiB: 1000}, {ID: "h2", Pools: []string{"p"}, MemoryMiB: 1000}},
		Instances: []fleet.Instance{{ID: "i", Host: "h1", Tenant: "acme", MemoryMiB: 100}}}
	p := plan.Plan{Campaign: "c", Revision: 1, Policy: plan.DefaultPolicy(),
		Turns: []plan.Turn{{ID: "h1", Host: "h1", Pool: "p", Site: "s", Wave: 1, Tactic: plan.Evacuate, Start: dawn.Add(48 * time.Hour), WorstS: 60,
			WindowStart: dawn.Add(48 * time.Hour), WindowEnd: dawn.Add(50 * time.Hour)}},
		Slots: []plan.Slot{{ID: "h1/i", Instance: "i", Tenant: "acme", Turn: "h1", Class: plan.ClassBlip, Disposition: plan.DispLiveMigrate,
			Start: dawn.Add(48 * time.Hour), End: dawn.Add(50 * time.Hour)}}}
	pj, _ := json.Marshal(p)
	fj, _ := json.Marshal(f)
	j := &spy{Memory: store.NewMemory()}
	if _, err := j.Append(context.Background(), "c", 0, []execution.Fact{{At: dawn, Kind: execution.CampaignApplied, Who: "operator:t", Campaign: "c", Revision: 1, Plan: pj, Fleet: fj}}); err != nil {
		t.Fatal(err)
	}
	return j
}

func open(t *testing.T, j *spy, generation int64, c *clock) (*engine.Pump, *hands, *int) {
	t.Helper()
	h, woken := &hands{journal: j, report: map[string]func([]execution.Fact){}}, new(int)
	p, err := engine.Open(context.Background(), j, "c", generation, c, h, func() { *woken++ })
	if err != nil {
		t.Fatal(err)
	}
	return p, h, woken
}

func turn(t *testing.T, p *engine.Pump) time.Time {
	t.Helper()
	next, err := p.Turn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func TestFactsAreStoredBeforeChoresBegin(t *testing.T) {
	j, c := applied(t), &clock{dawn}
	p, h, woken := open(t, j, 1, c)
	turn(t, p)
	if len(h.begun) != 1 || len(h.unstored) != 0 || h.begun[0].Kind != execution.ChoreTell {
		t.Fatalf("begun %v, before their fact %v", h.keys(), h.unstored)
	}
	turn(t, p) // what is in flight is not begun again
	if len(h.begun) != 1 {
		t.Fatalf("begun again: %v", h.keys())
	}
	h.report[h.begun[0].Key]([]execution.Fact{{Kind: execution.NoticeAccepted, Notice: h.begun[0].Notice, Tenant: "acme"}})
	if *woken == 0 {
		t.Fatal("an answer did not wake the pump")
	}
	c.now = dawn.Add(time.Second)
	if next := turn(t, p); !next.After(c.now) {
		t.Fatalf("wants to be called again at %s, with nothing to do before the slot", next)
	}
	if !j.holds(execution.NoticeAccepted, h.begun[0].Notice) {
		t.Fatal("the answer is not in the journal")
	}
}

// Whatever was in flight when a controller died is begun again by the next one, as the same attempt.
func TestTakeoverBeginsTheSameChores(t *testing.T) {
	j, c := applied(t), &clock{dawn}
	p, first, _ := open(t, j, 1, c)
	turn(t, p)
	next, second, _ := open(t, j, 2, c)
	turn(t, next)
	if fmt.Sprint(first.keys()) != fmt.Sprint(second.keys()) || second.begun[0].Generation != 2 {
		t.Fatalf("first %v, second %v of generation %d", first.keys(), second.keys(), second.begun[0].Generation)
	}
	first.report[first.begun[0].Key]([]execution.Fact{{Kind: execution.NoticeAccepted, Notice: first.begun[0].Notice}})
	if _, err := p.Turn(context.Background()); !errors.Is(err, store.ErrConflict) {
		t.Fatalf("the controller that was taken over from goes on: %v", err)
	}
}

// A journal that cannot be written (a full disk) loses no answer and starts no chore.
func TestAnswersOutliveAFullDisk(t *testing.T) {
	j, c := applied(t), &clock{dawn}
	p, h, _ := open(t, j, 1, c)
	j.fail = errors.New("no space left on device")
	if _, err := p.Turn(context.Background()); err == nil || len(h.begun) != 0 {
		t.Fatalf("error %v, begun %v", err, h.keys())
	}
	j.fail = nil
	turn(t, p)
	j.fail = errors.New("no space left on device")
	h.report[h.begun[0].Key]([]execution.Fact{{Kind: execution.NoticeAccepted, Notice: h.begun[0].Notice}})
	if _, err := p.Turn(context.Background()); err == nil {
		t.Fatal("the answer was taken although it could not be stored")
	}
	j.fail = nil
	turn(t, p)
	if !j.holds(execution.NoticeAccepted, h.begun[0].Notice) {
		t.Fatal("the answer is lost")
	}
}

// An answer of a start that was given up is not that of the one that took its place.
func TestLateAnswerOfAnEarlierStart(t *testing.T) {
	j, c := applied(t), &clock{dawn}
	p, h, _ := open(t, j, 1, c)
	turn(t, p)
	key, notice := h.begun[0].Key, h.begun[0].Notice
	late := h.report[key]
	order := func(k execution.Kind) {
		t.Helper()
		if err := p.Command(context.Background(), &execution.Fact{Kind: k, Who: "operator:t"}, func(*execution.State) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	engine.Forget(p, key) // as when the state does not ask for it for a while
	order(execution.CampaignPaused)
	turn(t, p)
	if len(h.begun) != 2 || h.begun[1].Key != key {
		t.Fatalf("begun %v, want %s twice", h.keys(), key)
	}
	late([]execution.Fact{{Kind: execution.NoticeAccepted, Notice: notice, Tenant: "acme", Why: "late"}})
	turn(t, p)
	if j.holds(execution.NoticeAccepted, notice) {
		t.Fatal("the answer of the start that was given up was believed")
	}
	h.report[key]([]execution.Fact{{Kind: execution.NoticeAccepted, Notice: notice, Tenant: "acme"}})
	turn(t, p)
	if !j.holds(execution.NoticeAccepted, notice) {
		t.Fatal("the answer of the start in flight was not taken")
	}
}

// Answers that came in together are stored together: each append costs a sync.
func TestAnswersAreStoredTogether(t *testing.T) {
	j, c := applied(t), &clock{dawn.Add(48*time.Hour - time.Minute)}
	p, h, _ := open(t, j, 1, c)
	turn(t, p)
	if err := p.Command(context.Background(), &execution.Fact{Kind: execution.CampaignPaused, Who: "operator:t"}, func(*execution.State) error { return nil }); err != nil {
		t.Fatal(err)
	}
	turn(t, p)
	key, notice := h.begun[0].Key, h.begun[0].Notice
	many := make([]execution.Fact, 3)
	for i := range many {
		many[i] = execution.Fact{Kind: execution.HostLost, Host: fmt.Sprintf("h%d", i)}
	}
	engine.Begin(p, "other", func(report func([]execution.Fact)) { report(many) })
	h.report[key]([]execution.Fact{{Kind: execution.NoticeFailed, Notice: notice, Tenant: "acme", Retry: true}})
	before := j.appends
	turn(t, p)
	if n := j.appends - before; n != 1 {
		t.Fatalf("%d appends for two answers, want 1", n)
	}
	if got := j.facts(); got[len(got)-1].Kind != execution.NoticeFailed || got[len(got)-2].Kind != execution.HostLost {
		t.Fatalf("the last facts are %s and %s", got[len(got)-2].Kind, got[len(got)-1].Kind)
	}
}

// A bug in the core becomes a halted campaign and an error, never a crash or a retry.
func TestBugHaltsTheCampaign(t *testing.T) {
	j, c := applied(t), &clock{dawn}
	p, h, _ := open(t, j, 1, c)
	turn(t, p)
	h.report[h.begun[0].Key]([]execution.Fact{{Kind: execution.TurnDone, Turn: "no-such-turn"}})
	if _, err := p.Turn(context.Background()); err == nil {
		t.Fatal("a fact of a turn that does not exist was taken without a word")
	}
	halted := false
	p.Read(func(s *execution.State) { halted = s.Phase == execution.PhaseHalted })
	before := len(h.begun)
	c.now = dawn.Add(100 * time.Hour)
	_, _ = p.Turn(context.Background())
	if !halted || len(h.begun) != before {
		t.Fatalf("halted %v, begun since %d", halted, len(h.begun)-before)
	}
}

func TestOrdersAreCheckedFirst(t *testing.T) {
	j, c := applied(t), &clock{dawn}
	p, _, woken := open(t, j, 1, c)
	n := len(j.facts())
	no := errors.New("no")
	f := execution.Fact{Kind: execution.CampaignPaused, Who: "operator:t"}
	if err := p.Command(context.Background(), &f, func(*execution.State) error { return no }); !errors.Is(err, no) || len(j.facts()) != n {
		t.Fatalf("refused order: %v, %d facts", err, len(j.facts())-n)
	}
	if err := p.Command(context.Background(), &f, func(*execution.State) error { return nil }); err != nil || len(j.facts()) != n+1 || *woken == 0 {
		t.Fatalf("order: %v, %d facts, woken %d", err, len(j.facts())-n, *woken)
	}
}

// A chore that panics halts the campaign once: it is not begun again and again.
func TestAPanickingChoreIsNotRepeated(t *testing.T) {
	j, c := applied(t), &clock{dawn}
	p, h, _ := open(t, j, 1, c)
	turn(t, p)
	for range 10 {
		key := h.begun[len(h.begun)-1].Key
		// what local.Dispatcher reports of a panic
		h.report[key]([]execution.Fact{{Kind: execution.CampaignHalted, Code: execution.CodeBug, Why: "chore " + key + ": nil map"}})
		c.now = c.now.Add(time.Millisecond)
		_, _ = p.Turn(context.Background())
	}
	halted := 0
	for _, f := range j.facts() {
		if f.Kind == execution.CampaignHalted {
			halted++
		}
	}
	if len(h.begun) != 1 || halted != 1 {
		t.Fatalf("begun %d times, halted %d times: a bug is retried for ever", len(h.begun), halted)
	}
}
