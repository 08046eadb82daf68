package parse

import (
	"regexp"
	"slices"
	"strings"
)

// splitCPE gives the fields of a name of Common Platform Enumeration behind part: vendor, product,
// version, update, edition. Both bindings are read (NISTIR 7695): cpe:/o:redhat:enterprise_linux:9
// and cpe:2.3:o:redhat:enterprise_linux:9:*:...; any (*) is empty, none at all (-) stays.
func splitCPE(cpe string) (fields [5]string) {
	rest, formatted := strings.CutPrefix(cpe, "cpe:2.3:")
	if !formatted {
		rest = strings.TrimPrefix(cpe, "cpe:/")
		if rest == cpe {
			return fields
		}
	}
	for i, f := range cpeFields(rest) {
		if i == 0 || i > len(fields) {
			continue // the part
		}
		if formatted {
			f = strings.ReplaceAll(f, `\`, "")
		} else {
			f = unescaped(f)
		}
		if f != "*" {
			fields[i-1] = strings.ToLower(f)
		}
	}
	return fields
}

// cpeFields splits at the colons that no backslash protects.
func cpeFields(s string) (out []string) {
	from := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case ':':
			out, from = append(out, s[from:i]), i+1
		}
	}
	return append(out, s[from:])
}

// ecosystemOfCPE names the distribution that a CPE is of, with its release; "" for any other product
// and for a distribution without its release.
func ecosystemOfCPE(cpe string) string {
	f := splitCPE(cpe)
	release := f[2]
	if release == "-" {
		release = ""
	}
	switch f[0] + ":" + f[1] {
	case "debian:debian_linux":
		return joinRelease("Debian:", release)
	case "canonical:ubuntu_linux":
		return joinRelease("Ubuntu:", release)
	case "alpinelinux:alpine_linux":
		return joinRelease("Alpine:v", strings.TrimPrefix(release, "v"))
	case "rocky:rocky", "rockylinux:rocky_linux", "resf:rocky_linux":
		return joinRelease("Rocky Linux:", release)
	case "ciq:rocky_linux_from_ciq_lts": // a stream of its own: 8.6 there is not Rocky Linux 8
		if release != "" {
			return "Rocky Linux:CIQ LTS " + release
		}
	case "almalinux:almalinux":
		return joinRelease("AlmaLinux:", release)
	case "fedoraproject:fedora":
		return joinRelease("Fedora:", release)
	case "oracle:linux", "oracle:oracle_linux":
		return joinRelease("Oracle Linux:", release)
	case "openeuler:openeuler":
		if release != "" {
			return "openEuler:" + strings.ToUpper(release)
		}
	case "opensuse:leap":
		return joinRelease("openSUSE:Leap ", release)
	case "opensuse:tumbleweed":
		return "openSUSE:Tumbleweed"
	case "xenserver:xenserver", "citrix:xenserver", "citrix:hypervisor":
		return joinRelease("XenServer:", release)
	case "suse:sles":
		return suseRelease(strings.TrimRight(release+"-"+f[3], "-"))
	}
	if f[0] == "redhat" && isRHEL(f[1]) && release != "" {
		return "Red Hat:" + strings.TrimRight(strings.Join(f[1:], ":"), ":")
	}
	return ""
}

// isRHEL: Red Hat Enterprise Linux, or one of its streams that are kept apart (rhel_eus, rhel_aus,
// rhel_e4s, rhel_tus, rhel_els, rhel_eus_long_life); not a product on top of it.
func isRHEL(product string) bool {
	return product == "enterprise_linux" || slices.Contains([]string{"rhel_eus", "rhel_aus", "rhel_e4s", "rhel_tus", "rhel_els", "rhel_mission_critical", "rhel_eus_long_life"}, product)
}

// suseRelease makes 15-sp4, 15.4 and 15 into SUSE's own words.
func suseRelease(release string) string {
	number, pack, found := strings.Cut(strings.ToLower(release), "-sp")
	if !found {
		number, pack, found = strings.Cut(release, ".")
	}
	switch {
	case !isNumeric(number) || found && !isNumeric(pack):
		return ""
	case found && pack != "0":
		return "SUSE:Linux Enterprise Server " + number + " SP" + pack
	}
	return "SUSE:Linux Enterprise Server " + number
}

// distributionNames are the names by which distributions call their releases.
var distributionNames = []struct {
	name      *regexp.Regexp
	ecosystem string // $1: the release
}{
	{regexp.MustCompile(`^SUSE (Linux (?:Enterprise |Micro ).*\d.*)$`), "SUSE:$1"},
	{regexp.MustCompile(`^openSUSE (Leap(?: Micro)? \d+\.\d+|Tumbleweed)$`), "openSUSE:$1"},
	{regexp.MustCompile(`^Red Hat Enterprise Linux (\d+)$`), "Red Hat:enterprise_linux:$1"},
	{regexp.MustCompile(`^Rocky Linux (\d+(?:\.\d+)?)$`), "Rocky Linux:$1"},
	{regexp.MustCompile(`^AlmaLinux(?: OS)? (\d+(?:\.\d+)?)$`), "AlmaLinux:$1"},
	{regexp.MustCompile(`^openEuler[- ](\d+\.\d+(?:-LTS)?(?:-SP\d+)?)$`), "openEuler:$1"},
	{regexp.MustCompile(`^Debian(?: GNU/Linux| Linux)? (\d+)$`), "Debian:$1"},
	{regexp.MustCompile(`^Ubuntu(?: Linux)? (\d+\.\d+)(?: LTS)?$`), "Ubuntu:$1"},
	{regexp.MustCompile(`^Alpine(?: Linux)? v?(\d+\.\d+)$`), "Alpine:v$1"},
	{regexp.MustCompile(`^(?:Citrix )?(?:XenServer|Hypervisor) (\d+\.\d+)(?: .*)?$`), "XenServer:$1"},
	{regexp.MustCompile(`^XCP-ng (\d+\.\d+)$`), "XCP-ng:$1"},
}

// ecosystemOfName names the distribution that a product's name is the name of; "" for any other.
func ecosystemOfName(name string) string {
	for _, d := range distributionNames {
		if m := d.name.FindStringSubmatchIndex(name); m != nil {
			return string(d.name.ExpandString(nil, d.ecosystem, name, m))
		}
	}
	return ""
}

// isDistributor: what such a vendor calls qemu is its own package, not the project's release.
func isDistributor(vendor string) bool {
	v := strings.ToLower(vendor)
	return slices.ContainsFunc([]string{"red hat", "suse", "debian", "canonical", "ubuntu", "alpine", "rocky", "ciq", "alma", "oracle", "fedora",
		"openeuler", "amazon", "citrix", "xcp-ng", "vates", "microsoft", "vmware"}, func(d string) bool { return strings.Contains(v, d) })
}

// projectOfName gives the project whose release a product's name is; "" for any other. What is not of
// a company is listed under the vendor Open Source by some publishers, such as Germany's BSI.
func projectOfName(vendor, name string) string {
	if rest, ok := strings.CutPrefix(strings.ToLower(name), strings.ToLower(vendor)+" "); ok && projectOf(vendor, name) == "" {
		name = rest
	}
	if strings.EqualFold(vendor, "open source") {
		vendor = ""
	}
	return projectOf(vendor, name)
}

// projectOfCPE gives the project that a CPE is of, and the release that it names.
func projectOfCPE(cpe string) (project, release string) {
	f := splitCPE(cpe)
	project = projectOf(f[0], f[1])
	if project != "" && f[2] != "-" {
		release = f[2]
		if f[3] != "" && f[3] != "-" {
			release += "-" + f[3] // xen:4.18.0:rc1
		}
	}
	return project, release
}
