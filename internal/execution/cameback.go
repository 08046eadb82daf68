package execution

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// What a host came back as after its reboot, and what a person can do about it. Where it answers, its own
// facts tell; where it does not, only what is known out of band, which comes with the reports that it
// does not answer (HostLost's code). Nothing is inferred from silence.

// software is what a look says of a host's software, as far as it is compared later.
type software struct {
	build                      string
	booted, running, installed map[string]string
}

func softwareOf(v *HostView) (s software) {
	if v != nil {
		s = software{v.BuildID, v.Booted, v.Running, v.Installed}
	}
	return s
}

// decideProof judges what came back: another boot, healthy, with the fix in effect.
func (s *State) decideProof(t *TurnState, now time.Time) []Fact {
	if !t.Started {
		return []Fact{t.start(StepProve, now.Add(s.waitFor(t)))}
	}
	if s.proofAt(t) {
		return s.judgeProof(t)
	}
	h := s.host(t.Plan.Host)
	if s.deadForSure(t, now) {
		return []Fact{*s.notBack(t, h)}
	}
	deadline, silence := s.proveBy(t), min(tooShort, s.waitFor(t)/4)
	word := later(h.Heard, h.At)
	old := !word.After(t.Since) || word.Before(deadline.Add(-lookAfter)) // the last word on it is still to come
	switch {
	case now.Before(deadline), old && now.Before(deadline.Add(grace)):
		return nil
	case h.View != nil && h.At.After(t.Since) && h.View.BootID == t.OldBoot && !h.At.Before(deadline.Add(-silence)):
		// One look that was lost after it is no sign of a reboot, nor is what its console says of that boot.
		return []Fact{*t.held(CodeSameBoot, "it answered at "+h.At.UTC().Format(time.RFC3339)+" with the boot id from before its reboot order", "reboot it by hand or find out why it did not, then: evenkeel retry "+t.Plan.ID)}
	}
	return []Fact{*s.notBack(t, h)}
}

// proveBy is when a host must have shown what came of the change to it: the step's deadline, but a
// controller that took over since then looks itself before it names anything.
func (s *State) proveBy(t *TurnState) time.Time {
	if s.took.After(t.Since) {
		return later(t.Deadline, s.took.Add(ownLook))
	}
	return t.Deadline
}

// deadForSure: its console says again and again that no control domain came up, and waiting does not
// mend that. Every other code may mend itself until the deadline: a host that reboots is off for a
// moment, and the network comes up after the control domain.
func (s *State) deadForSure(t *TurnState, now time.Time) bool {
	h := s.host(t.Plan.Host)
	return h.Code == CodeNoDom0 && h.Said >= looksToBelieve && h.Since.After(t.Since) && now.Sub(h.Since) >= sureAfter
}

// notBack holds the turn of a host that does not answer after its reboot, and says which kind of trouble
// it is, as far as anything tells.
func (s *State) notBack(t *TurnState, h *HostState) *Fact {
	again := "then: evenkeel retry " + t.Plan.ID
	if !h.Heard.After(t.Since) {
		h = &HostState{} // what was said before tells nothing of this boot
	}
	switch h.Code {
	case CodeNoDom0:
		return t.held(h.Code, "no control domain came up after its reboot: "+orElse(h.Why, "no answer"), "boot it by its console with the hypervisor and kernel from before, or mend them, "+again)
	case CodeNoNetwork:
		return t.held(h.Code, "it is up, and cannot be reached: "+orElse(h.Why, "no answer"), "mend its network by its console, "+again)
	case CodePowerOff:
		return t.held(h.Code, "it is switched off: "+orElse(h.Why, "no answer"), "switch it on, "+again)
	}
	return t.held(CodeNotBack, fmt.Sprintf("it has not come back within %s: %s", s.waitFor(t), orElse(h.Why, "no answer")), "bring it back by its console, "+again)
}

// proofAt: a look since the step began shows the host on another boot.
func (s *State) proofAt(t *TurnState) bool {
	h := s.host(t.Plan.Host)
	return t.Started && h.View != nil && h.Lost.IsZero() && !h.At.Before(t.Since) && h.View.BootID != "" && h.View.BootID != t.OldBoot
}

func (s *State) judgeProof(t *TurnState) []Fact {
	v := s.host(t.Plan.Host).View
	if code, why := s.oldXen(t, v); code != "" {
		return []Fact{*t.held(code, why, "have its boot loader boot the fixed hypervisor, and reboot the host by hand, then: evenkeel retry "+t.Plan.ID)}
	}
	if v.Health != string(fleet.Up) {
		return []Fact{*t.held(CodeUnhealthy, "it came back "+v.Health+": "+strings.Join(v.Missing, "; "), "make its services healthy, then: evenkeel retry "+t.Plan.ID)}
	}
	p := s.bootedProof(t, v)
	if !p.ok {
		return []Fact{*t.held(p.code, p.why, p.next)}
	}
	return []Fact{{Kind: StepDone, Turn: t.Plan.ID, Host: t.Plan.Host, Step: StepProve, Attempt: t.Attempt, BootID: v.BootID, Why: p.why}}
}

