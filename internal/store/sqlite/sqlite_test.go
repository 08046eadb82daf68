package sqlite_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/store"
	"github.com/evenkeel/evenkeel/internal/store/sqlite"
	"github.com/evenkeel/evenkeel/internal/store/storetest"
)

func TestJournal(t *testing.T) {
	paths := map[store.Journal]string{}
	open := func(t *testing.T) store.Journal {
		path := filepath.Join(t.TempDir(), "a journal%20.db")
		j, err := sqlite.Open(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		paths[j] = path
		t.Cleanup(func() { j.Close() })
		return j
	}
	storetest.Run(t, open, func(t *testing.T, j store.Journal) store.Journal {
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		again, err := sqlite.Open(context.Background(), paths[j])
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { again.Close() })
		return again
	})
}

func modes(t *testing.T, dir string) map[string]os.FileMode {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]os.FileMode{}
	for _, e := range entries {
		st, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = st.Mode().Perm()
	}
	return out
}

// Nobody else may read what tenants are told and where they run, whatever the umask was and is.
func TestOnlyItsUserReadsIt(t *testing.T) {
	old := syscall.Umask(0)
	defer syscall.Umask(old)
	dir := t.TempDir()
	for _, name := range []string{"new.db", "old.db"} {
		path := filepath.Join(dir, name)
		if name == "old.db" {
			if err := os.WriteFile(path, nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		j, err := sqlite.Open(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		if _, err := j.NextGeneration(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	found := modes(t, dir)
	if len(found) != 6 {
		t.Fatalf("found %v, want each journal with its -wal and -shm", found)
	}
	for name, mode := range found {
		if mode != 0o600 {
			t.Errorf("%s has mode %04o", name, mode)
		}
	}
}

// Reading leaves no file behind, whether a server has the journal open, was killed, or ended.
func TestReadingLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "journal.db")
	if _, err := sqlite.OpenToRead(t.Context(), path); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("reading what is not there: %v", err)
	}
	j, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	append1 := func(n int64) {
		t.Helper()
		if _, err := j.Append(t.Context(), "c", n, []execution.Fact{{Kind: execution.CampaignPaused, At: time.Unix(n, 0)}}); err != nil {
			t.Fatal(err)
		}
	}
	read := func(want int) {
		t.Helper()
		before := modes(t, dir)
		r, err := sqlite.OpenToRead(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		if err := r.Read(t.Context(), "c", 0, func(execution.Fact) error { n++; return nil }); err != nil || n != want {
			t.Fatalf("%d facts, want %d, %v", n, want, err)
		}
		if _, err := r.NextGeneration(t.Context()); err == nil {
			t.Fatal("a journal that was opened to be read was written")
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if after := modes(t, dir); !maps.Equal(before, after) {
			t.Fatalf("files before %v, after %v", before, after)
		}
	}
	append1(0)
	read(1) // it is open
	append1(1)
	read(2)
	killed := t.TempDir() // what a kill leaves
	for name := range modes(t, dir) {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(killed, name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	home, homePath := dir, path
	dir, path = killed, filepath.Join(killed, "journal.db")
	read(2)
	dir, path = home, homePath
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if len(modes(t, dir)) != 1 {
		t.Fatalf("closed, and there are %v", modes(t, dir))
	}
	read(2) // it was closed
}
