package advisory

import (
	"slices"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// Holder has a fix that was withdrawn.
type Holder struct {
	Host     string `json:"host" yaml:"host"`
	Instance string `json:"instance,omitempty" yaml:"instance,omitempty"` // when its own process has it
	Tenant   string `json:"tenant,omitempty" yaml:"tenant,omitempty"`
	Layer    string `json:"layer" yaml:"layer"` // where it was found: installed, booted, running, live_patches
	Fix      string `json:"fix" yaml:"fix"`     // package and version, or the live patch's name
	Why      string `json:"why" yaml:"why"`
}

// withdrawnPatch: a live patch of this name was withdrawn: it fixes nothing any more.
func (s *assessor) withdrawnPatch(name string) bool {
	for _, w := range s.target.Withdrawn {
		if w.LivePatch == name {
			return true
		}
	}
	return false
}

// holders lists who has a withdrawn fix, sorted by host and instance as the fleet lists them.
func (s *assessor) holders() (out []Holder) {
	if len(s.target.Withdrawn) == 0 {
		return nil
	}
	for i := range s.fleet.Hosts {
		h := &s.fleet.Hosts[i]
		for _, x := range []struct {
			layer string
			m     map[string]string
		}{{fleet.LayerInstalled, h.Software.Installed}, {fleet.LayerBooted, h.Software.Booted}, {fleet.LayerRunning, h.Software.Running}} {
			for _, w := range s.withdrawnIn(h, x.m) {
				w.Host, w.Layer = h.ID, x.layer
				out = append(out, w)
			}
		}
		for _, p := range h.Software.LivePatches {
			for _, w := range s.target.Withdrawn {
				if w.LivePatch == p.Name {
					out = append(out, Holder{Host: h.ID, Layer: fleet.LayerLivePatches, Fix: p.Name + " (" + p.State + ")", Why: w.Why})
				}
			}
		}
	}
	for i := range s.fleet.Instances {
		in := &s.fleet.Instances[i]
		if c := s.hosts[in.Host]; c != nil {
			for _, w := range s.withdrawnIn(c.host, in.Running) {
				w.Host, w.Instance, w.Tenant, w.Layer = in.Host, in.ID, in.Tenant, fleet.LayerRunning
				out = append(out, w)
			}
		}
	}
	return out
}

// withdrawnIn finds withdrawn versions among the facts of one layer.
func (s *assessor) withdrawnIn(h *fleet.Host, m map[string]string) (out []Holder) {
	j := s.hosts[h.ID].judge
	for _, w := range s.target.Withdrawn {
		if w.Package == "" {
			continue
		}
		for _, pkg := range sortedKeys(m) {
			v := m[pkg]
			if v == "" || !samePackage(w.Package, pkg, j.sources()) {
				continue
			}
			if slices.Contains(w.Versions, v) || slices.Contains(w.Versions, sourceOfVersion(j.eco, v)) {
				out = append(out, Holder{Fix: pkg + " " + v, Why: w.Why})
			}
		}
	}
	return out
}
