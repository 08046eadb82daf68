package execution

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// Status is a campaign in brief, for people and for the API.
type Status struct {
	Campaign string       `json:"campaign"`
	Revision int          `json:"revision"`
	Public   string       `json:"public"`
	Phase    Phase        `json:"phase"`
	Why      string       `json:"why,omitempty"`
	Seq      int64        `json:"seq"`
	At       time.Time    `json:"at"`
	Done     int          `json:"done"`
	Turns    []TurnStatus `json:"turns"`
	Notices  NoticeCount  `json:"notices"`
	Overruns int          `json:"overruns"`
	// Cohorts lists those whose migrations are held.
	Cohorts []CohortHold `json:"cohorts,omitempty"`
	// NotBack lists instances that a turn stopped and that do not run again.
	NotBack []string `json:"not_back,omitempty"`
}

// NoticeCount sums the ledger up.
type NoticeCount struct {
	Asked    int `json:"asked"`
	Accepted int `json:"accepted"`
	GaveUp   int `json:"gave_up"`
}

// TurnStatus is one turn in brief.
type TurnStatus struct {
	Turn   string      `json:"turn"`
	Host   string      `json:"host"`
	Wave   int         `json:"wave"`
	Tactic plan.Tactic `json:"tactic"`
	// Deferred: the reboot that follows the host's live patch, which is a turn of its own.
	Deferred bool      `json:"deferred,omitempty"`
	Phase    TurnPhase `json:"phase"`
	Step     Step      `json:"step,omitempty"`
	Start    time.Time `json:"start"` // planned
	Begun    time.Time `json:"begun,omitzero"`
	Ended    time.Time `json:"ended,omitzero"`
	Acts     []Act     `json:"acts,omitempty"` // in flight
	Moved    int       `json:"moved"`
	Stopped  int       `json:"stopped"`
	Code     string    `json:"code,omitempty"`
	Why      string    `json:"why,omitempty"`
	Next     string    `json:"next,omitempty"`
	Waits    string    `json:"waits,omitempty"` // what a waiting turn waits for, or one that empties its host and has nothing in flight
}

// Act is one thing in flight.
type Act struct {
	Instance string `json:"instance"`
	Stage    Stage  `json:"stage"`
	To       string `json:"to,omitempty"`
	Attempt  int    `json:"attempt"`
}

// Status sums the state up as of now.
func (s *State) Status(now time.Time) Status {
	out := Status{Campaign: s.Campaign, Revision: s.Revision, Phase: s.Phase, Why: s.PhaseWhy, Seq: s.Seq, At: s.At, Overruns: len(s.overrun), Turns: []TurnStatus{}}
	if s.Plan == nil {
		return out
	}
	out.Public = s.Plan.Public
	front := map[string]bool{}
	for _, id := range s.front() {
		front[id] = true
	}
	for id := range s.aside {
		front[id] = true
	}
	out.Cohorts = s.cohortHolds()
	for _, id := range s.Order {
		t := s.Turns[id]
		ts := TurnStatus{Turn: id, Host: t.Plan.Host, Wave: t.Plan.Wave, Tactic: t.Plan.Tactic, Deferred: t.Plan.Deferred, Phase: t.Phase, Step: t.Step, Start: t.Plan.Start,
			Begun: t.Permitted, Ended: t.Ended}
		if t.Phase == TurnOnHold || t.Phase == TurnAbandoned {
			ts.Code, ts.Why, ts.Next = t.Code, t.Why, t.Next
		}
		if t.Phase == TurnFinished || t.reached() {
			out.Done++
			ts.Step = ""
		}
		for _, g := range t.sortedGuests() {
			switch g.Stage {
			case StageMoving, StageStopping, StageBacking, StageHoming:
				ts.Acts = append(ts.Acts, Act{g.ID, g.Stage, g.To, g.Attempt})
			case StageAway, StageHome:
				ts.Moved++
			case StageStopped:
				ts.Stopped++
				out.NotBack = append(out.NotBack, g.ID)
			case StageBack:
				ts.Stopped++
			}
		}
		if front[id] {
			ts.Waits = s.permit(t, now).why
		} else if t.Phase == TurnActive && t.Step == StepEmpty && !t.anyStage(StageMoving) {
			ts.Waits = s.wantsPlace(t, now)
		}
		out.Turns = append(out.Turns, ts)
	}
	for _, n := range s.Notices {
		out.Notices.Asked++
		switch {
		case !n.Accepted.IsZero():
			out.Notices.Accepted++
		case n.GaveUp:
			out.Notices.GaveUp++
		}
	}
	return out
}
