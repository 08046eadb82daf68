package parse

import "strings"

// osvSeverity gives the severity as the record states it: by the schema's own field for the whole
// record, else by that of its packages, else by what databases put beside it (GitHub's severity,
// Debian's urgency). Packages that differ are listed.
func (d *document) osvSeverity(root *node, entries []*node) string {
	if s := d.score(root); s != "" {
		return s
	}
	var scores, urgencies []string
	for _, n := range entries {
		if s := d.score(n); s != "" {
			scores = append(scores, s)
		}
		if s := d.urgency(n); s != "" && s != "not yet assigned" && s != "end-of-life" {
			urgencies = append(urgencies, s)
		}
	}
	if len(scores) > 0 {
		return strings.Join(distinct(scores), ", ")
	}
	if s := stated(root, "database_specific", "severity"); s != "" {
		return s
	}
	return strings.Join(distinct(urgencies), ", ")
}

// score gives the most telling entry of a severity field: a distribution's own word, which knows how
// it builds the package, before the newest CVSS vector.
func (d *document) score(n *node) (best string) {
	order := map[string]int{"CVSS_V2": 1, "CVSS_V3": 2, "CVSS_V4": 3, "Ubuntu": 4}
	rank := -1
	for _, s := range d.objects(n, "severity", "an object with type and score") {
		kind, score := d.must(s, "type", "a kind of score such as CVSS_V3"), d.must(s, "score", "the score")
		if order[kind] > rank && isName(score) {
			rank, best = order[kind], plain(score)
		}
	}
	return best
}

// urgency is how Debian and Ubuntu state an entry's severity: in its own part of the schema, so it
// is read only where it is text.
func (d *document) urgency(n *node) string {
	for _, part := range []string{"ecosystem_specific", "database_specific"} {
		for _, key := range []string{"urgency", "severity"} {
			if s := stated(n, part, key); s != "" {
				return s
			}
		}
	}
	return ""
}

func stated(n *node, part, key string) string {
	if p := n.object[part]; p != nil && p.object != nil && p.object[key] != nil {
		s, _ := p.object[key].value.(string)
		return plain(s)
	}
	return ""
}
