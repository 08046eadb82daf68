package parse

import (
	"regexp"
	"strings"

	"github.com/evenkeel/evenkeel/internal/advisory"
)

// array reads a JSON array: whole OSV records, or the part of one that OSV's converter for Alpine
// makes of Alpine's security database (google/osv.dev, vulnfeeds), which is one entry a package.
func (d *document) array(root *node) (out []advisory.Advisory) {
	var parts []*node
	for _, n := range root.array {
		switch {
		case n.object == nil:
			d.wrong(n.at, n.path, n.show(), arrays)
		case n.object["pkg_name"] != nil:
			parts = append(parts, n)
		case n.object["id"] != nil:
			out = append(out, d.osvOne(n))
		default:
			d.wrong(n.at, n.path, "an object with the keys ["+cut(strings.Join(n.keys, " "), 60)+"]", arrays)
		}
	}
	switch {
	case len(root.array) == 0:
		d.wrong(root.at, root.path, "an empty array", arrays)
	case len(parts) > 0 && len(out) > 0:
		d.wrong(parts[0].at, parts[0].path, "a part of a record beside whole ones", arrays)
	case len(parts) > 0:
		out = append(out, d.alpine(root, parts))
	}
	return out
}

const arrays = "OSV records, each with an id, or Alpine's parts of one record, each with a pkg_name"

// The parts do not say which vulnerability they are of; their file is named after it.
var cveInName = regexp.MustCompile(`(?i)(?:^|[^a-z0-9])(cve-[0-9]{4}-[0-9]{4,})`)

func (d *document) alpine(root *node, parts []*node) advisory.Advisory {
	a := advisory.Advisory{Format: advisory.FormatOSV, ID: d.idInName(root)}
	a.Gaps = []string{"its id " + a.ID + " is taken from the document's name: the document itself names no advisory, and no date"}
	for _, n := range parts {
		e := advisory.Affected{
			Ecosystem: d.must(n, "ecosystem", "an ecosystem such as Alpine:v3.17"),
			Package:   d.must(n, "pkg_name", "the package's name"),
		}
		d.alpineVersions(n, &e)
		a.Affected = append(a.Affected, e)
		a.Gaps = append(a.Gaps, gapsOf(&e)...)
	}
	a.Gaps = distinct(a.Gaps)
	return a
}

func (d *document) idInName(root *node) string {
	var ids []string
	for _, m := range cveInName.FindAllStringSubmatch(d.name, -1) {
		ids = append(ids, strings.ToUpper(m[1]))
	}
	ids = distinct(ids)
	if len(ids) == 1 {
		return ids[0]
	}
	found := "no id of an advisory, neither in the document nor in its name"
	if len(ids) > 1 {
		found = "no id of an advisory, and several in its name: " + strings.Join(ids, ", ")
	}
	d.wrong(root.at, root.path, found, "parts of a record in a document whose name holds the one CVE that they are of, such as CVE-2022-33745.json")
	return ""
}

// alpineVersions reads fixed_version. An empty Introduced is the first version; in Alpine's
// database a fix in version 0 means that the package never was affected.
func (d *document) alpineVersions(n *node, e *advisory.Affected) {
	f := n.object["fixed_version"]
	if f == nil || f.object == nil {
		found, at, path := "nothing", n.at, under(n.path, "fixed_version")
		if f != nil {
			found, at = f.show(), f.at
		}
		d.wrong(at, path, found, "an object with AffectedVersions")
		return
	}
	for _, v := range d.objects(f, "AffectedVersions", "an object with Introduced, Fixed and LastAffected") {
		introduced, fixed, last := d.alpineVersion(v, "Introduced", e), d.alpineVersion(v, "Fixed", e), d.alpineVersion(v, "LastAffected", e)
		if fixed != "" && last != "" {
			d.wrong(v.at, v.path, "both Fixed and LastAffected", "one of the two")
		}
		if fixed == "0" && introduced == "" {
			e.Status, e.Why = advisory.StatusNotAffected, "Alpine's database calls version 0 fixed: it never was affected"
			continue
		}
		r := advisory.Range{Type: "ECOSYSTEM", Events: []advisory.Event{{Introduced: "0"}}}
		if introduced != "" {
			r.Events[0].Introduced = introduced
		}
		if fixed != "" {
			r.Events = append(r.Events, advisory.Event{Fixed: fixed})
		}
		if last != "" {
			r.Events = append(r.Events, advisory.Event{LastAffected: last})
		}
		e.Ranges = append(e.Ranges, r)
	}
	if e.Status == advisory.StatusNotAffected && len(e.Ranges) > 0 {
		d.wrong(f.at, f.path, "a fix in version 0, which says that it never was affected, beside affected versions", "one of the two")
	}
}

func (d *document) alpineVersion(n *node, key string, e *advisory.Affected) string {
	s, child, ok := d.text(n, key)
	if ok && s != "" && s != "0" {
		d.versionOf(child.at, child.path, e.Ecosystem, s)
	}
	return s
}
