package planner

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

func sortedKeys[T any](m map[string]T) []string { return slices.Sorted(maps.Keys(m)) }

func orElse(s, other string) string { return cmp.Or(s, other) }

func firstOf(list []string, other string) string {
	if len(list) == 0 {
		return other
	}
	return list[0]
}

// allOf joins the lines of evidence, without those that only explain the one above.
func allOf(list []string, other string) string {
	lines := slices.DeleteFunc(slices.Clone(list), func(l string) bool { return strings.HasPrefix(l, " ") })
	return orElse(strings.Join(lines, "; "), other)
}

// list writes names for people.
func list[T ~string](names []T) string {
	if len(names) == 0 {
		return "none"
	}
	texts := make([]string, len(names))
	for i, n := range names {
		texts[i] = string(n)
	}
	return strings.Join(texts, ", ")
}

// either joins two ways out; the first may be empty.
func either(a, b string) string {
	if a == "" {
		return b
	}
	return a + ", or " + b
}
