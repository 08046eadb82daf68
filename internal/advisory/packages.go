package advisory

import (
	"path"
	"slices"
)

// projects lists the software of a hypervisor: under its own project's name, which is also the name
// of Debian's source package, the packages that distributions make of it. A prefix rule ("qemu-" is
// of qemu) would be a guess: xen-tools and qemu-web-desktop are other sources. Cohort.Sources says
// what this table does not know. layer says whose fact decides for an instance: see instance.go.
var projects = []struct {
	name     string
	layer    layer
	patterns []string // of path.Match
}{
	{"qemu", ofInstance, []string{"qemu-system-*", "qemu-kvm*", "qemu-utils", "qemu-img", "qemu-block-extra", "qemu-user*", "qemu-x86", "qemu-dp", "qemu-upstream*"}},
	{"xen", ofHost, []string{"xen-hypervisor*", "xen-utils-*", "xen-system-*", "xenstore-utils", "libxen*", "xen-libs", "xen-dom0-*", "xen-tools-domU", "xen-runtime"}},
	{"linux", ofHost, []string{"linux-image-*", "linux-lts", "linux-virt", "kernel", "kernel-core", "kernel-default", "kernel-rt", "kernel-uek", "kernel-alt"}},
	{"libvirt", ofHost, []string{"libvirt-daemon*", "libvirt-clients", "libvirt-client", "libvirt-libs", "libvirt0", "libvirt-l10n", "libnss-libvirt"}},
	{"edk2", ofInstance, []string{"ovmf*", "qemu-efi-*", "edk2-ovmf", "edk2-aarch64", "qemu-ovmf-x86_64"}},
	{"seabios", ofInstance, []string{"seabios-bin", "qemu-seabios"}},
	{"intel-microcode", ofHost, []string{"microcode_ctl", "ucode-intel", "intel-ucode"}},
	{"amd64-microcode", ofHost, []string{"amd-ucode", "ucode-amd"}},
}

// onlyOf: every package that the advisory names is of this project, and there is one.
func (a *Advisory) onlyOf(project string) bool {
	return len(a.Affected) > 0 && !slices.ContainsFunc(a.Affected, func(e Affected) bool { return sourceOf(e.Package, nil) != project })
}

// rpmSources lists, by source package, the binaries that RPM distributions make of sources that are
// named otherwise than the project; all of one build have one version. kernel-rt and kernel-uek are
// sources of their own, with their own numbers.
var rpmSources = map[string][]string{
	"qemu-kvm": {"qemu-kvm-*", "qemu-img"},
	"kernel":   {"kernel-core", "kernel-modules", "kernel-modules-core", "kernel-modules-extra", "kernel-tools", "kernel-tools-libs", "kernel-devel", "kernel-headers"},
}

// rpmBinaryOf: pkg is built from an RPM distribution's source of that name.
func rpmBinaryOf(source, pkg string) bool {
	return slices.ContainsFunc(rpmSources[source], func(p string) bool { ok, _ := path.Match(p, pkg); return ok })
}

// layer says where the software under an instance lives.
type layer int

const (
	ofInstance layer = iota // in the instance's own process: only its monitor can tell
	ofHost                  // shared by all on the host: what the host booted with or runs
)

// sourceOf gives the source package of a binary package, by the operator's own mapping first, then
// by the table; "" when neither knows. A project's name is its own source.
func sourceOf(pkg string, own map[string]string) string {
	if s := own[pkg]; s != "" {
		return s
	}
	for _, b := range projects {
		if b.name == pkg || slices.ContainsFunc(b.patterns, func(p string) bool { ok, _ := path.Match(p, pkg); return ok }) {
			return b.name
		}
	}
	return ""
}

// layerOf says where a package's code runs, as seen by an instance. What is not known is taken as
// the instance's own, because then nothing but its monitor can clear it.
func layerOf(pkg string, own map[string]string) layer {
	source := sourceOf(pkg, own)
	for _, b := range projects {
		if b.name == source {
			return b.layer
		}
	}
	return ofInstance
}

// samePackage: a fact about `have` is a fact about `want`. One name may be the source of the
// other; two binaries of one source are not the same.
func samePackage(want, have string, own map[string]string) bool {
	return want == have || sourceOf(have, own) == want || sourceOf(want, own) == have || rpmBinaryOf(want, have) || rpmBinaryOf(have, want)
}
