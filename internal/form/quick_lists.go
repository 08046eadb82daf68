package form

import (
	"bytes"
	"reflect"
)

// texts reads a list of texts.
func (q *Quick) texts(v reflect.Value, r *rules) bool {
	if !q.took('[') {
		return false
	}
	q.list = q.list[:0]
	for !q.took(']') {
		if len(q.list) > 0 && !q.took(',') {
			return false
		}
		text, ok := q.text(r)
		if !ok {
			return false
		}
		q.list = append(q.list, text)
	}
	list := reflect.MakeSlice(v.Type(), len(q.list), len(q.list))
	for n, text := range q.list {
		list.Index(n).SetString(text)
	}
	v.Set(list)
	return true
}

func (q *Quick) items(v reflect.Value, s *shape, r *rules) bool {
	if !q.took('[') {
		return false
	}
	list := reflect.MakeSlice(v.Type(), 0, 0)
	for !q.took(']') {
		if list.Len() > 0 && !q.took(',') {
			return false
		}
		list = reflect.Append(list, reflect.Zero(v.Type().Elem()))
		if !q.value(list.Index(list.Len()-1), s.of, r) {
			return false
		}
	}
	v.Set(list)
	return true
}

func (q *Quick) mapping(v reflect.Value, s *shape, r *rules) bool {
	if !q.took('{') {
		return false
	}
	m := reflect.MakeMap(v.Type())
	for !q.took('}') {
		if m.Len() > 0 && !q.took(',') {
			return false
		}
		text, ok := q.quoted()
		if !ok || len(bytes.TrimSpace(text)) == 0 || !q.took(':') {
			return false
		}
		key := reflect.ValueOf(q.word(text)).Convert(v.Type().Key())
		if m.MapIndex(key).IsValid() {
			return false
		}
		value := reflect.New(v.Type().Elem()).Elem()
		if !q.value(value, s.of, r) {
			return false
		}
		m.SetMapIndex(key, value)
	}
	v.Set(m)
	return true
}
