package witness

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// longPause is what nothing but a reboot of its host brings to an instance there: an emulated host that
// unpacks an update may well let its guests wait for some seconds.
const longPause = 30 * time.Second

// XenRun is what a campaign on the Xen lab was to do, for the witness to hold it to.
type XenRun struct {
	Fleet *fleet.Fleet // whose instances those are
	Mark  *XenMark     // the moment before it began
	Boots int          // of each host at most
	Patch string       // the live patch that each host was to get, once, before its reboot; empty: none
}

// XenMark is a moment of a Xen lab, to count from.
type XenMark struct {
	UnixMS  int64            `json:"unix_ms"`
	Console map[string]int64 `json:"console"` // host -> how much its hypervisor has printed since it was started, in bytes
}

// MarkXen notes this moment.
func (l *Lab) MarkXen() (*XenMark, error) {
	m := &XenMark{UnixMS: time.Now().UnixMilli(), Console: map[string]int64{}}
	for _, h := range l.Hosts {
		fi, err := os.Stat(filepath.Join(l.Dir, h.Name, "console.log"))
		if err != nil {
			return nil, err
		}
		m.Console[h.Name] = fi.Size()
	}
	return m, nil
}

// xenLab is what lab.json and a host's record of boots say beyond Lab.
type xenLab struct {
	XenFixed string `json:"xen_fixed"`
}

type xenBoot struct {
	UnixMS int64  `json:"unix_ms"`
	Xen    string `json:"xen"` // the hypervisor that its machine was started with
}

// JudgeXen sums up a campaign on the Xen lab by what lies outside the hosts' reach and the product's: what
// each machine was started with, what the hypervisors printed on their consoles, what the guests printed.
func JudgeXen(l *Lab, run XenRun, s *Summary, mails []Mail) (*Verdict, error) {
	raw, err := os.ReadFile(filepath.Join(l.Dir, "lab.json"))
	if err != nil {
		return nil, err
	}
	var x xenLab
	if err := json.Unmarshal(raw, &x); err != nil || x.XenFixed == "" {
		return nil, fmt.Errorf("%s/lab.json names no fixed Xen (%w)", l.Dir, err)
	}
	v := &Verdict{HostsTotal: len(l.Hosts), Violations: []string{}}
	for _, h := range l.Hosts {
		ok, err := l.xenHost(v, h.Name, x.XenFixed, run)
		if err != nil {
			return nil, err
		}
		if ok {
			v.HostsFixed++
		}
	}
	return v, v.xenGuests(run.Fleet, s, mails)
}

// xenHost: it was booted, last into the fixed hypervisor, and got the live patch once before.
func (l *Lab) xenHost(v *Verdict, host, fixed string, run XenRun) (bool, error) {
	raw, err := os.ReadFile(filepath.Join(l.Dir, host, "boots"))
	if err != nil {
		return false, err
	}
	boots, runs := 0, ""
	for line := range bytes.Lines(raw) {
		var b xenBoot
		if err := json.Unmarshal(line, &b); err != nil {
			return false, fmt.Errorf("%s/boots: %w", host, err)
		}
		runs = b.Xen
		if b.UnixMS >= run.Mark.UnixMS {
			boots++
		}
	}
	if boots > run.Boots {
		v.violation("host %s booted %d times", host, boots)
	}
	well := boots > 0 && boots <= run.Boots && runs == fixed
	if run.Patch == "" {
		return well, nil
	}
	before, err := os.ReadFile(filepath.Join(l.Dir, host, "console.old")) // until it was rebooted
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	before = before[min(run.Mark.Console[host], int64(len(before))):]
	applied := len(regexp.MustCompile(`livepatch: `+regexp.QuoteMeta(run.Patch)+` finished APPLY with rc=0`).FindAll(before, -1))
	if applied != 1 {
		v.violation("host %s: its hypervisor applied %s %d times before the reboot", host, run.Patch, applied)
	}
	return well && applied == 1, nil
}

// xenGuests: each counted on without a new start or a step back, and its tenant had been told.
func (v *Verdict) xenGuests(f *fleet.Fleet, s *Summary, mails []Mail) error {
	of := map[string]GuestSummary{}
	for _, g := range s.Guests {
		of[g.Guest] = g
	}
	tenants := map[string]string{}
	var seen []Disruption
	for _, in := range f.Instances {
		v.InstancesTotal++
		tenants[in.ID] = in.Tenant
		g := of[in.ID]
		if g.Guest == "" {
			v.violation("instance %s was never seen to tick", in.ID)
			continue
		}
		v.guest(g)
		if !g.Silent {
			v.InstancesRunning++
		}
		// once for each host that had to be emptied of it, and in its place at most once
		if len(g.Moves) > v.HostsTotal {
			v.violation("instance %s was moved %d times", in.ID, len(g.Moves))
		}
		n := 0
		for _, o := range g.Outages {
			if o.MS > longPause.Milliseconds() {
				n++
			}
		}
		if n > 1 {
			v.violation("instance %s was interrupted %d times", in.ID, n)
		}
		d, ok, err := g.firstDisruption()
		if err != nil {
			return err
		}
		if ok {
			seen = append(seen, d)
		}
	}
	v.Told(tenants, seen, mails)
	return nil
}
