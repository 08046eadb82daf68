package form

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Field is what a struct says about one of its keys.
type Field struct {
	Key      string
	Index    int // of the field in the struct
	Required bool
	Always   bool // required even when only what is named changes
	// OmitEmpty: a zero is left out when it is written.
	OmitEmpty bool
	rules
}

// rules bound the values of a field.
type rules struct {
	Min, Max *int64
	Unit     string
	Enum     []string
	Is       string // a format of formats.go
	mayLack  bool   // not required
}

// Written is implemented by types that are read from text, to say what the text looks like.
type Written interface {
	encoding.TextUnmarshaler
	// Written completes the sentence "expected ...", e.g. "a duration such as 90s or 2h".
	Written() string
}

// Fields gives the keys of a struct in its own order. A tag that cannot be understood panics: it
// is a bug in this program.
func Fields(t reflect.Type) []Field {
	var fields []Field
	for n := range t.NumField() {
		sf := t.Field(n)
		key, options, _ := strings.Cut(sf.Tag.Get("yaml"), ",")
		if !sf.IsExported() || key == "-" || key == "" {
			continue
		}
		omit := strings.Contains(options, "omitempty")
		f := Field{Key: key, Index: n, Required: !omit, OmitEmpty: omit}
		for _, word := range strings.Split(sf.Tag.Get("form"), ",") {
			f.tag(t.Name()+"."+sf.Name, word)
		}
		f.mayLack = !f.Required
		fields = append(fields, f)
	}
	return fields
}

func (f *Field) tag(where, word string) {
	name, value, _ := strings.Cut(word, "=")
	switch name {
	case "":
	case "optional":
		f.Required = false
	case "required":
		f.Required, f.Always = true, true
	case "min", "max":
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil {
			panic("form: the tag of " + where + " has a bound that is no number: " + word)
		}
		if name == "min" {
			f.Min = &n
		} else {
			f.Max = &n
		}
	case "unit":
		f.Unit = value
	case "enum":
		f.Enum = strings.Split(value, "|")
	case "is":
		if _, known := formats[value]; !known {
			panic("form: the tag of " + where + " names an unknown format: " + word)
		}
		f.Is = value
	default:
		panic("form: the tag of " + where + " has an unknown word: " + word)
	}
}

var timeType = reflect.TypeFor[time.Time]()

// expected says in words what a value of a type must be.
func (r rules) expected(t reflect.Type) string {
	if t == timeType {
		return "a time with its zone, such as 2026-03-01T02:00:00Z"
	}
	if w, ok := reflect.New(t).Interface().(Written); ok {
		return w.Written() + r.bounds(0)
	}
	switch t.Kind() {
	case reflect.Pointer:
		return r.expected(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number" + r.unit() + r.bounds(1)
	case reflect.Float64:
		return "a number" + r.unit() + r.bounds(0)
	case reflect.String:
		switch {
		case r.Enum != nil:
			return oneOf(r.Enum)
		case r.Is != "":
			return formats[r.Is].expected
		}
		return "text"
	case reflect.Slice:
		return "a list"
	}
	return "a mapping"
}

func (r rules) unit() string {
	if r.Unit == "" {
		return ""
	}
	return " of " + r.Unit
}

// bounds says the range; step is 1 for whole numbers, where 'from 1' reads better as 'above 0'.
func (r rules) bounds(step int64) string {
	switch {
	case r.Min != nil && r.Max != nil:
		return fmt.Sprintf(" from %d to %d", *r.Min, *r.Max)
	case r.Max != nil:
		return fmt.Sprintf(" of at most %d", *r.Max)
	case r.Min != nil && *r.Min == 1:
		return " above 0"
	case r.Min != nil && (step == 1 || *r.Min != 0):
		return fmt.Sprintf(", %d or more", *r.Min)
	case r.Min != nil:
		return ", not negative"
	}
	return ""
}

// outside tells whether a whole number is out of bounds.
func (r rules) outside(n int64) bool {
	return r.Min != nil && n < *r.Min || r.Max != nil && n > *r.Max
}

// oneOf lists the texts that are allowed.
func oneOf(words []string) string {
	if len(words) == 1 {
		return words[0]
	}
	return "one of " + strings.Join(words, ", ")
}
