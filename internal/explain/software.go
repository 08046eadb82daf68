package explain

import (
	"cmp"
	"maps"
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/version"
)

// What a host offers to those that land on it changes with its turn, and what an instance runs on with each
// of its moves. fleet.CanMove is asked of hosts and instances as they are by then.

// hostBy is a host as instances that land on it in a wave find it.
func (s *scene) hostBy(h *fleet.Host, wave int) *fleet.Host {
	fixed := s.level(h.ID, wave) == onTheFix && len(s.turnsOf[h.ID]) > 0
	cache := s.offered
	if fixed {
		cache = s.after
	}
	if known := cache[h.ID]; known != nil {
		return known
	}
	out := asOffered(h)
	var c *plan.Cohort
	if s.cohorts != nil {
		c = s.cohorts.Of(h)
	}
	if c != nil {
		out.Ecosystem = cmp.Or(out.Ecosystem, c.Ecosystem)
		if fixed {
			out = asFixed(out, c)
		}
	}
	cache[h.ID] = out
	return out
}

// instanceBy is an instance as it is when a wave begins: it runs on what it found where it landed.
func (s *scene) instanceBy(i *fleet.Instance, wave int) *fleet.Instance {
	out := i
	for _, m := range s.movesOf[i.ID] {
		w := s.waveOf(m)
		if w >= wave {
			break
		}
		lands := w
		if m.Home {
			lands++ // on the host as its turn has left it
		}
		out = on(out, s.hostBy(s.ix.Hosts[m.From], w), s.hostBy(s.ix.Hosts[m.To], lands))
	}
	return out
}

// asOffered: a QEMU process starts from what is installed; all else is what runs, else what was booted,
// else what is installed.
func asOffered(h *fleet.Host) *fleet.Host {
	offers := map[string]string{}
	for _, facts := range []map[string]string{h.Software.Installed, h.Software.Booted, h.Software.Running} {
		for pkg, v := range facts {
			if v != "" {
				offers[pkg] = v
			}
		}
	}
	if h.Hypervisor == fleet.KVM {
		for pkg, v := range h.Software.Installed {
			if strings.HasPrefix(pkg, "qemu") && v != "" {
				offers[pkg] = v
			}
		}
	}
	return withSoftware(h, offers)
}

// asFixed is a host, as offered, once its turn has brought it to what its cohort wants.
func asFixed(h *fleet.Host, c *plan.Cohort) *fleet.Host {
	offers := maps.Clone(h.Software.Running)
	for pkg, want := range c.Packages {
		if have, known := offers[pkg]; known {
			if order, err := version.Compare(cmp.Or(c.Ecosystem, h.Ecosystem), have, want); err == nil && order < 0 {
				offers[pkg] = want
			}
		}
	}
	return withSoftware(h, offers)
}

func withSoftware(h *fleet.Host, offers map[string]string) *fleet.Host {
	changed := *h
	changed.Software = fleet.Software{Running: offers}
	return &changed
}

// on is an instance that came from one host and landed on another.
func on(i *fleet.Instance, from, to *fleet.Host) *fleet.Instance {
	runs := make(map[string]string, len(from.Software.Running)+len(to.Software.Running))
	maps.Copy(runs, from.Software.Running)
	maps.Copy(runs, i.Running)
	maps.Copy(runs, to.Software.Running)
	moved := *i
	moved.Running = runs
	return &moved
}
