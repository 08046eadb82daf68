package advisory

import (
	"cmp"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// Risk is what is exposed on one host until it is fixed.
type Risk struct {
	// Severity of the worst advisory that affects the host; empty: no document says.
	Severity  Severity
	Instances int // that run on it
	// Tenants whose instances run on it; those without a tenant are one. On a host of several, whoever breaks out of
	// one instance reaches somebody else's.
	Tenants int
}

// Compare is less than zero where r is the worse: by severity, then by instances, then by tenants.
func (r Risk) Compare(o Risk) int {
	return cmp.Or(cmp.Compare(o.Severity.Rank(), r.Severity.Rank()), cmp.Compare(o.Instances, r.Instances), cmp.Compare(o.Tenants, r.Tenants))
}

// Risks of all hosts of a fleet that the assessment does not call fixed or not affected, by id.
func (a *Assessment) Risks(f *fleet.Fleet) map[string]Risk {
	risks := map[string]Risk{}
	for i := range a.Hosts {
		if v := &a.Hosts[i]; v.Verdict == IsAffected || v.Verdict == IsUnknown {
			risks[v.Host] = Risk{Severity: v.Severity}
		}
	}
	type on struct{ host, tenant string }
	seen := map[on]bool{}
	for i := range f.Instances {
		in := &f.Instances[i]
		r, open := risks[in.Host]
		if !open || in.State == fleet.Stopped {
			continue
		}
		r.Instances++
		if at := (on{in.Host, in.Tenant}); !seen[at] {
			seen[at] = true
			r.Tenants++
		}
		risks[in.Host] = r
	}
	return risks
}
