package execution

import (
	"cmp"
	"fmt"

	"github.com/evenkeel/evenkeel/internal/version"
)

// order tells whether a version on a host is older than its cohort wants, by the cohort's ecosystem,
// else by the host's own. The error says which two versions cannot be compared, and why: neither is
// then known to be older, and nothing is proven.
func (s *State) order(host, have, want string) (int, error) {
	c, h := s.cohort(host), s.index.Hosts[host]
	if c == nil || h == nil {
		return 0, fmt.Errorf("%s and %s cannot be compared: nothing says by which rules", have, want)
	}
	if c.Ecosystem != "" && h.Ecosystem != "" && version.FamilyOf(c.Ecosystem) != version.FamilyOf(h.Ecosystem) {
		return 0, fmt.Errorf("%s and %s cannot be compared: the cohort is of %s, and %s says that it is %s", have, want, c.Ecosystem, host, h.Ecosystem)
	}
	order, err := version.Compare(cmp.Or(c.Ecosystem, h.Ecosystem), have, want)
	if err != nil {
		return 0, fmt.Errorf("%s and %s cannot be compared: %w", have, want, err)
	}
	return order, nil
}

// orderly is what a person can do where versions cannot be compared.
func orderly(turn string) string {
	return "mend the ecosystem or the version in the target's cohort and plan again, or put a version there that can be compared, then: evenkeel retry " + turn
}
