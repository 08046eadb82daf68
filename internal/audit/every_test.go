package audit

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestEveryCheckCanFail: each code that the source can find has a mutant that makes it appear.
func TestEveryCheckCanFail(t *testing.T) {
	shown := map[string]bool{}
	for _, m := range planMutants {
		for _, c := range m.codes {
			shown["plan "+c] = true
		}
	}
	for _, m := range journalMutants {
		for _, c := range m.codes {
			shown["journal "+c] = true
		}
	}
	for _, m := range inPlacePlanMutants {
		for _, c := range m.codes {
			shown["plan "+c] = true
		}
	}
	for _, m := range inPlaceJournalMutants {
		for _, c := range m.codes {
			shown["journal "+c] = true
		}
	}
	for _, m := range patchPlanMutants {
		for _, c := range m.codes {
			shown["plan "+c] = true
		}
	}
	for _, m := range patchJournalMutants {
		for _, c := range m.codes {
			shown["journal "+c] = true
		}
	}
	for code := range revertMutants {
		shown["journal "+code] = true
	}
	for _, c := range besidePlaceCases {
		shown["beside "+strings.Trim(c.codes, "[]")] = true
	}
	for _, c := range besideCases {
		shown["beside "+strings.Trim(c.codes, "[]")] = true
	}
	for _, c := range handedCases {
		shown["handed "+strings.Trim(c.codes, "[]")] = true
	}
	files, _ := filepath.Glob("*.go")
	n := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range parsed.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv == nil {
				continue
			}
			side := "plan "
			if star, ok := f.Recv.List[0].Type.(*ast.StarExpr); ok {
				switch star.X.(*ast.Ident).Name {
				case "trial":
					side = "journal "
				case "besides":
					side = "beside "
				case "heirs":
					side = "handed "
				}
			}
			ast.Inspect(f, func(node ast.Node) bool {
				call, ok := node.(*ast.CallExpr)
				if !ok {
					return true
				}
				if sel, ok := call.Fun.(*ast.SelectorExpr); !ok || sel.Sel.Name != "must" {
					return true
				}
				lit, ok := call.Args[2].(*ast.BasicLit)
				if !ok {
					t.Errorf("%s: a code that is no literal", f.Name.Name)
					return true
				}
				code, _ := strconv.Unquote(lit.Value)
				if code == "" {
					return true
				}
				n++
				if !shown[side+code] {
					t.Errorf("%s: no mutant shows the %sfinding %q", f.Name.Name, side, code)
				}
				return true
			})
		}
	}
	if n < 80 {
		t.Errorf("only %d checks were found in the source: the test looks in the wrong place", n)
	}
	if !slices.Contains(files, "plan.go") {
		t.Error("plan.go is not among the files read")
	}
}
