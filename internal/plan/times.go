package plan

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/quantile"
)

// TimesRule says how long the hosts that it matches take. Empty selectors match all.
type TimesRule struct {
	Hypervisor string   `json:"hypervisor,omitempty" yaml:"hypervisor,omitempty" form:"enum=kvm|xen"`
	Sites      []string `json:"sites,omitempty" yaml:"sites,omitempty"`
	Models     []string `json:"models,omitempty" yaml:"models,omitempty"` // of hosts
	Hosts      []string `json:"hosts,omitempty" yaml:"hosts,omitempty"`
	// Reboot is a host's from going down to proven up.
	Reboot Spread `json:"reboot" yaml:"reboot" form:"required"`
}

// Spread of a time that is log-normal.
type Spread struct {
	Median Duration `json:"median" yaml:"median" form:"required,min=1"` // half of all take no longer
	P95    Duration `json:"p95" yaml:"p95" form:"required,min=1"`       // 95 % take no longer
}

// giveUp is the share of reboots for which a host is waited for where their spread is known.
const giveUp = 0.999

func (s Spread) distribution() quantile.LogNormal {
	return quantile.Through(s.Median.Std(), s.P95.Std(), 0.95)
}

// matches tells whether a rule is for a host of a site.
func (r *TimesRule) matches(h *fleet.Host, site string) bool {
	names := func(list []string, name string) bool { return len(list) == 0 || slices.Contains(list, name) }
	return (r.Hypervisor == "" || r.Hypervisor == string(h.Hypervisor)) && names(r.Sites, site) && names(r.Models, h.Model) && names(r.Hosts, h.ID)
}

// spreadOf is what is known of the reboots of a host of a site; nil: no more than Times says.
func (p *Policy) spreadOf(h *fleet.Host, site string) *Spread {
	for n := range p.TimesFor {
		if r := &p.TimesFor[n]; r.matches(h, site) {
			return &r.Reboot
		}
	}
	return nil
}

// TimesOf are the times of the turn of a host of a site: the policy's, with the median and the 99th percentile of
// its own reboots where a rule knows their spread, in whole seconds.
func (p *Policy) TimesOf(h *fleet.Host, site string) Times {
	times := p.Times
	if s := p.spreadOf(h, site); s != nil {
		times.Reboot, times.RebootMax = s.Median, upToSecond(s.distribution().At(0.99))
	}
	return times
}

// WaitFor is how long a host of a site is waited for after its reboot was ordered, before it counts as not back:
// times.reboot_max; where the spread of its reboots is known, as long as 99.9 % of them take, for one in a hundred
// of those that come back takes longer than their 99th percentile.
func (p *Policy) WaitFor(h *fleet.Host, site string) time.Duration {
	if s := p.spreadOf(h, site); s != nil {
		return upToSecond(s.distribution().At(giveUp)).Std()
	}
	return p.Times.RebootMax.Std()
}

func upToSecond(d time.Duration) Duration {
	return Duration((d + time.Second - 1).Truncate(time.Second))
}

// timesFor: a spread is one, and no reboot of a host takes days.
func (c *checker) timesFor(p *Policy) {
	const longest = Duration(7 * 24 * time.Hour)
	for n, r := range p.TimesFor {
		path := fmt.Sprintf("times_for[%d]", n)
		for _, list := range []struct {
			key   string
			names []string
		}{{"sites", r.Sites}, {"models", r.Models}, {"hosts", r.Hosts}} {
			c.once(path+"."+list.key, list.names, "name")
		}
		switch s := r.Reboot; {
		case s.P95 < s.Median:
			c.wrong(path+".reboot.p95", s.P95.String(), "at least the median, "+s.Median.String())
		case s.P95 > longest:
			c.wrong(path+".reboot.p95", s.P95.String(), "at most "+longest.String())
		}
	}
}

// diskMiBs is the rate in MiB/s that a host's disk is taken to write and read.
const diskMiBs = 200

// SaveOf is how long it is expected to take to save so much memory of one host, or to restore it, in whole seconds.
func (t Times) SaveOf(mib int64) time.Duration {
	return upToSecond(t.Save.Std() + time.Duration(float64(mib)/diskMiBs*float64(time.Second))).Std()
}
