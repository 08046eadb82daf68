package advisory

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Exposure is for how long hosts and instances have been open to what is publicly known. An hour of
// it is one affected host, or instance, for one hour since the first advisory that affects it became
// public; what was made later than that counts as if it had been there: it is an upper bound.
type Exposure struct {
	HostHours     float64 `json:"host_hours" yaml:"host_hours"`
	InstanceHours float64 `json:"instance_hours" yaml:"instance_hours"`
	// Per hour from now on it grows by these numbers, until they are fixed.
	Hosts     int `json:"hosts" yaml:"hosts"`
	Instances int `json:"instances" yaml:"instances"`
	// Undated are affected hosts of which no document says since when it is public.
	Undated int `json:"undated,omitempty" yaml:"undated,omitempty"`
	// Embargoed are affected hosts whose advisories are not public yet: they are not exposed.
	Embargoed int       `json:"embargoed,omitempty" yaml:"embargoed,omitempty"`
	Since     time.Time `json:"since,omitzero" yaml:"since,omitempty"` // the earliest
}

// Share is what falls to one site or tenant.
type Share struct {
	ID            string  `json:"id" yaml:"id"` // empty: instances without a tenant, hosts without a site
	Hosts         Tally   `json:"hosts,omitzero" yaml:"hosts,omitempty"`
	Instances     Tally   `json:"instances" yaml:"instances"`
	HostHours     float64 `json:"host_hours,omitempty" yaml:"host_hours,omitempty"`
	InstanceHours float64 `json:"instance_hours" yaml:"instance_hours"`
}

// AdvisoryShare is what one document says of the fleet.
type AdvisoryShare struct {
	ID                string `json:"id" yaml:"id"`
	Source            string `json:"source" yaml:"source"`
	HostsAffected     int    `json:"hosts_affected" yaml:"hosts_affected"`
	HostsUnknown      int    `json:"hosts_unknown" yaml:"hosts_unknown"`
	InstancesAffected int    `json:"instances_affected" yaml:"instances_affected"`
	InstancesUnknown  int    `json:"instances_unknown" yaml:"instances_unknown"`
}

// Remedy is something to do, and how much it would fix.
type Remedy struct {
	Needs         string  `json:"needs" yaml:"needs"`
	Kind          string  `json:"kind,omitempty" yaml:"kind,omitempty"` // the cohort's remedy: reboot, refresh, live-patch
	Cohort        string  `json:"cohort,omitempty" yaml:"cohort,omitempty"`
	Verdict       Verdict `json:"verdict" yaml:"verdict"` // of those that need it: affected, or unknown
	Hosts         int     `json:"hosts" yaml:"hosts"`
	Instances     int     `json:"instances" yaml:"instances"` // affected or unknown, on those hosts
	HostHours     float64 `json:"host_hours" yaml:"host_hours"`
	InstanceHours float64 `json:"instance_hours" yaml:"instance_hours"`
}

// summary adds verdicts up.
type summary struct {
	s        *assessor
	out      *Assessment
	sites    map[string]*Share
	tenants  map[string]*Share
	remedies map[remedyKey]*Remedy
	byHost   map[string]*HostVerdict
}

type remedyKey struct {
	needs, cohort string
	verdict       Verdict
}

func newSummary(s *assessor, out *Assessment) *summary {
	for i := range s.docs.all {
		out.Advisories = append(out.Advisories, AdvisoryShare{ID: s.docs.all[i].ID, Source: s.docs.all[i].Source})
	}
	return &summary{s: s, out: out, sites: map[string]*Share{}, tenants: map[string]*Share{}, remedies: map[remedyKey]*Remedy{}, byHost: make(map[string]*HostVerdict, cap(out.Hosts))}
}

func shareOf(m map[string]*Share, id string) *Share {
	x := m[id]
	if x == nil {
		x = &Share{ID: id}
		m[id] = x
	}
	return x
}

// hours that something has been exposed.
func (u *summary) hours(since time.Time) float64 {
	if since.IsZero() {
		return 0
	}
	return u.s.now.Sub(since).Hours()
}

func (u *summary) host(v *HostVerdict, o *outcome) {
	u.byHost[v.Host] = v
	u.out.Counts.Hosts.add(v.Verdict)
	site := shareOf(u.sites, v.Site)
	site.Hosts.add(v.Verdict)
	for _, doc := range o.harms {
		u.out.Advisories[doc].HostsAffected++
	}
	for _, doc := range o.doubts {
		u.out.Advisories[doc].HostsUnknown++
	}
	hours := u.hours(o.since)
	if v.Verdict == IsAffected {
		e := &u.out.Exposure
		switch {
		case o.undated:
			e.Undated++
		case o.since.IsZero():
			e.Embargoed++
		default:
			e.Hosts++
			e.HostHours += hours
			site.HostHours += hours
			if e.Since.IsZero() || o.since.Before(e.Since) {
				e.Since = o.since
			}
		}
	}
	if v.Needs != "" {
		r := u.remedy(v)
		r.Hosts++
		r.HostHours += hours
	}
}

func (u *summary) remedy(v *HostVerdict) *Remedy {
	key := remedyKey{v.Needs, v.Cohort, v.Verdict}
	r := u.remedies[key]
	if r == nil {
		r = &Remedy{Needs: v.Needs, Kind: v.Remedy, Cohort: v.Cohort, Verdict: v.Verdict}
		u.remedies[key] = r
	}
	return r
}

func (u *summary) instance(v *InstanceVerdict, o *outcome) {
	u.out.Counts.Instances.add(v.Verdict)
	for _, doc := range o.harms {
		u.out.Advisories[doc].InstancesAffected++
	}
	for _, doc := range o.doubts {
		u.out.Advisories[doc].InstancesUnknown++
	}
	hours := u.hours(o.since)
	tenant := shareOf(u.tenants, v.Tenant)
	tenant.Instances.add(v.Verdict)
	tenant.InstanceHours += hours
	if v.Verdict == IsAffected && !o.since.IsZero() {
		if e := &u.out.Exposure; e.Since.IsZero() || o.since.Before(e.Since) {
			e.Since = o.since
		}
		u.out.Exposure.Instances++
		u.out.Exposure.InstanceHours += hours
	}
	h := u.byHost[v.Host]
	if h == nil {
		return
	}
	site := shareOf(u.sites, h.Site)
	site.Instances.add(v.Verdict)
	site.InstanceHours += hours
	if h.Needs != "" && (v.Verdict == IsAffected || v.Verdict == IsUnknown) {
		r := u.remedy(h)
		r.Instances++
		r.InstanceHours += hours
	}
}

func (u *summary) finish() {
	u.out.Sites, u.out.Tenants = shares(u.sites), shares(u.tenants)
	for _, r := range u.remedies {
		u.out.Remedies = append(u.out.Remedies, *r)
	}
	slices.SortFunc(u.out.Remedies, func(a, b Remedy) int {
		return cmp.Or(cmp.Compare(rank(a.Verdict), rank(b.Verdict)), cmp.Compare(b.Hosts, a.Hosts), strings.Compare(a.Needs, b.Needs), strings.Compare(a.Cohort, b.Cohort))
	})
}

func shares(m map[string]*Share) (out []Share) {
	for _, id := range sortedKeys(m) {
		out = append(out, *m[id])
	}
	return out
}
