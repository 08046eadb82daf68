package simulated

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"reflect"
	"slices"
)

// Faults says how often things go wrong: each field is the chance, 0 to 1, taken at each
// opportunity that its comment names. The zero value is a world in which nothing does.
type Faults struct {
	CallLost     float64 `json:"call_lost,omitempty"`     // each call: lost on its way, nothing happens
	AnswerLost   float64 `json:"answer_lost,omitempty"`   // each call: it happens, the answer is lost
	AnswerLate   float64 `json:"answer_late,omitempty"`   // each call: the answer comes 5 to 90 s late
	CallDoubled  float64 `json:"call_doubled,omitempty"`  // each call: it arrives twice, the second answer is heard
	LieCompleted float64 `json:"lie_completed,omitempty"` // each migration: 'completed', and nothing was done
	LieNotFound  float64 `json:"lie_not_found,omitempty"` // each look at an instance that is there: 'not found'
	HostCut      float64 `json:"host_cut,omitempty"`      // each call: its host is cut off for 5 to 120 s
	ServiceDies  float64 `json:"service_dies,omitempty"`  // each call: the host's service is killed, and back in 2 to 10 s

	MigrationFails   float64 `json:"migration_fails,omitempty"`    // each migration: the hypervisor gives up somewhere in the copy
	MigrationStuck   float64 `json:"migration_stuck,omitempty"`    // each migration: never converges
	DestinationDies  float64 `json:"destination_dies,omitempty"`   // each migration: power lost at the destination, at any phase
	SourceDies       float64 `json:"source_dies,omitempty"`        // each migration: power lost at the source, at any phase
	MoveKills        float64 `json:"move_kills,omitempty"`         // each migration: the instance itself dies in mid-copy, or right before its source lets go
	FinishHangs      float64 `json:"finish_hangs,omitempty"`       // each migration: the destination freezes at the switch-over for 40 to 90 s
	FinishServiceOff float64 `json:"finish_service_off,omitempty"` // each migration: the same, and the source's service is killed meanwhile

	NeverReturns float64 `json:"never_returns,omitempty"`  // each reboot: the host stays down
	BootsOld     float64 `json:"boots_old,omitempty"`      // each reboot: it comes back with the version that it had booted before
	SameBoot     float64 `json:"same_boot,omitempty"`      // each reboot: accepted, and nothing happens
	Flaps        float64 `json:"flaps,omitempty"`          // each boot and update: the service comes and goes for a minute
	UpdateFails  float64 `json:"update_fails,omitempty"`   // each update: exit 1, nothing installed
	UpdateSays70 float64 `json:"update_says_70,omitempty"` // each update: 'nothing needed', although it was
	PatchStuck   float64 `json:"patch_stuck,omitempty"`    // each live patch: it stays in transition
	PatchLost    float64 `json:"patch_lost,omitempty"`     // each live patch: others take it away within a minute
	OthersStart  float64 `json:"others_start,omitempty"`   // each emptied host: others start an instance there within 30 s
	OthersRemove float64 `json:"others_remove,omitempty"`  // each migration: the instance is removed by its owner within 30 s

	OldBuild  float64 `json:"old_build,omitempty"`  // each reboot of a Xen host: all versions look right, and the Xen that runs is the one from before
	NoDom0    float64 `json:"no_dom0,omitempty"`    // each reboot: no control domain (KVM: no system) comes up; it answers once it is mended
	NoNetwork float64 `json:"no_network,omitempty"` // each reboot: it comes up without network; it answers once it is mended
	StaysOff  float64 `json:"stays_off,omitempty"`  // each reboot: it switches itself off; it answers once it is mended
	ProbeMute float64 `json:"probe_mute,omitempty"` // each out-of-band look: it tells nothing

	PatchFades    float64 `json:"patch_fades,omitempty"`    // each live patch: others take it away within 40 minutes
	RebootsItself float64 `json:"reboots_itself,omitempty"` // each live patch and each reboot: the host resets itself within the 40 minutes after it

	// MigrationsTo makes migrations towards hosts that run some version fail.
	MigrationsTo []MigrationsTo `json:"migrations_to,omitempty"`
	// Returns says what the next reboots of a host come to, whatever the rates: host -> in order well,
	// never_returns, stays_off, no_dom0, no_network, boots_old, old_build.
	Returns map[string][]Fault `json:"returns,omitempty"`
}

