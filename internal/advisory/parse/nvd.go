package parse

import (
	"slices"

	"github.com/evenkeel/evenkeel/internal/advisory"
)

// nvd reads the answer of NVD's CVE API 2.0 (nvd.nist.gov/developers/vulnerabilities), one of its
// elements, or one record alone.
func (d *document) nvd(root *node) (out []advisory.Advisory) {
	if root.object["vulnerabilities"] == nil {
		return append(out, d.nvdElement(root))
	}
	for _, n := range d.objects(root, "vulnerabilities", "an object with cve") {
		out = append(out, d.nvdElement(n))
	}
	return out
}

func (d *document) nvdElement(n *node) advisory.Advisory {
	if n.object["cve"] == nil && n.object["id"] != nil {
		return d.nvdRecord(n)
	}
	if record := d.part(n, "cve"); record != nil {
		return d.nvdRecord(record)
	}
	if cve := n.object["cve"]; cve == nil || cve.kind == "null" {
		d.wrong(n.at, under(n.path, "cve"), "nothing", "a CVE record with its id")
	}
	return advisory.Advisory{}
}

func (d *document) nvdRecord(n *node) advisory.Advisory {
	a := advisory.Advisory{
		ID: d.must(n, "id", "the id of a CVE"), Format: advisory.FormatNVD,
		Published: d.utc(n, "published"), Modified: d.utc(n, "lastModified"), Severity: d.nvdSeverity(n),
	}
	a.Summary = first(d.english(n, "descriptions"))
	d.nvdStatus(&a, d.word(n, "vulnStatus"))
	for _, t := range d.objects(n, "cveTags", "an object with tags") {
		tagged(&a, d.words(t, "tags"))
	}
	configurations := &applicability{d: d, source: "NVD"}
	configurations.read(n, "configurations")
	all, gaps, xsas := configurations.statements(), configurations.allGaps(), []string(nil)
	// Since 2026 a record repeats what the sources of the CVE say of versions.
	for _, e := range d.objects(n, "affected", "an object with source and affectedData") {
		p := &products{d: d, source: orWord(plain(d.word(e, "source")), "a source without a name")}
		p.read(e, "affectedData")
		all, gaps, xsas = append(all, p.statements...), append(gaps, p.allGaps()...), append(xsas, p.xsas...)
	}
	alias(&a, xsas, d.xsaOf(n))
	tell(&a, all, gaps)
	return a
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

func orWord(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// tell fills in what the statements of a record come to.
func tell(a *advisory.Advisory, all []*statement, gaps []string) {
	affected, more := told(all)
	a.Affected = affected
	a.Gaps = distinct(slices.Concat(a.Gaps, gaps, more))
	if len(affected) == 0 && a.Withdrawn.IsZero() {
		a.Gaps = append(a.Gaps, "it names no package with versions: whom it affects is not said")
	}
}

// nvdStatus takes in how far NVD is with a record (nvd.nist.gov/vuln/vulnerability-status).
func (d *document) nvdStatus(a *advisory.Advisory, status string) {
	switch status {
	case "Rejected":
		rejected(a, "NVD does not say since when: taken is when the record was last changed", a.Modified, a.Published)
	case "Received", "Awaiting Analysis", "Undergoing Analysis":
		a.Gaps = append(a.Gaps, "NVD's status is "+status+": what it affects is not analysed yet")
	case "Deferred":
		a.Gaps = append(a.Gaps, "NVD's status is Deferred: it will not analyse what it affects")
	}
}

// nvdSeverity gives the vector of the newest version of CVSS; NVD's own before those of others.
func (d *document) nvdSeverity(n *node) string {
	metrics := d.part(n, "metrics")
	if metrics == nil {
		return ""
	}
	for _, v := range versionsOfCVSS {
		best := ""
		for _, m := range d.objects(metrics, v.nvd, "an object with cvssData") {
			data := d.part(m, "cvssData")
			if data == nil {
				continue
			}
			vector := plain(d.word(data, "vectorString"))
			if primary := d.word(m, "type") == "Primary"; best == "" || primary {
				best = orWord(vector, best)
				if primary && vector != "" {
					break
				}
			}
		}
		if best != "" {
			return best
		}
	}
	return ""
}
