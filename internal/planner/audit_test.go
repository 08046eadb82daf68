package planner_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// TestAudited: the auditor, who shares no code with the planner, finds nothing.
func TestAudited(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t)
		p, err := planner.Propose(in)
		if err != nil {
			t.Fatal(err)
		}
		contented(t, in, &p)
	})
}

// TestLiftedAudited: nor in one to measure by, whose waves are booked anew once they are full.
func TestLiftedAudited(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SampledFrom([]func(*rapid.T) planner.Input{drawInput, drawMixed}).Draw(t, "input")(t)
		in.Policy, in.Profile = plan.ToBound(in.Policy), plan.Bound
		p, err := planner.Propose(in)
		if err != nil {
			t.Fatal(err)
		}
		contented(t, in, &p)
	})
}

// cannotReturn: its home is unfit to receive it, or it would share a domain there that its group
// spreads over, or its home stays at an older version than others. It stays where it is.
func cannotReturn(in planner.Input, instance string) bool {
	ix := fleet.NewIndex(in.Fleet)
	i := ix.Instances[instance]
	for _, g := range ix.GroupsOf[instance] {
		if g.Spread != fleet.SpreadNone {
			return true
		}
	}
	home := ix.Hosts[i.Host]
	return !home.IsUp() || in.Target == nil && home.Software.Installed["qemu-system-x86"] == older
}

// contented: the auditor finds nothing in a plan, but for who cannot return and is not brought home.
func contented(t *rapid.T, in planner.Input, p *plan.Plan) {
	t.Helper()
	summed := *p // the auditor recounts what it comes to for people
	sums := plan.Summarize(summed)
	summed.Summary = &sums
	for _, f := range audit.Plan(in.Fleet, &summed) {
		if f.Code == "not-home" && cannotReturn(in, f.Subject.Instance) {
			continue
		}
		t.Errorf("law %d, %s: %s: %s", f.Law, f.Code, f.Subject, f.What)
	}
}
