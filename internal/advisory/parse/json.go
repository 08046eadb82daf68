package parse

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Bounds on one document, far above what any feed publishes: they keep a hostile one from taking the
// machine's memory. A yearly feed of NVD nests 12 deep; a page of 2,000 records has 600,000 values.
const (
	maxDepth  = 100
	maxValues = 2_000_000
	maxPath   = 200 // characters of a path that a message shows
)

// node is one JSON value together with where it stands, so that what is wrong with it can be
// shown to the line and column.
type node struct {
	at     int // byte offset of the value's first character
	path   string
	value  any // string, bool, json.Number or nil; unused for the two below
	object map[string]*node
	keys   []string // of object, in the order of the text
	array  []*node
	kind   string // as people call it: an object, an array, text, a number, true or false, null
}

// tree reads the whole text; nil when it is not JSON.
func (d *document) tree() *node {
	// Unmarshal first: it knows the place of a syntax error and refuses bottomless nesting, which
	// the walk below would follow.
	var whole json.RawMessage
	if err := json.Unmarshal(d.src, &whole); err != nil {
		d.syntax(err)
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(d.src))
	dec.UseNumber()
	root, err := d.next(dec, "", 0)
	switch {
	case errors.Is(err, errTooMuch):
		return nil // told where it was met
	case err != nil:
		d.syntax(err)
		return nil
	}
	return root
}

var errTooMuch = errors.New("a document beyond its bounds")

func (d *document) syntax(err error) {
	at, found := len(d.src), "the end of the file"
	var se *json.SyntaxError
	if errors.As(err, &se) && int(se.Offset) <= len(d.src) && len(bytes.TrimSpace(d.src)) > 0 {
		// The offset counts the offending byte; at the text's end there is none.
		if at = max(int(se.Offset)-1, 0); se.Error() != "unexpected end of JSON input" {
			found = se.Error()
		} else {
			at = len(d.src)
		}
	}
	d.wrong(at, "", found, "JSON")
}

// next takes the next value off dec.
func (d *document) next(dec *json.Decoder, path string, depth int) (*node, error) {
	at := d.skip(int(dec.InputOffset()))
	if d.values++; d.values > maxValues || depth > maxDepth {
		d.wrong(at, path, "more than "+strconv.Itoa(maxValues)+" values, or more than "+strconv.Itoa(maxDepth)+" inside each other", "an advisory, or a page of them: smaller pieces can be read one by one")
		return nil, errTooMuch
	}
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	n := &node{at: at, path: path}
	switch tok := tok.(type) {
	case json.Delim:
		if tok == '{' {
			n.kind, n.object = "an object", map[string]*node{}
			return n, d.nextObject(dec, n, depth)
		}
		n.kind, n.array = "an array", []*node{}
		for dec.More() {
			child, err := d.next(dec, within(path, "["+strconv.Itoa(len(n.array))+"]"), depth+1)
			if err != nil {
				return nil, err
			}
			n.array = append(n.array, child)
		}
		_, err = dec.Token()
		return n, err
	case string:
		n.kind = "text"
	case json.Number:
		n.kind = "a number"
	case bool:
		n.kind = "true or false"
	case nil:
		n.kind = "null"
	}
	n.value = tok
	return n, nil
}

func (d *document) nextObject(dec *json.Decoder, n *node, depth int) error {
	for dec.More() {
		at := d.skip(int(dec.InputOffset()))
		tok, err := dec.Token()
		if err != nil {
			return err
		}
		key, _ := tok.(string)
		path := under(n.path, key)
		child, err := d.next(dec, path, depth+1)
		if err != nil {
			return err
		}
		if _, twice := n.object[key]; twice {
			d.wrong(at, path, "this key a second time", "each key once")
			continue
		}
		n.object[key] = child
		n.keys = append(n.keys, key)
	}
	_, err := dec.Token()
	return err
}

// skip goes on to the next value: over blanks and the punctuation between values.
func (d *document) skip(at int) int {
	for at < len(d.src) && bytes.IndexByte([]byte(" \t\r\n,:"), d.src[at]) >= 0 {
		at++
	}
	return at
}

// show tells a value for a message, cut to a readable length.
func (n *node) show() string {
	switch v := n.value.(type) {
	case string:
		return quote(v)
	case json.Number, bool:
		return cut(fmt.Sprint(v), 40)
	}
	return n.kind
}

func quote(s string) string { return strconv.Quote(cut(s, 40)) }

// cut shortens a text to some characters.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for i := range s {
		if most--; most < 0 {
			return s[:i] + "..."
		}
	}
	return s
}

// text gives a text field; ok is false when it is absent, null or of another kind (a mistake).
func (d *document) text(n *node, key string) (s string, child *node, ok bool) {
	child = n.object[key]
	if child == nil || child.kind == "null" {
		return "", child, false
	}
	s, ok = child.value.(string)
	if !ok {
		d.wrong(child.at, child.path, child.show(), "text")
	}
	return s, child, ok
}

// must gives a text field that has to be there and say something: a name, a version. Such texts are
// compared and shown, so they hold no control characters.
func (d *document) must(n *node, key, what string) string {
	s, child, ok := d.text(n, key)
	switch {
	case child == nil:
		d.wrong(n.at, under(n.path, key), "nothing", what)
	case child.kind == "null" || (ok && !isName(s)):
		d.wrong(child.at, child.path, child.show(), what)
	}
	return s
}

func isName(s string) bool {
	return strings.TrimSpace(s) != "" && !strings.ContainsFunc(s, steers)
}

// under is the path of a key. A path is cut where it grows longer than a message can show.
func under(path, key string) string {
	if path == "" {
		return cut(key, maxPath)
	}
	return within(path, "."+key)
}

func within(path, step string) string {
	if len(path) >= maxPath {
		return path
	}
	return path + cut(step, maxPath)
}

// list gives the elements of an array field; none when it is absent or null.
func (d *document) list(n *node, key string) []*node {
	child := n.object[key]
	if child == nil || child.kind == "null" {
		return nil
	}
	if child.array == nil {
		d.wrong(child.at, child.path, child.show(), "an array")
	}
	return child.array
}

// objects gives the elements of an array field that are objects; others are mistakes.
func (d *document) objects(n *node, key, what string) (out []*node) {
	for _, e := range d.list(n, key) {
		if e.object == nil {
			d.wrong(e.at, e.path, e.show(), what)
			continue
		}
		out = append(out, e)
	}
	return out
}

// texts gives an array field of names.
func (d *document) texts(n *node, key string) (out []string) {
	for _, e := range d.list(n, key) {
		s, ok := e.value.(string)
		switch {
		case !ok:
			d.wrong(e.at, e.path, e.show(), "text")
		case !isName(s):
			d.wrong(e.at, e.path, e.show(), "a name without control characters")
		default:
			out = append(out, s)
		}
	}
	return out
}

// moment reads a time of RFC 3339; zero when it is absent.
func (d *document) moment(n *node, key string) time.Time {
	s, child, ok := d.text(n, key)
	if !ok {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil || t.IsZero() {
		d.wrong(child.at, child.path, child.show(), "a moment such as 2026-01-02T03:04:05Z")
	}
	return t.UTC()
}
