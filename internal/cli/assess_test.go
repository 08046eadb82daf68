package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
)

const assessFleet = `evenkeel: fleet/v1
taken: 2026-03-01T08:00:00Z
regions: [{id: north}]
sites: [{id: north-a, region: north}]
pools: [{id: kvm, site: north-a}]
tenants: [{id: acme, contacts: [{email: ops@acme.example}]}]
hosts:
  - id: hv-1
    pools: [kvm]
    hypervisor: kvm
    memory_mib: 4096
    software: {installed: {qemu-system-x86: "INSTALLED"}, booted: {qemu-system-x86: "BOOTED"}}
instances:
  - {id: web-1, host: hv-1, tenant: acme, memory_mib: 64, running: {qemu-system-x86: "RUNNING"}}
`

const assessTarget = `evenkeel: target/v1
id: t1
fixes: [CVE-2025-11234]
advisories: [sub/osv.json]
cohorts:
  - {name: kvm, packages: {qemu-system-x86: "1:7.2+dfsg-7+deb12u18"}}
`

const assessOSV = `{"id": "CVE-2025-11234", "modified": "2025-11-20T10:00:00Z", "affected": [{"package": {"ecosystem": "Debian:12", "name": "qemu"},
 "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1:7.2+dfsg-7+deb12u18"}]}]}]}`

// assessDir writes the three files; the fleet's versions are given by their deb12uN.
func assessDir(t *testing.T, installed, booted, running string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	const base = "1:7.2+dfsg-7+deb12"
	fleet := strings.NewReplacer("INSTALLED", base+installed, "BOOTED", base+booted, "RUNNING", base+running).Replace(assessFleet)
	for name, text := range map[string]string{"fleet.yaml": fleet, "target.yaml": assessTarget, "sub/osv.json": assessOSV} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// runAssess runs the command on the files in dir; FLEET and TARGET stand for their paths.
func runAssess(dir string, args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	app := &App{In: strings.NewReader(""), Out: &o, Err: &e, Getenv: func(string) string { return "" },
		Now: func() time.Time { return time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC) }}
	line := append([]string{"assess", "--fleet", filepath.Join(dir, "fleet.yaml"), "--target", filepath.Join(dir, "target.yaml")}, args...)
	return Main(context.Background(), app, line), o.String(), e.String()
}

func TestAssessExitCodes(t *testing.T) {
	for _, c := range []struct {
		name, installed, booted, running string
		code                             int
		says                             []string
	}{
		{"all old", "u15", "u15", "u15", ExitChanges, []string{"host hv-1  affected  cohort kvm", "instance web-1  affected  on hv-1, of acme",
			"hosts      affected 1, unknown 0, fixed 0, not affected 0", "next: evenkeel plan --fleet ", " --out plan.json"}},
		{"its reboot is missing", "u18", "u15", "u18", ExitChanges, []string{"installed fixed, still running old: needs its reboot", "instance web-1  fixed", "needs: its reboot"}},
		{"all fixed", "u18", "u18", "u18+b3", ExitNothing, []string{"host hv-1  fixed", "instances  affected 0, unknown 0, fixed 1, not affected 0", "next: nothing"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := runAssess(assessDir(t, c.installed, c.booted, c.running))
			if code != c.code || errs != "" {
				t.Errorf("exit %d, want %d; errors %q", code, c.code, errs)
			}
			for _, want := range c.says {
				if !strings.Contains(out, want) {
					t.Errorf("does not say %q:\n%s", want, out)
				}
			}
		})
	}
}

