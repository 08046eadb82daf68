package advisory

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// The remedies of a cohort: what makes its fix take effect.
const (
	remedyReboot    = "reboot"
	remedyRefresh   = "refresh"
	remedyLivePatch = "live-patch"
)

func remedyOf(c *plan.Cohort) string {
	if c == nil || c.Remedy == "" {
		return remedyReboot
	}
	return c.Remedy
}

// fact is one version read somewhere. An empty version says that the package was looked for and is
// not there.
type fact struct{ pkg, version string }

// facts gives what a map says of a subject: by its own name, else by names that stand for the same
// package, sorted.
func (j *judge) facts(s subject, m map[string]string) (out []fact) {
	if v, ok := m[s.pkg]; ok {
		return []fact{{s.pkg, v}}
	}
	for pkg, v := range m {
		if samePackage(s.pkg, pkg, j.sources()) {
			out = append(out, fact{pkg, v})
		}
	}
	slices.SortFunc(out, func(a, b fact) int { return strings.Compare(a.pkg, b.pkg) })
	return out
}

// read judges all that one map says of a subject; ok is false when it says nothing. how begins the
// evidence, such as "booted with".
func (j *judge) read(s subject, m map[string]string, how, when string) (finding, bool) {
	facts := j.facts(s, m)
	var fs []finding
	for _, x := range facts {
		if x.version == "" {
			fs = append(fs, finding{verdict: NotAffected, lines: []string{how + " no " + x.pkg + " (" + when + ")"}})
			continue
		}
		f := j.rule(s, x.pkg, x.version)
		lines := make([]string, 0, len(f.lines)+1)
		lines = append(lines, how+" "+x.pkg+" "+x.version+" ("+when+")")
		for _, l := range f.lines {
			lines = append(lines, "  "+l)
		}
		fs = append(fs, finding{verdict: f.verdict, needs: f.needs, lines: lines})
	}
	return join(fs...), len(facts) > 0
}

// host gives the verdict on one host.
func (s *assessor) host(h *fleet.Host) HostVerdict {
	c := s.cohorts.Of(h)
	j := s.judgeFor(c)
	out := HostVerdict{Host: h.ID, Cohort: j.name}
	if why := s.stale(h); why != "" {
		out.Verdict, out.Evidence, out.Needs = IsUnknown, []string{why}, "a fresh look at the host"
		return out
	}
	fs := j.frame()
	for _, sub := range j.subjects {
		fs = append(fs, s.hostSubject(j, h, sub))
	}
	f := join(fs...)
	out.Verdict, out.Evidence = f.verdict, f.lines
	if f.verdict == IsAffected || f.verdict == IsUnknown {
		out.Needs = strings.Join(f.needs, "; ")
	}
	return out
}

// frame is what holds for each host of the cohort, whatever its versions.
func (j *judge) frame() (fs []finding) {
	if len(j.docs.notes) > 0 {
		fs = append(fs, finding{verdict: NotAffected, lines: j.docs.notes})
	}
	if j.cohort == nil && len(j.target.Cohorts) > 0 {
		line := "in no cohort of target " + j.target.ID
		if len(j.subjects) == 0 && len(j.gaps) == 0 {
			line += ", which asks nothing of it"
		}
		fs = append(fs, finding{verdict: NotAffected, lines: []string{line}})
	}
	if j.cohort != nil && len(j.cohort.Packages) > 0 && len(j.docs.bare) > 0 {
		fs = append(fs, finding{verdict: NotAffected, lines: []string{"no document was given for " + strings.Join(j.docs.bare, ", ") + ": judged by the target's desired versions"}})
	}
	if len(j.subjects) == 0 && len(j.gaps) == 0 && (j.cohort != nil || len(j.target.Cohorts) == 0) {
		fs = append(fs, finding{verdict: NotAffected, lines: []string{"neither target nor advisories name a package to judge by"}})
	}
	for _, gap := range j.gaps {
		fs = append(fs, finding{verdict: IsUnknown, lines: []string{gap}, needs: []string{"an advisory that says which versions are affected"}})
	}
	return fs
}

// hostSubject judges one package on one host by the layers that the cohort's remedy asks for.
func (s *assessor) hostSubject(j *judge, h *fleet.Host, sub subject) finding {
	when := s.when(h)
	installed, hasInstalled := j.read(sub, h.Software.Installed, "installed is", when)
	booted, hasBooted := j.read(sub, h.Software.Booted, "booted with", when)
	running, hasRunning := j.read(sub, h.Software.Running, "runs", when)
	if !hasInstalled && !hasBooted && !hasRunning {
		return j.noFact(h, sub)
	}
	var f finding
	switch remedyOf(j.cohort) {
	case remedyRefresh:
		f = installed
		if !hasInstalled {
			f = finding{verdict: IsUnknown, lines: []string{"what " + sub.pkg + " is installed is not known, and new processes start from that"},
				needs: []string{"a look at the packages on its disk"}}
		}
	case remedyLivePatch:
		f = livePatched(sub, booted, hasBooted, running, hasRunning)
	default:
		f = rebooted(sub, installed, hasInstalled, booted, hasBooted, running, hasRunning)
	}
	f.needs = append(f.needs, j.hostNeeds(sub, f.verdict, installed, hasInstalled)...)
	return f
}

