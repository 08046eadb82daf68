// Package planner proposes plans: which host is maintained when and by which
// tactic, where its instances go meanwhile, and what is promised to whom.
//
// It reads no clock and no file, and the same input gives the same plan to the
// byte. It changes nothing of its input; advisory says who is affected, audit
// judges the plan by other code, execution carries it out. It never refuses a
// fleet for one host's sake: what cannot be done is blocked, with the reason and
// with what would allow it.
//
// How it works. First each host is classified (classify.go): skipped, blocked,
// or due for a turn, with the instances that cannot move alive told apart. Then
// time is swept (sweep.go): the earliest instant at which some due host may
// start, by windows and lead times, opens a wave; hosts enter it one after the
// other, as long as every rule holds with those already in it; the next wave
// opens after the worst case of this one. So waves never overlap, and only turns
// of one wave have to be weighed against each other. There may be nearly as many waves as hosts, so hosts wait in
// lines of which all have the same start and the same in their way (lines.go), and a wave asks lines.
//
// Within a wave a host's instances go to hosts that are done first (shelf.go): to those with most room, or,
// where room is scarce and sizes differ, to the one that they fill best. Only when no done host can take one,
// it goes to the host whose own turn is furthest away, and moves once more then. So the first wave should be
// small: each wave after it can be larger, for what is done takes instances in. How small is reckoned ahead of
// each wave from the pool's memory alone (outlook.go): the fewest instances that have to move twice, if there
// are to be no more waves than there would be without that restraint.
//
// Hosts that give most room for each instance on them go first. Rules, times and odd sizes can make a plan
// need more waves than was reckoned; then it is drafted again (drafts.go): with the hosts in another order,
// without restraint, with restraint by the waves that were needed, with waves of hosts whose groups can spare all
// of them (colours.go). The draft by which people lose least
// (plan.Toll) is the plan. Where another order of the hosts is as good in all else, those on which most is exposed come
// first (risk.go). In the profile bound the plan is the one that leaves fewest without a turn, then stops fewest, then
// has the fewest waves, then moves, then the least time; and the migrations of each of its waves are booked anew when
// all of them are known (rebook.go). What a small fleet comes to may hang
// on one host: where its best draft is above the lower bounds, many orders and waves of its hosts are tried in a
// sketch of it first, and the best of those is drafted (rehearse.go). A host that cannot be emptied
// even when it is alone is planned again with leave to save or stop what does not fit, if policy allows that,
// and is blocked otherwise. What is saved together may take as long as it needs (saveMax), if a slot holds that;
// else the largest are stopped, where they may be.
// Where hosts would be too late for a deadline, some are served in place, if policy allows that (hurry.go).
//
// A refresh (refresh.go) needs no reboot: all its hosts get the new software on disk ahead of the
// first wave, so each of them is a place to stay and each instance moves once.
//
// A live patch (mixed.go) takes nobody away: a host gets one where those for its build fix all that the
// target fixes, and another tactic otherwise. Where the cohort has a reboot follow (deferred.go), time is
// swept a second time, after all else, for those reboots alone.
//
// Start reading at Propose, then drafts.go, sweep.go, fill.go and attempt.go.
package planner

import (
	"errors"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Input is all that a plan depends on.
type Input struct {
	Fleet      *fleet.Fleet
	Target     *plan.Target        // nil: a routine cycle that reboots each host
	Assessment advisory.Assessment // of Fleet by Target; not read in a routine cycle
	Policy     plan.Policy
	Campaign   string
	Now        time.Time
	Revision   int    // 1 for the first plan of a campaign
	Parent     int    // the revision that this one replaces; 0: none
	Supersedes string // the campaign whose place this one takes; empty: none
	// Promised are the promises that the superseded campaign's tenants were told of, each with when (Slot.Told). What the
	// plan promises just so is not told again, and its lead time is over when theirs is.
	Promised []plan.Slot
	// Underway are the hosts whose turns the superseded campaign has begun and goes on with to their end. They get
	// none here.
	Underway map[string]bool
	// Profile is written into the plan: bound where Policy is one of plan.ToBound; empty: careful.
	Profile plan.Profile
}

// Propose makes a plan. An error means that the input itself is broken (a reference that leads
// nowhere, a window that cannot be read); what merely cannot be done is in Plan.Blocked.
func Propose(in Input) (plan.Plan, error) {
	if err := whole(in); err != nil {
		return plan.Plan{}, err
	}
	w, o, err := best(in)
	if err != nil {
		return plan.Plan{}, err
	}
	return w.finish(o)
}

// whole: there is all that a plan can be made from, and no reference leads nowhere.
func whole(in Input) error {
	if in.Fleet == nil {
		return errors.New("no fleet to plan for")
	}
	return sound(in)
}
