package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net"
	"net/http"
	"slices"
	"strings"
)

// methods answers by method, and says which there are to whoever asks for another.
func (s *server) methods(by map[string]http.HandlerFunc) http.HandlerFunc {
	if get := by[http.MethodGet]; get != nil {
		by[http.MethodHead] = get
	}
	allow := strings.Join(slices.Sorted(maps.Keys(by)), ", ")
	return func(w http.ResponseWriter, r *http.Request) {
		if h := by[r.Method]; h != nil {
			h(w, r)
			return
		}
		w.Header().Set("Allow", allow)
		s.fail(w, &Problem{Title: "method not allowed", Status: http.StatusMethodNotAllowed, Code: "method", Detail: "there is no " + r.Method + " " + r.URL.Path, Next: "use " + allow})
	}
}

// guarded keeps web pages out: neither a form nor a name that was bent to a loopback address gets in.
func (s *server) guarded(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if at, _ := r.Context().Value(http.LocalAddrContextKey).(net.Addr); at != nil && at.Network() == "tcp" && !loopback(r.Host) {
			s.fail(w, &Problem{Title: "forbidden", Status: http.StatusForbidden, Code: "host", Detail: fmt.Sprintf("host %q was asked for, expected a loopback address or localhost", r.Host)})
			return
		}
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); r.Method == http.MethodPost && (err != nil || kind != "application/json") {
			s.fail(w, &Problem{Title: "unsupported media type", Status: http.StatusUnsupportedMediaType, Code: "content-type",
				Detail: fmt.Sprintf("Content-Type is %q, expected application/json", r.Header.Get("Content-Type"))})
			return
		}
		next.ServeHTTP(w, r)
	})
}

func loopback(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	ip := net.ParseIP(strings.Trim(name, "[]"))
	return strings.EqualFold(name, "localhost") || ip != nil && ip.IsLoopback()
}

// read takes a request's body in, strictly: one JSON value of known fields and nothing after it.
func read(w http.ResponseWriter, r *http.Request, into any) error {
	tooLarge := &Problem{Title: "too large", Status: http.StatusRequestEntityTooLarge, Code: "too-large", Detail: fmt.Sprintf("the body is larger than %d MiB", maxBody>>20)}
	if r.ContentLength > maxBody {
		return tooLarge
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, err = d.Token(); err == nil {
			err = errors.New("something follows the first value")
		} else if err == io.EOF {
			return nil
		}
	}
	if over := new(http.MaxBytesError); errors.As(err, &over) {
		return tooLarge
	}
	return &Problem{Title: "bad request", Status: http.StatusBadRequest, Code: "bad-json", Detail: "the body does not read: " + err.Error()}
}
