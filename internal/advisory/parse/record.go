package parse

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
)

// What NVD's records and CVE's have in common.

// maxProse is how many characters of a document's prose are kept.
const maxProse = 500

// word gives a text field without the blanks around it; empty when it is absent.
func (d *document) word(n *node, key string) string {
	s, _, _ := d.text(n, key)
	return strings.TrimSpace(s)
}

// words gives an array field of texts; unlike texts it takes any text.
func (d *document) words(n *node, key string) (out []string) {
	for _, e := range d.list(n, key) {
		if s, ok := e.value.(string); ok {
			out = append(out, strings.TrimSpace(s))
		} else {
			d.wrong(e.at, e.path, e.show(), "text")
		}
	}
	return out
}

// flag reads a field that is true or false; false when it is absent.
func (d *document) flag(n *node, key string) bool {
	child := n.object[key]
	if child == nil || child.kind == "null" {
		return false
	}
	is, ok := child.value.(bool)
	if !ok {
		d.wrong(child.at, child.path, child.show(), "true or false")
	}
	return is
}

// part gives a field that is an object; nil when it is absent.
func (d *document) part(n *node, key string) *node {
	child := n.object[key]
	if child == nil || child.kind == "null" {
		return nil
	}
	if child.object == nil {
		d.wrong(child.at, child.path, child.show(), "an object")
		return nil
	}
	return child
}

// utc reads a moment with or without a zone. NVD's have none and are UTC by its documentation of the
// CVE API; CVE's timestamps are UTC where they name no zone, by the schema's own words.
func (d *document) utc(n *node, key string) time.Time {
	s, child, ok := d.text(n, key)
	if !ok {
		return time.Time{}
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04Z07:00", time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil && !t.IsZero() {
			return t.UTC()
		}
	}
	d.wrong(child.at, child.path, child.show(), "a moment such as 2026-01-02T03:04:05.000 (UTC) or 2026-01-02T03:04:05Z")
	return time.Time{}
}

// english gives the texts under value of an array's English elements.
func (d *document) english(n *node, key string) (out []string) {
	for _, e := range d.objects(n, key, "an object with lang and value") {
		lang, value := strings.ToLower(d.word(e, "lang")), plain(d.word(e, "value"))
		if value != "" && (lang == "" || strings.HasPrefix(lang, "en")) {
			out = append(out, cut(value, maxProse))
		}
	}
	return out
}

// xsaURL is where the Xen Project publishes its advisories.
var xsaURL = regexp.MustCompile(`^https?://xenbits\.xen(?:project)?\.org/xsa/advisory-([0-9]{1,6})\.(?:html|txt)$`)

// xsaOf gives the Xen Security Advisory that references name. Several are named where one refers to
// another: then which of them is this one is not told.
func (d *document) xsaOf(n *node) (ids []string) {
	for _, r := range d.objects(n, "references", "an object with url") {
		if m := xsaURL.FindStringSubmatch(d.word(r, "url")); m != nil {
			ids = append(ids, "XSA-"+m[1])
		}
	}
	return distinct(ids)
}

// alias takes the one Xen advisory that a record is about as another of its ids: the one that it
// names in place of versions, else the only one that it refers to.
func alias(a *advisory.Advisory, named, referred []string) {
	ids := distinct(named)
	if len(ids) == 0 {
		ids = distinct(referred)
	}
	switch {
	case len(ids) == 1:
		a.Aliases = append(a.Aliases, ids[0])
	case len(ids) > 1:
		a.Gaps = append(a.Gaps, "it refers to "+listed(ids, 5)+" and does not say which of them it is")
	}
}

// versionsOfCVSS, the best first: the keys of NVD and of CVE.
var versionsOfCVSS = []struct{ nvd, cve string }{
	{"cvssMetricV40", "cvssV4_0"}, {"cvssMetricV31", "cvssV3_1"}, {"cvssMetricV30", "cvssV3_0"}, {"cvssMetricV2", "cvssV2_0"},
}

// tagged names what a record's tags say against it.
func tagged(a *advisory.Advisory, tags []string) {
	if slices.Contains(tags, "disputed") {
		a.Gaps = append(a.Gaps, "it is tagged as disputed: whether it is a vulnerability is not agreed")
	}
}

// rejected marks a record that must no longer be used. It is withdrawn since the first of the
// moments that is given; when that was the formats do not tell exactly.
func rejected(a *advisory.Advisory, exact string, moments ...time.Time) {
	a.Withdrawn = time.Unix(0, 0).UTC()
	for _, t := range moments {
		if !t.IsZero() {
			a.Withdrawn = t
			break
		}
	}
	a.Gaps = append(a.Gaps, "it is rejected; "+exact)
}
