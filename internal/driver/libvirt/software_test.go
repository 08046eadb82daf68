package libvirt

import (
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/hostfacts"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

var lookedAt = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)

const hostAnswer = `boot_id fc98686c-5a11-41d6-9104-642e9f255ffb
hz 100
btime 1795352091
init 1 (host (x) boot) S 0 0 0 0 -1 4194560 1987 20466 3 27 0 1 17 13 20 0 1 0 128908 4464640 877
net br0
net lo
net vnet12
arch x86_64
release 6.1.0-41-amd64
version #1 SMP PREEMPT_DYNAMIC Debian 6.1.158-1 (2025-11-09)
os PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"
os VERSION_ID="12"
os ID=debian
cpu vendor_id	: AuthenticAMD
cpu cpu family	: 25
cpu model		: 17
cpu microcode	: 0xa101148
microcode 0xa10114c
smt_active 0
smt_control on
cmdline BOOT_IMAGE=/vmlinuz root=/dev/sda1 mitigations=off mitigations=auto,nosmt quiet
manager dpkg
qemu qemu-system-x86
pkg qemu-system-x86 installed 1:7.2+dfsg-7+deb12u15
list 1795353273 /var/lib/dpkg/info/qemu-system-x86.list
pkg xen absent
pkg broken half-configured 1.0
kernel linux-image-6.1.0-41-amd64
pkg linux-image-6.1.0-41-amd64 installed 6.1.159-1
list 1795353300 /var/lib/dpkg/info/linux-image-6.1.0-41-amd64.list
kernel_line linux-image-amd64
pkg linux-image-amd64 installed 6.1.162-1
livepatches yes
livepatch fix_one 1 0
livepatch fix_two 1 1
livepatch fix_three 0 0
fs nfs /srv/a file.raw
fs ? /gone
emulator QEMU emulator version 7.2.18 (Debian 1:7.2+dfsg-7+deb12u15)
end
`

