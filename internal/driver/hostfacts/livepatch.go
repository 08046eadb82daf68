package hostfacts

import "github.com/evenkeel/evenkeel/internal/fleet"

// patchLine takes in 'NAME ENABLED TRANSITION', as the kernel shows a live patch
// (Documentation/livepatch/livepatch.rst, section Sysfs).
func (p *parser) patchLine(words []string) {
	patch := fleet.LivePatch{Component: "linux"}
	switch {
	case len(words) != 3:
		p.PatchesWhy = "one has a name that is none of a kernel module"
		return
	case words[2] == "1": // on its way in or out: some tasks run the old code, some the new
		patch.State = fleet.PatchTransition
	case words[1] == "1" && words[2] == "0":
		patch.State = fleet.PatchApplied
	case words[1] == "0" && words[2] == "0":
		patch.State = fleet.PatchLoaded
	default:
		p.PatchesWhy = "the state of " + words[0] + " could not be read"
		return
	}
	patch.Name = words[0]
	p.LivePatches = append(p.LivePatches, patch)
}

// finishPatches: a list that lacks one would say that it is not there, so it is whole or not known.
func (p *parser) finishPatches() {
	switch {
	case p.patches == "unreadable" && p.PatchesWhy == "":
		p.PatchesWhy = "/sys/kernel/livepatch could not be read"
	case (p.patches == "yes" || p.patches == "none") && p.PatchesWhy == "" && p.LivePatches == nil:
		p.LivePatches = []fleet.LivePatch{}
	}
	if p.PatchesWhy != "" || p.patches != "yes" && p.patches != "none" {
		p.LivePatches = nil
	}
}
