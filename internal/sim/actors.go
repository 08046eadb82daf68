package sim

import (
	"bytes"
	"context"
	"encoding/json"
	"hash/fnv"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver/simulated"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/notice"
	"github.com/evenkeel/evenkeel/internal/notify"
)

// actors are those beside the controller and the world: whatever kills the controller, and the
// operators.
func (x *drill) actors() {
	x.Go("fate", func(ctx context.Context) {
		for x.Wait(ctx, time.Duration(30+x.r.IntN(60))*time.Second) == nil {
			if x.finished() {
				return
			}
			if x.Now().Before(x.quiet) && x.r.Float64() < x.troubles.Crash {
				x.crash(ctx)
			}
		}
	})
	x.Go("operator", func(ctx context.Context) {
		for x.Wait(ctx, time.Minute) == nil {
			if x.finished() {
				return
			}
			if x.Now().Before(x.quiet) {
				x.meddle()
				x.mayRelease()
			} else {
				x.settle()
			}
		}
	})
}

// crash kills the controller with all its chores, as kill -9 does, and starts another one later.
func (x *drill) crash(ctx context.Context) {
	x.crashes++
	x.Kill(x.pump)
	for _, p := range x.chores {
		x.Kill(p)
	}
	x.chores, x.state, x.order = nil, nil, nil
	_ = x.Wait(ctx, time.Duration(x.r.IntN(60_000))*time.Millisecond)
	x.startController()
}

// meddle lets an operator do something, sensible or not.
func (x *drill) meddle() {
	if x.state == nil {
		return
	}
	if u := x.r.Float64(); u >= x.troubles.Operator {
		if x.troubles.Operator > 0 && u > 0.7 { // whoever has aborted has little patience
			x.closeAborted()
		}
		return
	}
	var phase execution.Phase
	var held, open []*execution.TurnState
	x.state(func(s *execution.State) {
		phase = s.Phase
		for _, id := range s.Order {
			switch t := s.Turns[id]; t.Phase {
			case execution.TurnOnHold:
				if why, _ := s.MayRelease(t); why == "" {
					held = append(held, t)
				}
			case execution.TurnWaiting, execution.TurnPreparing, execution.TurnActive:
				open = append(open, t)
			}
		}
	})
	switch n := x.r.IntN(20); {
	case phase == execution.PhasePaused || phase == execution.PhaseHalted:
		x.tell(execution.CampaignResumed, "", "")
	case phase != execution.PhaseRunning:
	case len(held) > 0 && n < 10:
		t := held[x.r.IntN(len(held))]
		x.tell(execution.TurnReleased, t.Plan.ID, t.Plan.Host)
	case n == 19:
		x.tell(execution.CampaignAborted, "", "")
	case n > 14 && len(open) > 0:
		t := open[x.r.IntN(len(open))]
		x.tell(execution.TurnHeld, t.Plan.ID, t.Plan.Host)
	default:
		x.tell(execution.CampaignPaused, "", "")
	}
}

// closeAborted has an operator close a campaign that was told to end, as it is.
func (x *drill) closeAborted() {
	aborted := false
	x.state(func(s *execution.State) { aborted = s.Phase == execution.PhaseAborted })
	if aborted {
		x.tell(execution.CampaignForced, "", "")
	}
}

func (x *drill) tell(k execution.Kind, turn, host string) {
	f := execution.Fact{Kind: k, Turn: turn, Host: host}
	if k == execution.TurnHeld {
		f.Code, f.Next = execution.CodeOperator, "retry"
	}
	x.record(f)
}

func (x *drill) record(f execution.Fact) {
	f.Who, f.Why = "operator:drill", "drill"
	if err := x.order(f); err != nil {
		panic("an order was not recorded: " + err.Error())
	}
}

// mayRelease has an operator go on, after some twenty minutes, with what is held because migrations fail.
func (x *drill) mayRelease() {
	held := false
	if x.state != nil {
		x.state(func(s *execution.State) { held = s.Phase == execution.PhaseRunning && len(s.HeldCohorts()) > 0 })
	}
	if held && x.r.IntN(20) == 0 {
		x.release()
	}
}

// release lets an operator go on with one of the cohorts whose migrations are held, and says whether
// there was one.
func (x *drill) release() bool {
	var held []string
	x.state(func(s *execution.State) { held = slices.Sorted(maps.Keys(s.HeldCohorts())) })
	if len(held) > 0 {
		x.record(execution.Fact{Kind: execution.CohortReleased, Cohort: held[0]})
	}
	return len(held) > 0
}

// settle ends a run: hosts are repaired, nothing new breaks, held turns are retried; at last the
// campaign is aborted.
func (x *drill) settle() {
	x.world.SetFaults(simulated.Faults{})
	x.troubles = Troubles{}
	for _, h := range x.fleet.Hosts {
		x.world.Mend(h.ID)
	}
	if x.state == nil || x.Now().Minute()%10 != 0 {
		return
	}
	var phase execution.Phase
	var held []*execution.TurnState
	x.state(func(s *execution.State) {
		phase = s.Phase
		for _, id := range s.Active() {
			if t := s.Turns[id]; t.Phase == execution.TurnOnHold {
				if why, _ := s.MayRelease(t); why == "" {
					held = append(held, t)
				}
			}
		}
	})
	switch {
	case phase == execution.PhaseFinished || phase == execution.PhaseAborted:
	case x.Now().After(x.quiet.Add(2 * time.Hour)):
		x.tell(execution.CampaignAborted, "", "")
	case phase != execution.PhaseRunning:
		x.tell(execution.CampaignResumed, "", "")
	case x.release():
	case len(held) > 0:
		x.tell(execution.TurnReleased, held[0].Plan.ID, held[0].Plan.Host)
	}
}

