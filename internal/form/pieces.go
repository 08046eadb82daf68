package form

import (
	"bytes"
	"regexp"
	"strings"
)

// A text with broken syntax is read again in pieces, so that one broken place does not hide the
// mistakes elsewhere: first each outermost key by itself, then, where that is broken, each item of
// its list.

var (
	outermostKey = regexp.MustCompile(`^[A-Za-z_"'][^\n]*?:(\s|$)`)
	listItem     = regexp.MustCompile(`^( *)-(\s|$)`)
)

// parsePieces gives what can be read and all mistakes of syntax; whole are those that reading the
// text as a whole gave.
func parsePieces(name string, src []byte, whole Mistakes) (*node, Mistakes) {
	lines := bytes.SplitAfter(src, []byte("\n"))
	starts := startsOf(lines, func(line []byte) bool { return outermostKey.Match(line) })
	if len(starts) == 0 || len(starts) > 1000 {
		return nil, whole
	}
	root := &node{kind: mapKind, line: starts[0] + 1, column: 1}
	var mistakes Mistakes
	for n, start := range starts {
		end := len(lines)
		if n+1 < len(starts) {
			end = starts[n+1]
		}
		entries, wrong := parseBlock(name, lines, start, end)
		root.entries = append(root.entries, entries...)
		mistakes = append(mistakes, wrong...)
	}
	if len(mistakes) == 0 { // each piece is sound, the whole is not
		return nil, whole
	}
	return root, mistakes
}

// parseBlock reads the lines of one outermost key.
func parseBlock(name string, lines [][]byte, start, end int) ([]entry, Mistakes) {
	block, mistakes := parsePiece(name, start, lines[start:end])
	if block != nil {
		return block.entries, mistakes
	}
	indent := -1
	items := startsOf(lines[start+1:end], func(line []byte) bool {
		m := listItem.FindSubmatch(line)
		if m != nil && indent < 0 {
			indent = len(m[1])
		}
		return m != nil && len(m[1]) == indent
	})
	if len(items) < 2 || !strings.HasSuffix(strings.TrimSpace(string(lines[start])), ":") {
		return nil, mistakes
	}
	list := &node{kind: listKind, line: start + 2 + items[0], column: indent + 1}
	mistakes = nil
	for n, first := range items {
		last := end - start - 1
		if n+1 < len(items) {
			last = items[n+1]
		}
		part, wrong := parsePiece(name, start+1+first, lines[start+1+first:start+1+last])
		mistakes = append(mistakes, wrong...)
		if part != nil && part.kind == listKind && len(part.items) == 1 {
			list.items = append(list.items, part.items[0])
		} else {
			list.items = append(list.items, nil) // a broken item keeps its place, so that numbers in paths are right
		}
	}
	key := strings.Trim(strings.TrimSuffix(strings.TrimSpace(string(lines[start])), ":"), `"'`)
	return []entry{{key: key, line: start + 1, column: 1, value: list}}, mistakes
}

// parsePiece reads lines as a text of their own, of which the first stands at line start (from 0).
func parsePiece(name string, start int, lines [][]byte) (*node, Mistakes) {
	root, mistakes := parseText(name, bytes.Join(lines, nil))
	for n := range mistakes {
		mistakes[n].Line += start
	}
	if root != nil {
		root.shift(start)
	}
	return root, mistakes
}

// shift moves a node and all below it down by some lines.
func (n *node) shift(lines int) {
	n.line += lines
	for _, it := range n.items {
		it.shift(lines)
	}
	for i := range n.entries {
		n.entries[i].line += lines
		n.entries[i].value.shift(lines)
	}
}

func startsOf(lines [][]byte, is func([]byte) bool) (starts []int) {
	for n, line := range lines {
		if is(line) {
			starts = append(starts, n)
		}
	}
	return starts
}
