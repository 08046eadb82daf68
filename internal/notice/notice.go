// Package notice says what a tenant is told: which instances, when exactly,
// what kind of interruption, how long, what to do and whom to ask. It makes
// notices from a plan and writes them as mail texts.
//
// It never sends anything, never reads a clock and never decides when a notice
// is due (execution does). While disclosure lies ahead nothing that it writes
// names an advisory, a target or a campaign.
//
// Start reading at Notice, then Build (plan -> notice), Lint (may it be sent?)
// and Render (notice -> message).
package notice

import (
	"strconv"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Kind of a notice.
type Kind string

// The kinds.
const (
	Planned     Kind = "planned"     // times are known, not yet promised
	Scheduled   Kind = "scheduled"   // the promise
	Reminded    Kind = "reminded"    // the promise again
	Starting    Kind = "starting"    // the slot begins
	Finished    Kind = "finished"    // promised against actual
	Overrun     Kind = "overrun"     // a slot is past and the work is not over
	Rescheduled Kind = "rescheduled" // a new promise, beside the old one
	Cancelled   Kind = "cancelled"   // nothing will happen in the slot
)

// Notice is what one tenant is told at one moment. The same Notice always renders to the same
// message, so a notice that is sent again after a crash is the same mail.
type Notice struct {
	ID       string       `json:"id"` // never shown to tenants: it holds the campaign's id
	Kind     Kind         `json:"kind"`
	Campaign string       `json:"campaign"`
	Revision int          `json:"revision"`
	Tenant   fleet.Tenant `json:"tenant"` // Timezone is filled in: UTC when the fleet names none
	Items    []Item       `json:"items"`  // by start, instance, slot id
	// All: Items are all slots that this revision holds for the tenant.
	All bool `json:"all"`
	// Public names the work before disclosure, and after it too.
	Public string `json:"public"`
	// Disclosed: the advisories may be named from Disclosure on (zero: they are public already).
	Disclosed  bool      `json:"disclosed"`
	Disclosure time.Time `json:"disclosure,omitzero"`
	Advisories []string  `json:"advisories,omitempty"` // named only when Disclosed
	// Hidden are further words that must not be shown before disclosure: campaign and target.
	Hidden          []string `json:"hidden,omitempty"`
	OperatorContact string   `json:"operator_contact"`
	Reason          string   `json:"reason,omitempty"` // why it overran, moved or was cancelled; tenants read it
	// Key makes message ids unguessable: without it they could be searched for a campaign's name.
	Key string `json:"key"`
}

// Item is one promise in a notice.
type Item struct {
	Slot     plan.Slot  `json:"slot"`
	Instance string     `json:"instance"`
	Was      *plan.Slot `json:"was,omitempty"` // rescheduled: the promise before
	// Finished: the interruption that happened, somewhere between ActualFrom and ActualTo. ActualMs is
	// -1 when its length was not measured. ActualFrom is zero when there was no interruption, or none
	// is known (ActualMs -1).
	ActualFrom time.Time `json:"actual_from,omitzero"`
	ActualTo   time.Time `json:"actual_to,omitzero"`
	ActualMs   int64     `json:"actual_ms,omitempty"`
}

// ID is the stable id of a notice: CAMPAIGN/rN/KIND/TENANT.
func ID(campaign string, revision int, kind Kind, tenant string) string {
	return campaign + "/r" + strconv.Itoa(revision) + "/" + string(kind) + "/" + tenant
}

// DisclosedAt says whether the advisories may be named at a moment.
func (n Notice) DisclosedAt(now time.Time) bool {
	return n.Disclosed && !now.Before(n.Disclosure)
}
