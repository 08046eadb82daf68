package feed

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path"
	"strings"
	"time"
)

// entry is one document that a list names.
type entry struct {
	address *url.URL
	stamp   string    // what the list says of its last change; empty: not said
	when    time.Time // the same as a time; zero: not said
	label   string    // of the Traffic Light Protocol, by the feed
	csaf    bool      // it comes from a CSAF feed: it has to be signed
	// links of a ROLIE feed: sha256, sha512, signature. nil: what lies beside the document by the
	// rules of CSAF 2.0 counts.
	links map[string]*url.URL
}

// list is what one address was found to be.
type list struct {
	kind     string // for people
	entries  []entry
	feeds    []subfeed         // further lists that it names
	inline   []json.RawMessage // documents that it holds itself
	keys     []string          // fingerprints that a provider names
	troubles []string          // lines or entries that cannot be used
	single   bool              // it is no list but one document
}

// subfeed is a list that another one names.
type subfeed struct {
	address *url.URL
	label   string
	dir     bool // a directory that holds changes.csv or index.txt
}

// The names of lists that are told by their address, since their text does not tell.
const (
	nameChanges  = "changes.csv"     // CSAF 2.0, 7.1.13
	nameIndex    = "index.txt"       // CSAF 2.0, 7.1.12; for others a plain list of addresses
	nameModified = "modified_id.csv" // OSV's exports: google.github.io/osv.dev/data
	nameProvider = "provider-metadata.json"
	wellKnown    = "/.well-known/csaf/provider-metadata.json"
)

// readList tells what an address holds, and reads it when it is a list of documents.
func readList(at *url.URL, body []byte) (list, error) {
	switch path.Base(at.Path) {
	case nameChanges:
		return readChanges(at, body)
	case nameIndex:
		return readIndex(at, body), nil
	case nameModified:
		return readModified(at, body)
	}
	l, err := readText(at, body)
	if err == nil && path.Base(at.Path) == nameProvider && l.kind != kindProvider {
		// Whatever else stands there would need no signature, where a provider's documents do.
		err = errors.New("no CSAF provider: found something else, expected provider-metadata.json with canonical_url and metadata_version")
	}
	return l, err
}

// readText tells what an address holds by its text.
func readText(at *url.URL, body []byte) (list, error) {
	first := bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")))
	if len(first) == 0 || first[0] != '{' && first[0] != '[' && first[0] != '"' {
		return list{single: true}, nil
	}
	if !json.Valid(first) {
		return readLines(at, first), nil
	}
	if first[0] == '[' {
		return readArray(at, first)
	}
	var keys map[string]json.RawMessage
	if json.Unmarshal(first, &keys) != nil {
		return list{single: true}, nil
	}
	has := func(key string) bool { return keys[key] != nil }
	switch {
	case has("feed") && !has("document") && !has("id"):
		return readROLIE(at, first)
	case has("canonical_url") && has("metadata_version"):
		return readProvider(at, first)
	}
	return list{single: true}, nil
}

// below resolves a path that a directory's list gives; it must stay below the list's own folder.
func below(at *url.URL, name string) (*url.URL, error) {
	if strings.Contains(name, "://") || strings.HasPrefix(name, "/") {
		return nil, fmt.Errorf("%q: expected a path below the list's own folder", name)
	}
	base := at.JoinPath("..")
	u := base.JoinPath(strings.Split(name, "/")...)
	if !strings.HasPrefix(u.Path, strings.TrimSuffix(base.Path, "/")+"/") || u.Path == base.Path {
		return nil, fmt.Errorf("%q: expected a path below the list's own folder", name)
	}
	u.RawQuery = ""
	return u, nil
}

// readChanges reads CSAF's changes.csv: "path","time of the last change".
func readChanges(at *url.URL, body []byte) (list, error) {
	out := list{kind: "a CSAF directory"}
	err := rows(body, func(line int, row []string) {
		u, err := below(at, row[0])
		when, timeErr := time.Parse(time.RFC3339, row[1])
		if err = errors.Join(err, timeErr); err != nil {
			out.troubles = append(out.troubles, fmt.Sprintf("line %d: %v", line, err))
			return
		}
		out.entries = append(out.entries, entry{address: u, stamp: row[1], when: when, csaf: true})
	})
	return out, err
}

