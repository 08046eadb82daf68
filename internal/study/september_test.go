package study

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/advisory/parse"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

func xsa108(t testing.TB) []advisory.Advisory {
	t.Helper()
	const file = "../../examples/xsa-108.yaml"
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	as, mistakes := parse.Parse(file, src)
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	return as
}

// septembers are the two campaigns with three regions and two pools in each site.
func septembers() []September {
	return []September{Zonal2014().Tenth(), WholeFleet2014().Tenth()}
}

func replan(t testing.TB, s September, arm SeptemberArm) *Rebooting {
	t.Helper()
	o, err := s.Plan(arm, xsa108(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// TestSeptemberArms counts once more, from the fleet alone, what each arm should do to whom.
func TestSeptemberArms(t *testing.T) {
	for _, s := range septembers() {
		for _, arm := range SeptemberArms {
			o := replan(t, s, arm)
			f, err := s.Fleet(arm)
			if err != nil {
				t.Fatal(err)
			}
			affected, stopped, saved := map[string]bool{}, 0, 0
			for _, i := range f.Instances {
				if i.GuestType == "hvm" {
					affected[i.Host] = true
				}
			}
			for _, i := range f.Instances {
				switch {
				case !affected[i.Host]:
				case i.NoSuspend || len(arm.Tactics) == 1:
					stopped++
				default:
					saved++
				}
			}
			if s.HVMPools > 0 && len(affected)*s.Pools != s.AllHosts()*s.HVMPools || s.HVMPools == 0 && len(affected) != s.AllHosts() {
				t.Fatalf("%s: %d of %d hosts are affected", s.ID, len(affected), s.AllHosts())
			}
			sum := o.Table.Sum
			if o.Table.Affected() != len(affected) || len(o.Findings) > 0 || o.Table.End.After(s.FinishBy) {
				t.Errorf("%s, %s: %d hosts affected, want %d; ends %s; findings %v", s.ID, arm.Name, o.Table.Affected(), len(affected), o.Table.End, o.Findings)
			}
			if !slices.Contains(arm.Tactics, plan.Evacuate) {
				if sum.Reboots != len(affected) || sum.Stopped != stopped || sum.Saved != saved || sum.Blip > 0 || o.Table.Moves > 0 {
					t.Errorf("%s, %s: %+v, want %d reboots, %d stopped, %d saved and none moved", s.ID, arm.Name, sum, len(affected), stopped, saved)
				}
			} else if sum.Blip == 0 {
				t.Errorf("%s, %s: nobody moves", s.ID, arm.Name)
			}
			if arm.Rationed && sum.Reboots != len(affected) {
				t.Errorf("%s, %s: %d reboots of %d: %v", s.ID, arm.Name, sum.Reboots, len(affected), o.Table.Blocked)
			}
		}
	}
}

// TestSeptemberRules looks at the plans themselves, by other code than what fills the page.
func TestSeptemberRules(t *testing.T) {
	for _, s := range septembers() {
		o := replan(t, s, SeptemberArms[len(SeptemberArms)-1])
		if o.People.SameDay > 0 || o.People.GroupsAtOnce > 0 || o.People.AtOnceInSite > s.Pools*s.Hosts*s.MaxAwayPercent/100 {
			t.Errorf("%s: %+v", s.ID, o.People)
		}
		if o.People.LeastNotice < s.Lead || o.People.WorstCustomer < o.People.Longest || o.People.Interrupted >= o.People.Touched {
			t.Errorf("%s: %+v", s.ID, o.People)
		}
		stays := map[string]bool{}
		for _, h := range s.inPlace() {
			stays[h] = true
		}
		day := map[string]string{} // region and day -> site
		for _, turn := range o.Plan.Turns {
			key := turn.Site[:2] + turn.Start.Format(time.DateOnly)
			if other := day[key]; other != "" && other != turn.Site {
				t.Errorf("%s: %s and %s are worked on at %s", s.ID, other, turn.Site, key)
			}
			day[key] = turn.Site
			if stays[turn.Host] && turn.Tactic == plan.Evacuate {
				t.Errorf("%s: host %s is emptied, and its guests should stay", s.ID, turn.Host)
			}
			if turn.Start.Before(s.Now.Add(s.Lead)) && !turn.Canary {
				t.Errorf("%s: turn %s starts %s, before the notice allows", s.ID, turn.ID, turn.Start)
			}
		}
		if len(stays) == 0 || len(day) < s.Regions*s.Sites {
			t.Errorf("%s: %d hosts in place, %d days of regions: nothing was tested", s.ID, len(stays), len(day))
		}
	}
}

// TestPeople counts a plan of three turns that breaks each rule once.
func TestPeople(t *testing.T) {
	at := func(hour, minute int) time.Time { return time.Date(2014, 9, 26, hour, minute, 0, 0, time.UTC) }
	f := &fleet.Fleet{Sites: []fleet.Site{{ID: "a", Region: "r"}, {ID: "b", Region: "r"}},
		Instances: []fleet.Instance{{ID: "1", Tenant: "x", Group: "g"}, {ID: "2", Tenant: "x", Group: "g"}, {ID: "3", Tenant: "y"}, {ID: "4", Tenant: "z"}}}
	p := &plan.Plan{Made: at(0, 0)}
	for n, turn := range []struct {
		site  string
		start time.Time
		class plan.Class
	}{{"a", at(10, 0), plan.ClassOutage}, {"b", at(10, 30), plan.ClassOutage}, {"a", at(12, 0), plan.ClassBlip}} {
		id := string(rune('1' + n))
		p.Turns = append(p.Turns, plan.Turn{ID: id, Site: turn.site, Start: turn.start, WorstS: 3600})
		p.Slots = append(p.Slots, plan.Slot{Instance: id, Turn: id, Tenant: f.Instances[n].Tenant, Class: turn.class, Start: turn.start, ExpectedMs: 60000, WorstMs: 90000 + int64(n)})
	}
	want := People{Customers: 3, Touched: 2, Interrupted: 1, Longest: time.Minute, LongestAtWorst: 90*time.Second + time.Millisecond,
		WorstCustomer: 90 * time.Minute, LeastNotice: 10 * time.Hour, SameDay: 1, AtOnce: 2, AtOnceInSite: 1, GroupsAtOnce: 1}
	if got := people(f, p); got != want {
		t.Errorf("\n got %+v\nwant %+v", got, want)
	}
}

// TestSeptemberFleetIsSound: the drawn fleet is one that the fleet's own reader takes, and it has groups.
func TestSeptemberFleetIsSound(t *testing.T) {
	for _, s := range septembers() {
		f, err := s.Fleet(SeptemberArms[2])
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := fleet.WriteJSONL(&b, f); err != nil {
			t.Fatal(err)
		}
		if _, mistakes := fleet.ParseJSONL("drawn", &b); len(mistakes) > 0 {
			t.Errorf("%s: %v", s.ID, mistakes[:min(len(mistakes), 5)])
		}
		if want := s.Regions * s.Sites / 3 * s.Pools * (s.Hosts - 1); len(f.Groups) != want {
			t.Errorf("%s: %d groups, want %d", s.ID, len(f.Groups), want)
		}
	}
	s := Zonal2014()
	s.HVMPools = s.Pools + 1
	if _, err := s.Fleet(SeptemberArms[0]); err == nil {
		t.Error("a site with more pools of HVM guests than pools was drawn")
	}
}

// TestSeptemberPage is the same for the same seed, and says what it stands on.
func TestSeptemberPage(t *testing.T) {
	write := func(seed Seed) string {
		s := Zonal2014().Tenth()
		s.Seed = seed
		r := Replanned{September: s}
		for _, arm := range SeptemberArms {
			r.Arms = append(r.Arms, replan(t, s, arm))
		}
		var b bytes.Buffer
		if err := WriteSeptember(&b, []Replanned{r}); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	first := write(1)
	if write(1) != first {
		t.Error("the same seed wrote another page")
	}
	if strings.ReplaceAll(write(2), "| seed | 2 |", "| seed | 1 |") == first {
		t.Error("another seed wrote the same page")
	}
	for _, due := range []string{"| campaign, hours | 118 (D) |", "found 0 breaches", "| days with two sites of a region | none: never two zones of a region on a day (S) | 0 | 0 | 0 | 0 |"} {
		if !strings.Contains(first, due) {
			t.Errorf("the page lacks %q", due)
		}
	}
	if strings.Contains(first, "%!") {
		t.Error("a line of the page is badly formatted")
	}
}
