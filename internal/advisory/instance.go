package advisory

import (
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// instance gives the verdict on one instance: by what its own monitor says that it runs on, never
// by the package on its host's disk. Kernel and hypervisor are shared: there the host's booted and
// running versions count.
func (s *assessor) instance(i *fleet.Instance) InstanceVerdict {
	out := InstanceVerdict{Instance: i.ID, Host: i.Host, Tenant: i.Tenant}
	h := s.hosts[i.Host]
	var f finding
	switch {
	case h == nil:
		f = finding{verdict: IsUnknown, lines: []string{"its host " + i.Host + " is not in the fleet"}, needs: []string{"a host that is in the fleet"}}
	case s.stale(h) != "":
		f = finding{verdict: IsUnknown, lines: []string{"on host " + h.ID + ": " + s.stale(h)}, needs: []string{"a fresh look at its host"}}
	case i.State == fleet.Stopped:
		f = s.stopped(h)
	default:
		j := s.judgeFor(s.cohorts.Of(h))
		fs := j.frame()
		for _, sub := range j.subjects {
			fs = append(fs, s.instanceSubject(j, h, i, sub))
		}
		f = join(fs...)
	}
	out.Verdict, out.Evidence = f.verdict, f.lines
	if f.verdict == IsAffected || f.verdict == IsUnknown {
		out.Needs = strings.Join(f.needs, "; ")
	}
	return out
}

// stopped: nothing of it runs, so nothing of it can be attacked; what it would start on is said.
func (s *assessor) stopped(h *fleet.Host) finding {
	j := s.judgeFor(s.cohorts.Of(h))
	f := finding{verdict: NotAffected, lines: []string{"stopped: no process of it runs"}}
	for _, sub := range j.subjects {
		if layerOf(sub.pkg, j.sources()) == ofHost {
			continue
		}
		for _, x := range j.facts(sub, h.Software.Installed) {
			if x.version == "" {
				continue
			}
			r := j.rule(sub, x.pkg, x.version)
			f.lines = append(f.lines, "it would start on "+x.pkg+" "+x.version+", installed on "+h.ID+" ("+s.when(h)+"), which is "+r.verdict.Words())
			for _, l := range r.lines {
				f.lines = append(f.lines, "  "+l)
			}
		}
		if len(j.facts(sub, h.Software.Installed)) == 0 && !sub.optional {
			f.lines = append(f.lines, "what "+sub.pkg+" it would start on is not known: "+h.ID+" does not tell what is installed")
		}
	}
	return f
}

// instanceSubject judges one package under one running instance.
func (s *assessor) instanceSubject(j *judge, h *fleet.Host, i *fleet.Instance, sub subject) finding {
	when := s.when(h)
	if f, ok := j.read(sub, i.Running, "its own monitor says that it runs on", when); ok {
		if f.verdict == IsAffected {
			f.needs = append(f.needs, j.instanceNeeds(sub, h))
		}
		return f
	}
	if sourceOf(sub.pkg, j.sources()) == "xen" && h.Hypervisor == fleet.KVM {
		return j.noFact(h, sub)
	}
	if layerOf(sub.pkg, j.sources()) == ofHost {
		return s.shared(j, h, sub)
	}
	if sub.optional {
		return finding{verdict: NotAffected, lines: []string{"its monitor tells nothing of " + sub.pkg + ": cohort " + j.name + " covers the advisory by another of its packages"}}
	}
	return finding{verdict: IsUnknown, lines: []string{"its own monitor has not told which " + sub.pkg + " it runs on; the package on " + h.ID + "'s disk does not count"},
		needs: []string{"a look through its monitor"}}
}

// shared judges what all instances of a host run on together.
func (s *assessor) shared(j *judge, h *fleet.Host, sub subject) finding {
	when := s.when(h)
	var layers []finding
	// With live patches, and for services, what runs now is newer knowledge than the boot.
	running, ok := j.read(sub, h.Software.Running, "its host "+h.ID+" runs", when)
	if ok {
		layers = append(layers, running)
	}
	if !ok || remedyOf(j.cohort) != remedyLivePatch {
		if booted, ok := j.read(sub, h.Software.Booted, "its host "+h.ID+" booted with", when); ok {
			layers = append(layers, booted)
		}
	}
	if len(layers) == 0 {
		if sub.optional {
			return finding{verdict: NotAffected, lines: []string{"no fact about " + sub.pkg + ": cohort " + j.name + " covers the advisory by another of its packages"}}
		}
		return finding{verdict: IsUnknown, lines: []string{"what " + sub.pkg + " its host " + h.ID + " booted with or runs is not known"}, needs: []string{"a look at its host"}}
	}
	f := join(layers...)
	if f.verdict == IsAffected {
		f.needs = append(f.needs, "its host's remedy, or a move to a fixed host")
	}
	return f
}

// instanceNeeds: a process keeps the code it began with, so only another process helps.
func (j *judge) instanceNeeds(sub subject, h *fleet.Host) string {
	facts := j.facts(sub, h.Software.Installed)
	if len(facts) == 1 && facts[0].version != "" && j.rule(sub, facts[0].pkg, facts[0].version).verdict == IsFixed {
		return "another process: a move to a fixed host, or a stop and a start on " + h.ID + ", where the fix is installed"
	}
	return "another process on a fixed host: a move there, or a stop and a start after its host's update"
}

// Words is the verdict as people read it.
func (v Verdict) Words() string { return strings.ReplaceAll(string(v), "-", " ") }
