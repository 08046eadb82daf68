package audit

import (
	"reflect"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// TestTollRecounted: a plan that states what it comes to for people rightly is clean, and each number that is
// another one is found, and only that.
func TestTollRecounted(t *testing.T) {
	said := func(change func(*plan.Toll)) []Finding {
		f, p := goodFleet(), goodPlan()
		s := plan.Summary{Toll: plan.TollOf(f, p)}
		change(&s.Toll)
		p.Summary = &s
		return Plan(f, p)
	}
	if found := said(func(*plan.Toll) {}); len(found) > 0 {
		show(t, found)
		t.Fatal("found fault with what is right")
	}
	fields := reflect.TypeFor[plan.Toll]()
	for i := range fields.NumField() {
		found := said(func(s *plan.Toll) {
			v := reflect.ValueOf(s).Elem().Field(i)
			v.SetInt(v.Int() + 1)
		})
		name, _, _ := strings.Cut(fields.Field(i).Tag.Get("json"), ",")
		if len(found) != 1 || found[0].Code != "toll" || !strings.Contains(found[0].What, " "+name+" ") {
			show(t, found)
			t.Errorf("%s: not found, or not by its name", name)
		}
	}
	if found := said(func(s *plan.Toll) { *s = plan.Toll{} }); len(found) > 0 {
		t.Error("a plan that says nothing of it is asked all the same")
	}
}

// TestWholeGroupRecounted: the groups of which one slot takes in all members, and who asks for that.
func TestWholeGroupRecounted(t *testing.T) {
	for _, c := range []struct {
		name   string
		groups []fleet.Group
		want   int
	}{
		{"both in one slot", []fleet.Group{{ID: "g", Members: []string{"a1", "b1"}}}, 1},
		{"it asks for it", []fleet.Group{{ID: "g", Members: []string{"a1", "b1"}, Together: true}}, 0},
		{"one in the slot of another night", []fleet.Group{{ID: "g", Members: []string{"a1", "c1"}}}, 0},
		{"one that is left alone", []fleet.Group{{ID: "g", Members: []string{"a1", "b1", "c1"}}}, 0},
		{"a group of one", []fleet.Group{{ID: "g", Members: []string{"a1"}}}, 0},
		{"two groups", []fleet.Group{{ID: "g", Members: []string{"a1", "b1"}}, {ID: "h", Members: []string{"a2", "own"}}}, 2},
	} {
		f, p := goodFleet(), goodPlan()
		f.Groups = c.groups
		for i := range f.Instances {
			f.Instances[i].Group = ""
		}
		if got, other := newDossier(f, p).recount().WholeGroups, plan.TollOf(f, p).WholeGroups; got != c.want || other != c.want {
			t.Errorf("%s: the auditor counts %d, the plan %d, it is %d", c.name, got, other, c.want)
		}
	}
}
