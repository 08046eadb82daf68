package parse

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/evenkeel/evenkeel/internal/advisory"
)

// csaf reads one document of the Common Security Advisory Framework, version 2.0
// (docs.oasis-open.org/csaf/csaf/v2.0), an advisory or a VEX, and gives one advisory for each
// vulnerability that it speaks of.
//
// A mistake is what keeps it from being judged by: broken syntax, no tracking id, a value of the
// wrong kind where something is read, a product status of a product that the document does not
// define. Where it breaks the schema elsewhere (the address of a reference), that is a gap.
//
// csaf_tree.go reads the products, csaf_part.go tells which package each is, csaf_platform.go and
// csaf_purl.go of which distribution, csaf_vers.go which versions; csaf_status.go and csaf_claims.go
// make entries of the statuses, csaf_remedy.go reads remediations and severity, csaf_schema.go asks
// the published schema.
func (d *document) csaf(root *node) (out []advisory.Advisory) {
	c := &csafReader{document: d, products: map[string]*csafProduct{}, groups: map[string][]string{}, parts: map[string]csafPart{}}
	if !c.head(root) {
		return nil
	}
	before := len(d.mistakes)
	c.tree(root)
	c.torso = len(d.mistakes) > before
	c.vulnerabilities = d.objects(root, "vulnerabilities", "a vulnerability: an object with cve or ids")
	for i, v := range c.vulnerabilities {
		out = append(out, c.vulnerability(i, v))
	}
	if len(out) == 0 {
		a := c.base
		a.ID, a.Aliases = c.id, c.otherIDs
		a.Gaps = append(slices.Clone(a.Gaps), "it names no vulnerability")
		out = append(out, a)
	}
	c.apart(out)
	if len(d.mistakes) == 0 {
		breaks := c.breaks(root)
		for i := range out {
			out[i].Gaps = append(out[i].Gaps, breaks...)
		}
	}
	return out
}

// csafReader is one CSAF document being read.
type csafReader struct {
	*document
	id       string            // the document's own: document.tracking.id
	otherIDs []string          // document.tracking.aliases
	base     advisory.Advisory // what holds for each of its vulnerabilities
	severity string            // document.aggregate_severity.text

	products map[string]*csafProduct
	torso    bool                // parts of product_tree could not be read
	groups   map[string][]string // product_tree.product_groups: ids of products
	parts    map[string]csafPart // made so far

	vulnerabilities []*node
}

// child gives a field that is an object; nil when it is absent or null. Another kind is a mistake.
func (c *csafReader) child(n *node, key, what string) *node {
	child := n.object[key]
	if child == nil || child.kind == "null" {
		return nil
	}
	if child.object == nil {
		c.wrong(child.at, child.path, child.show(), what)
		return nil
	}
	return child
}

// word gives a text field without the blanks at its ends; empty when it is absent.
func (c *csafReader) word(n *node, key string) string {
	s, _, _ := c.text(n, key)
	return strings.TrimSpace(s)
}

// head reads the part document; false when it cannot be gone on from.
func (c *csafReader) head(root *node) bool {
	doc := c.child(root, "document", "an object with the document's tracking")
	if doc == nil {
		if child := root.object["document"]; child.kind == "null" {
			c.wrong(child.at, child.path, child.show(), "an object with the document's tracking")
		}
		return false
	}
	if v, at, ok := c.text(doc, "csaf_version"); ok && v != "2.0" {
		c.wrong(at.at, at.path, at.show(), `"2.0"`)
		return false
	}
	tracking := c.child(doc, "tracking", "an object with the document's id")
	if tracking == nil {
		if len(c.mistakes) == 0 {
			c.wrong(doc.at, under(doc.path, "tracking"), "nothing", "an object with the document's id")
		}
		return false
	}
	c.id = c.must(tracking, "id", "the document's id")
	c.otherIDs = c.texts(tracking, "aliases")
	c.base = advisory.Advisory{
		Format: advisory.FormatCSAF, Summary: cut(plain(c.summary(doc, "title")), 300),
		Published: c.moment(tracking, "initial_release_date"), Modified: c.moment(tracking, "current_release_date"),
	}
	if n := c.child(doc, "aggregate_severity", "an object with text"); n != nil {
		c.severity = c.word(n, "text")
	}
	c.base.Document = c.id
	if publisher := c.child(doc, "publisher", "an object with name and namespace"); publisher != nil {
		c.base.Document = plain(c.word(publisher, "namespace")) + " " + c.id
	}
	c.standing(doc, tracking)
	return true
}

