package xen

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/ssh"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// The state machine of live patches: look, decide one step (patch_decide.go), do it under the guard
// (patch_script.go), read the list again, and so on. Nothing but the list is proof, so a call after a
// killed controller or a lost answer finds out by itself what is missing.

var _ driver.Patcher = (*Driver)(nil)

const (
	patchTries = 4                // times one busy step is tried
	patchStep  = 2 * time.Minute  // bound of one step on a slow dom0; the tool itself is ended after 60 s
	patchLast  = 30 * time.Second // bound of the look that ends a call whose answer was lost
)

// patcher works on one host during one call.
type patcher struct {
	run        func(ctx context.Context, stdin []byte, argv ...string) (ssh.Result, error)
	pause      func(ctx context.Context, d time.Duration) bool // false: ctx ended
	host       string
	generation int64
	poll       time.Duration

	build string
	list  []fleet.LivePatch
	log   []string // Xen's lines before the call
	after []string // and at the last look
	heard bool     // the last step's own answer came
}

func (d *Driver) patcher(f driver.Fence, h driver.Host) *patcher {
	return &patcher{host: h.ID, generation: f.Generation, poll: d.cfg.Poll, pause: sleep,
		run: func(ctx context.Context, stdin []byte, argv ...string) (ssh.Result, error) {
			return d.long(ctx, h, stdin, argv...)
		}}
}

// Apply brings the patches to applied, in their order. A payload's SHA-256 and the build that it binds
// to are checked before anything is uploaded.
func (d *Driver) Apply(ctx context.Context, f driver.Fence, h driver.Host, want []driver.Patch) (driver.PatchOutcome, error) {
	return d.patcher(f, h).apply(ctx, want)
}

// Revert takes the named patches back, the last one first, and unloads them. One that is not there
// needs nothing.
func (d *Driver) Revert(ctx context.Context, f driver.Fence, h driver.Host, names []string) (driver.PatchOutcome, error) {
	return d.patcher(f, h).revert(ctx, names)
}

func (p *patcher) apply(ctx context.Context, want []driver.Patch) (driver.PatchOutcome, error) {
	names := make([]string, len(want))
	for i, w := range want {
		names[i] = w.Name
	}
	err := fitNames(names)
	if err == nil {
		err = fitPatches(want)
	}
	if looked := p.look(ctx); err == nil { // what is there is told, whatever is wrong with the order
		err = looked
	}
	if err == nil {
		err = p.fitBuild(want)
	}
	if err != nil {
		return p.outcome(false), err
	}
	payloads, fresh := map[string][]byte{}, map[string]bool{}
	for _, w := range want {
		payloads[w.Name] = w.Payload
	}
	return p.work(ctx, payloads, fresh, func() (step, error) { return decideApply(p.list, want, fresh) })
}

func (p *patcher) revert(ctx context.Context, names []string) (driver.PatchOutcome, error) {
	err := fitNames(names)
	if looked := p.look(ctx); err == nil {
		err = looked
	}
	if err != nil {
		return p.outcome(false), err
	}
	return p.work(ctx, nil, map[string]bool{}, func() (step, error) { return decideRevert(p.list, names), nil })
}

// work goes on step by step until nothing is left to do, or a step fails for good.
func (p *patcher) work(ctx context.Context, payloads map[string][]byte, fresh map[string]bool, next func() (step, error)) (driver.PatchOutcome, error) {
	tries, acted := 0, map[step]int{}
	for {
		s, err := next()
		if err != nil || s.do == actDone {
			return p.outcome(err == nil && len(acted) == 0), err
		}
		if ctx.Err() != nil {
			return p.outcome(false), &driver.Error{Code: driver.CodeDeadline, Retry: true, Err: ctx.Err(), Why: fmt.Sprintf("%s: %s of live patch %s was not begun in time", p.host, s.do, s.name), Next: "try again with more time"}
		}
		if s.do == actWait {
			err = &driver.Error{Code: driver.CodePatchBusy, Retry: true, Why: p.host + ": an action on live patch " + s.name + " is scheduled and not over", Next: "wait until nobody else works on this host's live patches, then try again"}
		} else {
			if acted[s]++; acted[s] > 2*patchTries { // somebody works against us
				return p.outcome(false), &driver.Error{Code: driver.CodeFailed, Retry: true, Why: fmt.Sprintf("%s: %s of live patch %s was done %d times, and others undo it", p.host, s.do, s.name, acted[s]-1), Next: "find out who else changes this host's live patches"}
			}
			err = p.act(ctx, s, payloads[s.name])
		}
		switch {
		case err == nil:
			tries, fresh[s.name] = 0, fresh[s.name] || s.do == actUpload && p.heard
			continue
		case !isBusy(err):
			return p.outcome(false), err
		}
		// Busy may be for a moment, or for ever: the bound tells.
		if tries++; tries >= patchTries || !p.pause(ctx, p.poll<<(tries-1)) {
			return p.outcome(false), err
		}
		if err := p.look(ctx); err != nil {
			return p.outcome(false), err
		}
	}
}

