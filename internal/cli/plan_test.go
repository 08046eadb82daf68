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

	"github.com/evenkeel/evenkeel/internal/plan"
)

const planFleet = `evenkeel: fleet/v1
regions: [{id: north}]
sites: [{id: north-a, region: north, timezone: Europe/Berlin}]
pools: [{id: kvm, site: north-a}]
tenants: [{id: acme, contacts: [{email: ops@acme.example}]}]
hosts:
  - {id: hv-1, pools: [kvm], hypervisor: kvm, memory_mib: 4096, software: {installed: {qemu-system-x86: "1:7.2+dfsg-7+deb12u12"}, booted: {qemu-system-x86: "1:7.2+dfsg-7+deb12u12"}}}
  - {id: hv-2, pools: [kvm], hypervisor: kvm, memory_mib: 4096, software: {installed: {qemu-system-x86: "1:7.2+dfsg-7+deb12u12"}, booted: {qemu-system-x86: "1:7.2+dfsg-7+deb12u12"}}}
  - {id: hv-3, pools: [kvm], hypervisor: kvm, memory_mib: 4096, software: {installed: {qemu-system-x86: "1:7.2+dfsg-7+deb12u18"}, booted: {qemu-system-x86: "1:7.2+dfsg-7+deb12u18"}}}
instances:
  - {id: web-1, host: hv-1, tenant: acme, memory_mib: 64, running: {qemu-system-x86: "1:7.2+dfsg-7+deb12u12"}}
  - {id: web-2, host: hv-2, tenant: acme, memory_mib: 64, running: {qemu-system-x86: "1:7.2+dfsg-7+deb12u12"}}
`

const planTarget = `evenkeel: target/v1
id: t1
cohorts:
  - {packages: {qemu-system-x86: "1:7.2+dfsg-7+deb12u18"}}
`

// runPlanIn runs `evenkeel plan` with the files in dir; FLEET and TARGET stand for their paths.
func runPlanIn(t *testing.T, dir string, args ...string) (code int, out, errs string) {
	t.Helper()
	for i, a := range args {
		if strings.Trim(a, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" {
			args[i] = filepath.Join(dir, strings.ToLower(a)+".yaml")
		}
	}
	var o, e bytes.Buffer
	app := &App{In: strings.NewReader(""), Out: &o, Err: &e, Getenv: func(string) string { return "" },
		Now: func() time.Time { return time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC) }}
	code = Main(context.Background(), app, append([]string{"plan"}, args...))
	return code, o.String(), e.String()
}

func planDir(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestPlanExitCodes(t *testing.T) {
	pinned := strings.ReplaceAll(planFleet, "memory_mib: 64", "memory_mib: 64, pinned: licence")
	fixed := strings.ReplaceAll(planFleet, "deb12u12", "deb12u18")
	files := map[string]string{"fleet": planFleet, "target": planTarget, "pinned": pinned, "fixed": fixed,
		"evacuate": "evenkeel: policy/v1\ntactics: [evacuate]\n", "broken": "evenkeel: policy/v1\nslot: soon\n"}
	for name, c := range map[string]struct {
		args []string
		code int
		want string
	}{
		"changes":               {[]string{"--fleet", "FLEET", "--target", "TARGET"}, ExitChanges, "Yes: all 2 hosts"},
		"a routine cycle":       {[]string{"--fleet", "FLEET", "--routine", "reboot"}, ExitChanges, "3 hosts"},
		"nothing to do":         {[]string{"--fleet", "FIXED", "--target", "TARGET"}, ExitNothing, "Nothing to do"},
		"all is blocked":        {[]string{"--fleet", "PINNED", "--target", "TARGET", "--policy", "EVACUATE"}, ExitRefused, "unpin it"},
		"no target":             {[]string{"--fleet", "FLEET"}, ExitError, "either --target FILE or --routine reboot"},
		"both":                  {[]string{"--fleet", "FLEET", "--target", "TARGET", "--routine", "reboot"}, ExitError, "either"},
		"another routine":       {[]string{"--fleet", "FLEET", "--routine", "dance"}, ExitError, "expected reboot"},
		"another output":        {[]string{"--fleet", "FLEET", "--routine", "reboot", "-o", "xml"}, ExitError, "table, json or yaml"},
		"a moment that is none": {[]string{"--fleet", "FLEET", "--routine", "reboot", "--now", "noon"}, ExitError, "--now"},
		"a moment too far":      {[]string{"--fleet", "FLEET", "--routine", "reboot", "--now", "9999-12-31T23:59:59Z"}, ExitError, "--now"},
		"a broken policy":       {[]string{"--fleet", "FLEET", "--routine", "reboot", "--policy", "BROKEN"}, ExitError, ":2:7: slot"},
		"a place that is away":  {[]string{"--fleet", "FLEET", "--routine", "reboot", "--out", "/nonexistent/plan.json"}, ExitError, "--out /nonexistent/plan.json: the plan was not saved: no such file or directory"},
		"a fleet that is away":  {[]string{"--fleet", "GONE", "--routine", "reboot"}, ExitError, "gone.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, errs := runPlanIn(t, planDir(t, files), c.args...)
			if code != c.code || !strings.Contains(out+errs, c.want) {
				t.Errorf("exit %d, want %d; looked for %q in\n%s%s", code, c.code, c.want, out, errs)
			}
		})
	}
}

