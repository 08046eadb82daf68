package parse

import (
	"regexp"
	"slices"
	"strings"

	"github.com/gocsaf/csaf/v3/csaf"

	"github.com/evenkeel/evenkeel/internal/version"
)

// csafPart is what a product is, as far as a host can have it.
type csafPart struct {
	ecosystem string // empty: not told
	pkg       string // empty: the product is no package
	version   string // empty: none is named
	span      string // a range of versions, as vers: writes it
	arch      string // of the machine; empty: any
	lacks     csafLack
	project   string // the upstream project that it is named after; then bare is what it is called
	bare      string
	name      string // as the document calls it
	packaged  bool   // it is named as a package of a distribution: NEVRA, pkg:rpm, pkg:deb, pkg:apk
}

// csafLack is what keeps a product from being judged by, in words that go before its name.
type csafLack string

// What products lack.
const (
	lacksNothing   csafLack = ""
	lacksPackage   csafLack = "it names whole platforms, and no package of them"
	lacksHost      csafLack = "it names what is no package of a host (container images, modules, libraries of a language)"
	lacksEcosystem csafLack = "it does not tell of which distribution or project"
	lacksLevel     csafLack = "it tells versions apart by more than their number (patch levels, service packs)"
	lacksOne       csafLack = "it gives one id to different products"
	lacksPart      csafLack = "it puts together products that it does not define"
	lacksStatus    csafLack = "it recommends, and says of no status or fix"
	lacksTogether  csafLack = "it speaks of them only when installed with another product, which is not judged"
)

// What is said of packages lacks.
const (
	lacksWhose    csafLack = "it gives several fixed versions, and not which is whose"
	lacksFixed    csafLack = "it calls fixed, and not in which version"
	lacksAffected csafLack = "it calls affected, and not in which versions"
	lacksFirst    csafLack = "it names the last affected versions, and not the first"
	lacksLast     csafLack = "it names the first affected version, and not the last"
	lacksPairs    csafLack = "it names several first or last affected versions, and not which belong together"
	lacksSense    csafLack = "versions that are not understood"
)

// maxLinks bounds relationships of relationships: a package of a module of a platform takes two.
const maxLinks = 16

// part tells what a product is.
func (c *csafReader) part(id string) csafPart { return c.partAt(id, 0) }

func (c *csafReader) partAt(id string, depth int) csafPart {
	if made, ok := c.parts[id]; ok {
		return made
	}
	p := c.products[id]
	made := csafPart{name: id, lacks: lacksPart}
	switch {
	case p == nil || depth > maxLinks: // the latter: relationships that turn in a circle
	case p.twice:
		made.lacks = lacksOne
	case p.link == nil:
		if made = p.part(); p.level {
			made.lacks = lacksLevel
		}
	default:
		made = c.linked(p, depth)
	}
	if depth <= maxLinks {
		c.parts[id] = made
	}
	return made
}

// linked puts a component onto its platform.
func (c *csafReader) linked(p *csafProduct, depth int) csafPart {
	made := c.partAt(p.link.component, depth+1)
	if own := (csafPart{}); own.fromPURL(p.purl) {
		made = own // of what is put together, where the component has none
	}
	if made.lacks == lacksPart || made.lacks == lacksOne {
		return made
	}
	if c.products[p.link.platform] == nil {
		return csafPart{name: p.id, lacks: lacksPart}
	}
	made.name = p.id
	ecosystem := c.platform(p.link.platform, depth+1)
	switch {
	case p.link.category == csaf.CSAFRelationshipCategoryInstalledWith:
		made.lacks = lacksTogether
	case made.lacks == lacksHost || made.lacks == lacksPackage || made.lacks == lacksLevel:
	case ecosystem != "":
		made.ecosystem, made.lacks, made.packaged = ecosystem, lacksNothing, true
		if made.project != "" {
			made.pkg, made.project = made.bare, "" // the distribution's package of that name
		}
	case !made.packaged: // Xen inside an appliance is none of the project's releases
		made.ecosystem, made.lacks = "", lacksEcosystem
	}
	return made
}

// platform gives the ecosystem of a platform, or of the platform that a module is of; "" when it
// cannot be told.
func (c *csafReader) platform(id string, depth int) string {
	p := c.products[id]
	switch {
	case p == nil || p.twice || depth > maxLinks:
		return ""
	case p.link != nil:
		return c.platform(p.link.platform, depth+1)
	}
	return p.ecosystem()
}

// ecosystem is that of the distribution that a product is, by its CPE, else by its name. SUSE's
// CPEs do not tell all that its names do.
func (p *csafProduct) ecosystem() string {
	if e := ecosystemOfCPE(p.cpe); e != "" && !strings.HasPrefix(e, "SUSE:") {
		return e
	}
	for _, name := range []string{p.name, p.id} {
		if e := ecosystemOfName(name); e != "" {
			return e
		}
	}
	return ecosystemOfCPE(p.cpe)
}

