package engine_test

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/engine"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
	"github.com/evenkeel/evenkeel/internal/store"
)

// shaky is a journal that can refuse to be read, for a while or in a campaign for ever.
type shaky struct {
	*store.Memory
	mu      sync.Mutex
	unread  int    // that many readings fail
	garbled string // the campaign whose second fact is of no known kind
}

func (s *shaky) Read(ctx context.Context, id string, after int64, fn func(execution.Fact) error) error {
	s.mu.Lock()
	fails := s.unread > 0
	if fails {
		s.unread--
	}
	garbled := s.garbled == id
	s.mu.Unlock()
	if fails {
		return errors.New("disk I/O error")
	}
	return s.Memory.Read(ctx, id, after, func(f execution.Fact) error {
		if garbled && f.Seq == 2 {
			f.Kind = "from-a-newer-version"
		}
		return fn(f)
	})
}

// soon is the real time of day, with short waits.
type soon struct{ engine.RealClock }

func (soon) Wait(ctx context.Context, _ time.Duration) error {
	return engine.RealClock{}.Wait(ctx, time.Millisecond)
}

// still begins chores that never answer, and counts those that are ended.
type still struct{ begun, cancelled *atomic.Int64 }

func (s still) Start(execution.Chore, func([]execution.Fact)) func() {
	s.begun.Add(1)
	return func() { s.cancelled.Add(1) }
}

func control(t *testing.T, j store.Journal) (c *engine.Controller, stop func(), hands still) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	hands = still{new(atomic.Int64), new(atomic.Int64)}
	c, err := engine.NewController(ctx, j, soon{}, slog.New(slog.NewTextHandler(io.Discard, nil)), func(func() engine.Campaign) engine.Dispatcher { return hands })
	if err != nil {
		t.Fatal(err)
	}
	stop = func() { cancel(); c.Wait() }
	t.Cleanup(stop)
	return c, stop, hands
}

// planOf is a routine cycle of one pool's two hosts, with an instance each.
func planOf(t *testing.T, id, pool string, hosts [2]string, group, hostGroup string) *plan.Plan {
	t.Helper()
	reserve := int64(1024)
	f := &fleet.Fleet{Evenkeel: fleet.SchemaV1, Regions: []fleet.Region{{ID: "r"}}, Sites: []fleet.Site{{ID: "s", Region: "r"}}, Pools: []fleet.Pool{{ID: pool, Site: "s", ReserveMiB: &reserve}},
		Tenants: []fleet.Tenant{{ID: "acme", Contacts: []fleet.Contact{{Email: "ops@acme.example"}}}}}
	for _, h := range hosts {
		f.Hosts = append(f.Hosts, fleet.Host{ID: h, Pools: []string{pool}, Hypervisor: fleet.KVM, MemoryMiB: 16384, NICMbps: 10000})
		f.Instances = append(f.Instances, fleet.Instance{ID: "i-" + h, Host: h, Tenant: "acme", MemoryMiB: 1024})
	}
	if group != "" {
		f.Groups = []fleet.Group{{ID: group, Tenant: "acme", Members: []string{"i-" + hosts[0]}, MaxUnavailable: 1}}
		if group == "racks" {
			f.Groups[0].Spread = fleet.SpreadRack
		}
	}
	if hostGroup != "" {
		f.HostGroups = []fleet.HostGroup{{ID: hostGroup, Hosts: hosts[:1], MaxUnavailable: 1}}
	}
	p, err := planner.Propose(planner.Input{Fleet: f, Policy: plan.DefaultPolicy(), Campaign: id, Now: time.Now().UTC(), Revision: 1})
	if err != nil || len(p.Turns) != 2 {
		t.Fatalf("%d turns, %v, blocked %+v", len(p.Turns), err, p.Blocked)
	}
	return &p
}

func refusal(err error) *engine.Refused {
	var r *engine.Refused
	errors.As(err, &r)
	return r
}

// Two open campaigns share nothing that each reckons with as if it were alone: hosts, pools, and groups that
// spread over racks. Other groups and host groups they share.
func TestOpenCampaignsShareNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		pool             string
		hosts            [2]string
		group, hostGroup string
		shared           string
	}{
		"nothing":            {"q", [2]string{"h3", "h4"}, "db", "edge", ""},
		"a host":             {"q", [2]string{"h2", "h3"}, "", "", "host h2"},
		"a pool":             {"p", [2]string{"h3", "h4"}, "", "", "pool p"},
		"a group":            {"q", [2]string{"h3", "h4"}, "web", "", ""},
		"a host group":       {"q", [2]string{"h3", "h4"}, "", "gateways", ""},
		"a group over racks": {"q", [2]string{"h3", "h4"}, "racks", "", "group racks"},
	} {
		t.Run(name, func(t *testing.T) {
			c, _, _ := control(t, store.NewMemory())
			if err := c.Apply(t.Context(), planOf(t, "one", "p", [2]string{"h1", "h2"}, cmp.Or(strings.TrimPrefix(tt.shared, "group "), "web"), "gateways"), "t"); err != nil {
				t.Fatal(err)
			}
			err := c.Apply(t.Context(), planOf(t, "two", tt.pool, tt.hosts, tt.group, tt.hostGroup), "t")
			r := refusal(err)
			switch {
			case tt.shared == "" && err != nil:
				t.Fatal(err)
			case tt.shared != "" && (r == nil || r.Code != "claimed" || !strings.HasPrefix(r.Why, tt.shared+" ") || !strings.Contains(r.Why, "campaign one") || r.Next == ""):
				t.Fatalf("want a refusal over %s, got %v", tt.shared, err)
			}
		})
	}
}

