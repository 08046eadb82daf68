package form

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Mistake is one thing wrong in a text, where it is, what was found and what would be right.
type Mistake struct {
	File     string `json:"file"`
	Line     int    `json:"line"`   // from 1
	Column   int    `json:"column"` // from 1, in characters
	Path     string `json:"path,omitempty"`
	Found    string `json:"found"`
	Expected string `json:"expected"`
}

// String gives `fleet.yaml:12:15: hosts[3].memory_mib: found -4, expected a whole number of MiB above 0`.
func (m Mistake) String() string {
	where := m.File + ":" + strconv.Itoa(m.Line) + ":" + strconv.Itoa(m.Column) + ": "
	if m.Path != "" {
		where += printable(m.Path) + ": "
	}
	return where + "found " + m.Found + ", expected " + m.Expected
}

// printable is a path as a terminal may show it. A path holds keys as they stand in the text, and the text may be
// anybody's: a key may be megabytes long, hold line ends or orders to a terminal.
func printable(path string) string {
	const longest = 200
	if utf8.RuneCountInString(path) > longest {
		path = string([]rune(path)[:longest]) + "..."
	}
	if strings.ContainsFunc(path, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.Quote(path)
	}
	return path
}

// Mistakes are all that is wrong in a text, in the order of the text.
type Mistakes []Mistake

// Sort puts the mistakes in the order of the text and drops repetitions.
func (ms Mistakes) Sort() Mistakes {
	slices.SortStableFunc(ms, func(a, b Mistake) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Path, b.Path), cmp.Compare(a.Found, b.Found), cmp.Compare(a.Expected, b.Expected))
	})
	return slices.Compact(ms)
}

// Err gives the mistakes as an error, nil when there is none.
func (ms Mistakes) Err() error {
	if len(ms) == 0 {
		return nil
	}
	return ms
}

// Error lists all mistakes, one a line.
func (ms Mistakes) Error() string {
	lines := make([]string, len(ms))
	for i, m := range ms {
		lines[i] = m.String()
	}
	return strings.Join(lines, "\n")
}

// Beyond gives those of more that do not follow from known mistakes: the ones whose path neither
// has nor lies under a path with a known mistake.
func Beyond(known, more Mistakes) (beyond Mistakes) {
	paths := map[string]bool{}
	for _, m := range known {
		paths[m.Path] = true
	}
	for _, m := range more {
		if !underAny(paths, m.Path) {
			beyond = append(beyond, m)
		}
	}
	return beyond
}

func underAny(paths map[string]bool, path string) bool {
	if paths[path] {
		return true
	}
	for end := len(path) - 1; end > 0; end-- {
		if (path[end] == '.' || path[end] == '[') && paths[path[:end]] {
			return true
		}
	}
	return false
}