func isBusy(err error) bool {
	var e *driver.Error
	return errors.As(err, &e) && e.Code == driver.CodePatchBusy
}

// act does one step and reads the list. nil: the list shows the step's effect, whatever the tool said.
func (p *patcher) act(ctx context.Context, s step, payload []byte) error {
	stepCtx, cancel := context.WithTimeout(ctx, patchStep)
	defer cancel()
	argv := []string{"sh", "-c", patchAct, "evenkeel", strconv.FormatInt(p.generation, 10), string(s.do), s.name}
	if s.do == actUpload {
		argv = []string{"sh", "-c", patchUpload, "evenkeel", strconv.FormatInt(p.generation, 10), s.name, driver.Sum(payload)}
	}
	res, err := p.run(stepCtx, payload, argv...)
	if p.heard = err == nil; !p.heard {
		return p.lost(ctx, s, err)
	}
	r, err := p.take(res)
	switch {
	case err != nil:
		return err
	case r.list == nil:
		return p.unreadable(r.unread)
	case s.reached(r.list) && (s.do != actUpload || r.exit == 0): // a name that shows may be another's upload
		return nil
	}
	return explainStep(p.host, s, r, newLines(p.log, p.after))
}

// lost reads the list after a step whose answer did not come: it may have been done, not done, or be
// done later. A step that shows is done; else the caller tries again, and looks first.
func (p *patcher) lost(ctx context.Context, s step, cause error) error {
	p.list = nil
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), patchLast)
	defer cancel()
	if p.look(last) == nil && s.reached(p.list) {
		return nil
	}
	var e *driver.Error
	if errors.As(cause, &e) {
		return cause
	}
	return &driver.Error{Code: driver.CodeUnreachable, Retry: true, Err: cause, Why: fmt.Sprintf("%s: the answer to %s of live patch %s was lost", p.host, s.do, s.name), Next: "try again: the list is read first"}
}

// look reads build id, list and log.
func (p *patcher) look(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patchStep)
	defer cancel()
	res, err := p.run(ctx, nil, "sh", "-c", patchLook)
	if err != nil {
		return err
	}
	first := p.after == nil
	r, err := p.take(res)
	if first {
		p.log = p.after
	}
	switch {
	case err != nil:
		return err
	case r.list == nil:
		return p.unreadable(r.unread)
	}
	p.build = r.build
	return nil
}

// take reads a script's answer and keeps its list and log.
func (p *patcher) take(res ssh.Result) (patchReport, error) {
	words := strings.TrimSpace(res.Stderr) // a refusal leaves what was read before it as it is
	switch res.Exit {
	case 0:
	case patchStale:
		return patchReport{}, &driver.Error{Code: driver.CodeRefused, Why: p.host + " refuses: " + words, Next: "a newer controller has taken over: stop this one. If its journal was thrown away, remove /var/lib/evenkeel/generation on the host"}
	case patchSum:
		return patchReport{}, &driver.Error{Code: driver.CodePatchHash, Retry: true, Why: p.host + ": " + words + "; nothing was uploaded", Next: "try again: it was damaged on its way"}
	case patchNoGuard:
		return patchReport{}, &driver.Error{Code: driver.CodeRefused, Retry: true, Why: p.host + " refuses: " + words, Next: "let the SSH user write /var/lib/evenkeel and /run there"}
	default:
		p.list = nil
		return patchReport{}, &driver.Error{Code: driver.CodeFailed, Retry: true, Why: fmt.Sprintf("%s: the script of live patching ended with exit code %d: %s", p.host, res.Exit, words), Next: "look at the host"}
	}
	r, err := parseReport(res.Stdout)
	if err != nil {
		p.list = nil
		return r, &driver.Error{Code: driver.CodeFailed, Retry: true, Err: err, Why: "what " + p.host + " answered about its live patches does not read", Next: "try again; then look at the host"}
	}
	p.list, p.after = r.list, append([]string{}, r.log...)
	return r, nil
}

