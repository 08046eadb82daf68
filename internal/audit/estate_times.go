package audit

import (
	"math"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// Of a log-normal time, the logarithm of any quantile over the median is in proportion to that quantile of the normal
// distribution. These are its 95th and 99th percentiles.
const z95, z99 = 1.6448536269514722, 2.3263478740408408

// timesOf are policy's times for the turn of a host: those of the first rule that matches it, or the general ones.
func (e *estate) timesOf(p *plan.Policy, host string) plan.Times {
	h, times := e.hosts[host], p.Times
	if h == nil {
		return times
	}
	at := e.where(host)
	for _, r := range p.TimesFor {
		if r.Hypervisor != "" && r.Hypervisor != at.hypervisor || len(r.Sites) > 0 && !contains(r.Sites, at.site) ||
			len(r.Models) > 0 && !contains(r.Models, h.Model) || len(r.Hosts) > 0 && !contains(r.Hosts, host) {
			continue
		}
		times.Reboot, times.RebootMax = r.Reboot.Median, r.Reboot.Median
		if median, p95 := float64(r.Reboot.Median), float64(r.Reboot.P95); median > 0 && p95 > median {
			p99 := median * math.Pow(p95/median, z99/z95)
			times.RebootMax = plan.Duration(time.Duration(p99).Truncate(time.Millisecond))
		}
		break
	}
	return times
}
