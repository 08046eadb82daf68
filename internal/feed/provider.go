package feed

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path"
	"strings"
	"time"
)

const kindProvider = "a CSAF provider"

// readProvider reads a CSAF provider's provider-metadata.json (CSAF 2.0, 7.1.7 and 7.1.8).
func readProvider(at *url.URL, body []byte) (list, error) {
	var p struct {
		Distributions []struct {
			Directory string `json:"directory_url"`
			Rolie     struct {
				Feeds []struct {
					URL   string `json:"url"`
					Label string `json:"tlp_label"`
				} `json:"feeds"`
			} `json:"rolie"`
		} `json:"distributions"`
		Keys []struct {
			Fingerprint string `json:"fingerprint"`
		} `json:"public_openpgp_keys"`
	}
	if err := json.Unmarshal(body, &p); err != nil {
		return list{}, fmt.Errorf("no provider-metadata.json: %w", err)
	}
	out := list{kind: kindProvider}
	for _, k := range p.Keys {
		out.keys = append(out.keys, k.Fingerprint)
	}
	add := func(text string, f subfeed) {
		u, err := at.Parse(text)
		if err == nil {
			err = follows(at, u)
		}
		if f.address = u; err != nil {
			out.troubles = append(out.troubles, "a feed that it names: "+err.Error())
			return
		}
		out.feeds = append(out.feeds, f)
	}
	for _, d := range p.Distributions {
		for _, f := range d.Rolie.Feeds {
			add(f.URL, subfeed{label: f.Label})
		}
	}
	// The same documents are offered either way; ROLIE says more of each.
	for _, d := range p.Distributions {
		if len(out.feeds) == 0 && d.Directory != "" {
			add(d.Directory, subfeed{dir: true})
		}
	}
	if len(out.feeds)+len(out.troubles) == 0 {
		add(".", subfeed{dir: true}) // CSAF 2.0, 7.1.12: index.txt lies beside it
	}
	return out, nil
}

// readROLIE reads a ROLIE feed (RFC 8322; CSAF 2.0, 7.1.15). One entry that cannot be read does
// not spoil the others.
func readROLIE(at *url.URL, body []byte) (list, error) {
	var f struct {
		Feed struct {
			Entry []json.RawMessage `json:"entry"`
		} `json:"feed"`
	}
	if err := json.Unmarshal(body, &f); err != nil {
		return list{}, fmt.Errorf("no ROLIE feed: %w", err)
	}
	out := list{kind: "a ROLIE feed"}
	for n, part := range f.Feed.Entry {
		e, err := rolieEntry(at, part)
		if err != nil {
			out.troubles = append(out.troubles, fmt.Sprintf("feed.entry[%d]: %v", n, err))
			continue
		}
		out.entries = append(out.entries, e)
	}
	return out, nil
}

func rolieEntry(at *url.URL, part json.RawMessage) (entry, error) {
	var r struct {
		Updated string `json:"updated"`
		Content struct {
			Src string `json:"src"`
		} `json:"content"`
		Link []struct {
			Rel  string `json:"rel"`
			HRef string `json:"href"`
		} `json:"link"`
	}
	if err := json.Unmarshal(part, &r); err != nil {
		return entry{}, err
	}
	e := entry{csaf: true, stamp: r.Updated, links: map[string]*url.URL{}}
	e.when, _ = time.Parse(time.RFC3339, r.Updated) // not said counts as new
	self := r.Content.Src
	for _, l := range r.Link {
		if l.Rel == "self" {
			self = l.HRef
		}
		kind := l.Rel
		if l.Rel == "hash" {
			kind = strings.TrimPrefix(strings.ToLower(path.Ext(l.HRef)), ".")
		}
		u, err := at.Parse(l.HRef)
		if err == nil {
			err = follows(at, u)
		}
		if err != nil {
			return entry{}, err
		}
		e.links[kind] = u
	}
	if self == "" {
		return entry{}, errors.New("found neither content.src nor a link self, expected the document's address")
	}
	u, err := at.Parse(self)
	if err == nil {
		err = follows(at, u)
	}
	e.address = u
	return e, err
}
