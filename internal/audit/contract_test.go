package audit

import (
	"os"
	"reflect"
	"regexp"
	"testing"

	"github.com/evenkeel/evenkeel/internal/execution"
)

// TestFactMatchesExecution: what execution writes, the auditor reads, field by field.
func TestFactMatchesExecution(t *testing.T) {
	for _, pair := range [][2]reflect.Type{
		{reflect.TypeFor[execution.Fact](), reflect.TypeFor[Fact]()},
		{reflect.TypeFor[execution.HostView](), reflect.TypeFor[View]()},
		{reflect.TypeFor[execution.InstanceView](), reflect.TypeFor[Sighting]()},
	} {
		theirs, ours := tags(pair[0]), tags(pair[1])
		if !reflect.DeepEqual(theirs, ours) {
			t.Errorf("%s writes %v, %s reads %v", pair[0], theirs, pair[1], ours)
		}
	}
}

func tags(t reflect.Type) map[string]string {
	out := map[string]string{}
	for i := range t.NumField() {
		out[t.Field(i).Tag.Get("json")] = t.Field(i).Type.Kind().String()
	}
	return out
}

// TestKindsMatchExecution: each kind that execution can write is known here, and no other.
func TestKindsMatchExecution(t *testing.T) {
	src, err := os.ReadFile("../execution/fact.go")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, m := range regexp.MustCompile(`Kind = "([a-z-]+)"`).FindAllSubmatch(src, -1) {
		found++
		if _, known := required[string(m[1])]; !known {
			t.Errorf("execution writes the kind %s, which the auditor does not know", m[1])
		}
	}
	if found != len(required) {
		t.Errorf("execution has %d kinds, the auditor knows %d", found, len(required))
	}
}
