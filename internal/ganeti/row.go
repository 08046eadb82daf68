package ganeti

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/evenkeel/evenkeel/internal/form"
)

// row is one line, whose columns are read from left to right.
type row struct {
	p       *parser
	line    int
	path    string // such as nodes[3]
	cells   []string
	columns []int // where each cell begins, in characters from 1
	next    int
}

func newRow(p *parser, line int, path, text string) *row {
	r := &row{p: p, line: line, path: path, cells: strings.Split(text, "|")}
	column := 1
	for _, cell := range r.cells {
		r.columns = append(r.columns, column)
		column += utf8.RuneCountInString(cell) + 1
	}
	return r
}

// wrong is a mistake about one cell.
func (r *row) wrong(cell int, name, found, expected string) {
	r.p.wrong(r.line, r.columns[cell], r.path+"."+strings.ReplaceAll(name, " ", "_"), found, expected)
}

// atLeast: without these columns the others cannot be told apart.
func (r *row) atLeast(n int, form string) bool {
	if len(r.cells) >= n {
		return true
	}
	last := len(r.cells) - 1
	r.p.wrong(r.line, r.columns[last]+utf8.RuneCountInString(r.cells[last]), r.path, fmt.Sprintf("%d columns", len(r.cells)), fmt.Sprintf("at least %d: %s", n, form))
	return false
}

// more tells whether there is another column. Those beyond the last one that is known are left alone:
// later versions may have them.
func (r *row) more() bool { return r.next < len(r.cells) }

// take gives the next cell and its number.
func (r *row) take() (string, int) {
	n := r.next
	r.next++
	return r.cells[n], n
}

func (r *row) filled(name string) string {
	text, n := r.take()
	if strings.TrimSpace(text) == "" {
		r.wrong(n, name, "nothing", "a text that is not empty")
	}
	return text
}

// id is a name that is to be an id of the fleet.
func (r *row) id(name string) string {
	text, n := r.take()
	if !form.Fits("id", text) {
		_, expected := form.Pattern("id")
		r.wrong(n, name, form.Quote(text), expected)
	}
	return text
}

func (r *row) oneOf(name string, known []string) string {
	text, n := r.take()
	if slices.Contains(known, text) {
		return text
	}
	r.wrong(n, name, form.Quote(text), "one of "+strings.Join(known, ", "))
	return ""
}

func (r *row) flag(name string) bool {
	return r.oneOf(name, []string{"Y", "N"}) == "Y"
}

// list is set apart by commas; an empty cell is an empty list.
func (r *row) list(name string) []string {
	text, n := r.take()
	if text == "" {
		return nil
	}
	items := strings.Split(text, ",")
	if slices.Contains(items, "") {
		r.wrong(n, name, form.Quote(text), "words with a comma between two of them")
	}
	return items
}

// known is a reference to what an earlier section told.
func (r *row) known(name, what string, all map[string]bool) string {
	text, n := r.take()
	if !all[text] && !r.p.torn {
		r.wrong(n, name, "the unknown "+what+" "+form.Quote(text), "one of the "+what+"s above")
	}
	return text
}

func (r *row) maybeKnown(name, what string, all map[string]bool) string {
	if r.cells[r.next] == "" {
		r.next++
		return ""
	}
	return r.known(name, what, all)
}

// once: a name stands for one thing.
func (r *row) once(what, name string, cell int) {
	key := what + " " + name
	if first, double := r.p.seen[key]; double && name != "" {
		r.wrong(cell, "name", "the "+what+" "+form.Quote(name)+" a second time", fmt.Sprintf("a name of its own: line %d has this one", first))
		return
	}
	r.p.seen[key] = r.line
}

// most is the largest size that is taken for one: an exbibyte, in MiB.
const most = 1 << 40

func (r *row) whole(name string) int64 {
	text, n := r.take()
	v, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || v < 0 || v > most {
		r.wrong(n, name, form.Quote(text), "a whole number from 0")
		return 0
	}
	return v
}

// above is a whole number that cannot be 0.
func (r *row) above(name string) int64 {
	text, n := r.take()
	v, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	if err != nil || v < 1 || v > most {
		r.wrong(n, name, form.Quote(text), "a whole number above 0")
	}
	return v
}

func (r *row) wholeOrDash(name string) int64 {
	if strings.TrimSpace(r.cells[r.next]) == "-" {
		r.next++
		return -1
	}
	return r.whole(name)
}

func (r *row) number(name string) float64 {
	text, n := r.take()
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(v) || v < 0 || v > most {
		r.wrong(n, name, form.Quote(text), "a number from 0")
		return 0
	}
	return v
}

// anyUnknown: of a node that did not answer, one size or all are written as a question mark, and then
// none of them counts.
func (r *row) anyUnknown(from, to int) bool { return slices.Contains(r.cells[from:to+1], "?") }

// size is a whole number, or one with a fraction, which counts for nothing; or not known.
func (r *row) size(name string, whole, unknown bool) int64 {
	switch {
	case unknown:
		r.next++
		return 0
	case whole:
		return r.whole(name)
	default:
		return int64(r.number(name))
	}
}
