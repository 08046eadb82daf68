package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/execution"
)

const (
	batchSize    = 500              // facts read at once, before any is sent
	writeTimeout = 30 * time.Second // for a batch to be taken; who takes longer is cut off
)

// facts gives the journal: what is there, or also what comes. It reads a batch, lets go of the
// journal and only then sends, so that a reader that stops reading holds nothing up.
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
	first, err := s.batch(r.Context(), id, after)
	if err != nil {
		s.fail(w, err)
		return
	}
	out := &sender{w: w, control: http.NewResponseController(w), events: follow}
	if follow {
		w.Header().Set("Content-Type", "text/event-stream")
		w.Header().Set("Cache-Control", "no-store")
		err = s.stream(r.Context(), out, id, after, first)
	} else {
		w.Header().Set("Content-Type", "application/x-ndjson")
		err = s.whole(r.Context(), out, id, first)
	}
	if err != nil {
		if r.Context().Err() == nil {
			s.log.Error("journal not sent to its end", "campaign", id, "error", err)
		}
		panic(http.ErrAbortHandler) // the only way to tell the reader that this is not all
	}
	out.done()
}

var errEnough = errors.New("enough for one batch")

// batch reads up to batchSize facts.
func (s *server) batch(ctx context.Context, id string, after int64) ([]execution.Fact, error) {
	var out []execution.Fact
	err := s.c.Journal(ctx, id, after, func(f execution.Fact) error {
		if len(out) == batchSize {
			return errEnough
		}
		out = append(out, f)
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return out, err
}

// whole sends what is there now.
func (s *server) whole(ctx context.Context, out *sender, id string, facts []execution.Fact) error {
	for {
		if err := out.send(facts); err != nil || len(facts) < batchSize {
			return err
		}
		var err error
		if facts, err = s.batch(ctx, id, facts[len(facts)-1].Seq); err != nil {
			return err
		}
	}
}

// stream sends facts as they come, until the campaign is over and all is sent.
func (s *server) stream(ctx context.Context, out *sender, id string, after int64, facts []execution.Fact) error {
	beat := time.NewTicker(200 * time.Millisecond)
	defer beat.Stop()
	for quiet := 50; ; { // the first one at once: it says that the stream is open
		if len(facts) > 0 {
			if err := out.send(facts); err != nil {
				return err
			}
			after, quiet = facts[len(facts)-1].Seq, 0
		} else if quiet++; quiet > 50 { // a comment every ten seconds keeps the line open
			if err := out.write([]byte(": still here\n\n")); err != nil {
				return err
			}
			quiet = 0
		}
		if len(facts) < batchSize {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-beat.C:
			}
		}
		over, err := s.c.Over(id)
		if err != nil {
			return err
		}
		if facts, err = s.batch(ctx, id, after); err != nil {
			return err
		}
		if over && len(facts) == 0 {
			return out.write([]byte("event: end\ndata: {}\n\n"))
		}
	}
}

// sender writes facts to a reader that may be slow.
type sender struct {
	w       http.ResponseWriter
	control *http.ResponseController
	events  bool
}

func (o *sender) send(facts []execution.Fact) error {
	var b bytes.Buffer
	for _, f := range facts {
		line, err := json.Marshal(f)
		if err != nil {
			return err
		}
		if o.events {
			fmt.Fprintf(&b, "id: %d\nevent: fact\ndata: %s\n\n", f.Seq, line)
		} else {
			b.Write(append(line, '\n'))
		}
	}
	return o.write(b.Bytes())
}

// write sends at once and within writeTimeout.
func (o *sender) write(b []byte) error {
	if err := o.control.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := o.w.Write(b); err != nil {
		return err
	}
	return o.control.Flush()
}

// done takes the deadline off again: the connection may serve another request.
func (o *sender) done() { _ = o.control.SetWriteDeadline(time.Time{}) }
