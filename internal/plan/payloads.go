package plan

import (
	"slices"
	"strings"
)

// NoLivePatch is the reason code of a host whose cohort is live-patched, and which is not: it stands in
// its turn's Why, or in what blocks it.
const NoLivePatch = "no-live-patch"

// ByPayload: the cohort's live patches are brought by their own files, which a driver uploads and
// applies by itself; no update command is needed.
func (c *Cohort) ByPayload() bool {
	return len(c.LivePatches) > 0 && !slices.ContainsFunc(c.LivePatches, func(p WantedPatch) bool { return !p.uploaded() })
}

// uploaded: a driver can bring the patch by its own file.
func (p WantedPatch) uploaded() bool { return p.Component == "xen" && p.File != "" }

// PatchesFor are the cohort's live patches that bind to a build, in their order.
func (c *Cohort) PatchesFor(buildID string) (out []WantedPatch) {
	for _, p := range c.LivePatches {
		if p.BuildID == "" || strings.EqualFold(p.BuildID, buildID) {
			out = append(out, p)
		}
	}
	return out
}

// Unpatched are those of the advisories which no live patch of a cohort that binds to a build fixes; one
// that names none fixes all. patched: at least one binds to it.
func (t *Target) Unpatched(c *Cohort, buildID string) (left []string, patched bool) {
	left = slices.Clone(t.Fixes)
	for _, p := range c.PatchesFor(buildID) {
		patched = true
		left = slices.DeleteFunc(left, func(id string) bool { return len(p.Fixes) == 0 || slices.Contains(p.Fixes, id) })
	}
	return left, patched
}

// ByBuild: at least one of the cohort's live patches is for one build alone, so that without a host's
// build id it is not known which are for it.
func (c *Cohort) ByBuild() bool {
	return slices.ContainsFunc(c.LivePatches, func(p WantedPatch) bool { return p.BuildID != "" })
}
