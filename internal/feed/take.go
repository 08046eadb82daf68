package feed

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"

	"github.com/evenkeel/evenkeel/internal/advisory/parse"
)

// take looks at a document's seal, reads it and tells it, or tells why not.
func (r *round) take(ctx context.Context, e entry, a answer) error {
	name := e.address.String()
	d := Document{Name: name, Body: a.body, SHA256: digest(a.body), TLP: e.label}
	mark := Mark{ETag: a.etag, Modified: a.modified, Stamp: e.stamp, SHA256: d.SHA256}
	seal, err := Seal{State: SealNone}, error(nil)
	if e.csaf {
		seal, err = sealed(a.body, r.beside(ctx, e), true, r.options.Keyring, r.options.Now())
	}
	if err == nil {
		var why string
		if d.Advisories, why = read(name, a.body); why != "" {
			mark.Final = true // it stays so until it changes
			return r.t.trouble(name, why, mark)
		}
		if isCSAF(d.Advisories) && !e.csaf {
			seal, err = sealed(a.body, r.beside(ctx, e), true, r.options.Keyring, r.options.Now())
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return r.t.trouble(name, "refused: "+err.Error(), mark)
	}
	d.Seal = seal
	d.TLP = cmp.Or(tlpOf(a.body), d.TLP)
	return r.t.document(d, mark)
}

// beside gives what the server has beside a document: by a ROLIE entry's links, else by the names
// that CSAF 2.0 gives. What a feed links to has to be there.
func (r *round) beside(ctx context.Context, e entry) beside {
	get := func(kind, suffix string) ([]byte, string, error) {
		u, linked := e.links[kind]
		if e.links != nil && !linked {
			return nil, "the feed's entry, which links to none", nil
		}
		if !linked {
			next := *e.address
			next.Path += suffix
			if next.RawPath != "" {
				next.RawPath += suffix
			}
			u = &next
		}
		a, err := r.options.Web.get(ctx, u, maxSeal, answer{})
		if errors.Is(err, errNotThere) && !linked {
			return nil, u.Redacted(), nil
		}
		if err == nil && a.body == nil {
			a.body = []byte{}
		}
		return a.body, u.Redacted(), err
	}
	return beside{
		sum:       func(kind string) ([]byte, string, error) { return get(kind, "."+kind) },
		signature: func() ([]byte, string, error) { return get("signature", ".asc") },
	}
}

// inline takes a document that a list holds itself; it is named by its id.
func (r *round) inline(at *url.URL, part json.RawMessage) error {
	sum := digest(part)
	if r.t.m.told[sum] {
		return nil
	}
	as, mistakes := parse.Parse(at.String(), part)
	if len(mistakes) > 0 || len(as) == 0 {
		_, why := read(at.String(), part)
		return r.t.trouble(at.String()+"#"+sum[:12], why, Mark{SHA256: sum, Final: true})
	}
	d := Document{Name: at.String() + "#" + as[0].ID, Body: part, SHA256: sum, Advisories: as, Seal: Seal{State: SealNone}}
	if isCSAF(as) {
		if r.options.Keyring != nil {
			return r.t.trouble(d.Name, "refused: it has no signature: a list that holds documents itself has no place for one", Mark{SHA256: sum})
		}
		d.Seal.State, d.TLP = SealUnchecked, tlpOf(part)
	}
	if !r.options.Since.IsZero() && !as[0].Modified.IsZero() && as[0].Modified.Before(r.options.Since) {
		return nil
	}
	return r.t.document(d, Mark{})
}

func firstWord(s string) string {
	word, _, _ := strings.Cut(s, ":")
	return word
}
