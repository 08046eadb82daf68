package unblock_test

import (
	"encoding/json"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
	"github.com/evenkeel/evenkeel/internal/unblock"
)

// frees judges by code of its own whether a changed plan frees a cause: nobody of it is blocked by its
// code, and nobody else is blocked who was not; wholly: nor does anything new block those of the cause.
func frees(before, after plan.Plan, c plan.Cause, f *fleet.Fleet) (freed, wholly bool) {
	was, on := map[string]string{}, map[string]string{}
	for _, b := range before.Blocked {
		was[b.Host+"/"+b.Instance] += " " + b.Code
	}
	for _, i := range f.Instances {
		on[i.ID] = i.Host
	}
	ours := map[string]bool{}
	for _, h := range c.Hosts {
		ours[h+"/"] = true
	}
	for _, i := range c.Instances {
		ours["/"+i], ours[on[i]+"/?"] = true, true
	}
	wholly = true
	for _, b := range after.Blocked {
		key := b.Host + "/" + b.Instance
		switch {
		case ours[key] && b.Code == c.Code && strings.Contains(was[key], b.Code):
			return false, false
		case strings.Contains(was[key]+" ", " "+b.Code+" "):
		case ours[key], ours[on[b.Instance]+"/"]:
			wholly = false
		case was[key] == "":
			return false, false
		}
	}
	return true, wholly
}

// TestChangesFree: the changes, read from what the plan says of them and made by other code, free those of
// their cause; without any one of them they do not. So do those of all causes together.
func TestChangesFree(t *testing.T) {
	t.Parallel()
	var together sums
	codes, none, sizes := map[string]int{}, map[string]int{}, map[int]int{}
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t, 7)
		p, err := planner.Propose(in)
		if err != nil {
			t.Fatal(err)
		}
		causes, all := unblock.Causes(in, p)
		covers(t, in, p, causes)
		together.take(t, in, causes, all)
		for _, c := range causes {
			sizes[len(c.Changes)]++
			if len(c.Changes) == 0 {
				none[c.Code]++
				if c.Code != "no-update-named" && c.Code != "verdict-unknown" {
					t.Log("none: ", c.Code, c.Why)
				}
				if c.Why == "" {
					t.Errorf("%s: neither changes nor a word why", c.Code)
				}
				continue
			}
			codes[c.Code]++
			chained(t, c.Changes)
			freed, wholly := tried(t, in, p, c, c.Changes)
			if !freed {
				t.Errorf("the changes do not free: %s", told(c))
			}
			for n := range c.Changes {
				less := append(append([]plan.Change{}, c.Changes[:n]...), c.Changes[n+1:]...)
				if still, all := tried(t, in, p, c, less); still && (all || !wholly) {
					t.Errorf("change %d can be spared (%t, with it %t): %s", n, all, wholly, told(c))
				}
			}
			if t.Failed() {
				t.Logf("blocked: %s", told(p.Blocked))
				q, _ := planner.Propose(edited(t, in, c.Changes))
				t.Logf("blocked then: %s", told(q.Blocked))
			}
		}
	})
	together.check(t)
	t.Logf("causes with changes by code: %v; by number of changes: %v; none: %v", codes, sizes, none)
	if len(codes) < 12 || sizes[2] == 0 {
		t.Errorf("the draws exercise too little: %v %v", codes, sizes)
	}
}

// chained: each change differs from what was there, and starts from what the one before it left of the field.
func chained(t rapid.TB, changes []plan.Change) {
	left := map[[3]string]string{}
	for _, c := range changes {
		field := [3]string{c.Of, c.ID, c.Field}
		if before, ok := left[field]; ok && c.From != "" && c.From != before || c.From == c.To {
			t.Errorf("starts from %q after %q: %s", c.From, before, told(changes))
		}
		left[field] = c.To
	}
}

func tried(t rapid.TB, in planner.Input, p plan.Plan, c plan.Cause, changes []plan.Change) (freed, wholly bool) {
	changed := edited(t, in, changes)
	q, err := planner.Propose(changed)
	if err != nil {
		t.Fatal(err)
	}
	return frees(p, q, c, in.Fleet)
}

// covers: each blocked host and instance is in a cause.
func covers(t rapid.TB, in planner.Input, p plan.Plan, causes []plan.Cause) {
	told := map[string]bool{}
	for _, c := range causes {
		for _, id := range c.Hosts {
			told["h"+id] = true
		}
		for _, id := range c.Instances {
			told["i"+id] = true
		}
	}
	for _, b := range p.Blocked {
		if b.Host != "" && !told["h"+b.Host] || b.Instance != "" && !told["i"+b.Instance] {
			t.Errorf("%s%s is blocked (%s) and in no cause", b.Host, b.Instance, b.Code)
		}
	}
}

func told(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
