package parse

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gocsaf/csaf/v3/csaf"

	"github.com/evenkeel/evenkeel/internal/form"
)

// breaks says where the document breaks the published JSON schema of CSAF 2.0, each with line and
// column. What judging needs was read before, and its mistakes refuse the document; these are in
// parts that nothing is judged by.
func (c *csafReader) breaks(root *node) (gaps []string) {
	found, err := csaf.ValidateCSAF(root.plain())
	if err != nil {
		return []string{"whether it keeps to the schema of CSAF 2.0 was not seen: " + err.Error()}
	}
	const most = 5
	asked := document{name: c.name, src: c.src} // places are counted by a document, and these are no mistakes of this one
	told := map[string]bool{}                   // places that something is said of, and those around them
	for _, text := range found {
		if pointer, message, _ := strings.Cut(text, ": "); message != invalid {
			for ; pointer != "" && !told[pointer]; pointer = pointer[:strings.LastIndexByte(pointer, '/')] {
				told[pointer] = true
				if !strings.HasPrefix(pointer, "/") {
					break
				}
			}
		}
	}
	seen := map[string]bool{}
	for _, text := range found {
		pointer, message, ok := strings.Cut(text, ": ")
		if !ok || message == invalid && told[pointer] || strings.HasPrefix(message, "'oneOf' failed") {
			continue // it only says that something inside it is broken, which is told there
		}
		message = steady(message)
		if at := root.pointed(pointer); !seen[text] {
			seen[text] = true
			asked.wrong(at.at, at.path, message, "")
		}
	}
	places := asked.placed().Sort()
	for _, m := range places[:min(len(places), most)] {
		gaps = append(gaps, "it breaks the schema of CSAF 2.0 at "+spotOf(m)+": "+m.Found)
	}
	if more := len(places) - most; more > 0 {
		gaps = append(gaps, "it breaks the schema of CSAF 2.0 in "+strconv.Itoa(more)+" further places")
	}
	return gaps
}

// steady puts the names in a message in order: the validator lists them as its map gives them.
func steady(message string) string {
	from, to := strings.Index(message, "'"), strings.LastIndex(message, "'")
	if from < 0 || from == to || !strings.Contains(message[from:to], "', '") {
		return message
	}
	names := strings.Split(message[from+1:to], "', '")
	slices.Sort(names)
	return message[:from+1] + strings.Join(names, "', '") + message[to:]
}

// invalid is what the validator says of a value in which something is broken.
const invalid = "validation failed"

func spotOf(m form.Mistake) string {
	return m.File + ":" + strconv.Itoa(m.Line) + ":" + strconv.Itoa(m.Column) + ": " + m.Path
}

// plain gives a node as the values that package json decodes to, with numbers as they are written.
func (n *node) plain() any {
	switch {
	case n.object != nil:
		out := make(map[string]any, len(n.object))
		for key, child := range n.object {
			out[key] = child.plain()
		}
		return out
	case n.array != nil:
		out := make([]any, len(n.array))
		for i, child := range n.array {
			out[i] = child.plain()
		}
		return out
	}
	return n.value
}

// pointed gives the node that a JSON pointer (RFC 6901) names, or the last one on the way to it.
func (n *node) pointed(pointer string) *node {
	for _, step := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
		next := n.object[step]
		if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(n.array) {
			next = n.array[i]
		}
		if next == nil {
			return n
		}
		n = next
	}
	return n
}
