package version

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// agree draws pairs of versions, many of them alike to the last character, and holds our order
// against what the original says of them. ask gets all pairs of one draw at once, since starting
// the original costs most; it answers with -1, 0 or 1 for each.
func agree(t *testing.T, f family, pairs int, ask func(t *rapid.T, pairs [][2]string) []string) {
	one := rapid.StringMatching(f.drawn)
	pair := rapid.Custom(func(t *rapid.T) [2]string {
		a, b := one.Draw(t, "a"), one.Draw(t, "b")
		if rapid.Bool().Draw(t, "alike") { // else few pairs differ late
			b = a + rapid.StringMatching(`[0-9a-z.+~]{1,2}`).Draw(t, "tail")
		}
		if Check(f.ecosystem, b) != nil {
			b = a
		}
		return [2]string{a, b}
	})
	rapid.Check(t, func(t *rapid.T) {
		drawn := rapid.SliceOfN(pair, pairs, pairs).Draw(t, "pairs")
		said := ask(t, drawn)
		if len(said) != len(drawn) {
			t.Fatalf("%d answers to %d pairs: %q", len(said), len(drawn), said)
		}
		for n, p := range drawn {
			if got := fmt.Sprint(order(t, f.ecosystem, p[0], p[1])); got != said[n] {
				t.Fatalf("%s against %s: %s, and the original says %s", p[0], p[1], got, said[n])
			}
		}
	})
}

func TestAgreesWithDpkg(t *testing.T) {
	dpkg, err := exec.LookPath("dpkg")
	if err != nil {
		t.Skip("skipped: no dpkg")
	}
	const script = `dpkg=$1; shift
while [ $# -gt 0 ]; do
	if "$dpkg" --compare-versions "$1" lt "$2"; then echo -1; elif "$dpkg" --compare-versions "$1" gt "$2"; then echo 1; else echo 0; fi
	shift 2
done`
	agree(t, families[0], 5, func(t *rapid.T, pairs [][2]string) []string {
		args := []string{"-c", script, "sh", dpkg}
		for _, p := range pairs {
			args = append(args, p[0], p[1])
		}
		return answers(t, exec.Command("sh", args...))
	})
}

func TestAgreesWithRPM(t *testing.T) {
	rpm, err := exec.LookPath("rpm")
	if err != nil {
		t.Skip("skipped: no rpm")
	}
	file := filepath.Join(t.TempDir(), "pairs")
	if strings.ContainsAny(file, `"\%`) {
		t.Skip("skipped: the temporary folder's name cannot stand in a macro: " + file)
	}
	ask := func(t *rapid.T, pairs [][2]string) []string {
		var text strings.Builder
		for _, p := range pairs {
			fmt.Fprintln(&text, p[0], p[1])
		}
		if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return answers(t, exec.Command(rpm, "--eval", `%{lua: for l in io.lines("`+file+`") do local a, b = l:match("(.+) (.+)"); print(rpm.vercmp(a, b).."\n") end}`))
	}
	// Before 4.16 rpm.vercmp compared segments only, and knew nothing of epochs.
	if out, err := exec.Command(rpm, "--eval", `%{lua: print(rpm.vercmp("1:1", "2"))}`).Output(); err != nil || strings.TrimSpace(string(out)) != "1" {
		t.Skipf("skipped: this rpm compares no whole versions: %q, %v", out, err)
	}
	agree(t, families[1], 100, ask)
}

func answers(t *rapid.T, c *exec.Cmd) []string {
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v", c.Path, err)
	}
	return strings.Fields(string(out))
}
