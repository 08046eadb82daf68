package fleet

import (
	"bufio"
	"bytes"
	"io"
	"math"

	"github.com/evenkeel/evenkeel/internal/form"
)

// rereader gives lines of a text a second time, for the columns of mistakes: from the file, where that can be
// read at any place, or else from memory.
type rereader struct {
	from  io.ReaderAt
	base  int64          // where in from the text begins
	kept  map[int][]byte // by line number, when from is nil
	kinds map[string]int // how many lines are of a kind, as far as a glance tells
}

// newRereader looks whether a text can be read again. If so, it counts the kinds of its lines: a list that is
// made as long as it will be takes half the memory of one that grows.
func newRereader(r io.Reader) rereader {
	file, ok := r.(interface {
		io.ReaderAt
		io.Seeker
	})
	if !ok {
		return rereader{kept: map[int][]byte{}}
	}
	base, err := file.Seek(0, io.SeekCurrent)
	if err != nil { // a pipe
		return rereader{kept: map[int][]byte{}}
	}
	if _, err := file.ReadAt(make([]byte, 1), base); err != nil { // empty, or not at any place
		return rereader{kept: map[int][]byte{}}
	}
	again := rereader{from: file, base: base, kinds: map[string]int{}}
	var quick form.Quick
	for lines := again.lines(0, math.MaxInt64-base); lines.Scan(); {
		again.kinds[quick.Peek(lines.Bytes(), "kind")]++
	}
	return again
}

// lines reads the text from a place on.
func (r *rereader) lines(start, most int64) *bufio.Scanner {
	lines := bufio.NewScanner(io.NewSectionReader(r.from, r.base+start, most))
	lines.Buffer(make([]byte, 64<<10), maxLine)
	return lines
}

// keep notes a line that cannot be read again.
func (r *rereader) keep(l line, text []byte) {
	if r.from == nil {
		r.kept[l.number] = bytes.Clone(text)
	}
}

// line gives a line's text as it was read at first.
func (r *rereader) line(l line) []byte {
	if r.from == nil {
		return r.kept[l.number]
	}
	lines := r.lines(l.start, maxLine+1)
	lines.Scan()
	text := lines.Bytes()
	if l.number == 1 {
		text = bytes.TrimPrefix(text, byteOrderMark)
	}
	return text
}
