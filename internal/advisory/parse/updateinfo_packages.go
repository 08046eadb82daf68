package parse

import (
	"encoding/hex"
	"regexp"
	"strings"

	"github.com/evenkeel/evenkeel/internal/advisory"
)

// build is one package of a list: what an update brings.
type build struct {
	at                       *element
	ecosystem, name, v, arch string
}

// packages reads the lists of packages: each says in which version the update's fix is, so that all
// older ones are affected.
func (u *update) packages() {
	var builds []build
	for _, list := range u.e.all("pkglist") {
		for _, c := range list.all("collection") {
			ecosystem := u.ecosystem(c)
			for _, p := range c.all("package") {
				builds = append(builds, u.build(p, ecosystem))
			}
		}
	}
	u.affectedBy(builds)
}

func (u *update) build(p *element, ecosystem string) build {
	b := build{at: p, ecosystem: ecosystem, name: u.mustAttr(p, "name", "the package's name"), arch: p.attrs["arch"]}
	b.v = u.evr(p, ecosystem, p.attrs["epoch"], u.mustAttr(p, "version", "its version"), u.mustAttr(p, "release", "its release"))
	file := u.textOf(p, "filename")
	if file == "" {
		return b
	}
	payload := advisory.Payload{Kind: "package", Name: plain(file), Component: b.name, To: b.v}
	for _, sum := range p.all("sum") {
		if sum.attrs["type"] == "sha256" {
			if raw, err := hex.DecodeString(sum.text); err != nil || len(raw) != 32 {
				u.wrong(sum.at, sum.path(), quote(sum.text), "a SHA-256 sum: 64 hexadecimal digits")
			}
			payload.SHA256 = strings.ToLower(sum.text)
		}
	}
	u.Payloads = append(u.Payloads, payload)
	return b
}

// evr writes epoch, version and release as RPM does; no epoch is epoch 0.
func (u *update) evr(at *element, ecosystem, epoch, version, release string) string {
	if version == "" || release == "" {
		return "" // told already
	}
	v := version + "-" + release
	if epoch != "" && epoch != "None" && epoch != "0" {
		v = epoch + ":" + v
	}
	u.versionOf(at.at, at.path(), ecosystem, v)
	return v
}

// affectedBy gives one entry for a package's fixed version. It is narrowed by architecture only
// where those differ in the version: else it would be unknown for each host that does not tell.
func (u *update) affectedBy(builds []build) {
	fixes, archs := map[[2]string]int{}, map[[3]string][]string{}
	for _, b := range builds {
		if b.name == "" || b.v == "" {
			continue
		}
		pkg, fix := [2]string{b.ecosystem, b.name}, [3]string{b.ecosystem, b.name, b.v}
		if archs[fix] == nil {
			fixes[pkg]++
		}
		archs[fix] = append(archs[fix], b.arch)
	}
	done := map[[3]string]bool{}
	for _, b := range builds {
		fix := [3]string{b.ecosystem, b.name, b.v}
		if done[fix] || archs[fix] == nil {
			continue
		}
		done[fix] = true
		e := advisory.Affected{Ecosystem: b.ecosystem, Package: b.name,
			Ranges: []advisory.Range{{Type: "ECOSYSTEM", Events: []advisory.Event{{Introduced: "0"}, {Fixed: b.v}}}}}
		if fixes[[2]string{b.ecosystem, b.name}] > 1 {
			e.Applies = onArch(archs[fix]...)
		}
		u.Affected = append(u.Affected, e)
	}
}

// onArch is the condition of an architecture; none for packages that are for each.
func onArch(archs ...string) []advisory.Condition {
	archs = distinct(archs)
	for _, a := range archs {
		if a == "" || a == "noarch" || a == "src" {
			return nil
		}
	}
	return []advisory.Condition{{Arch: archs}}
}

// How repositories name their collections, in lower case with hyphens. Others stay in the
// document's own words, which no version is compared by.
var collections = []struct {
	pattern *regexp.Regexp
	distro  string
}{
	{regexp.MustCompile(`^rhel-([0-9]+)-for-[a-z0-9-]+?-(?:baseos|appstream|crb|codeready-builder)-(?:debug-|source-)?rpms`), "Red Hat"},
	{regexp.MustCompile(`^fedora-([0-9]+)`), "Fedora"},
	{regexp.MustCompile(`^rocky(?:-linux)?-([0-9]+)`), "Rocky Linux"},
	{regexp.MustCompile(`^alma(?:-?linux)?-([0-9]+)`), "AlmaLinux"},
	{regexp.MustCompile(`^xcp-ng-([0-9]+\.[0-9]+)`), "XCP-ng"},
	{regexp.MustCompile(`^xenserver-([0-9]+(?:\.[0-9]+)?)`), xenServer},
}

const xenServer = "XenServer"

// ecosystem tells whose packages a collection lists.
func (u *update) ecosystem(c *element) string {
	names := []string{u.textOf(c, "name"), c.attrs["short"], u.textOf(u.e, "release")}
	for _, name := range names {
		flat := strings.Join(strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return r == ' ' || r == '_' || r == '-' }), "-")
		for _, known := range collections {
			if m := known.pattern.FindStringSubmatch(flat); m != nil {
				return known.distro + ":" + m[1]
			}
		}
	}
	if u.xapi {
		return xenServer
	}
	for _, name := range names {
		if name = plain(name); name != "" {
			u.Gaps = append(u.Gaps, quote(name)+" is no collection of a distribution that is known: its versions are not compared")
			return name
		}
	}
	u.Gaps = append(u.Gaps, "of which distribution its packages are is not said")
	return ""
}
