// Package httpapi is the door to a running server: HTTP and JSON over a unix
// socket, whose file mode says who may come in, or over a loopback address.
//
// It decides nothing: it reads, checks the form of what comes in, and hands
// orders to the engine. Start reading at Handler; Client is the other end.
//
//	GET  /v1/campaigns                    all campaigns in brief
//	POST /v1/campaigns                    begin one: {"plan": ..., "who": ...}
//	GET  /v1/campaigns/ID                 one in brief
//	POST /v1/campaigns/ID/orders          {"verb": "pause", "host": ..., "cohort": ..., "who": ..., "why": ...}
//	POST /v1/campaigns/ID/replan          {"campaign": ..., "cohorts": [...]}, both may be left out: a child is proposed;
//	                                      the answer is its plan with its fleet, and nothing is changed
//	GET  /v1/campaigns/ID/facts?after=N   its journal as JSON lines; with Accept: text/event-stream as
//	                                      server-sent events that go on, resumed by Last-Event-ID
//
// Errors are problems (RFC 9457) with our code and what to do next. A journal
// that cannot be read to its end breaks its connection off: what came looks cut
// short, never whole.
//
// There is no login yet, so a web page that the operator has open must not be
// able to order anything: what is posted has to say that it is JSON, which no
// form can, and over TCP the host that was asked for has to be a loopback one.
package httpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/evenkeel/evenkeel/internal/engine"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// maxBody bounds what one request may send, in bytes: a plan of ten thousand hosts with a hundred thousand instances is about 50 MiB.
const maxBody = 256 << 20

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
	mux.HandleFunc("/v1/campaigns", s.methods(map[string]http.HandlerFunc{http.MethodGet: s.list, http.MethodPost: s.apply}))
	mux.HandleFunc("/v1/campaigns/{id}", s.methods(map[string]http.HandlerFunc{http.MethodGet: s.status}))
	mux.HandleFunc("/v1/campaigns/{id}/orders", s.methods(map[string]http.HandlerFunc{http.MethodPost: s.order}))
	mux.HandleFunc("/v1/campaigns/{id}/replan", s.methods(map[string]http.HandlerFunc{http.MethodPost: s.replan}))
	mux.HandleFunc("/v1/campaigns/{id}/facts", s.methods(map[string]http.HandlerFunc{http.MethodGet: s.facts}))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, &Problem{Title: "not found", Status: http.StatusNotFound, Code: "not-found", Detail: "there is no " + r.URL.Path})
	})
	return s.guarded(mux)
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

func (s *server) list(w http.ResponseWriter, _ *http.Request) {
	out := []engine.Status{}
	for _, id := range s.c.Campaigns() {
		if st, err := s.c.Status(id, s.now()); err == nil { // it was listed just now
			out = append(out, st)
		}
	}
	s.answer(w, http.StatusOK, out)
}

func (s *server) status(w http.ResponseWriter, r *http.Request) {
	s.tell(w, http.StatusOK, r.PathValue("id"))
}

// tell answers with how a campaign stands.
func (s *server) tell(w http.ResponseWriter, code int, id string) {
	st, err := s.c.Status(id, s.now())
	if err != nil {
		s.fail(w, err)
		return
	}
	s.answer(w, code, st)
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
	s.tell(w, http.StatusCreated, in.Plan.Campaign)
}

func (s *server) order(w http.ResponseWriter, r *http.Request) {
	var o engine.Order
	err := read(w, r, &o)
	if err == nil {
		err = wellFormed(o)
	}
	if o.Why == "" && (o.Verb == "pause" || o.Verb == "abort") {
		o.Why = "an operator ordered it and gave no reason" // the record must hold something under why
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

// wellFormed refuses an order that says less or more than it means: one to a whole campaign that names a
// host would stop them all.
func wellFormed(o engine.Order) error {
	bad := func(code, detail, next string) error {
		return &Problem{Title: "bad request", Status: http.StatusBadRequest, Code: code, Detail: detail, Next: next}
	}
	ofTurn := o.Verb == "hold" || o.Verb == "retry"
	switch {
	case o.Who == "":
		return bad("no-name", "who gives the order is not said", "")
	case o.Host != "" && o.Cohort != "":
		return bad("two-subjects", fmt.Sprintf("the order names host %q and cohort %q", o.Host, o.Cohort), "name one of them")
	case o.Force && o.Verb != "finalize":
		return bad("force", fmt.Sprintf("%q is not given by force", o.Verb), "only a campaign that was told to end is closed by force: finalize")
	case !ofTurn && o.Host+o.Cohort != "":
		return bad("whole-campaign", fmt.Sprintf("%q is an order to a whole campaign, and names %q", o.Verb, o.Host+o.Cohort), "leave the name out, or hold that host")
	}
	return nil
}

// replan answers with the plan of a child campaign; to take its place is another request.
func (s *server) replan(w http.ResponseWriter, r *http.Request) {
	var in engine.Replan
	err := read(w, r, &in)
	var p *plan.Plan
	if err == nil {
		p, err = s.c.Replan(r.PathValue("id"), in)
	}
	if err != nil {
		s.fail(w, err)
		return
	}
	s.answer(w, http.StatusOK, p)
}