// summary gives the note of that category, else the title.
func (c *csafReader) summary(n *node, title string) string {
	for _, note := range c.objects(n, "notes", "a note: an object with category and text") {
		if text := c.word(note, "text"); c.word(note, "category") == "summary" && text != "" {
			return text
		}
	}
	return c.word(n, title)
}

// standing names what narrows the document's use: a draft, a restricted circle of readers.
func (c *csafReader) standing(doc, tracking *node) {
	if status := c.word(tracking, "status"); status != "" && status != "final" {
		c.base.Gaps = append(c.base.Gaps, "its status is "+cut(status, 40)+", not final: it may change")
	}
	distribution := c.child(doc, "distribution", "an object with text or tlp")
	if distribution == nil {
		return
	}
	if tlp := c.child(distribution, "tlp", "an object with label"); tlp != nil {
		switch label := strings.ToUpper(c.word(tlp, "label")); label {
		case "", "WHITE", "CLEAR":
		default:
			text := ""
			if s := plain(c.word(distribution, "text")); s != "" {
				text = ": " + cut(s, 200)
			}
			c.base.Gaps = append(c.base.Gaps, "it is TLP:"+cut(label, 20)+", not for everyone: no tenant may see it"+text)
		}
	}
}

// vulnerability reads one element of vulnerabilities.
func (c *csafReader) vulnerability(i int, n *node) advisory.Advisory {
	a := c.base
	a.Gaps = slices.Clone(a.Gaps)
	c.called(&a, i, n)
	if s := plain(c.summary(n, "title")); s != "" {
		a.Summary = cut(s, 300)
	}
	a.Disclosure = c.moment(n, "release_date")
	c.status(&a, n)
	if len(a.Affected) == 0 {
		a.Gaps = append(a.Gaps, "it says of no package whether it is affected")
	}
	return a
}

// cveID is a CVE's id as cve.org gives it.
var cveID = regexp.MustCompile(`^CVE-\d{4}-\d{4,}$`)

// called gives the vulnerability's id and its other names. What names the document names the one
// vulnerability that it is about; of several it names none: two of them would seem the same.
func (c *csafReader) called(a *advisory.Advisory, i int, n *node) {
	cve := c.given(n, "cve")
	ids := c.ids(n)
	documents := append([]string{c.id}, c.otherIDs...)
	only := len(c.vulnerabilities) == 1
	switch {
	case cve != "":
		a.ID = cve
	case len(ids) > 0:
		a.ID, ids = ids[0], ids[1:]
	case only:
		a.ID = c.id
	default:
		a.ID = c.id + ":" + strconv.Itoa(i+1)
		a.Gaps = append(a.Gaps, "the vulnerability has no id of its own: "+a.ID+" is the document's, and its place there")
	}
	a.Aliases = ids
	for _, id := range documents {
		switch {
		case id == a.ID || slices.Contains(a.Aliases, id):
		case cveID.MatchString(id): // of another vulnerability
			if only {
				a.Gaps = append(a.Gaps, "the document calls itself "+id+", and speaks of "+a.ID)
			}
		case only:
			a.Aliases = append(a.Aliases, id)
		default:
			a.Documents = append(a.Documents, id)
		}
	}
}

// given gives a text that may be absent but not be empty.
func (c *csafReader) given(n *node, key string) string {
	if child := n.object[key]; child == nil || child.kind == "null" {
		return ""
	}
	return c.must(n, key, "an id such as CVE-2026-0001")
}

// ids gives a vulnerability's further ids. A bare number, as bug trackers count, is none without the
// tracker's name: two trackers give the same.
func (c *csafReader) ids(n *node) (out []string) {
	for _, e := range c.objects(n, "ids", "an object with system_name and text") {
		system, id := c.word(e, "system_name"), c.must(e, "text", "an id")
		if id != "" && !strings.ContainsFunc(id, unicode.IsLetter) {
			id = strings.ReplaceAll(system, " ", "-") + ":" + id
		}
		if id != "" && !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return out
}

// apart takes away the aliases that several vulnerabilities of the document share, such as a bug
// report about all of them.
func (c *csafReader) apart(as []advisory.Advisory) {
	holders := map[string]int{}
	for i := range as {
		holders[as[i].ID]++
		for _, id := range as[i].Aliases {
			holders[id]++
		}
	}
	for i := range as {
		as[i].Aliases = slices.DeleteFunc(as[i].Aliases, func(id string) bool {
			if holders[id] > 1 {
				as[i].Documents = append(as[i].Documents, id)
			}
			return holders[id] > 1
		})
	}
}
