package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/driver/simulated"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/store"
)

// judge holds both journals to the laws, and both to the world's own record.
func (x *heirs) judge(res *Succession) {
	read := func(id string) (facts []execution.Fact) {
		err := x.journal.Read(context.Background(), id, 0, func(f execution.Fact) error { facts = append(facts, f); return nil })
		if err != nil && !errors.Is(err, store.ErrNoCampaign) {
			panic(err)
		}
		return facts
	}
	res.Parent, res.Child, res.Crashes = read("drill"), read("child"), x.crashes
	res.Childless = len(res.Child) == 0
	wrong := func(format string, args ...any) { res.Wrong = append(res.Wrong, fmt.Sprintf(format, args...)) }
	var ended time.Time
	told, heard, lists := 0, 0, map[string]bool{}
	allowed := map[string]int{} // reboots by host
	var journals [][]audit.Fact
	for _, facts := range [][]execution.Fact{res.Parent, res.Child} {
		if len(facts) == 0 {
			continue
		}
		var read []audit.Fact
		if err := audit.ReadFacts(lines(facts), func(f *audit.Fact) { read = append(read, *f) }); err != nil {
			wrong("the auditor cannot read the journal: %v", err)
		}
		journals = append(journals, read)
		if last := facts[len(facts)-1]; last.Kind != execution.CampaignFinished {
			wrong("campaign %s did not end: its last fact is %s", facts[0].Campaign, last.Kind)
		}
		for _, f := range facts {
			child := f.Campaign == "child"
			switch f.Kind {
			case execution.CampaignFinished:
				if !child {
					ended = f.At
				}
			case execution.CampaignAborted:
				if f.Code == execution.CodeSuperseded {
					told++
				}
			case execution.ParentEnded:
				heard++
				res.Kept = -len(f.Slots)
				for i := range x.child.Slots {
					if !x.child.Slots[i].Told.IsZero() {
						res.Kept++
					}
				}
			case execution.Inherited:
				res.Inherited++
			case execution.TurnPermitted, execution.TurnReleased:
				allowed[f.Host]++
				if child && (ended.IsZero() || f.At.Before(ended)) {
					wrong("the child's turn of %s begins at %s, its parent ends at %s", f.Host, f.At, ended)
				}
			case execution.TurnDropped:
				if child && f.Code == execution.CodeReached {
					res.Skipped++
				}
			case execution.NotReturned:
				lists[f.Instance] = true
			case execution.TurnHeld:
				if f.Code == execution.CodeNotReturned {
					for _, in := range x.fleet.Instances {
						if strings.Contains(f.Why, in.ID) {
							lists[in.ID] = true
						}
					}
				}
			}
		}
	}
	res.Findings = append(res.Findings, audit.Journals(journals...).Findings...)
	if !res.Childless && (heard != 1 || told > 1) {
		wrong("the parent was told to end %d times, the child of its end %d times", told, heard)
	}
	x.atLast(res, lists, allowed)
	res.Wrong = append(res.Wrong, untrue(x.real, x.plan, res.Parent, x.world.Log())...)
	if x.child != nil {
		res.Wrong = append(res.Wrong, untrue(x.real, x.child, res.Child, x.world.Log())...)
	}
}

// atLast compares with what the world says: nobody lost by us, nobody twice, no host rebooted oftener
// than its turns and retries allow.
func (x *heirs) atLast(res *Succession, lists map[string]bool, allowed map[string]int) {
	boots, told, others := map[string]int{}, map[string]bool{}, map[string]bool{}
	for _, r := range x.world.Log() {
		switch {
		case r.Kind == simulated.OthersActed, r.Kind == simulated.Ceases && r.Why == "removed":
			others[r.Instance] = true
		case r.Kind == simulated.HostTold:
			told[r.Host] = true
		case r.Kind == simulated.HostBooted && told[r.Host]:
			boots[r.Host]++
			told[r.Host] = false
		case r.Kind == simulated.Killed && strings.Contains(r.Why, "went down: reboot") && !others[r.Instance]:
			res.Wrong = append(res.Wrong, "our reboot of "+r.Host+" killed "+r.Instance)
		}
	}
	for h, n := range boots {
		if n > allowed[h] {
			res.Wrong = append(res.Wrong, fmt.Sprintf("%s was rebooted %d times, its turns and retries allow %d", h, n, allowed[h]))
		}
	}
	hits, killed := x.world.Hits(), x.world.Killed()
	if twice := x.world.DoubleRun(); len(twice) > 0 && hits[simulated.FinishHangs]+hits[simulated.FinishServiceOff] == 0 {
		res.Wrong = append(res.Wrong, "an instance ran in two places: "+strings.Join(twice, " "))
	}
	for _, in := range x.fleet.Instances {
		if in.State == fleet.Stopped || others[in.ID] || lists[in.ID] || slices.Contains(killed, in.ID) {
			continue
		}
		if len(x.world.RunningOn(in.ID)) == 0 {
			res.Wrong = append(res.Wrong, in.ID+" ran before, does not run, and stands on no list")
		}
	}
}
