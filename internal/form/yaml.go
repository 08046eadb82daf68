package form

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// ParseYAML reads one document. A text that is JSON is read as JSON. The mistakes are those of
// syntax; the tree then holds the parts that could be read.
func ParseYAML(name string, src []byte) (*Tree, Mistakes) {
	tree := &Tree{name: name}
	src = bytes.TrimPrefix(src, []byte("\ufeff"))
	if m := unfitBytes(name, src); m != nil {
		return tree, Mistakes{*m}
	}
	var notJSON Mistakes
	if looksLikeJSON.Match(src) {
		var t *Tree
		if t, notJSON = ParseJSON(name, 1, src); notJSON == nil {
			return t, nil
		}
	}
	var mistakes Mistakes
	tree.root, mistakes = parseText(name, src)
	switch {
	case tree.root == nil && notJSON != nil:
		return tree, notJSON
	case tree.root == nil:
		tree.root, mistakes = parsePieces(name, src, mistakes)
		tree.partial = true
	}
	return tree, mistakes
}

var looksLikeJSON = regexp.MustCompile(`^\s*\{\s*["}]`)

// unfitBytes finds what makes a text no text at all.
func unfitBytes(name string, src []byte) *Mistake {
	if len(src) > MaxBytes {
		return &Mistake{File: name, Line: 1, Column: 1, Found: fmt.Sprintf("%d bytes", len(src)),
			Expected: fmt.Sprintf("at most %d bytes (a fleet this big fits the JSON Lines form)", MaxBytes)}
	}
	for line, n := 1, 0; n < len(src); {
		r, size := utf8.DecodeRune(src[n:])
		if r == '\n' {
			line++
		}
		bad := r == utf8.RuneError && size == 1
		if control := r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f; bad || control {
			start := bytes.LastIndexByte(src[:n], '\n') + 1
			return &Mistake{File: name, Line: line, Column: utf8.RuneCount(src[start:n]) + 1,
				Found: fmt.Sprintf("the byte 0x%02x", src[n]), Expected: "text in UTF-8 without control characters"}
		}
		n += size
	}
	return nil
}

// parseText reads a whole YAML text. On a mistake of syntax there is no node.
func parseText(name string, src []byte) (root *node, mistakes Mistakes) {
	defer func() {
		if bug := recover(); bug != nil { // in the YAML library: the text is at fault all the same
			root, mistakes = nil, Mistakes{{File: name, Line: 1, Column: 1, Found: "what cannot be read as YAML", Expected: "YAML or JSON"}}
		}
	}()
	tokens := lexer.Tokenize(string(src))
	if m := tooDeep(name, tokens); m != nil {
		return nil, Mistakes{*m}
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, Mistakes{brokenSyntax(name, err)}
	}
	for _, doc := range file.Docs {
		switch {
		case doc.Body == nil:
		case doc.Body.Type() == ast.DirectiveType:
			mistakes = append(mistakes, at(name, doc.Body, "a YAML directive", "no directives"))
		case root != nil:
			second := (&converter{}).node(doc.Body)
			mistakes = append(mistakes, Mistake{File: name, Line: second.line, Column: second.column, Found: "a second document", Expected: "one document in a file"})
		default:
			c := converter{name: name}
			root = c.node(doc.Body)
			mistakes = append(mistakes, c.mistakes...)
		}
	}
	if root == nil {
		root = &node{kind: nullKind, line: 1, column: 1}
	}
	return root, mistakes
}

// tooDeep bounds nesting before any recursion: brackets in one another, dashes in one line, and
// the indentation that nested blocks need.
func tooDeep(name string, tokens token.Tokens) *Mistake {
	const maxIndent = 200
	depth, dashes, line := 0, 0, 0
	for _, tk := range tokens {
		if tk.Position == nil {
			continue
		}
		first := tk.Position.Line != line
		if first {
			line, dashes = tk.Position.Line, 0
		}
		switch tk.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		case token.SequenceEntryType, token.MappingKeyType, token.AnchorType, token.TagType:
			dashes++
		}
		block := tk.Type == token.SequenceEntryType || tk.Next != nil && tk.Next.Type == token.MappingValueType
		if depth > maxDepth || dashes > maxDepth || first && depth == 0 && block && tk.Position.Column > maxIndent {
			return &Mistake{File: name, Line: tk.Position.Line, Column: tk.Position.Column,
				Found: "lists and mappings nested too deep", Expected: fmt.Sprintf("at most %d levels", maxDepth)}
		}
	}
	return nil
}

