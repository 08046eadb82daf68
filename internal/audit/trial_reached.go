package audit

import (
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Whether a host is at the target, by looks alone and only where this judge can tell: a distribution's
// packages of QEMU on KVM, of one release's line of versions. Elsewhere, and where versions cannot be
// compared, it says nothing: neither that a turn was spare nor that it was needed.

// standing is what a look tells of a host and the target.
type standing int

const (
	untold standing = iota // nothing that this judge can tell
	behind                 // something is older than what is wanted
	there                  // the host and each instance on it are at what is wanted
)

// wanted is the first cohort of the target that matches a host, if this judge can compare all it asks.
func (r *run) wanted(host string) *plan.Cohort {
	h := r.hosts[host]
	c := r.cohortOf(host)
	if c == nil || h.Hypervisor != fleet.KVM || len(c.Packages) == 0 || len(c.LivePatches) > 0 || c.Remedy == "live-patch" {
		return nil
	}
	for pkg := range c.Packages {
		if !strings.HasPrefix(pkg, "qemu") {
			return nil
		}
	}
	return c
}

// version is how one version stands to the wanted one, by the rules of their family.
func (s standing) version(f family, have, want string) standing {
	order, known := f.compare(have, want)
	switch sure := known && (have == want || f.line(have) != "" && f.line(have) == f.line(want)); {
	case s == behind || sure && order < 0:
		return behind
	case !sure:
		return untold
	}
	return s
}

// standing judges a look.
func (r *run) standing(host string, v *View) standing {
	c := r.wanted(host)
	if c == nil || v == nil || v.Health != "up" || len(v.Missing) > 0 {
		return untold
	}
	all, by := there, familyFor(c, r.hosts[host])
	for pkg, want := range c.Packages {
		all = all.version(by, v.Installed[pkg], want)
		if have, known := v.Running[pkg]; c.Remedy != "refresh" { // that changes processes, and not what was booted
			if all = all.version(by, v.Booted[pkg], want); known {
				all = all.version(by, have, want)
			}
		}
		for _, in := range v.Instances {
			switch {
			case in.Incoming || in.Migrating:
				all = untold
			case in.State == "running" || in.State == "paused":
				all = all.version(by, in.Running[pkg], want)
			}
		}
	}
	return all
}

// planned is how the host stood by the fleet that the plan was made from.
func (r *run) planned(host string) standing {
	h := r.hosts[host]
	v := &View{Health: "up", Installed: h.Software.Installed, Booted: h.Software.Booted, Running: h.Software.Running}
	for id, in := range r.instances {
		if in.Host == host && occupies(in) {
			v.Instances = append(v.Instances, Sighting{ID: id, State: "running", Running: in.Running})
		}
	}
	return r.standing(host, v)
}

// needed asks law 5 of a disruptive act that is the first of its turn: its host is not at the target
// already. What was behind when the plan was made and is there by the last look needs no turn.
func (t *trial) needed(r *run, tr *turnRun, f *Fact, s Subject) {
	m := t.machine(tr.host)
	if r.plan.Target == nil || tr.acted || tr.started["update"] > 0 || tr.started["reboot"] > 1 ||
		m.view == nil || m.lost || f.At.Sub(m.view.At) > freshLook || len(m.unsettled(t)) > 0 {
		return
	}
	spare := r.standing(tr.host, m.view) == there && r.planned(tr.host) == behind
	t.must(!spare, 5, "past-target", s, f.At, "a turn that is dropped, and its promises cancelled",
		"%s of turn %s begins, and the look at %s of %s shows it and all on it at the target already", f.Kind, tr.id, tr.host, clock(m.view.At))
}

// unsettled are guests of the host that the last look does not show as they are believed to be.
func (m *machine) unsettled(t *trial) (ids []string) {
	for id := range m.on {
		g := t.guest(id)
		shown := false
		for i := range m.view.Instances {
			shown = shown || m.view.Instances[i].ID == id
		}
		if !shown || g.act != nil || g.doubt != nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// droppedAtTarget asks law 10 of a drop that says so: nothing was done for the turn, and the last look
// does not show the contrary.
func (t *trial) droppedAtTarget(r *run, tr *turnRun, f *Fact, s Subject) {
	t.must(f.Kind == "turn-dropped" && !tr.acted && tr.started["update"] == 0 && tr.started["reboot"] == 0, 10, "dropped-midway", s, f.At,
		"a drop for this reason before anything was done to the host", "turn %s is dropped as not needed after it had begun to change host %s", tr.id, tr.host)
	tr.past = true
	m := t.machine(tr.host)
	t.must(m.view != nil && !m.lost && r.standing(tr.host, m.view) != behind && t.spares(r, tr, m.view), 10, "not-at-target", s, f.At, "a look that shows the host and all on it at the target",
		"turn %s is dropped since host %s is at the target, and no look shows that", tr.id, tr.host)
}
