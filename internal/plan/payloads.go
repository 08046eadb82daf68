package plan

import "strings"

// ByPayload: the cohort's live patches are brought by their own files, which a driver uploads and
// applies by itself; no update command is needed.
func (c *Cohort) ByPayload() bool {
	for _, p := range c.LivePatches {
		if p.Component != "xen" || p.File == "" {
			return false
		}
	}
	return len(c.LivePatches) > 0
}

// PatchesFor are the cohort's live patches that bind to a build, in their order.
func (c *Cohort) PatchesFor(buildID string) (out []WantedPatch) {
	for _, p := range c.LivePatches {
		if p.BuildID == "" || strings.EqualFold(p.BuildID, buildID) {
			out = append(out, p)
		}
	}
	return out
}
