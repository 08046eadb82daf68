package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/evenkeel/evenkeel/internal/advisory/parse"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/form"
	"github.com/evenkeel/evenkeel/internal/plan"
)

func compiled(t *testing.T, file string) *jsonschema.Schema {
	t.Helper()
	text, err := fs.ReadFile(Files, file)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(file, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(file)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asJSON reads an example as the values that a JSON Schema sees.
func asJSON(t *testing.T, path string) any {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := yaml.YAMLToJSON(src)
	if err != nil {
		t.Fatal(err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// examples are texts of each form, with what decodes them by shape alone.
var examples = []struct {
	schema, glob string
	decode       func([]byte) form.Mistakes
}{
	{"fleet.v1.json", "fleet*.yaml", func(src []byte) form.Mistakes { _, m := form.Decode("x", src, &fleet.Fleet{}); return m }},
	{"target.v1.json", "target*.yaml", func(src []byte) form.Mistakes { _, m := form.Decode("x", src, &plan.Target{}); return m }},
	{"advisory.v1.json", "*xsa-*.yaml", func(src []byte) form.Mistakes { _, m := form.Decode("x", src, &parse.Own{}); return m }},
	{"policy.v1.json", "policy*.yaml", func(src []byte) form.Mistakes {
		p := plan.DefaultPolicy()
		_, m := form.Overlay("x", src, &p)
		return m
	}},
}

// TestParserAndSchemaAgree changes every place of every example in every way below, and asks both
// the parser and the schema about each result.
func TestParserAndSchemaAgree(t *testing.T) {
	for _, e := range examples {
		s := compiled(t, e.schema)
		var files []string
		for _, dir := range []string{"../examples", "testdata"} {
			found, err := filepath.Glob(filepath.Join(dir, e.glob))
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, found...)
		}
		if len(files) < 2 {
			t.Fatalf("%s: %d examples: one in ../examples and one with every key in testdata are due", e.schema, len(files))
		}
		for _, file := range files {
			doc := asJSON(t, file)
			if err := s.Validate(doc); err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			changes, refused := 0, 0
			mutate(doc, func(what string) {
				text, err := json.Marshal(doc)
				if err != nil {
					t.Fatal(err)
				}
				mistakes, wrong := e.decode(text), s.Validate(doc)
				if changes++; wrong != nil {
					refused++
				}
				if (len(mistakes) > 0) != (wrong != nil) {
					t.Errorf("%s, %s: parser says %v, schema says %v", file, what, mistakes, wrong)
				}
			})
			if changes < 50 || refused < changes/2 {
				t.Errorf("%s: only %d changes, of which %d were refused: does this test look at the example?", file, changes, refused)
			}
		}
	}
}

// replacements are put in the place of each value in turn.
var replacements = []any{
	"", "no such thing", "-", json.Number("-1"), json.Number("0"), json.Number("1"), json.Number("101"), json.Number("2.5"),
	json.Number("99999999999999999999"), true, []any{}, []any{true}, map[string]any{}, map[string]any{"x": json.Number("1")},
	"0s", "10m", "25:00", "2026-03-01T02:00:00", "2026-13-01T02:00:00Z", "2026-03-01T02:00:00.5+01:00",
}

// mutate calls try for each change of doc, which it undoes again.
func mutate(doc any, try func(what string)) {
	switch d := doc.(type) {
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(d)) {
			old := d[key]
			delete(d, key)
			try("without " + key)
			for _, r := range replacements {
				if d[key] = r; !reflect.DeepEqual(old, r) {
					try(fmt.Sprintf("%s = %v", key, r))
				}
			}
			d[key] = old
			mutate(old, func(what string) { try(key + "." + what) })
		}
		d["unknown_key"] = json.Number("1")
		try("with an unknown key")
		delete(d, "unknown_key")
	case []any:
		for n := range d {
			old := d[n]
			for _, r := range replacements {
				d[n] = r
				try(fmt.Sprintf("[%d] = %v", n, r))
			}
			d[n] = old
			mutate(old, func(what string) { try(fmt.Sprintf("[%d].%s", n, what)) })
		}
	}
}

// TestFullExamplesNameEveryKey keeps the examples in testdata from falling behind the types.
func TestFullExamplesNameEveryKey(t *testing.T) {
	for _, e := range []struct {
		file string
		of   reflect.Type
	}{
		{"testdata/fleet-full.yaml", reflect.TypeFor[fleet.Fleet]()},
		{"testdata/target-full.yaml", reflect.TypeFor[plan.Target]()},
		{"testdata/policy-full.yaml", reflect.TypeFor[plan.Policy]()},
		{"testdata/xsa-full.yaml", reflect.TypeFor[parse.Own]()},
	} {
		named := map[string]bool{}
		collect(asJSON(t, e.file), e.of, named)
		for _, key := range keysBelow(e.of, map[reflect.Type]bool{}) {
			if !named[key] {
				t.Errorf("%s does not name %s", e.file, key)
			}
		}
	}
}

// collect notes Type.key for each key in an example.
func collect(v any, of reflect.Type, named map[string]bool) {
	for of.Kind() == reflect.Slice || of.Kind() == reflect.Pointer {
		if list, ok := v.([]any); ok {
			for _, one := range list {
				collect(one, of.Elem(), named)
			}
			return
		}
		of = of.Elem()
	}
	m, ok := v.(map[string]any)
	if !ok || of.Kind() != reflect.Struct {
		return
	}
	for _, f := range form.Fields(of) {
		if below, ok := m[f.Key]; ok {
			named[of.Name()+"."+f.Key] = true
			collect(below, of.Field(f.Index).Type, named)
		}
	}
}

func keysBelow(of reflect.Type, seen map[reflect.Type]bool) (keys []string) {
	for of.Kind() == reflect.Slice || of.Kind() == reflect.Pointer {
		of = of.Elem()
	}
	if of.Kind() != reflect.Struct || seen[of] {
		return nil
	}
	seen[of] = true
	for _, f := range form.Fields(of) {
		keys = append(keys, of.Name()+"."+f.Key)
		keys = append(keys, keysBelow(of.Field(f.Index).Type, seen)...)
	}
	return keys
}

// TestPlansValidate: what Go writes as a plan's JSON, the schema accepts; what lacks a key, it refuses.
func TestPlansValidate(t *testing.T) {
	s := compiled(t, "plan.v1.json")
	target, mistakes := plan.ParseTarget("target", mustRead(t, "testdata/target-full.yaml"))
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	p := plan.Plan{
		Evenkeel: plan.SchemaV1, Campaign: "c-1", Revision: 1, Digest: "d", Target: target, Policy: plan.DefaultPolicy(),
		Turns:   []plan.Turn{{ID: "h", Host: "h", Wave: 1, Tactic: plan.Evacuate}},
		Moves:   []plan.Move{{Instance: "i", From: "h", To: "k", Turn: "h"}},
		Slots:   []plan.Slot{{ID: "h/i", Instance: "i", Class: plan.ClassBlip, Disposition: plan.DispLiveMigrate}},
		Blocked: []plan.Blocked{{Instance: "j", Code: "no-room"}},
	}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(doc); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"evenkeel", "turns", "moves", "slots", "blocked", "policy", "digest"} {
		old := doc.(map[string]any)[key]
		delete(doc.(map[string]any), key)
		if s.Validate(doc) == nil {
			t.Errorf("a plan without %s is accepted", key)
		}
		doc.(map[string]any)[key] = old
	}
	doc.(map[string]any)["turns"].([]any)[0].(map[string]any)["wave"] = "first"
	if s.Validate(doc) == nil {
		t.Error("a turn whose wave is text is accepted")
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	src, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return src
}