// mailServer takes mails, refuses some for now and some addresses for good.
type mailServer struct{ x *drill }

// Send implements notify.Channel.
func (m *mailServer) Send(ctx context.Context, to string, _ notice.Message) (notify.Receipt, error) {
	if err := m.x.Wait(ctx, time.Duration(20+m.x.r.IntN(2000))*time.Millisecond); err != nil {
		return notify.Receipt{}, &notify.Error{Code: notify.Deadline, Why: "no answer", Retry: true}
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(to))
	switch {
	case float64(h.Sum32()%1000)/1000 < m.x.troubles.Bounce:
		return notify.Receipt{}, &notify.Error{Code: notify.Rejected, Why: "550 no such user"}
	case m.x.r.Float64() < m.x.troubles.Mail:
		return notify.Receipt{}, &notify.Error{Code: notify.Temporary, Why: "451 not now", Retry: true}
	}
	return notify.Receipt{Accepted: true, Server: "mail", Detail: "250 taken"}, nil
}

func lines(facts []execution.Fact) io.Reader {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for _, f := range facts {
		if err := enc.Encode(f); err != nil {
			panic(err)
		}
	}
	return &b
}

// against holds the product to the world's own record: no instance lost by an act of ours, none in
// two places but by a hypervisor that froze, no host rebooted oftener than it was allowed to, and
// what is called done is done.
func (x *drill) against(res *Result) (wrong []string) {
	byOthers, removed := map[string]bool{}, map[string]bool{}
	orders, boots := map[string]int{}, map[string]int{}
	told := map[string]bool{}
	for _, r := range res.Log {
		switch r.Kind {
		case simulated.OthersActed:
			byOthers[r.Instance] = true
		case simulated.Ceases:
			if r.Why == "removed" {
				removed[r.Instance] = true
			}
		case simulated.HostTold:
			orders[r.Host]++
			told[r.Host] = true
		case simulated.HostBooted:
			if told[r.Host] {
				boots[r.Host]++
				told[r.Host] = false
			}
		case simulated.Killed:
			if strings.Contains(r.Why, "went down: reboot") && !byOthers[r.Instance] {
				wrong = append(wrong, r.At.Format(time.RFC3339)+": our reboot of "+r.Host+" killed "+r.Instance)
			}
		}
	}
	released, listed := map[string]int{}, []string(nil)
	s, _ := execution.Fold(res.Facts)
	for _, f := range res.Facts {
		switch f.Kind {
		case execution.TurnReleased:
			released[f.Host]++
		case execution.NotReturned:
			listed = append(listed, f.Instance)
		}
	}
	for h, n := range boots {
		if n > 1+released[h] {
			wrong = append(wrong, h+" was rebooted more often than its turn and its retries allow")
		}
	}
	if res.World.DoubleRun > 0 && res.Hits[simulated.FinishHangs]+res.Hits[simulated.FinishServiceOff] == 0 {
		wrong = append(wrong, "an instance ran in two places: "+strings.Join(x.world.DoubleRun(), " "))
	}
	killed := x.world.Killed()
	notBack := append(listed, s.Status(x.Now()).NotBack...)
	for _, in := range x.fleet.Instances {
		if in.State == "stopped" || removed[in.ID] || byOthers[in.ID] || slices.Contains(killed, in.ID) || slices.Contains(notBack, in.ID) {
			continue
		}
		if on := x.world.RunningOn(in.ID); len(on) == 0 {
			wrong = append(wrong, in.ID+" ran before, does not run, and stands on no list")
		}
	}
	wrong = append(wrong, append(x.notDone(res, s), x.notInPlace(res, s)...)...)
	return append(wrong, untrue(x.real, x.plan, res.Facts, res.Log)...)
}

// notDone finds turns that the journal calls done and the world does not. What Xen hosts really run,
// truth.go knows.
func (x *drill) notDone(res *Result, s *execution.State) (wrong []string) {
	booted := map[string]map[string]string{}
	for _, r := range res.Log {
		if r.Kind == simulated.HostBooted {
			booted[r.Host] = r.Booted
		}
	}
	for _, id := range s.Order {
		t := s.Turns[id]
		if t.Phase != execution.TurnFinished || inPlace(t.Plan.Tactic) || resets(res.Log, t.Plan.Host) {
			continue
		}
		for pkg, want := range x.target.Cohorts[0].Packages {
			if have := booted[t.Plan.Host][pkg]; have != want {
				wrong = append(wrong, t.Plan.Host+" is called done and booted "+pkg+" "+have)
			}
		}
	}
	return wrong
}
