package parse

import (
	"regexp"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/version"
)

// projects tells which vendor and product, as CPE names and CVE records spell them, is which
// project's own software: under its name in version.Upstream. first is what the project appends to
// a number for the first thing that bears it, so that the end of a series (6.1.*) can be told from
// the beginning of the next: Linux counts from -rc1, QEMU from -rc0, Xen's tree is -unstable.
var projects = []struct {
	pkg, first string
	names      []string // vendor:product
}{
	{"xen", "-unstable", []string{"xen:xen", "xen:xen_hypervisor", "xen_project:xen", "xen_project:xen_hypervisor", "xenproject:xen"}},
	{"qemu", "-rc0", []string{"qemu:qemu", "qemu_project:qemu", "qemu-project:qemu", "the_qemu_project:qemu", "fabrice_bellard:qemu"}},
	{"linux", "-rc1", []string{"linux:linux", "linux:linux_kernel", "linux:kernel", "linux_kernel:linux_kernel"}},
	{"libvirt", "-rc1", []string{"libvirt:libvirt", "redhat:libvirt", "red_hat:libvirt", "libvirt_project:libvirt"}},
	{"edk2", "", []string{"tianocore:edk2", "tianocore:edk_2", "tianocore:edk_ii", "tianocore:edkii"}},
	{"seabios", "", []string{"seabios:seabios"}},
	{"kvm", "", []string{"kvm_group:kvm", "kvm:kvm"}},
}

// nobody are the texts that stand where a record names no vendor.
var nobody = []string{"", "n/a", "unspecified", "unknown", "[unknown]"}

// ambiguous are products that are nobody's in particular without a vendor.
var ambiguous = []string{"kernel", "kvm"}

// projectOf gives the project of a vendor's product; "" when it is not known to be one of ours. A
// product without a vendor is taken by its name where that name is the project's own.
func projectOf(vendor, product string) string {
	vendor, product = cpeSpelling(vendor), cpeSpelling(product)
	for _, p := range projects {
		if slices.Contains(p.names, vendor+":"+product) || slices.Contains(nobody, vendor) && !slices.Contains(ambiguous, product) && slices.Contains(p.names, p.pkg+":"+product) {
			return p.pkg
		}
	}
	return ""
}

func cpeSpelling(name string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimSpace(name)), " ", "_")
}

// seriesEnd gives, for a series such as 6.1 (of 6.1.*), the text of the first version behind it.
func seriesEnd(pkg, series string) (string, bool) {
	at := strings.LastIndexByte(series, '.') + 1
	number := []byte(series[at:])
	if len(number) == 0 || strings.Trim(series[at:], "0123456789") != "" {
		return "", false
	}
	i := len(number) - 1
	for ; i >= 0 && number[i] == '9'; i-- {
		number[i] = '0'
	}
	if i < 0 {
		number = append([]byte("1"), number...)
	} else {
		number[i]++
	}
	for _, p := range projects {
		if p.pkg == pkg {
			return series[:at] + string(number) + p.first, true
		}
	}
	return series[:at] + string(number), true
}

// commitID tells what looks like the id of a commit and not like a release: releases have dots or few
// digits (edk2's 202402).
var commitID = regexp.MustCompile(`^[0-9a-fA-F]{7,64}$`)

// readable says whether a version can be put in order with others of its ecosystem.
func readable(ecosystem, text string) bool {
	if text == "" || ecosystem == version.Upstream && commitID.MatchString(text) {
		return false
	}
	_, err := version.Compare(ecosystem, text, text)
	return err == nil
}
