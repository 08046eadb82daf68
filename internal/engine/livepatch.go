package engine

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// A live patch that the target brings as a file is uploaded and applied by the host's driver itself,
// where it is a driver.Patcher; any other goes by the target's update command.

// logKept bounds how many of the hypervisor's own lines a failure keeps.
const logKept = 10

// patcher is the driver that carries out a turn's live patch itself; nil: the update command does.
func (k Campaign) patcher(d driver.Driver, c execution.Chore) driver.Patcher {
	p, can := d.(driver.Patcher)
	cohort := k.cohort(c.Host)
	i := slices.IndexFunc(k.Plan.Turns, func(t plan.Turn) bool { return t.ID == c.Turn })
	if !can || cohort == nil || !cohort.ByPayload() || i < 0 || k.Plan.Turns[i].Tactic != plan.LivePatch {
		return nil
	}
	return p
}

// livePatch applies the cohort's patches that bind to the build that runs, by the look on which the chore
// rests; the driver holds each against the build that it finds.
func (w World) livePatch(ctx context.Context, k Campaign, c execution.Chore, h driver.Host, p driver.Patcher) []execution.Fact {
	build := c.BuildID
	if build == "" {
		v, err := w.view(ctx, k, c.Host)
		if err != nil {
			return stepFailed(c, err)
		}
		build = v.BuildID
	}
	want, err := w.payloads(k.cohort(c.Host), build, c.Host)
	if err != nil {
		return stepFailed(c, err)
	}
	out, err := p.Apply(ctx, fence(c), h, want)
	if err != nil {
		return patchFailed(c, out, err)
	}
	names := make([]string, len(want))
	for i := range want {
		names[i] = want[i].Name
	}
	f := of(c, execution.StepDone)
	f.Step, f.Why = c.Step, "applied, as the host's list shows: "+strings.Join(names, ", ")
	if out.Already {
		f.Why = "nothing needed: " + f.Why
	}
	return []execution.Fact{f}
}

// payloads reads the files of the patches for a build. Each must be what the target says.
func (w World) payloads(cohort *plan.Cohort, build, host string) ([]driver.Patch, error) {
	var out []driver.Patch
	for _, p := range cohort.PatchesFor(build) {
		patch := driver.Patch{Name: p.Name, Component: p.Component, BuildID: p.BuildID, SHA256: p.SHA256, Replace: p.Replace}
		switch {
		case p.SHA256 == "":
			return nil, &driver.Error{Code: driver.CodePatchHash, Why: "the target gives no SHA-256 for the payload of live patch " + p.Name + ", so nobody approved what would be uploaded", Next: "name its sha256 in the target and plan again"}
		case w.Payloads == nil:
			return nil, &driver.Error{Code: driver.CodeUnsupported, Why: "this server has no payloads, so live patch " + p.Name + " cannot be uploaded", Next: "start the server with --payloads DIR, where " + p.File + " lies"}
		}
		var err error
		if patch.Payload, err = w.Payloads(p.File); err != nil {
			return nil, &driver.Error{Code: driver.CodePatchMissing, Err: err, Why: "the payload of live patch " + p.Name + " cannot be read", Next: "put the file into the server's folder of payloads"}
		}
		if sum := driver.Sum(patch.Payload); !strings.EqualFold(sum, p.SHA256) {
			return nil, &driver.Error{Code: driver.CodePatchHash, Why: fmt.Sprintf("the SHA-256 of %s is %s, and the target says %s; nothing was uploaded", p.File, sum, p.SHA256), Next: "find out where that file comes from"}
		}
		out = append(out, patch)
	}
	if len(out) == 0 {
		return nil, &driver.Error{Code: driver.CodePatchBuild, Why: fmt.Sprintf("no live patch of the target binds to build %q, which %s runs", build, host), Next: "add one for this build to the target, or plan another tactic"}
	}
	return out, nil
}

// patchFailed keeps the hypervisor's own lines with the failure.
func patchFailed(c execution.Chore, out driver.PatchOutcome, err error) []execution.Fact {
	facts := stepFailed(c, err)
	log := out.Log[max(0, len(out.Log)-logKept):]
	log = slices.DeleteFunc(slices.Clone(log), func(line string) bool { return strings.Contains(facts[0].Why, line) })
	if len(log) > 0 {
		facts[0].Why += "; the hypervisor's log: " + strings.Join(log, " / ")
	}
	return facts
}

// revert takes a failed canary's live patches back, and shows what the host has then.
func (w World) revert(ctx context.Context, k Campaign, c execution.Chore) []execution.Fact {
	h, d, err := w.reach(k, c.Host)
	if err != nil {
		return stepFailed(c, err)
	}
	p, can := d.(driver.Patcher)
	if !can {
		return stepFailed(c, unsupported(c.Host, "take live patches back"))
	}
	out, err := p.Revert(ctx, fence(c), h, c.Patches)
	if err != nil {
		return patchFailed(c, out, err)
	}
	v, err := w.view(ctx, k, c.Host)
	if err != nil {
		return stepFailed(c, err)
	}
	f := of(c, execution.StepDone)
	f.Step, f.Why = c.Step, "taken back, as the host's list shows: "+strings.Join(c.Patches, ", ")
	if out.Already {
		f.Why = "nothing needed: none of them is in the host's list: " + strings.Join(c.Patches, ", ")
	}
	return []execution.Fact{{Kind: execution.HostSeen, Host: c.Host, Seen: v}, f}
}
