package audit

import (
	"slices"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// What a journal says of a canary whose live patch failed: the campaign stops, and its host gets back
// what it had.

// patchCanary: the turn is a canary whose live patches a driver brings, and can take back by name.
func (tr *turnRun) patchCanary(r *run) bool {
	c := r.cohortOf(tr.host)
	return tr.plan != nil && tr.plan.Canary && tr.tactic() == plan.LivePatch && c != nil && c.ByPayload()
}

// stepReverts notes what a host had before its live patch began, and asks of a revert: it is a failed
// canary's (law 10), its campaign was stopped first (8), it takes away nothing that was there before, and a
// look shows that it is done (5).
func (t *trial) stepReverts(r *run, tr *turnRun, f *Fact, s Subject) {
	v := t.machine(tr.host).view
	switch {
	case f.Kind == "step-started" && f.Step == "update" && tr.had == nil && v != nil:
		tr.had, tr.hadBuild = map[string]bool{}, v.BuildID
		for _, p := range v.LivePatches {
			tr.had[p.Name] = tr.had[p.Name] || p.Component == "xen" && p.State == "applied"
		}
	case f.Step != "revert":
	case f.Kind == "step-started":
		t.must(tr.patchCanary(r) && tr.broke && tr.started["update"] > 0, 10, "reverts-what", s, f.At, "a canary that was held after its live patch began", "turn %s, %s, is reverted", tr.id, tr.tactic())
		t.must(r.stopped != "" || tr.started["revert"] > 0, 8, "canary-goes-on", s, f.At, "campaign-halted ahead of it", "the canary %s failed and is reverted, and its campaign goes on", tr.id)
		t.must(len(f.Patches) > 0, 10, "reverts-nothing", s, f.At, "the names of the live patches", "the revert of turn %s names no live patch", tr.id)
		for _, name := range f.Patches {
			t.must(!tr.had[name], 5, "reverts-others", s, f.At, "only live patches that the turn was to bring", "live patch %s of host %s is to be taken back, and it was applied before the turn", name, tr.host)
		}
		tr.reverts = f.Patches
	case f.Kind == "step-done":
		shown := ""
		if v != nil {
			for _, p := range v.LivePatches {
				if slices.Contains(tr.reverts, p.Name) && p.Component == "xen" {
					shown = p.Name + " is " + p.State
				}
			}
		}
		t.must(v != nil && v.LivePatches != nil && shown == "", 5, "revert-unproven", s, f.At, "a look whose list shows none of them", "the live patches of host %s are called taken back, and its list was not read or says: %s", tr.host, shown)
	}
}

// revertEnds: a failed canary is not given up with its live patches untried (law 8).
func (t *trial) revertEnds(r *run, tr *turnRun, f *Fact, s Subject) {
	owed := f.Kind == "turn-dropped" && tr.broke && tr.started["update"] > 0 && tr.patchCanary(r)
	for _, want := range r.cohortPatches(tr) {
		if owed && !tr.had[want] {
			t.must(tr.started["revert"] > 0, 8, "canary-not-reverted", s, f.At, "a revert ahead of the end of a failed canary", "the canary %s failed and is dropped, and nobody tried to take live patch %s back", tr.id, want)
		}
	}
}

// cohortPatches are the names of the live patches that the turn was to have applied.
func (r *run) cohortPatches(tr *turnRun) (names []string) {
	if c := r.cohortOf(tr.host); c != nil {
		for _, p := range c.PatchesFor(tr.hadBuild) {
			names = append(names, p.Name)
		}
	}
	return names
}