// TestPlanOut: the saved plan is the printed one, reads back, and is what the next command names.
func TestPlanOut(t *testing.T) {
	dir := planDir(t, map[string]string{"fleet": planFleet, "target": planTarget})
	path := filepath.Join(dir, "plan.json")
	code, table, _ := runPlanIn(t, dir, "--fleet", "FLEET", "--target", "TARGET", "--out", path, "--revision", "3", "--parent", "2")
	if code != ExitChanges || !strings.Contains(table, "next: evenkeel apply "+path+" --revision 3\n") {
		t.Fatalf("exit %d\n%s", code, table)
	}
	saved, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p, err := plan.Read(bytes.NewReader(saved))
	if err != nil {
		t.Fatal(err)
	}
	if p.Fleet == nil || len(p.Turns) != 2 || p.Campaign != "maintenance-20260302-0900" || p.Revision != 3 || p.Parent != 2 {
		t.Errorf("campaign %s, %d turns", p.Campaign, len(p.Turns))
	}
	_, printed, _ := runPlanIn(t, dir, "--fleet", "FLEET", "--target", "TARGET", "--revision", "3", "--parent", "2", "-o", "json")
	shown, err := plan.Read(strings.NewReader(printed))
	if err != nil || shown.Summary == nil || shown.Summary.CPUSeconds <= 0 || shown.Summary.PeakRSSBytes < 1<<20 {
		t.Fatalf("-o json: %v, %+v", err, shown.Summary)
	}
	shown.Summary = nil
	var bare bytes.Buffer
	if err := plan.Write(&bare, shown); err != nil || bare.String() != string(saved) {
		t.Errorf("but for its summary, what -o json prints is not the plan that --out saves: %v", err)
	}
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(saved, &keys); err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{"turns", "moves", "slots", "blocked"} {
		if !strings.HasPrefix(string(keys[k]), "[") {
			t.Errorf("%s is no list: %.20s", k, keys[k])
		}
	}
	if _, yaml, _ := runPlanIn(t, dir, "--fleet", "FLEET", "--target", "TARGET", "-o", "yaml"); !strings.Contains(yaml, "evenkeel: plan/v1") {
		t.Errorf("-o yaml: %.200s", yaml)
	}
}

// TestExamplesDoNotAge: whoever begins with the files in examples/ gets a plan, in which year ever.
func TestExamplesDoNotAge(t *testing.T) {
	for _, now := range []string{"2026-03-01T09:00:00Z", "2039-11-24T03:00:00Z"} {
		code, out, errs := runPlanIn(t, t.TempDir(), "--fleet", "../../examples/fleet.yaml", "--target", "../../examples/target.yaml", "--policy", "../../examples/policy.yaml", "--now", now)
		if first, _, _ := strings.Cut(out, "\n"); code != 2 || !strings.Contains(first, "3 of 4 hosts") {
			t.Errorf("on %s: exit %d\n%s\n%s", now, code, first, errs)
		}
	}
}
