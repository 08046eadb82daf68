package feed

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Remote is a feed over HTTP: one document, or a list of documents in any of the forms of index.go.
//
// gocsaf/csaf has loaders for provider metadata and ROLIE feeds. They are not used: they read
// without a bound, drop what they cannot read with no more than a line in the process's log, and
// cannot ask whether something changed; a feed must not be able to hide a document that way.
type Remote struct {
	options  Options
	address  *url.URL
	lists    map[string]answer // the lists read last, by address, for conditional requests
	failures int               // rounds in a row that could not read the feed
}

// giveUp is after how many failing documents in a row the server is left alone until the next round,
// maxLists bounds the lists of one provider, maxListed what they have together, in bytes, and
// maxTroubles what is told of one list.
const (
	giveUp      = 5
	maxLists    = 64
	maxListed   = 256 << 20
	maxTroubles = 50
)

// round is one look at the feed.
type round struct {
	*Remote
	t      teller
	asked  int
	failed int // documents in a row
	listed int // bytes of lists
}

// Round looks at the feed once.
func (r *Remote) Round(ctx context.Context, m *Memory, found func(Document) error) (Summary, error) {
	now := &round{Remote: r, t: teller{m: m, found: found}}
	err := now.look(ctx)
	if err != nil {
		r.failures++
	} else {
		r.failures = 0
	}
	return now.t.sum, err
}

// Wait waits `every`, and longer the more rounds failed: up to an hour.
func (r *Remote) Wait(ctx context.Context, every time.Duration) error {
	for range min(r.failures, 10) {
		every = max(every, min(2*every, time.Hour))
	}
	return sleep(ctx, every)
}

func (r *round) look(ctx context.Context) error {
	l, err := r.first(ctx)
	if err != nil {
		return err
	}
	if l.single {
		return nil // it has been taken
	}
	r.ringNotes(l)
	entries, err := r.walk(ctx, r.address, l)
	if err != nil {
		return err
	}
	return r.entries(ctx, entries)
}

// first reads what the feed's own address holds. A document is taken at once.
func (r *round) first(ctx context.Context) (list, error) {
	switch {
	case r.address.Path == "" || r.address.Path == "/":
		r.address = r.address.JoinPath(wellKnown)
	case strings.HasSuffix(r.address.Path, "/"):
		l, at, err := r.directory(ctx, r.address)
		if err == nil {
			r.address = at
		}
		return l, err
	}
	return r.own(ctx)
}

// own reads the feed's own address, which was a list or a document when it was read last.
func (r *round) own(ctx context.Context) (list, error) {
	key := r.address.String()
	known, mark := r.lists[key], r.t.m.Documents[key]
	if known.body == nil && mark.Final {
		known.etag, known.modified = mark.ETag, mark.Modified
	}
	a, err := r.options.Web.get(ctx, r.address, maxBody, known)
	switch {
	case err != nil:
		return list{}, err
	case a.unchanged && known.body == nil:
		if mark.Trouble != "" {
			r.t.sum.Troubles++
		}
		return list{single: true}, nil
	case a.unchanged:
		a = known
	}
	l, err := readList(r.address, a.body)
	switch {
	case err != nil:
		return l, fmt.Errorf("%s is %w", r.address.Redacted(), err)
	case l.single:
		delete(r.lists, key)
		return l, r.take(ctx, entry{address: r.address}, a)
	}
	r.lists[key] = a
	return l, nil
}

// list reads a list that another one names, or what it was when it has not changed.
func (r *round) list(ctx context.Context, at *url.URL) (list, error) {
	key := at.String()
	a, err := r.options.Web.get(ctx, at, maxBody, r.lists[key])
	if err != nil {
		return list{}, err
	}
	if a.unchanged {
		a = r.lists[key]
	}
	if r.listed += len(a.body); r.listed > maxListed {
		return list{}, fmt.Errorf("%s: the feed's lists have more than %d bytes together, which is the bound", at.Redacted(), maxListed)
	}
	l, err := readList(at, a.body)
	if err != nil {
		return l, fmt.Errorf("%s is %w", at.Redacted(), err)
	}
	r.lists[key] = a
	return l, nil
}

// directory reads a directory's changes.csv, or its index.txt when there is none.
func (r *round) directory(ctx context.Context, dir *url.URL) (list, *url.URL, error) {
	at := dir.JoinPath(nameChanges)
	l, err := r.list(ctx, at)
	if errors.Is(err, errNotThere) {
		at = dir.JoinPath(nameIndex)
		l, err = r.list(ctx, at)
	}
	return l, at, err
}

