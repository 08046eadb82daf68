package xen

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// dom0 is a folder that stands for a host: stubs of the tools, the guard's folder, a place for files.
type dom0 struct {
	t   *testing.T
	dir string
}

func newDom0(t *testing.T) dom0 {
	if _, err := exec.LookPath("flock"); err != nil {
		t.Skip("skipped: no flock here")
	}
	d := dom0{t, t.TempDir()}
	d.tool("xl", `case $1 in info) echo "build_id               : A1b2";; dmesg) cat "$HOME/log" 2>/dev/null;; esac`)
	d.tool("xen-livepatch", `case $1 in
list) if [ -e "$HOME/list" ]; then cat "$HOME/list"; else echo "Nothing to list"; fi; exit 0;;
upload) stat -c %a "$3" >"$HOME/mode"; cp "$3" "$HOME/got"; echo "$3" >"$HOME/path";; esac
echo "$@" >>"$HOME/calls"; echo "(XEN) livepatch: lp1: said by Xen" >>"$HOME/log"; echo "(d3) livepatch: lp1: said by a guest" >>"$HOME/log"
echo "Error 16: Device or resource busy" >&2; exit 2`)
	return d
}

func (d dom0) tool(name, body string) {
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte("#!/bin/sh\n"+body+"\n"), 0o755); err != nil {
		d.t.Fatal(err)
	}
}

func (d dom0) read(file string) string {
	b, _ := os.ReadFile(filepath.Join(d.dir, file))
	return strings.TrimSpace(string(b))
}

func (d dom0) run(script, stdin string, args ...string) (string, string, int) {
	script = strings.NewReplacer("/var/lib/evenkeel", d.dir+"/state", "tmp=/run", "tmp="+d.dir+"/run").Replace(script)
	_ = os.MkdirAll(filepath.Join(d.dir, "run"), 0o755)
	c := exec.Command("sh", append([]string{"-c", script, "evenkeel"}, args...)...)
	c.Env = []string{"PATH=" + d.dir + ":" + os.Getenv("PATH"), "HOME=" + d.dir}
	var out, errs bytes.Buffer
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(stdin), &out, &errs
	_ = c.Run()
	return out.String(), errs.String(), c.ProcessState.ExitCode()
}

func (d dom0) leftovers() int {
	left, _ := os.ReadDir(filepath.Join(d.dir, "run"))
	return len(left)
}

func TestPatchScripts(t *testing.T) {
	d := newDom0(t)
	out, _, _ := d.run(patchLook, "")
	r, err := parseReport(out)
	if err != nil || r.build != "a1b2" || r.list == nil || len(r.list) != 0 || d.read("state/generation") != "" {
		t.Fatalf("a look: %+v %v; it must leave nothing on the host", r, err)
	}
	out, errs, exit := d.run(patchAct, "", "7", "apply", "lp1; touch x")
	r, err = parseReport(out)
	if err != nil || exit != 0 || r.exit != 2 || r.said != "Error 16: Device or resource busy" || len(r.log) != 1 || !strings.Contains(r.log[0], "by Xen") {
		t.Errorf("an act: exit %d, %+v, %v, %s", exit, r, err, errs)
	}
	if d.read("calls") != "apply lp1; touch x" || d.read("state/generation") != "7" {
		t.Errorf("calls %q, generation %q", d.read("calls"), d.read("state/generation"))
	}
	for _, script := range []string{patchAct, patchUpload} {
		sum := sha256.Sum256([]byte("payload"))
		args := []string{"6", "apply", "lp1"}
		if script == patchUpload {
			args = []string{"6", "lp1", hex.EncodeToString(sum[:])}
		}
		if _, errs, exit := d.run(script, "payload", args...); exit != patchStale || !strings.Contains(errs, "older") {
			t.Errorf("a stale controller: exit %d, %s", exit, errs)
		}
	}
	if d.read("calls") != "apply lp1; touch x" || d.leftovers() != 0 {
		t.Errorf("a stale controller acted, or left a file: %q, %d files", d.read("calls"), d.leftovers())
	}
}

