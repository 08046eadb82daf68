package simulated

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// Record is one line of the world's own log: what really happened, and when.
type Record struct {
	At       time.Time         `json:"at"`
	Kind     RecordKind        `json:"kind"`
	Host     string            `json:"host,omitempty"`
	Instance string            `json:"instance,omitempty"`
	To       string            `json:"to,omitempty"` // the other host of a migration
	BootID   string            `json:"boot_id,omitempty"`
	BuildID  string            `json:"build_id,omitempty"`  // on boot: of the Xen that runs
	Booted   map[string]string `json:"booted,omitempty"`    // on boot: package -> version
	Install  map[string]string `json:"installed,omitempty"` // on update: package -> version, all of them
	Why      string            `json:"why,omitempty"`
}

// RecordKind says what a Record tells.
type RecordKind string

// The kinds. 'Runs' and 'ceases' are about one instance on one host; together they give all that a
// Tally says of where instances ran.
const (
	HostBooted    RecordKind = "boot"      // Host, BootID, Booted; also once for each host at the world's beginning, Why "beginning"
	HostWentDown  RecordKind = "down"      // Host, Why
	HostUpdated   RecordKind = "update"    // Host, Install
	HostPatched   RecordKind = "patched"   // Host, Why: a live patch has reached every task
	HostUnpatched RecordKind = "unpatched" // Host, Why: a live patch was taken back
	HostTold      RecordKind = "reboot-ordered"
	HostRefused   RecordKind = "refused"         // Host, Why: a guard refused a call
	HostGone      RecordKind = "cut"             // Host, Why: cannot be reached
	HostBack      RecordKind = "joined"          // Host
	HostWrong     RecordKind = "came-back-wrong" // Host, Why: the fault's name
	HostMute      RecordKind = "probe-mute"      // Host: an out-of-band look at it was told nothing
	ServiceOff    RecordKind = "service-down"    // Host, Why
	ServiceOn     RecordKind = "service-up"      // Host

	Runs        RecordKind = "runs"   // Instance runs on Host from now; Why: beginning, start, resume, arrive, restore
	Ceases      RecordKind = "ceases" // Instance runs on Host no more; Why: stop, pause, save, leave, duplicate, removed, killed
	Killed      RecordKind = "killed" // Instance lost its memory: nothing of it runs or is saved anywhere
	MoveBegan   RecordKind = "move-began"
	MoveDone    RecordKind = "move-done"
	MoveBroke   RecordKind = "move-broke" // Why
	Lied        RecordKind = "lied"       // Host, Instance, Why
	OthersActed RecordKind = "others"     // Host, Instance, Why: not the product's doing
)

// Verdict is what a log comes to.
type Verdict struct {
	HostsTotal       int `json:"hosts_total"`
	HostsRebooted    int `json:"hosts_rebooted"`    // booted at least once after the beginning
	HostsFixed       int `json:"hosts_fixed"`       // last booted into what the last update installed
	InstancesTotal   int `json:"instances_total"`   // those of the fleet that ran at the beginning
	InstancesRunning int `json:"instances_running"` // of them, running now on exactly one host
	Killed           int `json:"killed"`            // times an instance lost its memory
	DoubleRun        int `json:"double_run"`        // times an instance began to run on a second host
}

// Tally folds a log into who ran where, when, and what was lost.
type Tally struct {
	Boots    map[string]int               // host -> boots after the beginning
	Booted   map[string]map[string]string // host -> what it last booted
	Updated  map[string]map[string]string // host -> what its last update left installed
	Running  map[string][]string          // instance -> hosts on which it runs now, in order of beginning
	Killed   []string                     // instances, once for each time
	Doubled  []string                     // instances, once for each time a second copy began to run
	Blackout map[string]time.Duration     // instance -> its longest gap that ended in running on
	DoubleOf map[string]time.Duration     // instance -> how long it ran in two places, in all, as far as that is over
	idle     map[string]time.Time         // instance -> since when nothing of it runs
	double   map[string]time.Time         // instance -> since when it runs twice
}

// NewTally is the tally of an empty log.
func NewTally() *Tally {
	return &Tally{
		Boots: map[string]int{}, Booted: map[string]map[string]string{}, Updated: map[string]map[string]string{},
		Running: map[string][]string{}, Blackout: map[string]time.Duration{}, DoubleOf: map[string]time.Duration{},
		idle: map[string]time.Time{}, double: map[string]time.Time{},
	}
}

// Add takes one record in.
func (t *Tally) Add(r Record) {
	switch r.Kind {
	case HostBooted:
		if t.Booted[r.Host] = r.Booted; r.Why != "beginning" {
			t.Boots[r.Host]++
		}
	case HostUpdated:
		t.Updated[r.Host] = r.Install
	case Runs:
		t.runs(r)
	case Ceases:
		t.ceases(r)
	case Killed:
		t.Killed = append(t.Killed, r.Instance)
		delete(t.idle, r.Instance) // what runs later is a new life, not the end of a blackout
	}
}

func (t *Tally) runs(r Record) {
	id := r.Instance
	if slices.Contains(t.Running[id], r.Host) {
		return
	}
	t.Running[id] = append(t.Running[id], r.Host)
	if since, was := t.idle[id]; was {
		t.Blackout[id] = max(t.Blackout[id], r.At.Sub(since))
		delete(t.idle, id)
	}
	if len(t.Running[id]) == 2 {
		t.Doubled = append(t.Doubled, id)
		t.double[id] = r.At
	}
}

func (t *Tally) ceases(r Record) {
	id := r.Instance
	i := slices.Index(t.Running[id], r.Host)
	if i < 0 {
		return
	}
	t.Running[id] = slices.Delete(t.Running[id], i, i+1)
	switch len(t.Running[id]) {
	case 0:
		delete(t.Running, id)
		t.idle[id] = r.At
	case 1:
		t.DoubleOf[id] += r.At.Sub(t.double[id])
		delete(t.double, id)
	}
}

// Verdict sums the tally up over the hosts and instances named.
func (t *Tally) Verdict(hosts, instances []string) Verdict {
	v := Verdict{HostsTotal: len(hosts), InstancesTotal: len(instances), Killed: len(t.Killed), DoubleRun: len(t.Doubled)}
	for _, h := range hosts {
		if t.Boots[h] > 0 {
			v.HostsRebooted++
		}
		if updated := t.Updated[h]; updated != nil && maps.Equal(updated, t.Booted[h]) {
			v.HostsFixed++
		}
	}
	for _, id := range instances {
		if len(t.Running[id]) == 1 {
			v.InstancesRunning++
		}
	}
	return v
}

// line is a record as one JSON line.
func (r Record) line() []byte {
	b, err := json.Marshal(r)
	if err != nil {
		panic("simulated: a record cannot be written as JSON: " + err.Error())
	}
	return append(b, '\n')
}

// ReadLog folds a log's JSON lines. A last line that is still being written is left out; any other
// line that is no record is an error with its number.
func ReadLog(name string, r io.Reader) (*Tally, error) {
	t := NewTally()
	in := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			return t, nil
		} else if err != nil {
			return nil, err
		}
		var rec Record
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		if err := d.Decode(&rec); err != nil {
			return nil, fmt.Errorf("%s:%d: not a record of a simulated world's log: %w", name, n, err)
		}
		t.Add(rec)
	}
}
