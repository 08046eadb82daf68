package ganeti

import (
	"io"
	"strconv"
	"strings"
)

// Write writes a cluster with all columns, such that Parse gives the same cluster again and hroller reads
// it with -t.
func Write(w io.Writer, c *Cluster) error {
	out := &Writer{w: w}
	for n := range c.Groups {
		out.Group(&c.Groups[n])
	}
	out.Next()
	for n := range c.Nodes {
		out.Node(&c.Nodes[n])
	}
	out.Next()
	for n := range c.Instances {
		out.Instance(&c.Instances[n])
	}
	out.Next()
	for _, tag := range c.Tags {
		out.line(tag)
	}
	out.Next()
	for _, policy := range c.Policies {
		out.line(policy)
	}
	return out.err
}

// Writer writes a cluster line by line, for those that are too big to hold: groups, then nodes, instances,
// tags and policies, with Next between two sections.
type Writer struct {
	w   io.Writer
	err error
}

// NewWriter writes to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Err is the first error of all lines so far.
func (o *Writer) Err() error { return o.err }

func (o *Writer) line(cells ...string) {
	if o.err == nil {
		_, o.err = io.WriteString(o.w, strings.Join(cells, "|")+"\n")
	}
}

// Next ends a section.
func (o *Writer) Next() { o.line("") }

// Tag writes a tag of the cluster.
func (o *Writer) Tag(tag string) { o.line(tag) }

// Group writes a node group.
func (o *Writer) Group(g *Group) {
	o.line(g.Name, g.UUID, g.AllocPolicy, comma(g.Tags), comma(g.Networks))
}

// Node writes a node.
func (o *Writer) Node(d *Node) {
	sizes := []string{num(d.TotalMiB), num(d.OwnMiB), num(d.FreeMiB), num(d.DiskMiB), num(d.FreeDiskMiB), num(d.CPUs)}
	if d.Unknown {
		sizes = []string{"?", "?", "?", "?", "?", "?"}
	}
	cells := append([]string{d.Name}, sizes...)
	o.line(append(cells, string(d.Role), d.Group, num(d.Spindles), comma(d.Tags), yes(d.ExclusiveStorage), num(d.FreeSpindles), num(d.OwnCPUs), speed(d.CPUSpeed))...)
}

// Instance writes an instance.
func (o *Writer) Instance(i *Instance) {
	spindles := "-"
	if i.Spindles >= 0 {
		spindles = num(i.Spindles)
	}
	o.line(i.Name, num(i.MemoryMiB), num(i.DiskMiB), num(i.VCPUs), i.Status, yes(i.AutoBalance), i.Primary, i.Secondary, i.Template, comma(i.Tags), num(i.SpindleUse), spindles, yes(i.Forthcoming))
}

func num(n int64) string            { return strconv.FormatInt(n, 10) }
func comma(items []string) string   { return strings.Join(items, ",") }
func speed(relative float64) string { return strconv.FormatFloat(relative, 'f', -1, 64) }

func yes(is bool) string {
	if is {
		return "Y"
	}
	return "N"
}
