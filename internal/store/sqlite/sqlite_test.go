package sqlite_test

import (
	"context"
	"path/filepath"
	"testing"

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
