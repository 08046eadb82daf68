package sim

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver/simulated"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// calmRun is the first calm run of a kind, from a seed on, whose campaign was done with a canary.
func calmRun(t *testing.T, kind string) *Result {
	t.Helper()
	for seed := uint64(4); seed < 2000; seed += 4 {
		if kindOf(seed) != kind {
			continue
		}
		res, err := Run(seed, Troubles{})
		if err != nil {
			t.Fatal(err)
		}
		if res.How == "done" && res.Plan.Policy.Canary && res.Plan.Policy.Soak > plan.Duration(3*time.Minute) && len(res.Plan.Turns) > 3 && !res.Bad() &&
			(kind == byXenBoot) == (res.Plan.Turns[0].Tactic != plan.LivePatch) {
			return res
		}
	}
	t.Fatal("no calm run of kind " + kind + " was done")
	return nil
}

// TestUntruthsAreFound: whatever the world's log says against a journal is found. Each lie is one
// change of a true log.
func TestUntruthsAreFound(t *testing.T) {
	keep := func(r simulated.Record) []simulated.Record { return []simulated.Record{r} }
	canaryDone := func(res *Result) (string, time.Time) {
		for _, f := range res.Facts {
			for _, turn := range res.Plan.Turns {
				if f.Kind == execution.TurnDone && turn.ID == f.Turn && turn.Canary {
					return turn.Host, f.At
				}
			}
		}
		t.Fatal("no canary was done")
		return "", time.Time{}
	}
	cases := map[string]struct {
		kind string
		want string
		lie  func(*Result, simulated.Record) []simulated.Record
	}{
		"the list lacks the patch": {byPatches, "the host's own list lacks", func(_ *Result, r simulated.Record) []simulated.Record {
			if r.Kind == simulated.HostPatched {
				return nil
			}
			return keep(r)
		}},
		"it was applied later": {byPatches, "by the world it was at least", func(_ *Result, r simulated.Record) []simulated.Record {
			if r.Kind == simulated.HostPatched {
				r.At = r.At.Add(3 * time.Hour)
			}
			return keep(r)
		}},
		"the old Xen boots": {byXenBoot, "not the fixed", func(res *Result, r simulated.Record) []simulated.Record {
			if r.Kind == simulated.HostBooted && r.Why != "beginning" {
				r.BuildID = builds()[0]
			}
			return keep(r)
		}},
		"a PV guest was to move": {byXenBoot, "which the fleet says has no shadow paging", func(res *Result, r simulated.Record) []simulated.Record {
			if r.Kind == simulated.MoveBegan {
				return []simulated.Record{{At: r.At, Kind: simulated.HostRefused, Host: r.Host, Instance: r.Instance, Why: "migrate: Failed to enable logdirty"}, r}
			}
			return keep(r)
		}},
		"the canary loses its patch": {byPatches, "is gone for good", func(res *Result, r simulated.Record) []simulated.Record {
			if host, _ := canaryDone(res); r.Kind == simulated.HostPatched && r.Host == host {
				_, name, _ := strings.Cut(r.Why, " ")
				return []simulated.Record{r, {At: r.At.Add(time.Minute), Kind: simulated.OthersActed, Host: host, Why: "live patch " + name + " taken away"}}
			}
			return keep(r)
		}},
		"the canary resets itself": {byXenBoot, "it reset itself", func(res *Result, r simulated.Record) []simulated.Record {
			if host, at := canaryDone(res); r.Kind == simulated.HostBooted && r.Host == host && r.Why != "beginning" {
				again := r
				again.At = at.Add(10 * time.Second)
				return []simulated.Record{r, {At: again.At, Kind: simulated.HostWentDown, Host: host}, again}
			}
			return keep(r)
		}},
	}
	runs := map[string]*Result{byPatches: calmRun(t, byPatches), byXenBoot: calmRun(t, byXenBoot)}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			res := runs[c.kind]
			if wrong := untrue(res.Fleet, res.Plan, res.Facts, res.Log); len(wrong) > 0 {
				t.Fatalf("the true log is called a lie: %v", wrong)
			}
			var log []simulated.Record
			for _, r := range res.Log {
				log = append(log, c.lie(res, r)...)
			}
			wrong := untrue(res.Fleet, res.Plan, res.Facts, log)
			if !slices.ContainsFunc(wrong, func(w string) bool { return strings.Contains(w, c.want) }) {
				t.Errorf("found %v, want one with %q", wrong, c.want)
			}
		})
	}
}

// TestWrongNamesAreFound: a host that came back wrong and is held by another's name is found.
func TestWrongNamesAreFound(t *testing.T) {
	res := calmRun(t, byXenBoot)
	turn := res.Plan.Turns[len(res.Plan.Turns)-1]
	end := res.Log[len(res.Log)-1].At
	for name, c := range map[string]struct {
		how  simulated.Fault
		code string
		want string // empty: nothing
	}{
		"well, and called silent":    {"", execution.CodeNoNetwork, "answers since"},
		"its own name":               {simulated.NoDom0, execution.CodeNoDom0, ""},
		"another's":                  {simulated.NoDom0, execution.CodePowerOff, "came back as no_dom0 and is held as power-off"},
		"not back, though seen":      {simulated.StaysOff, execution.CodeNotBack, "which could be seen"},
		"not back, and nobody knows": {simulated.NeverReturns, execution.CodeNotBack, ""},
		"not back, called off":       {simulated.NeverReturns, execution.CodePowerOff, "came back as never_returns"},
	} {
		t.Run(name, func(t *testing.T) {
			log := slices.Clone(res.Log)
			if c.how != "" {
				log = append(log, simulated.Record{At: end, Kind: simulated.HostTold, Host: turn.Host}, simulated.Record{At: end, Kind: simulated.HostWentDown, Host: turn.Host},
					simulated.Record{At: end, Kind: simulated.HostWrong, Host: turn.Host, Why: string(c.how)})
			}
			held := execution.Fact{Seq: int64(len(res.Facts) + 1), At: end.Add(10 * time.Minute), Kind: execution.TurnHeld, Turn: turn.ID, Host: turn.Host, Step: execution.StepProve, Code: c.code}
			k := &trial{fleet: res.Fleet, plan: res.Plan, facts: append(slices.Clone(res.Facts), held), log: log, turns: map[string]*plan.Turn{turn.ID: &turn}}
			k.named()
			if c.want == "" && len(k.wrong) > 0 || c.want != "" && !slices.ContainsFunc(k.wrong, func(w string) bool { return strings.Contains(w, c.want) }) {
				t.Errorf("found %v, want %q", k.wrong, c.want)
			}
		})
	}
}
