package evenkeel_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/evenkeel/evenkeel/"

// rooms lists each room's layer, lowest first. A room may import only rooms of a lower layer (its
// own sub-rooms count as itself). The order is the one of ARCHITECTURE.md.
var rooms = map[string]int{
	"version": 0, "buildinfo": 0, "form": 0, "calendar": 0, "quantile": 0,
	"fleet":    1,
	"plan":     2,
	"advisory": 3,
	"planner":  4, "audit": 4, "notice": 4, "execution": 4,
	"ganeti": 2, "unblock": 5, "explain": 5, "whatif": 6, "picture": 3,
	"study": 5, "report": 5, "driver": 5, "notify": 5, "store": 5, "feed": 5,
	"engine": 6,
	"sim":    7, "guest": 7, "httpapi": 7, "discover": 7,
	"cli": 8,
}

// pure rooms compute values. They must not see clocks, chance, goroutines or the outside world.
var pure = map[string]bool{
	"version": true, "quantile": true, "form": true, "fleet": true, "calendar": true, "plan": true, "advisory": true,
	"planner": true, "audit": true, "notice": true, "execution": true, "report": true, "study": true,
	"ganeti": true, "unblock": true, "explain": true, "whatif": true, "picture": true,
}

// bannedImports would bring IO or chance into a pure room.
var bannedImports = map[string]string{
	"math/rand": "chance comes in as a value: pass what was drawn", "math/rand/v2": "chance comes in as a value: pass what was drawn",
	"crypto/rand": "chance comes in as a value: pass what was drawn",
	"net":         "a pure room opens no connection", "net/http": "a pure room opens no connection",
	"os": "a pure room touches no file: take bytes or an fs.FS", "os/exec": "a pure room starts no process",
	"sync": "a pure room has no goroutines to guard against", "sync/atomic": "a pure room has no goroutines to guard against",
	"log": "a pure room returns what it has to say", "log/slog": "a pure room returns what it has to say",
	"database/sql": "the journal belongs to store/",
}

// bannedClock are functions of package time that read or wait for the clock.
var bannedClock = map[string]bool{
	"Now": true, "Since": true, "Until": true, "Sleep": true, "After": true, "AfterFunc": true,
	"Tick": true, "NewTicker": true, "NewTimer": true,
}

// special rules: who may never see whom, and why.
var special = []struct{ room, banned, why string }{
	{"audit", "planner", "every law is written twice; the judge must not use the code that it judges"},
	{"audit", "calendar", "every law is written twice; the judge must not use the code that it judges"},
	{"audit", "version", "every law is written twice; the judge orders versions by its own code"},
	{"audit", "quantile", "every law is written twice; the judge reckons how long things take by its own code"},
	{"audit", "execution", "the auditor reads the journal's JSON, not the machine that wrote it"},
	{"execution", "planner", "execution makes no plan"},
	{"execution", "notice", "execution says that a tenant must hear; notice says how"},
}

func roomOf(path string) string {
	rel, ok := strings.CutPrefix(path, module+"internal/")
	if !ok {
		return ""
	}
	room, _, _ := strings.Cut(rel, "/")
	return room
}

// TestHouse holds the rules of the house over every Go file under internal/.
func TestHouse(t *testing.T) {
	seen := map[string]bool{}
	err := filepath.WalkDir("internal", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		room := strings.Split(filepath.ToSlash(path), "/")[1]
		seen[room] = true
		for _, broken := range checkFile(t, path, room) {
			t.Error(broken)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) < 10 {
		t.Fatalf("only %d rooms were found: the test looks in the wrong place", len(seen))
	}
}

func checkFile(t *testing.T, path, room string) (broken []string) {
	t.Helper()
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	layer, known := rooms[room]
	if !known {
		return []string{path + ": the room " + room + " has no layer: give it one in house_test.go and in ARCHITECTURE.md"}
	}
	test := strings.HasSuffix(path, "_test.go")
	timeName := ""
	for _, imp := range f.Imports {
		p, _ := strconv.Unquote(imp.Path.Value)
		if p == "time" {
			timeName = "time"
			if imp.Name != nil {
				timeName = imp.Name.Name
			}
		}
		if why, bad := bannedImports[p]; bad && pure[room] && !test {
			broken = append(broken, fset.Position(imp.Pos()).String()+": "+room+" is pure and must not import "+p+": "+why)
		}
		if other := roomOf(p); other != "" && other != room && !test {
			if rooms[other] >= layer {
				broken = append(broken, fset.Position(imp.Pos()).String()+": "+room+" (layer "+strconv.Itoa(layer)+") must not import "+other+" (layer "+strconv.Itoa(rooms[other])+"): a room sees only lower layers")
			}
			for _, s := range special {
				if s.room == room && s.banned == other {
					broken = append(broken, fset.Position(imp.Pos()).String()+": "+room+" must not import "+other+": "+s.why)
				}
			}
		}
	}
	if !pure[room] || test {
		return broken
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt:
			broken = append(broken, fset.Position(n.Pos()).String()+": "+room+" is pure and must not start a goroutine: the engine does")
		case *ast.SelectorExpr:
			if x, ok := n.X.(*ast.Ident); ok && timeName != "" && x.Name == timeName && bannedClock[n.Sel.Name] {
				broken = append(broken, fset.Position(n.Pos()).String()+": "+room+" is pure and must not call time."+n.Sel.Name+": the moment comes in as a value, so that a replay decides the same")
			}
		}
		return true
	})
	return broken
}
