package form

import (
	"encoding"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Encode writes a struct as YAML, such that Decode gives the same struct again. Keys come in the
// order of the struct, those of maps sorted; what is empty and not required is left out. A value
// that no text form can hold panics: it is a bug in this program.
func Encode(v any) []byte {
	e := &encoder{}
	e.structure(reflect.Indirect(reflect.ValueOf(v)), 0)
	return e.out
}

type encoder struct{ out []byte }

func (e *encoder) indent(depth int) { e.out = append(e.out, strings.Repeat("  ", depth)...) }

func (e *encoder) put(parts ...string) {
	for _, p := range parts {
		e.out = append(e.out, p...)
	}
}

// structure writes a struct's keys, each on a line of its own.
func (e *encoder) structure(v reflect.Value, depth int) {
	for _, f := range Fields(v.Type()) {
		field := v.Field(f.Index)
		if isEmpty(field) && !f.keeps(field) {
			continue
		}
		e.indent(depth)
		e.put(f.Key, ":")
		e.value(field, depth)
	}
}

// keeps: whether a key is written although there is nothing to say: a required list as [], and a
// zero such as `shared: false` whose tag has no omitempty.
func (f Field) keeps(v reflect.Value) bool {
	if v.Kind() == reflect.Slice || v.Kind() == reflect.Map {
		return f.Required
	}
	return !f.OmitEmpty
}

// isEmpty: a list or map that is there but holds nothing is not empty, for it may say just that.
func isEmpty(v reflect.Value) bool {
	switch {
	case v.Type() == timeType:
		return v.Interface().(time.Time).IsZero()
	case v.Kind() != reflect.Struct:
		return v.IsZero()
	}
	for n := range v.NumField() {
		if !isEmpty(v.Field(n)) {
			return false
		}
	}
	return true
}

// value writes what follows a key's colon, to the end of the line or below it.
func (e *encoder) value(v reflect.Value, depth int) {
	if text, ok := scalar(v); ok {
		e.put(" ", text, "\n")
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		e.value(v.Elem(), depth)
	case reflect.Struct:
		e.put("\n")
		e.structure(v, depth+1)
	case reflect.Slice:
		e.list(v, depth)
	case reflect.Map:
		e.mapping(v, depth)
	default:
		panic("form: cannot write a " + v.Type().String())
	}
}

func (e *encoder) list(v reflect.Value, depth int) {
	if v.Len() == 0 {
		e.put(" []\n")
		return
	}
	var words []string
	for n := range v.Len() {
		if text, ok := scalar(v.Index(n)); ok {
			words = append(words, text)
		}
	}
	if len(words) == v.Len() {
		e.put(" [", strings.Join(words, ", "), "]\n")
		return
	}
	e.put("\n")
	for n := range v.Len() {
		start := len(e.out)
		e.structure(v.Index(n), depth+2)
		if len(e.out) == start {
			e.indent(depth + 2)
			e.put("{}\n")
		}
		e.out[start+2*depth+2] = '-' // in place of the first key's indentation
	}
}

func (e *encoder) mapping(v reflect.Value, depth int) {
	if v.Len() == 0 {
		e.put(" {}\n")
		return
	}
	e.put("\n")
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	for _, key := range keys {
		e.indent(depth + 1)
		e.put(quoted(key.String()), ":")
		value := v.MapIndex(key)
		if _, word := scalar(value); !word && isEmpty(value) {
			e.put(" {}\n") // a struct of which nothing is said
			continue
		}
		e.value(value, depth+1)
	}
}

// scalar writes what fits into one word.
func scalar(v reflect.Value) (text string, ok bool) {
	switch x := v.Interface().(type) {
	case time.Time:
		return x.UTC().Format(time.RFC3339Nano), true
	case encoding.TextMarshaler:
		text, err := x.MarshalText()
		if err != nil {
			panic(fmt.Sprintf("form: %v cannot be written: %v", x, err))
		}
		return quoted(string(text)), true
	}
	switch v.Kind() {
	case reflect.String:
		return quoted(v.String()), true
	case reflect.Bool:
		return strconv.FormatBool(v.Bool()), true
	case reflect.Int, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10), true
	case reflect.Float64:
		return strconv.FormatFloat(v.Float(), 'g', -1, 64), true
	}
	return "", false
}

// plain texts need no quotes in YAML 1.1 or 1.2, whoever reads them.
var (
	plain     = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./@+~-]*$|^[0-9]+[A-Za-z]+[0-9A-Za-z.:+~-]*[A-Za-z]$`)
	notPlain  = regexp.MustCompile(`(?i)^(y|n|yes|no|on|off|true|false|null)$`)
	numerical = regexp.MustCompile(`(?i)^[0-9][0-9a-fx._]*$|e[+-]?[0-9]*$|^0`)
)

// quoted writes a text, in double quotes when anything could take it for something else.
func quoted(text string) string {
	digit := text != "" && unicode.IsDigit(rune(text[0]))
	if plain.MatchString(text) && !notPlain.MatchString(text) && !(digit && numerical.MatchString(text)) {
		return text
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r > 0xffff && !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\U%08x`, r)
		case !unicode.IsPrint(r) || r == '\ufeff':
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
