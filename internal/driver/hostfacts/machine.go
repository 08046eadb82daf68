package hostfacts

import (
	"slices"
	"strconv"
	"strings"
)

// osLine reads one assignment of os-release(5).
func (p *parser) osLine(line string) {
	key, value, ok := strings.Cut(strings.TrimSpace(line), "=")
	if !ok || key == "" || strings.HasPrefix(key, "#") {
		return
	}
	p.OS[key] = unquote(value)
}

// unquote reads a shell word as os-release(5) allows it: bare, or in single or double quotes.
func unquote(s string) string {
	if len(s) >= 2 && s[0] == '\'' && s[len(s)-1] == '\'' {
		return s[1 : len(s)-1]
	}
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return s
	}
	var out strings.Builder
	for escaped, i := false, 1; i < len(s)-1; i++ {
		if s[i] == '\\' && !escaped {
			escaped = true
			continue
		}
		escaped = false
		out.WriteByte(s[i])
	}
	return out.String()
}

// distributions whose release is the whole number before the first dot, by the ID of os-release(5).
var distributions = map[string]string{
	"debian": "Debian", "rocky": "Rocky Linux", "almalinux": "AlmaLinux", "rhel": "Red Hat", "ol": "Oracle Linux", "fedora": "Fedora",
	"amzn": "Amazon Linux", "azurelinux": "Azure Linux",
}

// ecosystem names a distribution's release as version.Split knows it, from os-release(5). Empty when
// the distribution is not known there; then why says what the host calls itself.
func Ecosystem(os map[string]string) (name, why string) {
	id, v := os["ID"], os["VERSION_ID"]
	major, rest, _ := strings.Cut(v, ".")
	minor, _, _ := strings.Cut(rest, ".")
	release := major
	switch id {
	case "ubuntu":
		name, release = "Ubuntu", v
	case "alpine":
		name, release = "Alpine", ""
		switch {
		case strings.Contains(v, "_alpha"):
			release = "edge"
		case minor != "":
			release = "v" + major + "." + minor
		}
	case "centos":
		if name = "CentOS"; strings.HasSuffix(os["NAME"], "Stream") {
			name = "CentOS Stream"
		}
	case "opensuse-leap":
		name, release = "openSUSE", "Leap "+v
	case "opensuse-tumbleweed":
		name, release = "openSUSE", "Tumbleweed"
	case "sles":
		name, release = "SUSE", "Linux Enterprise Server "+major
		if minor != "" && minor != "0" {
			release += " SP" + minor
		}
	case "openEuler": // VERSION="22.03 (LTS-SP1)" is the edition 22.03-LTS-SP1
		name, release = "openEuler", strings.TrimSuffix(strings.Replace(os["VERSION"], " (", "-", 1), ")")
	case "xenenterprise": // XCP-ng keeps XenServer's ID
		if os["NAME"] == "XCP-ng" || os["NAME"] == "XenServer" {
			name = os["NAME"]
		}
		if minor != "" {
			release += "." + minor
		}
	default:
		name = distributions[id]
	}
	switch {
	case id == "":
		return "", "it has no os-release file that names a distribution"
	case name == "":
		return "", "no ecosystem is known for " + strings.TrimSpace(id+" "+v)
	case v == "" || release == "": // Debian testing has no number yet
		return "", "its os-release names no release of " + name
	case strings.ContainsAny(release, ":\n\"") || strings.TrimSpace(release) != release:
		return "", "its os-release gives " + strconv.Quote(release) + " as the release of " + name
	}
	return name + ":" + release, ""
}

// vendors names the makers of processors by what CPUID says.
var vendors = map[string]string{
	"GenuineIntel": "intel", "AuthenticAMD": "amd", "HygonGenuine": "hygon", "CentaurHauls": "centaur", "Shanghai": "zhaoxin", "IBM/S390": "ibm",
}

// implementers names the makers of ARM processors by the register MIDR_EL1.
var implementers = map[string]string{
	"0x41": "arm", "0x42": "broadcom", "0x43": "cavium", "0x46": "fujitsu", "0x48": "hisilicon", "0x4e": "nvidia", "0x50": "apm",
	"0x51": "qualcomm", "0x53": "samsung", "0x56": "marvell", "0x61": "apple", "0x6d": "microsoft", "0x70": "phytium", "0xc0": "ampere",
}

// cpuLine reads one line of /proc/cpuinfo.
func (p *parser) cpuLine(line string) {
	key, value, _ := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	whole := func() int {
		n, err := strconv.ParseUint(value, 10, 31)
		if err != nil {
			return 0
		}
		return int(n)
	}
	switch strings.TrimSpace(key) {
	case "vendor_id":
		p.CPU.Vendor = vendors[value]
	case "CPU implementer":
		p.CPU.Vendor = implementers[strings.ToLower(value)]
	case "cpu family":
		p.CPU.Family = whole()
	case "model":
		p.CPU.Model = whole()
	case "microcode":
		p.CPU.Microcode = value
	}
}

// finishCPU settles on one microcode revision, and on whether threads share cores.
func (p *parser) finishCPU() {
	switch len(p.microcodes) {
	case 0:
	case 1:
		p.CPU.Microcode = p.microcodes[0]
	default:
		slices.Sort(p.microcodes)
		p.CPU.Microcode, p.Uneven = "", p.microcodes
	}
	// Documentation/ABI/testing/sysfs-devices-system-cpu: active is what is; control what was asked for.
	switch p.smt["smt_active"] {
	case "1":
		p.Config["smt"] = "on"
	case "0":
		p.Config["smt"] = "off"
	default:
		switch p.smt["smt_control"] {
		case "on":
			p.Config["smt"] = "on"
		case "off", "forceoff", "notsupported":
			p.Config["smt"] = "off"
		}
	}
}

// bootParameter finds the last value of one of the kernel's parameters. Quotes hold spaces together,
// and what follows a -- is for init (Documentation/admin-guide/kernel-parameters.rst).
func bootParameter(cmdline, name string) (value string, ok bool) {
	quoted := false
	for _, word := range strings.FieldsFunc(cmdline, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return !quoted && (r == ' ' || r == '\t')
	}) {
		if word == "--" {
			break
		}
		key, v, has := strings.Cut(strings.TrimPrefix(word, `"`), "=")
		if has && key == name {
			value, ok = strings.Trim(v, `"`), true
		}
	}
	return value, ok && value != ""
}
