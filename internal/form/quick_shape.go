package form

import "reflect"

// shapeKind is what Quick does with a value. Types that it does not know have none.
type shapeKind uint8

const (
	noShape shapeKind = iota
	textShape
	wholeShape
	numberShape
	boolShape
	timeShape
	pointerShape
	structShape
	wordsShape // a list of texts
	listShape
	mapShape
	writtenShape // of a type that reads itself from text
)

// shape is a type as Quick reads it, looked at once.
type shape struct {
	is       shapeKind
	of       *shape // what a pointer points to, the items of a list, the values of a map
	fields   []shapeField
	required uint64 // by the fields' places
}

type shapeField struct {
	Field
	shape *shape
}

// find gives the place of a key. Writers keep one order: it is looked for from the last one on.
func (s *shape) find(key []byte, from int) int {
	for n := from; n < len(s.fields); n++ {
		if string(key) == s.fields[n].Key {
			return n
		}
	}
	for n := range from {
		if string(key) == s.fields[n].Key {
			return n
		}
	}
	return -1
}

var writtenType = reflect.TypeFor[Written]()

func (q *Quick) shapeOf(t reflect.Type) *shape {
	if s := q.shapes[t]; s != nil {
		return s
	}
	if q.shapes == nil {
		q.shapes = map[reflect.Type]*shape{}
	}
	s := &shape{}
	q.shapes[t] = s // before its parts: a type may hold itself
	switch {
	case t == timeType:
		s.is = timeShape
	case t.Kind() == reflect.Pointer:
		s.is, s.of = pointerShape, q.shapeOf(t.Elem())
	case reflect.PointerTo(t).Implements(writtenType):
		s.is = writtenShape
	case t.Kind() == reflect.String:
		s.is = textShape
	case t.Kind() == reflect.Int || t.Kind() == reflect.Int64:
		s.is = wholeShape
	case t.Kind() == reflect.Float64:
		s.is = numberShape
	case t.Kind() == reflect.Bool:
		s.is = boolShape
	case t.Kind() == reflect.Slice:
		s.is, s.of = listShape, q.shapeOf(t.Elem())
		if s.of.is == textShape {
			s.is = wordsShape
		}
	case t.Kind() == reflect.Map:
		s.is, s.of = mapShape, q.shapeOf(t.Elem())
	case t.Kind() == reflect.Struct:
		q.structShape(t, s)
	}
	return s
}

func (q *Quick) structShape(t reflect.Type, s *shape) {
	fields := Fields(t)
	if len(fields) > 64 {
		return
	}
	s.is = structShape
	for n, f := range fields {
		s.fields = append(s.fields, shapeField{f, q.shapeOf(t.Field(f.Index).Type)})
		if f.Always || f.Required {
			s.required |= 1 << n
		}
	}
}
