package xen

import (
	"fmt"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// action is one call of xen-livepatch, or what to do instead.
type action string

// The actions; all but the last two are xen-livepatch's own words.
const (
	actUpload  action = "upload"
	actApply   action = "apply"
	actReplace action = "replace"
	actRevert  action = "revert"
	actUnload  action = "unload"
	actWait    action = "wait" // an action of somebody is scheduled and not over
	actDone    action = "done"
)

// step is what has to be done next, to one payload.
type step struct {
	do   action
	name string
}

// reached says whether a list shows what the step is for.
func (s step) reached(list []fleet.LivePatch) bool {
	switch got := stateIn(list, s.name); s.do {
	case actUpload:
		return got != ""
	case actApply, actReplace:
		return got == fleet.PatchApplied
	case actRevert:
		return got == fleet.PatchLoaded || got == ""
	case actUnload:
		return got == ""
	}
	return true
}

// decideApply gives the next step towards the wanted payloads, all applied, in their order. fresh are
// those that this call has uploaded itself.
//
// A payload that is there and not applied is unloaded and uploaded anew where its bytes are at hand:
// the list tells neither what was uploaded under that name nor whether it was applied before, and Xen
// does not apply one with data a second time.
func decideApply(list []fleet.LivePatch, want []driver.Patch, fresh map[string]bool) (step, error) {
	for i, p := range want {
		switch state := stateIn(list, p.Name); {
		case state == fleet.PatchApplied:
			continue
		case state == fleet.PatchTransition:
			return step{actWait, p.Name}, nil
		}
		if above := firstApplied(list, want[i+1:]); above != "" && !p.Replace {
			return step{}, &driver.Error{Code: driver.CodePatchDependency, Why: fmt.Sprintf("live patch %s is not applied, and %s, which is to be stacked on it, is", p.Name, above),
				Next: "revert " + above + " first, or name in the target only what is to be applied"}
		}
		switch loaded := stateIn(list, p.Name) == fleet.PatchLoaded; {
		case loaded && p.Payload != nil && !fresh[p.Name]:
			return step{actUnload, p.Name}, nil
		case loaded && p.Replace:
			return step{actReplace, p.Name}, nil
		case loaded:
			return step{actApply, p.Name}, nil
		case p.Payload == nil:
			return step{}, &driver.Error{Code: driver.CodePatchMissing, Why: "live patch " + p.Name + " is not in the host's list, and its payload is not at hand",
				Next: "name its file and sha256 in the target and start the server with --payloads, or upload it by hand"}
		}
		return step{actUpload, p.Name}, nil
	}
	return step{do: actDone}, nil
}

func firstApplied(list []fleet.LivePatch, of []driver.Patch) string {
	for _, p := range of {
		if stateIn(list, p.Name) == fleet.PatchApplied {
			return p.Name
		}
	}
	return ""
}

// decideRevert gives the next step towards none of the names being there, the last one first.
func decideRevert(list []fleet.LivePatch, names []string) step {
	for i := len(names) - 1; i >= 0; i-- {
		switch stateIn(list, names[i]) {
		case fleet.PatchApplied:
			return step{actRevert, names[i]}
		case fleet.PatchLoaded:
			return step{actUnload, names[i]}
		case fleet.PatchTransition:
			return step{actWait, names[i]}
		}
	}
	return step{do: actDone}
}
