package plan

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

func measured() Plan {
	start := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	return Plan{
		Evenkeel: SchemaV1, Campaign: "c", Revision: 1, Made: start, Verdict: "v", Policy: DefaultPolicy(), Start: start, End: start.Add(76 * time.Hour),
		Fleet: &fleet.Fleet{Hosts: make([]fleet.Host, 3), Instances: make([]fleet.Instance, 5)},
		Turns: []Turn{{ID: "h", Host: "h", Wave: 1, Start: start, End: start.Add(time.Hour), WorstS: 3600}},
		Moves: []Move{{Instance: "a"}, {Instance: "b"}, {Instance: "b"}},
		Slots: []Slot{{Instance: "a", Tenant: "t", Class: ClassBlip}, {Instance: "b", Tenant: "t", Class: ClassBlip}, {Instance: "b", Tenant: "t", Class: ClassBlip},
			{Instance: "c", Class: ClassOutage}, {Instance: "d", Tenant: "u", Class: ClassNone}},
		Blocked: []Blocked{{Host: "x", Code: "y", Why: "z", Unblock: "w"}},
		Counts:  Counts{Hosts: 1, Waves: 14, Moves: 3, Blocked: 1},
		Bounds:  Bounds{WavesMin: 7, WavesRatio: 2, MovesMin: 2, MovesRatio: 1.5, MovesM1: 2, MovesM2: 3, MakespanS: 273600, MakespanMinS: 7200, MakespanRatio: 38},
	}
}

// TestTableTellsPriceAndBounds: how far from each bound, and what care costs.
func TestTableTellsPriceAndBounds(t *testing.T) {
	p, quick := measured(), measured()
	quick.Profile, quick.Counts.Waves, quick.End = Bound, 3, quick.Start.Add(2*time.Hour)
	for _, c := range []struct {
		name string
		p    Plan
		o    TableOptions
		want []string
	}{
		{"compared", p, TableOptions{AsBound: &quick}, []string{
			"waves 14, at least 7 (2.00 x); moves 3, at least 2 (1.50 x)", "must leave: 2 (1.50 x); to M2, which adds the first wave's: 3 (1.00 x)",
			"time 3 d 4 h, at least 2 h by links, concurrency and windows (38.00 x)",
			"careful: 14 waves in 3 d 4 h; with all that capacity allows (bound): 3 waves in 2 h", "next: the same command with --out"}},
		{"too big to compare", p, TableOptions{NoPrice: "not reckoned"}, []string{"careful: 14 waves in 3 d 4 h; not reckoned"}},
		{"bound", quick, TableOptions{Path: "p.json"}, []string{"profile    bound", "next: to carry it out, plan without --profile bound"}},
	} {
		var out bytes.Buffer
		if err := Table(&out, c.p, c.o); err != nil {
			t.Fatal(err)
		}
		for _, want := range c.want {
			if !strings.Contains(out.String(), want) {
				t.Errorf("%s: no %q in\n%s", c.name, want, out.String())
			}
		}
	}
}

func TestLasting(t *testing.T) {
	for seconds, want := range map[int64]string{0: "0 s", -1: "0 s", 59: "59 s", 60: "1 min", 3661: "1 h 1 min", 7205: "2 h", 86400: "1 d", 90000: "1 d 1 h", 86460: "1 d"} {
		if got := Lasting(seconds); got != want {
			t.Errorf("%d: got %s, want %s", seconds, got, want)
		}
	}
}

func TestSummarize(t *testing.T) {
	p := measured()
	want := Summary{Hosts: 3, Instances: 5, Turns: 1, Waves: 14, Moves: 3, MakespanSeconds: 273600, TenantsInterrupted: 1, InstancesInterrupted: 3, Blocked: 1,
		Toll:   Toll{Left: 1, Stops: 1, Tenants: 1, MostEach: 2, Again: 1, Moves: 3, EndS: 3600},
		Bounds: SummaryBounds{Waves: 7, MovesM1: 2, MovesM2: 3, MakespanSeconds: 7200}}
	if got := Summarize(p); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestWordsOnAPlanAreNoPartOfIt: a plan with a summary and causes reads, and has the digest that it had without.
func TestWordsOnAPlanAreNoPartOfIt(t *testing.T) {
	p := measured()
	p.Fleet, p.Digest = nil, ""
	p.Digest = Digest(p)
	s := Summarize(p)
	p.Summary, p.Causes = &s, []Cause{{Code: "no-room", Hosts: []string{"h"}, Changes: []Change{{Of: "policy", Field: "x", To: "y", Words: "z"}}}}
	var text bytes.Buffer
	if err := Write(&text, p); err != nil {
		t.Fatal(err)
	}
	back, err := Read(&text)
	if err != nil || back.Summary == nil || !reflect.DeepEqual(*back.Summary, s) || len(back.Causes) != 1 {
		t.Fatalf("%v, %+v", err, back)
	}
	p.Profile = Bound
	if Digest(p) == p.Digest {
		t.Error("the profile is no part of the digest: a plan to measure by could be passed off as a careful one")
	}
}
