package advisory

import (
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// An instance is judged by what its own monitor says that it runs on, never by the package on its
// host's disk. Kernel and hypervisor are shared: there the host's booted and running versions count.

// judgeInstance judges a running or paused instance. running is what its monitor told.
func (j *judge) judgeInstance(l layers, running map[string]string, in *setting) finding {
	fs := j.frame(in)
	for i := range j.subjects {
		if j.concerns(i, in) {
			fs = append(fs, j.instanceSubject(i, l, running, in))
		}
	}
	return join(fs...)
}

// stopped: nothing of it runs, so nothing of it can be attacked; what it would start on is said.
func (j *judge) stopped(l layers, in *setting) finding {
	f := finding{verdict: NotAffected, lines: []string{"stopped: no process of it runs"}}
	for i := range j.subjects {
		sub := &j.subjects[i]
		if sub.layer == ofHost {
			continue
		}
		facts := j.facts(i, l.installed)
		for _, x := range facts {
			if x.version == "" {
				continue
			}
			r := j.rule(i, x.pkg, x.version, in, false)
			f.lines = append(f.lines, "it would start on "+x.pkg+" "+x.version+", installed on its host, which is "+r.verdict.Words())
			for _, line := range r.lines {
				f.lines = append(f.lines, "  "+line)
			}
		}
		if len(facts) == 0 && !sub.optional {
			f.lines = append(f.lines, "what "+sub.pkg+" it would start on is not known: its host does not tell what is installed")
		}
	}
	return f
}

// instanceSubject judges one package under one running instance.
func (j *judge) instanceSubject(i int, l layers, running map[string]string, in *setting) finding {
	sub := &j.subjects[i]
	if j.needsXen(i, l, in) {
		return j.noFact(sub, in)
	}
	if f, ok := j.read(i, running, "its own monitor says that it runs on", in, false); ok {
		if f.verdict == IsAffected {
			f.needs = append(f.needs, j.instanceNeeds(i, l, in))
		}
		return f
	}
	if sub.project == "xen" && in.host.Hypervisor == fleet.KVM {
		return j.noFact(sub, in)
	}
	if isTool(sub.pkg) {
		return finding{verdict: NotAffected, lines: []string{sub.pkg + " is a tool of its host: the instance runs none of it"}}
	}
	if sub.layer == ofHost {
		return j.shared(i, l, in)
	}
	if sub.optional {
		return finding{verdict: NotAffected, lines: []string{"its monitor tells nothing of " + sub.pkg + ": cohort " + j.name + " covers the advisory by another of its packages"}}
	}
	f := finding{verdict: IsUnknown, lines: []string{"its own monitor has not told which " + sub.pkg + " it runs on; the package on its host's disk does not count"},
		needs: []string{"a look through its monitor"}}
	for _, doc := range sub.only {
		f.says = append(f.says, docWord{doc, cannot})
	}
	return f
}

// shared judges what all instances of a host run on together.
func (j *judge) shared(i int, l layers, in *setting) finding {
	sub := &j.subjects[i]
	var fs []finding
	// With live patches, and for services, what runs now is newer knowledge than the boot.
	running, ok := j.read(i, l.running, "its host runs", in, true)
	if ok {
		fs = append(fs, running)
	}
	if !ok || remedyOf(j.cohort) != remedyLivePatch {
		if booted, ok := j.read(i, l.booted, "its host booted with", in, true); ok {
			fs = append(fs, booted)
		}
	}
	if len(fs) == 0 && !l.oldCode {
		if build, ok := j.build(i, "its host runs build", in); ok {
			fs = append(fs, build)
		}
	}
	if len(fs) == 0 {
		if sub.optional {
			return finding{verdict: NotAffected, lines: []string{"no fact about " + sub.pkg + ": cohort " + j.name + " covers the advisory by another of its packages"}}
		}
		return finding{verdict: IsUnknown, lines: []string{"what " + sub.pkg + " its host booted with or runs is not known"}, needs: []string{"a look at its host"}}
	}
	f := join(fs...)
	if f.verdict == IsAffected {
		f.needs = append(f.needs, "its host's remedy, or a move to a fixed host")
	}
	return f
}

// instanceNeeds: a process keeps the code it began with, so only another process helps.
func (j *judge) instanceNeeds(i int, l layers, in *setting) string {
	facts := j.facts(i, l.installed)
	if len(facts) == 1 && facts[0].version != "" && j.rule(i, facts[0].pkg, facts[0].version, in, false).verdict == IsFixed {
		return "another process: a move to a fixed host, or a stop and a start on its own host, where the fix is installed"
	}
	return "another process on a fixed host: a move there, or a stop and a start after its host's update"
}

// Words is the verdict as people read it.
func (v Verdict) Words() string { return strings.ReplaceAll(string(v), "-", " ") }
