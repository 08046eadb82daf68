package plan

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestPlainTexts: moves and slots write themselves as encoding/json writes them. Every field is drawn by reflection, so one
// that is added and not written fails this test.
func TestPlainTexts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m Move
		var s Slot
		drawFields(t, reflect.ValueOf(&m).Elem())
		drawFields(t, reflect.ValueOf(&s).Elem())
		for _, v := range []plain{&m, &s} {
			for _, indented := range []bool{false, true} {
				w := writing{indented: indented}
				got, err := w.text(v, 2)
				var want bytes.Buffer
				e := json.NewEncoder(&want)
				if indented {
					e.SetEscapeHTML(false)
					e.SetIndent("    ", "  ")
				}
				if wrong := e.Encode(v); (wrong == nil) != (err == nil) || err == nil && string(got)+"\n" != want.String() {
					t.Fatalf("indented %v: %v %v\n%s\nencoding/json:\n%s", indented, err, wrong, got, want.String())
				}
			}
		}
	})
}

// drawFields gives every field of a struct a value, the zero one too.
func drawFields(t *rapid.T, v reflect.Value) {
	for i := range v.NumField() {
		f := v.Field(i)
		switch f.Interface().(type) {
		case time.Time:
			zone := rapid.SampledFrom([]*time.Location{time.UTC, time.FixedZone("", 0), time.FixedZone("", 3600)}).Draw(t, "zone")
			at := rapid.SampledFrom([]time.Time{{}, time.Unix(1_772_000_000, 0), time.Unix(1_772_000_000, 1_200_000), time.Date(10_001, 1, 1, 0, 0, 0, 0, time.UTC)}).Draw(t, "time")
			if !at.IsZero() {
				at = at.In(zone)
			}
			f.Set(reflect.ValueOf(at))
			continue
		}
		switch f.Kind() {
		case reflect.String:
			f.SetString(rapid.SampledFrom([]string{"", "web-1", "<b>&", "é", "\u2028", "a\"b", `a\b`, "a\nb", "\x7f", "\xff"}).Draw(t, "text"))
		case reflect.Int64:
			f.SetInt(rapid.SampledFrom([]int64{0, 1, -7, 1 << 60}).Draw(t, "number"))
		case reflect.Bool:
			f.SetBool(rapid.Bool().Draw(t, "bool"))
		case reflect.Pointer:
			if rapid.Bool().Draw(t, "there") {
				f.Set(reflect.New(f.Type().Elem()))
				drawFields(t, f.Elem())
			}
		default:
			t.Fatalf("field %s is of a kind that is not drawn: %s", v.Type().Field(i).Name, f.Kind())
		}
	}
}
