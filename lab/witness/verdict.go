package witness

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Verdict is the witness's word on one campaign.
type Verdict struct {
	HostsFixed       int      `json:"hosts_fixed"` // rebooted since the mark, and nothing unfixed runs on it
	HostsTotal       int      `json:"hosts_total"`
	InstancesRunning int      `json:"instances_running"`
	InstancesTotal   int      `json:"instances_total"`
	NoticesAccepted  int      `json:"notices_accepted"` // tenants whose scheduled notice came before their first disruption
	NoticesExpected  int      `json:"notices_expected"` // tenants with instances
	AuditFindings    int      `json:"audit_findings"`   // of the product's auditor, as handed in
	Violations       []string `json:"violations"`       // what the witness itself saw
	// Of a refresh, where HostsFixed counts hosts that were not rebooted and on which the fix is installed.
	Refresh *Refresh `json:"refresh,omitempty"`
}

// Disruption is the first moment at which the witness saw that something was done to an instance: the
// last tick before it went on elsewhere, or before a long silence.
type Disruption struct {
	Instance string
	At       time.Time
}

// OK says whether everything is as it should be.
func (v *Verdict) OK() bool {
	return v.HostsFixed == v.HostsTotal && v.InstancesRunning == v.InstancesTotal && v.NoticesAccepted == v.NoticesExpected &&
		v.HostsTotal > 0 && v.InstancesTotal > 0 && v.NoticesExpected > 0 && len(v.Violations)+v.AuditFindings == 0 &&
		(v.Refresh == nil || v.Refresh.OnFix == v.InstancesTotal)
}

// Line is the verdict in one line.
func (v *Verdict) Line() string {
	if v.Refresh != nil {
		return v.refreshLine()
	}
	return fmt.Sprintf("hosts %d/%d rebooted and fixed, instances %d/%d running, notices %d/%d accepted, violations %d",
		v.HostsFixed, v.HostsTotal, v.InstancesRunning, v.InstancesTotal, v.NoticesAccepted, v.NoticesExpected, len(v.Violations)+v.AuditFindings)
}

func (v *Verdict) violation(format string, args ...any) {
	v.Violations = append(v.Violations, fmt.Sprintf(format, args...))
}

// Judge sums up what was counted since the mark, what Follow saw meanwhile, and which mails arrived.
func Judge(m *MarkState, t *Tally, s *Summary, mails []Mail) (*Verdict, error) {
	v := &Verdict{HostsFixed: t.HostsFixed, HostsTotal: t.HostsTotal, InstancesRunning: t.InstancesRunning, InstancesTotal: t.InstancesTotal, Violations: []string{}}
	for _, h := range t.Hosts {
		if h.Boots > 1 {
			v.violation("host %s booted %d times", h.Host, h.Boots)
		}
	}
	var seen []Disruption
	for _, g := range s.Guests {
		v.guest(g)
		d, ok, err := g.firstDisruption()
		if err != nil {
			return nil, err
		}
		if ok {
			seen = append(seen, d)
		}
	}
	tenants := map[string]string{}
	for _, g := range m.Instances {
		tenants[g] = m.Tenants[g]
	}
	v.Told(tenants, seen, mails)
	return v, nil
}

// guest notes what must never happen to one.
func (v *Verdict) guest(g GuestSummary) {
	for _, bad := range []struct {
		n    int
		what string
	}{
		{g.SplitBrain, "ticks of a second copy while the first one ran"},
		{g.Restarts, "restarts"},
		{g.Panics, "panics of its own kernel"},
		{g.Lost, "ticks lost"},
		{g.Rewound, "steps back to an older copy"},
	} {
		if bad.n > 0 {
			v.violation("instance %s: %d %s", g.Guest, bad.n, bad.what)
		}
	}
	if g.Silent {
		v.violation("instance %s is silent at the end", g.Guest)
	}
}

func (g GuestSummary) firstDisruption() (d Disruption, ok bool, err error) {
	for _, gap := range slices.Concat(g.Moves, g.Outages) {
		at, err := time.Parse(time.RFC3339, gap.From)
		if err != nil {
			return d, false, fmt.Errorf("instance %s: %w", g.Guest, err)
		}
		if !ok || at.Before(d.At) {
			d, ok = Disruption{g.Guest, at}, true
		}
	}
	return d, ok, nil
}

// Told compares mails with disruptions. A tenant is told when a scheduled notice lay in its mailbox before
// anything was done to any of its instances; each disrupted instance must have been named in one before.
func (v *Verdict) Told(tenants map[string]string, seen []Disruption, mails []Mail) {
	first := map[string]time.Time{}
	for _, d := range seen {
		tenant := tenants[d.Instance]
		if at, has := first[tenant]; !has || d.At.Before(at) {
			first[tenant] = d.At
		}
		if tenant != "" && !anyMail(mails, tenant, d.At, d.Instance) {
			v.violation("instance %s was disrupted at %s, before any scheduled notice to %s named it", d.Instance, stamp(d.At), tenant)
		}
	}
	for _, tenant := range slices.Compact(slices.Sorted(maps.Values(tenants))) {
		if tenant == "" {
			continue
		}
		v.NoticesExpected++
		before, disrupted := first[tenant]
		if !disrupted {
			before = time.Unix(1<<40, 0)
		}
		if anyMail(mails, tenant, before, "") {
			v.NoticesAccepted++
		}
	}
}

// anyMail finds a scheduled notice to a tenant that arrived before a moment and, if an instance is given,
// names it. The lab's tenants have addresses at TENANT.example.
func anyMail(mails []Mail, tenant string, before time.Time, instance string) bool {
	names := regexp.MustCompile(`(?m)^ *Instance ` + regexp.QuoteMeta(instance) + `\r?$`)
	for _, m := range mails {
		to := func(a string) bool { return strings.HasSuffix(a, "@"+tenant+".example") }
		if strings.HasPrefix(m.Subject, "Scheduled:") && m.At.Before(before) && slices.ContainsFunc(m.To, to) &&
			(instance == "" || names.MatchString(m.Text)) {
			return true
		}
	}
	return false
}
