package engine_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/engine"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
	"github.com/evenkeel/evenkeel/internal/store"
)

// twoCohorts is a campaign of two pools, each its own cohort, that evacuates and may suspend.
func twoCohorts(t *testing.T) *plan.Plan {
	t.Helper()
	reserve := int64(1024)
	old := map[string]string{"qemu": "1"}
	f := &fleet.Fleet{Evenkeel: fleet.SchemaV1, Regions: []fleet.Region{{ID: "r"}}, Sites: []fleet.Site{{ID: "s", Region: "r"}},
		Tenants: []fleet.Tenant{{ID: "acme", Contacts: []fleet.Contact{{Email: "ops@acme.example"}}}}}
	for _, pool := range []string{"p", "q"} {
		f.Pools = append(f.Pools, fleet.Pool{ID: pool, Site: "s", ReserveMiB: &reserve})
		for _, n := range []string{"1", "2"} {
			f.Hosts = append(f.Hosts, fleet.Host{ID: pool + n, Pools: []string{pool}, Hypervisor: fleet.KVM, Ecosystem: "Debian:12", MemoryMiB: 16384, NICMbps: 10000, Software: fleet.Software{Installed: old, Booted: old}})
			f.Instances = append(f.Instances, fleet.Instance{ID: "i-" + pool + n, Host: pool + n, Tenant: "acme", MemoryMiB: 1024})
		}
	}
	target := &plan.Target{ID: "fix", Public: "maintenance"}
	for _, pool := range []string{"p", "q"} {
		target.Cohorts = append(target.Cohorts, plan.Cohort{Name: "racks-" + pool, Match: plan.Match{Pools: []string{pool}}, Tactics: []plan.Tactic{plan.Evacuate, plan.Suspend},
			Packages: map[string]string{"qemu": "2"}, Update: plan.Update{Command: []string{"update"}}})
	}
	now := time.Now().UTC().Truncate(time.Second)
	p, err := planner.Propose(planner.Input{Fleet: f, Target: target, Assessment: advisory.Assess(f, target, nil, 0, now), Policy: plan.DefaultPolicy(), Campaign: "spring", Now: now, Revision: 1})
	if err != nil || len(p.Turns) != 4 {
		t.Fatalf("%d turns, %v, blocked %+v", len(p.Turns), err, p.Blocked)
	}
	p.Fleet = f
	return &p
}

// recorded is a journal that begins with a plan and goes on with some facts.
func recorded(t *testing.T, p *plan.Plan, more ...execution.Fact) *store.Memory {
	t.Helper()
	j, bare := store.NewMemory(), *p
	bare.Fleet = nil
	pj, err := json.Marshal(bare)
	if err != nil {
		t.Fatal(err)
	}
	fj, err := json.Marshal(p.Fleet)
	if err != nil {
		t.Fatal(err)
	}
	facts := append([]execution.Fact{{Kind: execution.CampaignApplied, Plan: pj, Fleet: fj}}, more...)
	for i := range facts {
		facts[i].At, facts[i].Campaign, facts[i].Revision, facts[i].Who = time.Now().UTC().Truncate(time.Millisecond).Add(-time.Minute), p.Campaign, 1, execution.Engine
	}
	if _, err := j.Append(t.Context(), p.Campaign, 0, facts); err != nil {
		t.Fatal(err)
	}
	return j
}

var heldFact = execution.Fact{Kind: execution.CohortHeld, Cohort: "racks-p", Code: execution.CodeMigrationsFail, Why: "3 migrations in a row failed", Next: "evenkeel replan spring"}

