package plan

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// WorstEnd is when the turn is over in the worst case that was planned for.
func (t Turn) WorstEnd() time.Time { return t.Start.Add(time.Duration(t.WorstS) * time.Second) }

// Write writes a plan as indented JSON.
func Write(w io.Writer, p Plan) error {
	short, lists := cutPlan(p)
	return writeLong(w, short, lists, true)
}

// Read reads a plan from JSON, strictly: an unknown field, another schema, anything after the plan
// or a digest that is not the plan's own is an error, which says where and what was expected.
func Read(r io.Reader) (Plan, error) {
	src, err := io.ReadAll(r)
	if err != nil {
		return Plan{}, fmt.Errorf("plan: %w", err)
	}
	var p Plan
	d := json.NewDecoder(bytes.NewReader(src))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return Plan{}, fmt.Errorf("plan: %s: %w", position(src, offsetOf(err, d)), err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Plan{}, fmt.Errorf("plan: %s: found more text, expected the end of the file after the plan", position(src, d.InputOffset()))
	}
	if p.Evenkeel != SchemaV1 {
		return Plan{}, fmt.Errorf("plan: evenkeel: found %q, expected %q", p.Evenkeel, SchemaV1)
	}
	if want := Digest(p); p.Digest != want {
		return Plan{}, fmt.Errorf("plan: digest: found %.12s…, expected %.12s…: the plan was changed after it was made; make a new one with evenkeel plan", p.Digest, want)
	}
	return p, nil
}

// offsetOf is where in the text a decoding error lies.
func offsetOf(err error, d *json.Decoder) int64 {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return syntax.Offset - 1 // it counts the byte at fault
	case errors.As(err, &kind):
		return kind.Offset
	}
	return d.InputOffset()
}

// position gives line and column, from 1, of a byte offset.
func position(src []byte, offset int64) string {
	before := src[:min(max(offset, 0), int64(len(src)))]
	line := bytes.Count(before, []byte("\n")) + 1
	return fmt.Sprintf("line %d, column %d", line, len(before)-bytes.LastIndexByte(before, '\n'))
}
