package fleet

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"unicode"

	"pgregory.net/rapid"
)

var printable = &unicode.RangeTable{R16: []unicode.Range16{{0x09, 0x0a, 1}, {0x20, 0x7e, 1}, {0x80, 0xd7ff, 1}, {0xe000, 0xfffd, 1}}, R32: []unicode.Range32{{0x10000, 0x10ffff, 1}}}

func TestWrittenFleetsReadTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFleet(t)
		var yaml, lines bytes.Buffer
		if err := Write(&yaml, f); err != nil {
			t.Fatal(err)
		}
		again, mistakes := Parse("f.yaml", yaml.Bytes())
		if len(mistakes) > 0 || !reflect.DeepEqual(f, again) {
			t.Fatalf("YAML: %v\n%s\nwas:  %+v\nread: %+v", mistakes, yaml.String(), f, again)
		}
		if err := WriteJSONL(&lines, f); err != nil {
			t.Fatal(err)
		}
		again, mistakes = ParseJSONL("f.jsonl", &lines)
		if a, b := asText(t, f), asText(t, again); len(mistakes) > 0 || a != b {
			t.Fatalf("JSON Lines: %v\n%s\n%s", mistakes, a, b)
		}
		again, mistakes = Parse("f.json", []byte(asText(t, f)))
		if a, b := asText(t, f), asText(t, again); len(mistakes) > 0 || a != b {
			t.Fatalf("JSON: %v\n%s\n%s", mistakes, a, b)
		}
	})
}

// asText is a fleet's JSON, in which empty and absent lists are the same, and so software of which
// nothing is known.
func asText(t interface{ Fatal(...any) }, f *Fleet) string {
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), `,"software":{}`, "")
}

func FuzzParse(f *testing.F) {
	for _, path := range []string{"../../examples/fleet.yaml", "../../schema/testdata/fleet-full.yaml"} {
		src, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Add([]byte(mistaken))
	f.Fuzz(func(t *testing.T, src []byte) {
		fl, mistakes := Parse("f", src)
		for _, m := range mistakes {
			if m.Line < 1 || m.Column < 1 || m.Found == "" || m.Expected == "" {
				t.Fatalf("half a mistake: %+v", m)
			}
		}
		if len(mistakes) > 0 {
			return
		}
		var out bytes.Buffer
		if err := Write(&out, fl); err != nil {
			t.Fatal(err)
		}
		again, mistakes := Parse("again", out.Bytes())
		if len(mistakes) > 0 || !reflect.DeepEqual(fl, again) {
			t.Fatalf("%v\n%s\n%+v\n%+v", mistakes, out.String(), fl, again)
		}
	})
}

func FuzzParseJSONL(f *testing.F) {
	src, err := os.ReadFile("../../schema/testdata/fleet-full.yaml")
	if err != nil {
		f.Fatal(err)
	}
	full, mistakes := Parse("full", src)
	if len(mistakes) > 0 {
		f.Fatal(mistakes)
	}
	var lines bytes.Buffer
	if err := WriteJSONL(&lines, full); err != nil {
		f.Fatal(err)
	}
	f.Add(lines.Bytes())
	f.Add([]byte("{\"kind\":\"fleet\"}\n{\"kind\":1}\n[]\nnull\n{\"kind\":\"host\",\"id\":[]}\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		if err := sameEitherWay(src); err != nil {
			t.Fatal(err)
		}
		fl, mistakes := ParseJSONL("f", bytes.NewReader(src))
		if len(mistakes) > 0 {
			return
		}
		var out bytes.Buffer
		if err := WriteJSONL(&out, fl); err != nil {
			t.Fatal(err)
		}
		again, mistakes := ParseJSONL("again", &out)
		if a, b := asText(t, fl), asText(t, again); len(mistakes) > 0 || a != b {
			t.Fatalf("%v\n%s\n%s", mistakes, a, b)
		}
	})
}
