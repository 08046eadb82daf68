package parse

import (
	"slices"
	"strings"

	"github.com/ossf/osv-schema/bindings/go/osvconstants"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/version"
)

// osv reads one record of the Open Source Vulnerability format (ossf.github.io/osv-schema, version
// 1), or an answer of the OSV service, which holds several under vulns. What the format allows and
// judging does not need (references, credits, related ids, which are other vulnerabilities) is
// passed over.
func (d *document) osv(root *node) (out []advisory.Advisory) {
	if root.object["vulns"] == nil || root.object["id"] != nil {
		return []advisory.Advisory{d.osvOne(root)}
	}
	for _, n := range d.objects(root, "vulns", "an OSV record") {
		out = append(out, d.osvOne(n))
	}
	return out
}

func (d *document) osvOne(root *node) advisory.Advisory {
	d.osvVersion(root)
	a := advisory.Advisory{
		ID: d.must(root, "id", "the advisory's id"), Format: advisory.FormatOSV,
		Aliases: d.texts(root, "aliases"), Upstream: d.texts(root, "upstream"),
		Published: d.moment(root, "published"), Modified: d.moment(root, "modified"), Withdrawn: d.moment(root, "withdrawn"),
	}
	if n := root.object["modified"]; n == nil || n.kind == "null" {
		d.wrong(root.at, under(root.path, "modified"), "nothing", "when it was last changed, such as 2026-01-02T03:04:05Z")
	}
	summary, _, _ := d.text(root, "summary")
	a.Summary = plain(summary)
	entries := d.objects(root, "affected", "an object with package, ranges and versions")
	if len(entries) == 0 {
		a.Gaps = append(a.Gaps, "it lists no affected package: that is missing knowledge, not 'nothing is affected'")
	}
	for _, n := range entries {
		e := d.affected(n)
		a.Affected = append(a.Affected, e)
		a.Gaps = append(a.Gaps, gapsOf(&e)...)
		if d.urgency(n) == "end-of-life" {
			a.Gaps = append(a.Gaps, e.Package+" in "+e.Ecosystem+" is past its end of life there: nobody looks whether it is affected")
		}
	}
	a.Gaps = distinct(a.Gaps)
	a.Severity = d.osvSeverity(root, entries)
	return a
}

// osvVersion refuses a schema of another major version: its fields may mean other things.
func (d *document) osvVersion(root *node) {
	s, child, ok := d.text(root, "schema_version")
	if ok && s != "1" && !strings.HasPrefix(s, "1.") {
		d.wrong(child.at, child.path, child.show(), "version 1 of the OSV schema, such as "+osvconstants.SchemaVersion)
	}
}

func (d *document) affected(n *node) advisory.Affected {
	a := advisory.Affected{Versions: d.texts(n, "versions")}
	if p := n.object["package"]; p != nil && p.kind != "null" {
		if p.object == nil {
			d.wrong(p.at, p.path, p.show(), "an object with ecosystem and name")
		} else {
			a.Ecosystem = d.must(p, "ecosystem", "an ecosystem such as Debian:12")
			a.Package = d.must(p, "name", "the package's name")
		}
	}
	if a.Ecosystem == string(osvconstants.EcosystemLinux) && a.Package == "Kernel" {
		// The schema's name for the kernel's own releases, as kernel.org numbers them.
		a.Ecosystem, a.Package = version.Upstream, "linux"
	}
	for _, r := range d.objects(n, "ranges", "an object with type and events") {
		a.Ranges = append(a.Ranges, d.rangeOf(r, a.Ecosystem))
	}
	return a
}

// gapsOf says what one entry leaves open.
func gapsOf(a *advisory.Affected) (gaps []string) {
	name := a.Package + " in " + a.Ecosystem
	distro, _, _ := strings.Cut(a.Ecosystem, ":")
	switch {
	case a.Package == "":
		name = "an entry"
		gaps = append(gaps, "an entry names no package: it cannot be matched with what a host has")
	case a.Ecosystem != version.Upstream && !osvEcosystem[distro]:
		gaps = append(gaps, a.Ecosystem+" is an ecosystem that version "+osvconstants.SchemaVersion+" of the OSV schema does not know")
	}
	compared := slices.ContainsFunc(a.Ranges, func(r advisory.Range) bool { return r.Type == "ECOSYSTEM" })
	switch {
	case compared || len(a.Versions) > 0:
	case len(a.Ranges) == 0:
		gaps = append(gaps, name+" has neither ranges nor versions")
	case slices.ContainsFunc(a.Ranges, func(r advisory.Range) bool { return r.Type == "SEMVER" }):
		gaps = append(gaps, name+" has ranges of SEMVER only, by which no package of a host is numbered")
	default:
		gaps = append(gaps, name+" has ranges of commits only, by which no version can be judged")
	}
	return gaps
}

