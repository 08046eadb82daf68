package advisory

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/version"
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

// OfHost tells whether a package of a cohort is shared by all on a host, as a hypervisor or a kernel is: what
// the host runs is then what its instances run on. False: it is in an instance's own process, of which only
// its monitor can tell, or the package is not known.
func OfHost(pkg string, c *plan.Cohort) bool {
	var own map[string]string
	if c != nil {
		own = c.Sources
	}
	source := sourceOf(pkg, own)
	for _, b := range projects {
		if b.name == source {
			return b.layer == ofHost
		}
	}
	return false
}

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

// Ubuntu builds kernels from many sources, under names of one shape: linux-image-6.5.0-41-generic is of
// linux-hwe-6.5 where its version says ~22.04, else of linux; linux-image-6.5.0-1020-aws of linux-aws.
var ubuntuKernel = regexp.MustCompile(`^linux-image-(?:unsigned-)?([0-9]+\.[0-9]+)\.[0-9]+-[0-9]+-([a-z0-9-]+)$`)

// kernelSource gives the source of a kernel's image on Ubuntu; "" where this is none.
func kernelSource(ecosystem, pkg, v string) string {
	m := ubuntuKernel.FindStringSubmatch(pkg)
	if distro, _ := version.Split(ecosystem); m == nil || distro != "Ubuntu" {
		return ""
	}
	source := "linux"
	if flavour := m[2]; flavour != "generic" && flavour != "lowlatency" {
		source += "-" + flavour
	}
	if strings.Contains(v, "~") {
		if source == "linux" {
			source = "linux-hwe"
		}
		source += "-" + m[1]
	}
	return source
}

// isTool: a package that neither boots nor runs by itself, so that what lies on the disk is all there is
// to know of it.
func isTool(pkg string) bool {
	return slices.ContainsFunc([]string{"qemu-utils", "qemu-img", "qemu-block-extra", "xen-utils-*", "xen-libs", "libxen*", "xenstore-utils", "xen-tools-domU", "xen-runtime", "xen-dom0-libs", "libvirt-clients", "libvirt-client", "libvirt-libs", "libvirt0", "libvirt-l10n"},
		func(p string) bool { ok, _ := path.Match(p, pkg); return ok })
}

// nextKernel: of several kernels on a disk the next boot takes the newest, and a package that only names
// another (linux-image-generic) is no kernel where one is listed.
func nextKernel(ecosystem string, facts []fact) []fact {
	kernel := func(f fact) bool {
		rest, ok := strings.CutPrefix(f.pkg, "linux-image-")
		return ok && rest != "" && rest[0] >= '0' && rest[0] <= '9'
	}
	if len(facts) < 2 || !slices.ContainsFunc(facts, kernel) {
		return facts
	}
	best := fact{}
	for _, f := range facts {
		if !kernel(f) && strings.HasPrefix(f.pkg, "linux-image-") && !ofKernelsShape(f) {
			continue
		}
		if f.version == "" {
			continue
		}
		if order, err := version.Compare(ecosystem, f.version, best.version); best.version == "" || err == nil && order > 0 {
			best = f
		}
	}
	if best.version == "" {
		return facts
	}
	return []fact{best}
}

// ofKernelsShape: the version has the shape of a kernel's own (6.1.158-1), not of a name's (5.15.0.112.109).
func ofKernelsShape(f fact) bool { return strings.Contains(f.version, "-") }
