package httpapi

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/engine"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// answerTimeout bounds what a server does at once; to take a plan in may last longer, to follow a
// journal lasts as long as it grows.
const answerTimeout = 30 * time.Second

// Client talks to a server.
type Client struct {
	base string
	http *http.Client
}

// Dial makes a client for a server's address: unix:PATH or http://HOST:PORT.
func Dial(address string) *Client {
	path, unix := strings.CutPrefix(address, "unix:")
	if !unix {
		return &Client{base: strings.TrimSuffix(address, "/"), http: &http.Client{}}
	}
	return &Client{base: "http://evenkeel", http: &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: 5 * time.Second}).DialContext(ctx, "unix", path)
		},
	}}}
}

// ask is call within answerTimeout.
func (c *Client) ask(ctx context.Context, method, path string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	return c.call(ctx, method, path, in, out)
}

func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	resp, err := c.http.Do(r)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("the server gave no answer within %s: whether it did what it was asked is not known, 'evenkeel status' tells", answerTimeout)
	case err != nil:
		return fmt.Errorf("the server does not answer (is 'evenkeel serve' running?): %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return problem(resp)
	}
	if err := json.NewDecoder(resp.Body).Decode(out); err != nil {
		return fmt.Errorf("the server's answer does not read: %w", err)
	}
	return nil
}

func problem(resp *http.Response) error {
	p := new(Problem)
	if err := json.NewDecoder(resp.Body).Decode(p); err != nil || p.Detail == "" {
		return &Problem{Title: resp.Status, Status: resp.StatusCode, Detail: "the server answered " + resp.Status}
	}
	return p
}

// Campaigns lists all campaigns.
func (c *Client) Campaigns(ctx context.Context) (out []engine.Status, err error) {
	return out, c.ask(ctx, http.MethodGet, "/v1/campaigns", nil, &out)
}

// Status gives one campaign in brief.
func (c *Client) Status(ctx context.Context, id string) (out engine.Status, err error) {
	return out, c.ask(ctx, http.MethodGet, "/v1/campaigns/"+url.PathEscape(id), nil, &out)
}

// Apply begins a campaign.
func (c *Client) Apply(ctx context.Context, p *plan.Plan, who string) (out engine.Status, err error) {
	return out, c.call(ctx, http.MethodPost, "/v1/campaigns", ApplyRequest{Plan: *p, Who: who}, &out)
}

// Order gives a campaign an order.
func (c *Client) Order(ctx context.Context, id string, o engine.Order) (out engine.Status, err error) {
	return out, c.ask(ctx, http.MethodPost, "/v1/campaigns/"+url.PathEscape(id)+"/orders", o, &out)
}

// Replan proposes a child of a campaign; the plan carries its fleet. It takes as long as planning does.
func (c *Client) Replan(ctx context.Context, id string, r engine.Replan) (out *plan.Plan, err error) {
	return out, c.call(ctx, http.MethodPost, "/v1/campaigns/"+url.PathEscape(id)+"/replan", r, &out)
}

// Facts reads a campaign's journal after the fact numbered after; follow waits for more until the
// campaign is finished.
func (c *Client) Facts(ctx context.Context, id string, after int64, follow bool, fn func(execution.Fact) error) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/v1/campaigns/%s/facts?after=%d", c.base, url.PathEscape(id), after), nil)
	if err != nil {
		return err
	}
	if follow {
		r.Header.Set("Accept", "text/event-stream")
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return fmt.Errorf("the server does not answer (is 'evenkeel serve' running?): %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 {
		return problem(resp)
	}
	lines := bufio.NewReaderSize(resp.Body, 1<<16)
	for {
		line, err := lines.ReadString('\n')
		if line == "event: end\n" {
			return nil
		}
		if data, is := strings.CutPrefix(line, "data: "); follow && is || !follow && line != "" {
			var f execution.Fact
			if !is {
				data = line
			}
			if err := json.Unmarshal([]byte(data), &f); err != nil {
				return fmt.Errorf("the server sent a fact that does not read: %w", err)
			}
			if err := fn(f); err != nil {
				return err
			}
		}
		if err == io.EOF && !follow {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the server broke off: %w", err)
		}
	}
}
