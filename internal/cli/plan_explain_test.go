package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExplainOverAnotherFleet: a saved plan whose fleet was changed is not explained, though its digest holds.
func TestExplainOverAnotherFleet(t *testing.T) {
	dir := planDir(t, map[string]string{"fleet": planFleet})
	saved := filepath.Join(dir, "plan.json")
	if code, _, errs := runPlanIn(t, dir, "--fleet", "FLEET", "--routine", "reboot", "--out", saved); code != ExitChanges {
		t.Fatalf("exit %d: %s", code, errs)
	}
	if code, _, errs := runPlanIn(t, dir, "--plan", saved, "--explain", "hv-1"); code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	text, err := os.ReadFile(saved)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), `"memory_mib": 4096`, `"memory_mib": 8192`, 1)
	if changed == string(text) {
		t.Fatal("the plan carries no host of 4096 MiB")
	}
	if err := os.WriteFile(saved, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := runPlanIn(t, dir, "--plan", saved, "--explain", "hv-1")
	if code != 1 || out != "" || !strings.Contains(errs, "is not the one that the plan was made from") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
}
