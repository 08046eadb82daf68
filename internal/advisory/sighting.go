package advisory

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// When and how facts were seen, and which are too old to judge by.

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