func facts(t *testing.T, lines ...string) hostfacts.Facts {
	t.Helper()
	f, err := hostfacts.Parse(strings.Join(append(lines, "end"), "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// guestSeen is a running instance and the build that its monitor told.
type guestSeen struct {
	id string
	b  build
}

// observed puts an answer of the host and of its guests together, as Observe does.
func observed(t *testing.T, cfg Config, f hostfacts.Facts, guests ...guestSeen) *seen {
	t.Helper()
	d := New(cfg)
	t.Cleanup(func() { d.Close() })
	s := &seen{upstream: "7.2.18"}
	s.At, s.Health = lookedAt, fleet.Up
	for _, g := range guests {
		i := driver.InstanceSeen{ID: g.id, State: fleet.Running}
		if g.b != (build{}) {
			d.runsOn(s, &i, g.b, f)
		}
		s.Instances = append(s.Instances, i)
	}
	d.software(s, f)
	s.Facts = s.host(driver.Host{}, f, true)
	return s
}

func TestSoftwareOfDebian(t *testing.T) {
	f, err := hostfacts.Parse(hostAnswer)
	if err != nil {
		t.Fatal(err)
	}
	s := observed(t, Config{}, f, guestSeen{"g1", build{"1:7.2+dfsg-7+deb12u14", "7.2.17", lookedAt}}, guestSeen{"g2", build{"1:7.2+dfsg-7+deb12u14", "7.2.17", lookedAt.Add(-time.Minute)}})
	const kernel = "linux-image-6.1.0-41-amd64"
	want := fleet.Software{
		Installed:   map[string]string{"qemu-system-x86": "1:7.2+dfsg-7+deb12u15", kernel: "6.1.159-1", "linux-image-amd64": "6.1.162-1"},
		Booted:      map[string]string{kernel: "6.1.158-1", "linux-image-amd64": "6.1.158-1", "qemu-system-x86": "1:7.2+dfsg-7+deb12u15"},
		Running:     map[string]string{"qemu-system-x86": "1:7.2+dfsg-7+deb12u14", QEMUUpstream: "7.2.18"},
		LivePatches: f.LivePatches,
		Looked: map[string]fleet.Sighting{
			fleet.LayerInstalled: {At: lookedAt, How: "dpkg-query over SSH"},
			fleet.LayerBooted:    {At: lookedAt, How: "dpkg's file times over SSH, uname -v over SSH"},
			// One guest was busy: that is known from an earlier look at it.
			fleet.LayerRunning:     {At: lookedAt.Add(-time.Minute), How: "QMP query-version, libvirt ConnectGetVersion"},
			fleet.LayerLivePatches: {At: lookedAt, How: "/sys/kernel/livepatch over SSH"},
		},
	}
	if !reflect.DeepEqual(s.Software, want) {
		t.Errorf("got  %+v\nwant %+v", s.Software, want)
	}
	if len(s.Missing)+len(s.Gaps) > 0 {
		t.Errorf("missing %q, gaps %q", s.Missing, s.Gaps)
	}
	if h := s.Facts; h.Ecosystem != "Debian:12" || h.Arch != "x86_64" || h.CPU.Vendor != "amd" || h.Config["smt"] != "off" || !reflect.DeepEqual(h.Software, want) {
		t.Errorf("%+v", h)
	}
	if i := s.Instances[1]; i.Looked != (fleet.Sighting{At: lookedAt.Add(-time.Minute), How: "QMP query-version"}) {
		t.Errorf("%+v", i)
	}
}

func TestSoftwareOfRPM(t *testing.T) {
	f := facts(t, "manager rpm", "qemu qemu-kvm", "rpm qemu-kvm 17:8.2.0-11.el9_4.6 x86_64 900", "os ID=rocky", "os VERSION_ID=9.4", "emulator QEMU emulator version 8.2.0 (qemu-kvm-8.2.0-11.el9_4.6)")
	s := observed(t, Config{}, f, guestSeen{"g1", build{"8.2.0-11.el9_4", "8.2.0", lookedAt}})
	if v := s.Software.Running["qemu-kvm"]; v != "17:8.2.0-11.el9_4" || s.Instances[0].Running["qemu-kvm"] != v {
		t.Errorf("%+v, %+v", s.Software, s.Instances)
	}
	if s = observed(t, Config{}, f); s.Software.Running["qemu-kvm"] != "17:8.2.0-11.el9_4.6" || s.Software.Looked[fleet.LayerRunning].How != "QEMU's --version over SSH, libvirt ConnectGetVersion" {
		t.Errorf("%+v", s.Software)
	}
	// Without the package on disk its epoch is not known, so the version is not, either.
	f.Installed = map[string]string{}
	s = observed(t, Config{}, f, guestSeen{"g1", build{"8.2.0-11.el9_4", "8.2.0", lookedAt}})
	if _, has := s.Software.Running["qemu-kvm"]; has || len(s.Instances[0].Running) > 0 || s.Instances[0].Looked.How != "" || !strings.Contains(strings.Join(s.Missing, "\n"), "QEMU of g1: it says 8.2.0-11.el9_4, without the epoch") {
		t.Errorf("%+v, %+v, %q", s.Software, s.Instances, s.Missing)
	}
}

func TestSoftwareThatIsNotKnown(t *testing.T) {
	// Nobody was asked: nothing but what libvirt says, and no layer that was not looked at is named.
	s := observed(t, Config{}, hostfacts.Facts{}, guestSeen{"g1", build{"1:7.2-1", "7.2.0", lookedAt}})
	if s.Software.Installed != nil || len(s.Software.Booted) > 0 || s.Software.LivePatches != nil || len(s.Software.Looked) != 1 || s.Software.Running["qemu-system-x86"] != "1:7.2-1" || s.Facts.Ecosystem != "" {
		t.Errorf("%+v", s.Software)
	}
	// A host without any package manager, in a container.
	s = observed(t, Config{}, facts(t, "manager none", "release 6.6.0"))
	if len(s.Software.Looked) != 1 || len(s.Missing) != 1 || len(s.Gaps) != 4 {
		t.Errorf("%+v, missing %q, gaps %q", s.Software, s.Missing, s.Gaps)
	}
	// A look that finds nothing is a look.
	s = observed(t, Config{}, facts(t, "manager dpkg", "pkg qemu-system-x86 absent", "livepatches none", "os ID=debian", "os VERSION_ID=12", "cpu vendor_id : GenuineIntel"))
	if _, looked := s.Software.Looked[fleet.LayerInstalled]; !looked || len(s.Missing) != 1 || !strings.Contains(s.Missing[0], "absent") || s.Software.LivePatches == nil {
		t.Errorf("%+v, missing %q", s.Software, s.Missing)
	}
	// A guest whose monitor did not answer runs on nobody knows what: not on what lies on disk.
	s = observed(t, Config{}, facts(t, "manager dpkg", "emulator QEMU emulator version 7.2.18 (Debian 1:7.2-9)"), guestSeen{id: "g1"})
	if v, has := s.Software.Running["qemu-system-x86"]; has {
		t.Errorf("it runs %q", v)
	}
	// QEMU built from source goes by its own number, never as a package's version.
	s = observed(t, Config{}, facts(t, "manager dpkg"), guestSeen{"g1", build{upstream: "9.0.1", at: lookedAt}})
	if !maps.Equal(s.Instances[0].Running, map[string]string{QEMUUpstream: "9.0.1"}) || s.Software.Running["qemu-system-x86"] != "" {
		t.Errorf("%+v, %+v", s.Instances, s.Software)
	}
}

// Ubuntu counts linux-image-generic apart from the kernels that it brings: what was booted is not
// told in its numbers, so nothing of it is told.
func TestKernelLineWithoutBooted(t *testing.T) {
	lines := []string{"manager dpkg", "release 5.15.0-91-generic", "signature Ubuntu 5.15.0-91.101-generic 5.15.131", "os ID=ubuntu", "kernel linux-image-5.15.0-91-generic",
		"pkg linux-image-5.15.0-91-generic installed 5.15.0-91.101", "kernel_line linux-image-generic", "pkg linux-image-generic installed 5.15.0.92.89"}
	s := observed(t, Config{}, facts(t, lines...))
	if s.Software.Installed["linux-image-generic"] != "" || s.Software.Installed["linux-image-5.15.0-91-generic"] == "" || s.Software.Looked[fleet.LayerBooted].How != "/proc/version_signature over SSH" {
		t.Errorf("%+v", s.Software)
	}
	if s = observed(t, Config{Packages: []string{"linux-image-generic"}}, facts(t, lines...)); s.Software.Installed["linux-image-generic"] != "5.15.0.92.89" {
		t.Errorf("what was asked for is not told: %+v", s.Software)
	}
}
