package explain_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/explain"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// TestExposed: a host with a turn says what runs unfixed on it until then, and on how many others more does.
func TestExposed(t *testing.T) {
	f := uniform(6, 16384, 2, 1024)
	for i := range f.Hosts {
		f.Hosts[i].Software.Installed = map[string]string{"qemu-system-x86": "1:7.2+dfsg-7+deb12u12"}
		f.Hosts[i].Software.Booted = f.Hosts[i].Software.Installed
	}
	f.Instances[0].Host = f.Hosts[3].ID // 1 there, 3 here
	tg := &plan.Target{Evenkeel: plan.TargetSchemaV1, ID: "t", Cohorts: []plan.Cohort{{
		Packages: map[string]string{"qemu-system-x86": "1:7.2+dfsg-7+deb12u18"}, Update: plan.Update{Command: []string{"host-update"}}}}}
	in := planner.Input{Fleet: f, Target: tg, Policy: plan.DefaultPolicy(), Campaign: "c", Now: made, Revision: 1}
	in.Assessment = advisory.Assess(f, tg, nil, 0, made)
	in.Assessment.Hosts[5].Severity = advisory.Critical
	p, err := planner.Propose(in)
	if err != nil {
		t.Fatal(err)
	}
	p.Fleet = f
	for n, want := range map[int]string{
		0: "no severity is said of what affects it; 1 instance of 1 tenant run on it; of the 6 hosts of its pool with a turn more is exposed on 5 [exposed]",
		3: "no severity is said of what affects it; 3 instances of 1 tenant run on it; of the 6 hosts of its pool with a turn more is exposed on 1 [exposed]",
		5: "the worst that affects it is critical; 2 instances of 1 tenant run on it; of the 6 hosts of its pool with a turn more is exposed on 0 [exposed]",
	} {
		a, err := explain.Of(&p, f.Hosts[n].ID, &in.Assessment)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := explain.Write(&out, a, func(s string) string { return s }); err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(out.String(), "  exposed    "+want+"\n") {
			t.Errorf("%s\nexpected %s", out.String(), want)
		}
	}
	r := propose(t, uniform(2, 16384, 1, 1024), eager())
	if a := of(t, r, uniform(2, 16384, 1, 1024), last(r)); a.Host.Exposed != nil {
		t.Errorf("a routine cycle exposes nobody: %+v", a.Host.Exposed)
	}
}
