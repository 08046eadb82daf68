package parse

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gocsaf/csaf/v3/csaf"

	"github.com/evenkeel/evenkeel/internal/advisory"
)

// csafGroup is one of CSAF's groups of product statuses; those of one group do not contradict each
// other (CSAF 2.0, section 6.1.6).
type csafGroup int

const (
	groupNone csafGroup = iota // recommended: it may be of any
	groupAffected
	groupNotAffected
	groupFixed
	groupUnknown
)

type csafStatusKey struct {
	key   string
	group csafGroup
}

// csafStatuses are the keys of product_status, in the order in which they are read.
var csafStatuses = []csafStatusKey{
	{"known_affected", groupAffected}, {"first_affected", groupAffected}, {"last_affected", groupAffected},
	{"fixed", groupFixed}, {"first_fixed", groupFixed},
	{"known_not_affected", groupNotAffected}, {"under_investigation", groupUnknown},
	{"recommended", groupNone},
}

// csafStatus reads the product statuses of one vulnerability.
type csafStatus struct {
	*csafReader
	to      *advisory.Advisory
	fixes   map[string]bool   // products that a vendor's fix is said of
	fixAll  bool              // one is said of all
	why     map[string]string // products -> why they are not affected
	whyAll  string
	seen    map[string]int // products -> the first of csafStatuses that names them
	torn    map[string]bool
	claims  []*csafClaims
	byName  map[string]*csafClaims
	lacking map[csafLack][]string // what of
	lacks   []csafLack            // its keys, in the order in which they came up
	beyond  int                   // contradictions past maxTorn
}

// status fills in what a vulnerability says of products, with its remediations.
func (c *csafReader) status(a *advisory.Advisory, n *node) {
	s := &csafStatus{
		csafReader: c, to: a, fixes: map[string]bool{}, why: map[string]string{}, seen: map[string]int{}, torn: map[string]bool{},
		byName: map[string]*csafClaims{}, lacking: map[csafLack][]string{},
	}
	s.remediations(n)
	s.reasons(n)
	s.severityOf(n)
	status := c.child(n, "product_status", "an object with lists of products")
	if status == nil {
		return
	}
	products := s.products(status)
	for i, of := range csafStatuses {
		for _, id := range products[i] {
			s.claim(of.key, of.group, id)
		}
	}
	for _, k := range s.claims {
		a.Affected = append(a.Affected, k.entries(s)...)
	}
	s.gaps()
}

// products reads the lists, and finds those products that stand in two that contradict each other.
func (s *csafStatus) products(status *node) [][]string {
	for _, key := range status.keys {
		if !slices.ContainsFunc(csafStatuses, func(k csafStatusKey) bool { return k.key == key }) {
			s.gap("it gives a product status that CSAF 2.0 does not have: " + cut(plain(key), 40))
		}
	}
	lists := make([][]string, len(csafStatuses))
	if len(s.csafReader.products) == 0 && len(status.keys) > 0 && !s.torso {
		s.wrong(status.at, status.path, "product statuses, and no product in product_tree", "product_tree with the products that they are of")
		return lists
	}
	for i, of := range csafStatuses {
		for _, e := range s.list(status, of.key) {
			id, ok := e.value.(string)
			switch {
			case !ok:
				s.wrong(e.at, e.path, e.show(), "a product's id")
				continue
			case s.csafReader.products[id] == nil && s.torso:
				continue // its definition may be what is broken there
			case s.csafReader.products[id] == nil:
				s.wrong(e.at, e.path, e.show(), "the id of a product in product_tree")
				continue
			}
			first, twice := s.seen[id]
			switch {
			case !twice:
				s.seen[id] = i
			case csafStatuses[first].group != of.group && of.group != groupNone:
				s.torn[id] = true
				s.contradiction("the product " + cut(plain(id), 120) + " is both " + csafStatuses[first].key + " and " + of.key)
			}
			lists[i] = append(lists[i], id)
		}
	}
	return lists
}

func (s *csafStatus) gap(text string) {
	if !slices.Contains(s.to.Gaps, text) && len(s.to.Gaps) < maxGaps {
		s.to.Gaps = append(s.to.Gaps, text)
	}
}

