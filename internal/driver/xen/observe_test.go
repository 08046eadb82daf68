package xen

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

func TestObserveHost(t *testing.T) {
	s := newWorld(t).must()
	const kernel = "linux-image-6.1.0-41-amd64"
	want := fleet.Software{
		Installed: map[string]string{"xen-hypervisor-4.17-amd64": "4.17.5+72-g01140da4e8-1", kernel: "6.1.158-1"},
		Booted:    map[string]string{"xen-hypervisor-4.17-amd64": "4.17.5+72-g01140da4e8-1", kernel: "6.1.158-1"},
		Running:   map[string]string{Upstream: "4.17.5"},
		BuildID:   buildRunning, LivePatches: []fleet.LivePatch{},
		Looked: map[string]fleet.Sighting{
			fleet.LayerInstalled: {At: s.At, How: "dpkg-query over SSH"}, fleet.LayerRunning: {At: s.At, How: "xl info over SSH"},
			fleet.LayerLivePatches: {At: s.At, How: "/sys/kernel/livepatch over SSH, xen-livepatch list over SSH"},
		},
	}
	how := s.Software.Looked[fleet.LayerBooted]
	delete(s.Software.Looked, fleet.LayerBooted)
	if !strings.HasPrefix(how.How, "build id of ") || !strings.HasSuffix(how.How, "/boot/xen-4.17-amd64.gz over SSH, uname -v over SSH") {
		t.Errorf("%+v", how)
	}
	if !reflect.DeepEqual(s.Software, want) {
		t.Errorf("got  %+v\nwant %+v", s.Software, want)
	}
	if len(s.Missing)+len(s.Gaps)+len(s.Instances) > 0 || s.Instances == nil {
		t.Errorf("missing %q, gaps %q, instances %v", s.Missing, s.Gaps, s.Instances)
	}
	if s.Host != "h1" || s.Health != fleet.Up || s.BootID != "fc98686c-5a11-41d6-9104-642e9f255ffb" || s.MemoryMiB != 491 || s.FreeMiB != 491 {
		t.Errorf("%+v", s.Observation)
	}
	h := s.Facts
	if h.ID != "h1" || h.Hypervisor != fleet.Xen || h.SSH != "root@x1.example" || h.Ecosystem != "Debian:12" || h.Arch != "x86_64" || h.CPU.Vendor != "amd" || h.CPUs != 1 ||
		strings.Join(h.VirtCaps, " ") != "pv hvm hap shadow gnttab-v1 gnttab-v2" || !reflect.DeepEqual(h.Networks, []string{"xenbr0"}) {
		t.Errorf("%+v", h)
	}
	// What dom0's kernel was booted with says nothing of the hypervisor.
	if !reflect.DeepEqual(h.Config, map[string]string{"smt": "off"}) {
		t.Errorf("config %v", h.Config)
	}
	if can := strings.Join(s.Capabilities, " "); can != "live-migrate suspend live-patch reboot update" {
		t.Errorf("capabilities %s", can)
	}
}

// What was booted is proven by the build id alone; without proof it is not known, and said.
func TestBootedHypervisor(t *testing.T) {
	const other, pkg = "151b373fd64b321593bf987fd923cd10dabadac4", "xen-hypervisor-4.17-amd64"
	for name, c := range map[string]struct {
		change func(w world)
		booted bool
		gap    string
	}{
		"updated since the boot": {func(w world) { w.image("/boot/xen-4.17-amd64.gz", other) }, false, "is build " + other},
		"another file is booted": {func(w world) {
			w.image("/boot/xen-4.17-amd64.gz", other)
			w.image("/boot/xen-own.gz", buildRunning)
		}, false, "of no package"},
		"the file is gone": {func(w world) { w.image("/boot/xen-4.17-amd64.gz", other); w.remove("/boot/xen-4.17-amd64.gz") }, false, "/boot holds no xen*.gz"},
		"two hypervisors":  {func(w world) { w.image("/boot/xen-4.14-amd64.gz", other) }, true, ""},
		"a grep without Perl's expressions": {func(w world) {
			real, _ := os.Readlink(w.root + "/bin/grep")
			w.program("grep", `case $1 in -*P*) exit 2;; esac; exec `+real+` "$@"`)
		}, true, ""},
		"half installed": {func(w world) {
			w.program("dpkg-query", `for last; do :; done; echo "pkg $last half-configured 4.17.5"`)
		}, false, "is half-configured"},
		"no build id in the file": {func(w world) { w.put("/boot/xen-4.17-amd64.gz", "what is this") }, false, "no build id that can be read"},
		"no build id from xl": {func(w world) {
			w.put("/world/info", strings.ReplaceAll(sample(w.t, "info-4.17.5.txt"), buildRunning, ""))
		}, false, "xl info tells no build id"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			c.change(w)
			s := w.must()
			if (s.Software.Booted[pkg] != "") != c.booted {
				t.Errorf("booted %v", s.Software.Booted)
			}
			if gaps := strings.Join(s.Gaps, "\n"); (gaps != "") != (c.gap != "") || !strings.Contains(gaps, c.gap) {
				t.Errorf("gaps %q, expected one on %q", gaps, c.gap)
			}
		})
	}
	// A build id that was read before is not read again, unless the file has changed.
	w := newWorld(t)
	a, err := parseAnswer(w.ask(""))
	if err != nil || len(a.images) != 1 || a.images[0].build != buildRunning {
		t.Fatalf("%+v, %v", a.images, err)
	}
	w.program("gzip", "exit 1")
	if a, err = parseAnswer(w.ask("0.0.0.0 " + other + "\n" + a.images[0].sign + " " + buildRunning)); err != nil || a.images[0].build != buildRunning {
		t.Errorf("%+v, %v", a.images, err)
	}
	if a, err = parseAnswer(w.ask("0.0.0.0 " + buildRunning)); err != nil || a.images[0].build != "" {
		t.Errorf("%+v, %v", a.images, err)
	}
}

