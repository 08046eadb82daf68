package form

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// decoder sets Go values from nodes and gathers mistakes. It does not stop at one.
type decoder struct {
	file     string
	overlay  bool // only what is tagged so is required
	partial  bool // parts of the text are missing: nothing outermost is required
	mistakes Mistakes
	known    map[reflect.Type][]Field
}

func (d *decoder) wrong(path string, line, column int, found, expected string) {
	d.mistakes = append(d.mistakes, Mistake{File: d.file, Line: line, Column: column, Path: path, Found: found, Expected: expected})
}

// unfit reports a node that is not what a type and its rules ask for.
func (d *decoder) unfit(path string, n *node, t reflect.Type, r rules) {
	d.wrong(path, n.line, n.column, n.found(), r.expected(t))
}

// value sets v from n.
func (d *decoder) value(path string, n *node, v reflect.Value, r rules) {
	t := v.Type()
	switch {
	case n.kind == refusedKind:
		return
	case t == timeType:
		d.time(path, n, v, r)
		return
	case t.Kind() == reflect.Pointer:
		target := reflect.New(t.Elem())
		d.value(path, n, target.Elem(), r)
		v.Set(target)
		return
	}
	if w, ok := v.Addr().Interface().(Written); ok {
		if n.kind != textKind || w.UnmarshalText([]byte(n.text)) != nil || v.Kind() == reflect.Int64 && r.outside(v.Int()) {
			d.unfit(path, n, t, r)
		}
		return
	}
	switch t.Kind() {
	case reflect.Struct:
		d.structure(path, n, v)
	case reflect.Slice:
		d.list(path, n, v, r)
	case reflect.Map:
		d.mapping(path, n, v, r)
	default:
		d.scalar(path, n, v, r)
	}
}

func (d *decoder) scalar(path string, n *node, v reflect.Value, r rules) {
	fits := false
	switch v.Kind() {
	case reflect.Bool:
		if fits = n.kind == boolKind; fits {
			v.SetBool(n.text == "true")
		}
	case reflect.Int, reflect.Int64:
		whole, err := strconv.ParseInt(n.text, 10, 64)
		if fits = n.kind == numberKind && err == nil && jsonNumber(n.text) == len(n.text) && !r.outside(whole); fits {
			v.SetInt(whole)
		}
	case reflect.Float64:
		number, err := strconv.ParseFloat(n.text, 64)
		fits = n.kind == numberKind && err == nil && jsonNumber(n.text) == len(n.text)
		if fits = fits && !(r.Min != nil && number < float64(*r.Min) || r.Max != nil && number > float64(*r.Max)); fits {
			v.SetFloat(number + 0) // + 0 makes -0 a plain 0
		}
	case reflect.String:
		d.text(path, n, v, r)
		return
	default:
		panic("form: cannot read into a " + v.Type().String())
	}
	switch {
	case fits:
	case n.kind == numberKind && jsonNumber(n.text) < len(n.text): // 010, 0x10, 1_000, +1, .5, .nan
		d.wrong(path, n.line, n.column, n.found(), r.expected(v.Type())+", in plain decimals")
	default:
		d.unfit(path, n, v.Type(), r)
	}
}

func (d *decoder) text(path string, n *node, v reflect.Value, r rules) {
	switch {
	case n.kind == numberKind || n.kind == boolKind:
		d.wrong(path, n.line, n.column, n.found()+" without quotes", fmt.Sprintf("%s, in quotes: \"%s\"", r.expected(v.Type()), shorten(n.text)))
	case n.kind != textKind,
		r.Enum != nil && !slices.Contains(r.Enum, n.text),
		r.Is != "" && !Fits(r.Is, n.text):
		d.unfit(path, n, v.Type(), r)
	case strings.ContainsFunc(n.text, isControl):
		d.wrong(path, n.line, n.column, Quote(n.text), "text without control characters")
	default:
		v.SetString(n.text)
	}
}

func isControl(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f }

// time reads RFC 3339 and keeps UTC.
func (d *decoder) time(path string, n *node, v reflect.Value, r rules) {
	at, err := time.Parse(time.RFC3339, n.text)
	if at = at.UTC(); n.kind != textKind || err != nil || at.Year() < 1 || at.Year() > 9999 {
		d.unfit(path, n, timeType, r)
		return
	}
	v.Set(reflect.ValueOf(at))
}

