package plan

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// A plan of a million instances is most of a gigabyte as JSON, and encoding/json holds all of what it
// writes. So the long lists are cut down to their first element, what is left is written as usual, and the
// other elements are put in where the first one stands, one at a time. The text is the same to the byte.

// longList is a list that was cut down.
type longList struct {
	key   string // as it stands in the text before the first element, such as "turns":[
	first any
	rest  int
	at    func(n int) any // the n-th of the rest
	depth int             // 1: of the plan itself; 2: of its fleet
}

// cutPlan cuts the plan's long lists, in the order of the text. The plan that was given keeps them.
func cutPlan(p Plan) (Plan, []longList) {
	var lists []longList
	if p.Fleet != nil {
		f, of := cutFleet(p.Fleet, 2)
		p.Fleet, lists = f, of
	}
	p.Turns = cut(&lists, "turns", 1, p.Turns)
	p.Moves = cut(&lists, "moves", 1, p.Moves)
	p.Slots = cut(&lists, "slots", 1, p.Slots)
	return p, lists
}

func cutFleet(f *fleet.Fleet, depth int) (*fleet.Fleet, []longList) {
	var lists []longList
	short := *f
	short.Tenants = cut(&lists, "tenants", depth, f.Tenants)
	short.Groups = cut(&lists, "groups", depth, f.Groups)
	short.Hosts = cut(&lists, "hosts", depth, f.Hosts)
	short.Instances = cut(&lists, "instances", depth, f.Instances)
	return &short, lists
}

func cut[T any](lists *[]longList, key string, depth int, all []T) []T {
	if len(all) < 2 {
		return all
	}
	*lists = append(*lists, longList{key, &all[0], len(all) - 1, func(n int) any { return &all[n+1] }, depth})
	return all[:1]
}

// writeLong writes what is left of a value whose lists were cut, with their elements put in.
func writeLong(to io.Writer, short any, lists []longList, indented bool) error {
	out, one := bufio.NewWriterSize(to, 1<<16), &writing{indented: indented}
	text, err := one.text(short, 0)
	if err != nil {
		return err
	}
	text = slices.Clone(text)
	for _, l := range lists {
		first, err := one.text(l.first, l.depth+1)
		if err != nil {
			return err
		}
		// such a text stands nowhere else: in strings, quotes are escaped
		mark := slices.Concat([]byte(`"`+l.key+`":`), one.space(), []byte("["), one.newline(l.depth+1), first)
		n := bytes.Index(text, mark)
		if n < 0 {
			return fmt.Errorf("plan: the list %s is not where it was written", l.key)
		}
		n += len(mark)
		_, _ = out.Write(text[:n]) // a bufio.Writer keeps its first error for Flush
		text = text[n:]
		comma := append([]byte(","), one.newline(l.depth+1)...)
		for k := range l.rest {
			next, err := one.text(l.at(k), l.depth+1)
			if err != nil {
				return err
			}
			_, _ = out.Write(comma)
			_, _ = out.Write(next)
		}
	}
	_, _ = out.Write(text)
	if indented {
		_ = out.WriteByte('\n')
	}
	return out.Flush()
}

// writing makes the text of one value at a time, and uses its memory again.
type writing struct {
	indented bool
	buffer   bytes.Buffer
	object   object
	encoders [4]*json.Encoder // by depth
}

func (w *writing) text(v any, depth int) ([]byte, error) {
	if p, is := v.(plain); is {
		return w.object.of(p, w.newline(depth), w.indented)
	}
	e := w.encoders[depth]
	if e == nil {
		e = json.NewEncoder(&w.buffer)
		if w.indented {
			e.SetEscapeHTML(false)
			e.SetIndent(string(w.margin(depth)), "  ")
		}
		w.encoders[depth] = e
	}
	w.buffer.Reset()
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(w.buffer.Bytes(), []byte("\n")), nil
}

func (w *writing) margin(depth int) []byte { return bytes.Repeat([]byte("  "), depth) }

func (w *writing) newline(depth int) []byte {
	if !w.indented {
		return nil
	}
	return append([]byte("\n"), w.margin(depth)...)
}

func (w *writing) space() []byte {
	if !w.indented {
		return nil
	}
	return []byte(" ")
}
