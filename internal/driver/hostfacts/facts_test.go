package hostfacts

import (
	"maps"
	"reflect"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/version"
)

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

func facts(t *testing.T, lines ...string) Facts {
	t.Helper()
	f, err := Parse(strings.Join(append(lines, "end"), "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestParseHostFacts(t *testing.T) {
	f, err := Parse(hostAnswer)
	if err != nil {
		t.Fatal(err)
	}
	want := Facts{
		BootID: "fc98686c-5a11-41d6-9104-642e9f255ffb", Booted: 1795352091 + 1289, Devices: []string{"br0"},
		FS: map[string]string{"/srv/a file.raw": "nfs"}, Manager: "dpkg", QEMU: "qemu-system-x86", Emulator: "1:7.2+dfsg-7+deb12u15",
		Installed: map[string]string{"qemu-system-x86": "1:7.2+dfsg-7+deb12u15", "linux-image-6.1.0-41-amd64": "6.1.159-1", "linux-image-amd64": "6.1.162-1"},
		Status:    map[string]string{"xen": "absent", "broken": "half-configured"},
		Changed:   map[string]int64{"qemu-system-x86": 1795353273, "linux-image-6.1.0-41-amd64": 1795353300}, RPMs: map[string][]rpm{},
		Arch: "x86_64", Release: "6.1.0-41-amd64", Version: "#1 SMP PREEMPT_DYNAMIC Debian 6.1.158-1 (2025-11-09)",
		Kernel: "linux-image-6.1.0-41-amd64", KernelLine: "linux-image-amd64",
		OS:     map[string]string{"PRETTY_NAME": "Debian GNU/Linux 12 (bookworm)", "VERSION_ID": "12", "ID": "debian"},
		CPU:    fleet.CPU{Vendor: "amd", Family: 25, Model: 17, Microcode: "0xa10114c"},
		Config: map[string]string{"smt": "off", "mitigations": "auto,nosmt"},
		LivePatches: []fleet.LivePatch{{Name: "fix_one", Component: "linux", State: "applied"},
			{Name: "fix_two", Component: "linux", State: "transition"}, {Name: "fix_three", Component: "linux", State: "loaded"}},
	}
	if !reflect.DeepEqual(f, want) {
		t.Errorf("got  %+v\nwant %+v", f, want)
	}
	for _, c := range []struct {
		changed int64
		known   bool
	}{{want.Booted - 1, true}, {want.Booted, false}, {want.Booted + 60, false}} {
		f.Changed["qemu-system-x86"] = c.changed
		if v, why := f.BootedWith("qemu-system-x86"); (v != "") != c.known || (why == "") != c.known {
			t.Errorf("changed %d s after the boot: %q, %q", c.changed-want.Booted, v, why)
		}
	}
	// What was booted stays so, whatever lies on disk by now.
	booted, how, why, gap := f.BootedKernel()
	if !maps.Equal(booted, map[string]string{"linux-image-6.1.0-41-amd64": "6.1.158-1", "linux-image-amd64": "6.1.158-1"}) || how != "uname -v over SSH" || why != "" || gap {
		t.Errorf("booted %v, %q, %q, %v", booted, how, why, gap)
	}
	if _, err := Parse(strings.TrimSuffix(hostAnswer, "end\n")); err == nil {
		t.Error("an answer that broke off passes")
	}
}

// The kernels of other distributions, and those that tell nothing.
func TestBootedKernel(t *testing.T) {
	boot := []string{"hz 100", "btime 1000", "init 1 (init) S 0 0 0 0 -1 4194560 1987 20466 3 27 0 1 17 13 20 0 1 0 100 4464640 877"}
	for name, c := range map[string]struct {
		lines  []string
		booted map[string]string
		why    string
		gap    bool
	}{
		"ubuntu": {lines: []string{"manager dpkg", "release 5.15.0-91-generic", "version #101-Ubuntu SMP Tue Nov 14 13:30:08 UTC 2023",
			"signature Ubuntu 5.15.0-91.101-generic 5.15.131", "os ID=ubuntu", "kernel linux-image-5.15.0-91-generic",
			"pkg linux-image-5.15.0-91-generic installed 5.15.0-91.102", "kernel_line linux-image-generic", "pkg linux-image-generic installed 5.15.0.92.89"},
			booted: map[string]string{"linux-image-5.15.0-91-generic": "5.15.0-91.101"}},
		"debian, removed since": {lines: []string{"manager dpkg", "release 6.1.0-41-amd64", "version #1 SMP PREEMPT_DYNAMIC Debian 6.1.158-1 (2025-11-09)",
			"os ID=debian", "kernel linux-image-6.1.0-41-amd64", "pkg linux-image-6.1.0-41-amd64 absent"},
			booted: map[string]string{"linux-image-6.1.0-41-amd64": "6.1.158-1"}},
		"debian backport": {lines: []string{"manager dpkg", "release 6.12.9+bpo-amd64", "version #1 SMP PREEMPT_DYNAMIC Debian 6.12.9-1~bpo12+1 (2025-01-19)",
			"kernel linux-image-6.12.9+bpo-amd64"}, booted: map[string]string{"linux-image-6.12.9+bpo-amd64": "6.12.9-1~bpo12+1"}},
		"proxmox, unchanged": {lines: []string{"manager dpkg", "release 6.8.12-4-pve", "version #1 SMP PREEMPT_DYNAMIC PMX 6.8.12-4 (2024-11-06T15:04Z)",
			"os ID=debian", "kernel proxmox-kernel-6.8.12-4-pve-signed", "pkg proxmox-kernel-6.8.12-4-pve-signed installed 6.8.12-4", "list 900 /var/lib/dpkg/info/proxmox-kernel-6.8.12-4-pve-signed.list"},
			booted: map[string]string{"proxmox-kernel-6.8.12-4-pve-signed": "6.8.12-4"}},
		"proxmox, changed": {lines: []string{"manager dpkg", "release 6.8.12-4-pve", "version #1 SMP PREEMPT_DYNAMIC PMX 6.8.12-4 (2024-11-06T15:04Z)",
			"kernel proxmox-kernel-6.8.12-4-pve-signed", "pkg proxmox-kernel-6.8.12-4-pve-signed installed 6.8.12-5", "list 1100 /var/lib/dpkg/info/proxmox-kernel-6.8.12-4-pve-signed.list"},
			why: "changed since the boot"},
		"rhel": {lines: []string{"manager rpm", "release 5.14.0-427.13.1.el9_4.x86_64", "version #1 SMP PREEMPT_DYNAMIC Wed Apr 10 10:29:16 EDT 2024",
			"kernel kernel-core", "rpm kernel-core 0:5.14.0-427.13.1.el9_4 x86_64 900", "kernel_line kernel", "rpm kernel 0:5.14.0-427.13.1.el9_4 x86_64 900"},
			booted: map[string]string{"kernel-core": "5.14.0-427.13.1.el9_4", "kernel": "5.14.0-427.13.1.el9_4"}},
		"real time": {lines: []string{"manager rpm", "release 5.14.0-427.13.1.el9_4.x86_64+rt", "kernel kernel-rt-core", "rpm kernel-rt-core 0:5.14.0-427.13.1.el9_4 x86_64 1100"},
			booted: map[string]string{"kernel-rt-core": "5.14.0-427.13.1.el9_4"}},
		"suse": {lines: []string{"manager rpm", "release 5.14.21-150500.55.83-default", "kernel kernel-default", "rpm kernel-default 0:5.14.21-150500.55.83.1 x86_64 900"},
			booted: map[string]string{"kernel-default": "5.14.21-150500.55.83.1"}},
		"suse, two": {lines: []string{"manager rpm", "release 5.14.21-150500.55.83-default", "kernel kernel-default", "rpm kernel-default 0:5.14.21-150500.55.83.1 x86_64 900",
			"rpm kernel-default 0:5.14.21-150500.55.88.1 x86_64 950"}, why: "several builds"},
		"alpine": {lines: []string{"manager apk", "release 6.6.31-0-lts", "version #1-Alpine SMP PREEMPT_DYNAMIC 2024-05-17", "os ID=alpine",
			"kernel linux-lts", "pkg linux-lts installed 6.6.34-r1"}, booted: map[string]string{"linux-lts": "6.6.31-r0"}},
		"another's kernel under alpine": {lines: []string{"manager apk", "release 6.1.0-41-amd64", "os ID=alpine", "kernel linux-amd64", "pkg linux-amd64 absent"}, gap: true},
		"own build": {lines: []string{"manager dpkg", "release 6.18.44-own", "version #1 SMP", "os ID=debian", "kernel linux-image-6.18.44-own",
			"pkg linux-image-6.18.44-own absent"}, gap: true},
		"no manager":           {lines: []string{"manager none", "release 6.6.0"}, gap: true},
		"nothing":              {gap: true},
		"a kernel that boasts": {lines: []string{"manager dpkg", "release x", "version Debian $(reboot)", "kernel linux-image-x"}, gap: true},
	} {
		t.Run(name, func(t *testing.T) {
			f := facts(t, append(boot, c.lines...)...)
			booted, how, why, gap := f.BootedKernel()
			if !maps.Equal(booted, c.booted) || (how != "") != (len(c.booted) > 0) || (why != "") == (len(c.booted) > 0) || !strings.Contains(why, c.why) || gap != c.gap {
				t.Errorf("booted %v, how %q, why %q, gap %v; expected %v, %q, %v", booted, how, why, gap, c.booted, c.why, c.gap)
			}
		})
	}
}

func TestRPMs(t *testing.T) {
	f := facts(t, "manager rpm", "rpm qemu-kvm 17:8.2.0-11.el9_4 x86_64 900", "rpm sudo 0:1.9-2.el9 x86_64 (none)", "pkg gone absent",
		"rpm two 0:1-1 x86_64 1", "rpm two 0:1-1 x86_64 1", "rpm odd 1-1 x86_64 1", "rpm short 0:1-1")
	if want := (map[string]string{"qemu-kvm": "17:8.2.0-11.el9_4", "sudo": "1.9-2.el9", "two": "1-1"}); !maps.Equal(f.Installed, want) {
		t.Errorf("installed %v, expected %v", f.Installed, want)
	}
	if !maps.Equal(f.Changed, map[string]int64{"qemu-kvm": 900, "two": 1}) || f.Status["gone"] != "absent" {
		t.Errorf("changed %v, status %v", f.Changed, f.Status)
	}
	for _, c := range []struct{ pkg, said, whole string }{
		{"qemu-kvm", "8.2.0-9.el9", "17:8.2.0-9.el9"}, {"qemu-kvm", "18:8.2.0-9.el9", "18:8.2.0-9.el9"}, {"sudo", "1.8-1", "1.8-1"}, {"gone", "1-1", ""}, {"gone", "", ""},
	} {
		if v, why := f.Whole(c.pkg, c.said); v != c.whole || (why != "") != (c.whole == "" && c.said != "") {
			t.Errorf("%+v: %q, %q", c, v, why)
		}
	}
	if v, _ := (Facts{Manager: "dpkg"}).Whole("qemu-system-x86", "7.2-1"); v != "7.2-1" {
		t.Errorf("a Debian version became %q", v)
	}
}

func TestEcosystem(t *testing.T) {
	for _, c := range []struct{ lines, want string }{
		{"ID=debian\nVERSION_ID=\"12\"", "Debian:12"},
		{"ID=debian\nVERSION_ID=\"12.5\"", "Debian:12"},
		{"ID=debian\nVERSION_CODENAME=forky", ""},
		{"ID=ubuntu\nVERSION_ID='22.04'", "Ubuntu:22.04"},
		{"ID=alpine\nVERSION_ID=3.20.1", "Alpine:v3.20"},
		{"ID=alpine\nVERSION_ID=3.21_alpha20240606", "Alpine:edge"},
		{"ID=alpine\nVERSION_ID=3", ""},
		{"ID=\"rocky\"\nVERSION_ID=\"9.4\"", "Rocky Linux:9"},
		{"ID=\"almalinux\"\nVERSION_ID=\"8.10\"", "AlmaLinux:8"},
		{"ID=\"rhel\"\nVERSION_ID=\"9.4\"", "Red Hat:9"},
		{"ID=\"opensuse-leap\"\nVERSION_ID=\"15.6\"", "openSUSE:Leap 15.6"},
		{"ID=opensuse-tumbleweed\nVERSION_ID=20260101", "openSUSE:Tumbleweed"},
		{"ID=sles\nVERSION_ID=15.5", "SUSE:Linux Enterprise Server 15 SP5"},
		{"ID=sles\nVERSION_ID=15", "SUSE:Linux Enterprise Server 15"},
		{"NAME=\"XCP-ng\"\nID=\"xenenterprise\"\nVERSION_ID=\"8.2.1\"", "XCP-ng:8.2"},
		{"NAME=\"XenServer\"\nID=\"xenenterprise\"\nVERSION_ID=\"8\"", "XenServer:8"},
		{"NAME=\"Other\"\nID=\"xenenterprise\"\nVERSION_ID=\"8\"", ""},
		{"NAME=\"CentOS Stream\"\nID=\"centos\"\nVERSION_ID=\"9\"", "CentOS Stream:9"},
		{"NAME=\"CentOS Linux\"\nID=\"centos\"\nVERSION_ID=\"7\"", "CentOS:7"},
		{"ID=\"ol\"\nVERSION_ID=\"9.4\"", "Oracle Linux:9"},
		{"ID=\"openEuler\"\nVERSION_ID=\"22.03\"\nVERSION=\"22.03 (LTS-SP1)\"", "openEuler:22.03-LTS-SP1"},
		{"ID=gentoo\nVERSION_ID=2.15", ""},
		{"ID=debian\nVERSION_ID=\"a:b\"", ""},
		{"# nothing\n=x\nID", ""},
		{"", ""},
	} {
		var lines []string
		for _, l := range strings.Split(c.lines, "\n") {
			lines = append(lines, "os "+l)
		}
		got, why := Ecosystem(facts(t, lines...).OS)
		if got != c.want || (why == "") != (c.want != "") {
			t.Errorf("%q: %q, %q; expected %q", c.lines, got, why, c.want)
		}
		if got != "" && version.FamilyOf(got) == version.NotComparable {
			t.Errorf("versions of %s cannot be compared", got)
		}
	}
	if got := unquote(`"a \"b\" \\ \$c"`); got != `a "b" \ $c` {
		t.Errorf("%q", got)
	}
}

func TestCPUAndConfig(t *testing.T) {
	for name, c := range map[string]struct {
		lines  []string
		cpu    fleet.CPU
		config map[string]string
		uneven int
	}{
		"intel":          {lines: []string{"cpu vendor_id	: GenuineIntel", "cpu cpu family	: 6", "cpu model		: 143", "cpu microcode	: 0x2b000590"}, cpu: fleet.CPU{Vendor: "intel", Family: 6, Model: 143, Microcode: "0x2b000590"}},
		"hygon":          {lines: []string{"cpu vendor_id : HygonGenuine", "cpu cpu family : 24"}, cpu: fleet.CPU{Vendor: "hygon", Family: 24}},
		"arm":            {lines: []string{"cpu CPU implementer	: 0x41"}, cpu: fleet.CPU{Vendor: "arm"}},
		"ampere":         {lines: []string{"cpu CPU implementer	: 0xC0"}, cpu: fleet.CPU{Vendor: "ampere"}},
		"odd":            {lines: []string{"cpu vendor_id : \x01?", "cpu cpu family : -3", "cpu model : many", "cpu", "microcode"}},
		"uneven":         {lines: []string{"cpu microcode : 0x1", "microcode 0x1", "microcode 0x2"}, uneven: 2},
		"smt on":         {lines: []string{"smt_active 1", "smt_control on"}, config: map[string]string{"smt": "on"}},
		"smt by control": {lines: []string{"smt_control forceoff"}, config: map[string]string{"smt": "off"}},
		"no smt control": {lines: []string{"smt_control notimplemented"}},
		"no mitigations": {lines: []string{`cmdline quiet mitigations=off`}, config: map[string]string{"mitigations": "off"}},
		"by default":     {lines: []string{`cmdline quiet nomitigations=1 mitigations= xmitigations=off`}},
		"init's own":     {lines: []string{`cmdline quiet -- mitigations=off`}},
		"in quotes":      {lines: []string{`cmdline dyndbg="file a mitigations=off" "mitigations=auto" x`}, config: map[string]string{"mitigations": "auto"}},
	} {
		f := facts(t, c.lines...)
		if f.CPU != c.cpu || !maps.Equal(f.Config, c.config) || len(f.Uneven) != c.uneven {
			t.Errorf("%s: %+v, %v, %v", name, f.CPU, f.Config, f.Uneven)
		}
	}
}

func TestLivePatches(t *testing.T) {
	for name, c := range map[string]struct {
		lines []string
		want  []fleet.LivePatch
		why   string
	}{
		"not shown":           {},
		"none":                {lines: []string{"livepatches none"}, want: []fleet.LivePatch{}},
		"empty folder":        {lines: []string{"livepatches yes"}, want: []fleet.LivePatch{}},
		"on its way out":      {lines: []string{"livepatches yes", "livepatch a 0 1"}, want: []fleet.LivePatch{{Name: "a", Component: "linux", State: "transition"}}},
		"no transition file":  {lines: []string{"livepatches yes", "livepatch a 1 0", "livepatch b 1 ?"}, why: "state of b"},
		"went away meanwhile": {lines: []string{"livepatches yes", "livepatch b ? ?"}, why: "state of b"},
		"unreadable":          {lines: []string{"livepatches unreadable"}, why: "could not be read"},
		"a hostile name":      {lines: []string{"livepatches yes", "livepatch ?"}, why: "name"},
		"too many words":      {lines: []string{"livepatches yes", "livepatch a b 1 0"}, why: "name"},
		"unannounced":         {lines: []string{"livepatch a 1 0"}},
	} {
		f := facts(t, c.lines...)
		if !reflect.DeepEqual(f.LivePatches, c.want) || (f.PatchesWhy != "") != (c.why != "") || !strings.Contains(f.PatchesWhy, c.why) {
			t.Errorf("%s: %#v, %q", name, f.LivePatches, f.PatchesWhy)
		}
	}
}

func FuzzParseHostFacts(f *testing.F) {
	f.Add(hostAnswer)
	f.Add("init )\nbtime -1\nhz 0\nend")
	f.Add("manager rpm\nrelease 5.14.0-1.el9.x86_64+rt\nkernel k\nrpm k 0:5.14.0-1.el9 x86_64 1\nrpm k 1:6-1 x86_64 2\nos ID='\nos ID=\"\\\"\nlivepatches none\nend")
	f.Add("cmdline \"mitigations=\" -- x\ncpu :\nsignature Ubuntu 1-a 1\nrelease 1-2-a\nmanager dpkg\nend")
	f.Fuzz(func(t *testing.T, out string) {
		facts, err := Parse(out)
		if err != nil {
			return
		}
		for pkg := range facts.Installed {
			facts.BootedWith(pkg)
			facts.Whole(pkg, "1-1")
		}
		if booted, how, why, _ := facts.BootedKernel(); (len(booted) > 0) == (why != "") || (len(booted) > 0) != (how != "") {
			t.Fatalf("booted %v, how %q, why %q", booted, how, why)
		}
		if name, why := Ecosystem(facts.OS); (name == "") == (why == "") {
			t.Fatalf("%q, %q", name, why)
		}
		if facts.CPU.Family < 0 || facts.CPU.Model < 0 {
			t.Fatalf("%+v", facts.CPU)
		}
		for _, p := range facts.LivePatches {
			if p.Name == "" || p.State == "" || facts.PatchesWhy != "" {
				t.Fatalf("%+v, %q", p, facts.PatchesWhy)
			}
		}
	})
}

func TestPackageVersion(t *testing.T) {
	for text, want := range map[string]string{
		"QEMU emulator version 7.2.18 (Debian 1:7.2+dfsg-7+deb12u15)": "1:7.2+dfsg-7+deb12u15", "Debian 1:7.2-1": "1:7.2-1",
		"qemu-kvm-8.2.0-11.el9": "8.2.0-11.el9", "openSUSE Leap 15.6": "", "": "", "QEMU emulator version ( )": "",
	} {
		if got := PackageVersion(text); got != want {
			t.Errorf("%q: %q, expected %q", text, got, want)
		}
	}
}
