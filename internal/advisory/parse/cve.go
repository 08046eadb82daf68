package parse

import (
	"slices"

	"github.com/evenkeel/evenkeel/internal/advisory"
)

// cve reads one CVE record (cve-schema 5.0 to 5.2): what its numbering authority (cna) says, and
// what authorized data publishers (adp) add.
func (d *document) cve(root *node) []advisory.Advisory {
	a := advisory.Advisory{Format: advisory.FormatCVE}
	meta := d.part(root, "cveMetadata")
	if meta == nil {
		if m := root.object["cveMetadata"]; m == nil || m.kind == "null" {
			d.wrong(root.at, under(root.path, "cveMetadata"), "nothing", "an object with cveId")
		}
		return []advisory.Advisory{a}
	}
	a.ID = d.must(meta, "cveId", "the id of a CVE")
	a.Published, a.Modified = d.utc(meta, "datePublished"), d.utc(meta, "dateUpdated")
	r := &cveRecord{d: d, a: &a, told: map[string]bool{}}
	if containers := d.part(root, "containers"); containers != nil {
		r.containers(containers)
	}
	r.state(meta)
	alias(&a, r.xsas, r.referred)
	tell(&a, r.statements, r.gaps)
	return []advisory.Advisory{a}
}

// cveRecord is one record being read.
type cveRecord struct {
	d          *document
	a          *advisory.Advisory
	statements []*statement
	gaps       []string
	// xsas stand in place of versions, referred are those of references.
	xsas, referred []string
	told           map[string]bool // mitigations
	severity       int             // which version of CVSS a.Severity has; len(versionsOfCVSS): none yet
}

func (r *cveRecord) containers(n *node) {
	r.severity = len(versionsOfCVSS)
	if cna := r.d.part(n, "cna"); cna != nil {
		r.cna(cna)
		r.container(cna, "cna")
	}
	for _, adp := range r.d.objects(n, "adp", "a container of an authorized data publisher") {
		r.container(adp, "adp")
	}
}

// state: a rejected record must no longer be used.
func (r *cveRecord) state(meta *node) {
	switch state := r.d.word(meta, "state"); state {
	case "PUBLISHED":
	case "REJECTED":
		exact := "since when it does not say: taken is when it was last changed"
		moment := r.d.utc(meta, "dateRejected")
		if !moment.IsZero() {
			exact = "since " + moment.Format("2006-01-02")
		}
		rejected(r.a, exact, moment, r.a.Modified, r.a.Published, r.d.utc(meta, "dateReserved"))
	case "":
		r.a.Gaps = append(r.a.Gaps, "it does not say whether it is published or rejected")
	default:
		r.a.Gaps = append(r.a.Gaps, "its state is "+quote(state)+", neither PUBLISHED nor REJECTED")
	}
}

// cna reads what only the numbering authority says.
func (r *cveRecord) cna(n *node) {
	d := r.d
	r.a.Disclosure = d.utc(n, "datePublic")
	if r.a.Summary = cut(plain(d.word(n, "title")), maxProse); r.a.Summary == "" {
		r.a.Summary = first(d.english(n, "descriptions"))
	}
	for _, reason := range d.english(n, "rejectedReasons") {
		r.a.Gaps = append(r.a.Gaps, "it is rejected because: "+reason)
	}
	for _, text := range d.english(n, "configurations") {
		r.a.Gaps = append(r.a.Gaps, "which systems are vulnerable it says in words: "+text)
	}
}

// container reads what any container may say.
func (r *cveRecord) container(n *node, kind string) {
	d, source := r.d, kind
	if by := d.part(n, "providerMetadata"); by != nil {
		if name := plain(d.word(by, "shortName")); name != "" {
			source = kind + " (" + cut(name, 60) + ")"
		}
	}
	tagged(r.a, d.words(n, "tags"))
	r.referred = append(r.referred, d.xsaOf(n)...)
	for _, key := range []string{"workarounds", "solutions"} {
		for _, text := range d.english(n, key) {
			if !r.told[text] {
				r.told[text] = true
				r.a.Mitigations = append(r.a.Mitigations, advisory.Mitigation{Text: text})
			}
		}
	}
	r.metrics(n)
	p := &products{d: d, source: source}
	p.read(n, "affected")
	applicable := &applicability{d: d, source: source + " cpeApplicability"}
	applicable.read(n, "cpeApplicability")
	r.statements = append(r.statements, p.statements...)
	for _, s := range applicable.statements() {
		// Versions say more than CPE's ranges: the kernel's authority writes one range from the first
		// affected version for each series, and their union would hold what was fixed long ago.
		if slices.ContainsFunc(p.statements, func(o *statement) bool { return o.ecosystem == s.ecosystem && o.pkg == s.pkg && o.decides() }) {
			r.gaps = append(r.gaps, source+" gives versions of "+s.pkg+" and also CPE ranges: its versions count")
			continue
		}
		r.statements = append(r.statements, s)
	}
	r.gaps = append(append(r.gaps, p.allGaps()...), applicable.allGaps()...)
	r.xsas = append(r.xsas, p.xsas...)
}

// metrics takes the vector of the newest version of CVSS; the first container that has it counts.
func (r *cveRecord) metrics(n *node) {
	for _, m := range r.d.objects(n, "metrics", "an object with a CVSS vector") {
		for i, v := range versionsOfCVSS {
			if data := r.d.part(m, v.cve); data != nil {
				if vector := plain(r.d.word(data, "vectorString")); vector != "" && i < r.severity {
					r.a.Severity, r.severity = vector, i
				}
			}
		}
	}
}
