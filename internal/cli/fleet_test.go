package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// fleetRun runs `evenkeel fleet ...` and gives what it printed.
func fleetRun(t *testing.T, app *App, args ...string) (code int, out, errs string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	app.Out, app.Err = &stdout, &stderr
	if app.Getenv == nil {
		app.Getenv = func(string) string { return "" }
	}
	code = Main(t.Context(), app, append([]string{"fleet"}, args...))
	return code, stdout.String(), stderr.String()
}

const exampleFleet = "../../examples/fleet.yaml"

func TestFleetCheckSound(t *testing.T) {
	code, out, errs := fleetRun(t, &App{}, "check", exampleFleet)
	want := exampleFleet + ": sound: 1 region, 2 sites, 2 pools, 4 hosts, 7 instances, 3 tenants, 2 groups\n"
	if code != ExitNothing || out != want || errs != "" {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
}

func TestFleetUnknownCommand(t *testing.T) {
	code, out, errs := fleetRun(t, &App{}, "chek", exampleFleet)
	if code != ExitError || out != "" || !strings.Contains(errs, `unknown command "chek" for "evenkeel fleet"`) {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
	if code, out, _ = fleetRun(t, &App{}); code != ExitNothing || !strings.Contains(out, "discover") {
		t.Errorf("exit %d\n%s", code, out)
	}
}

const badFleet = "evenkeel: fleet/v1\nregions: [{id: r}, {id: r}]\nsites: [{id: s, region: q}]\n"

func TestFleetCheckMistakes(t *testing.T) {
	code, out, errs := fleetRun(t, &App{In: strings.NewReader(badFleet)}, "check", exampleFleet, "-")
	if code != ExitError || !strings.HasSuffix(out, "-: 2 mistakes, not usable\n") || !strings.HasPrefix(out, exampleFleet+": sound") {
		t.Errorf("exit %d\n%s", code, out)
	}
	want := `stdin:2:25: regions[1].id: found the id "r" a second time, expected an id of its own: regions[0] in line 2 has this one
stdin:3:25: sites[0].region: found the unknown region "q", expected one of the regions of this fleet: r
`
	if errs != want {
		t.Errorf("got:\n%s\nwant:\n%s", errs, want)
	}
}

func TestFleetCheckJSON(t *testing.T) {
	code, out, errs := fleetRun(t, &App{In: strings.NewReader(badFleet)}, "check", "-o", "json", "-")
	var checked []checkedFleet
	if err := json.Unmarshal([]byte(out), &checked); err != nil || code != ExitError || errs != "" {
		t.Fatalf("exit %d, %v\n%s%s", code, err, out, errs)
	}
	if len(checked) != 1 || len(checked[0].Mistakes) != 2 || checked[0].Mistakes[1].Line != 3 || checked[0].Mistakes[1].Path != "sites[0].region" {
		t.Errorf("%+v", checked)
	}
}

func TestFleetCheckWarnsWithoutFailing(t *testing.T) {
	code, out, errs := fleetRun(t, &App{In: strings.NewReader("evenkeel: fleet/v1\ntenants: [{id: acme}]\n")}, "check", "-")
	if code != ExitNothing || !strings.HasSuffix(out, "; 1 warning\n") ||
		errs != "-: warning: tenants[0]: tenant acme has no contact: it cannot be told, so nothing of it can be disrupted\n" {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
}

func TestFleetCheckCannotRead(t *testing.T) {
	for _, args := range [][]string{{"check"}, {"check", "none.yaml"}, {"check", "none.jsonl"}, {"check", "-o", "xml", exampleFleet}, {"show", "-o", "xml", exampleFleet},
		{"show", exampleFleet, "--host", "none"}, {"show", exampleFleet, "--tenant", "none"}, {"show", exampleFleet, "--host", "hv-1", "--tenant", "acme"}} {
		if code, out, errs := fleetRun(t, &App{}, args...); code != ExitError || out != "" || errs == "" {
			t.Errorf("%v: exit %d\n%s%s", args, code, out, errs)
		}
	}
}

// What show writes, in any form, is the same fleet again.
func TestFleetShowRoundTrip(t *testing.T) {
	src, err := os.ReadFile(exampleFleet)
	if err != nil {
		t.Fatal(err)
	}
	whole, _ := fleet.Parse("f", src)
	var lines bytes.Buffer
	if err := fleet.WriteJSONL(&lines, whole); err != nil {
		t.Fatal(err)
	}
	jsonl := filepath.Join(t.TempDir(), "f.JSONL")
	if err := os.WriteFile(jsonl, lines.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	_, want, _ := fleetRun(t, &App{}, "show", exampleFleet, "-o", "yaml")
	for _, c := range []struct{ path, form string }{{exampleFleet, "json"}, {exampleFleet, "yaml"}, {jsonl, "yaml"}} {
		_, written, _ := fleetRun(t, &App{}, "show", c.path, "-o", c.form)
		code, again, errs := fleetRun(t, &App{In: strings.NewReader(written)}, "show", "-", "-o", "yaml")
		if code != ExitNothing || again != want {
			t.Errorf("%v: exit %d\n%s\n%s", c, code, errs, again)
		}
	}
}

// A part of a fleet is a sound fleet.
func TestFleetShowPart(t *testing.T) {
	for _, c := range []struct {
		args  []string
		hosts string
		count int
	}{{[]string{"--host", "hv-2"}, "hv-2", 3}, {[]string{"--tenant", "acme"}, "hv-1 hv-2 hv-3", 3}, {[]string{"--tenant", "cedar"}, "hv-2 xh-1", 2}} {
		_, out, _ := fleetRun(t, &App{}, append([]string{"show", exampleFleet, "-o", "yaml"}, c.args...)...)
		f, mistakes := fleet.Parse("part", []byte(out))
		var hosts []string
		for _, h := range f.Hosts {
			hosts = append(hosts, h.ID)
		}
		if len(mistakes) > 0 || strings.Join(hosts, " ") != c.hosts || len(f.Instances) != c.count {
			t.Errorf("%v: %v, hosts %v, %d instances\n%s", c.args, mistakes, hosts, len(f.Instances), out)
		}
	}
}

func TestFleetShowTable(t *testing.T) {
	_, out, _ := fleetRun(t, &App{}, "show", exampleFleet)
	for _, want := range []string{
		"pool kvm-a  site north-a (Europe/Zurich)  reserve 64 GiB\n",
		"  hv-2  kvm         up     [##........]  14 GiB of 64 GiB  3          qemu-system-x86 1:7.2+dfsg-7+deb12u17\n",
		"; installed linux-image-amd64 6.1.158-1, qemu-system-x86 1:7.2+dfsg-7+deb12u18\n",
		"memory 50 GiB of 224 GiB (22 %); seen 2026-03-01 08:00 UTC\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	_, out, _ = fleetRun(t, &App{}, "show", exampleFleet, "--host", "hv-2")
	if !strings.Contains(out, "no: local-disk\n") || !strings.HasSuffix(out, "3 instances\n") {
		t.Error(out)
	}
	_, out, _ = fleetRun(t, &App{}, "show", exampleFleet, "--tenant", "birch")
	if !strings.Contains(out, "zone Asia/Tokyo  contacts admin@birch.example, oncall@birch.example\n") || !strings.HasSuffix(out, "2 instances\n") {
		t.Error(out)
	}
}

// Colour is for terminals, and only adds to the words.
func TestFleetShowColour(t *testing.T) {
	noColour := func(key string) string { return map[string]string{"NO_COLOR": "1"}[key] }
	_, plain, _ := fleetRun(t, &App{}, "show", exampleFleet)
	_, refused, _ := fleetRun(t, &App{Terminal: true, Getenv: noColour}, "show", exampleFleet)
	_, coloured, _ := fleetRun(t, &App{Terminal: true}, "show", exampleFleet)
	bare := strings.NewReplacer("\x1b[32m", "", "\x1b[0m", "").Replace(coloured)
	if strings.Contains(plain, "\x1b") || refused != plain || coloured == plain || bare != plain {
		t.Errorf("plain:\n%s\nwith NO_COLOR:\n%s\ncoloured:\n%s", plain, refused, coloured)
	}
}

func TestLoadErrorsListAllMistakes(t *testing.T) {
	for name, load := range map[string]func(*App, string) error{
		"fleet":  func(a *App, p string) error { _, err := loadFleet(a, p); return err },
		"target": func(a *App, p string) error { _, err := loadTarget(a, p); return err },
		"policy": func(a *App, p string) error { _, err := loadPolicy(a, p); return err },
	} {
		err := load(&App{In: strings.NewReader("evenkeel: none\nx: 1\n")}, "-")
		if err == nil || !strings.Contains(err.Error(), "stdin:1:11: evenkeel: found \"none\"") || !strings.Contains(err.Error(), "stdin:2:1: x: found the unknown key") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if p, err := loadPolicy(&App{}, ""); err != nil || p.MaxAwayPercent != 5 {
		t.Errorf("no policy: %+v, %v", p, err)
	}
	for path, load := range map[string]func(*App, string) error{
		"../../examples/target.yaml": func(a *App, p string) error { _, err := loadTarget(a, p); return err },
		"../../examples/policy.yaml": func(a *App, p string) error { _, err := loadPolicy(a, p); return err },
	} {
		if err := load(&App{}, path); err != nil {
			t.Error(err)
		}
	}
}
