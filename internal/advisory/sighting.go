package advisory

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// When and how facts were seen, and which are too old to judge by.

// layers are the software facts of one host that are fresh enough to judge by.
type layers struct {
	installed, booted, running map[string]string
	old                        []string // which were left out, and why
	oldCode                    bool     // what was booted or runs is among them, or was not there
	oldPatches                 bool     // the list of live patches is among them
}

// layersOf leaves out the layers that were read too long ago.
func (s *assessor) layersOf(h *fleet.Host) layers {
	l := layers{installed: h.Software.Installed, booted: h.Software.Booted, running: h.Software.Running}
	for _, x := range []struct {
		name string
		m    *map[string]string
	}{{fleet.LayerInstalled, &l.installed}, {fleet.LayerBooted, &l.booted}, {fleet.LayerRunning, &l.running}} {
		at := h.Software.Looked[x.name].At
		if at.IsZero() {
			continue // read with the rest of the host
		}
		why := s.tooOld(at)
		l.oldCode = l.oldCode || why != "" && x.name != fleet.LayerInstalled
		if why != "" && len(*x.m) > 0 {
			*x.m = nil
			l.old = append(l.old, "what is "+x.name+" "+why)
		}
	}
	return l
}

// withoutOldPatches gives the host without its list of live patches, where that was read too long ago:
// as if nobody had looked.
func (s *assessor) withoutOldPatches(h *fleet.Host, l *layers) *fleet.Host {
	at := h.Software.Looked[fleet.LayerLivePatches].At
	why := s.tooOld(at)
	if at.IsZero() || why == "" || h.Software.LivePatches == nil {
		return h
	}
	l.old, l.oldPatches = append(l.old, "its list of live patches "+why), true
	without := *h
	without.Software.LivePatches = nil
	return &without
}

// seenOf lists the facts by which a host is judged.
func (s *assessor) seenOf(c *hostCase) (out []Seen) {
	h := c.host
	for _, x := range []struct {
		layer string
		m     map[string]string
	}{{fleet.LayerInstalled, c.l.installed}, {fleet.LayerBooted, c.l.booted}, {fleet.LayerRunning, c.l.running}} {
		at, how := s.sighting(h, x.layer)
		for i := range c.judge.subjects {
			for _, f := range c.judge.facts(i, x.m) {
				out = append(out, Seen{Layer: x.layer, Package: f.pkg, Version: f.version, At: at, How: how})
			}
		}
	}
	if c.l.oldPatches {
		return out
	}
	at, how := s.sighting(h, fleet.LayerLivePatches)
	for _, p := range h.Software.LivePatches {
		out = append(out, Seen{Layer: fleet.LayerLivePatches, Package: p.Component + " " + p.Name, Version: p.State, At: at, How: how})
	}
	return out
}

// seenThrough lists what an instance's monitor told.
func (s *assessor) seenThrough(c *hostCase, i *fleet.Instance) (out []Seen) {
	at := i.Looked.At
	if at.IsZero() {
		at = s.seen(c.host)
	}
	for k := range c.judge.subjects {
		for _, f := range c.judge.facts(k, i.Running) {
			out = append(out, Seen{Layer: fleet.LayerRunning, Package: f.pkg, Version: f.version, At: at, How: i.Looked.How})
		}
	}
	return out
}

// sighting is when and how one layer of a host was read.
func (s *assessor) sighting(h *fleet.Host, layer string) (at time.Time, how string) {
	l := h.Software.Looked[layer]
	if l.At.IsZero() {
		return s.seen(h), l.How
	}
	return l.At.UTC(), l.How
}

func (s *assessor) seen(h *fleet.Host) time.Time {
	if h.Seen.IsZero() {
		return s.fleet.Taken.UTC()
	}
	return h.Seen.UTC()
}

// maxSkew is how far in the future a fact may lie before its clock is not believed.
const maxSkew = 5 * time.Second

// stale says why a host's facts are too old to judge by; "" when they are not.
func (s *assessor) stale(h *fleet.Host) string {
	if why := s.tooOld(s.seen(h)); why != "" {
		return "its software " + why
	}
	return ""
}

// tooOld says why a fact read at a moment does not count; "" when it does.
func (s *assessor) tooOld(seen time.Time) string {
	if s.staleAfter <= 0 {
		return ""
	}
	if seen.IsZero() {
		return "was read at a time not recorded, and facts older than " + s.staleAfter.String() + " do not count"
	}
	at := seen.UTC().Format(time.RFC3339)
	switch age := s.now.Sub(seen); {
	case age > s.staleAfter:
		return "was read at " + at + ", " + age.Round(time.Second).String() + " ago: older than the " + s.staleAfter.String() + " that count"
	case age < -maxSkew:
		return "was read at " + at + ", by its own word, which lies ahead: its age cannot be told"
	}
	return ""
}
