package fleet

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/evenkeel/evenkeel/internal/form"
)

// maxLine is the longest line of the JSON Lines form.
const maxLine = 4 << 20

// ParseJSONL reads the JSON Lines form, made for big fleets: one object a line, whose `kind` says
// what it is: fleet (once, before all others: evenkeel and taken), region, site, pool, host_group,
// tenant, group, host or instance. Its other keys are those of the YAML form. Empty lines are
// skipped. Paths in mistakes are those of the YAML form: hosts[3] is the fourth host.
func ParseJSONL(name string, r io.Reader) (*Fleet, form.Mistakes) {
	p := &lineParser{name: name, fleet: &Fleet{}, seen: map[string][]line{}}
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

// line is one line of the text, kept to find columns again when there are mistakes.
type line struct {
	number int
	text   []byte
}

// lineParser reads the lines of one fleet.
type lineParser struct {
	name     string
	fleet    *Fleet
	seen     map[string][]line // list, such as hosts -> where its items stand
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
	number := 0
	for lines.Scan() {
		number++
		text := lines.Bytes()
		if number == 1 {
			text = bytes.TrimPrefix(text, []byte("\ufeff"))
		}
		if len(bytes.TrimSpace(text)) > 0 {
			p.line(line{number, bytes.Clone(text)})
		}
	}
	if err := lines.Err(); err != nil {
		p.torn = true
		p.wrong(number+1, "", "a line that cannot be read ("+err.Error()+")", fmt.Sprintf("lines of at most %d bytes", maxLine))
	}
}

// line reads one object.
func (p *lineParser) line(l line) {
	tree, mistakes := form.ParseJSON(p.name, l.number, l.text)
	p.mistakes = append(p.mistakes, mistakes...)
	if !tree.Whole() {
		p.torn = true
		return
	}
	f := p.fleet
	switch kind, _ := tree.Take("kind"); kind {
	case "fleet":
		p.head(l, tree)
	case "region":
		add(p, l, tree, "regions", &f.Regions)
	case "site":
		add(p, l, tree, "sites", &f.Sites)
	case "pool":
		add(p, l, tree, "pools", &f.Pools)
	case "host_group":
		add(p, l, tree, "host_groups", &f.HostGroups)
	case "tenant":
		add(p, l, tree, "tenants", &f.Tenants)
	case "group":
		add(p, l, tree, "groups", &f.Groups)
	case "host":
		add(p, l, tree, "hosts", &f.Hosts)
	case "instance":
		add(p, l, tree, "instances", &f.Instances)
	default:
		p.torn = true
		found := "the kind " + form.Quote(kind)
		if kind == "" {
			found = "a line without a kind"
		}
		p.wrong(l.number, "kind", found, "one of fleet, region, site, pool, host_group, tenant, group, host, instance")
	}
}

// head is the line of kind fleet.
func (p *lineParser) head(l line, tree *form.Tree) {
	if len(p.seen["fleet"]) == 0 {
		var head fleetHead
		p.mistakes = append(p.mistakes, p.decoder.Decode(tree, "", &head)...)
		p.fleet.Evenkeel, p.fleet.Taken = head.Evenkeel, head.Taken
	}
	p.seen["fleet"] = append(p.seen["fleet"], l)
}

// add reads one object to the end of a list.
func add[T any](p *lineParser, l line, tree *form.Tree, list string, to *[]T) {
	var one T
	path := fmt.Sprintf("%s[%d]", list, len(*to))
	p.mistakes = append(p.mistakes, p.decoder.Decode(tree, path, &one)...)
	*to = append(*to, one)
	p.seen[list] = append(p.seen[list], l)
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
	tree, _ := form.ParseJSON(p.name, l.number, l.text)
	return tree.At(strings.TrimPrefix(rest, "."))
}