func (d *decoder) list(path string, n *node, v reflect.Value, r rules) {
	if n.kind == nullKind && r.mayLack {
		v.SetZero() // a key with nothing under it, as after all its items were deleted
		return
	}
	if n.kind != listKind {
		d.unfit(path, n, v.Type(), r)
		return
	}
	list := reflect.MakeSlice(v.Type(), len(n.items), len(n.items))
	for i, it := range n.items {
		if it != nil { // nil: the place of an item with broken syntax
			d.value(item(path, i), it, list.Index(i), r)
		}
	}
	v.Set(list)
}

// mapping reads a map from text to text.
func (d *decoder) mapping(path string, n *node, v reflect.Value, r rules) {
	if n.kind == nullKind && r.mayLack {
		v.SetZero()
		return
	}
	if n.kind != mapKind {
		d.unfit(path, n, v.Type(), r)
		return
	}
	m := reflect.MakeMapWithSize(v.Type(), len(n.entries))
	seen := map[string]int{}
	for _, e := range n.entries {
		if d.isDouble(path, e, seen) {
			continue
		}
		if strings.TrimSpace(e.key) == "" {
			d.wrong(path, e.line, e.column, "an empty key", "a name")
			continue
		}
		value := reflect.New(v.Type().Elem()).Elem()
		d.value(join(path, e.key), e.value, value, r)
		m.SetMapIndex(reflect.ValueOf(e.key).Convert(v.Type().Key()), value)
	}
	v.Set(m)
}

// isDouble reports a key that a mapping holds twice.
func (d *decoder) isDouble(path string, e entry, seen map[string]int) bool {
	if line, double := seen[e.key]; double {
		d.wrong(join(path, e.key), e.line, e.column, "the key "+Quote(e.key)+" a second time", "it once: it stands in line "+strconv.Itoa(line)+" already")
		return true
	}
	seen[e.key] = e.line
	return false
}

func (d *decoder) structure(path string, n *node, v reflect.Value) {
	t := v.Type()
	fields := d.fields(t)
	if n.kind != mapKind {
		found := n.found()
		if path == "" && n.kind == nullKind {
			found = "an empty text"
		}
		d.wrong(path, n.line, n.column, found, "a mapping with "+keysOf(fields))
		return
	}
	seen := map[string]int{}
	for _, e := range n.entries {
		if d.isDouble(path, e, seen) {
			continue
		}
		at := slices.IndexFunc(fields, func(f Field) bool { return f.Key == e.key })
		if at < 0 {
			d.wrong(join(path, e.key), e.line, e.column, "the unknown key "+Quote(e.key), nearest(e.key, fields))
			continue
		}
		d.value(join(path, e.key), e.value, v.Field(fields[at].Index), fields[at].rules)
	}
	for _, f := range fields {
		_, named := seen[f.Key]
		required := f.Always || f.Required && !d.overlay
		if required && !named && !(d.partial && path == "") {
			d.wrong(join(path, f.Key), n.line, n.column, "nothing", f.Key+" ("+f.expected(t.Field(f.Index).Type)+")")
		}
	}
}

func (d *decoder) fields(t reflect.Type) []Field {
	fields, ok := d.known[t]
	if !ok {
		fields = Fields(t)
		d.known[t] = fields
	}
	return fields
}

func keysOf(fields []Field) string {
	keys := make([]string, len(fields))
	for n, f := range fields {
		keys[n] = f.Key
	}
	return "keys among " + strings.Join(keys, ", ")
}

// nearest suggests the known key that a mistyped one most likely stands for.
func nearest(key string, fields []Field) string {
	keys := make([]string, len(fields))
	for n, f := range fields {
		keys[n] = f.Key
	}
	if best, found := Nearest(key, keys); found {
		return best
	}
	return keysOf(fields)
}

// Nearest gives the known word that a mistyped one most likely stands for, if one is like it.
func Nearest(word string, known []string) (best string, found bool) {
	least := math.MaxInt
	for _, k := range known {
		if far := distance(strings.ToLower(word), strings.ToLower(k)); far < least {
			best, least = k, far
		}
	}
	return best, least <= max(1, len(best)/3)
}

// distance counts the letters to insert, drop, change or swap to make one word of the other.
func distance(a, b string) int {
	if len(a) > 64 {
		return math.MaxInt
	}
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
