package study

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Table counts what each tactic did. Each host is in one row, and each instance in the row of the host that
// it was on when the plan was made, under the worst that happens to it: so the rows add up to the fleet.
type Table struct {
	Rows    []Row // in the order of rowOrder; rows without hosts are there
	Sum     Row
	Blocked []Reason // hosts by the reason why nothing can be done, the most frequent first
	Stuck   []Reason // instances that are saved or stopped by the reason why they do not move, likewise
	Waves   int
	Moves   int // live migrations; an instance that moves twice counts twice
	Start   time.Time
	End     time.Time // at worst
	// PatchesOver is when the last live patch is over at worst; zero: there is none.
	PatchesOver time.Time
	// FixedByFirst are the hosts that needed the fix and have it, at worst, when the first advisory
	// becomes public.
	FixedByFirst int
}

// Row is one tactic.
type Row struct {
	Name      string
	Hosts     int
	Reboots   int // of hosts
	Untouched int // instances
	Blip      int // live-migrated
	Saved     int // saved and restored
	Stopped   int
}

// Instances of a row.
func (r Row) Instances() int { return r.Untouched + r.Blip + r.Saved + r.Stopped }

// Affected are the hosts that needed the fix.
func (t *Table) Affected() int { return t.Sum.Hosts - t.Row(noNeed).Hosts }

// Row gives the row of a name.
func (t *Table) Row(name string) *Row {
	for n := range t.Rows {
		if t.Rows[n].Name == name {
			return &t.Rows[n]
		}
	}
	return &Row{Name: name}
}

// Reason is a code and how many it holds back.
type Reason struct {
	Code  string
	Count int
}

// Rows beside the tactics.
const (
	noNeed  = "no need"
	blocked = "blocked"
)

var rowOrder = []string{string(plan.LivePatch), string(plan.Evacuate), string(plan.Suspend), string(plan.Reboot), blocked, noNeed}

// fold counts a plan. held are hosts that had their live patch when it was made.
func fold(f *fleet.Fleet, p *plan.Plan, held map[string]bool) (Table, error) {
	t := Table{Waves: p.Counts.Waves, Moves: len(p.Moves), Start: p.Start, End: p.End}
	for _, name := range rowOrder {
		t.Rows = append(t.Rows, Row{Name: name})
	}
	of, err := t.hosts(f, p, held)
	if err != nil {
		return t, err
	}
	ix, stuck := fleet.NewIndex(f), map[string]int{}
	worst := map[string]plan.Disposition{}
	for _, s := range p.Slots {
		if graver(s.Disposition, worst[s.Instance]) {
			worst[s.Instance] = s.Disposition
		}
	}
	for n := range f.Instances {
		i := &f.Instances[n]
		r := t.Row(of[i.Host])
		switch worst[i.ID] {
		case plan.DispLiveMigrate:
			r.Blip++
		case plan.DispStatefulStop:
			r.Saved++
			stuck[whyStuck(ix, i)]++
		case plan.DispStop:
			r.Stopped++
			stuck[whyStuck(ix, i)]++
		default:
			r.Untouched++
		}
	}
	t.Stuck = counted(stuck)
	t.sum()
	if t.Sum.Hosts != len(f.Hosts) || t.Sum.Instances() != len(f.Instances) {
		return t, fmt.Errorf("the rows add up to %d hosts and %d instances, the fleet has %d and %d: the plan leaves some out, or has a tactic without a row (%v)",
			t.Sum.Hosts, t.Sum.Instances(), len(f.Hosts), len(f.Instances), rowOrder)
	}
	return t, nil
}

// whyStuck is why an instance is saved or stopped and not moved: what binds it to its host, wherever it
// would go, or else that no other host had room for it when its turn came.
func whyStuck(ix *fleet.Index, i *fleet.Instance) string {
	h := ix.Hosts[i.Host]
	if r := fleet.CanMove(ix, i, h, h); r != nil {
		return r.Code
	}
	return fleet.NoRoom
}

// hosts puts each host in its row and gives the row's name by host.
func (t *Table) hosts(f *fleet.Fleet, p *plan.Plan, held map[string]bool) (map[string]string, error) {
	of := map[string]string{}
	for _, k := range p.Skipped {
		of[k.Host] = noNeed
	}
	codes := map[string]int{}
	for _, b := range p.Blocked {
		if b.Instance == "" {
			of[b.Host] = blocked
			codes[b.Code]++
		}
	}
	for _, turn := range p.Turns {
		of[turn.Host] = string(turn.Tactic)
		if turn.Tactic == plan.LivePatch {
			if end := turn.WorstEnd(); end.After(t.PatchesOver) {
				t.PatchesOver = end
			}
		}
	}
	for n := range f.Hosts {
		id := f.Hosts[n].ID
		if held[id] {
			if of[id] != noNeed {
				return nil, fmt.Errorf("host %s has its live patch and is planned as %q: the plan does not know that it is fixed", id, of[id])
			}
			of[id] = string(plan.LivePatch)
		}
		r := t.Row(of[id])
		r.Hosts++
		if slices.Contains([]string{string(plan.Evacuate), string(plan.Suspend), string(plan.Reboot)}, r.Name) {
			r.Reboots++
		}
	}
	t.Blocked = counted(codes)
	return of, nil
}

// graver orders what happens to an instance.
func graver(a, b plan.Disposition) bool {
	order := []plan.Disposition{"", plan.DispNone, plan.DispLiveMigrate, plan.DispStatefulStop, plan.DispStop}
	return slices.Index(order, a) > slices.Index(order, b)
}

func (t *Table) sum() {
	t.Sum = Row{Name: "fleet"}
	for _, r := range t.Rows {
		t.Sum.Hosts += r.Hosts
		t.Sum.Reboots += r.Reboots
		t.Sum.Untouched += r.Untouched
		t.Sum.Blip += r.Blip
		t.Sum.Saved += r.Saved
		t.Sum.Stopped += r.Stopped
	}
}

// counted sorts codes, the most frequent first.
func counted(codes map[string]int) (out []Reason) {
	for code, n := range codes {
		out = append(out, Reason{code, n})
	}
	slices.SortFunc(out, func(a, b Reason) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Code, b.Code)) })
	return out
}
