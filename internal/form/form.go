// Package form reads text forms (YAML, and JSON as a part of it) strictly into
// Go structs and writes them back. It reports every mistake in a text at once,
// each with its line, column and path, what was found and what was expected.
//
// It never guesses: unknown and double keys, numbers where text belongs,
// anchors, tags and second documents are mistakes. It never reads a file. What
// a field may hold is said by the struct's tags:
//
//	yaml:"memory_mib"            the key; required unless it has omitempty
//	form:"optional"              not required after all; "required": always
//	form:"min=1,max=100"         bounds of a number or a duration
//	form:"unit=MiB"              the unit, for messages
//	form:"enum=kvm|xen"          the texts allowed, also for each text of a list
//	form:"is=zone"               a format of formats.go, also for each text of a list
//
// Start reading at Decode.
package form

import (
	"reflect"
	"slices"
)

// MaxBytes is the longest text that Decode reads.
const MaxBytes = 64 << 20

// maxDepth is how deep lists and mappings may lie in one another.
const maxDepth = 32

// Positions tells where things stand in a text.
type Positions interface {
	// At gives line and column, both from 1, of the value at a path such as hosts[3].memory_mib;
	// for a path that is not in the text those of the nearest thing around it.
	At(path string) (line, column int)
}

// Decode reads one YAML or JSON document into the struct that into points to. Fields that the text
// does not name keep their values. When there are mistakes, what could be read has been set.
func Decode(name string, src []byte, into any) (Positions, Mistakes) {
	tree, mistakes := ParseYAML(name, src)
	return tree, append(mistakes, (&Decoder{}).Decode(tree, "", into)...).Sort()
}

// Overlay is Decode for a text that changes only what it names: no key is required but those that
// are tagged so.
func Overlay(name string, src []byte, into any) (Positions, Mistakes) {
	tree, mistakes := ParseYAML(name, src)
	return tree, append(mistakes, (&Decoder{Overlay: true}).Decode(tree, "", into)...).Sort()
}

// Tree is a parsed text.
type Tree struct {
	name    string
	root    *node
	partial bool // parts of the text were broken and are not in the tree
}

// Decoder reads trees into structs. One may be used for many trees, which saves looking at the
// same struct's tags again.
type Decoder struct {
	Overlay bool // only what is tagged as always required is required
	known   map[reflect.Type][]Field
}

// Decode reads a tree into the struct that into points to. Paths in mistakes begin with prefix.
func (o *Decoder) Decode(t *Tree, prefix string, into any) Mistakes {
	if t.root == nil {
		return nil
	}
	if o.known == nil {
		o.known = map[reflect.Type][]Field{}
	}
	d := &decoder{file: t.name, overlay: o.Overlay, partial: t.partial, known: o.known}
	d.value(prefix, t.root, reflect.ValueOf(into).Elem(), rules{})
	return d.mistakes
}

// Whole tells whether all of the text could be read as YAML or JSON, whatever it holds.
func (t *Tree) Whole() bool { return t.root != nil && !t.partial }

// Has tells whether the outermost mapping names a key.
func (t *Tree) Has(key string) bool {
	return t.root != nil && slices.ContainsFunc(t.root.entries, func(e entry) bool { return e.key == key })
}

// Take removes a key that holds text from the outermost mapping and gives the text.
func (t *Tree) Take(key string) (text string, ok bool) {
	if t.root == nil {
		return "", false
	}
	for n, e := range t.root.entries {
		if e.key == key && e.value.kind == textKind {
			t.root.entries = append(t.root.entries[:n:n], t.root.entries[n+1:]...)
			return e.value.text, true
		}
	}
	return "", false
}

// Wrong makes a mistake about the value at a path.
func Wrong(file string, at Positions, path, found, expected string) Mistake {
	line, column := at.At(path)
	return Mistake{File: file, Line: line, Column: column, Path: path, Found: found, Expected: expected}
}
