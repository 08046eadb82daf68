// Package feed takes advisories from a folder or from a feed over HTTP: each
// document once, whole, and with its checksum and signature looked at.
//
// It never says what a document means for a fleet (advisory does), never
// follows a feed to anything but http and https, never trusts a key that came
// with what it signs, and never lets one broken document, or one broken feed,
// end the rest. What cannot be used is named, with the reason, once.
//
// Start reading at Source; folder.go and remote.go are the two that there are,
// index.go reads the lists of documents that feeds publish, seal.go judges
// checksums and signatures, memory.go remembers what has been told.
package feed

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/advisory/parse"
	"github.com/evenkeel/evenkeel/internal/form"
)

// Document is one document that was found new or changed.
type Document struct {
	Name string // its path or address; with #ID for one of several in a file
	// Why says why it cannot be used. Then nothing below is set.
	Why        string
	Body       []byte
	SHA256     string // of Body, in hexadecimal digits
	Seal       Seal
	TLP        string // the Traffic Light Protocol's label, by the document or its feed; empty: not said
	Advisories []advisory.Advisory
}

// Source is where documents come from.
type Source interface {
	// Round looks once and gives each new, changed or unusable document to found, which tells it.
	// What found returned nil for is remembered in m, and not found again until it changes; any
	// error of found's ends the round. An error means that the source itself could not be read.
	Round(ctx context.Context, m *Memory, found func(Document) error) (Summary, error)
	// Wait returns when another round may find something, after `every` at the latest, or longer
	// after failures; with the context's error when that ended.
	Wait(ctx context.Context, every time.Duration) error
}

// Summary is what came of one round.
type Summary struct {
	New      int // documents given to found
	Troubles int // documents that could not be used, whether told now or before
	Left     int // new documents beyond the bound of one round: the next takes them
	Waiting  int // files that are still being written
}

// Options of a source. The zero value has careful bounds.
type Options struct {
	Keyring Keyring   // nil: signatures are not checked
	Since   time.Time // of documents that their feed dates, only later ones are taken; zero: all
	Most    int       // documents asked for in one round; 0: 500
	Settle  time.Duration
	Timeout time.Duration // of one request with its answer; 0: one minute
	Pause   time.Duration // before a request is tried again, doubled each time; 0: one second
	Now     func() time.Time
	Web     *Web // nil: one of its own
}

func (o Options) filled() Options {
	if o.Most == 0 {
		o.Most = 500
	}
	if o.Settle == 0 {
		o.Settle = 2 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Web == nil {
		o.Web = NewWeb(o.Timeout, o.Pause)
	}
	return o
}

// Open gives the source that an address names: a folder, or an http or https address. Nothing is
// read yet.
func Open(address string, o Options) (Source, error) {
	o = o.filled()
	if scheme, _, ok := strings.Cut(address, "://"); ok {
		u, err := url.Parse(address)
		if err != nil {
			return nil, fmt.Errorf("%s is no address: %w", address, err)
		}
		if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			return nil, fmt.Errorf("%s: found the scheme %s, expected https or http and a host", address, scheme)
		}
		u.Fragment = ""
		return &Remote{options: o, address: u, lists: map[string]answer{}}, nil
	}
	info, err := os.Stat(address)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("%s is a file, expected a folder or an address: evenkeel advisories show reads files", address)
	}
	return &Folder{options: o, path: address, sights: map[string]sight{}}, nil
}

// shortMistakes is how many mistakes of a document are told; show tells all of them.
const shortMistakes = 5

// read parses a document's body; why is empty when it can be used.
func read(name string, body []byte) (as []advisory.Advisory, why string) {
	as, mistakes := parse.Parse(name, body)
	if len(mistakes) == 0 {
		if len(as) == 0 {
			return nil, "cannot be read: it holds no advisory"
		}
		return as, ""
	}
	return nil, "cannot be read: " + few(mistakes)
}

func few(mistakes form.Mistakes) string {
	var lines []string
	for i, m := range mistakes {
		if i == shortMistakes {
			lines = append(lines, fmt.Sprintf("and %d more mistakes", len(mistakes)-i))
			break
		}
		lines = append(lines, m.String())
	}
	return strings.Join(lines, "; ")
}

// isCSAF: its format has a signature, CSAF 2.0 section 7.1.20, a detached OpenPGP one beside it.
func isCSAF(as []advisory.Advisory) bool {
	return slices.ContainsFunc(as, func(a advisory.Advisory) bool { return a.Format == advisory.FormatCSAF })
}

// tlpOf reads the label of a CSAF document: /document/distribution/tlp/label.
func tlpOf(body []byte) string {
	var d struct {
		Document struct {
			Distribution struct {
				TLP struct {
					Label string `json:"label"`
				} `json:"tlp"`
			} `json:"distribution"`
		} `json:"document"`
	}
	if json.Unmarshal(body, &d) != nil {
		return "" // whoever parses it says what is wrong
	}
	return d.Document.Distribution.TLP.Label
}

// idsOf are the ids of advisories, each once, in their order.
func idsOf(as []advisory.Advisory) (ids []string) {
	for _, a := range as {
		if !slices.Contains(ids, a.ID) {
			ids = append(ids, a.ID)
		}
	}
	return ids
}
