package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/engine"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/httpapi"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/store"
)

const id = "c/1 ä" // a name as awkward as may be

type idle struct{}

func (idle) Start(execution.Chore, func([]execution.Fact)) func() { return func() {} }

// breaks is a journal whose reading breaks off after some facts.
type breaks struct {
	*store.Memory
	after atomic.Int64 // 0: never
}

func (b *breaks) Read(ctx context.Context, id string, after int64, fn func(execution.Fact) error) error {
	return b.Memory.Read(ctx, id, after, func(f execution.Fact) error {
		if after := b.after.Load(); after > 0 && f.Seq > after {
			return errors.New("disk I/O error")
		}
		return fn(f)
	})
}

// served is a server with one campaign, whose slot lies far ahead.
func served(t *testing.T) (*httptest.Server, *breaks) {
	t.Helper()
	now := time.Now().UTC().Truncate(time.Millisecond)
	f := fleet.Fleet{Regions: []fleet.Region{{ID: "r"}}, Sites: []fleet.Site{{ID: "s", Region: "r"}}, Pools: []fleet.Pool{{ID: "p", Site: "s"}},
		Hosts: []fleet.Host{{ID: "h1", Pools: []string{"p"}, MemoryMiB: 1000}}}
	p := plan.Plan{Campaign: id, Revision: 1, Policy: plan.DefaultPolicy(), Turns: []plan.Turn{{ID: "h1", Host: "h1", Pool: "p", Site: "s", Wave: 1,
		Tactic: plan.Evacuate, Start: now.Add(48 * time.Hour), WindowStart: now.Add(48 * time.Hour), WindowEnd: now.Add(50 * time.Hour)}}}
	pj, _ := json.Marshal(p)
	fj, _ := json.Marshal(f)
	j := &breaks{Memory: store.NewMemory()}
	if _, err := j.Append(context.Background(), id, 0, []execution.Fact{{At: now, Kind: execution.CampaignApplied, Who: "operator:t", Campaign: id, Revision: 1, Plan: pj, Fleet: fj}}); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	c, err := engine.NewController(ctx, j, engine.RealClock{}, log, func(func() engine.Campaign) engine.Dispatcher { return idle{} })
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(httpapi.Handler(c, time.Now, log))
	t.Cleanup(func() { stop(); srv.CloseClientConnections(); srv.Close(); c.Wait() })
	return srv, j
}

