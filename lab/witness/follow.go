package witness

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// pollEvery is how long the follower sleeps when the logs are quiet, and so the error of its times.
const pollEvery = 5 * time.Millisecond

// Summary is what Follow saw, per guest, in the order of their names.
type Summary struct {
	From   string         `json:"from"`
	To     string         `json:"to"`
	TickMS int            `json:"tick_ms"`
	Guests []GuestSummary `json:"guests"`
}

// follower reads all serial logs of a lab as they grow.
type follower struct {
	lab    *Lab
	out    string
	limit  time.Duration
	files  map[string]*tail // by host and guest
	guests map[string]*timeline
	sinks  map[string]*os.File
	buf    []byte
}

// tail is one serial log, read up to off.
type tail struct {
	host, guest, path string
	f                 *os.File
	off               int64
}

// Follow watches the lab's serial logs until ctx ends. Each gap (a pause of more than three ticks) becomes
// a line in out/GUEST.jsonl when it is over; the summary is written to out/summary.json and returned.
// What the logs held before Follow began is not looked at.
func Follow(ctx context.Context, lab *Lab, out string) (sum *Summary, err error) {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return nil, err
	}
	w := &follower{
		lab: lab, out: out, limit: 3 * time.Duration(lab.TickMS) * time.Millisecond, buf: make([]byte, 64<<10),
		files: map[string]*tail{}, guests: map[string]*timeline{}, sinks: map[string]*os.File{},
	}
	defer func() { err = errors.Join(err, w.close()) }()
	from := time.Now()
	if err := w.find(true); err != nil {
		return nil, err
	}
	for scan := time.Now(); ctx.Err() == nil; {
		if err := w.read(); err != nil {
			return nil, err
		}
		if time.Since(scan) > 100*time.Millisecond { // a guest's first log on a host appears when it arrives
			if err := w.find(false); err != nil {
				return nil, err
			}
			scan = time.Now()
		}
		select {
		case <-ctx.Done():
		case <-time.After(pollEvery):
		}
	}
	return w.finish(from)
}

// find opens logs that are new. Those that exist at the start are read from their end.
func (w *follower) find(atStart bool) error {
	for _, h := range w.lab.Hosts {
		paths, err := filepath.Glob(filepath.Join(w.lab.serialDir(h.Name), "*.log"))
		if err != nil {
			return err
		}
		for _, p := range paths {
			if w.files[p] != nil {
				continue
			}
			f, err := os.Open(p)
			if err != nil {
				return err
			}
			t := &tail{host: h.Name, guest: strings.TrimSuffix(filepath.Base(p), ".log"), path: p, f: f}
			if atStart {
				if t.off, err = f.Seek(0, io.SeekEnd); err != nil {
					return errors.Join(err, f.Close())
				}
			}
			w.files[p] = t
			if w.guests[t.guest] == nil {
				w.guests[t.guest] = newTimeline(t.guest, w.limit)
			}
		}
	}
	return nil
}

// read takes what has arrived. ReadAt at the end of a file is one cheap system call; inotify would tell
// sooner by milliseconds only, and not in which order two files changed either.
func (w *follower) read() error {
	for _, t := range w.files {
		n, err := t.f.ReadAt(w.buf, t.off)
		if n == 0 {
			if err != nil && err != io.EOF {
				return fmt.Errorf("%s: %w", t.path, err)
			}
			continue
		}
		t.off += int64(n)
		for _, g := range w.guests[t.guest].add(t.host, string(w.buf[:n]), time.Now()) {
			if err := w.write(g); err != nil {
				return err
			}
		}
	}
	return nil
}

func (w *follower) write(g Gap) error {
	f := w.sinks[g.Guest]
	if f == nil {
		var err error
		if f, err = os.OpenFile(filepath.Join(w.out, g.Guest+".jsonl"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644); err != nil {
			return err
		}
		w.sinks[g.Guest] = f
	}
	line, err := json.Marshal(g)
	if err != nil {
		return err
	}
	_, err = f.Write(append(line, '\n'))
	return err
}

func (w *follower) finish(from time.Time) (*Summary, error) {
	now := time.Now()
	s := &Summary{From: stamp(from), To: stamp(now), TickMS: w.lab.TickMS, Guests: []GuestSummary{}}
	for _, t := range w.guests {
		g, open := t.end(now)
		s.Guests = append(s.Guests, g)
		if open != nil {
			if err := w.write(*open); err != nil {
				return nil, err
			}
		}
	}
	slices.SortFunc(s.Guests, func(a, b GuestSummary) int { return byName(a.Guest, b.Guest) })
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return nil, err
	}
	return s, os.WriteFile(filepath.Join(w.out, "summary.json"), append(raw, '\n'), 0o644)
}

func (w *follower) close() (err error) {
	for _, t := range w.files {
		err = errors.Join(err, t.f.Close())
	}
	for _, f := range w.sinks {
		err = errors.Join(err, f.Close())
	}
	return err
}

// byName sorts g2 before g10.
func byName(a, b string) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return strings.Compare(a, b)
}
