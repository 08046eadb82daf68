package parse

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// element is one XML element together with where it stands.
type element struct {
	at    int // byte offset of its <
	name  string
	attrs map[string]string
	text  string // what stands directly in it, without blanks at its ends
	kids  []*element
	up    *element
	// nth of its name in up, counted from 0, and how many of its name follow the first.
	nth, more int
}

// path is where an element stands, such as updates.update[2].id: the index counts those of one name.
func (e *element) path() string {
	if e.up == nil {
		return cut(e.name, maxPath)
	}
	step := "." + e.name
	if e.nth+e.more > 0 {
		step += "[" + strconv.Itoa(e.nth) + "]"
	}
	return within(e.up.path(), step)
}

// all gives the children of one name.
func (e *element) all(name string) (out []*element) {
	for _, k := range e.kids {
		if k.name == name {
			out = append(out, k)
		}
	}
	return out
}

// one gives the only child of a name, nil when there is none; a second one is a mistake.
func (d *document) one(e *element, name string) *element {
	found := e.all(name)
	if len(found) == 0 {
		return nil
	}
	if len(found) > 1 {
		d.wrong(found[1].at, found[1].path(), "<"+cut(name, 40)+"> a second time", "it once")
	}
	return found[0]
}

// textOf gives the text of the only child of a name; empty when there is none.
func (d *document) textOf(e *element, name string) string {
	if k := d.one(e, name); k != nil {
		return k.text
	}
	return ""
}

// mustText gives the text of a child that has to be there and say something.
func (d *document) mustText(e *element, name, what string) string {
	k := d.one(e, name)
	switch {
	case k == nil:
		d.wrong(e.at, e.path()+"."+name, "nothing", "<"+name+">: "+what)
	case !isName(k.text):
		d.wrong(k.at, k.path(), quote(k.text), what)
	default:
		return k.text
	}
	return ""
}

// mustAttr gives an attribute that has to be there and say something.
func (d *document) mustAttr(e *element, name, what string) string {
	v, there := e.attrs[name]
	switch {
	case !there:
		d.wrong(e.at, e.path(), "no attribute "+name, name+`="...": `+what)
	case !isName(v):
		d.wrong(e.at, e.path(), name+"="+quote(v), what)
	default:
		return v
	}
	return ""
}

var errCharset = errors.New("another encoding")

// elements reads the whole text as XML; nil when it is none. What XML allows and no feed needs is
// refused: document types (with them entities of their own), other encodings, bottomless nesting.
// Elements of other namespaces are passed over.
func (d *document) elements() *element {
	dec := xml.NewDecoder(bytes.NewReader(d.src))
	var charset string
	dec.CharsetReader = func(label string, in io.Reader) (io.Reader, error) {
		switch strings.ToLower(label) {
		case "utf8", "ascii", "us-ascii": // UTF-8 by other names, or a part of it
			return in, nil
		}
		charset = label
		return nil, errCharset
	}
	open := []*level{{e: &element{}}}
	for {
		at := int(dec.InputOffset())
		tok, err := dec.Token()
		top := open[0].e
		switch {
		case err == io.EOF && len(open) == 1 && len(top.kids) == 1:
			top.kids[0].up = nil
			return top.kids[0]
		case err == io.EOF && len(open) == 1:
			d.wrong(len(d.src), "", "the end of the file", "an element")
			return nil
		case charset != "":
			d.wrong(at, "", "the encoding "+quote(charset), "UTF-8: the document is to be converted, and what it says of its encoding")
			return nil
		case err != nil:
			d.brokenXML(dec, at, err)
			return nil
		}
		last := open[len(open)-1]
		switch tok := tok.(type) {
		case xml.StartElement:
			if d.tooMuch(at, len(open), len(top.kids) == 1 && len(open) == 1) {
				return nil
			}
			open = append(open, last.add(&element{at: at, name: fullName(tok.Name), attrs: d.attributes(at, tok)}))
		case xml.EndElement:
			last.e.text = strings.TrimSpace(last.text.String())
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) == 1 && len(bytes.TrimSpace(tok)) > 0 {
				d.wrong(at, "", "text outside of the elements", "XML with one outermost element")
				return nil
			}
			last.text.Write(tok)
		case xml.Directive:
			d.wrong(at, "", "<!"+cut(string(tok), 20)+">", "a document without a type declaration: such documents are not read")
			return nil
		}
	}
}

// level is an element that is not closed yet.
type level struct {
	e     *element
	text  strings.Builder
	first map[string]*element // its first child of each name
}

func (l *level) add(e *element) *level {
	e.up = l.e
	if l.first == nil {
		l.first = map[string]*element{}
	}
	if f := l.first[e.name]; f == nil {
		l.first[e.name] = e
	} else {
		f.more++
		e.nth = f.more
	}
	l.e.kids = append(l.e.kids, e)
	return &level{e: e}
}

// fullName keeps elements of other namespaces apart from ours, so that they are passed over.
func fullName(n xml.Name) string {
	if n.Space == "" {
		return n.Local
	}
	return n.Space + ":" + n.Local
}

// tooMuch refuses an element beyond the bounds, and a second outermost one.
func (d *document) tooMuch(at, depth int, second bool) bool {
	d.values++
	switch {
	case second:
		d.wrong(at, "", "a second outermost element", "the end of the file")
	case d.values > maxValues || depth > maxDepth:
		d.wrong(at, "", fmt.Sprintf("more than %d elements, or more than %d inside each other", maxValues, maxDepth), "an updateinfo.xml of smaller size")
	default:
		return false
	}
	return true
}

func (d *document) attributes(at int, tok xml.StartElement) map[string]string {
	if len(tok.Attr) == 0 {
		return nil
	}
	attrs := make(map[string]string, len(tok.Attr))
	for _, a := range tok.Attr {
		if a.Name.Space != "" {
			continue
		}
		if _, twice := attrs[a.Name.Local]; twice {
			d.wrong(at, cut(tok.Name.Local, maxPath), "the attribute "+cut(a.Name.Local, 40)+" a second time", "each attribute once")
			continue
		}
		attrs[a.Name.Local] = strings.TrimSpace(a.Value)
	}
	return attrs
}

// brokenXML tells a syntax error: the place is where the decoder stopped.
func (d *document) brokenXML(dec *xml.Decoder, at int, err error) {
	var se *xml.SyntaxError
	found := err.Error()
	if errors.As(err, &se) {
		found = se.Msg
	}
	stopped := max(at, int(dec.InputOffset()))
	if found == "unexpected EOF" {
		stopped, found = len(d.src), "the end of the file"
	}
	d.wrong(stopped, "", plain(cut(found, 120)), "XML")
}
