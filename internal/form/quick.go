package form

import (
	"bytes"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Quick reads JSON objects that have no mistake, many of the same types, without making a tree of each. It
// says no to all else, also to some texts that are sound, such as those with escapes: Decoder reads those,
// and says what is wrong. What Quick reads, Decoder reads the same.
//
// Equal texts are kept once. A Quick is for one text, and not for several goroutines.
type Quick struct {
	src    []byte
	pos    int
	shapes map[reflect.Type]*shape
	words  map[string]string
	zones  map[string]bool // whether a text is a zone: slow to tell
	list   []string        // the texts of the list that is being read
}

// A fleet of a million instances has some hundred thousand texts that stand in it more than once; what is
// long or comes later is not looked for.
const (
	longestWord = 128
	mostWords   = 1 << 19
)

// Peek gives the text under a key of an object, wherever the key stands; "" when there is none.
func (q *Quick) Peek(src []byte, key string) string {
	q.src, q.pos = src, 0
	for depth := 0; q.pos < len(src); {
		switch src[q.pos] {
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		case '"':
			text, ok := q.quoted()
			if !ok {
				return ""
			}
			if depth == 1 && string(text) == key && q.took(':') {
				value, _ := q.quoted()
				return q.word(value)
			}
			continue // behind the closing quote
		}
		q.pos++
	}
	return ""
}

// Read sets the struct that into points to, which must be zero, from an object that has the key skip beside
// those of the struct. When it says no, the struct is of no use.
func (q *Quick) Read(src []byte, skip string, into any) (ok bool) {
	v := reflect.ValueOf(into).Elem()
	q.src, q.pos = src, 0
	s := q.shapeOf(v.Type())
	return s.is == structShape && q.structure(v, s, skip) && q.next() == 0 && q.pos == len(q.src)
}

func (q *Quick) next() byte {
	for ; q.pos < len(q.src); q.pos++ {
		if c := q.src[q.pos]; c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return c
		}
	}
	return 0
}

// took goes past a byte, if it stands there.
func (q *Quick) took(c byte) bool {
	if q.next() != c || q.pos == len(q.src) {
		return false
	}
	q.pos++
	return true
}

// quoted gives what stands between double quotes, as long as that is what it means.
func (q *Quick) quoted() ([]byte, bool) {
	if !q.took('"') {
		return nil, false
	}
	start := q.pos
	for n, c := range q.src[start:] {
		switch {
		case c == '"':
			q.pos = start + n + 1
			return q.src[start : start+n], true
		case c == '\\' || c < ' ' || c == 0x7f:
			return nil, false
		}
	}
	return nil, false
}

// word gives a text that stands in memory once.
func (q *Quick) word(text []byte) string {
	if known, ok := q.words[string(text)]; ok {
		return known
	}
	fresh := string(text)
	if len(text) <= longestWord && len(q.words) < mostWords {
		if q.words == nil {
			q.words = map[string]string{}
		}
		q.words[fresh] = fresh
	}
	return fresh
}

func (q *Quick) value(v reflect.Value, s *shape, r *rules) bool {
	switch s.is {
	case textShape:
		text, ok := q.text(r)
		v.SetString(text)
		return ok
	case writtenShape:
		text, ok := q.text(r)
		return ok && v.Addr().Interface().(Written).UnmarshalText([]byte(text)) == nil && (v.Kind() != reflect.Int64 || !r.outside(v.Int()))
	case wholeShape:
		n, ok := q.whole()
		v.SetInt(n)
		return ok && !r.outside(n)
	case numberShape:
		return q.number(v, r)
	case boolShape:
		return q.truth(v)
	case timeShape:
		return q.time(v)
	case pointerShape:
		target := reflect.New(v.Type().Elem())
		v.Set(target)
		return q.value(target.Elem(), s.of, r)
	case structShape:
		return q.structure(v, s, "")
	case wordsShape:
		return q.texts(v, r)
	case listShape:
		return q.items(v, s, r)
	case mapShape:
		return q.mapping(v, s, r)
	}
	return false
}

func (q *Quick) structure(v reflect.Value, s *shape, skip string) bool {
	if !q.took('{') {
		return false
	}
	var seen uint64
	skipped := skip == ""
	for at := 0; !q.took('}'); {
		if (seen != 0 || skipped && skip != "") && !q.took(',') {
			return false
		}
		key, ok := q.quoted()
		if !ok || !q.took(':') {
			return false
		}
		if !skipped && string(key) == skip {
			if _, skipped = q.quoted(); !skipped {
				return false
			}
			continue
		}
		if at = s.find(key, at); at < 0 || seen&(1<<at) != 0 {
			return false
		}
		seen |= 1 << at
		if f := &s.fields[at]; !q.value(v.Field(f.Index), f.shape, &f.rules) {
			return false
		}
	}
	return skipped && s.required&^seen == 0
}

func (q *Quick) text(r *rules) (string, bool) {
	raw, ok := q.quoted()
	if !ok {
		return "", false
	}
	if r.Is == "id" { // names one thing; those who refer to it have no such rule
		return string(raw), isID(raw)
	}
	text := q.word(raw)
	switch {
	case r.Enum != nil:
		return text, slices.Contains(r.Enum, text)
	case r.Is == "zone":
		return text, q.isZone(text)
	case r.Is != "":
		return text, Fits(r.Is, text)
	}
	return text, true
}

func (q *Quick) isZone(text string) bool {
	is, known := q.zones[text]
	if !known {
		if q.zones == nil {
			q.zones = map[string]bool{}
		}
		is = Fits("zone", text)
		q.zones[text] = is
	}
	return is
}

// whole reads a whole number in plain decimals, of no more digits than surely fit.
func (q *Quick) whole() (n int64, ok bool) {
	negative := q.took('-')
	if !negative {
		q.next()
	}
	start := q.pos
	for ; q.pos < len(q.src) && q.src[q.pos] >= '0' && q.src[q.pos] <= '9'; q.pos++ {
		n = n*10 + int64(q.src[q.pos]-'0')
	}
	digits := q.pos - start
	if digits == 0 || digits > 18 || digits > 1 && q.src[start] == '0' {
		return 0, false
	}
	if negative {
		n = -n
	}
	return n, true
}

func (q *Quick) number(v reflect.Value, r *rules) bool {
	q.next()
	end := q.pos
	for end < len(q.src) && strings.IndexByte("0123456789+-.eE", q.src[end]) >= 0 {
		end++
	}
	text := string(q.src[q.pos:end])
	number, err := strconv.ParseFloat(text, 64)
	if err != nil || jsonNumber(text) != len(text) || r.Min != nil && number < float64(*r.Min) || r.Max != nil && number > float64(*r.Max) {
		return false
	}
	q.pos = end
	v.SetFloat(number + 0) // + 0 makes -0 a plain 0
	return true
}

func (q *Quick) truth(v reflect.Value) bool {
	q.next()
	switch rest := q.src[q.pos:]; {
	case bytes.HasPrefix(rest, []byte("true")):
		q.pos += len("true")
		v.SetBool(true)
	case bytes.HasPrefix(rest, []byte("false")):
		q.pos += len("false")
	default:
		return false
	}
	return true
}

func (q *Quick) time(v reflect.Value) bool {
	text, ok := q.quoted()
	if !ok {
		return false
	}
	at, err := time.Parse(time.RFC3339, string(text))
	if at = at.UTC(); err != nil || at.Year() < 1 || at.Year() > 9999 {
		return false
	}
	v.Set(reflect.ValueOf(at))
	return true
}
