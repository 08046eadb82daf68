package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Two campaigns that both permit a turn on one host: neither journal alone shows it.
func TestAuditBeside(t *testing.T) {
	write := func(campaign, at string) string {
		path := filepath.Join(t.TempDir(), campaign+".jsonl")
		text := `{"seq":1,"at":"2026-03-01T01:00:00Z","kind":"campaign-applied","campaign":"C","plan":{"campaign":"C","turns":[{"id":"t","host":"h1","tactic":"reboot"}]},"fleet":{"hosts":[{"id":"h1"}]}}
{"seq":2,"at":"AT","kind":"turn-permitted","campaign":"C","turn":"t","host":"h1"}
`
		if err := os.WriteFile(path, []byte(strings.NewReplacer(`"C"`, `"`+campaign+`"`, "AT", at).Replace(text)), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	a, b := write("cycle", "2026-03-01T01:01:00Z"), write("urgent", "2026-03-01T01:02:00Z")
	for _, path := range []string{a, b} {
		if _, out, errs := runAudit(t, "", "--journal", path); strings.Contains(out, "has host h1") || errs != "" {
			t.Fatalf("%s alone: %s%s", path, out, errs)
		}
	}
	code, out, errs := runAudit(t, "", "--journal", a, "--journal", b)
	if code != ExitRefused || !strings.Contains(out, "turn t is permitted while a turn of campaign cycle has host h1") {
		t.Errorf("beside: code %d\n%s%s", code, out, errs)
	}
	empty := filepath.Join(t.TempDir(), "empty.jsonl")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := runAudit(t, "", "--journal", a, "--journal", empty); code != 1 || !strings.Contains(errs, "found no campaign-applied") {
		t.Errorf("with an empty journal: code %d, %s", code, errs)
	}
}