// Check refuses what cannot be: a rate that is none, a return that is none.
func (f Faults) Check() error {
	for name, rate := range f.rates() {
		if !(rate >= 0 && rate <= 1) {
			return fmt.Errorf("%s is %g: a rate lies from 0 to 1", name, rate)
		}
	}
	for n, r := range f.MigrationsTo {
		if !(r.Rate >= 0 && r.Rate <= 1) {
			return fmt.Errorf("migrations_to, entry %d: rate is %g: a rate lies from 0 to 1", n+1, r.Rate)
		}
	}
	for host, returns := range f.Returns {
		for _, how := range returns {
			if how != well && !slices.Contains(wrongReturns, how) {
				return fmt.Errorf("returns of host %s: a reboot comes to well or %v, not to %q", host, wrongReturns, how)
			}
		}
	}
	return nil
}

// Fault names one field of Faults, by its JSON name.
type Fault string

// The faults by name.
const (
	CallLost         Fault = "call_lost"
	AnswerLost       Fault = "answer_lost"
	AnswerLate       Fault = "answer_late"
	CallDoubled      Fault = "call_doubled"
	LieCompleted     Fault = "lie_completed"
	LieNotFound      Fault = "lie_not_found"
	HostCut          Fault = "host_cut"
	ServiceDies      Fault = "service_dies"
	MigrationFails   Fault = "migration_fails"
	MigrationStuck   Fault = "migration_stuck"
	DestinationDies  Fault = "destination_dies"
	SourceDies       Fault = "source_dies"
	MoveKills        Fault = "move_kills"
	FinishHangs      Fault = "finish_hangs"
	FinishServiceOff Fault = "finish_service_off"
	NeverReturns     Fault = "never_returns"
	BootsOld         Fault = "boots_old"
	SameBoot         Fault = "same_boot"
	Flaps            Fault = "flaps"
	UpdateFails      Fault = "update_fails"
	UpdateSays70     Fault = "update_says_70"
	PatchStuck       Fault = "patch_stuck"
	PatchLost        Fault = "patch_lost"
	OthersStart      Fault = "others_start"
	OthersRemove     Fault = "others_remove"
	OldBuild         Fault = "old_build"
	NoDom0           Fault = "no_dom0"
	NoNetwork        Fault = "no_network"
	StaysOff         Fault = "stays_off"
	ProbeMute        Fault = "probe_mute"
	PatchFades       Fault = "patch_fades"
	RebootsItself    Fault = "reboots_itself"
	// MovesFail counts the migrations that a rule of Faults.MigrationsTo made fail.
	MovesFail Fault = "migrations_to"
)

// rates gives the fields by name.
func (f Faults) rates() map[Fault]float64 {
	rates := map[Fault]float64{}
	v := reflect.ValueOf(f)
	for i := range v.NumField() {
		if v.Field(i).Kind() == reflect.Float64 {
			name := v.Type().Field(i).Tag.Get("json")
			rates[Fault(name[:len(name)-len(",omitempty")])] = v.Field(i).Float()
		}
	}
	return rates
}

// chance draws for each fault from a stream of its own, so that changing one rate does not shift
// what another fault does in the same seed.
type chance struct {
	seed   uint64
	rates  map[Fault]float64
	moves  []MigrationsTo
	next   map[string][]Fault // what a host's next reboots come to
	dice   map[Fault]*rand.Rand
	forced map[Fault]int
	hits   map[Fault]int
}

func newChance(seed uint64, f Faults) *chance {
	c := &chance{seed: seed, dice: map[Fault]*rand.Rand{}, forced: map[Fault]int{}, hits: map[Fault]int{}}
	c.set(f)
	return c
}

// set changes what goes wrong from now on.
func (c *chance) set(f Faults) {
	c.rates, c.moves, c.next = f.rates(), slices.Clone(f.MigrationsTo), map[string][]Fault{}
	for host, returns := range f.Returns {
		c.next[host] = slices.Clone(returns)
	}
}

// stream is the source of chance under a name.
func (c *chance) stream(f Fault) *rand.Rand {
	d := c.dice[f]
	if d == nil {
		h := fnv.New64a()
		h.Write([]byte(f))
		d = rand.New(rand.NewPCG(c.seed, h.Sum64()))
		c.dice[f] = d
	}
	return d
}

// strikes says whether the fault happens at this opportunity.
func (c *chance) strikes(f Fault) bool {
	switch rate := c.rates[f]; {
	case c.forced[f] > 0:
		c.forced[f]--
	case rate <= 0 || c.stream(f).Float64() >= rate:
		return false
	}
	c.hits[f]++
	return true
}

// between draws a number from low to high.
func (c *chance) between(f Fault, low, high float64) float64 {
	return low + c.stream(f).Float64()*(high-low)
}