func TestLivePatchesOfXen(t *testing.T) {
	for name, c := range map[string]struct {
		out, exit string
		want      []fleet.LivePatch
		can       bool
		missing   string
	}{
		"two": {out: sample(t, "livepatch-list.txt"), can: true,
			want: []fleet.LivePatch{{Name: "lp1", Component: "xen", State: "loaded"}, {Name: "lp2-replace", Component: "xen", State: "applied"}}},
		"built without":  {out: "Failed to list 0/0.\nError 38: Function not implemented\n", exit: "1", want: []fleet.LivePatch{}},
		"no tool":        {out: "", exit: "127", missing: "no xen-livepatch"},
		"it fails":       {out: "Failed to list 0/0.\nError 1: Operation not permitted\n", exit: "1", missing: "Operation not permitted"},
		"it is cut off":  {out: " ID                                     | status     | metadata\n----+\nlp1", can: true, missing: "expected NAME | STATE"},
		"a broken state": {out: strings.ReplaceAll(sample(t, "livepatch-list.txt"), "CHECKED", "unknown"), can: true, missing: "expected CHECKED"},
	} {
		w := newWorld(t)
		w.put("/world/patches", c.out)
		if c.exit != "" {
			w.put("/world/exit-patches", c.exit)
		}
		s := w.must()
		if !reflect.DeepEqual(s.Software.LivePatches, c.want) || strings.Contains(strings.Join(s.Capabilities, " "), "live-patch") != c.can {
			t.Errorf("%s: %#v, %v", name, s.Software.LivePatches, s.Capabilities)
		}
		if said := strings.Join(append(s.Missing, s.Gaps...), "\n"); (said != "") != (c.missing != "") || !strings.Contains(said, c.missing) {
			t.Errorf("%s: %q", name, said)
		}
	}
}

// A host whose hypervisor does not answer is no observation; one that answers badly is sick.
func TestObserveBrokenHost(t *testing.T) {
	w := newWorld(t)
	w.put("/world/exit-list", "1")
	if _, err := w.observe(); err == nil || !strings.Contains(err.Error(), "xl list ended with exit code 1") {
		t.Errorf("%v", err)
	}
	w.put("/world/exit-list", "0")
	w.put("/world/list-v", "libxl: error\n")
	if _, err := w.observe(); err == nil {
		t.Error("a list that cannot be read passes")
	}
	w.put("/sys/hypervisor/type", "")
	if _, err := w.observe(); err == nil || !strings.Contains(err.Error(), "without Xen under it (boot id fc98686c") {
		t.Errorf("%v", err)
	}
	w = newWorld(t)
	w.put("/world/exit-info", "1")
	if s := w.must(); s.Health != fleet.Sick || len(s.Missing) == 0 {
		t.Errorf("%s, %q", s.Health, s.Missing)
	}
	w = newWorld(t)
	w.put("/world/list-v", sample(t, "list-v.txt"))
	w.program("xl", `case $1 in info) cat "$world/info";; list) cat "$world/list$2"; [ "$2" != -l ] || exit 3;; esac`)
	if s := w.must(); !strings.Contains(strings.Join(s.Missing, "\n"), "xl list -l ended with exit code 3") {
		t.Errorf("%q", s.Missing)
	}
	w = newWorld(t)
	w.put("/world/list-v", sample(t, "list-v.txt"))
	w.put("/world/list-l", `[{"domid": 1,`)
	if s := w.must(); s.Health != fleet.Up || !strings.Contains(strings.Join(s.Missing, "\n"), "configurations of instances") {
		t.Errorf("%s, %q", s.Health, s.Missing)
	}
	out := newWorld(t).ask("")
	for n := 0; n < len(out)-len("\nend\n"); n += 97 {
		if _, err := parseAnswer(out[:n]); err == nil {
			t.Fatalf("an answer of %d bytes of %d passes", n, len(out))
		}
	}
}
