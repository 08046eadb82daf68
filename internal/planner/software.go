package planner

import (
	"cmp"
	"maps"
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/version"
)

// asOffered is a host as instances that land on it find it: a QEMU process starts from what is
// installed; everything else is what runs, else what was booted, else what is installed.
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
	if c == nil {
		return h
	}
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

// on is an instance as it is after it came from one host, as offered, and landed on another: it runs
// on what it found there. What that host does not tell of is at least what it ran on before, for
// nothing moves to something older.
func on(i *fleet.Instance, from, to *fleet.Host) *fleet.Instance {
	runs := make(map[string]string, len(from.Software.Running)+len(to.Software.Running))
	maps.Copy(runs, from.Software.Running)
	maps.Copy(runs, i.Running)
	maps.Copy(runs, to.Software.Running)
	moved := *i
	moved.Running = runs
	return &moved
}
