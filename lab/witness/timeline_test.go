package witness

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

// Each step is "SECONDS HOST TEXT"; a '|' in the text is a line's end. The tick is 200 ms.
func TestTimeline(t *testing.T) {
	start := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
	pause := func(from, to time.Duration, a, b string) Gap {
		return Gap{Guest: "g1", From: stamp(start.Add(from)), To: stamp(start.Add(to)), MS: (to - from).Milliseconds(), FromHost: a, ToHost: b}
	}
	const ms = time.Millisecond
	for _, c := range []struct {
		name  string
		steps []string
		end   string
		want  GuestSummary
	}{
		{"steady", []string{"0s h1 tick 7 1.4|", "200ms h1 tick 8 1.6|tick", "400ms h1  9 1.8|"}, "500ms",
			GuestSummary{Ticks: 3, LargestGapMS: 200, Hosts: []string{"h1"}}},
		{"moved, a line cut in two", []string{"0s h1 tick 99 1.4|tick 1", "1s h2 00 1.6|tick 101 1.8|", "1200ms h2 tick 102 2.0|"}, "1300ms",
			GuestSummary{Ticks: 4, Gaps: 1, LargestGapMS: 1000, Hosts: []string{"h1", "h2"}, Moves: []Gap{pause(0, 1000*ms, "h1", "h2")}}},
		{"moved there and back", []string{"0s h1 tick 1 1|", "500ms h2 tick 2 1|", "900ms h1 tick 3 1|"}, "1s",
			GuestSummary{Ticks: 3, LargestGapMS: 500, Hosts: []string{"h1", "h2", "h1"},
				Moves: []Gap{pause(0, 500*ms, "h1", "h2"), pause(500*ms, 900*ms, "h2", "h1")}}},
		{"lost", []string{"0s h1 tick 1 1|", "200ms h1 tick 4 1|"}, "300ms",
			GuestSummary{Ticks: 2, Lost: 2, LargestGapMS: 200, Hosts: []string{"h1"}}},
		{"restarted elsewhere", []string{"0s h1 tick 50 9|", "5s h2 GUEST-UP g1|tick 1 1|"}, "5s",
			GuestSummary{Ticks: 2, Gaps: 1, LargestGapMS: 5000, Restarts: 1, Hosts: []string{"h1", "h2"}, Moves: []Gap{pause(0, 5000*ms, "h1", "h2")}}},
		{"saved and restored", []string{"0s h1 tick 50 9|", "8s h1 tick 51 9|"}, "8s",
			GuestSummary{Ticks: 2, Gaps: 1, LargestGapMS: 8000, Hosts: []string{"h1"}, Outages: []Gap{pause(0, 8000*ms, "h1", "h1")}}},
		{"silent at the end", []string{"0s h1 tick 50 9|"}, "3s",
			GuestSummary{Ticks: 1, Gaps: 1, LargestGapMS: 3000, Silent: true, Hosts: []string{"h1"}}},
		{"runs twice", []string{"0s h1 tick 50 9|", "200ms h2 tick 51 9|", "210ms h1 tick 51 9|", "400ms h2 tick 52 9|", "410ms h1 tick 52 9|"}, "500ms",
			GuestSummary{Ticks: 5, LargestGapMS: 200, SplitBrain: 2, SplitFrom: "2026-03-01T02:00:00.210Z", SplitTo: "2026-03-01T02:00:00.410Z", Hosts: []string{"h1", "h2"},
				Moves: []Gap{pause(0, 200*ms, "h1", "h2")}}},
		{"restarted while the old one runs", []string{"0s h1 tick 50 9|", "200ms h2 GUEST-UP g1|tick 1 1|", "210ms h1 tick 51 9|"}, "300ms",
			GuestSummary{Ticks: 3, LargestGapMS: 200, Restarts: 1, SplitBrain: 1, SplitFrom: "2026-03-01T02:00:00.210Z", SplitTo: "2026-03-01T02:00:00.210Z", Hosts: []string{"h1", "h2"},
				Moves: []Gap{pause(0, 200*ms, "h1", "h2")}}},
		{"an older copy runs on", []string{"0s h1 tick 50 9|", "200ms h2 tick 51 9|", "5s h1 tick 51 9|"}, "5s",
			GuestSummary{Ticks: 3, Rewound: 1, Gaps: 1, LargestGapMS: 4800, Hosts: []string{"h1", "h2", "h1"},
				Moves: []Gap{pause(0, 200*ms, "h1", "h2"), pause(200*ms, 5000*ms, "h2", "h1")}}},
		{"its kernel gave up", []string{"0s h1 tick 50 9|", "200ms h2 [ 67.8] BUG: NULL pointer|[ 68.0] Kernel panic - not syncing: Fatal|[ 68.1] ---[ end Kernel panic - not syncing: Fatal ]---|"}, "300ms",
			GuestSummary{Ticks: 1, Panics: 1, Hosts: []string{"h1"}}},
		{"never seen", nil, "1s", GuestSummary{Silent: true, Hosts: []string{}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tl, gaps := newTimeline("g1", 600*time.Millisecond), 0
			for _, s := range c.steps {
				f := strings.SplitN(s, " ", 3)
				d, err := time.ParseDuration(f[0])
				if err != nil {
					t.Fatal(err)
				}
				gaps += len(tl.add(f[1], strings.ReplaceAll(f[2], "|", "\n"), start.Add(d)))
			}
			d, err := time.ParseDuration(c.end)
			if err != nil {
				t.Fatal(err)
			}
			got, open := tl.end(start.Add(d))
			if open != nil {
				gaps++
			}
			c.want.Guest = "g1"
			if !reflect.DeepEqual(got, c.want) || gaps != c.want.Gaps {
				t.Errorf("got  %+v\nwant %+v\ngaps %d", got, c.want, gaps)
			}
		})
	}
}
