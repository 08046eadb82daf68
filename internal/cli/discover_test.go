package cli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/discover"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// discoverLine runs one command line and gives its exit code and what it wrote.
func discoverLine(args ...string) (code int, out, errs string) {
	var o, e bytes.Buffer
	app := &App{In: strings.NewReader(""), Out: &o, Err: &e, Now: time.Now, Getenv: func(string) string { return "" }}
	code = Main(context.Background(), app, append([]string{"fleet", "discover"}, args...))
	return code, o.String(), e.String()
}

func TestDiscoverRefuses(t *testing.T) {
	broken := filepath.Join(t.TempDir(), "base.yaml")
	if err := os.WriteFile(broken, []byte("evenkeel: fleet/v1\nhosts:\n  - id: h1\n    memory_mib: -3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		says string
	}{
		{nil, "no host is named"},
		{[]string{"qemu+tcp://127.0.0.1:1/system", "-o", "xml"}, "use yaml or json"},
		{[]string{"qemu+tcp://127.0.0.1:1/system", "--ssh-key", "id"}, "always pinned"},
		{[]string{"qemu+tcp://127.0.0.1:1/system", "--base", broken}, "base.yaml:4:17"},
		{[]string{"qemu+tcp://127.0.0.1:1/system"}, "no host answered"},
	} {
		code, out, errs := discoverLine(c.args...)
		if code != ExitError || out != "" || !strings.Contains(errs, c.says) {
			t.Errorf("%v: exit %d, wrote %q, said %q; expected %q", c.args, code, out, errs, c.says)
		}
	}
}

func TestDiscoverSSHAddresses(t *testing.T) {
	f := discoverFlags{sshUser: "ops", sshKey: "id"}
	got := map[string]string{}
	for _, h := range f.hosts([]string{"qemu+tls://h1.example/system", "qemu+ssh://root@h2.example:2222/system", "qemu:///system"}) {
		got[h.URI] = h.SSH
	}
	for uri, want := range map[string]string{"qemu+tls://h1.example/system": "ops@h1.example", "qemu+ssh://root@h2.example:2222/system": "root@h2.example:2222", "qemu:///system": ""} {
		if got[uri] != want {
			t.Errorf("%s: %q, expected %q", uri, got[uri], want)
		}
	}
}

// Each host is looked at through the driver of its URI; a URI without one is that host's problem alone.
func TestDiscoverDrivers(t *testing.T) {
	for uri, says := range map[string]string{
		"xen+ssh://root@127.0.0.1:1/": "no SSH key file", "vmware://h1.example/": "no driver for vmware://h1.example/", "nonsense": "not a URI",
	} {
		var out, errs bytes.Buffer
		err := runDiscover(t.Context(), &App{Out: &out, Err: &errs}, []string{uri}, discoverFlags{output: "yaml"})
		if err == nil || !strings.Contains(err.Error(), "no host answered") || !strings.Contains(errs.String(), says) || out.Len() > 0 {
			t.Errorf("%s: %v, %q; expected %q", uri, err, errs.String(), says)
		}
	}
}

func TestDiscoverWrites(t *testing.T) {
	pool := &fleet.Fleet{Evenkeel: fleet.SchemaV1, Regions: []fleet.Region{{ID: "r"}}, Sites: []fleet.Site{{ID: "s", Region: "r"}}, Pools: []fleet.Pool{{ID: "p", Site: "s"}},
		Hosts: []fleet.Host{{ID: "h1", Pools: []string{"p"}, Hypervisor: fleet.KVM, MemoryMiB: 100}}}
	full := *pool
	full.Instances = []fleet.Instance{{ID: "g1", Host: "h1", MemoryMiB: 200}}
	for _, c := range []struct {
		name     string
		fleet    *fleet.Fleet
		problems []discover.Problem
		code     Exit
		fails    string
	}{
		{"all well", pool, nil, ExitNothing, ""},
		{"a note", pool, []discover.Problem{{Host: "h1", Why: "note"}}, ExitNothing, ""},
		{"incomplete", pool, []discover.Problem{{Host: "h2", Why: "down", Grave: true}}, ExitChanges, ""},
		{"not usable", &full, nil, ExitNothing, "memory_mib"},
	} {
		file := filepath.Join(t.TempDir(), "fleet.yaml")
		var out, errs bytes.Buffer
		err := discoverFlags{out: file, output: "yaml"}.write(&App{Out: &out, Err: &errs}, c.fleet, c.problems)
		switch {
		case c.fails != "":
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%s: %v", c.name, err)
			}
		case c.code == ExitNothing && err != nil, c.code != ExitNothing && err != c.code:
			t.Errorf("%s: %v", c.name, err)
		}
		text, readErr := os.ReadFile(file)
		if readErr != nil || !strings.Contains(string(text), "id: h1") || out.Len() > 0 {
			t.Errorf("%s: file %q, %v; standard output %q", c.name, text, readErr, out.String())
		}
	}
}
