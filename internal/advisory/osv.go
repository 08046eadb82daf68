package advisory

import (
	"bytes"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/form"
	"github.com/evenkeel/evenkeel/internal/version"
)

// maxDocument bounds one advisory document, in bytes; the largest seen in public is under 2 MiB.
const maxDocument = 16 << 20

// ParseOSV reads one document of the Open Source Vulnerability format (ossf.github.io/osv-schema,
// version 1). name stands in messages and in Advisory.Source. All mistakes are given at once, with
// line and column; then the Advisory must not be used. What the format allows and judging does not
// need (severity, references, credits) is passed over.
func ParseOSV(name string, src []byte) (Advisory, form.Mistakes) {
	d := &document{name: name, src: bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))}
	if len(d.src) > maxDocument {
		d.wrong(0, "", "more than 16 MiB", "one advisory")
		return Advisory{}, d.mistakes
	}
	root := d.tree()
	if root == nil {
		return Advisory{}, d.mistakes
	}
	if found := notOSV(root); found != "" {
		d.wrong(root.at, "", found, "one OSV object with id, modified and affected")
		return Advisory{}, d.mistakes
	}
	a := Advisory{
		ID: d.must(root, "id", "the advisory's id"), Source: name,
		Aliases: d.texts(root, "aliases"), Upstream: d.texts(root, "upstream"),
		Published: d.moment(root, "published"), Modified: d.moment(root, "modified"), Withdrawn: d.moment(root, "withdrawn"),
	}
	if root.object["modified"] == nil {
		d.wrong(root.at, "modified", "nothing", "when it was last changed, such as 2026-01-02T03:04:05Z")
	}
	a.Summary, _, _ = d.text(root, "summary")
	for _, n := range d.list(root, "affected") {
		if n.object == nil {
			d.wrong(n.at, n.path, n.show(), "an object")
			continue
		}
		a.Affected = append(a.Affected, d.affected(n))
	}
	return a, d.mistakes.Sort()
}

// notOSV names what a text is that is not OSV, as far as it can be told; "" when it may be.
func notOSV(root *node) string {
	if root.object == nil {
		return root.kind
	}
	has := func(key string) bool { return root.object[key] != nil }
	switch {
	case has("id"):
		return ""
	case has("document"):
		return "a CSAF document"
	case has("cveMetadata"):
		return "a CVE 5 record"
	case has("vulnerabilities") && has("resultsPerPage"), has("cve"):
		return "an NVD record"
	case has("XSA"):
		return "Xen's own XSA meta file"
	case has("vulns"):
		return "an answer of the OSV service (one document each is read)"
	}
	return ""
}

func (d *document) moment(n *node, key string) time.Time {
	s, child, ok := d.text(n, key)
	if !ok {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		d.wrong(child.at, child.path, child.show(), "a moment such as 2026-01-02T03:04:05Z")
	}
	return t.UTC()
}

func (d *document) affected(n *node) Affected {
	a := Affected{Versions: d.texts(n, "versions")}
	if p := n.object["package"]; p != nil && p.kind != "null" {
		if p.object == nil {
			d.wrong(p.at, p.path, p.show(), "an object with ecosystem and name")
		} else {
			a.Ecosystem = d.must(p, "ecosystem", "an ecosystem such as Debian:12")
			a.Package = d.must(p, "name", "the package's name")
		}
	}
	for _, r := range d.list(n, "ranges") {
		if r.object == nil {
			d.wrong(r.at, r.path, r.show(), "an object with type and events")
			continue
		}
		a.Ranges = append(a.Ranges, d.rangeOf(r, a.Ecosystem))
	}
	return a
}

func (d *document) rangeOf(n *node, ecosystem string) Range {
	r := Range{Type: d.must(n, "type", "ECOSYSTEM, SEMVER or GIT")}
	switch r.Type {
	case "ECOSYSTEM", "SEMVER", "GIT", "":
	default:
		d.wrong(n.object["type"].at, n.object["type"].path, n.object["type"].show(), "ECOSYSTEM, SEMVER or GIT")
	}
	var introduced, fixed, last bool
	for _, e := range d.list(n, "events") {
		ev := d.event(e, r.Type == "ECOSYSTEM" && isDebian(ecosystem))
		introduced, fixed, last = introduced || ev.Introduced != "", fixed || ev.Fixed != "", last || ev.LastAffected != ""
		r.Events = append(r.Events, ev)
	}
	events := n
	if e := n.object["events"]; e != nil {
		events = e
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
func (d *document) event(n *node, debian bool) (e Event) {
	if n.object == nil || len(n.keys) != 1 {
		found := n.show()
		if n.object != nil {
			found = "the keys [" + strings.Join(n.keys, " ") + "]"
		}
		d.wrong(n.at, n.path, found, "an object with one key: introduced, fixed, last_affected or limit")
		return e
	}
	key := n.keys[0]
	into, known := map[string]*string{
		"introduced": &e.Introduced, "fixed": &e.Fixed, "last_affected": &e.LastAffected, "limit": &e.Limit,
	}[key]
	if !known {
		d.wrong(n.at, n.path, "the key "+key, "introduced, fixed, last_affected or limit")
		return e
	}
	*into = d.must(n, key, "a version")
	if debian && *into != "" && !(key == "limit" && *into == "*") {
		if _, err := version.Compare(version.Debian, *into, "0"); err != nil {
			d.wrong(n.object[key].at, n.object[key].path, n.object[key].show(), "a Debian version")
		}
	}
	return e
}

func isDebian(ecosystem string) bool {
	name, _, _ := strings.Cut(ecosystem, ":")
	return name == version.Debian
}
