package revision

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestOf: changes count, but for those of the pages themselves.
func TestOf(t *testing.T) {
	t.Chdir(t.TempDir())
	git := func(args ...string) {
		t.Helper()
		args = append([]string{"-c", "user.name=t", "-c", "user.email=t@t.example"}, args...)
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
	}
	write := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got := Of(); got != "unknown" {
		t.Errorf("outside of a repository: %q", got)
	}
	git("init", "-q")
	write("code", "1")
	write("pages/page", "1")
	git("add", ".")
	git("commit", "-qm", "one")
	for _, c := range []struct {
		change  string
		changed bool
	}{{"", false}, {"pages/page", false}, {"code", true}} {
		if c.change != "" {
			write(c.change, "2")
		}
		if got := Of("pages"); strings.Contains(got, ", with changes") != c.changed || strings.HasPrefix(got, "unknown") {
			t.Errorf("with %q changed: %q", c.change, got)
		}
	}
}
