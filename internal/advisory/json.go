package advisory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/evenkeel/evenkeel/internal/form"
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

// document is one JSON text being read; it collects what is wrong.
type document struct {
	name     string
	src      []byte
	mistakes form.Mistakes
}

func (d *document) wrong(at int, path, found, expected string) {
	line, column := position(d.src, at)
	d.mistakes = append(d.mistakes, form.Mistake{File: d.name, Line: line, Column: column, Path: path, Found: found, Expected: expected})
}

// position counts lines and characters from 1.
func position(src []byte, at int) (line, column int) {
	at = min(at, len(src))
	head := src[:at]
	return bytes.Count(head, []byte("\n")) + 1, utf8.RuneCount(head[bytes.LastIndexByte(head, '\n')+1:]) + 1
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
	root, err := d.read(dec, "")
	if err != nil {
		d.syntax(err)
		return nil
	}
	return root
}

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

// read takes the next value off dec.
func (d *document) read(dec *json.Decoder, path string) (*node, error) {
	at := d.skip(int(dec.InputOffset()))
	tok, err := dec.Token()
	if err != nil {
		return nil, err
	}
	n := &node{at: at, path: path}
	switch tok := tok.(type) {
	case json.Delim:
		if tok == '{' {
			n.kind, n.object = "an object", map[string]*node{}
			return n, d.readObject(dec, n)
		}
		n.kind, n.array = "an array", []*node{}
		for dec.More() {
			child, err := d.read(dec, path+"["+strconv.Itoa(len(n.array))+"]")
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

func (d *document) readObject(dec *json.Decoder, n *node) error {
	for dec.More() {
		at := d.skip(int(dec.InputOffset()))
		tok, err := dec.Token()
		if err != nil {
			return err
		}
		key, _ := tok.(string)
		path := key
		if n.path != "" {
			path = n.path + "." + key
		}
		child, err := d.read(dec, path)
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
		if r := []rune(v); len(r) > 40 {
			v = string(r[:40]) + "..."
		}
		return strconv.Quote(v)
	case json.Number, bool:
		return fmt.Sprint(v)
	}
	return n.kind
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

// must gives a text field that has to be there and not be empty.
func (d *document) must(n *node, key, what string) string {
	s, child, ok := d.text(n, key)
	switch {
	case child == nil:
		d.wrong(n.at, under(n.path, key), "nothing", what)
	case child.kind == "null" || (ok && s == ""):
		d.wrong(child.at, child.path, child.show(), what)
	}
	return s
}

func under(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
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

// texts gives an array field of texts.
func (d *document) texts(n *node, key string) (out []string) {
	for _, e := range d.list(n, key) {
		if s, ok := e.value.(string); ok {
			out = append(out, s)
		} else {
			d.wrong(e.at, e.path, e.show(), "text")
		}
	}
	return out
}
