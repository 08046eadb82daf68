package fleet

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/evenkeel/evenkeel/internal/form"
)

// maxLine is the longest line of the JSON Lines form.
const maxLine = 4 << 20

// ParseJSONL reads the JSON Lines form, made for big fleets: one object a line, whose `kind` says
// what it is: fleet (once, before all others: evenkeel and taken), region, site, pool, host_group,
// link, tenant, group, host or instance. Its other keys are those of the YAML form. Empty lines are
// skipped. Paths in mistakes are those of the YAML form: hosts[3] is the fourth host.
func ParseJSONL(name string, r io.Reader) (*Fleet, form.Mistakes) {
	return parseJSONL(name, r, true)
}

// parseJSONL gives the same whether it reads quickly or not.
func parseJSONL(name string, r io.Reader, quickly bool) (*Fleet, form.Mistakes) {
	p := &lineParser{name: name, fleet: &Fleet{}, seen: map[string][]line{}, quickly: quickly, again: newRereader(r)}
	p.read(r)
	switch len(p.seen["fleet"]) {
	case 1:
	case 0:
		p.wrong(1, "", "no line of kind fleet", fmt.Sprintf(`{"kind":"fleet","evenkeel":%q} as the first line`, SchemaV1))
	default:
		p.wrong(p.seen["fleet"][1].number, "", "a second line of kind fleet", "one in a file")
	}
	if !p.torn {
		p.mistakes = append(p.mistakes, form.Beyond(p.mistakes, check(name, p, p.fleet))...)
	}
	return p.fleet, p.mistakes.Sort()
}

// line is where one line of the text stands: it is read again to find columns when there are mistakes.
type line struct {
	number int
	start  int64 // in bytes from the beginning
}

// lineParser reads the lines of one fleet. Almost all lines of a big fleet are sound and plain: those are
// read quickly; all others are read into a tree, which tells what is wrong and where.
type lineParser struct {
	name     string
	fleet    *Fleet
	seen     map[string][]line // list, such as hosts -> where its items stand
	again    rereader
	quickly  bool
	quick    form.Quick
	decoder  form.Decoder
	mistakes form.Mistakes
	torn     bool // lines could not be read: references to them would seem unknown
}

func (p *lineParser) wrong(number int, path, found, expected string) {
	p.mistakes = append(p.mistakes, form.Mistake{File: p.name, Line: number, Column: 1, Path: path, Found: found, Expected: expected})
}

func (p *lineParser) read(r io.Reader) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	start, end := int64(0), int64(0)
	lines.Split(func(data []byte, atEOF bool) (int, []byte, error) {
		advance, token, err := bufio.ScanLines(data, atEOF)
		end += int64(advance)
		return advance, token, err
	})
	for number := 1; ; number++ {
		start = end
		if !lines.Scan() {
			if err := lines.Err(); err != nil {
				p.torn = true
				p.wrong(number, "", unread(err), fmt.Sprintf("lines of at most %d bytes", maxLine))
			}
			return
		}
		text := lines.Bytes()
		if number == 1 {
			text = bytes.TrimPrefix(text, byteOrderMark)
		}
		if len(bytes.TrimSpace(text)) > 0 {
			p.line(line{number, start}, text)
		}
	}
}

func unread(err error) string {
	if errors.Is(err, bufio.ErrTooLong) {
		return "a longer line"
	}
	return "a line that cannot be read (" + err.Error() + ")"
}

var byteOrderMark = []byte("\ufeff")

// line reads one object.
func (p *lineParser) line(l line, text []byte) {
	p.again.keep(l, text)
	if p.quickly && p.item(p.quick.Peek(text, "kind"), l, text, nil) {
		return
	}
	tree, mistakes := form.ParseJSON(p.name, l.number, text)
	p.mistakes = append(p.mistakes, mistakes...)
	if !tree.Whole() {
		p.torn = true
		return
	}
	kind, _ := tree.Take("kind")
	if p.item(kind, l, text, tree) {
		return
	}
	p.torn = true
	found := "the kind " + form.Quote(kind)
	if kind == "" {
		found = "a line without a kind"
	}
	p.wrong(l.number, "kind", found, "one of fleet, region, site, pool, host_group, link, tenant, group, host, instance")
}

// item reads one object of a kind: from its tree, or quickly where that is nil. It says no to a kind that is
// not known, and to what is not read quickly.
func (p *lineParser) item(kind string, l line, text []byte, tree *form.Tree) bool {
	f := p.fleet
	switch kind {
	case "fleet":
		return p.head(l, tree)
	case "region":
		return add(p, l, text, tree, "regions", &f.Regions)
	case "site":
		return add(p, l, text, tree, "sites", &f.Sites)
	case "pool":
		return add(p, l, text, tree, "pools", &f.Pools)
	case "host_group":
		return add(p, l, text, tree, "host_groups", &f.HostGroups)
	case "link":
		return add(p, l, text, tree, "links", &f.Links)
	case "tenant":
		return add(p, l, text, tree, "tenants", &f.Tenants)
	case "group":
		return add(p, l, text, tree, "groups", &f.Groups)
	case "host":
		return add(p, l, text, tree, "hosts", &f.Hosts)
	case "instance":
		return add(p, l, text, tree, "instances", &f.Instances)
	}
	return false
}

// head is the line of kind fleet. There is one: it need not be read quickly.
func (p *lineParser) head(l line, tree *form.Tree) bool {
	if tree == nil {
		return false
	}
	if len(p.seen["fleet"]) == 0 {
		var head fleetHead
		p.mistakes = append(p.mistakes, p.decoder.Decode(tree, "", &head)...)
		p.fleet.Evenkeel, p.fleet.Taken = head.Evenkeel, head.Taken
	}
	p.seen["fleet"] = append(p.seen["fleet"], l)
	return true
}

// add reads one object to the end of a list.
func add[T any](p *lineParser, l line, text []byte, tree *form.Tree, list string, to *[]T) bool {
	var none T
	all, n := *to, len(*to)
	if all == nil {
		if tree == nil && !p.quick.Read(text, "kind", new(T)) {
			return false // make no room for what may never come
		}
		lines := p.again.kinds[strings.TrimSuffix(list, "s")]
		all, p.seen[list] = make([]T, 0, lines), make([]line, 0, lines)
	}
	all = append(all, none) // and read it in its place: a million of them are not copied then
	switch one := &all[n]; {
	case tree != nil:
		path := fmt.Sprintf("%s[%d]", list, n)
		p.mistakes = append(p.mistakes, p.decoder.Decode(tree, path, one)...)
	case !p.quick.Read(text, "kind", one):
		all[n] = none
		return false
	}
	*to, p.seen[list] = all, append(p.seen[list], l)
	return true
}

// At finds the line of a path, and reads it again for the column.
func (p *lineParser) At(path string) (number, column int) {
	list, rest, _ := strings.Cut(path, "[")
	index, rest, _ := strings.Cut(rest, "]")
	var n int
	if _, err := fmt.Sscanf(index, "%d", &n); err != nil || n >= len(p.seen[list]) {
		return 1, 1
	}
	l := p.seen[list][n]
	tree, _ := form.ParseJSON(p.name, l.number, p.again.line(l))
	return tree.At(strings.TrimPrefix(rest, "."))
}
