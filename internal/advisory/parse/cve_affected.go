package parse

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/version"
)

// products reads affected[] of one container of a CVE record (cve-schema 5, docs/versions.md), which
// NVD's records repeat in affectedData.
type products struct {
	d          *document
	source     string
	statements []*statement
	others     []string // software that is not known here
	xsas       []string // Xen's advisories that stand where versions should
	gaps       []string
}

// consult is what Xen writes where its records should have versions.
var consult = regexp.MustCompile(`(?i)\bconsult Xen advisory (XSA-[0-9]+)\b`)

// read takes in the products under a key.
func (p *products) read(n *node, key string) {
	for _, e := range p.d.objects(n, key, "an object with vendor, product and versions") {
		p.product(e)
	}
}

func (p *products) product(n *node) {
	word := func(key string) string { s, _, _ := p.d.text(n, key); return s }
	vendor, product, name, collection := word("vendor"), word("product"), word("packageName"), word("collectionURL")
	cpes, platforms := p.d.words(n, "cpes"), p.d.words(n, "platforms")
	versions := p.d.objects(n, "versions", "an object with version and status")
	rest := p.status(n, "defaultStatus", isUnknown)
	targets := targetsOf(vendor, product, name, collection, cpes)
	if len(targets) == 0 {
		p.other(vendor, product, name)
	}
	for _, t := range targets {
		t.source, t.rest = p.source, rest
		for _, v := range versions {
			p.version(&t, v)
		}
		t.onlyCommits = len(versions) > 0 && len(t.spans) == 0
		p.place(t, platforms)
	}
}

func (p *products) other(vendor, product, name string) {
	if slices.Contains(nobody, strings.ToLower(vendor)) && slices.Contains(nobody, strings.ToLower(product)) && name == "" {
		p.gaps = append(p.gaps, p.source+" names neither vendor nor product: it decides nothing")
		return
	}
	if name != "" && name != product {
		product = strings.TrimSpace(product + " " + name)
	}
	p.others = append(p.others, cut(plain(vendor+": "+product), 80))
}

// targetsOf gives the packages that an entry is about: a distribution's, by its CPE or its name and
// the package's name; or a project's own.
func targetsOf(vendor, product, name, collection string, cpes []string) (out []statement) {
	if name != "" && !strings.Contains(name, ":") { // virt:rhel is a module of packages that it does not name
		var distros []string
		for _, c := range cpes {
			distros = append(distros, ecosystemOfCPE(c))
		}
		distros = append(distros, ecosystemOfName(product))
		seen := map[string]bool{"": true}
		for _, eco := range distros {
			distro, release := version.Split(eco)
			if key := distro + ":" + release; eco != "" && !seen[key] {
				seen[key] = true
				out = append(out, statement{ecosystem: eco, pkg: name})
			}
		}
	}
	if len(out) > 0 || isDistributor(vendor) && projectOf(vendor, product) == "" {
		return out
	}
	pkg := projectOf(vendor, product)
	if pkg == "" && name != "" && slices.Contains(nobody, strings.ToLower(vendor)) {
		if pkg = projectOf("", name); pkg != "" && !homeOf(pkg, collection) {
			pkg = ""
		}
	}
	for _, text := range cpes {
		if c, ok := parseCPE(text); ok && pkg == "" {
			pkg = projectOf(c.vendor, c.product)
		}
	}
	if pkg == "" {
		return nil
	}
	return []statement{{ecosystem: version.Upstream, pkg: pkg}}
}

// homes are parts of the addresses where projects keep their own software; elsewhere a package of
// that name is somebody's build of it.
var homes = map[string]string{"xen": "xen", "qemu": "qemu", "linux": "kernel.org", "libvirt": "libvirt", "edk2": "tianocore", "seabios": "seabios"}

func homeOf(pkg, collection string) bool {
	return collection == "" || homes[pkg] != "" && strings.Contains(strings.ToLower(collection), homes[pkg])
}

// status reads a field that is affected, unaffected or unknown. Any other text might mean any.
func (p *products) status(n *node, key string, absent says) says {
	s, child, ok := p.d.text(n, key)
	switch {
	case !ok:
		return absent
	case s == "affected":
		return isAffected
	case s == "unaffected":
		return isUnaffected
	case s == "unknown":
		return isUnknown
	}
	p.gaps = append(p.gaps, fmt.Sprintf("%s gives the status %s, which is none of affected, unaffected, unknown", p.source, child.show()))
	return isAffected | isUnaffected | isUnknown
}

// place adds a statement for the platforms that it names: as it is where it surely applies; where a
// fleet's facts do not tell, what it calls affected is unknown.
func (p *products) place(s statement, platforms []string) {
	at := everywhere
	for i, name := range platforms {
		if i == 0 {
			at = system(name)
		} else {
			at = either(at, system(name))
		}
	}
	if cs, found := conditions(at, true); found {
		sure := s
		sure.applies = cs
		p.statements = append(p.statements, &sure)
		if cs == nil {
			return
		}
	}
	cs, found := conditions(at, false)
	if !found {
		return
	}
	s.applies, s.rest, s.commits, s.perhaps = cs, weaker(s.rest), nil, true
	s.spans = slices.Clone(s.spans)
	for i := range s.spans {
		s.spans[i].says = weaker(s.spans[i].says)
	}
	p.statements = append(p.statements, &s)
	p.gaps = append(p.gaps, p.source+" ties "+s.pkg+" to platforms of which a fleet's facts do not tell, or not all: "+listed(platforms, 5))
}

// weaker is a saying where it cannot be told whether it applies.
func weaker(s says) says {
	if s&isAffected != 0 {
		return isUnknown
	}
	return s
}

func (p *products) allGaps() []string {
	gaps := distinct(p.gaps)
	if len(p.others) > 0 {
		gaps = append(gaps, p.source+" names software that is not known here: "+listed(p.others, 5))
	}
	return gaps
}
