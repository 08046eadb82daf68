package simulated

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// A world in a process of its own, so that it lives on when the control plane is killed: one JSON
// request a call, over HTTP on a unix socket.

const callPath = "/call"

// maxCall bounds a request's body.
const maxCall = 1 << 20

// reply is what goes back over the socket.
type reply struct {
	Answer Answer `json:"answer"`
	Lost   string `json:"lost,omitempty"` // the call's error, by its name in lostNames
}

var lostNames = map[string]error{"no-answer": ErrNoAnswer, "service-off": ErrServiceOff, "no-host": ErrNoHost}

// Serve lets callers on the listener reach the world until ctx ends. In a world that runs speed
// times as fast as its callers' clock, durations are told in the callers' time.
//
// Beside the product's door there are some for people and scripts: PUT /faults takes Faults as JSON from
// now on; POST /mend?host=ID makes a host that came back wrong answer again; GET /status?host=ID and
// GET /console?host=ID are what its power supply and its console say, as a command that is asked about
// hosts which do not answer would (curl -sf --unix-socket SOCKET "http://world/$1?host=$2").
func (w *World) Serve(ctx context.Context, l net.Listener, speed float64) error {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+callPath, func(rw http.ResponseWriter, r *http.Request) {
		var c Call
		if err := json.NewDecoder(http.MaxBytesReader(rw, r.Body, maxCall)).Decode(&c); err != nil {
			http.Error(rw, "not a call: "+err.Error(), http.StatusBadRequest)
			return
		}
		a, err := w.Do(r.Context(), c, 0)
		if a.Job != nil {
			a.Job.Blackout = time.Duration(float64(a.Job.Blackout) / speed)
			a.Job.Total = time.Duration(float64(a.Job.Total) / speed)
		}
		out := reply{Answer: a}
		for name, lost := range lostNames {
			if errors.Is(err, lost) {
				out.Lost = name
			}
		}
		if err != nil && out.Lost == "" {
			if r.Context().Err() == nil {
				http.Error(rw, err.Error(), http.StatusInternalServerError)
			}
			return // the caller has left
		}
		rw.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(rw).Encode(out) // a caller that has left is not told
	})
	mux.HandleFunc("PUT /faults", w.takeFaults)
	mux.HandleFunc("POST /mend", w.takeMend)
	mux.HandleFunc("GET /status", func(rw http.ResponseWriter, r *http.Request) {
		w.tellProbe(rw, r, func(p driver.Probe) string { return string(p.Power) })
	})
	mux.HandleFunc("GET /console", func(rw http.ResponseWriter, r *http.Request) {
		w.tellProbe(rw, r, func(p driver.Probe) string { return p.Console })
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(l); ctx.Err() == nil {
		return err
	}
	return nil
}

func (w *World) takeFaults(rw http.ResponseWriter, r *http.Request) {
	var f Faults
	d := json.NewDecoder(http.MaxBytesReader(rw, r.Body, maxCall))
	d.DisallowUnknownFields()
	err := d.Decode(&f)
	if err == nil {
		err = w.Break(f)
	}
	if err != nil {
		http.Error(rw, "not faults: "+err.Error(), http.StatusBadRequest)
	}
}

// tellProbe tells a part of what is seen out of band; what cannot be told is an error.
func (w *World) tellProbe(rw http.ResponseWriter, r *http.Request, part func(driver.Probe) string) {
	a, err := w.Do(r.Context(), Call{Op: OpProbe, Host: r.FormValue("host")}, 0)
	switch {
	case err != nil:
		http.Error(rw, err.Error(), http.StatusNotFound)
	case part(*a.Probe) == "":
		http.Error(rw, "it cannot be told", http.StatusServiceUnavailable)
	default:
		_, _ = io.WriteString(rw, part(*a.Probe)+"\n")
	}
}

func (w *World) takeMend(rw http.ResponseWriter, r *http.Request) {
	if !w.has(r.FormValue("host")) {
		http.Error(rw, "no such host: "+r.FormValue("host"), http.StatusNotFound)
		return
	}
	w.Mend(r.FormValue("host"))
}

// Live brings the world up to its clock every now and then until ctx ends, so that its log grows
// while nobody calls. It returns the error of writing the log, if there was one.
func (w *World) Live(ctx context.Context) error {
	for {
		w.Advance()
		if err := w.logError(); err != nil {
			return fmt.Errorf("the world's log cannot be written: %w", err)
		}
		if err := (realClock{}).Wait(ctx, 50*time.Millisecond); err != nil {
			return nil
		}
	}
}

func (w *World) logError() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.sinkErr
}

// remote is the Wire to a world behind a socket.
type remote struct{ client *http.Client }

// Dial gives a driver to the world that is served on a unix socket. It connects on the first call;
// while nobody serves there, every host is unreachable.
func Dial(socket string) *Driver {
	transport := &http.Transport{
		MaxIdleConnsPerHost: 64,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}
	d := newDriver(remote{&http.Client{Transport: transport}}, RealTime())
	d.close = func() error { transport.CloseIdleConnections(); return nil }
	return d
}

// Do carries one call over the socket.
func (r remote) Do(ctx context.Context, c Call, patience time.Duration) (Answer, error) {
	own := ctx
	if patience > 0 {
		var cancel context.CancelFunc
		own, cancel = context.WithTimeout(ctx, patience)
		defer cancel()
	}
	var out reply
	if err := r.post(own, c, &out); err != nil {
		if ctx.Err() == nil && own.Err() != nil {
			return Answer{}, ErrNoAnswer
		}
		return Answer{}, err
	}
	if out.Lost != "" {
		err := lostNames[out.Lost]
		if err == nil {
			err = errors.New(out.Lost)
		}
		return Answer{}, err
	}
	return out.Answer, nil
}

func (r remote) post(ctx context.Context, c Call, out *reply) error {
	body, err := json.Marshal(c)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://world"+callPath, bytes.NewReader(body))
	if err != nil {
		return err
	}
	resp, err := r.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		why, _ := io.ReadAll(io.LimitReader(resp.Body, 1<<10))
		return fmt.Errorf("the world answered %s: %s", resp.Status, bytes.TrimSpace(why))
	}
	return json.NewDecoder(resp.Body).Decode(out)
}