// bootedProof: each package of the cohort is at its version in what the host booted with.
func (s *State) bootedProof(t *TurnState, v *HostView) proof {
	evidence := "boot id " + v.BootID
	if t.OldBoot != "" {
		evidence = fmt.Sprintf("boot id %s -> %s", t.OldBoot, v.BootID)
	}
	if h := s.index.Hosts[t.Plan.Host]; h != nil && h.Hypervisor == fleet.Xen && v.BuildID != "" && t.before.build != "" {
		evidence += fmt.Sprintf("; hypervisor build %s -> %s", t.before.build, v.BuildID)
	}
	c := s.cohort(t.Plan.Host)
	switch {
	case c == nil:
		return proof{ok: true, why: evidence}
	case len(c.Packages) == 0 && len(c.LivePatches) > 0:
		return proof{code: CodeCannotJudge, why: "its cohort names live patches and no package, so nothing could prove a reboot", next: "name the package and its version in the cohort and plan again"}
	}
	for _, pkg := range sortedKeys(c.Packages) {
		code, what := s.inEffect(t.Plan.Host, v, t.OldBoot != "", pkg, c.Packages[pkg])
		switch code {
		case "":
			evidence += "; " + what
		case CodeCannotJudge:
			return proof{code: code, why: what, next: orderly(t.Plan.ID)}
		default:
			return proof{soon: v.Booted[pkg] == "", code: code, why: what, next: "install the fixed version and reboot the host by hand, or mend the update, then: evenkeel retry " + t.Plan.ID}
		}
	}
	return proof{ok: true, why: evidence}
}

// oldXen tells a Xen host that runs an old hypervisor after its reboot: by a version that is older than
// the wanted one; or, where versions cannot tell or say otherwise, by its build id, which is the very one
// from before although another hypervisor was to be booted. A build id names what runs beyond doubt (it is
// a sum over its code); a package's version only names what lies on the disk.
func (s *State) oldXen(t *TurnState, v *HostView) (code, why string) {
	h := s.index.Hosts[t.Plan.Host]
	if h == nil || h.Hypervisor != fleet.Xen || t.OldBoot == "" || v.BootID == t.OldBoot {
		return "", ""
	}
	same := v.BuildID != "" && strings.EqualFold(v.BuildID, t.before.build)
	build := ""
	if same {
		build = "; its build id is the one from before the reboot, " + v.BuildID
	}
	other := "" // why another hypervisor was to be booted
	if c := s.cohort(t.Plan.Host); c != nil {
		for _, pkg := range sortedKeys(c.Packages) {
			if !isHypervisor(pkg) {
				continue
			}
			if what := s.olderXen(t.Plan.Host, v.Booted, v.Running, pkg, c.Packages[pkg]); what != "" {
				return CodeOldHypervisor, fmt.Sprintf("after its reboot, on boot id %s, %s%s", v.BootID, what, build)
			}
			if what := s.olderXen(t.Plan.Host, t.before.booted, t.before.running, pkg, c.Packages[pkg]); what != "" {
				other = "before it, " + what
			} else if have := t.found[pkg]; have != "" && len(t.before.booted) == 0 {
				if r, err := s.order(t.Plan.Host, have, c.Packages[pkg]); err == nil && r < 0 {
					other = fmt.Sprintf("before its turn %s %s was installed, older than %s", pkg, have, c.Packages[pkg])
				}
			}
		}
	}
	for _, pkg := range sortedKeys(t.before.installed) {
		if was, is := t.found[pkg], t.before.installed[pkg]; other == "" && isHypervisor(pkg) && was != "" && was != is {
			other = fmt.Sprintf("its update changed %s from %s to %s", pkg, was, is)
		}
	}
	if same && other != "" {
		return CodeOldBuild, fmt.Sprintf("after its reboot, on boot id %s, it runs the very hypervisor from before: build id %s; %s", v.BootID, v.BuildID, other)
	}
	return "", ""
}

// olderXen says by what a hypervisor is older than a wanted package: by the package's own version, or by
// the number of its release, where xl info tells that; "" when nothing says so.
func (s *State) olderXen(host string, booted, running map[string]string, pkg, want string) string {
	for _, l := range []struct {
		how  string
		have map[string]string
	}{{"runs", running}, {"booted", booted}} {
		if have := l.have[pkg]; have != "" {
			if r, err := s.order(host, have, want); err == nil && r < 0 {
				return fmt.Sprintf("it %s %s %s, older than %s", l.how, pkg, have, want)
			}
		}
	}
	if have := running[xenUpstream]; have != "" && booted[pkg] == "" {
		a, b := releaseOf(have), releaseOf(want)
		if n := min(len(a), len(b)); n > 1 && slices.Compare(a[:n], b[:n]) < 0 {
			return fmt.Sprintf("it runs Xen %s, older than %s %s", have, pkg, want)
		}
	}
	return ""
}

// xenUpstream is the name under which drivers publish the release of the Xen that runs, such as 4.17.5.
const xenUpstream = "xen-upstream"

// isHypervisor: the package is a Xen hypervisor itself (Debian, XenServer, Fedora: xen-hypervisor...;
// SUSE: xen) or brings it (Debian: xen-system-amd64), not a tool or library of it.
func isHypervisor(pkg string) bool {
	return strings.HasPrefix(pkg, "xen-hypervisor") || strings.HasPrefix(pkg, "xen-system") || pkg == "xen"
}

// releaseOf are the numbers with which a version begins, after its epoch: 4.17.7+13-1 is 4, 17, 7. A
// release has two at least.
func releaseOf(v string) (numbers []int) {
	if _, rest, epoch := strings.Cut(v, ":"); epoch {
		v = rest
	}
	end := strings.IndexFunc(v, func(c rune) bool { return c != '.' && (c < '0' || c > '9') })
	if end >= 0 {
		v = v[:end]
	}
	for _, part := range strings.Split(v, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			break
		}
		numbers = append(numbers, n)
	}
	return numbers
}
