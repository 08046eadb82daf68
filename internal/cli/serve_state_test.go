package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOwnState(t *testing.T) {
	dir := t.TempDir()
	mode := func(path string) os.FileMode {
		t.Helper()
		st, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return st.Mode().Perm()
	}
	fresh := filepath.Join(dir, "a", "b")
	if err := ownState(fresh); err != nil || mode(fresh) != 0o700 {
		t.Fatalf("%v, mode %04o", err, mode(fresh))
	}
	wide := filepath.Join(dir, "wide")
	if err := os.Mkdir(wide, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := ownState(wide); err != nil || mode(wide) != 0o700 {
		t.Fatalf("ours and wide: %v, mode %04o", err, mode(wide))
	}
	shared := filepath.Join(dir, "shared")
	if err := os.Mkdir(shared, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(shared, 0o777|os.ModeSticky); err != nil {
		t.Fatal(err)
	}
	if err := ownState(shared); err == nil || !strings.Contains(err.Error(), "directory of its own") || mode(shared) != 0o777 {
		t.Fatalf("everybody's: %v, mode %04o", err, mode(shared))
	}
}