// part tells what a product that stands for itself is: by its purl, else as the package that its
// name spells, else as a release of a project, else as a platform.
func (p *csafProduct) part() csafPart {
	made := csafPart{name: p.name, bare: p.component(), span: p.span, arch: archOf(p.arch)}
	if made.name == "" {
		made.name = p.id
	}
	if known := made.fromPURL(p.purl); known {
		return made
	}
	for _, text := range []string{p.version, p.name, p.id} {
		if made.fromNEVRA(text) {
			return made
		}
	}
	if p.isImage() {
		made.lacks = lacksHost
		return made
	}
	if p.fromProject(&made) {
		return made
	}
	if e := p.ecosystem(); e != "" {
		made.ecosystem, made.lacks = e, lacksPackage
		return made
	}
	made.lacks, made.pkg = lacksEcosystem, made.bare
	if p.product != "" {
		made.version = p.version
	}
	if m := moduleOf.FindStringSubmatch(made.pkg); m != nil {
		made.pkg = m[1]
	}
	return made
}

// component is the name without a version: that of the branch, or the product's own where no branch
// has one, as Red Hat writes qemu-kvm.
func (p *csafProduct) component() string {
	for _, name := range []string{p.product, p.name} {
		if name != "" {
			return name
		}
	}
	return p.id
}

// moduleOf finds the package in virt:rhel/qemu-kvm, as Red Hat writes one of a module.
var moduleOf = regexp.MustCompile(`^[\w.+-]+:[\w.+-]+/([\w.+-]+)$`)

// image is a container image by its path in a registry, such as rhel9/qemu.
var image = regexp.MustCompile(`^[a-z0-9._-]+(/[a-z0-9._-]+)+$`)

func (p *csafProduct) isImage() bool {
	return strings.Contains(p.id, "@sha256:") || strings.Contains(p.name, "@sha256:") || image.MatchString(p.name)
}

// fromProject: a release of one of the projects that hosts are made of.
func (p *csafProduct) fromProject(made *csafPart) bool {
	project, release := projectOfCPE(p.cpe)
	if project == "" && !isDistributor(p.vendor) {
		project = projectOfName(p.vendor, p.product)
		if p.product == "" {
			project = projectOfName(p.vendor, p.name)
		}
	}
	if project == "" {
		return false
	}
	made.project, made.ecosystem, made.pkg = project, version.Upstream, project
	if p.product != "" && p.version != "" {
		release = p.version
	}
	if bare := strings.TrimLeft(release, "vV"); version.Check(version.Upstream, release) != nil && version.Check(version.Upstream, bare) == nil {
		release = bare
	}
	made.version = release
	return true
}

// rpmArchs are the ends of a package's name that name its architecture.
var rpmArchs = []string{"x86_64", "aarch64", "ppc64le", "ppc64", "ppc", "s390x", "s390", "i386", "i486", "i586", "i686", "ia64",
	"armv7hl", "armv6hl", "riscv64", "loongarch64", "mips64el", "noarch", "src", "nosrc"}

// archOf gives a machine's architecture; empty when a package fits any, or is source.
func archOf(arch string) string {
	switch {
	case arch == "noarch" || arch == "all" || !slices.Contains(rpmArchs, arch) && arch != "amd64" && arch != "arm64":
		return ""
	case arch == "amd64":
		return "x86_64"
	case arch == "arm64":
		return "aarch64"
	}
	return arch
}

// nevra is a package as rpm names it: name-[epoch:]version-release.arch.
var nevra = regexp.MustCompile(`^(?:(\d+):)?([A-Za-z0-9_][A-Za-z0-9._+-]*)-(?:(\d+):)?([A-Za-z0-9._+~^]+)-([A-Za-z0-9._+~^]+)\.([a-z0-9_]+)$`)

// fromNEVRA reads qemu-kvm-17:7.2.0-14.el9_2.11.x86_64, with or without .rpm, or the module that Red
// Hat writes behind ::.
func (made *csafPart) fromNEVRA(text string) bool {
	text, _, _ = strings.Cut(text, "::")
	m := nevra.FindStringSubmatch(strings.TrimSuffix(text, ".rpm"))
	if m == nil || !slices.Contains(rpmArchs, m[6]) || !strings.ContainsAny(m[4], "0123456789") {
		return false
	}
	made.pkg, made.version, made.span = m[2], m[4]+"-"+m[5], ""
	if epoch := m[1] + m[3]; strings.Trim(epoch, "0") != "" {
		made.version = epoch + ":" + made.version
	}
	made.arch, made.packaged, made.lacks = archOf(m[6]), true, lacksEcosystem
	if m[6] == "src" || m[6] == "nosrc" {
		made.arch = "src"
	}
	return true
}
