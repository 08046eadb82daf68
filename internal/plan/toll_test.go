package plan

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// stood is a plan of two hosts in two slots: h1 is emptied onto h2, h2 onto h1, and what cannot move is stopped.
func stood() (*fleet.Fleet, *Plan) {
	t0 := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	at := func(h int) time.Time { return t0.Add(time.Duration(h) * time.Hour) }
	f := &fleet.Fleet{
		Groups:    []fleet.Group{{ID: "g"}},
		Instances: []fleet.Instance{{ID: "a", Host: "h1", Tenant: "t", Group: "g"}, {ID: "b", Host: "h2", Tenant: "t", Group: "g"}, {ID: "c", Host: "h2", Tenant: "u"}, {ID: "off", Host: "h1", State: fleet.Stopped}},
	}
	p := &Plan{
		Made: t0, Target: &Target{},
		Turns: []Turn{{ID: "h1", Host: "h1", Start: at(1), End: at(2), WorstS: 7200}, {ID: "h2", Host: "h2", Start: at(4), End: at(5), WorstS: 7200}},
		Moves: []Move{{Instance: "a", From: "h1", To: "h2", Turn: "h1", Start: at(1), End: at(1)}, {Instance: "a", From: "h2", To: "h1", Turn: "h2", Start: at(4), End: at(4)},
			{Instance: "b", From: "h2", To: "h1", Turn: "h2", Start: at(4), End: at(4)}},
		Slots: []Slot{
			{Instance: "a", Tenant: "t", Turn: "h1", Class: ClassBlip, Start: at(1), End: at(4)}, {Instance: "a", Tenant: "t", Turn: "h2", Class: ClassBlip, Start: at(4), End: at(7)},
			{Instance: "b", Tenant: "t", Turn: "h2", Class: ClassBlip, Start: at(4), End: at(7)}, {Instance: "c", Tenant: "u", Turn: "h2", Class: ClassOutage, Start: at(4), End: at(7)}},
	}
	return f, p
}

// TestTollOf: each number, of a plan worked out by hand, and what it becomes by one change.
func TestTollOf(t *testing.T) {
	t0 := time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)
	// a and b are on a fixed host from 4 h on, c from 5 h on; a and b are both in the slot from 4 h to 7 h.
	base := Toll{TenantsStopped: 1, Stops: 1, Tenants: 2, MostEach: 2, Again: 1, WholeGroups: 1, ExposureS: (4 + 4 + 5) * 3600, Moves: 3, EndS: 6 * 3600}
	for _, c := range []struct {
		name   string
		change func(f *fleet.Fleet, p *Plan, want *Toll)
	}{
		{"as it is", func(f *fleet.Fleet, p *Plan, want *Toll) {}},
		{"a routine cycle", func(f *fleet.Fleet, p *Plan, want *Toll) { p.Target, want.ExposureS = nil, 0 }},
		{"a group that asks for it", func(f *fleet.Fleet, p *Plan, want *Toll) { f.Groups[0].Together, want.WholeGroups = true, 0 }},
		{"a group of one", func(f *fleet.Fleet, p *Plan, want *Toll) { f.Instances[1].Group, want.WholeGroups = "", 0 }},
		{"another slot", func(f *fleet.Fleet, p *Plan, want *Toll) {
			p.Slots[2].End, want.WholeGroups = t0.Add(8*time.Hour), 0
		}},
		{"past finish_by", func(f *fleet.Fleet, p *Plan, want *Toll) {
			p.Policy.FinishBy, want.LateS = t0.Add(5*time.Hour), 3600
		}},
		{"the target's finish_by", func(f *fleet.Fleet, p *Plan, want *Toll) {
			p.Policy.FinishBy, p.Target.FinishBy, want.LateS = t0.Add(5*time.Hour), t0.Add(4*time.Hour), 7200
		}},
		{"past disclosure", func(f *fleet.Fleet, p *Plan, want *Toll) {
			p.Target.Disclosure, want.LateS = t0.Add(5*time.Hour), 3600
		}},
		{"a reboot after disclosure", func(f *fleet.Fleet, p *Plan, want *Toll) {
			p.Target.Disclosure, p.Turns[1].Deferred = t0.Add(5*time.Hour), true
		}},
		{"a fix that waits for disclosure", func(f *fleet.Fleet, p *Plan, want *Toll) {
			p.Target.Disclosure, p.Target.EmbargoDeploy = t0.Add(time.Hour), "no"
		}},
		{"a host without a turn", func(f *fleet.Fleet, p *Plan, want *Toll) {
			f.Instances = append(f.Instances, fleet.Instance{ID: "d", Host: "h3"})
			p.Blocked = []Blocked{{Host: "h3"}}
			want.Left, want.ExposureS = 1, want.ExposureS+6*3600
		}},
		{"one on a host that needs none", func(f *fleet.Fleet, p *Plan, want *Toll) {
			f.Instances = append(f.Instances, fleet.Instance{ID: "d", Host: "h3"})
		}},
		{"one on its way home", func(f *fleet.Fleet, p *Plan, want *Toll) {
			p.Moves[1].Home, want.MostEach, want.Again = true, 3, 2
		}},
	} {
		f, p := stood()
		want := base
		c.change(f, p, &want)
		if got := TollOf(f, p); got != want {
			t.Errorf("%s:\ngot  %+v\nwant %+v", c.name, got, want)
		}
	}
}

// TestFirstScreenTellsExposure: with a target, and groups that are interrupted whole.
func TestFirstScreenTellsExposure(t *testing.T) {
	f, p := stood()
	p.Fleet, p.Counts.Hosts = f, 2
	told := func() string {
		var out bytes.Buffer
		if err := Table(&out, *p, TableOptions{}); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	for _, want := range []string{"exposed    13.0 VM-hours unfixed from now on", "1 group is interrupted whole in one slot: g\n"} {
		if text := told(); !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if s := Summarize(*p); s.ExposureVMHours != 13 || s.Toll != TollOf(f, p) {
		t.Errorf("summed up to %+v", s)
	}
	p.Target, f.Groups[0].Together = nil, true
	if text := told(); strings.Contains(text, "exposed ") || strings.Contains(text, "whole") {
		t.Errorf("a routine cycle exposes nobody, and the group asked for it:\n%s", text)
	}
}

// TestTollCompares: each number counts before all that follow it.
func TestTollCompares(t *testing.T) {
	list := []Toll{
		{}, {EndS: 9}, {Moves: 1}, {ExposureS: 1}, {WholeGroups: 1}, {Again: 1}, {MostEach: 1}, {Tenants: 1}, {Stops: 1}, {TenantsStopped: 1}, {LateS: 1}, {Left: 1},
	}
	for i := range list[1:] {
		worse := list[i+1]
		if i+2 < len(list) {
			worse.EndS += 5
		}
		if list[i].Compare(worse) >= 0 || worse.Compare(list[i]) <= 0 {
			t.Errorf("%+v is not better than %+v", list[i], worse)
		}
	}
}
