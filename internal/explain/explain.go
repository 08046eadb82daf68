// Package explain says of one host or one instance of a plan why it is where it is, and which rule or
// bound decided: whether it needs a turn, by which tactic and why by none that disturbs less, what keeps
// the turn from each earlier wave, where instances go and why there.
//
// It decides nothing and reads no clock: it replays a finished plan over the fleet that the plan was made
// from, and asks at each wave which rule would break if one turn stood there and all else went as planned.
// So it explains a plan from a file as well as one just made, and plans of whatever made them.
//
// A reason that names a law says that the turn would break that law there. A reason without one (Law 0) is
// the planner's practice: nothing unsafe, but not how it plans. Start reading at Of, then scene.go (the
// replay), earlier.go (what keeps a turn from a wave) and choice.go (what chose a destination).
package explain

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// SchemaV1 is the value of the JSON form's `evenkeel` key.
const SchemaV1 = "explain/v1"

// Answer is what there is to say of one id. Host and instance are both set where both bear it.
type Answer struct {
	Evenkeel string    `json:"evenkeel"`
	Campaign string    `json:"campaign"`
	Revision int       `json:"revision"`
	ID       string    `json:"id"`
	Host     *Host     `json:"host,omitempty"`
	Instance *Instance `json:"instance,omitempty"`
	Notes    []string  `json:"notes,omitempty"` // what the answer could not take into account
}

// Reason is one rule or bound, with its numbers.
type Reason struct {
	Code string `json:"code"`
	// Law is the number of the law that would be broken; 0: none, it is the planner's practice.
	Law      int       `json:"law,omitempty"`
	Why      string    `json:"why"`
	Host     string    `json:"host,omitempty"`
	Instance string    `json:"instance,omitempty"`
	Group    string    `json:"group,omitempty"`
	Pool     string    `json:"pool,omitempty"`
	Site     string    `json:"site,omitempty"`
	Need     int64     `json:"need,omitempty"` // MiB, hosts, members or seconds, as Why says
	Have     int64     `json:"have,omitempty"` // what there is of it, or how much is allowed
	At       time.Time `json:"at,omitzero"`    // the instant that the reason turns on
}

// Host is the answer for a host.
type Host struct {
	ID   string `json:"id"`
	Pool string `json:"pool"`
	Site string `json:"site"`
	Need Reason `json:"need"` // whether it needs a turn, and by what verdict
	// Exposed says what is exposed on it until its turn, and on how many hosts of its pool (Need of Have) more is.
	Exposed *Reason        `json:"exposed,omitempty"`
	Turns   []Turn         `json:"turns,omitempty"`
	Block   []plan.Blocked `json:"blocked,omitempty"`
	Cause   []plan.Cause   `json:"causes,omitempty"` // what would free it, with others
	Bound   []Reason       `json:"bounds,omitempty"` // why its pool takes so many waves
}

// Turn says why one turn is how and when it is.
type Turn struct {
	ID       string      `json:"id"`
	Tactic   plan.Tactic `json:"tactic"`
	Not      []Rejected  `json:"not,omitempty"` // the less disruptive tactics
	Wave     int         `json:"wave"`
	Waves    int         `json:"waves"` // of the plan
	Canary   bool        `json:"canary,omitempty"`
	Start    time.Time   `json:"start"`
	WorstEnd time.Time   `json:"worst_end"`
	When     Reason      `json:"when"`              // what decided its clock time
	Earlier  []Earlier   `json:"earlier,omitempty"` // what keeps it from each earlier wave, the first wave first
	Fates    []Fate      `json:"fates,omitempty"`   // of those that run on it then
}

// Rejected is a tactic that disturbs less and was not taken.
type Rejected struct {
	Tactic plan.Tactic `json:"tactic"`
	Reason
}

// Earlier is what keeps a turn from one earlier wave, were all else as planned; what breaks a law comes first.
type Earlier struct {
	Wave    int       `json:"wave"`
	Start   time.Time `json:"start"`
	LeastS  int64     `json:"least_s"` // seconds that the turn might take there at worst, at the least
	Reasons []Reason  `json:"reasons"`
}

// Fate is what a turn does to one instance.
type Fate struct {
	Instance    string           `json:"instance"`
	Disposition plan.Disposition `json:"disposition"`
	To          string           `json:"to,omitempty"`
	Home        bool             `json:"home,omitempty"` // and it comes back
}

// Instance is the answer for an instance.
type Instance struct {
	ID      string         `json:"id"`
	Host    string         `json:"host"`
	Tenant  string         `json:"tenant,omitempty"`
	Ends    string         `json:"ends"` // the host on which the plan leaves it
	Touched []Touch        `json:"touched,omitempty"`
	Left    *Reason        `json:"left,omitempty"` // why nothing is done to it; nil: something is
	Twice   *Reason        `json:"twice,omitempty"`
	Block   []plan.Blocked `json:"blocked,omitempty"`
	Cause   []plan.Cause   `json:"causes,omitempty"`
}

// Touch is one promise: what one turn does to the instance, and why that.
type Touch struct {
	plan.Slot
	Wave int     `json:"wave"`
	Why  Reason  `json:"why"`            // why this disposition
	Move *Choice `json:"move,omitempty"` // where to, and why there
	Home *Fate   `json:"home,omitempty"` // its way back
}

// Of explains an id of a plan that carries its fleet. assessed is what hosts were judged by when the plan was
// made; nil: they are judged anew, by the target alone. An unknown id gives an error that names the nearest.
func Of(p *plan.Plan, id string, assessed *advisory.Assessment) (Answer, error) {
	if p.Fleet == nil {
		return Answer{}, errors.New("the plan carries no fleet: make it again with evenkeel plan --out")
	}
	ix := fleet.NewIndex(p.Fleet)
	if err := sound(p, ix); err != nil {
		return Answer{}, err
	}
	s := newScene(p, ix)
	h, i := s.ix.Hosts[id], s.ix.Instances[id]
	if h == nil && i == nil {
		return Answer{}, unknown(s.ix, id)
	}
	a := Answer{Evenkeel: SchemaV1, Campaign: p.Campaign, Revision: p.Revision, ID: id}
	if assessed == nil && p.Target != nil {
		anew := advisory.Assess(p.Fleet, p.Target, nil, p.Policy.StaleAfter.Std(), p.Made)
		assessed = &anew
		if len(p.Target.Advisories) > 0 {
			a.Notes = append(a.Notes, "verdicts are read again from the target and the fleet alone: the plan does not carry the documents of its advisories")
		}
	}
	if h != nil {
		answer := s.host(h, assessed)
		a.Host = &answer
	}
	if i != nil {
		answer := s.instance(i, assessed)
		a.Instance = &answer
	}
	return a, nil
}

// unknown names what an unknown id may have been meant for.
func unknown(ix *fleet.Index, id string) error {
	near := nearest(ix, id)
	if len(near) == 0 {
		return fmt.Errorf("%q is neither a host nor an instance of the plan's fleet (%d hosts, %d instances), and no id is like it", id, len(ix.Hosts), len(ix.Instances))
	}
	return fmt.Errorf("%q is neither a host nor an instance of the plan's fleet: did you mean %s?", id, strings.Join(near, ", "))
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func many(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if strings.HasSuffix(what, "ch") {
		what += "e"
	}
	return fmt.Sprintf("%d %ss", n, what)
}
