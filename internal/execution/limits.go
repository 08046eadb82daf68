package execution

import "time"

// How long and how often. Durations that belong to the operator are in plan.Policy; these guard the
// machine itself.
const (
	fresh     = 60 * time.Second // an older look starts nothing
	lookAfter = 30 * time.Second // a look this old is renewed while a turn needs it
	lookAgain = 3 * time.Second  // after a host did not answer
	ownLook   = 60 * time.Second // a controller that took over has so long for a look of its own before it names a trouble
	silentFor = 2 * time.Minute  // a host that has not answered for so long is not waited for, but by a turn with time to spare
	tooShort  = 2 * time.Minute  // a host that has been silent for less, and for a quarter of a reboot's time, is not down for good
	grace     = 15 * time.Second // a chore's answer may come this long after its deadline

	// looksToBelieve is how many looks in a row must miss an instance before it counts as gone: one
	// answer can be wrong, and what is believed gone is not looked after.
	looksToBelieve = 3
	// sureAfter is for how long a host must be said to have no control domain before that is believed: it
	// may have been switched off and on in between.
	sureAfter   = time.Minute
	awaitAnswer = 10 * time.Minute // that long a turn with time left in its slots waits for its host to answer
	unwellFor   = 2 * time.Minute  // that long a canary that has soaked is looked at again before a person is asked
	unprovenFor = 5 * time.Minute  // that long both ends of a move are read again before a person is asked

	bestToSee       = 8 // destinations looked at for one instance
	maxStepFailures = 3
	maxMoveFailures = 4
	maxBackFailures = 5
	maxReturns      = 12 // attempts to give a borrowed setting back before a person is told
	maxRefills      = 3  // times a host is emptied again because others filled it
	maxNoticeTries  = 20
)

// surelyNot are the codes of a failed reboot order that prove that it was not taken. The first three
// are the driver's.
var surelyNot = []string{"refused", "unsupported", "host-key", CodeRefilled}

// Notice kinds that execution asks for; the words are notice.Kind's.
const (
	NoticeScheduled = "scheduled"
	NoticeOverrun   = "overrun"
	NoticeFinished  = "finished"
	NoticeCancelled = "cancelled"
)

// Codes of holds, drops and failures that execution itself decides.
const (
	CodeOperator    = "operator"    // an operator said so
	CodeSlotMissed  = "slot-missed" // the promised slot is past, or too short by now
	CodeUndelivered = "notice-undelivered"
	CodeNotTold     = "not-told" // an instance on the host was promised nothing of this turn
	CodeRefilled    = "refilled" // somebody put an instance on the emptied host
	CodeNoPlace     = "no-place" // no destination that every rule allows
	CodeMoveFailed  = "move-failed"
	CodeStopFailed  = "stop-failed"
	CodeStepFailed  = "step-failed"
	CodeNotBack     = "host-not-back" // no answer after the reboot
	CodeSameBoot    = "not-rebooted"  // it answers with the boot id from before
	CodeOldVersion  = "old-version"   // it came back without the fix
	CodeUnhealthy   = "unhealthy"
	CodeOtherBoot   = "rebooted-meanwhile"    // it was rebooted by others while its software was changed in place
	CodeTransition  = "live-patch-transition" // some tasks still run the old code
	CodeNotPatched  = "live-patch-missing"    // its list does not say that the live patch is applied
	CodeUnfixed     = "unfixed-destination"
	CodeStillOld    = "still-affected" // an instance on it still runs unfixed software
	CodeNotReturned = "not-returned"   // a saved or stopped instance does not come back
	CodeUnsupported = "unsupported-tactic"
	CodeNoAnswer    = "no-answer" // neither an answer nor an error by the deadline
	CodeAborted     = "aborted"
	CodeSuperseded  = "superseded"        // a child campaign takes its place
	CodeForced      = "forced"            // a person closed the campaign as it was
	CodeReached     = "already-at-target" // a look shows that the turn is not needed any more
	CodeBudget      = "failure-budget"
	CodeBug         = "bug"
	CodeSplit       = "split-brain"
	CodeCannotJudge = "cannot-judge"
	// What a host that does not come back right came back as; see docs/decisions/0020.
	CodeOldHypervisor = "old-hypervisor" // another boot, and the hypervisor that runs is older than the wanted one
	CodeOldBuild      = "old-build"      // another boot, and by its build id the very hypervisor that ran before
	CodeNoDom0        = "no-dom0"        // it is on, its hypervisor runs or stopped, and no control domain came up (its console says so)
	CodeNoNetwork     = "no-network"     // its control domain came up (its console says so) and cannot be reached
	CodePowerOff      = "power-off"      // it is switched off

	CodeCanaryUnwell   = "canary-unwell"   // the canary was done and is not sound any more when it has soaked
	CodeMigrationsFail = "migrations-fail" // migrations towards hosts with the fix fail, one after the other
	CodeInstead        = "reboot-instead"  // its host's own reboot, in a later turn, brings what the live patch did not
	CodeUnproven       = "unknown-end"     // a move's ends could not be read for long
)
