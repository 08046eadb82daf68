package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// now is the moment that all plans are made from.
const now = "2026-03-02T09:00:00Z"

// Outcome is what one program made of one fleet.
type Outcome struct {
	Failed string // why there is no plan; all else but CPU and RSS is 0 then
	CPU    time.Duration
	RSS    int64 // bytes
	Waves  int
	Moves  int // all that are needed
	Listed int // hroller: those that it lists
	// Beside counts instances that land on a host where another member of their service is.
	Beside  int
	Summary *plan.Summary // ours
	Stops   int           // ours: instances saved or stopped, and started again
}

// runOurs plans one fleet with evenkeel, in a process of its own.
func runOurs(l Limits, evenkeel string, f Fleet, file string) (o Outcome, err error) {
	last := &tail{most: 4 << 20}
	out := io.Writer(last)
	var whole *os.File
	if f.MaxUnavailable > 0 { // the moves are to be replayed
		if whole, err = os.CreateTemp("", "plan-*.json"); err != nil {
			return o, err
		}
		defer func() { err = errors.Join(err, whole.Close(), os.Remove(whole.Name())) }()
		out = io.MultiWriter(last, whole)
	}
	c, code, told, err := run(l, out, evenkeel, "plan", "--profile", "bound", "--fleet", file, "--routine", "reboot", "--now", now, "--campaign", "bench", "-o", "json")
	o = Outcome{CPU: c.CPU, RSS: c.RSS}
	if s, is := err.(stopped); is {
		o.Failed = s.why
		return o, nil
	}
	if err != nil {
		return o, err
	}
	if code != 0 && code != 2 && code != 3 { // nothing to do, changes, all blocked: all else is no plan
		return o, fmt.Errorf("evenkeel plan ended with %d: %s", code, told)
	}
	var counts plan.Counts
	o.Summary = &plan.Summary{}
	if err := errors.Join(last.field("counts", &counts), last.field("summary", o.Summary)); err != nil {
		return o, err
	}
	o.Stops = counts.Stops
	o.Waves, o.Moves = o.Summary.Waves, o.Summary.Moves
	if whole != nil {
		o.Beside, err = replayOurs(f, whole)
	}
	return o, err
}

func replayOurs(f Fleet, file *os.File) (int, error) {
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	moves, err := readMoves(file)
	if err != nil {
		return 0, err
	}
	return newReplay(f).plan(moves), nil
}

// readMoves reads the moves of a plan and passes over all else: held as a whole, a plan would make this
// process so large that its children seemed to be.
func readMoves(r io.Reader) (moves []move, err error) {
	d := json.NewDecoder(bufio.NewReaderSize(r, 1<<20))
	for depth := 0; ; {
		token, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("evenkeel plan -o json has no moves: %w", err)
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		case "moves":
			if depth == 1 { // the plan's own: no other text of the plan itself reads so
				err := decodeList(d, &moves)
				return moves, err
			}
		}
	}
}

// decodeList reads a list element by element.
func decodeList[T any](d *json.Decoder, into *[]T) error {
	if _, err := d.Token(); err != nil { // the bracket
		return err
	}
	for d.More() {
		var one T
		if err := d.Decode(&one); err != nil {
			return err
		}
		*into = append(*into, one)
	}
	return nil
}

// tail keeps the end of what is written: the sums are the last things in a plan, and a plan of a million
// instances is long.
type tail struct {
	most int
	end  []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.end = append(t.end, p[max(0, len(p)-t.most):]...)
	if extra := len(t.end) - t.most; extra > t.most {
		t.end = slices.Delete(t.end, 0, extra)
	}
	return len(p), nil
}

// field reads one of the plan's own fields: those stand two spaces in, and no text holds a line's end.
func (t *tail) field(name string, into any) error {
	key := "\n  \"" + name + "\": "
	at := bytes.LastIndex(t.end, []byte(key))
	if at < 0 {
		return fmt.Errorf("evenkeel plan -o json ends without %q", name)
	}
	if err := json.NewDecoder(bytes.NewReader(t.end[at+len(key):])).Decode(into); err != nil {
		return fmt.Errorf("%q of evenkeel plan: %w", name, err)
	}
	return nil
}