// rebooted: a host is fixed only when what it booted with is, and when neither what runs now nor
// what the next boot would bring is older.
func rebooted(sub subject, installed finding, hasInstalled bool, booted finding, hasBooted bool, running finding, hasRunning bool) finding {
	layers := []finding{}
	switch {
	case hasBooted:
		layers = append(layers, booted)
	case hasRunning:
		running.lines = append(slices.Clone(running.lines), "what it booted with is not known: judged by what runs")
	default:
		layers = append(layers, finding{verdict: IsUnknown, lines: []string{"neither what " + sub.pkg + " it booted with nor what runs is known"},
			needs: []string{"a look at what it booted with"}})
	}
	if hasRunning {
		layers = append(layers, running)
	}
	if hasInstalled {
		layers = append(layers, installed)
	}
	f := join(layers...)
	old := (hasBooted && booted.verdict == IsAffected) || (hasRunning && running.verdict == IsAffected)
	switch {
	case hasInstalled && installed.verdict == IsFixed && old:
		f.lines = append(f.lines, "installed fixed, still running old: needs its reboot")
	case hasInstalled && installed.verdict == IsAffected && !old && f.verdict == IsAffected:
		f.lines = append(f.lines, "what is installed is old: whatever it booted with, the next start brings that")
	}
	return f
}

// livePatched: the fix lies in what runs. A host that booted with the fix needs no patch.
func livePatched(sub subject, booted finding, hasBooted bool, running finding, hasRunning bool) finding {
	switch {
	case hasRunning:
		return running
	case hasBooted && booted.verdict != IsAffected:
		return booted
	}
	lines := []string{"what " + sub.pkg + " runs, and which patches it has, is not known"}
	if hasBooted {
		lines = append(slices.Clone(booted.lines), lines...)
	}
	return finding{verdict: IsUnknown, lines: lines, needs: []string{"a look at what runs"}}
}

// hostNeeds says what would fix a host, in the cohort's own terms.
func (j *judge) hostNeeds(sub subject, v Verdict, installed finding, hasInstalled bool) (needs []string) {
	if v != IsAffected {
		return nil
	}
	update := sub.pkg + " " + sub.desired + " or newer"
	if sub.desired == "" {
		update = "a " + sub.pkg + " that the advisories call fixed"
	}
	switch remedyOf(j.cohort) {
	case remedyLivePatch:
		return []string{"the live patch, or " + update + " and a reboot"}
	case remedyRefresh:
		return []string{update}
	}
	if hasInstalled && installed.verdict == IsFixed {
		return []string{"its reboot"}
	}
	return []string{update, "its reboot"}
}

// noFact judges a package of which nothing was read.
func (j *judge) noFact(h *fleet.Host, sub subject) finding {
	switch {
	case sourceOf(sub.pkg, j.sources()) == "xen" && h.Hypervisor == fleet.KVM:
		return finding{verdict: NotAffected, lines: []string{"its hypervisor is kvm: no " + sub.pkg + " is at work there"}}
	case sub.optional:
		return finding{verdict: NotAffected, lines: []string{"no fact about " + sub.pkg + ": cohort " + j.name + " covers the advisory by another of its packages"}}
	}
	named := "which the advisories name"
	if sub.desired != "" {
		named = fmt.Sprintf("which cohort %s wants at least %s", j.name, sub.desired)
	}
	return finding{verdict: IsUnknown, lines: []string{"nothing was read of " + sub.pkg + ", " + named + ": neither installed, booted nor running"},
		needs: []string{"a look at its " + sub.pkg}}
}

// when says when a host's facts were read.
func (s *assessor) when(h *fleet.Host) string {
	if t := s.seen(h); !t.IsZero() {
		return "seen " + t.UTC().Format(time.RFC3339)
	}
	return "seen at a time not recorded"
}

func (s *assessor) seen(h *fleet.Host) time.Time {
	if h.Seen.IsZero() {
		return s.fleet.Taken
	}
	return h.Seen
}

// maxSkew is how far in the future a fact may lie before its clock is not believed.
const maxSkew = 5 * time.Second

// stale says why a host's facts are too old to judge by; "" when they are not.
func (s *assessor) stale(h *fleet.Host) string {
	if s.staleAfter <= 0 {
		return ""
	}
	seen := s.seen(h)
	if seen.IsZero() {
		return "when its facts were read is not recorded, and facts older than " + s.staleAfter.String() + " do not count"
	}
	at := seen.UTC().Format(time.RFC3339)
	switch age := s.now.Sub(seen); {
	case age > s.staleAfter:
		return "its facts were read at " + at + ", " + age.Round(time.Second).String() + " ago: older than the " + s.staleAfter.String() + " that count"
	case age < -maxSkew:
		return "its facts say that they were read at " + at + ", which lies ahead: their age cannot be told"
	}
	return ""
}
