package feed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// maxBody bounds a document or a list of documents, in bytes: what parse.Parse takes.
const maxBody = 64 << 20

const (
	maxTries     = 3
	maxRedirects = 5
	maxPause     = 30 * time.Second // also when a server asks for more
)

// Web gets addresses with bounds on size, time, redirects and tries.
type Web struct {
	Client  *http.Client
	timeout time.Duration
	pause   time.Duration
}

// NewWeb makes one; timeout 0 is a minute for each request with its answer, pause 0 a second before
// a request is tried again.
func NewWeb(timeout, pause time.Duration) *Web {
	if timeout == 0 {
		timeout = time.Minute
	}
	if pause == 0 {
		pause = time.Second
	}
	return &Web{Client: &http.Client{}, timeout: timeout, pause: pause}
}

// answer is what a server said. unchanged: what was known before still holds, and body is empty.
type answer struct {
	body           []byte
	etag, modified string
	unchanged      bool
}

// errNotThere: the server answers, and has nothing at that address.
var errNotThere = errors.New("nothing is there")

// passing is an error that may not stand when it is tried again.
type passing struct {
	err   error
	after time.Duration // as the server asks for; 0: not said
}

func (p passing) Error() string { return p.err.Error() }
func (p passing) Unwrap() error { return p.err }

// get reads an address. known holds ETag and Last-Modified of what is known already, or nothing.
func (w *Web) get(ctx context.Context, u *url.URL, limit int64, known answer) (answer, error) {
	pause := w.pause
	for try := 1; ; try++ {
		a, err := w.once(ctx, u, limit, known)
		if ctx.Err() != nil {
			return answer{}, ctx.Err() // also when an answer came just then: whoever asked has left
		}
		var p passing
		if err == nil || !errors.As(err, &p) || try == maxTries {
			return a, err
		}
		if err := sleep(ctx, min(max(pause, p.after), maxPause)); err != nil {
			return a, err
		}
		pause *= 2
	}
}

func (w *Web) once(ctx context.Context, u *url.URL, limit int64, known answer) (answer, error) {
	under, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(under, http.MethodGet, u.String(), nil)
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("User-Agent", "evenkeel")
	if known.etag != "" {
		req.Header.Set("If-None-Match", known.etag)
	}
	if known.modified != "" {
		req.Header.Set("If-Modified-Since", known.modified)
	}
	client := *w.Client
	client.CheckRedirect = checkRedirect
	res, err := client.Do(req)
	if err != nil {
		return answer{}, w.failed(ctx, err)
	}
	defer res.Body.Close()
	if err := statusError(res, known); err != nil {
		return answer{}, err
	}
	out := answer{etag: res.Header.Get("ETag"), modified: res.Header.Get("Last-Modified")}
	if res.StatusCode == http.StatusNotModified {
		return answer{etag: known.etag, modified: known.modified, unchanged: true}, nil
	}
	out.body, err = io.ReadAll(io.LimitReader(res.Body, limit+1))
	if err != nil {
		return answer{}, w.failed(ctx, fmt.Errorf("%s broke off after %d bytes: %w", u.Redacted(), len(out.body), err))
	}
	if int64(len(out.body)) > limit {
		return answer{}, fmt.Errorf("%s is longer than %d bytes, which is the bound", u.Redacted(), limit)
	}
	return out, nil
}

// failed tells a failing network from the end of all; the network may do better next time.
func (w *Web) failed(ctx context.Context, err error) error {
	var bound redirectError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &bound):
		return err
	case errors.Is(err, context.DeadlineExceeded):
		return passing{err: fmt.Errorf("no whole answer within %s: %w", w.timeout, err)}
	}
	return passing{err: err}
}

func statusError(res *http.Response, known answer) error {
	at := res.Request.URL.Redacted()
	switch code := res.StatusCode; {
	case code == http.StatusOK:
		return nil
	case code == http.StatusNotModified && (known.etag != "" || known.modified != ""):
		return nil
	case code == http.StatusNotFound, code == http.StatusGone:
		return fmt.Errorf("%s answered %s: %w", at, res.Status, errNotThere)
	case code == http.StatusTooManyRequests, code >= 500:
		seconds, _ := strconv.Atoi(res.Header.Get("Retry-After")) // a date counts as not said
		return passing{err: fmt.Errorf("%s answered %s", at, res.Status), after: time.Duration(min(max(seconds, 0), 3600)) * time.Second}
	default:
		return fmt.Errorf("%s answered %s, expected 200", at, res.Status)
	}
}

// redirectError is a redirect that is not followed.
type redirectError struct{ why string }

func (r redirectError) Error() string { return r.why }

func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return redirectError{fmt.Sprintf("redirected more than %d times", maxRedirects)}
	}
	if err := follows(via[len(via)-1].URL, req.URL); err != nil {
		return redirectError{"a redirect is not followed: " + err.Error()}
	}
	return nil
}

// follows says whether what stands at one address may lead to another: over http or https, and
// never from https to something weaker.
func follows(from, to *url.URL) error {
	switch {
	case to.Scheme != "http" && to.Scheme != "https" || to.Host == "":
		return fmt.Errorf("%s: expected an https or http address", to.Redacted())
	case from.Scheme == "https" && to.Scheme != "https":
		return fmt.Errorf("%s: %s came over https, and what it leads to must too", to.Redacted(), from.Redacted())
	case to.User != nil:
		return fmt.Errorf("%s: an address with a user's name is not used", to.Redacted())
	}
	return nil
}

// sleep waits, or gives the context's error when that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
