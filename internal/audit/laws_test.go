package audit

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// findings are the codes that the source can find, each with its law.
func findings(t *testing.T) map[string]bool {
	out := map[string]bool{}
	files, _ := filepath.Glob("*.go")
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			call, ok := node.(*ast.CallExpr)
			if !ok || len(call.Args) < 3 {
				return true
			}
			if sel, ok := call.Fun.(*ast.SelectorExpr); !ok || sel.Sel.Name != "must" {
				return true
			}
			law, fine := call.Args[1].(*ast.BasicLit)
			code, too := call.Args[2].(*ast.BasicLit)
			if fine && too {
				text, _ := strconv.Unquote(code.Value)
				out[law.Value+" "+text] = true
			}
			return true
		})
	}
	return out
}

// TestLawsDocument: what docs/laws.md says of a finding's law, and of the file that judges it, is true.
func TestLawsDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/laws.md")
	if err != nil {
		t.Fatal(err)
	}
	known, codes, files := findings(t), 0, 0
	code := regexp.MustCompile("`([a-z0-9-]+)`")
	file := regexp.MustCompile("`((?:plan|trial)_[a-z]+)`")
	for _, line := range strings.Split(string(text), "\n") {
		for _, m := range file.FindAllStringSubmatch(line, -1) {
			files++
			if _, err := os.Stat(m[1] + ".go"); err != nil {
				t.Errorf("docs/laws.md names %s, which is not there", m[1])
			}
		}
		cells := strings.Split(line, "|")
		if len(cells) != 5 || strings.Trim(cells[2], " 0123456789") != "" {
			continue // not a row of findings
		}
		for _, m := range code.FindAllStringSubmatch(cells[3], -1) {
			codes++
			if law := strings.TrimSpace(cells[2]); !known[law+" "+m[1]] {
				t.Errorf("docs/laws.md says that the finding %s is of law %s; the source does not", m[1], law)
			}
		}
	}
	if codes < 30 || files < 20 {
		t.Errorf("only %d findings and %d files were found in docs/laws.md: the test looks in the wrong place", codes, files)
	}
}
