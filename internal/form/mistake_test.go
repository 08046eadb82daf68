package form

import (
	"strings"
	"testing"
)

// TestKeysAreShownSafely: a path names keys of a text that may be anybody's, and goes to a terminal.
func TestKeysAreShownSafely(t *testing.T) {
	for _, c := range []struct{ name, path, want string }{
		{"plain", "hosts[3].memory_mib", "hosts[3].memory_mib: found"},
		{"letters of any script", "prices.Käse", "prices.Käse: found"},
		{"an order to the terminal", "prices.\x1b[31mred", `"prices.\x1b[31mred": found`},
		{"a line end", "prices.a\nf.yaml:1:1: sound", `"prices.a\nf.yaml:1:1: sound": found`},
		{"long", strings.Repeat("x", 3_000_000), strings.Repeat("x", 200) + "...: found"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Mistake{File: "f.yaml", Line: 1, Column: 2, Path: c.path, Found: "a", Expected: "b"}.String()
			if want := "f.yaml:1:2: " + c.want + " a, expected b"; got != want {
				t.Errorf("got %.300q, want %.300q", got, want)
			}
		})
	}
}
