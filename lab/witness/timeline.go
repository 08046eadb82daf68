package witness

import (
	"strconv"
	"strings"
	"time"
)

// Gap is a stretch of time in which a guest did not tick although it should have.
type Gap struct {
	Guest    string `json:"guest"`
	From     string `json:"from"` // RFC 3339 with milliseconds, UTC
	To       string `json:"to"`
	MS       int64  `json:"ms"`
	FromHost string `json:"from_host"`
	ToHost   string `json:"to_host,omitempty"` // empty: it still was silent at the end
}

// GuestSummary is what was seen of one guest.
type GuestSummary struct {
	Guest        string   `json:"guest"`
	Ticks        int      `json:"ticks"`
	Gaps         int      `json:"gaps"`
	LargestGapMS int64    `json:"largest_gap_ms"`
	Moves        []Gap    `json:"moves,omitempty"`   // each arrival on another host, however short the pause
	Outages      []Gap    `json:"outages,omitempty"` // silence on one host for longer than outage
	Lost         int      `json:"lost"`              // numbers that were never printed
	Restarts     int      `json:"restarts"`          // the guest began again at 1
	Rewound      int      `json:"rewound"`           // numbers came again although it did not begin again: an older copy ran on
	Panics       int      `json:"panics"`            // times its own kernel gave up
	SplitBrain   int      `json:"split_brain"`       // ticks of a second copy while the first one ticked
	SplitFrom    string   `json:"split_from,omitempty"`
	SplitTo      string   `json:"split_to,omitempty"`
	Hosts        []string `json:"hosts"` // in the order in which it ticked there; ends where it is
	Silent       bool     `json:"silent"`
}

// outage is the silence that counts as an interruption although the guest stayed where it was. A shorter
// one may be a busy machine.
const outage = 5 * time.Second

// timeline judges the ticks of one guest from all hosts. A guest has one memory, so its numbers go up by
// one wherever it runs. A number that was seen already, from another host, without a start there, means
// that the guest runs twice.
type timeline struct {
	sum    GuestSummary
	limit  time.Duration // a longer pause is a gap
	host   string        // where it ticked last
	n      int           // its last number
	at     time.Time     // of its last tick
	stream map[string]*stream
}

// stream is the serial log of the guest on one host.
type stream struct {
	rest  string // a line that has no end yet
	begun bool   // GUEST-UP was seen and no tick since
	n     int    // last number on this host
}

func newTimeline(guest string, limit time.Duration) *timeline {
	return &timeline{sum: GuestSummary{Guest: guest, Hosts: []string{}}, limit: limit, stream: map[string]*stream{}}
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z07:00") }

// add takes text that arrived in the log on host, and returns the gaps that it ended.
func (t *timeline) add(host, text string, at time.Time) (gaps []Gap) {
	s := t.stream[host]
	if s == nil {
		s = &stream{}
		t.stream[host] = s
	}
	text = s.rest + text
	for {
		line, rest, whole := strings.Cut(text, "\n")
		if !whole {
			s.rest = text
			return gaps
		}
		text = rest
		line = strings.TrimSuffix(line, "\r")
		if strings.HasPrefix(line, "GUEST-UP ") {
			s.begun = true
			continue
		}
		if strings.Contains(line, "Kernel panic") && !strings.Contains(line, "end Kernel panic") {
			t.sum.Panics++
			continue
		}
		n, ok := parseTick(line)
		if !ok {
			// a migration may cut a line in two: its head lies on the host that the guest came from
			if from := t.stream[t.host]; from != nil && t.host != host && from.rest != "" {
				if n, ok = parseTick(strings.TrimSuffix(from.rest, "\r") + line); ok && n == t.n+1 {
					from.rest = ""
				} else {
					ok = false
				}
			}
			if !ok {
				continue
			}
		}
		if g := t.tick(s, host, n, at); g != nil {
			gaps = append(gaps, *g)
		}
	}
}

// tick takes one number and returns the gap that it ended, if any.
func (t *timeline) tick(s *stream, host string, n int, at time.Time) (gap *Gap) {
	t.sum.Ticks++
	first := t.at.IsZero()
	alive := !first && at.Sub(t.at) <= t.limit
	if alive && host != t.host && !s.begun && n != t.n+1 && (n <= t.n || n == s.n+1) {
		t.sum.SplitBrain++
		if t.sum.SplitFrom == "" {
			t.sum.SplitFrom = stamp(at)
		}
		t.sum.SplitTo, s.n = stamp(at), n
		return nil
	}
	switch {
	case first:
	case s.begun:
		t.sum.Restarts++
	case n <= t.n:
		t.sum.Rewound++
	default:
		t.sum.Lost += n - t.n - 1
	}
	if !first {
		t.sum.LargestGapMS = max(t.sum.LargestGapMS, at.Sub(t.at).Milliseconds())
	}
	if !first {
		t.interruption(at, host)
	}
	if !first && !alive {
		gap = t.gap(at, host)
	}
	if k := len(t.sum.Hosts); k == 0 || t.sum.Hosts[k-1] != host {
		t.sum.Hosts = append(t.sum.Hosts, host)
	}
	s.begun, s.n = false, n
	t.host, t.n, t.at = host, n, at
	return gap
}

func (t *timeline) gap(to time.Time, host string) *Gap {
	g := t.pause(to, host)
	t.sum.Gaps++
	t.sum.LargestGapMS = max(t.sum.LargestGapMS, g.MS)
	return &g
}

// pause is the time since the last tick.
func (t *timeline) pause(to time.Time, host string) Gap {
	return Gap{Guest: t.sum.Guest, From: stamp(t.at), To: stamp(to), MS: to.Sub(t.at).Milliseconds(), FromHost: t.host, ToHost: host}
}

// interruption notes what somebody did to the guest: it ticks elsewhere, or was silent for long.
func (t *timeline) interruption(at time.Time, host string) {
	switch p := t.pause(at, host); {
	case host != t.host:
		t.sum.Moves = append(t.sum.Moves, p)
	case at.Sub(t.at) > outage:
		t.sum.Outages = append(t.sum.Outages, p)
	}
}

// end closes the timeline: a guest that is silent now has an open gap.
func (t *timeline) end(now time.Time) (GuestSummary, *Gap) {
	var g *Gap
	t.sum.Silent = t.at.IsZero() || now.Sub(t.at) > t.limit
	if t.sum.Silent && !t.at.IsZero() {
		g = t.gap(now, "")
	}
	return t.sum, g
}

// parseTick reads "tick N UPTIME".
func parseTick(line string) (int, bool) {
	f := strings.Fields(line)
	if len(f) != 3 || f[0] != "tick" {
		return 0, false
	}
	n, err := strconv.Atoi(f[1])
	return n, err == nil && n > 0
}
