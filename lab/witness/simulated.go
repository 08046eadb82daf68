package witness

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver/simulated"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// JudgeSimulated sums up a simulated world's own log, which the product cannot write, and the mails that
// arrived meanwhile. The world's clock ran speed times as fast as the mail server's.
func JudgeSimulated(f *fleet.Fleet, name string, log []byte, speed float64, mails []Mail) (*Verdict, error) {
	tally, err := simulated.ReadLog(name, bytes.NewReader(log))
	if err != nil {
		return nil, err
	}
	var hosts, instances []string
	tenants := map[string]string{}
	for _, h := range f.Hosts {
		hosts = append(hosts, h.ID)
	}
	for _, i := range f.Instances {
		if i.State == "" || i.State == fleet.Running {
			instances = append(instances, i.ID)
			tenants[i.ID] = i.Tenant
		}
	}
	sum := tally.Verdict(hosts, instances)
	v := &Verdict{HostsFixed: sum.HostsFixed, HostsTotal: sum.HostsTotal, InstancesRunning: sum.InstancesRunning, InstancesTotal: sum.InstancesTotal, Violations: []string{}}
	for _, h := range hosts {
		if n := tally.Boots[h]; n > 1 {
			v.violation("host %s booted %d times", h, n)
		}
	}
	for _, id := range tally.Killed {
		v.violation("instance %s lost its memory", id)
	}
	for _, id := range tally.Doubled {
		v.violation("instance %s began to run on a second host", id)
	}
	seen, err := simulatedDisruptions(log, speed)
	if err != nil {
		return nil, err
	}
	v.Told(tenants, seen, mails)
	return v, nil
}

// simulatedDisruptions are the first moments at which something was done to each instance, by the mail
// server's clock.
func simulatedDisruptions(log []byte, speed float64) (seen []Disruption, err error) {
	var begin time.Time
	first := map[string]bool{}
	for line := range bytes.Lines(log) {
		var r simulated.Record
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("the world's log: %w", err)
		}
		if begin.IsZero() {
			begin = r.At
		}
		touched := slices.Contains([]simulated.RecordKind{simulated.MoveBegan, simulated.Ceases, simulated.Killed}, r.Kind)
		if touched && !first[r.Instance] {
			first[r.Instance] = true
			passed := time.Duration(float64(r.At.Sub(begin)) / speed)
			seen = append(seen, Disruption{r.Instance, begin.Add(passed)})
		}
	}
	return seen, nil
}
