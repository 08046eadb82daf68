package feed

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Folder is a folder, with the folders below it, into which somebody puts documents.
type Folder struct {
	options Options
	path    string
	sights  map[string]sight // files that are new or changed and not done with
	waiting bool             // the last round left files that were still being written
	events  *fsnotify.Watcher
	failed  bool // events do not work here: the folder is looked at from time to time
}

// sight is a file as it was seen, and since when it has been so.
type sight struct {
	size  int64
	mod   time.Time
	since time.Time
}

// Extensions of the files that are read as documents.
var Extensions = []string{".json", ".yaml", ".yml", ".xml", ".meta"}

// notDocuments are files of a mirrored feed that are lists, not documents.
var notDocuments = []string{"provider-metadata.json", "aggregator.json", "service.json", "category.json"}

// Round looks at all files once.
func (f *Folder) Round(ctx context.Context, m *Memory, found func(Document) error) (Summary, error) {
	t := &teller{m: m, found: found}
	there := map[string]bool{}
	err := filepath.WalkDir(f.path, func(path string, e fs.DirEntry, err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			if path == f.path {
				return err
			}
			if errors.Is(err, fs.ErrNotExist) {
				return nil // gone since the folder was listed
			}
			return t.trouble(path, "cannot be read: "+err.Error(), Mark{})
		}
		if path != f.path && strings.HasPrefix(e.Name(), ".") {
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if e.IsDir() || !isDocument(e.Name()) {
			return nil
		}
		there[path] = true
		return f.file(t, path)
	})
	for path := range f.sights {
		if !there[path] {
			delete(f.sights, path)
		}
	}
	f.waiting = t.sum.Waiting > 0
	return t.sum, err
}

func isDocument(name string) bool {
	return slices.Contains(Extensions, strings.ToLower(filepath.Ext(name))) && !slices.Contains(notDocuments, name)
}

// file looks at one file.
func (f *Folder) file(t *teller, path string) error {
	info, err := os.Stat(path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return t.trouble(path, "cannot be read: "+err.Error(), Mark{})
	}
	mark, known := t.m.Documents[path]
	stamp := fmt.Sprintf("%d %s", info.Size(), info.ModTime().UTC().Format(time.RFC3339Nano))
	switch {
	case !info.Mode().IsRegular():
		return nil
	case known && mark.Final && mark.Stamp == stamp:
		if mark.Trouble != "" {
			t.sum.Troubles++
		}
		return nil
	case info.Size() > maxBody:
		return t.trouble(path, fmt.Sprintf("cannot be read: it has %d bytes, and the bound is %d", info.Size(), maxBody), Mark{Stamp: stamp, Final: true})
	}
	body, err := readBounded(path, maxBody)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return t.trouble(path, "cannot be read: "+err.Error(), Mark{})
	}
	return f.take(t, path, body, stamp, f.rests(path, info) && int64(len(body)) == info.Size())
}

// rests says whether a file has kept its size and time for a while: nobody writes to it any more.
func (f *Folder) rests(path string, info fs.FileInfo) bool {
	now := f.options.Now()
	s, ok := f.sights[path]
	if !ok || s.size != info.Size() || !s.mod.Equal(info.ModTime()) {
		s = sight{size: info.Size(), mod: info.ModTime(), since: now}
		f.sights[path] = s
	}
	return now.Sub(s.since) >= f.options.Settle || now.Sub(s.mod) >= f.options.Settle
}

func (f *Folder) take(t *teller, path string, body []byte, stamp string, rests bool) error {
	// Text cut short can still be YAML; it is never JSON or XML.
	first := bytes.TrimSpace(body)
	cut := len(first) == 0 || !bytes.ContainsRune([]byte("{[<"), rune(first[0]))
	d := Document{Name: path, Body: body, SHA256: digest(body)}
	as, why := read(path, body)
	d.Advisories = as
	mark := Mark{Stamp: stamp, SHA256: d.SHA256}
	if !rests && (why != "" || cut) {
		t.sum.Waiting++
		return nil
	}
	if why != "" {
		mark.Final = true
		return f.done(path, t.trouble(path, why, mark))
	}
	seal, err := sealed(body, besideFile(path), isCSAF(d.Advisories), f.options.Keyring, f.options.Now())
	if err != nil {
		if !rests { // what belongs beside it may be on its way
			t.sum.Waiting++
			return nil
		}
		return t.trouble(path, "refused: "+err.Error(), mark) // asked again each round: the signature may come later
	}
	d.Seal = seal
	if isCSAF(d.Advisories) {
		d.TLP = tlpOf(body)
	}
	return f.done(path, t.document(d, mark))
}

// done forgets the sight of a file that was told.
func (f *Folder) done(path string, err error) error {
	if err == nil {
		delete(f.sights, path)
	}
	return err
}

func besideFile(path string) beside {
	get := func(suffix string) ([]byte, string, error) {
		info, err := os.Stat(path + suffix)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil, path + suffix, nil
		case err == nil && !info.Mode().IsRegular():
			err = fmt.Errorf("%s is no file", path+suffix) // to open a pipe could wait for ever
		}
		if err != nil {
			return nil, path + suffix, err
		}
		text, err := readBounded(path+suffix, maxSeal)
		return text, path + suffix, err
	}
	return beside{
		sum:       func(kind string) ([]byte, string, error) { return get("." + kind) },
		signature: func() ([]byte, string, error) { return get(".asc") },
	}
}

func readBounded(path string, most int) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	body, err := io.ReadAll(io.LimitReader(file, int64(most)+1))
	if err == nil && len(body) > most {
		err = fmt.Errorf("%s has more than %d bytes, which is the bound", path, most)
	}
	return body, err
}

// Wait returns when something happens in the folder, or when `every` has passed; soon, when files
// are being written. Where the system tells of no events, time alone counts.
func (f *Folder) Wait(ctx context.Context, every time.Duration) error {
	f.listen()
	if f.waiting {
		return sleep(ctx, min(every, f.options.Settle))
	}
	if f.failed {
		return sleep(ctx, every)
	}
	timer := time.NewTimer(every)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	case _, ok := <-f.events.Events:
		f.failed = !ok
	case _, ok := <-f.events.Errors:
		f.failed = !ok // an overflow of events: look at everything, which a round does anyway
	}
	// What comes in a bunch is looked at once.
	err := sleep(ctx, min(every, 200*time.Millisecond))
	for {
		select {
		case _, ok := <-f.events.Events:
			if !ok {
				return err
			}
		default:
			return err
		}
	}
}

// listen asks the system to tell of changes in the folder and those below it.
func (f *Folder) listen() {
	if f.failed {
		return
	}
	if f.events == nil {
		w, err := fsnotify.NewWatcher()
		if err != nil {
			f.failed = true
			return
		}
		f.events = w
	}
	_ = filepath.WalkDir(f.path, func(path string, e fs.DirEntry, err error) error {
		if err != nil || !e.IsDir() {
			return nil //nolint:nilerr // a round names it
		}
		if path != f.path && strings.HasPrefix(e.Name(), ".") {
			return fs.SkipDir
		}
		if f.events.Add(path) != nil { // adding it once more does nothing
			f.failed = true
			return fs.SkipAll
		}
		return nil
	})
}

// Close ends the listening.
func (f *Folder) Close() error {
	if f.events == nil {
		return nil
	}
	return f.events.Close()
}