// A campaign that is recorded and cannot begin is not lost: it begins as soon as it can.
func TestARecordedCampaignBegins(t *testing.T) {
	j := &shaky{Memory: store.NewMemory()}
	c, _, _ := control(t, j)
	j.unread = 1 << 30
	if err := c.Apply(t.Context(), planOf(t, "one", "p", [2]string{"h1", "h2"}, "", ""), "t"); err != nil {
		t.Fatal(err)
	}
	st, err := c.Status("one", time.Now())
	if err != nil || st.Phase != engine.PhaseBeginning || !strings.Contains(st.Trouble, "disk I/O error") {
		t.Fatalf("%+v, %v", st, err)
	}
	if r := refusal(c.Order(t.Context(), "one", engine.Order{Verb: "pause", Who: "t"})); r == nil || r.Code != "beginning" {
		t.Fatalf("an order was not refused: %v", r)
	}
	j.mu.Lock()
	j.unread = 0
	j.mu.Unlock()
	until(t, "it runs", func() bool {
		st, err := c.Status("one", time.Now())
		return err == nil && st.Phase == execution.PhaseRunning && st.Trouble == ""
	})
}

// until waits for what other goroutines bring about.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("never came about: %s", what)
		}
	}
}

// One journal that does not fold keeps no other campaign from its turns.
func TestOneBrokenJournal(t *testing.T) {
	j := &shaky{Memory: store.NewMemory()}
	c, stop, _ := control(t, j)
	for id, hosts := range map[string][2]string{"one": {"h1", "h2"}, "two": {"h3", "h4"}} {
		if err := c.Apply(t.Context(), planOf(t, id, "pool-"+id, hosts, "", ""), "t"); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	j.garbled = "one"
	c, _, _ = control(t, j)
	broken, err := c.Status("one", time.Now())
	if err != nil || broken.Phase != engine.PhaseFailed || !strings.Contains(broken.Trouble, "from-a-newer-version") {
		t.Fatalf("%+v, %v", broken, err)
	}
	if st, err := c.Status("two", time.Now()); err != nil || st.Phase != execution.PhaseRunning || st.Trouble != "" {
		t.Fatalf("%+v, %v", st, err)
	}
	if r := refusal(c.Order(t.Context(), "one", engine.Order{Verb: "abort", Who: "t"})); r == nil || r.Code != "failed" {
		t.Fatalf("an order was not refused: %v", r)
	}
	if r := refusal(c.Apply(t.Context(), planOf(t, "three", "pool-one", [2]string{"h1", "h2"}, "", ""), "t")); r == nil || r.Code != "claimed" {
		t.Fatalf("its hosts were given to another campaign: %v", r)
	}
}

// A controller that was taken over from says so, takes no orders, and leaves what it began alone.
func TestTakenOverFrom(t *testing.T) {
	j := store.NewMemory()
	c, _, hands := control(t, j)
	if err := c.Apply(t.Context(), planOf(t, "one", "p", [2]string{"h1", "h2"}, "", ""), "t"); err != nil {
		t.Fatal(err)
	}
	until(t, "a notice was asked for", func() bool {
		st, err := c.Status("one", time.Now())
		return err == nil && st.Notices.Asked > 0
	})
	control(t, j)
	for range 2 { // the one that finds it out, and the next
		if r := refusal(c.Order(t.Context(), "one", engine.Order{Verb: "pause", Who: "t"})); r == nil || r.Code != "stopped" {
			t.Fatalf("an order was not refused: %v", r)
		}
	}
	if st, err := c.Status("one", time.Now()); err != nil || st.Trouble == "" {
		t.Fatalf("%+v, %v", st, err)
	}
	c.Wait()
	if hands.begun.Load() == 0 || hands.cancelled.Load() != 0 {
		t.Fatalf("%d chores begun, %d of them ended", hands.begun.Load(), hands.cancelled.Load())
	}
}

// A server that ends leaves what it began in the world alone.
func TestAnEndCancelsNothing(t *testing.T) {
	c, stop, hands := control(t, store.NewMemory())
	if err := c.Apply(t.Context(), planOf(t, "one", "p", [2]string{"h1", "h2"}, "", ""), "t"); err != nil {
		t.Fatal(err)
	}
	until(t, "a notice was asked for", func() bool {
		st, err := c.Status("one", time.Now())
		return err == nil && st.Notices.Asked > 0
	})
	stop()
	if hands.cancelled.Load() != 0 {
		t.Fatalf("%d chores were ended", hands.cancelled.Load())
	}
}