func TestAssessUnknownIsNotNothing(t *testing.T) {
	dir := assessDir(t, "u18", "u18", "u18")
	policy := filepath.Join(dir, "policy.yaml")
	if err := os.WriteFile(policy, []byte("evenkeel: policy/v1\nstale_after: 30m\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	code, out, errs := runAssess(dir, "--policy", policy)
	if code != ExitChanges || !strings.Contains(out, "1h0m0s ago") || !strings.Contains(out, "next: find out what is unknown") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	if code, out, errs = runAssess(dir, "--policy", policy, "--now", "2026-03-01T08:10:00Z"); code != ExitNothing {
		t.Errorf("ten minutes after the look: exit %d\n%s%s", code, out, errs)
	}
}

func TestAssessJSONAndYAML(t *testing.T) {
	dir := assessDir(t, "u15", "u15", "u15")
	code, out, errs := runAssess(dir, "-o", "json")
	var a advisory.Assessment
	if err := json.Unmarshal([]byte(out), &a); err != nil || code != ExitChanges {
		t.Fatalf("exit %d, %v, %s", code, err, errs)
	}
	if h, ok := a.Host("hv-1"); !ok || h.Verdict != advisory.IsAffected || len(h.Evidence) == 0 || h.Cohort != "kvm" || a.Target != "t1" {
		t.Errorf("%+v", a)
	}
	if _, again, _ := runAssess(dir, "-o", "json"); again != out {
		t.Error("a second run prints something else")
	}
	if code, out, _ := runAssess(dir, "-o", "yaml"); code != ExitChanges || !strings.Contains(out, "verdict: affected") {
		t.Errorf("exit %d\n%s", code, out)
	}
}

func TestAssessErrors(t *testing.T) {
	dir := assessDir(t, "u15", "u15", "u15")
	broken := filepath.Join(dir, "broken.json")
	if err := os.WriteFile(broken, []byte("{\"id\": 7}"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{[]string{"--advisory", broken}, "broken.json:1:8: id: found 7, expected text"},
		{[]string{"--advisory", filepath.Join(dir, "none.json")}, "none.json: no such file"},
		{[]string{"-o", "xml"}, "-o xml is not known: use table, json or yaml"},
		{[]string{"--now", "soon"}, `--now: found "soon", expected a moment`},
		{[]string{"--policy", filepath.Join(dir, "none.yaml")}, "none.yaml: no such file"},
		{[]string{"surplus"}, "unknown command"},
	} {
		code, out, errs := runAssess(dir, c.args...)
		if code != ExitError || !strings.Contains(errs, c.says) || out != "" {
			t.Errorf("%v: exit %d, %q, printed %q; want %q", c.args, code, errs, out, c.says)
		}
	}
}

// TestAssessmentsDoNotSteerTheTerminal: evidence quotes documents; only the verdict is painted.
func TestAssessmentsDoNotSteerTheTerminal(t *testing.T) {
	const evil = "a\x1b[2J\u202e\nhost hv-9  fixed"
	var out bytes.Buffer
	table := &assessTable{app: &App{Out: &out, Terminal: true, Getenv: func(string) string { return "" }}}
	table.print(&advisory.Assessment{
		Hosts:      []advisory.HostVerdict{{Host: "hv-1", Verdict: advisory.IsAffected, Evidence: []string{evil}, Needs: evil, Seen: []advisory.Seen{{How: evil}}}},
		Instances:  []advisory.InstanceVerdict{{Instance: "a", Tenant: evil, Verdict: advisory.IsUnknown}},
		Advisories: []advisory.AdvisoryShare{{ID: evil}, {Source: evil}}, Remedies: []advisory.Remedy{{Needs: evil}}, Holders: []advisory.Holder{{Why: evil}},
	}, []advisory.Conflict{{What: evil, IDs: []string{evil}, Sources: []string{evil}}})
	text := strings.NewReplacer("\x1b[31maffected\x1b[0m", "", "\x1b[33munknown\x1b[0m", "").Replace(out.String())
	if text == out.String() {
		t.Error("nothing is painted")
	}
	if strings.Contains(text, "\x1b") || strings.Contains(text, "\u202e") || strings.Contains(text, "\nhost hv-9") {
		t.Errorf("%q", text)
	}
}
