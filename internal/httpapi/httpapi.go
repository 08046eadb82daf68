// Package httpapi is the door to a running server: HTTP and JSON over a unix
// socket, whose file mode says who may come in, or over a loopback address.
//
// It decides nothing: it reads, checks the form of what comes in, and hands
// orders to the engine. Start reading at Handler; Client is the other end.
//
//	GET  /v1/campaigns                    all campaigns in brief
//	POST /v1/campaigns                    begin one: {"plan": ..., "who": ...}
//	GET  /v1/campaigns/ID                 one in brief
//	POST /v1/campaigns/ID/orders          {"verb": "pause", "host": ..., "who": ..., "why": ...}
//	GET  /v1/campaigns/ID/facts?after=N   its journal as JSON lines; with Accept: text/event-stream as
//	                                      server-sent events that go on, resumed by Last-Event-ID
//
// Errors are problems (RFC 9457) with our code and what to do next.
package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/engine"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// maxBody bounds what one request may send: a plan of a hundred thousand hosts fits.
const maxBody = 1 << 30

// Problem is an error as the API tells it.
type Problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
	Next   string `json:"next,omitempty"`
}

func (p *Problem) Error() string {
	if p.Next != "" {
		return p.Detail + " (" + p.Next + ")"
	}
	return p.Detail
}

// ApplyRequest begins a campaign; the plan carries the fleet that it was made from.
type ApplyRequest struct {
	Plan plan.Plan `json:"plan"`
	Who  string    `json:"who"`
}

// Handler serves the API over a controller.
func Handler(c *engine.Controller, now func() time.Time, log *slog.Logger) http.Handler {
	s := &server{c, now, log}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/campaigns", s.list)
	mux.HandleFunc("POST /v1/campaigns", s.apply)
	mux.HandleFunc("GET /v1/campaigns/{id}", s.status)
	mux.HandleFunc("POST /v1/campaigns/{id}/orders", s.order)
	mux.HandleFunc("GET /v1/campaigns/{id}/facts", s.facts)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, &Problem{Title: "not found", Status: http.StatusNotFound, Code: "not-found", Detail: "there is no " + r.Method + " " + r.URL.Path})
	})
	return mux
}

type server struct {
	c   *engine.Controller
	now func() time.Time
	log *slog.Logger
}

func (s *server) answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	if err := json.NewEncoder(w).Encode(v); err != nil {
		s.log.Debug("answer not written", "error", err)
	}
}

func (s *server) fail(w http.ResponseWriter, err error) {
	var p *Problem
	var refused *engine.Refused
	switch {
	case errors.As(err, &p):
	case errors.As(err, &refused):
		p = &Problem{Title: "refused", Status: http.StatusConflict, Code: refused.Code, Detail: refused.Why, Next: refused.Next}
	case errors.Is(err, engine.ErrUnknown):
		p = &Problem{Title: "not found", Status: http.StatusNotFound, Code: "unknown-campaign", Detail: err.Error(), Next: "evenkeel status lists the campaigns"}
	default:
		s.log.Error("request failed", "error", err)
		p = &Problem{Title: "failed", Status: http.StatusInternalServerError, Code: "failed", Detail: err.Error()}
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the caller is gone when this fails
}

// read takes a request's body in, strictly.
func read(w http.ResponseWriter, r *http.Request, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return &Problem{Title: "bad request", Status: http.StatusBadRequest, Code: "bad-json", Detail: "the body does not read: " + err.Error()}
	}
	return nil
}

func (s *server) list(w http.ResponseWriter, _ *http.Request) {
	out := []execution.Status{}
	for _, id := range s.c.Campaigns() {
		_ = s.c.Read(id, func(st *execution.State) { out = append(out, st.Status(s.now())) }) // it was listed just now
	}
	s.answer(w, http.StatusOK, out)
}

func (s *server) status(w http.ResponseWriter, r *http.Request) {
	var out execution.Status
	if err := s.c.Read(r.PathValue("id"), func(st *execution.State) { out = st.Status(s.now()) }); err != nil {
		s.fail(w, err)
		return
	}
	s.answer(w, http.StatusOK, out)
}

