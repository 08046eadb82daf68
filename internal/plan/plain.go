package plan

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
	"unicode/utf8"
)

// Moves and slots are nearly all of a large plan's text, which encoding/json makes by reflection and indents in a
// second pass: a third of all the CPU time that planning 100,000 hosts took. So these two write themselves, field by
// field. TestPlainTexts holds them to what encoding/json writes, to the byte, with every field drawn.

// plain is a value that writes itself as encoding/json would.
type plain interface{ fields(*object) }

func (m *Move) fields(o *object) {
	o.text("instance", m.Instance)
	o.text("from", m.From)
	o.text("to", m.To)
	o.text("turn", m.Turn)
	o.time("start", m.Start)
	o.time("end", m.End)
	if m.Home {
		o.key("home")
		o.out = append(o.out, "true"...)
	}
}

func (s *Slot) fields(o *object) {
	o.text("id", s.ID)
	o.text("instance", s.Instance)
	o.text("tenant", s.Tenant)
	o.text("turn", s.Turn)
	o.text("class", string(s.Class))
	o.text("disposition", string(s.Disposition))
	o.time("start", s.Start)
	o.time("end", s.End)
	o.number("expected_ms", s.ExpectedMs)
	if s.P95Ms != 0 {
		o.number("p95_ms", s.P95Ms)
	}
	o.number("worst_ms", s.WorstMs)
	o.time("notice_by", s.NoticeBy)
	if !s.Told.IsZero() {
		o.time("told", s.Told)
	}
	if s.Overrules != "" {
		o.text("overrules", s.Overrules)
	}
	if s.Away != nil {
		o.any("away", s.Away)
	}
}

// object is the text of one JSON object as it grows, indented or not.
type object struct {
	out      []byte
	line     []byte // newline and margin ahead of each field; nil: all in one line
	escapes  bool   // of HTML, as encoding/json does by default
	space    bool   // after a colon
	empty    bool
	err      error
	fallback bytes.Buffer
}

// of writes a value; margin is that of the object itself.
func (o *object) of(v plain, newline []byte, indented bool) ([]byte, error) {
	o.out, o.empty, o.err, o.line, o.space, o.escapes = append(o.out[:0], '{'), true, nil, nil, indented, !indented
	if indented {
		o.line = append(newline[:len(newline):len(newline)], "  "...)
	}
	v.fields(o)
	if indented {
		o.out = append(o.out, newline...)
	}
	o.out = append(o.out, '}')
	return o.out, o.err
}

func (o *object) key(name string) {
	if !o.empty {
		o.out = append(o.out, ',')
	}
	o.empty = false
	o.out = append(o.out, o.line...)
	o.out = append(append(append(o.out, '"'), name...), '"', ':')
	if o.space {
		o.out = append(o.out, ' ')
	}
}

func (o *object) number(name string, n int64) {
	o.key(name)
	o.out = strconv.AppendInt(o.out, n, 10)
}

func (o *object) text(name, s string) {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= utf8.RuneSelf || o.escapes && (c == '<' || c == '>' || c == '&') {
			o.any(name, s)
			return
		}
	}
	o.key(name)
	o.out = append(append(append(o.out, '"'), s...), '"')
}

// time writes a moment of UTC in one of the years that have four digits, which all of a plan are, and leaves others to
// encoding/json.
func (o *object) time(name string, t time.Time) {
	if _, offset := t.Zone(); offset != 0 || t.Year() < 0 || t.Year() > 9999 {
		o.any(name, t)
		return
	}
	o.key(name)
	o.out = append(t.AppendFormat(append(o.out, '"'), time.RFC3339Nano), '"')
}

// any leaves a value to encoding/json.
func (o *object) any(name string, v any) {
	o.key(name)
	o.fallback.Reset()
	e := json.NewEncoder(&o.fallback)
	if e.SetEscapeHTML(o.escapes); o.line != nil {
		e.SetIndent(string(o.line[1:]), "  ")
	}
	if err := e.Encode(v); err != nil {
		o.err = err
		return
	}
	o.out = append(o.out, bytes.TrimSuffix(o.fallback.Bytes(), []byte("\n"))...)
}
