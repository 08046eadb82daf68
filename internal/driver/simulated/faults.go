package simulated

import (
	"hash/fnv"
	"math/rand/v2"
	"reflect"
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
)

// rates gives the fields by name.
func (f Faults) rates() map[Fault]float64 {
	rates := map[Fault]float64{}
	v := reflect.ValueOf(f)
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("json")
		rates[Fault(name[:len(name)-len(",omitempty")])] = v.Field(i).Float()
	}
	return rates
}

// chance draws for each fault from a stream of its own, so that changing one rate does not shift
// what another fault does in the same seed.
type chance struct {
	seed   uint64
	rates  map[Fault]float64
	dice   map[Fault]*rand.Rand
	forced map[Fault]int
	hits   map[Fault]int
}

func newChance(seed uint64, f Faults) *chance {
	return &chance{seed: seed, rates: f.rates(), dice: map[Fault]*rand.Rand{}, forced: map[Fault]int{}, hits: map[Fault]int{}}
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