func (s *server) apply(w http.ResponseWriter, r *http.Request) {
	var in ApplyRequest
	err := read(w, r, &in)
	switch {
	case err != nil:
	case in.Plan.Fleet == nil:
		err = &Problem{Title: "bad request", Status: http.StatusBadRequest, Code: "no-fleet", Detail: "the plan does not carry the fleet that it was made from", Next: "write it with: evenkeel plan --out"}
	case in.Who == "":
		err = &Problem{Title: "bad request", Status: http.StatusBadRequest, Code: "no-name", Detail: "who applies the plan is not said"}
	default:
		err = s.c.Apply(r.Context(), &in.Plan, in.Who)
	}
	if err != nil {
		s.fail(w, err)
		return
	}
	var out execution.Status
	if err := s.c.Read(in.Plan.Campaign, func(st *execution.State) { out = st.Status(s.now()) }); err != nil {
		s.fail(w, err)
		return
	}
	s.answer(w, http.StatusCreated, out)
}

func (s *server) order(w http.ResponseWriter, r *http.Request) {
	var o engine.Order
	err := read(w, r, &o)
	if err == nil && o.Who == "" {
		err = &Problem{Title: "bad request", Status: http.StatusBadRequest, Code: "no-name", Detail: "who gives the order is not said"}
	}
	if err == nil {
		err = s.c.Order(r.Context(), r.PathValue("id"), o)
	}
	if err != nil {
		s.fail(w, err)
		return
	}
	s.status(w, r)
}

// facts gives the journal: what is there, or also what comes.
func (s *server) facts(w http.ResponseWriter, r *http.Request) {
	follow := strings.Contains(r.Header.Get("Accept"), "text/event-stream")
	from := r.URL.Query().Get("after")
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		from = last
	}
	after, err := strconv.ParseInt(from, 10, 64)
	if from != "" && (err != nil || after < 0) {
		s.fail(w, &Problem{Title: "bad request", Status: http.StatusBadRequest, Code: "bad-number", Detail: fmt.Sprintf("after is %q, expected a fact's number", from)})
		return
	}
	id := r.PathValue("id")
	if err := s.c.Read(id, func(*execution.State) {}); err != nil {
		s.fail(w, err)
		return
	}
	if !follow {
		w.Header().Set("Content-Type", "application/x-ndjson")
		enc := json.NewEncoder(w)
		if err := s.c.Journal(r.Context(), id, after, func(f execution.Fact) error { return enc.Encode(f) }); err != nil {
			s.log.Error("journal not read to its end", "campaign", id, "error", err)
		}
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	s.stream(r.Context(), w, id, after)
}

// stream sends facts as they come, until the campaign is finished and all is sent.
func (s *server) stream(ctx context.Context, w http.ResponseWriter, id string, after int64) {
	flush := http.NewResponseController(w)
	beat := time.NewTicker(200 * time.Millisecond)
	defer beat.Stop()
	quiet := 0
	for {
		over, sent := false, false
		_ = s.c.Read(id, func(st *execution.State) { over = st.Phase == execution.PhaseFinished })
		err := s.c.Journal(ctx, id, after, func(f execution.Fact) error {
			b, err := json.Marshal(f)
			if err != nil {
				return err
			}
			after, sent = f.Seq, true
			_, err = fmt.Fprintf(w, "id: %d\nevent: fact\ndata: %s\n\n", f.Seq, b)
			return err
		})
		if err != nil {
			return
		}
		if quiet++; sent || quiet > 50 { // a comment every ten seconds keeps the line open
			if !sent {
				fmt.Fprint(w, ": still here\n\n")
			}
			quiet = 0
			if flush.Flush() != nil {
				return
			}
		}
		if over && !sent {
			fmt.Fprint(w, "event: end\ndata: {}\n\n")
			_ = flush.Flush()
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		}
	}
}
