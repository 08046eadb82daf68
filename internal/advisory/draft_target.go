package advisory

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/form"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// target puts the groups together.
func (d *draft) target() *plan.Target {
	if len(d.groups) == 0 {
		return nil
	}
	t := &plan.Target{Evenkeel: plan.TargetSchemaV1, Public: "hypervisor maintenance"}
	for _, a := range d.as {
		if !d.used[a.ID] || slices.Contains(t.Fixes, a.ID) {
			continue
		}
		if !form.Fits("id", a.ID) {
			d.say("%q cannot be named in a target's fixes, where an id has letters, digits or any of . _ : @ -", a.ID)
			continue
		}
		t.Fixes = append(t.Fixes, a.ID)
		d.embargo(t, a)
	}
	t.ID = "draft"
	if len(t.Fixes) > 0 {
		t.ID = "draft-" + t.Fixes[0]
		t.ID = t.ID[:min(len(t.ID), 128)]
	}
	names := map[string]int{}
	for _, key := range slices.Sorted(maps.Keys(d.groups)) {
		g := d.groups[key]
		name := strings.Join(strings.Fields(strings.ToLower(strings.ReplaceAll(g.ecosystem, ":", " "))), "-") + "-" + string(g.hypervisor)
		if names[name]++; names[name] > 1 {
			name = fmt.Sprintf("%s-%d", name, names[name])
		}
		t.Cohorts = append(t.Cohorts, plan.Cohort{
			Name: name, Match: d.match(g), Packages: g.wants, Ecosystem: g.ecosystem, Remedy: g.remedy, LivePatches: g.patches,
		})
	}
	return t
}

// embargo takes the latest disclosure and the strictest word on it. One that says when it becomes
// public, and not whether the fix may be deployed before, is taken to forbid it.
func (d *draft) embargo(t *plan.Target, a *Advisory) {
	if a.Disclosure.IsZero() {
		return
	}
	if a.Disclosure.After(t.Disclosure) {
		t.Disclosure = a.Disclosure.UTC()
	}
	strict := []string{"no", "mitigations", "yes"}
	word := a.EmbargoDeploy
	if !slices.Contains(strict, word) {
		word = "no"
	}
	if t.EmbargoDeploy == "" || slices.Index(strict, word) < slices.Index(strict, t.EmbargoDeploy) {
		t.EmbargoDeploy = word
	}
}

// match selects exactly the hosts of a group, in the fewest words.
func (d *draft) match(g *draftGroup) plan.Match {
	in := map[string]bool{}
	for _, h := range g.hosts {
		in[h] = true
	}
	outside := map[string]bool{} // pools with hosts that are not in the group
	covered := map[string]bool{} // pools with hosts that are
	all := true                  // each host of the hypervisor is in the group
	for i := range d.fleet.Hosts {
		h := &d.fleet.Hosts[i]
		if h.Hypervisor != g.hypervisor {
			continue
		}
		all = all && in[h.ID]
		for _, p := range h.Pools {
			if in[h.ID] {
				covered[p] = true
			} else {
				outside[p] = true
			}
		}
	}
	m := plan.Match{Hypervisor: string(g.hypervisor)}
	if all {
		return m
	}
	whole := len(covered) > 0
	for p := range covered {
		whole = whole && !outside[p]
	}
	if whole {
		m.Pools = slices.Sorted(maps.Keys(covered))
		return m
	}
	m.Hosts = slices.Clone(g.hosts)
	return m
}

// remedyFor is what makes the fix take effect. Under KVM the VMM is a process of each instance: a
// move onto a new one is enough. The kernel and Xen need a live patch or a reboot.
func (d *draft) remedyFor(h *fleet.Host, g *draftGroup, patched bool) string {
	guests := len(g.wants) > 0
	for pkg := range g.wants {
		guests = guests && sourceOf(pkg, nil) != "" && layerOf(pkg, nil) == ofInstance
	}
	switch {
	case guests && (h.Hypervisor == fleet.KVM || d.guided(plan.Refresh)):
		return remedyRefresh
	case patched && len(g.patches) > 0:
		return remedyLivePatch
	}
	return remedyReboot
}

// guided: each advisory's vendor says that a tactic is enough.
func (d *draft) guided(t plan.Tactic) bool {
	for _, a := range d.as {
		if !slices.ContainsFunc(a.Guidance, func(g Guidance) bool { return slices.Contains(g.Tactics, string(t)) }) {
			return false
		}
	}
	return len(d.as) > 0
}