// osvEcosystem are the ecosystems that the schema names, and GIT, which stands for none.
var osvEcosystem = func() map[string]bool {
	known := map[string]bool{"GIT": true}
	for _, e := range []osvconstants.Ecosystem{
		osvconstants.EcosystemAlmaLinux, osvconstants.EcosystemAlpaquita, osvconstants.EcosystemAlpine, osvconstants.EcosystemAndroid,
		osvconstants.EcosystemAzureLinux, osvconstants.EcosystemBellSoftHardenedContainers, osvconstants.EcosystemBioconductor,
		osvconstants.EcosystemBitnami, osvconstants.EcosystemChainguard, osvconstants.EcosystemCleanStart, osvconstants.EcosystemConanCenter,
		osvconstants.EcosystemCRAN, osvconstants.EcosystemCratesIO, osvconstants.EcosystemDebian, osvconstants.EcosystemDockerHardenedImages,
		osvconstants.EcosystemEcho, osvconstants.EcosystemFreeBSD, osvconstants.EcosystemGHC, osvconstants.EcosystemGitHubActions,
		osvconstants.EcosystemGo, osvconstants.EcosystemHackage, osvconstants.EcosystemHex, osvconstants.EcosystemJulia,
		osvconstants.EcosystemKubernetes, osvconstants.EcosystemLinux, osvconstants.EcosystemMageia, osvconstants.EcosystemMaven,
		osvconstants.EcosystemMinimOS, osvconstants.EcosystemNPM, osvconstants.EcosystemNuGet, osvconstants.EcosystemOpam,
		osvconstants.EcosystemOpenEuler, osvconstants.EcosystemOpenSUSE, osvconstants.EcosystemOSSFuzz, osvconstants.EcosystemPackagist,
		osvconstants.EcosystemPhotonOS, osvconstants.EcosystemPub, osvconstants.EcosystemPyPI, osvconstants.EcosystemRedHat,
		osvconstants.EcosystemRockyLinux, osvconstants.EcosystemRoot, osvconstants.EcosystemRubyGems, osvconstants.EcosystemSUSE,
		osvconstants.EcosystemSwiftURL, osvconstants.EcosystemTuxCare, osvconstants.EcosystemUbuntu, osvconstants.EcosystemVSCode,
		osvconstants.EcosystemWolfi,
	} {
		known[string(e)] = true
	}
	return known
}()

func (d *document) rangeOf(n *node, ecosystem string) advisory.Range {
	const types = "ECOSYSTEM, SEMVER or GIT"
	r := advisory.Range{Type: d.must(n, "type", types)}
	if t := n.object["type"]; r.Type != "" && r.Type != "ECOSYSTEM" && r.Type != "SEMVER" && r.Type != "GIT" {
		d.wrong(t.at, t.path, t.show(), types)
	}
	events := n.object["events"]
	if events == nil || events.kind == "null" {
		events = n
	}
	var introduced, fixed, last bool
	for _, e := range d.list(n, "events") {
		ev := d.event(e, r.Type == "ECOSYSTEM", ecosystem)
		introduced, fixed, last = introduced || ev.Introduced != "", fixed || ev.Fixed != "", last || ev.LastAffected != ""
		if ev != (advisory.Event{}) {
			r.Events = append(r.Events, ev)
		}
	}
	if !introduced {
		d.wrong(events.at, under(n.path, "events"), "no introduced event", `at least one, such as {"introduced": "0"}`)
	}
	if fixed && last {
		d.wrong(events.at, under(n.path, "events"), "both fixed and last_affected", "one of the two in one range")
	}
	return r
}

// event reads one event: exactly one of the four keys.
func (d *document) event(n *node, compared bool, ecosystem string) (e advisory.Event) {
	if n.object == nil || len(n.keys) != 1 {
		found := n.show()
		if n.object != nil {
			found = "the keys [" + cut(strings.Join(n.keys, " "), 60) + "]"
		}
		d.wrong(n.at, n.path, found, "an object with one key: introduced, fixed, last_affected or limit")
		return e
	}
	key, into := n.keys[0], (*string)(nil)
	switch key {
	case "introduced":
		into = &e.Introduced
	case "fixed":
		into = &e.Fixed
	case "last_affected":
		into = &e.LastAffected
	case "limit":
		into = &e.Limit
	default:
		d.wrong(n.at, n.path, "the key "+cut(key, 40), "introduced, fixed, last_affected or limit")
		return e
	}
	*into = d.must(n, key, "a version")
	unbounded := key == "introduced" && *into == "0" || key == "limit" && *into == "*"
	if compared && *into != "" && !unbounded {
		d.versionOf(n.object[key].at, n.object[key].path, ecosystem, *into)
	}
	return e
}

// versionOf refuses what is no version in an ecosystem whose versions can be compared.
func (d *document) versionOf(at int, path, ecosystem, v string) {
	if ecosystem == "" || version.FamilyOf(ecosystem) == version.NotComparable {
		return
	}
	if err := version.Check(ecosystem, v); err != nil {
		d.wrong(at, path, quote(v), "a version of "+ecosystem+", but "+plain(err.Error()))
	}
}

// distinct drops repetitions and keeps the order.
func distinct(in []string) (out []string) {
	seen := map[string]bool{}
	for _, s := range in {
		if !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	return out
}
