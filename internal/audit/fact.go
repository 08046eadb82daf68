package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Fact is one line of a journal, as the auditor reads it: the JSON that execution writes, by its
// own struct. What each kind means stands at execution.Kind.
type Fact struct {
	Seq         int64            `json:"seq"`
	At          time.Time        `json:"at"`
	Kind        string           `json:"kind"`
	Who         string           `json:"who"`
	Campaign    string           `json:"campaign,omitempty"`
	Revision    int              `json:"revision,omitempty"`
	Generation  int64            `json:"generation,omitempty"`
	Cohort      string           `json:"cohort,omitempty"`
	Turn        string           `json:"turn,omitempty"`
	Host        string           `json:"host,omitempty"`
	Instance    string           `json:"instance,omitempty"`
	Tenant      string           `json:"tenant,omitempty"`
	Step        string           `json:"step,omitempty"`
	Attempt     int              `json:"attempt,omitempty"`
	From        string           `json:"from,omitempty"`
	To          string           `json:"to,omitempty"`
	Home        bool             `json:"home,omitempty"`
	Deadline    time.Time        `json:"deadline,omitzero"`
	Disposition plan.Disposition `json:"disposition,omitempty"`
	Source      string           `json:"source,omitempty"`
	Destination string           `json:"destination,omitempty"`
	BlackoutMs  int64            `json:"blackout_ms,omitempty"`
	BootID      string           `json:"boot_id,omitempty"`
	Notice      string           `json:"notice,omitempty"`
	NoticeKind  string           `json:"notice_kind,omitempty"`
	Contact     string           `json:"contact,omitempty"`
	Slots       []string         `json:"slots,omitempty"`
	Patches     []string         `json:"patches,omitempty"`
	Code        string           `json:"code,omitempty"`
	Why         string           `json:"why,omitempty"`
	Next        string           `json:"next,omitempty"`
	Retry       bool             `json:"retry,omitempty"`
	Seen        *View            `json:"seen,omitempty"`
	Plan        json.RawMessage  `json:"plan,omitempty"`
	Fleet       json.RawMessage  `json:"fleet,omitempty"`
}

// View is what an observation of a host says.
type View struct {
	At        time.Time         `json:"at"`
	BootID    string            `json:"boot_id,omitempty"`
	Health    string            `json:"health"`
	Installed map[string]string `json:"installed,omitempty"`
	Booted    map[string]string `json:"booted,omitempty"`
	Running   map[string]string `json:"running,omitempty"`
	BuildID   string            `json:"build_id,omitempty"` // of the running hypervisor
	VirtCaps  []string          `json:"virt_caps,omitzero"` // of the running hypervisor; nil: not read
	// LivePatches of the running hypervisor and kernel. nil: not read; empty: there are none.
	LivePatches []fleet.LivePatch `json:"live_patches,omitzero"`
	MemoryMiB   int64             `json:"memory_mib"`
	FreeMiB     int64             `json:"free_mib"`
	Instances   []Sighting        `json:"instances,omitempty"`
	Missing     []string          `json:"missing,omitempty"`
}

// Sighting is one instance in a View.
type Sighting struct {
	ID        string            `json:"id"`
	State     string            `json:"state"` // running, paused, stopped
	Incoming  bool              `json:"incoming,omitempty"`
	Migrating bool              `json:"migrating,omitempty"`
	Saved     bool              `json:"saved,omitempty"`
	MemoryMiB int64             `json:"memory_mib"`
	Running   map[string]string `json:"running,omitempty"`
}

// BadLine is a line of a journal that is no fact.
type BadLine struct {
	Line   int // from 1
	Column int // byte in the line, from 1; 0: not known
	Found  string
	Want   string
}

func (b *BadLine) Error() string {
	if b.Column > 0 {
		return fmt.Sprintf("line %d, column %d: %s; expected %s", b.Line, b.Column, b.Found, b.Want)
	}
	return fmt.Sprintf("line %d: %s; expected %s", b.Line, b.Found, b.Want)
}

// ReadFacts reads a journal as JSON lines and gives each fact to see, in order. Empty lines are
// passed over. The error is a *BadLine, or that of the reader. Fields that it does not know are
// passed over too, so that a newer journal can be judged by what an older auditor knows.
func ReadFacts(r io.Reader, see func(*Fact)) error {
	lines := bufio.NewReaderSize(r, 1<<16)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if text := bytes.TrimSpace(line); len(text) > 0 {
			f := new(Fact)
			if bad := json.Unmarshal(line, f); bad != nil {
				return badLine(n, bad)
			}
			see(f)
		}
		if err != nil {
			return nil
		}
	}
}

func badLine(n int, err error) *BadLine {
	b := &BadLine{Line: n, Found: err.Error(), Want: "one fact as a JSON object"}
	var syntax *json.SyntaxError
	var typed *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		b.Column = int(syntax.Offset)
	case errors.As(err, &typed):
		b.Column = int(typed.Offset)
		b.Found = fmt.Sprintf("%q is a %s", typed.Field, typed.Value)
		b.Want = "a " + typed.Type.String()
		if typed.Field == "" {
			b.Found, b.Want = "a "+typed.Value, "one fact as a JSON object"
		}
	}
	return b
}