// lack notes what a product or package lacks; those with the same are told in one sentence.
func (s *csafStatus) lack(what csafLack, name string) {
	if len(s.lacking[what]) == 0 {
		s.lacks = append(s.lacks, what)
	}
	s.lacking[what] = append(s.lacking[what], name)
}

func (s *csafStatus) contradiction(text string) {
	if s.beyond++; s.beyond <= maxTorn {
		s.gap("it contradicts itself: " + text)
	}
}

// maxGaps and maxTorn bound what is told of one advisory: a broken generator repeats itself.
const (
	maxGaps = 100
	maxTorn = 50
)

// claim puts one product's status to those of its package.
func (s *csafStatus) claim(key string, group csafGroup, id string) {
	part := s.part(id)
	if key == "recommended" {
		// The vendor's choice says nothing by itself (section 6.1.6). Together with a vendor's fix
		// and nothing else said of the product, it is how SUSE publishes fixed packages; the schema
		// describes recommended as versions that have a fix.
		if csafStatuses[s.seen[id]].key != key {
			return
		}
		if !part.packaged || part.version == "" || !s.hasFix(id) {
			s.lack(lacksStatus, part.name)
			return
		}
		group = groupFixed
	}
	if part.lacks != lacksNothing {
		s.lack(part.lacks, part.name)
		if part.lacks != lacksEcosystem || part.pkg == "" {
			return
		}
	}
	s.of(&part).add(s.claimOf(key, group, id, &part), part.arch)
}

// claimOf tells what a status says of a product's versions.
func (s *csafStatus) claimOf(key string, group csafGroup, id string, part *csafPart) csafClaim {
	claim := csafClaim{how: howAll, version: part.version, span: part.span}
	switch {
	case part.span != "":
		claim.how = howSpan
	case part.version != "":
		claim.how = howOne
	}
	switch group {
	case groupAffected:
		claim.status = advisory.StatusAffected
		switch {
		case claim.how != howOne:
		case key == "first_affected":
			claim.how = howFirst
		case key == "last_affected":
			claim.how = howLast
		}
	case groupFixed:
		claim.status = advisory.StatusFixed
		if claim.how == howOne && !s.torn[id] && (part.packaged || s.hasFix(id)) {
			claim.how = howFrom
		}
	case groupNotAffected:
		claim.status, claim.why = advisory.StatusNotAffected, s.whyNot(id)
	case groupUnknown:
		claim.status = advisory.StatusUnknown
	}
	return claim
}

func (s *csafStatus) hasFix(id string) bool { return s.fixAll || s.fixes[id] }

func (s *csafStatus) whyNot(id string) string {
	if why := s.why[id]; why != "" {
		return why
	}
	return s.whyAll
}

// reasons reads why products are not affected: flags, and threats of the category impact.
func (s *csafStatus) reasons(n *node) {
	for _, key := range []string{"flags", "threats"} {
		for _, e := range s.objects(n, key, "an object with label or details") {
			text := s.word(e, "label")
			if key == "threats" {
				if csaf.ThreatCategory(s.word(e, "category")) != csaf.CSAFThreatCategoryImpact {
					continue
				}
				text = cut(plain(s.word(e, "details")), 200)
			}
			ids, all := s.named(e)
			if all {
				s.whyAll = joinReasons(s.whyAll, text)
			}
			for _, id := range ids {
				s.why[id] = joinReasons(s.why[id], text)
			}
		}
	}
}

func joinReasons(have, more string) string {
	switch {
	case have == "":
		return more
	case more == "" || strings.Contains(have, more) || len(have) > 400:
		return have
	}
	return have + "; " + more
}

// gaps tells what the products lack, in one sentence for each kind.
func (s *csafStatus) gaps() {
	for _, lack := range s.lacks {
		s.gap(string(lack) + ": " + few(s.lacking[lack]))
	}
	if more := s.beyond - maxTorn; more > 0 {
		s.gap("it contradicts itself on " + strconv.Itoa(more) + " more")
	}
}

// few quotes the first of many names.
func few(names []string) string {
	slices.Sort(names)
	names = slices.Compact(names)
	const most = 3
	shown := make([]string, 0, most)
	for _, n := range names[:min(len(names), most)] {
		shown = append(shown, cut(plain(n), 80))
	}
	out := strings.Join(shown, ", ")
	if more := len(names) - most; more > 0 {
		out += " and " + strconv.Itoa(more) + " more"
	}
	return out
}
