package sim

import (
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver/simulated"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// span is an interval; an end that has not come is zero.
type span struct{ from, to time.Time }

func (s span) meets(from, to time.Time) bool {
	return !s.from.After(to) && (s.to.IsZero() || !s.to.Before(from))
}

// boot is one boot of a host.
type boot struct {
	span
	build  string
	itself bool // nobody ordered it
}

// witness is what the world's log tells of one host.
type witness struct {
	patches map[string][]span // by name: while they were applied
	boots   []boot
}

// witnesses reads the log.
func witnesses(f *fleet.Fleet, log []simulated.Record) map[string]*witness {
	out := map[string]*witness{}
	for i := range f.Hosts {
		w := &witness{patches: map[string][]span{}}
		for _, p := range f.Hosts[i].Software.LivePatches {
			if p.State == fleet.PatchApplied {
				w.patches[p.Name] = []span{{from: log[0].At}}
			}
		}
		out[f.Hosts[i].ID] = w
	}
	told := map[string]bool{}
	for _, r := range log {
		w := out[r.Host]
		if w == nil {
			continue
		}
		_, name, _ := strings.Cut(r.Why, " ")
		switch r.Kind {
		case simulated.HostTold:
			told[r.Host] = true
		case simulated.HostPatched:
			w.patches[name] = append(w.patches[name], span{from: r.At})
		case simulated.HostUnpatched:
			w.ends(name, r.At)
		case simulated.OthersActed:
			if rest, taken := strings.CutPrefix(r.Why, "live patch "); taken {
				w.ends(strings.TrimSuffix(rest, " taken away"), r.At)
			}
		case simulated.HostWentDown:
			for p := range w.patches {
				w.ends(p, r.At)
			}
			if n := len(w.boots); n > 0 {
				w.boots[n-1].to = r.At
			}
		case simulated.HostBooted:
			w.boots = append(w.boots, boot{span{from: r.At}, r.BuildID, r.Why != "beginning" && !told[r.Host]})
			told[r.Host] = false
		}
	}
	return out
}

func (w *witness) ends(patch string, at time.Time) {
	if s := w.patches[patch]; len(s) > 0 && s[len(s)-1].to.IsZero() {
		s[len(s)-1].to = at
	}
}

// applied: the patch was there at some moment of the interval.
func (w *witness) applied(patch string, from, to time.Time) bool {
	return slices.ContainsFunc(w.patches[patch], func(s span) bool { return s.meets(from, to) })
}

// ran are the builds that ran at some moment of the interval.
func (w *witness) ran(from, to time.Time) (builds []string) {
	for _, b := range w.boots {
		if b.meets(from, to) {
			builds = append(builds, b.build)
		}
	}
	return builds
}

// resets: the host was booted once without an order, so what it booted last tells nothing of its turn.
func resets(log []simulated.Record, host string) bool {
	told := false
	for _, r := range log {
		switch {
		case r.Host != host:
		case r.Kind == simulated.HostTold:
			told = true
		case r.Kind == simulated.HostBooted && r.Why != "beginning":
			if !told {
				return true
			}
			told = false
		}
	}
	return false
}