// readModified reads OSV's modified_id.csv: time of the last change,id; or, where it is of all
// ecosystems, time,ecosystem/id. The newest come first.
func readModified(at *url.URL, body []byte) (list, error) {
	out := list{kind: "an OSV export"}
	err := rows(body, func(line int, row []string) {
		u, err := below(at, row[1]+".json")
		when, timeErr := time.Parse(time.RFC3339, row[0])
		if err = errors.Join(err, timeErr); err != nil {
			out.troubles = append(out.troubles, fmt.Sprintf("line %d: %v", line, err))
			return
		}
		out.entries = append(out.entries, entry{address: u, stamp: row[0], when: when})
	})
	return out, err
}

// rows calls each with the lines of a CSV text of two columns or more.
func rows(body []byte, each func(line int, row []string)) error {
	r := csv.NewReader(bytes.NewReader(body))
	r.FieldsPerRecord = -1
	r.TrimLeadingSpace = true
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("no list of documents: %w", err)
		}
		line, _ := r.FieldPos(0)
		if len(row) < 2 {
			return fmt.Errorf("no list of documents: line %d: found %d column, expected 2", line, len(row))
		}
		each(line, row)
	}
}

// readIndex reads index.txt: one path below its folder, or one address, a line. CSAF's are paths.
func readIndex(at *url.URL, body []byte) list {
	out := list{kind: "a plain index"}
	lines := bufio.NewScanner(bytes.NewReader(body))
	lines.Buffer(nil, maxBody)
	for n := 1; lines.Scan(); n++ {
		name := strings.TrimSpace(lines.Text())
		if name == "" || strings.HasPrefix(name, "#") {
			continue
		}
		u, err := addressIn(at, name)
		if err != nil {
			out.troubles = append(out.troubles, fmt.Sprintf("line %d: %v", n, err))
			continue
		}
		out.entries = append(out.entries, entry{address: u})
	}
	return out
}

// addressIn reads what a plain index names: an address, or a path below the index's own folder.
func addressIn(at *url.URL, name string) (*url.URL, error) {
	if !strings.Contains(name, "://") {
		return below(at, name)
	}
	u, err := url.Parse(name)
	if err != nil {
		return nil, err
	}
	return u, follows(at, u)
}

// readArray reads a JSON list, each of whose entries is an address or a document.
func readArray(at *url.URL, body []byte) (list, error) {
	var parts []json.RawMessage
	if err := json.Unmarshal(body, &parts); err != nil {
		return list{}, err
	}
	out := list{kind: "a JSON list"}
	for n, part := range parts {
		out.part(at, fmt.Sprintf("[%d]", n), part)
	}
	return out, nil
}

// readLines reads JSON Lines, each of which is an address or a document. A text of one line that
// is no JSON is a broken document.
func readLines(at *url.URL, body []byte) list {
	lines := bytes.Split(body, []byte("\n"))
	whole := 0
	for _, line := range lines {
		if json.Valid(line) {
			whole++
		}
	}
	// A broken document of many lines is not JSON Lines: hardly one of its lines is JSON.
	if filled := len(lines) - bytes.Count(body, []byte("\n\n")); whole == 0 || whole < filled/2 {
		return list{single: true}
	}
	out := list{kind: "JSON Lines"}
	for n, line := range lines {
		if line = bytes.TrimSpace(line); len(line) > 0 {
			out.part(at, fmt.Sprintf("line %d", n+1), line)
		}
	}
	return out
}

func (l *list) part(at *url.URL, where string, part json.RawMessage) {
	var name string
	switch {
	case !json.Valid(part):
		l.troubles = append(l.troubles, where+": found no whole JSON value, expected an address or a document")
	case part[0] == '{':
		l.inline = append(l.inline, part)
	case json.Unmarshal(part, &name) == nil && part[0] == '"':
		u, err := addressIn(at, name)
		if err != nil {
			l.troubles = append(l.troubles, where+": "+err.Error())
			return
		}
		l.entries = append(l.entries, entry{address: u})
	default:
		l.troubles = append(l.troubles, fmt.Sprintf("%s: found %.20s, expected an address or a document", where, part))
	}
}
