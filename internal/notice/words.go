package notice

import (
	"fmt"
	"strings"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// kindWords are the words of one kind of notice.
type kindWords struct {
	badge   string // first word of the subject
	heading string
	lead    string // %s: "2 of your instances" and what is done to them
	reason  string // what a reason is called
	promise bool   // the slot lies ahead or is under way, so the promise is explained
	prepare bool   // what to do is worth reading
}

// slotWords keep a reader from taking the slot for the interruption, or the other way round.
const slotWords = "A slot is the time inside which the interruption falls; how long the interruption itself is, expected and at worst, stands below it for each instance."

var kinds = map[Kind]kindWords{
	Planned: {badge: "Planned", heading: "Maintenance is planned", prepare: true, reason: "Reason",
		lead: "We plan maintenance that %s. The times below are those of the present plan. They are not promised yet: you will be told again when they are. " + slotWords},
	Scheduled: {badge: "Scheduled", heading: "Maintenance is scheduled", promise: true, prepare: true, reason: "Reason",
		lead: "We have scheduled maintenance that %s. " + slotWords},
	Reminded: {badge: "Reminder", heading: "Reminder of scheduled maintenance", promise: true, prepare: true, reason: "Reason",
		lead: "This is a reminder of scheduled maintenance that %s. The times are the ones that you were told before. " + slotWords},
	Starting: {badge: "Starting", heading: "Maintenance is starting", promise: true, prepare: true, reason: "Reason",
		lead: "Maintenance is starting that %s. " + slotWords},
	Finished: {badge: "Finished", heading: "Maintenance is finished", reason: "Remark",
		lead: "The maintenance of %s is finished. Below is what was promised and what happened. If anything is not as it was before, tell us: the contact is at the end."},
	Overrun: {badge: "Overrun", heading: "Maintenance takes longer than promised", reason: "Reason",
		lead: "The slot that we promised for %s is past, and the maintenance is not finished. We are working on it. You will be told when it is finished, with what was promised and what happened."},
	Rescheduled: {badge: "Rescheduled", heading: "Maintenance has been rescheduled", promise: true, prepare: true, reason: "Reason",
		lead: "We have rescheduled maintenance that %s. For each slot you find what it was and what it is now. Only the new times count. " + slotWords},
	Cancelled: {badge: "Cancelled", heading: "Maintenance is cancelled", reason: "Reason",
		lead: "The maintenance of %s is cancelled. Nothing will be done to them in the slots below. You need not do anything."},
}

// lead is the first paragraph: what this is about, how many instances, and how badly.
func lead(n Notice) string {
	worst := map[string]plan.Class{} // by instance
	for _, it := range n.Items {
		if c, seen := worst[it.Instance]; !seen || weight[it.Slot.Class] > weight[c] {
			worst[it.Instance] = it.Slot.Class
		}
	}
	many := fmt.Sprintf("%d of your instances", len(worst))
	if n.Kind == Finished || n.Kind == Overrun || n.Kind == Cancelled {
		return fmt.Sprintf(kinds[n.Kind].lead, many)
	}
	of := map[plan.Class]int{}
	for _, c := range worst {
		of[c]++
	}
	var felt []string
	if of[plan.ClassOutage] > 0 {
		felt = append(felt, fmt.Sprintf("%d by an outage", of[plan.ClassOutage]))
	}
	if of[plan.ClassBlip] > 0 {
		felt = append(felt, fmt.Sprintf("%d by a short pause", of[plan.ClassBlip]))
	}
	what := "interrupts " + many + ": " + strings.Join(felt, ", ")
	switch {
	case len(felt) == 0:
		what = "touches " + many + " without interrupting them"
	case of[plan.ClassNone] > 0:
		what = fmt.Sprintf("touches %s and interrupts %d of them: %s", many, len(worst)-of[plan.ClassNone], strings.Join(felt, ", "))
	}
	return fmt.Sprintf(kinds[n.Kind].lead, what)
}

var classWord = map[plan.Class]string{
	plan.ClassNone:   "none (no interruption)",
	plan.ClassBlip:   "blip (a short pause)",
	plan.ClassOutage: "outage",
}

var weight = map[plan.Class]int{plan.ClassNone: 0, plan.ClassBlip: 1, plan.ClassOutage: 2}

// happening explains, in a tenant's words, what is done to an instance.
type happening struct {
	Title string // after the class: "outage, memory kept"
	What  string
	// Uncounted is what the tenant may notice and what the times given do not include.
	Uncounted string
	Do        string
}

var dispositions = map[plan.Disposition]happening{
	plan.DispNone: {
		Title:     "nothing is stopped",
		What:      "The host is repaired while the instance runs. The instance is not paused, moved or restarted.",
		Uncounted: "Requests may be answered some milliseconds later than usual for a moment. That does not count as an interruption.",
		Do:        "Nothing.",
	},
	plan.DispLiveMigrate: {
		Title:     "moved while it runs",
		What:      "The instance is moved to another host while it runs. At the end of the move it pauses once and then goes on where it was, with its memory, disks and network addresses. It is not restarted.",
		Uncounted: "While its memory is copied, for some minutes before the pause, the instance may run a little slower. That does not count as the interruption; the pause does.",
		Do:        "Nothing, if a pause as long as the worst case is harmless. If your software would take it for a failure (cluster heartbeats, leases, short time-outs), move its work elsewhere before the slot begins or lengthen those times.",
	},
	plan.DispStatefulStop: {
		Title:     "memory kept",
		What:      "The instance is saved with all its memory, stands still while its host is maintained, and then goes on where it was. It does not answer meanwhile. It is not restarted.",
		Uncounted: "Connections that the other side gave up meanwhile, and slower answers in the first minutes after, do not count as the interruption; the time in which the instance stands still does.",
		Do:        "Expect connections to time out, and see to it that the clock inside is set by time synchronisation afterwards. Move work that cannot wait elsewhere before the slot begins.",
	},
	plan.DispStop: {
		Title:     "stopped and started again",
		What:      "The instance is shut down, is off while its host is maintained, and is then started again. Its disks and network addresses are kept; what is only in its memory is lost.",
		Uncounted: "The time that your operating system and your applications take to be ready, once the instance has been started, does not count as the interruption; the time in which the instance is off does.",
		Do:        "Before the slot begins, save your work and shut applications down cleanly, or move their work elsewhere. See to it that all you need starts by itself when the instance starts.",
	},
}

// promiseWords say what a promise is worth.
var promiseWords = []string{
	"Nothing that interrupts these instances is done outside their slot.",
	"If it is not over by the end of the slot, you are told within five minutes.",
	"If a time has to change, you get a notice first, with the old time and the new one.",
	"When it is over, you are told what was promised and what happened, in numbers.",
}