// TestPatchUploadScript: the file is private, checked, and gone on every way out.
func TestPatchUploadScript(t *testing.T) {
	d := newDom0(t)
	payload := "\x7fELF\x00with bytes\nof all kinds"
	sum := sha256.Sum256([]byte(payload))
	out, errs, _ := d.run(patchUpload, payload, "1", "lp1", hex.EncodeToString(sum[:]))
	if r, err := parseReport(out); err != nil || r.exit != 2 || d.read("got") != payload || d.read("mode") != "600" {
		t.Errorf("%+v %v, got %q with mode %s, %s", r, err, d.read("got"), d.read("mode"), errs)
	}
	if path := d.read("path"); !strings.HasPrefix(path, d.dir+"/run/") || d.leftovers() != 0 {
		t.Errorf("it lay at %s, and %d files are left", path, d.leftovers())
	}
	_ = os.Remove(filepath.Join(d.dir, "calls"))
	if _, _, exit := d.run(patchUpload, payload[:9], "1", "lp1", hex.EncodeToString(sum[:])); exit != patchSum || d.read("calls") != "" || d.leftovers() != 0 {
		t.Errorf("cut off on its way: exit %d, calls %q, %d files left", exit, d.read("calls"), d.leftovers())
	}
}

func TestParsePayloads(t *testing.T) {
	const head = " ID                                     | status     | metadata\n----------------------------------------+------------+---------------\n"
	long := strings.Repeat("n", 60)
	for name, c := range map[string]struct {
		out  string
		want []fleet.LivePatch
		bad  bool
	}{
		"none":             {"Nothing to list\n", []fleet.LivePatch{}, false},
		"two":              {head + "lp1                                     | CHECKED    | \nlp2                                     | APPLIED    | a=b|c\n", []fleet.LivePatch{{Name: "lp1", Component: "xen", State: "loaded"}, {Name: "lp2", Component: "xen", State: "applied"}}, false},
		"without metadata": {" ID                                     | status\n----------------------------------------+------------\nlp1                                     | APPLIED\n", []fleet.LivePatch{{Name: "lp1", Component: "xen", State: "applied"}}, false},
		"under way":        {head + "lp1                                     | CHECKED    |  (11, Resource temporarily unavailable)\n", []fleet.LivePatch{{Name: "lp1", Component: "xen", State: "transition"}}, false},
		"failed before":    {head + "lp1                                     | CHECKED    |  (22, Invalid argument)\n", []fleet.LivePatch{{Name: "lp1", Component: "xen", State: "loaded"}}, false},
		"a long name":      {head + long + "| APPLIED    | \n", []fleet.LivePatch{{Name: long, Component: "xen", State: "applied"}}, false},
		"empty":            {"", nil, true},
		"words":            {"Failed to list 0/0.\n", nil, true},
		"another state":    {head + "lp1                                     | unknown    | \n", nil, true},
		"cut off":          {head + "lp1                                     | APP", nil, true},
		"no name":          {head + "                                        | APPLIED\n", nil, true},
	} {
		got, err := parsePayloads(c.out)
		if (err != nil) != c.bad || len(got) != len(c.want) || (got == nil) != (c.want == nil) {
			t.Errorf("%s: %v %v", name, got, err)
			continue
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s: %v, want %v", name, got[i], c.want[i])
			}
		}
	}
}

func FuzzParsePayloads(f *testing.F) {
	f.Add(" ID                                     | status\n-----\nlp1                                     | APPLIED (11, x)\n")
	f.Add("Nothing to list")
	f.Fuzz(func(t *testing.T, s string) {
		list, err := parsePayloads(s)
		if (list == nil) != (err != nil) {
			t.Fatalf("%v %v", list, err)
		}
		for _, p := range list {
			if p.Name == "" || p.State == "" {
				t.Fatalf("%+v", p)
			}
		}
	})
}

func FuzzReadBound(f *testing.F) {
	f.Add(payloadOf(buildXen, buildXen, build1, ""))
	f.Add(payloadOf("", buildXen, "", "counter"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if b, err := readBound(data); err == nil && b.depends == "" {
			t.Fatalf("%+v", b)
		}
	})
}

func TestReadBound(t *testing.T) {
	b, err := readBound(payloadOf(buildXen, build1, build2, "x"))
	if err != nil || b != (bound{buildXen, build1, build2}) || b.hypervisor(true) != buildXen {
		t.Errorf("%+v %v", b, err)
	}
	old, err := readBound(payloadOf("", buildOther, build2, ""))
	if err != nil || old.hypervisor(false) != buildOther || old.hypervisor(true) != "" {
		t.Errorf("one of before 4.13: %+v %v", old, err)
	}
}

func TestNewLines(t *testing.T) {
	for _, c := range []struct{ before, after, want string }{
		{"", "a b", "a b"}, {"a b", "a b c", "c"}, {"a b c", "b c d", "d"}, {"a b", "x y", "x y"}, {"a b", "a b", ""}, {"a a", "a a a", "a"},
	} {
		if got := strings.Join(newLines(strings.Fields(c.before), strings.Fields(c.after)), " "); got != c.want {
			t.Errorf("%q -> %q: %q, want %q", c.before, c.after, got, c.want)
		}
	}
}
