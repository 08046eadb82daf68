package feed

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// memoryV1 is the value of a state file's `evenkeel` key.
const memoryV1 = "advisories-seen/v1"

// Memory is what has been told of which document, so that a restart does not tell everything again.
type Memory struct {
	Evenkeel  string          `json:"evenkeel"`
	Documents map[string]Mark `json:"documents"` // by Document.Name

	path  string
	told  map[string]bool // the digests of what was told
	dirty bool

	asking int            // counts requests,
	asked  map[string]int // of which this was each document's last
}

// Mark is what is remembered of one document.
type Mark struct {
	SHA256 string   `json:"sha256,omitempty"` // of what was told, or of what could not be read
	IDs    []string `json:"ids,omitempty"`
	// Trouble is the reason that was told last; empty: the document was told.
	Trouble string `json:"trouble,omitempty"`
	// Final: nothing new is to be expected until the document itself changes.
	Final bool `json:"final,omitempty"`
	// ETag, Modified and Stamp are what the server and the feed's list said of it.
	ETag     string `json:"etag,omitempty"`
	Modified string `json:"last_modified,omitempty"`
	Stamp    string `json:"stamp,omitempty"`
}

// LoadMemory reads a state file; one that is not there yet is empty, and an empty path is a memory
// that is never saved.
func LoadMemory(path string) (*Memory, error) {
	m := &Memory{Evenkeel: memoryV1, Documents: map[string]Mark{}, path: path, told: map[string]bool{}, asked: map[string]int{}}
	if path == "" {
		return m, nil
	}
	src, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return m, nil
	}
	if err != nil {
		return nil, err
	}
	d := json.NewDecoder(bytes.NewReader(src))
	d.DisallowUnknownFields()
	if err := d.Decode(m); err != nil {
		return nil, fmt.Errorf("%s is no state of evenkeel advisories watch: %w; give another --state, or take it away and everything is told again", path, err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) || m.Evenkeel != memoryV1 {
		return nil, fmt.Errorf("%s: found evenkeel %q, expected %q and nothing after it", path, m.Evenkeel, memoryV1)
	}
	if m.Documents == nil {
		m.Documents = map[string]Mark{}
	}
	for _, mark := range m.Documents {
		if mark.Trouble == "" || len(mark.IDs) > 0 { // told, and out of reach since
			m.told[mark.SHA256] = true
		}
	}
	return m, nil
}

// Save writes the state file, whole or not at all; nothing when nothing changed.
func (m *Memory) Save() error {
	if m.path == "" || !m.dirty {
		return nil
	}
	src, err := json.Marshal(m)
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(filepath.Dir(m.path), ".advisories-*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(append(src, '\n'))
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), m.path); err != nil {
		return err
	}
	m.dirty = false
	return nil
}

func (m *Memory) put(name string, mark Mark) {
	m.Documents[name] = mark
	m.dirty = true
	if mark.Trouble == "" {
		m.told[mark.SHA256] = true
	}
}

// teller gives documents to found and keeps the memory and the summary right.
type teller struct {
	m     *Memory
	found func(Document) error
	sum   Summary
}

// document tells a document that can be used, unless the same text was told before, under
// whichever name.
func (t *teller) document(d Document, mark Mark) error {
	mark.SHA256, mark.IDs, mark.Final = d.SHA256, idsOf(d.Advisories), true
	if !t.m.told[d.SHA256] {
		t.sum.New++
		if err := t.found(d); err != nil {
			return err
		}
	}
	t.m.put(d.Name, mark)
	return nil
}

// trouble tells why a document cannot be used, unless that was the last that was told of it.
func (t *teller) trouble(name, why string, mark Mark) error {
	t.sum.Troubles++
	if t.m.Documents[name].Trouble != why {
		if err := t.found(Document{Name: name, Why: why}); err != nil {
			return err
		}
	}
	mark.Trouble = why
	t.m.put(name, mark)
	return nil
}

// recovered forgets the trouble that a list had, so that the next one is told again.
func (t *teller) recovered(name string) {
	if _, known := t.m.Documents[name]; known {
		delete(t.m.Documents, name)
		t.m.dirty = true
	}
}
