package parse

import (
	"net/url"
	"strings"

	"github.com/evenkeel/evenkeel/internal/version"
)

// purl is a package URL: pkg:type/namespace/name@version?qualifiers (ECMA-427).
type purl struct {
	kind, namespace, name, version string
	qualifiers                     map[string]string
}

func parsePURL(text string) (p purl, ok bool) {
	rest, found := strings.CutPrefix(text, "pkg:")
	if !found {
		return p, false
	}
	rest, _, _ = strings.Cut(strings.TrimLeft(rest, "/"), "#")
	rest, query, _ := strings.Cut(rest, "?")
	p.qualifiers = map[string]string{}
	for _, q := range strings.Split(query, "&") {
		key, value, _ := strings.Cut(q, "=")
		p.qualifiers[strings.ToLower(key)] = unescaped(value)
	}
	if at := strings.LastIndexByte(rest, '@'); at > strings.LastIndexByte(rest, '/') {
		rest, p.version = rest[:at], unescaped(rest[at+1:])
	}
	kind, path, found := strings.Cut(rest, "/")
	if slash := strings.LastIndexByte(path, '/'); slash >= 0 {
		p.namespace, path = unescaped(path[:slash]), path[slash+1:]
	}
	p.kind, p.name = strings.ToLower(kind), unescaped(path)
	return p, found && p.name != ""
}

// unescaped reads percent escapes; a plus is a plus, as in 7.2+dfsg.
func unescaped(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

// fromPURL reads what a package URL tells; false when there is none, or none that can be read.
func (made *csafPart) fromPURL(text string) bool {
	p, ok := parsePURL(text)
	if !ok {
		return false
	}
	made.arch = archOf(p.qualifiers["arch"])
	if distro, _, ofModule := strings.Cut(p.namespace, "/"); p.kind == "rpmmod" && ofModule {
		// pkg:rpmmod/redhat/virt:rhel/qemu-kvm is a package of a module, in Red Hat's VEX of what has no fix;
		// pkg:rpmmod/redhat/virt@rhel:... is the module itself.
		p.kind, p.namespace = "rpm", distro
	}
	switch p.kind {
	case "rpm", "deb", "apk", "alpm":
	case "generic", "github", "gitlab":
		project := projectOfName("", p.name)
		if project == "" {
			return false
		}
		made.project, made.ecosystem, made.pkg, made.version = project, version.Upstream, project, p.version
		return true
	default:
		made.lacks = lacksHost
		return true
	}
	made.pkg, made.version, made.packaged = p.name, p.version, true
	if epoch := p.qualifiers["epoch"]; p.kind == "rpm" && strings.Trim(epoch, "0") != "" && !strings.Contains(made.version, ":") && made.version != "" {
		made.version = epoch + ":" + made.version
	}
	made.version = strings.TrimPrefix(made.version, "0:")
	if made.version != "" {
		made.span = ""
	}
	if source := p.qualifiers["upstream"]; p.kind != "rpm" && source != "" {
		made.pkg, _, _ = strings.Cut(source, "@") // the source package, by which Debian and Alpine keep their records
	}
	if p.kind == "rpm" && (p.qualifiers["arch"] == "src" || p.qualifiers["arch"] == "nosrc") {
		made.arch = "src"
	}
	if made.ecosystem = p.ecosystem(); made.ecosystem == "" {
		made.lacks = lacksEcosystem
	}
	return true
}

// ecosystem is that of the distribution that namespace and the qualifier distro name. Without its
// release nothing is told: a fix of one release says nothing of another.
func (p *purl) ecosystem() string {
	distro := strings.ToLower(p.qualifiers["distro"])
	release := strings.TrimPrefix(strings.TrimPrefix(distro, strings.ToLower(p.namespace)), "-")
	if release == "" {
		if p.kind == "apk" && (p.namespace == "wolfi" || p.namespace == "chainguard") { // these roll, and have no releases
			return strings.ToUpper(p.namespace[:1]) + p.namespace[1:]
		}
		return ""
	}
	switch p.kind + "/" + strings.ToLower(p.namespace) {
	case "deb/debian":
		return joinRelease("Debian:", orName(debianNames, release))
	case "deb/ubuntu":
		return joinRelease("Ubuntu:", orName(ubuntuNames, release))
	case "apk/alpine":
		return joinRelease("Alpine:v", strings.TrimPrefix(release, "v"))
	case "rpm/redhat", "rpm/rhel":
		release = strings.TrimPrefix(release, "rhel-")
		if !isNumeric(release) || strings.Contains(release, ".") {
			return "" // 9.2 may be the main stream of its time, or one of those kept apart
		}
		return "Red Hat:enterprise_linux:" + release
	case "rpm/rocky", "rpm/rockylinux", "rpm/rocky-linux":
		return joinRelease("Rocky Linux:", afterDash(release))
	case "rpm/almalinux", "rpm/alma":
		return joinRelease("AlmaLinux:", afterDash(release))
	case "rpm/fedora":
		return joinRelease("Fedora:", release)
	case "rpm/oracle", "rpm/oraclelinux", "rpm/ol":
		return joinRelease("Oracle Linux:", afterDash(release))
	case "rpm/openeuler":
		if strings.HasPrefix(release, "2") {
			return "openEuler:" + strings.ToUpper(release)
		}
	case "rpm/suse", "rpm/sles":
		return suseRelease(strings.TrimPrefix(release, "sles-"))
	case "rpm/opensuse":
		if leap, ok := strings.CutPrefix(release, "leap-"); ok {
			return joinRelease("openSUSE:Leap ", leap)
		}
		if strings.HasPrefix(release, "tumbleweed") {
			return "openSUSE:Tumbleweed"
		}
	}
	return ""
}

// joinRelease names a release by its number; nothing else is a release there.
func joinRelease(distro, release string) string {
	if !isNumeric(release) {
		return ""
	}
	return distro + release
}

func isNumeric(s string) bool { return s != "" && strings.Trim(s, "0123456789.") == "" }

// afterDash takes 9.2 of rocky-9.2, or leaves 9.2.
func afterDash(s string) string { return s[strings.LastIndexByte(s, '-')+1:] }

func orName(names map[string]string, release string) string {
	if number := names[release]; number != "" {
		return number
	}
	return release
}

// debianNames and ubuntuNames are the releases by their names (debian.org/releases,
// wiki.ubuntu.com/Releases).
var debianNames = map[string]string{"wheezy": "7", "jessie": "8", "stretch": "9", "buster": "10", "bullseye": "11", "bookworm": "12", "trixie": "13", "forky": "14"}

var ubuntuNames = map[string]string{"trusty": "14.04", "xenial": "16.04", "bionic": "18.04", "focal": "20.04", "jammy": "22.04", "noble": "24.04"}
