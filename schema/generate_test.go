package schema

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/advisory/parse"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/form"
	"github.com/evenkeel/evenkeel/internal/plan"
)

var update = flag.Bool("update", false, "write the schemas anew from the Go types")

// published are the schemas with the types that they describe.
var published = []struct {
	file, title string
	of          reflect.Type
	overlay     bool
	evenkeel    string
}{
	{"fleet.v1.json", "Evenkeel fleet", reflect.TypeFor[fleet.Fleet](), false, fleet.SchemaV1},
	{"target.v1.json", "Evenkeel target", reflect.TypeFor[plan.Target](), false, plan.TargetSchemaV1},
	{"policy.v1.json", "Evenkeel policy", reflect.TypeFor[plan.Policy](), true, plan.PolicySchemaV1},
	{"plan.v1.json", "Evenkeel plan", reflect.TypeFor[plan.Plan](), false, plan.SchemaV1},
	{"advisory.v1.json", "Evenkeel advisory", reflect.TypeFor[parse.Own](), false, string(advisory.FormatOwn)},
}

func TestPublishedSchemasAreThoseOfTheTypes(t *testing.T) {
	docs := readDocs(t, "../internal/advisory", "../internal/advisory/parse", "../internal/fleet", "../internal/plan")
	for _, p := range published {
		g := &generator{docs: docs, overlay: p.overlay, defs: object{}}
		root := g.structure(p.of)
		root["properties"].(object)["evenkeel"] = object{"const": p.evenkeel, "description": "The form of this document and its version."}
		root["$schema"] = "https://json-schema.org/draft/2020-12/schema"
		root["$id"] = "https://evenkeel.example/schema/" + p.file
		root["title"] = p.title
		if len(g.defs) > 0 {
			root["$defs"] = g.defs
		}
		var want bytes.Buffer
		out := json.NewEncoder(&want)
		out.SetEscapeHTML(false)
		out.SetIndent("", "  ")
		if err := out.Encode(root); err != nil {
			t.Fatal(err)
		}
		if *update {
			if err := os.WriteFile(p.file, want.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		have, err := os.ReadFile(p.file)
		if err != nil || !bytes.Equal(have, want.Bytes()) {
			t.Errorf("%s is not what the Go types say (%v): run go test ./schema -update and look at what changed", p.file, err)
		}
	}
}

type object = map[string]any

// generator makes the schema of a type.
type generator struct {
	docs    map[string]string // Type or Type.Field -> Go doc
	overlay bool
	defs    object
}

// field is one key, from the form's tags or, where there are none, from those of JSON.
type field struct {
	form.Field
	nullable bool
}

func fieldsOf(t reflect.Type) (fields []field) {
	tagged := map[int]form.Field{}
	for _, f := range form.Fields(t) {
		tagged[f.Index] = f
	}
	for n := range t.NumField() {
		key, options, _ := strings.Cut(t.Field(n).Tag.Get("json"), ",")
		f, ok := tagged[n]
		if !ok || f.Key != key {
			panic(t.Name() + "." + t.Field(n).Name + " has not the same key in YAML and JSON")
		}
		written := !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero")
		fields = append(fields, field{Field: f, nullable: written && !f.Required})
	}
	return fields
}

// structure gives the schema of a struct, in place.
func (g *generator) structure(t reflect.Type) object {
	properties, required := object{}, []string{}
	for _, f := range fieldsOf(t) {
		sf := t.Field(f.Index)
		s := g.value(sf.Type, f.Field)
		if kind := s["type"]; f.nullable && (kind == "array" || kind == "object") {
			s["type"] = []string{kind.(string), "null"}
		}
		if doc := g.docs[t.Name()+"."+sf.Name]; doc != "" {
			s["description"] = doc
		}
		properties[f.Key] = s
		if f.Always || f.Required && !g.overlay {
			required = append(required, f.Key)
		}
	}
	s := object{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	if doc := g.docs[t.Name()]; doc != "" {
		s["description"] = doc
	}
	return s
}

// value gives the schema of a field's values.
func (g *generator) value(t reflect.Type, f form.Field) object {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time", "pattern": `^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.,][0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})$`}
	case t == reflect.TypeFor[plan.Duration]():
		s := object{"type": "string", "minLength": 1, "pattern": `^([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?$`}
		if f.Min != nil && *f.Min == 1 {
			s["allOf"] = []object{{"pattern": "[1-9]"}}
		}
		return s
	}
	switch t.Kind() {
	case reflect.Pointer:
		return g.value(t.Elem(), f)
	case reflect.Struct:
		if _, done := g.defs[t.Name()]; !done {
			g.defs[t.Name()] = nil
			g.defs[t.Name()] = g.structure(t)
		}
		return object{"$ref": "#/$defs/" + t.Name()}
	case reflect.Slice:
		return object{"type": "array", "items": g.value(t.Elem(), f)}
	case reflect.Map:
		return object{"type": "object", "propertyNames": object{"pattern": `\S`}, "additionalProperties": g.value(t.Elem(), f)}
	}
	return scalar(t, f)
}

func scalar(t reflect.Type, f form.Field) object {
	s := object{}
	switch t.Kind() {
	case reflect.Bool:
		s["type"] = "boolean"
	case reflect.Int, reflect.Int64:
		s["type"], s["minimum"], s["maximum"] = "integer", int64(math.MinInt64), int64(math.MaxInt64)
	case reflect.Float64:
		s["type"], s["minimum"], s["maximum"] = "number", -math.MaxFloat64, math.MaxFloat64
	case reflect.String:
		s["type"] = "string"
	default:
		panic("no schema for " + t.String())
	}
	if f.Min != nil {
		s["minimum"] = *f.Min
	}
	if f.Max != nil {
		s["maximum"] = *f.Max
	}
	if f.Enum != nil {
		s["enum"] = f.Enum
	}
	if f.Is != "" {
		s["pattern"], _ = form.Pattern(f.Is)
	}
	return s
}

// readDocs reads the Go doc of types and of their fields.
func readDocs(t *testing.T, dirs ...string) map[string]string {
	t.Helper()
	docs := map[string]string{}
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil || len(files) == 0 {
			t.Fatalf("no Go files in %s: %v", dir, err)
		}
		for _, file := range files {
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if d, ok := n.(*ast.GenDecl); ok && len(d.Specs) == 1 {
					if ts, ok := d.Specs[0].(*ast.TypeSpec); ok {
						typeDocs(docs, ts, d.Doc)
					}
				}
				return true
			})
		}
	}
	return docs
}

func typeDocs(docs map[string]string, ts *ast.TypeSpec, doc *ast.CommentGroup) {
	st, ok := ts.Type.(*ast.StructType)
	if !ok {
		return
	}
	docs[ts.Name.Name] = sentence(doc)
	for _, f := range st.Fields.List {
		for _, name := range f.Names {
			docs[ts.Name.Name+"."+name.Name] = strings.TrimSpace(sentence(f.Doc) + " " + sentence(f.Comment))
		}
	}
}

func sentence(c *ast.CommentGroup) string { return strings.Join(strings.Fields(c.Text()), " ") }