func (p *patcher) unreadable(why string) error {
	return &driver.Error{Code: driver.CodeFailed, Retry: true, Why: "the live patches of " + p.host + " cannot be read: " + why, Next: "run xen-livepatch list there"}
}

func (p *patcher) outcome(already bool) driver.PatchOutcome {
	return driver.PatchOutcome{Patches: slices.Clone(p.list), Already: already, Log: newLines(p.log, p.after)}
}

// patchName: what the list can show again, in one column and one line. Xen takes up to 127 bytes.
var patchName = regexp.MustCompile(`^[!-{}~]{1,127}$`)

func fitNames(names []string) error {
	for i, n := range names {
		switch {
		case !patchName.MatchString(n):
			return &driver.Error{Code: driver.CodeRefused, Why: fmt.Sprintf("%q cannot be a live patch's name: 1 to 127 printable characters without spaces and |", n), Next: "correct it in the target"}
		case slices.Contains(names[:i], n):
			return &driver.Error{Code: driver.CodeRefused, Why: "live patch " + n + " is named twice", Next: "name it once in the target"}
		}
	}
	return nil
}

// fitPatches asks what can be asked without the host.
func fitPatches(want []driver.Patch) error {
	for i, w := range want {
		if w.Component != "" && w.Component != "xen" {
			return &driver.Error{Code: driver.CodeUnsupported, Why: fmt.Sprintf("live patch %s is of %s, and this driver patches Xen alone", w.Name, w.Component), Next: "apply it by the target's update command"}
		}
		if w.Replace && i > 0 {
			return &driver.Error{Code: driver.CodeRefused, Why: fmt.Sprintf("live patch %s replaces all that is applied, and %s is to be applied before it", w.Name, want[i-1].Name), Next: "name the one that replaces first, or alone"}
		}
		if w.Payload == nil || w.SHA256 == "" {
			continue
		}
		if sum := driver.Sum(w.Payload); !strings.EqualFold(sum, w.SHA256) {
			return &driver.Error{Code: driver.CodePatchHash, Why: fmt.Sprintf("the SHA-256 of the payload of live patch %s is %s, not %s; nothing was uploaded", w.Name, sum, w.SHA256), Next: "find out where that file comes from"}
		}
	}
	return nil
}

// fitBuild asks that each patch that is not applied binds to the build that runs, and is stacked on
// what will be below it.
func (p *patcher) fitBuild(want []driver.Patch) error {
	below := "" // build id of the payload that will be below; empty: not known
	for i, w := range want {
		var b bound
		var err error
		if w.Payload != nil {
			b, err = readBound(w.Payload)
		}
		if stateIn(p.list, w.Name) == fleet.PatchApplied {
			below = b.own
			continue
		}
		if err != nil {
			return notPayload(p.host, w.Name, err)
		}
		for _, id := range []string{strings.ToLower(w.BuildID), b.hypervisor(i > 0)} {
			switch {
			case id == "" || id == p.build:
			case p.build == "":
				return &driver.Error{Code: driver.CodePatchBuild, Retry: true, Why: fmt.Sprintf("live patch %s binds to build %s, and the build id of %s cannot be read; nothing was uploaded", w.Name, id, p.host), Next: "run xl info there"}
			default:
				return &driver.Error{Code: driver.CodePatchBuild, Why: fmt.Sprintf("live patch %s binds to build %s, and %s runs %s; nothing was uploaded", w.Name, id, p.host, p.build), Next: "get the payload for that build, or use another tactic for this host"}
			}
		}
		if err := p.fitStack(w, b, below, i == 0); err != nil {
			return err
		}
		below = b.own
	}
	return nil
}

// fitStack: what the payload depends on is what will be on top. What others have applied is not known
// by its build id, so Xen judges there.
func (p *patcher) fitStack(w driver.Patch, b bound, below string, first bool) error {
	if first && (w.Replace || !slices.ContainsFunc(p.list, func(o fleet.LivePatch) bool { return o.State != fleet.PatchLoaded })) {
		below = p.build
	}
	if b.depends == "" || below == "" || b.depends == below {
		return nil
	}
	return &driver.Error{Code: driver.CodePatchDependency, Why: fmt.Sprintf("live patch %s is to be stacked on build %s, and %s would be on top on %s; nothing was uploaded", w.Name, b.depends, below, p.host),
		Next: "name what it depends on before it in the target"}
}
