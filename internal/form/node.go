package form

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// kind of a node.
type kind uint8

const (
	nullKind kind = iota
	boolKind
	numberKind
	textKind
	listKind
	mapKind
	refusedKind // its mistake has been told
)

// node is one value in a text.
type node struct {
	kind         kind
	text         string // of a scalar: as written for numbers and booleans, the content of a text
	line, column int
	items        []*node
	entries      []entry
}

// entry is one key of a mapping with its value.
type entry struct {
	key          string
	line, column int
	value        *node
}

// found says in words what a node is.
func (n *node) found() string {
	switch n.kind {
	case nullKind:
		return "nothing"
	case boolKind, numberKind:
		return shorten(n.text)
	case textKind:
		return Quote(n.text)
	case listKind:
		return "a list of " + strconv.Itoa(len(n.items))
	}
	if len(n.entries) == 0 {
		return "an empty mapping"
	}
	return "a mapping with the key " + Quote(n.entries[0].key)
}

// Quote puts a text that was found in quotes, shortened when it is long.
func Quote(text string) string { return strconv.Quote(shorten(text)) }

func shorten(text string) string {
	const longest = 60
	if utf8.RuneCountInString(text) <= longest {
		return text
	}
	return string([]rune(text)[:longest]) + "..."
}

// At walks from the root as far as the path leads.
func (t *Tree) At(path string) (line, column int) {
	if t.root == nil {
		return 1, 1
	}
	n := t.root
	for rest := path; rest != ""; {
		var next *node
		next, rest = n.step(rest)
		if next == nil {
			break
		}
		n = next
	}
	return n.line, n.column
}

// step goes one key or index down and gives what remains of the path.
func (n *node) step(path string) (next *node, rest string) {
	if strings.HasPrefix(path, "[") {
		index, rest, ok := strings.Cut(path[1:], "]")
		at, err := strconv.Atoi(index)
		if !ok || err != nil || at < 0 || at >= len(n.items) {
			return nil, ""
		}
		return n.items[at], strings.TrimPrefix(rest, ".")
	}
	// A key may itself hold dots or brackets: the longest key that fits counts.
	longest := -1
	for _, e := range n.entries {
		if after, ok := strings.CutPrefix(path, e.key); ok && len(e.key) > longest &&
			(after == "" || after[0] == '.' || after[0] == '[') {
			longest, next, rest = len(e.key), e.value, strings.TrimPrefix(after, ".")
		}
	}
	return next, rest
}

// join appends a key to a path.
func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

func item(path string, n int) string { return path + "[" + strconv.Itoa(n) + "]" }
