package engine_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/engine"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// patchable is a host whose driver applies live patches by itself, and can run a command too.
type patchable struct {
	build    string
	looks    int
	fails    error
	got      []driver.Patch
	commands int
	reverted []string
}

func (h *patchable) Observe(_ context.Context, at driver.Host) (driver.Observation, error) {
	h.looks++
	return driver.Observation{Host: at.ID, BootID: "boot-1", Health: fleet.Up, Software: fleet.Software{BuildID: h.build}}, nil
}
func (h *patchable) Close() error { return nil }
func (h *patchable) Update(context.Context, driver.Fence, driver.Host, plan.Update) (driver.UpdateOutcome, error) {
	h.commands++
	return driver.UpdateOutcome{Needed: true}, nil
}
func (h *patchable) Apply(_ context.Context, _ driver.Fence, _ driver.Host, want []driver.Patch) (driver.PatchOutcome, error) {
	h.got = want
	return driver.PatchOutcome{Log: []string{"(XEN) livepatch: lp1: said"}}, h.fails
}
func (h *patchable) Revert(_ context.Context, _ driver.Fence, _ driver.Host, names []string) (driver.PatchOutcome, error) {
	h.reverted = names
	return driver.PatchOutcome{}, h.fails
}

// A live patch that the target brings as a file is the driver's own work; nothing reaches it that is
// not what the target says.
func TestALivePatchWithAFileIsTheDriversWork(t *testing.T) {
	sum := driver.Sum([]byte("payload"))
	one := plan.WantedPatch{Name: "lp1", Component: "xen", BuildID: "B1", File: "patches/lp1", SHA256: strings.ToUpper(sum)}
	other := plan.WantedPatch{Name: "lp9", Component: "xen", BuildID: "b9", File: "patches/lp9", SHA256: sum}
	with := func(p plan.WantedPatch, change func(*plan.WantedPatch)) []plan.WantedPatch {
		change(&p)
		return []plan.WantedPatch{p}
	}
	have := func(string) ([]byte, error) { return []byte("payload"), nil }
	for name, tt := range map[string]struct {
		patches  []plan.WantedPatch
		tactic   plan.Tactic
		payloads func(string) ([]byte, error)
		fails    error
		applied  string
		replace  bool
		commands int
		code     string
		retry    bool
	}{
		"as it should":            {patches: []plan.WantedPatch{one, other}, payloads: have, applied: "lp1"},
		"one that replaces":       {patches: with(one, func(p *plan.WantedPatch) { p.Replace = true }), payloads: have, applied: "lp1", replace: true},
		"no file":                 {patches: with(one, func(p *plan.WantedPatch) { p.File = "" }), payloads: have, commands: 1},
		"of Linux":                {patches: with(one, func(p *plan.WantedPatch) { p.Component = "linux" }), payloads: have, commands: 1},
		"another tactic":          {patches: []plan.WantedPatch{one}, tactic: plan.Evacuate, payloads: have, commands: 1},
		"no payloads":             {patches: []plan.WantedPatch{one}, code: driver.CodeUnsupported},
		"not there":               {patches: []plan.WantedPatch{one}, payloads: func(string) ([]byte, error) { return nil, errors.New("no such file") }, code: driver.CodePatchMissing},
		"another file":            {patches: []plan.WantedPatch{one}, payloads: func(string) ([]byte, error) { return []byte("x"), nil }, code: driver.CodePatchHash},
		"nobody approved it":      {patches: with(one, func(p *plan.WantedPatch) { p.SHA256 = "" }), payloads: have, code: driver.CodePatchHash},
		"for another build alone": {patches: []plan.WantedPatch{other}, payloads: have, code: driver.CodePatchBuild},
		"it fails":                {patches: []plan.WantedPatch{one}, payloads: have, applied: "lp1", fails: &driver.Error{Code: driver.CodePatchBusy, Why: "busy", Next: "wait", Retry: true}, code: driver.CodePatchBusy, retry: true},
	} {
		t.Run(name, func(t *testing.T) {
			h := &patchable{build: "b1", fails: tt.fails}
			if tt.tactic == "" {
				tt.tactic = plan.LivePatch
			}
			w := engine.World{Drivers: map[string]driver.Driver{"xen": h}, Clock: &clock{dawn}, WithDeadline: endless, Payloads: tt.payloads}
			k := engine.Campaign{
				Plan:  &plan.Plan{Turns: []plan.Turn{{ID: "h1", Host: "h1", Tactic: tt.tactic}}, Target: &plan.Target{Cohorts: []plan.Cohort{{LivePatches: tt.patches, Update: plan.Update{Command: []string{"patch"}}}}}},
				Fleet: &fleet.Fleet{Hosts: []fleet.Host{{ID: "h1", URI: "xen+ssh://root@192.0.2.1/"}}},
			}
			c := execution.Chore{Kind: execution.ChoreUpdate, Turn: "h1", Host: "h1", Step: execution.StepUpdate, Attempt: 1, Deadline: dawn.Add(time.Minute)}
			facts := engine.Perform(context.Background(), w, k, c)
			looked := h.looks
			c.BuildID = "b1" // the look on which the chore rests has told it
			if same := engine.Perform(context.Background(), w, k, c); h.looks != looked || len(same) != 1 || same[0].Code != tt.code {
				t.Errorf("with the build known it looked %d times more: %+v", h.looks-looked, same)
			}
			if tt.commands > 0 {
				h.commands--
			}
			var applied []string
			for _, p := range h.got {
				applied = append(applied, p.Name)
				if p.Replace != tt.replace {
					t.Errorf("%s replaces the others: %v, want %v", p.Name, p.Replace, tt.replace)
				}
			}
			if len(facts) != 1 || facts[0].Code != tt.code || facts[0].Retry != tt.retry || strings.Join(applied, " ") != tt.applied || h.commands != tt.commands {
				t.Fatalf("applied %q, %d commands, facts %+v", applied, h.commands, facts)
			}
			if tt.fails != nil && !strings.Contains(facts[0].Why, "livepatch: lp1: said") {
				t.Errorf("the hypervisor's own lines are lost: %+v", facts[0])
			}
		})
	}
}

