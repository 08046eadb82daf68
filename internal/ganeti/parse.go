package ganeti

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/evenkeel/evenkeel/internal/form"
)

// Parse reads a text and gives every mistake in it. With mistakes, the cluster holds what could be read
// and must not be used for more than to look at.
func Parse(name string, src []byte) (*Cluster, form.Mistakes) {
	p := &parser{name: name, cluster: &Cluster{}, seen: map[string]int{}, groups: map[string]bool{}, groupNames: map[string]bool{}, nodes: map[string]bool{}}
	if !utf8.Valid(src) {
		p.wrong(1, 1, "", "bytes that are not UTF-8", "a text in UTF-8")
		return p.cluster, p.mistakes
	}
	sections := split(string(src))
	if n := len(sections); n < 4 {
		last := sections[n-1]
		p.wrong(last.first+len(last.lines), 1, "", fmt.Sprintf("the end of the text after %d sections", n),
			"5 sections with an empty line between two of them: node groups, nodes, instances, cluster tags, instance policies (4 without the last)")
		return p.cluster, p.mistakes
	}
	p.each(sections[0], "groups", p.group)
	p.each(sections[1], "nodes", p.node)
	p.each(sections[2], "instances", p.instance)
	p.cluster.Tags = sections[3].lines
	if len(sections) > 4 { // a sixth one is of a later version, or an empty line at the end
		p.each(sections[4], "policies", p.policy)
	}
	return p.cluster, p.mistakes.Sort()
}

// section is some lines of the text, the first of which is line number first.
type section struct {
	first int
	lines []string
}

// split cuts a text at its empty lines. The number of them matters: two in a row hold an empty section
// between them, and one at the very end begins an empty section.
func split(text string) []section {
	text = strings.TrimPrefix(text, "\ufeff")
	lines := strings.Split(text, "\n")
	if n := len(lines); n > 0 && lines[n-1] == "" {
		lines = lines[:n-1] // the end of the last line, and not a line more
	}
	all := []section{{first: 1}}
	for n, line := range lines {
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			all = append(all, section{first: n + 2})
			continue
		}
		last := &all[len(all)-1]
		last.lines = append(last.lines, line)
	}
	return all
}

// parser reads the sections of one text.
type parser struct {
	name     string
	cluster  *Cluster
	mistakes form.Mistakes
	seen     map[string]int // kind and name -> the line that had it first
	groups   map[string]bool
	nodes    map[string]bool
	// groupNames are for the instance policies, which name groups so.
	groupNames map[string]bool
	torn       bool // a line of groups or nodes could not be read: what refers to it would seem unknown
}

func (p *parser) wrong(line, column int, path, found, expected string) {
	p.mistakes = append(p.mistakes, form.Mistake{File: p.name, Line: line, Column: column, Path: path, Found: found, Expected: expected})
}

// each reads the lines of a section.
func (p *parser) each(s section, list string, read func(*row)) {
	for n, line := range s.lines {
		read(newRow(p, s.first+n, fmt.Sprintf("%s[%d]", list, n), line))
	}
}

func (p *parser) group(r *row) {
	if !r.atLeast(4, "name|uuid|allocation policy|tags[|networks]") {
		p.torn = true
		return
	}
	g := Group{Name: r.filled("name"), UUID: r.filled("uuid"), AllocPolicy: r.oneOf("allocation policy", allocPolicies), Tags: r.list("tags")}
	if r.more() {
		g.Networks = r.list("networks")
	}
	r.once("node group", g.Name, 0)
	r.once("node group's uuid", g.UUID, 1)
	p.groups[g.UUID], p.groupNames[g.Name] = true, true
	p.cluster.Groups = append(p.cluster.Groups, g)
}

func (p *parser) node(r *row) {
	if !r.atLeast(9, "name|total memory|memory of the node itself|free memory|total disk|free disk|cores|role|group uuid[|spindles|tags|exclusive storage|free spindles|cores of the node itself|cpu speed]") {
		p.torn = true
		return
	}
	d := Node{Name: r.id("name"), Unknown: r.anyUnknown(1, 6)}
	for _, size := range []struct {
		name  string
		whole bool
		to    *int64
	}{
		{"total memory", false, &d.TotalMiB}, {"memory of the node itself", true, &d.OwnMiB}, {"free memory", true, &d.FreeMiB},
		{"total disk", false, &d.DiskMiB}, {"free disk", true, &d.FreeDiskMiB}, {"cores", false, &d.CPUs},
	} {
		if n := r.size(size.name, size.whole, d.Unknown); !d.Unknown {
			*size.to = n
		}
	}
	d.Role = Role(r.oneOf("role", []string{string(Online), string(Master), string(Offline)}))
	d.Group = r.known("group uuid", "node group", p.groups)
	d.Spindles, d.CPUSpeed, d.OwnCPUs = 1, 1, 1
	if r.more() {
		d.Spindles = r.whole("spindles")
	}
	if r.more() {
		d.Tags = r.list("tags")
	}
	if r.more() {
		d.ExclusiveStorage = r.flag("exclusive storage")
	}
	if r.more() {
		d.FreeSpindles = r.whole("free spindles")
	}
	if r.more() {
		d.OwnCPUs = r.whole("cores of the node itself")
	}
	if r.more() {
		d.CPUSpeed = r.number("cpu speed")
	}
	r.once("node", d.Name, 0)
	p.nodes[d.Name] = true
	p.cluster.Nodes = append(p.cluster.Nodes, d)
}

func (p *parser) instance(r *row) {
	if !r.atLeast(10, "name|memory|disk|vcpus|status|auto balance|primary node|secondary node|disk template|tags[|spindle use|spindles|forthcoming]") {
		return
	}
	i := Instance{
		Name: r.id("name"), MemoryMiB: r.above("memory"), DiskMiB: r.whole("disk"), VCPUs: r.whole("vcpus"), Status: r.oneOf("status", statuses),
		AutoBalance: r.flag("auto balance"), Primary: r.known("primary node", "node", p.nodes), Secondary: r.maybeKnown("secondary node", "node", p.nodes),
		Template: r.oneOf("disk template", templates), Tags: r.list("tags"), SpindleUse: 1, Spindles: -1,
	}
	if r.more() {
		i.SpindleUse = r.whole("spindle use")
	}
	if r.more() {
		i.Spindles = r.wholeOrDash("spindles")
	}
	if r.more() {
		i.Forthcoming = r.flag("forthcoming")
	}
	r.once("instance", i.Name, 0)
	switch copies := mirrored[i.Template]; {
	case copies == twice && i.Secondary == "":
		r.wrong(7, "secondary node", "none", "the node that holds the second copy of a drbd disk")
	case copies != twice && i.Template != "" && i.Secondary != "":
		r.wrong(7, "secondary node", form.Quote(i.Secondary), "none: a disk of template "+i.Template+" has no second copy")
	case i.Secondary != "" && i.Secondary == i.Primary:
		r.wrong(7, "secondary node", form.Quote(i.Secondary)+", which is the primary node too", "another node")
	}
	p.cluster.Instances = append(p.cluster.Instances, i)
}