// brokenSyntax makes a mistake of the library's error.
func brokenSyntax(name string, err error) Mistake {
	m := Mistake{File: name, Line: 1, Column: 1, Found: "what is not YAML", Expected: "YAML or JSON"}
	var syntax *yaml.SyntaxError
	if !errors.As(err, &syntax) {
		m.Found += " (" + err.Error() + ")"
		return m
	}
	if tk := syntax.GetToken(); tk != nil && tk.Position != nil {
		m.Line, m.Column = max(tk.Position.Line, 1), max(tk.Position.Column, 1)
	}
	said := syntax.GetMessage()
	switch {
	case strings.Contains(said, "'\t'"):
		m.Found, m.Expected = "a tab", "spaces: YAML is indented by spaces only"
	default:
		m.Found = "broken YAML (" + said + ")"
	}
	return m
}

func at(name string, n ast.Node, found, expected string) Mistake {
	m := Mistake{File: name, Line: 1, Column: 1, Found: found, Expected: expected}
	if tk := n.GetToken(); tk != nil && tk.Position != nil {
		m.Line, m.Column = tk.Position.Line, tk.Position.Column
	}
	return m
}

// converter turns the library's tree into ours.
type converter struct {
	name     string
	mistakes Mistakes
}

func (c *converter) wrong(n ast.Node, found, expected string) {
	c.mistakes = append(c.mistakes, at(c.name, n, found, expected))
}

func (c *converter) node(a ast.Node) *node {
	n := &node{line: 1, column: 1}
	if a == nil {
		return n
	}
	if tk := a.GetToken(); tk != nil && tk.Position != nil {
		n.line, n.column = tk.Position.Line, tk.Position.Column
	}
	switch a := a.(type) {
	case *ast.NullNode:
	case *ast.BoolNode:
		n.kind, n.text = boolKind, strconv.FormatBool(a.Value)
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		n.kind, n.text = numberKind, a.GetToken().Value
	case *ast.StringNode:
		n.kind, n.text = textKind, a.Value
		if a.Token.Type == token.StringType && jsonNumber(a.Value) == len(a.Value) {
			n.kind = numberKind // 1e3 and very long ones, which the library takes for text
		}
	case *ast.LiteralNode:
		n.kind, n.text = textKind, a.Value.Value
	case *ast.SequenceNode:
		n.kind, n.items = listKind, make([]*node, len(a.Values))
		for i, v := range a.Values {
			n.items[i] = c.node(v)
		}
	case *ast.MappingNode:
		n.kind = mapKind
		for _, v := range a.Values {
			c.entry(n, v)
		}
		n.startAtFirstKey(a.IsFlowStyle)
	case *ast.MappingValueNode:
		n.kind = mapKind
		c.entry(n, a)
		n.startAtFirstKey(false)
	case *ast.AnchorNode:
		c.wrong(a, "an anchor", "no anchors and aliases: write the value out where it is used")
		return c.node(a.Value)
	case *ast.AliasNode:
		c.wrong(a, "an alias", "no anchors and aliases: write the value out where it is used")
		n.kind = refusedKind
	case *ast.TagNode:
		c.wrong(a, "the tag "+Quote(a.Start.Value), "no tags")
		return c.node(a.Value)
	default:
		c.wrong(a, "a YAML "+a.Type().YAMLName(), "a mapping, a list, text, a number, true or false")
		n.kind = refusedKind
	}
	return n
}

// startAtFirstKey: the library places a block mapping at its first colon.
func (n *node) startAtFirstKey(flow bool) {
	if !flow && len(n.entries) > 0 {
		n.line, n.column = n.entries[0].line, n.entries[0].column
	}
}

func (c *converter) entry(n *node, v *ast.MappingValueNode) {
	switch v.Key.(type) {
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.NullNode:
		tk := v.Key.GetToken()
		n.entries = append(n.entries, entry{key: tk.Value, line: tk.Position.Line, column: tk.Position.Column, value: c.node(v.Value)})
	case *ast.MergeKeyNode:
		c.wrong(v.Key, "the merge key <<", "no merge keys: write the values out where they are used")
	default:
		c.wrong(v.Key, "a key that is no plain text", "a key")
	}
}