// A child is proposed from what the campaign knows now; what is proposed is accepted as it is.
func TestAChildOfAHeldCohortIsProposed(t *testing.T) {
	p := twoCohorts(t)
	seen := &execution.HostView{At: time.Now().UTC().Truncate(time.Millisecond).Add(-time.Minute), BootID: "b", Health: "up", MemoryMiB: 16384, FreeMiB: 16384,
		Installed: map[string]string{"qemu": "2"}, Booted: map[string]string{"qemu": "2"}}
	j := recorded(t, p,
		execution.Fact{Kind: execution.TurnPermitted, Turn: "p1", Host: "p1"},
		execution.Fact{Kind: execution.MovePlaced, Turn: "p1", Instance: "i-p1", From: "p1", To: "p2", Attempt: 1},
		execution.Fact{Kind: execution.MoveDone, Turn: "p1", Instance: "i-p1", From: "p1", To: "p2", Attempt: 1, Source: "absent", Destination: "running"},
		execution.Fact{Kind: execution.TurnDone, Turn: "p1", Host: "p1"},
		execution.Fact{Kind: execution.HostSeen, Host: "p1", Seen: seen},
		heldFact)
	c, _ := serve(t, j, postman{})
	child, err := c.Replan("spring", engine.Replan{})
	if err != nil {
		t.Fatal(err)
	}
	tactics := map[string]plan.Tactic{}
	for _, turn := range child.Turns {
		tactics[turn.Host] = turn.Tactic
	}
	if child.Campaign != "spring-2" || child.Supersedes != "spring" || len(tactics) != 3 || tactics["p2"] != plan.Suspend || tactics["q1"] != plan.Evacuate || tactics["q2"] != plan.Evacuate {
		t.Fatalf("%s supersedes %s: %+v, blocked %+v", child.Campaign, child.Supersedes, child.Turns, child.Blocked)
	}
	for _, in := range child.Fleet.Instances {
		if want := strings.TrimPrefix(in.ID, "i-"); in.ID == "i-p1" && in.Host != "p2" || in.ID != "i-p1" && in.Host != want {
			t.Errorf("%s stands on %s", in.ID, in.Host)
		}
	}
	for _, o := range p.Fleet.Instances {
		if o.ID == "i-p1" && o.Host != "p1" {
			t.Error("the plan's own fleet was changed")
		}
	}
	// over the wire and back, as apply gets it
	b, err := json.Marshal(child)
	if err != nil {
		t.Fatal(err)
	}
	var got plan.Plan
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if err := c.Apply(t.Context(), &got, "t"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Replan("spring", engine.Replan{}); refusal(err) == nil || refusal(err).Code != "superseded" {
		t.Fatalf("a second child: %v", err)
	}
}

// Without a held cohort an operator names the one whose instances are to stay.
func TestAChildIsProposedByAnOperatorsWord(t *testing.T) {
	c, _, _ := control(t, recorded(t, twoCohorts(t)))
	child, err := c.Replan("spring", engine.Replan{Campaign: "summer", Cohorts: []string{"racks-q"}})
	if err != nil || child.Campaign != "summer" || len(child.Turns) != 4 {
		t.Fatalf("%+v, %v", child, err)
	}
	for _, turn := range child.Turns {
		if want := map[string]plan.Tactic{"p": plan.Evacuate, "q": plan.Suspend}[turn.Pool]; turn.Tactic != want {
			t.Errorf("%s gets %s, want %s", turn.Host, turn.Tactic, want)
		}
	}
}

func TestWhatIsNotProposed(t *testing.T) {
	for name, tt := range map[string]struct {
		facts []execution.Fact
		id    string
		ask   engine.Replan
		code  string
		words string
	}{
		"nothing is held":    {nil, "spring", engine.Replan{}, "stands", "the plan of campaign spring stands"},
		"released":           {[]execution.Fact{heldFact, {Kind: execution.CohortReleased, Cohort: "racks-p"}}, "spring", engine.Replan{}, "stands", "--cohort"},
		"an unknown cohort":  {[]execution.Fact{heldFact}, "spring", engine.Replan{Cohorts: []string{"nosuch"}}, "no-child", `"nosuch"`},
		"its own name":       {[]execution.Fact{heldFact}, "spring", engine.Replan{Campaign: "spring"}, "name", "exists already"},
		"a name that is not": {[]execution.Fact{heldFact}, "spring", engine.Replan{Campaign: "a/b"}, "name", "expected an id"},
		"unknown campaign":   {nil, "autumn", engine.Replan{}, "", "autumn"},
	} {
		t.Run(name, func(t *testing.T) {
			c, _, _ := control(t, recorded(t, twoCohorts(t), tt.facts...))
			p, err := c.Replan(tt.id, tt.ask)
			r := refusal(err)
			if p != nil || err == nil || !strings.Contains(err.Error(), tt.words) || (r == nil) != (tt.code == "") || r != nil && (r.Code != tt.code || r.Next == "") {
				t.Fatalf("%+v, %v", p, err)
			}
		})
	}
}

// A held cohort is released by name; nobody holds one by hand, and none is released that is not held.
func TestOrdersOverCohorts(t *testing.T) {
	c, _, _ := control(t, recorded(t, twoCohorts(t), heldFact))
	order := func(o engine.Order) *engine.Refused {
		t.Helper()
		o.Who = "t"
		return refusal(c.Order(t.Context(), "spring", o))
	}
	st, err := c.Status("spring", time.Now())
	if err != nil || len(st.Cohorts) != 1 || st.Cohorts[0].Cohort != "racks-p" || st.Cohorts[0].Next == "" {
		t.Fatalf("%+v, %v", st.Cohorts, err)
	}
	if r := order(engine.Order{Verb: "hold", Cohort: "racks-q"}); r == nil || r.Code != "unknown-order" {
		t.Errorf("held by hand: %v", r)
	}
	if r := order(engine.Order{Verb: "retry", Cohort: "racks-q"}); r == nil || r.Code != "unknown-cohort" || !strings.Contains(r.Next, "racks-p") {
		t.Errorf("released what is not held: %v", r)
	}
	if r := order(engine.Order{Verb: "retry", Cohort: "racks-p", Why: "mended"}); r != nil {
		t.Fatal(r)
	}
	if st, _ = c.Status("spring", time.Now()); len(st.Cohorts) != 0 {
		t.Errorf("still held: %+v", st.Cohorts)
	}
	if r := order(engine.Order{Verb: "retry", Cohort: "racks-p"}); r == nil || r.Code != "unknown-cohort" {
		t.Errorf("released twice: %v", r)
	}
}

// Where policy allows nothing that moves nobody, the proposal says so of each host, and goes on with the rest.
func TestAProposalSaysWhatItCannotDo(t *testing.T) {
	p := twoCohorts(t)
	p.Policy.Tactics = []plan.Tactic{plan.Evacuate}
	c, _, _ := control(t, recorded(t, p, heldFact))
	child, err := c.Replan("spring", engine.Replan{})
	if err != nil {
		t.Fatal(err)
	}
	blocked := map[string]bool{}
	for _, b := range child.Blocked {
		blocked[b.Host] = true
	}
	for _, turn := range child.Turns {
		if turn.Pool != "q" || turn.Tactic != plan.Evacuate {
			t.Errorf("%s gets %s", turn.Host, turn.Tactic)
		}
	}
	if len(child.Turns) != 2 || !blocked["p1"] || !blocked["p2"] || blocked["q1"] {
		t.Fatalf("%d turns, blocked %+v", len(child.Turns), child.Blocked)
	}
}
