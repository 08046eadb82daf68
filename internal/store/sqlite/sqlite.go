// Package sqlite keeps the journal in one SQLite file: WAL, synchronous=FULL,
// so that an append that returned survives a power cut. It never updates or
// deletes a fact; triggers in the schema refuse that too.
package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"

	sqlitedrv "modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"

	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/store"
)

const schema = `
CREATE TABLE IF NOT EXISTS facts (
  campaign TEXT NOT NULL,
  seq      INTEGER NOT NULL,
  at       TEXT NOT NULL,
  kind     TEXT NOT NULL,
  fact     TEXT NOT NULL,
  PRIMARY KEY (campaign, seq)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS campaigns (id TEXT PRIMARY KEY, n INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS generation (one INTEGER PRIMARY KEY CHECK (one = 1), g INTEGER NOT NULL);
CREATE TRIGGER IF NOT EXISTS facts_stay BEFORE UPDATE ON facts BEGIN SELECT RAISE(ABORT, 'a fact is never changed'); END;
CREATE TRIGGER IF NOT EXISTS facts_keep BEFORE DELETE ON facts BEGIN SELECT RAISE(ABORT, 'a fact is never deleted'); END;
`

// Journal is a store.Journal in a file.
type Journal struct{ db *sql.DB }

var _ store.Journal = (*Journal)(nil)

// Open opens or makes the file at path. Only its own user may read it, nor the files beside it.
func Open(ctx context.Context, path string) (*Journal, error) {
	if err := private(path); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	db, err := open(path, "_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=busy_timeout(5000)&_txlock=immediate")
	if err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(ctx, schema); err != nil {
		db.Close()
		return nil, fmt.Errorf("journal %s: %w", path, err)
	}
	return &Journal{db}, nil
}

// OpenToRead opens the file at path to read it, whether a server has it open, was killed, or ended.
// It leaves no file behind, so that another user (root) may look without getting in the way.
func OpenToRead(ctx context.Context, path string) (*Journal, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	how := "mode=ro&_pragma=busy_timeout(5000)"
	if _, err := os.Stat(path + "-wal"); errors.Is(err, os.ErrNotExist) {
		how += "&immutable=1" // it was closed: all is in the one file, and SQLite need make no other
	}
	db, err := open(path, how)
	if err != nil {
		return nil, err
	}
	if err := db.PingContext(ctx); err != nil {
		db.Close()
		return nil, fmt.Errorf("journal %s: %w", path, err)
	}
	return &Journal{db}, nil
}

func open(path, how string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?"+how)
	if err != nil {
		return nil, fmt.Errorf("journal %s: %w", path, err)
	}
	return db, nil
}

// private makes the file with mode 0600, which SQLite gives the files beside it too, and narrows what
// was made before.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	for _, p := range []string{path, path + "-wal", path + "-shm"} {
		st, err := os.Stat(p)
		if errors.Is(err, os.ErrNotExist) || err == nil && st.Mode().Perm()&0o077 == 0 {
			continue
		}
		if err == nil {
			err = os.Chmod(p, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Append implements store.Journal.
func (j *Journal) Append(ctx context.Context, campaign string, after int64, facts []execution.Fact) ([]execution.Fact, error) {
	tx, err := j.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit there is nothing left to roll back
	var last int64
	if err := tx.QueryRowContext(ctx, `SELECT coalesce(max(seq), 0) FROM facts WHERE campaign = ?`, campaign).Scan(&last); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if last != after {
		return nil, fmt.Errorf("campaign %s, fact %d expected last, %d found: %w", campaign, after, last, store.ErrConflict)
	}
	if after == 0 {
		if _, err := tx.ExecContext(ctx, `INSERT INTO campaigns SELECT ?, coalesce(max(n), 0) + 1 FROM campaigns`, campaign); err != nil {
			return nil, conflict(err)
		}
	}
	out := make([]execution.Fact, len(facts))
	for i, f := range facts {
		f.Seq, f.Campaign = after+int64(i)+1, campaign
		b, err := json.Marshal(f)
		if err != nil {
			return nil, fmt.Errorf("journal: fact %d: %w", f.Seq, err)
		}
		if _, err := tx.ExecContext(ctx, `INSERT INTO facts VALUES (?, ?, ?, ?, ?)`, campaign, f.Seq, f.At.UTC().Format("2006-01-02T15:04:05.000000000Z"), string(f.Kind), string(b)); err != nil {
			return nil, conflict(err)
		}
		out[i] = f
	}
	if err := tx.Commit(); err != nil {
		return nil, conflict(err)
	}
	return out, nil
}

// conflict names a primary key that is taken as what it means here.
func conflict(err error) error {
	var e *sqlitedrv.Error
	if errors.As(err, &e) && e.Code()&0xff == sqlitelib.SQLITE_CONSTRAINT {
		return fmt.Errorf("%w: %w", store.ErrConflict, err)
	}
	return fmt.Errorf("journal: %w", err)
}

// Read implements store.Journal.
func (j *Journal) Read(ctx context.Context, campaign string, after int64, fn func(execution.Fact) error) error {
	var known int
	if err := j.db.QueryRowContext(ctx, `SELECT count(*) FROM campaigns WHERE id = ?`, campaign).Scan(&known); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if known == 0 {
		return fmt.Errorf("%q: %w", campaign, store.ErrNoCampaign)
	}
	rows, err := j.db.QueryContext(ctx, `SELECT seq, fact FROM facts WHERE campaign = ? AND seq > ? ORDER BY seq`, campaign, after)
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var seq int64
		var text string
		if err := rows.Scan(&seq, &text); err != nil {
			return fmt.Errorf("journal: %w", err)
		}
		var f execution.Fact
		if err := json.Unmarshal([]byte(text), &f); err != nil {
			return fmt.Errorf("journal of %s: fact %d does not read: %w", campaign, seq, err)
		}
		if err := fn(f); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Campaigns implements store.Journal.
func (j *Journal) Campaigns(ctx context.Context) ([]string, error) {
	rows, err := j.db.QueryContext(ctx, `SELECT id FROM campaigns ORDER BY n`)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	defer rows.Close()
	var ids []string
	for rows.Next() {
		var id string
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("journal: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// NextGeneration implements store.Journal.
func (j *Journal) NextGeneration(ctx context.Context) (int64, error) {
	var g int64
	err := j.db.QueryRowContext(ctx, `INSERT INTO generation VALUES (1, 1) ON CONFLICT (one) DO UPDATE SET g = g + 1 RETURNING g`).Scan(&g)
	if err != nil {
		return 0, fmt.Errorf("journal: %w", err)
	}
	return g, nil
}

// Close implements store.Journal.
func (j *Journal) Close() error { return j.db.Close() }
