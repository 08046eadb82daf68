package parse

import "testing"

func TestParseCPE(t *testing.T) {
	for text, want := range map[string]cpeName{
		"cpe:2.3:o:xen:xen:4.17.0:rc1:*:*:*:*:x86:*":     {part: "o", vendor: "xen", product: "xen", version: "4.17.0", update: "rc1", edition: "*", language: "*", swEdition: "*", targetSW: "*", targetHW: "x86", other: "*"},
		`cpe:2.3:a:Acme\:Corp:a\\b:7\.2\*:-:-:-:-:-:-:-`: {part: "a", vendor: "acme:corp", product: `a\b`, version: "7.2*", update: "-", edition: "-", language: "-", swEdition: "-", targetSW: "-", targetHW: "-", other: "-"},
		"cpe:2.3:a:qemu:qemu:7.2*:*:*:*:*:*:*:*":         {part: "a", vendor: "qemu", product: "qemu", version: "7.2*", update: "*", edition: "*", language: "*", swEdition: "*", targetSW: "*", targetHW: "*", other: "*", wild: true},
		"cpe:2.3:h:intel:*:?:*:*:*:*:*:*:*":              {part: "h", vendor: "intel", product: "*", version: "?", update: "*", edition: "*", language: "*", swEdition: "*", targetSW: "*", targetHW: "*", other: "*", wild: true},
	} {
		got, ok := parseCPE(text)
		want.raw = text
		if !ok || got != want {
			t.Errorf("%s: %v\ngot  %+v\nwant %+v", text, ok, got, want)
		}
	}
	for _, text := range []string{"", "xen", "cpe:/o:xen:xen:4.1", "cpe:2.3:o:xen:xen", "cpe:2.2:o:xen:xen:4.17.0:rc1:*:*:*:*:x86:*", "cpe:2.3:x:xen:xen:4.17.0:rc1:*:*:*:*:x86:*", "cpe:2.3:o::xen:4.17.0:rc1:*:*:*:*:x86:*", "cpe:2.3:o:xen:xen:4.17.0:rc1:*:*:*:*:x86:*:*", `cpe:2.3:o:xen:xen:4.17.0:rc1:*:*:*:*:x86\:*`} {
		if got, ok := parseCPE(text); ok {
			t.Errorf("%q is a CPE name: %+v", text, got)
		}
	}
}

func TestProjectOf(t *testing.T) {
	for _, c := range [][3]string{
		{"Xen", "xen", "xen"}, {"XEN", "Xen", "xen"}, {"Xen Project", "Xen Hypervisor", "xen"}, {"Linux", "Linux", "linux"}, {"linux", "linux_kernel", "linux"}, {"Linux", "Linux Kernel", "linux"},
		{"QEMU", "QEMU", "qemu"}, {"n/a", "qemu", "qemu"}, {"[UNKNOWN]", "Linux kernel", "linux"}, {"", "libvirt", "libvirt"}, {"redhat", "libvirt", "libvirt"}, {"tianocore", "edk2", "edk2"}, {"kvm_group", "kvm", "kvm"},
		{"n/a", "kernel", ""}, {"n/a", "kvm", ""}, {"Red Hat", "qemu-kvm", ""}, {"Citrix", "XenServer", ""}, {"acme", "xen", ""}, {"n/a", "n/a", ""}, {"", "", ""}, {"xen", "xapi", ""},
	} {
		if got := projectOf(c[0], c[1]); got != c[2] {
			t.Errorf("%s %s: got %q, want %q", c[0], c[1], got, c[2])
		}
	}
}

func TestSeriesEnd(t *testing.T) {
	for series, want := range map[string]string{"6.1": "6.2-rc1", "6.9": "6.10-rc1", "6.99": "6.100-rc1", "5": "6-rc1", "9": "10-rc1", "6.109": "6.110-rc1"} {
		if got, ok := seriesEnd("linux", series); !ok || got != want {
			t.Errorf("%s: got %s, want %s", series, got, want)
		}
	}
	for _, series := range []string{"", "6.", "6.x", "v"} {
		if got, ok := seriesEnd("linux", series); ok {
			t.Errorf("%q: got %s", series, got)
		}
	}
	if got, _ := seriesEnd("xen", "4.17"); got != "4.18-unstable" {
		t.Errorf("got %s", got)
	}
}
