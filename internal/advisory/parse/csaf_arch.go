package parse

import (
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/advisory"
)

// sources: a source package stands for all that is built of it; beside those it adds nothing.
func (k *csafClaims) sources() {
	for i, archs := range k.archs {
		if len(archs) > 1 {
			delete(archs, "src")
		}
		if archs[""] || archs["src"] {
			k.archs[i] = map[string]bool{"": true}
		}
	}
}

// narrow: the claims are of different architectures, or of others than x86_64 only, so that each must
// say of which. Else all that the vendor builds are meant, and a host whose architecture is not known
// can be judged.
func (k *csafClaims) narrow() bool {
	var first map[string]bool
	for _, archs := range k.archs {
		if first == nil {
			first = archs
		}
		if len(archs) != len(first) {
			return true
		}
		for a := range archs {
			if !first[a] {
				return true
			}
		}
	}
	return first != nil && !first[""] && !first["x86_64"]
}

func condition(archs map[string]bool) []advisory.Condition {
	if archs[""] {
		return nil
	}
	var list []string
	for a := range archs {
		list = append(list, a)
	}
	slices.Sort(list)
	return []advisory.Condition{{Arch: list, Why: "the document speaks of its packages for " + strings.Join(list, ", ")}}
}
