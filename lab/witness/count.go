package witness

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	version "github.com/knqyf263/go-deb-version"
)

// sampleFor is how long one look at the logs takes; a guest that ticked in none of maxSamples looks, or
// on more than one host in each of them, does not count as running.
const (
	sampleFor  = 1500 * time.Millisecond
	maxSamples = 4
)

// MarkState is the state of a lab at one moment, to count from.
type MarkState struct {
	UnixMS    int64             `json:"unix_ms"`
	BootIDs   map[string]string `json:"boot_ids"`
	Instances []string          `json:"instances"` // those that ran
	Tenants   map[string]string `json:"tenants"`   // instance -> its tenant, from the hosts' own definitions
}

// Tally is what Count saw.
type Tally struct {
	HostsTotal       int                 `json:"hosts_total"`
	HostsRebooted    int                 `json:"hosts_rebooted"` // since the mark
	HostsFixed       int                 `json:"hosts_fixed"`    // rebooted, fixed QEMU installed, and no guest runs another one
	InstancesTotal   int                 `json:"instances_total"`
	InstancesRunning int                 `json:"instances_running"` // of those that ran at the mark, on exactly one host
	Hosts            []HostTally         `json:"hosts"`
	NotRunning       map[string][]string `json:"not_running"` // instance to the hosts on which it ticks: none, or too many
}

// HostTally is one host in a Tally.
type HostTally struct {
	Host      string   `json:"host"`
	On        bool     `json:"on"`
	Boots     int      `json:"boots"` // since the mark
	Installed string   `json:"installed"`
	Fresh     bool     `json:"fresh"`    // what is installed is fixed
	Guests    []string `json:"guests"`   // QEMU processes
	OldQEMU   []string `json:"old_qemu"` // of them, those that run another build than the fixed one
	Fixed     bool     `json:"fixed"`
}

// Mark notes the boot ids and the instances that run now.
func (l *Lab) Mark() (*MarkState, error) {
	m := &MarkState{UnixMS: time.Now().UnixMilli(), BootIDs: map[string]string{}, Instances: []string{}, Tenants: map[string]string{}}
	for _, h := range l.Hosts {
		boots, err := l.boots(h.Name)
		if err != nil {
			return nil, err
		}
		if len(boots) > 0 {
			m.BootIDs[h.Name] = boots[len(boots)-1].BootID
		}
		if err := l.tenants(h.Name, m.Tenants); err != nil {
			return nil, err
		}
	}
	names, err := l.instances()
	if err != nil {
		return nil, err
	}
	where, err := l.ticking(names)
	if err != nil {
		return nil, err
	}
	for _, g := range names {
		if len(where[g]) == 1 {
			m.Instances = append(m.Instances, g)
		}
	}
	return m, nil
}

// Count compares the lab as it is now with a mark.
func (l *Lab) Count(m *MarkState) (*Tally, error) {
	t := &Tally{HostsTotal: len(l.Hosts), InstancesTotal: len(m.Instances), NotRunning: map[string][]string{}}
	h := hashes{}
	for _, host := range l.Hosts {
		ht, err := l.tallyHost(host.Name, m, h)
		if err != nil {
			return nil, err
		}
		if ht.Boots > 0 {
			t.HostsRebooted++
		}
		if ht.Fixed {
			t.HostsFixed++
		}
		t.Hosts = append(t.Hosts, *ht)
	}
	where, err := l.ticking(m.Instances)
	if err != nil {
		return nil, err
	}
	for _, g := range m.Instances {
		if len(where[g]) == 1 {
			t.InstancesRunning++
		} else {
			t.NotRunning[g] = append([]string{}, where[g]...)
		}
	}
	return t, nil
}

func (l *Lab) tallyHost(host string, m *MarkState, h hashes) (*HostTally, error) {
	ht := &HostTally{Host: host, Guests: []string{}, OldQEMU: []string{}}
	boots, err := l.boots(host)
	if err != nil {
		return nil, err
	}
	for _, b := range boots {
		if b.UnixMS > m.UnixMS && b.BootID != m.BootIDs[host] {
			ht.Boots++
		}
	}
	if ht.Installed, err = l.installed(host); err != nil {
		return nil, err
	}
	fresh, err := atLeast(ht.Installed, l.QEMUFixed)
	if err != nil {
		return nil, err
	}
	if pid := l.pid(host); pid != 0 {
		ht.On = true
		procs, err := guestProcesses(pid, h)
		if err != nil {
			return nil, err
		}
		for _, p := range procs {
			ht.Guests = append(ht.Guests, p.Guest)
			if p.SHA256 != l.FixedSHA256 {
				ht.OldQEMU = append(ht.OldQEMU, p.Guest)
			}
		}
		slices.SortFunc(ht.Guests, byName)
		slices.SortFunc(ht.OldQEMU, byName)
	}
	ht.Fresh = fresh
	ht.Fixed = ht.On && ht.Boots > 0 && fresh && len(ht.OldQEMU) == 0
	return ht, nil
}

func atLeast(have, want string) (bool, error) {
	if have == "" {
		return false, nil
	}
	a, err := version.NewVersion(have)
	if err != nil {
		return false, fmt.Errorf("version %q: %w", have, err)
	}
	b, err := version.NewVersion(want)
	if err != nil {
		return false, fmt.Errorf("version %q: %w", want, err)
	}
	return !a.LessThan(b), nil
}

// instances are all guests that ever wrote to a serial log.
func (l *Lab) instances() ([]string, error) {
	seen := map[string]bool{}
	var names []string
	for _, h := range l.Hosts {
		paths, err := filepath.Glob(filepath.Join(l.serialDir(h.Name), "*.log"))
		if err != nil {
			return nil, err
		}
		for _, p := range paths {
			if g := strings.TrimSuffix(filepath.Base(p), ".log"); !seen[g] {
				seen[g] = true
				names = append(names, g)
			}
		}
	}
	slices.SortFunc(names, byName)
	return names, nil
}

// ticking says on which hosts each guest ticks. A guest that moved during the look ticked on two; only if
// that goes on does it really run twice, so such guests are looked at again.
func (l *Lab) ticking(names []string) (map[string][]string, error) {
	where := map[string][]string{}
	open := names
	for range maxSamples {
		before, err := l.sizes(open)
		if err != nil {
			return nil, err
		}
		time.Sleep(max(sampleFor, time.Duration(4*l.TickMS)*time.Millisecond))
		after, err := l.sizes(open)
		if err != nil {
			return nil, err
		}
		var again []string
		for _, g := range open {
			where[g] = nil
			for _, h := range l.Hosts {
				if after[g][h.Name] > before[g][h.Name] {
					where[g] = append(where[g], h.Name)
				}
			}
			if len(where[g]) != 1 {
				again = append(again, g)
			}
		}
		if open = again; len(open) == 0 {
			break
		}
	}
	return where, nil
}

// sizes are the lengths of the serial logs per guest and host. Nothing but ticks, and what goes with
// them, is written there once a guest is up.
func (l *Lab) sizes(names []string) (map[string]map[string]int64, error) {
	all := map[string]map[string]int64{}
	for _, g := range names {
		all[g] = map[string]int64{}
		for _, h := range l.Hosts {
			fi, err := os.Stat(filepath.Join(l.serialDir(h.Name), g+".log"))
			if err != nil && !os.IsNotExist(err) {
				return nil, err
			}
			if err == nil {
				all[g][h.Name] = fi.Size()
			}
		}
	}
	return all, nil
}