// What a failed canary brought is taken back by name, and a look comes with the word that it is done.
func TestARevertShowsWhatTheHostHasThen(t *testing.T) {
	for name, tt := range map[string]struct {
		fails error
		kinds string
		code  string
	}{
		"as it should": {nil, "host-seen step-done", ""},
		"it fails":     {&driver.Error{Code: driver.CodePatchBusy, Why: "busy", Next: "wait", Retry: true}, "step-failed", driver.CodePatchBusy},
	} {
		t.Run(name, func(t *testing.T) {
			h := &patchable{build: "b1", fails: tt.fails}
			w := engine.World{Drivers: map[string]driver.Driver{"xen": h}, Clock: &clock{dawn}, WithDeadline: endless}
			k := engine.Campaign{Plan: &plan.Plan{}, Fleet: &fleet.Fleet{Hosts: []fleet.Host{{ID: "h1", URI: "xen+ssh://root@192.0.2.1/"}}}}
			facts := engine.Perform(context.Background(), w, k, execution.Chore{Kind: execution.ChoreRevert, Turn: "h1", Host: "h1", Step: execution.StepRevert, Attempt: 1, Patches: []string{"lp1", "lp2"}, Deadline: dawn.Add(time.Minute)})
			var kinds []string
			for _, f := range facts {
				kinds = append(kinds, string(f.Kind))
			}
			last := facts[len(facts)-1]
			if strings.Join(kinds, " ") != tt.kinds || last.Code != tt.code || last.Step != execution.StepRevert || strings.Join(h.reverted, " ") != "lp1 lp2" {
				t.Fatalf("reverted %q, facts %+v", h.reverted, facts)
			}
		})
	}
}
