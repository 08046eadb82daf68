package witness

import "fmt"

// Refresh is what the witness saw of a refresh: other processes, and no reboot.
type Refresh struct {
	OnFix    int `json:"on_fix"`   // instances whose process runs the fixed build's binary
	Moved    int `json:"moved"`    // instances that went to another host, once
	InPlace  int `json:"in_place"` // instances that stayed on their host
	Rebooted int `json:"rebooted"` // hosts
}

func (v *Verdict) refreshLine() string {
	r := v.Refresh
	return fmt.Sprintf("instances %d/%d running, %d/%d on the new QEMU, %d moved once, %d refreshed in place, hosts %d/%d updated, %d rebooted, notices %d/%d accepted, violations %d",
		v.InstancesRunning, v.InstancesTotal, r.OnFix, v.InstancesTotal, r.Moved, r.InPlace, v.HostsFixed, v.HostsTotal, r.Rebooted, v.NoticesAccepted, v.NoticesExpected, len(v.Violations)+v.AuditFindings)
}

// JudgeRefresh sums up a refresh as Judge does a campaign of reboots: no host booted since the mark,
// each has the fix installed, each instance runs the fixed build's binary, and went elsewhere at most
// once.
func JudgeRefresh(m *MarkState, t *Tally, s *Summary, mails []Mail) (*Verdict, error) {
	v, err := Judge(m, t, s, mails)
	if err != nil {
		return nil, err
	}
	r := &Refresh{}
	v.Refresh, v.HostsFixed = r, 0
	ran := map[string]bool{}
	for _, g := range m.Instances {
		ran[g] = true
	}
	on := map[string]int{} // instance -> its processes on the fixed build, or less than zero
	for _, h := range t.Hosts {
		if h.Boots > 0 {
			r.Rebooted++
			v.violation("host %s was rebooted %d times", h.Host, h.Boots)
		}
		if h.On && h.Boots == 0 && h.Fresh {
			v.HostsFixed++
		}
		for _, g := range h.Guests {
			on[g]++
		}
		for _, g := range h.OldQEMU {
			on[g] = -len(t.Hosts)
			v.violation("instance %s on %s runs another QEMU than the new one", g, h.Host)
		}
	}
	for g := range ran {
		if on[g] == 1 {
			r.OnFix++
		}
	}
	for _, g := range s.Guests {
		switch n := len(g.Moves); {
		case !ran[g.Guest]:
		case n == 0:
			r.InPlace++
		case n == 1:
			r.Moved++
		default:
			v.violation("instance %s went to another host %d times", g.Guest, n)
		}
	}
	return v, nil
}
