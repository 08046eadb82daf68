package xen

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// What Observe reads of real hosts, against what their own tools say when asked one by one.
func TestLabObserve(t *testing.T) {
	l := theLab(t)
	d := l.driver()
	for _, h := range l.hosts {
		ask := func(command string) string { return l.must("ssh", h.ID, command) }
		began := time.Now()
		o, err := d.Observe(t.Context(), h)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d instances, in %s; missing %q, gaps %q", h.ID, len(o.Instances), time.Since(began).Round(time.Second), o.Missing, o.Gaps)
		line := func(key string) string { return ask("xl info | sed -n 's/^" + key + " *: *//p'") }
		if o.Health != fleet.Up || o.BootID != ask("cat /proc/sys/kernel/random/boot_id") || o.Software.BuildID != line("build_id") || o.Software.BuildID == "" {
			t.Errorf("%s: %+v", h.ID, o)
		}
		f := o.Facts
		if caps := line("virt_caps"); f == nil || strings.Join(f.VirtCaps, " ") != caps || f.Hypervisor != fleet.Xen || f.Ecosystem != "Debian:12" || f.Arch != "x86_64" || f.CPU.Vendor == "" {
			t.Errorf("%s: %+v; virt_caps %s", h.ID, f, caps)
		}
		if v := o.Software.Running[Upstream]; v == "" || !strings.HasPrefix(line("xen_version"), v) {
			t.Errorf("%s runs %q", h.ID, v)
		}
		var names []string
		for name := range strings.Lines(ask("xl list | awk 'NR > 1 && $1 != \"Domain-0\" {print $1}'")) {
			names = append(names, strings.TrimSpace(name))
		}
		for _, i := range o.Instances {
			if i.State == fleet.Stopped {
				continue
			}
			if !slices.Contains(names, i.ID) || i.MemoryMiB <= 0 || i.Facts.GuestType != "pv" && i.Facts.GuestType != "pvh" {
				t.Errorf("%s: %+v, %+v; xl list has %q", h.ID, i, i.Facts, names)
			}
			names = slices.DeleteFunc(names, func(name string) bool { return name == i.ID })
		}
		if len(names) > 0 && !strings.Contains(strings.Join(names, " "), "--") {
			t.Errorf("%s: not seen: %q", h.ID, names)
		}
		if o.FreeMiB <= 0 || o.MemoryMiB < o.FreeMiB || o.Software.LivePatches == nil || len(o.Missing) > 0 {
			t.Errorf("%s: %d of %d MiB, live patches %v, missing %q", h.ID, o.FreeMiB, o.MemoryMiB, o.Software.LivePatches, o.Missing)
		}
		// The package that was booted is the one whose release runs.
		for pkg, v := range o.Software.Booted {
			if strings.HasPrefix(pkg, "xen-hypervisor-") && !strings.HasPrefix(v, o.Software.Running[Upstream]+"+") {
				t.Errorf("%s: booted %s %s, runs %s", h.ID, pkg, v, o.Software.Running[Upstream])
			}
		}
		again := time.Now()
		if _, err := d.Observe(t.Context(), h); err != nil {
			t.Error(err)
		}
		t.Logf("%s: again, with the images known: %s", h.ID, time.Since(again).Round(100*time.Millisecond))
	}
}

// A host that does not answer is an error of its own, soon.
func TestObserveNobody(t *testing.T) {
	d := New(Config{CallTimeout: time.Second})
	defer d.Close()
	if _, err := d.Observe(t.Context(), driver.Host{ID: "x1", URI: "xen+ssh://root@127.0.0.1:1/"}); code(err) != driver.CodeUnsupported {
		t.Errorf("without a key: %v", err)
	}
	if _, err := d.Observe(t.Context(), driver.Host{ID: "x1", URI: "xen:///"}); code(err) != driver.CodeUnsupported {
		t.Errorf("without an address: %v", err)
	}
}