func TestErrorsAreProblems(t *testing.T) {
	srv, _ := served(t)
	at := "/v1/campaigns/" + url.PathEscape(id)
	for name, tt := range map[string]struct {
		method, path, body string
		status             int
		code               string
	}{
		"no such path":         {"GET", "/v2", "", 404, "not-found"},
		"no such campaign":     {"GET", "/v1/campaigns/none", "", 404, "unknown-campaign"},
		"no such campaign 2":   {"GET", "/v1/campaigns/none/facts", "", 404, "unknown-campaign"},
		"no JSON":              {"POST", at + "/orders", "pause", 400, "bad-json"},
		"an unknown field":     {"POST", at + "/orders", `{"verb":"pause","who":"t","strongly":true}`, 400, "bad-json"},
		"more than one":        {"POST", at + "/orders", `{"verb":"hold","host":"h1","who":"t"} {"verb":"abort"}`, 400, "bad-json"},
		"nobody":               {"POST", at + "/orders", `{"verb":"pause"}`, 400, "no-name"},
		"pause by force":       {"POST", at + "/orders", `{"verb":"pause","force":true,"who":"t"}`, 400, "force"},
		"close what runs":      {"POST", at + "/orders", `{"verb":"finalize","force":true,"why":"w","who":"t"}`, 409, "phase"},
		"a host to all":        {"POST", at + "/orders", `{"verb":"abort","host":"h1","who":"t"}`, 400, "whole-campaign"},
		"a cohort to all":      {"POST", at + "/orders", `{"verb":"pause","cohort":"x","who":"t"}`, 400, "whole-campaign"},
		"host and cohort":      {"POST", at + "/orders", `{"verb":"retry","host":"h1","cohort":"x","who":"t"}`, 400, "two-subjects"},
		"no such order":        {"POST", at + "/orders", `{"verb":"destroy","who":"t"}`, 409, "unknown-order"},
		"no sense":             {"POST", at + "/orders", `{"verb":"resume","who":"t"}`, 409, "phase"},
		"an unknown host":      {"POST", at + "/orders", `{"verb":"hold","host":"h9","who":"t"}`, 409, "unknown-host"},
		"an unknown cohort":    {"POST", at + "/orders", `{"verb":"retry","cohort":"x","who":"t"}`, 409, "unknown-cohort"},
		"nothing to replan":    {"POST", at + "/replan", `{}`, 409, "stands"},
		"no cohorts at all":    {"POST", at + "/replan", `{"cohorts":["x"]}`, 409, "no-child"},
		"a strange question":   {"POST", at + "/replan", `{"tactic":"reboot"}`, 400, "bad-json"},
		"nobody to replan":     {"POST", "/v1/campaigns/none/replan", `{}`, 404, "unknown-campaign"},
		"a plan without fleet": {"POST", "/v1/campaigns", `{"plan":{},"who":"t"}`, 400, "no-fleet"},
		"a plan without name":  {"POST", "/v1/campaigns", `{"plan":{"fleet":{}},"who":"t"}`, 409, "digest"},
		"a bad number":         {"GET", at + "/facts?after=-1", "", 400, "bad-number"},
		"a wrong method":       {"DELETE", at, "", 405, "method"},
		"no child fetched":     {"GET", at + "/replan", "", 405, "method"},
		"no facts posted":      {"POST", at + "/facts", "{}", 405, "method"},
	} {
		t.Run(name, func(t *testing.T) {
			r, _ := http.NewRequest(tt.method, srv.URL+tt.path, strings.NewReader(tt.body))
			r.Header.Set("Content-Type", "application/json")
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			var p httpapi.Problem
			if err := json.NewDecoder(resp.Body).Decode(&p); err != nil {
				t.Fatal(err)
			}
			allow := "GET, HEAD"
			if strings.HasSuffix(tt.path, "/replan") {
				allow = "POST"
			}
			if resp.StatusCode != tt.status || p.Status != tt.status || p.Code != tt.code || p.Detail == "" || (tt.status == 405) != (resp.Header.Get("Allow") == allow) || resp.Header.Get("Content-Type") != "application/problem+json" {
				t.Fatalf("%d %s %+v", resp.StatusCode, resp.Header.Get("Content-Type"), p)
			}
		})
	}
}

// The client and the server agree on names that no path should hold.
func TestAwkwardNames(t *testing.T) {
	srv, _ := served(t)
	c := httpapi.Dial(srv.URL)
	st, err := c.Status(t.Context(), id)
	if err != nil || st.Campaign != id {
		t.Fatalf("%+v, %v", st, err)
	}
	// An order without a reason is recorded with words: the auditor asks for some.
	if st, err = c.Order(t.Context(), id, engine.Order{Verb: "pause", Who: "t"}); err != nil || st.Phase != execution.PhasePaused || st.Why == "" {
		t.Fatalf("%+v, %v", st, err)
	}
}

// Some web page may not order anything: a browser sends no JSON across origins unasked, and asks for
// the name that the page has, whatever address that name was bent to.
func TestOrdersOfWebPagesAreRefused(t *testing.T) {
	srv, _ := served(t)
	for name, tt := range map[string]struct {
		kind, host string
		status     int
	}{
		"a form":           {"text/plain", "", 415},
		"another form":     {"application/x-www-form-urlencoded", "", 415},
		"no type":          {"", "", 415},
		"a name bent here": {"application/json", "pages.example", 403},
		"and its port":     {"application/json", "pages.example:80", 403},
		"ours":             {"application/json; charset=utf-8", "", 200},
		"ours by name":     {"application/json", "localhost:1", 409}, // it is paused by now
		"ours, IPv6":       {"application/json", "[::1]:1", 409},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.status == 409 {
				_, _ = httpapi.Dial(srv.URL).Order(t.Context(), id, engine.Order{Verb: "pause", Who: "t"})
			} else {
				_, _ = httpapi.Dial(srv.URL).Order(t.Context(), id, engine.Order{Verb: "resume", Who: "t"})
			}
			r, _ := http.NewRequest("POST", srv.URL+"/v1/campaigns/"+url.PathEscape(id)+"/orders", strings.NewReader(`{"verb":"pause","who":"page"}`))
			r.Header.Set("Content-Type", tt.kind)
			if tt.host != "" {
				r.Host = tt.host
			}
			resp, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != tt.status {
				t.Fatalf("got %s, want %d", resp.Status, tt.status)
			}
		})
	}
}