// walk gathers the documents of a list and of the lists that it names. A list that cannot be read
// is told and passed over.
func (r *round) walk(ctx context.Context, at *url.URL, l list) ([]entry, error) {
	entries := l.entries
	if more := len(l.troubles) - maxTroubles; more > 0 {
		l.troubles = append(slices.Clip(l.troubles[:maxTroubles]), fmt.Sprintf("more: %d further lines or entries cannot be used", more))
	}
	for _, why := range l.troubles {
		if err := r.t.trouble(at.String()+" "+firstWord(why), why, Mark{}); err != nil {
			return nil, err
		}
	}
	for _, part := range l.inline {
		if err := r.inline(at, part); err != nil {
			return nil, err
		}
	}
	for n, f := range l.feeds {
		if n == maxLists {
			return entries, r.t.trouble(at.String()+" feeds", fmt.Sprintf("it names %d feeds, of which %d are read", len(l.feeds), maxLists), Mark{})
		}
		more, err := r.feed(ctx, f)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			if err := r.t.trouble(f.address.String(), "this feed of the provider cannot be read: "+err.Error(), Mark{}); err != nil {
				return nil, err
			}
			continue
		}
		r.t.recovered(f.address.String())
		entries = append(entries, more...)
	}
	return entries, nil
}

// feed reads one list of a CSAF provider.
func (r *round) feed(ctx context.Context, f subfeed) ([]entry, error) {
	var l list
	var err error
	at := f.address
	if f.dir {
		l, at, err = r.directory(ctx, f.address)
	} else {
		l, err = r.list(ctx, f.address)
	}
	if err != nil {
		return nil, err
	}
	if l.single || len(l.feeds) > 0 || len(l.inline) > 0 {
		return nil, errors.New("found something else, expected a ROLIE feed, changes.csv or index.txt")
	}
	entries, err := r.walk(ctx, at, l)
	for i := range entries {
		entries[i].label, entries[i].csaf = f.label, true
	}
	return entries, err
}

// ringNotes says when a provider signs with keys of which the keyring holds none. Its own word on
// its keys is not trusted: the keyring alone counts.
func (r *round) ringNotes(l list) {
	if r.options.Keyring == nil || len(l.keys) == 0 || slices.ContainsFunc(l.keys, r.options.Keyring.Holds) {
		return
	}
	_ = r.t.trouble(r.address.String()+" keys", "the keyring holds none of the keys that the provider names: "+strings.Join(l.keys, ", "), Mark{})
}

// entries takes what is new or changed of the documents that lists name, the newest first, up to
// the bound of a round.
func (r *round) entries(ctx context.Context, all []entry) error {
	seen := map[string]bool{}
	var due []entry
	for _, e := range all {
		name := e.address.String()
		mark, known := r.t.m.Documents[name]
		settled := known && mark.Final && e.stamp != "" && mark.Stamp == e.stamp
		if seen[name] || settled || !e.when.IsZero() && e.when.Before(r.options.Since) {
			continue
		}
		seen[name] = true
		due = append(due, e)
	}
	// What is new before what is only asked whether it changed; the longest not asked first.
	rank := func(e entry) int {
		if _, known := r.t.m.Documents[e.address.String()]; known {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(due, func(a, b entry) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), b.when.Compare(a.when), cmp.Compare(r.t.m.asked[a.address.String()], r.t.m.asked[b.address.String()]))
	})
	for n, e := range due {
		if r.asked == r.options.Most || r.failed == giveUp {
			for _, rest := range due[n:] {
				r.t.sum.Left += 1 - rank(rest)
			}
			break
		}
		r.asked++
		name := e.address.String()
		r.t.m.asking++
		r.t.m.asked[name] = r.t.m.asking
		if err := r.one(ctx, e, r.t.m.Documents[name]); err != nil {
			return err
		}
	}
	if r.failed == giveUp {
		return fmt.Errorf("the last %d documents could not be fetched: the rest is left for the next round", giveUp)
	}
	return nil
}

// one asks for one document, and takes it when it is new or changed.
func (r *round) one(ctx context.Context, e entry, mark Mark) error {
	known := answer{}
	if mark.Final {
		known.etag, known.modified = mark.ETag, mark.Modified
	}
	a, err := r.options.Web.get(ctx, e.address, maxBody, known)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		r.failed++
		mark.Final = false
		return r.t.trouble(e.address.String(), "cannot be fetched: "+err.Error(), mark)
	}
	r.failed = 0
	if a.unchanged {
		if mark.Stamp != e.stamp {
			mark.Stamp = e.stamp
			r.t.m.put(e.address.String(), mark)
		}
		if mark.Trouble != "" {
			r.t.sum.Troubles++
		}
		return nil
	}
	return r.take(ctx, e, a)
}