// A body beyond all measure is refused before it is read.
func TestBodiesAreBounded(t *testing.T) {
	srv, _ := served(t)
	r, _ := http.NewRequest("POST", srv.URL+"/v1/campaigns", io.LimitReader(zeros{}, 257<<20))
	r.ContentLength = 257 << 20
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Expect", "100-continue")
	client := &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusRequestEntityTooLarge {
		t.Fatal(resp.Status)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

// Who reads a journal that could not be read to its end hears of it, whether it breaks off before
// anything was sent or in the midst.
func TestABrokenJournalDoesNotLookWhole(t *testing.T) {
	srv, j := served(t)
	c := httpapi.Dial(srv.URL)
	count := func() (n int, err error) {
		var last int64
		err = c.Facts(t.Context(), id, 0, false, func(f execution.Fact) error {
			if f.Seq != last+1 {
				t.Fatalf("fact %d follows fact %d", f.Seq, last)
			}
			n, last = n+1, f.Seq
			return nil
		})
		return n, err
	}
	have, err := count()
	if err != nil || have < 2 {
		t.Fatalf("%d facts, %v", have, err)
	}
	const more = 1700 // several batches
	facts := make([]execution.Fact, more)
	for i := range facts {
		facts[i] = execution.Fact{At: time.Now().Add(time.Hour), Kind: execution.HostLost, Host: "h1", Who: "engine"}
	}
	if _, err := j.Append(t.Context(), id, int64(have), facts); err != nil {
		t.Fatal(err)
	}
	if n, err := count(); err != nil || n != have+more {
		t.Fatalf("%d facts of %d, %v", n, have+more, err)
	}
	for _, at := range []int64{1, 1200} {
		j.after.Store(at)
		if n, err := count(); err == nil {
			t.Fatalf("the journal broke off after %d facts, and its reader believes that this is all", n)
		}
	}
}

func TestEventsResume(t *testing.T) {
	srv, _ := served(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	events := func(last string) *bufio.Scanner {
		r, _ := http.NewRequestWithContext(ctx, "GET", srv.URL+"/v1/campaigns/"+url.PathEscape(id)+"/facts?after=0", nil)
		r.Header.Set("Accept", "text/event-stream")
		r.Header.Set("Last-Event-ID", last)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { resp.Body.Close() })
		return bufio.NewScanner(resp.Body)
	}
	next := func(s *bufio.Scanner) (f execution.Fact) {
		for s.Scan() {
			if data, is := strings.CutPrefix(s.Text(), "data: "); is {
				if err := json.Unmarshal([]byte(data), &f); err != nil {
					t.Fatal(err)
				}
				return f
			}
		}
		t.Fatalf("the stream ended: %v", s.Err())
		return f
	}
	if f := next(events("")); f.Seq != 1 {
		t.Fatalf("begins with fact %d", f.Seq)
	}
	s := events("1")
	if f := next(s); f.Seq != 2 {
		t.Fatalf("resumes with fact %d, want 2", f.Seq)
	}
	if _, err := httpapi.Dial(srv.URL).Order(ctx, id, engine.Order{Verb: "pause", Who: "t", Why: "lunch"}); err != nil {
		t.Fatal(err)
	}
	if f := next(s); f.Kind != execution.CampaignPaused || f.Why != "lunch" || f.Who != "operator:t" {
		t.Fatalf("the order came as %+v", f)
	}
}
