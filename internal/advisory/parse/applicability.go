package parse

import (
	"slices"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/version"
)

// applicability reads CPE applicability statements: NVD's configurations and a CVE record's
// cpeApplicability, which have one shape. Configurations are alternatives. In one of operator AND,
// nodes are software and what it runs on; a match that is not 'vulnerable' is always the latter.
type applicability struct {
	d      *document
	source string
	lists  map[string]*matchList
	keys   []string // of lists, in the order of the text
	// distros and others are names of vulnerable software of which no package version follows.
	distros, others []string
	gaps            []string
}

// matchList is what was read of one project under one set of conditions. The three kinds of spans
// come in this order: a match without readable versions might hold any.
type matchList struct {
	statement
	sure, maybe []span
}

// cpeNode is one node of a configuration.
type cpeNode struct {
	and, negated bool
	matches      []match
}

// read takes in the configurations under a key.
func (a *applicability) read(n *node, key string) {
	for _, c := range a.d.objects(n, key, "a configuration with nodes") {
		a.configuration(c)
	}
}

func (a *applicability) configuration(n *node) {
	and, negated := a.operator(n)
	var nodes []cpeNode
	ours := false
	for _, e := range a.d.objects(n, "nodes", "a node with cpeMatch") {
		c := cpeNode{}
		c.and, c.negated = a.operator(e)
		c.negated = c.negated || negated
		for _, m := range a.d.objects(e, "cpeMatch", "a match with criteria") {
			c.matches = append(c.matches, a.match(m))
		}
		for i := range c.matches {
			ours = a.note(&c.matches[i]) || ours
		}
		nodes = append(nodes, c)
	}
	if !ours {
		return
	}
	around := func(int) []place { return everywhere }
	if and {
		around = besides(nodes)
	}
	for i := range nodes {
		for k := range nodes[i].matches {
			if m := &nodes[i].matches[k]; m.ok && m.vulnerable && m.project != "" {
				a.add(m, both(around(i), nodes[i].beside(k)), nodes[i].negated)
			}
		}
	}
}

// operator reads operator and negate, which are absent where nothing is joined.
func (a *applicability) operator(n *node) (and, negated bool) {
	op, child, ok := a.d.text(n, "operator")
	if ok && op != "AND" && op != "OR" {
		a.d.wrong(child.at, child.path, child.show(), "AND or OR")
	}
	return op == "AND", a.d.flag(n, "negate")
}

func (a *applicability) match(n *node) (m match) {
	m.criteria = a.d.word(n, "criteria")
	m.cpe, m.ok = parseCPE(m.criteria)
	m.vulnerable = a.d.flag(n, "vulnerable")
	m.project = projectOf(m.cpe.vendor, m.cpe.product)
	for i, key := range []string{"versionStartIncluding", "versionStartExcluding", "versionEndIncluding", "versionEndExcluding"} {
		m.bounds[i] = a.d.word(n, key)
	}
	return m
}

// note remembers vulnerable software that is no project's here; ours is true for what is.
func (a *applicability) note(m *match) (ours bool) {
	switch {
	case !m.vulnerable:
		return false
	case !m.ok:
		a.gaps = append(a.gaps, a.source+" names "+quote80(m.criteria)+", which is no CPE name: nothing is read from it")
		return false
	case m.project != "":
		return true
	}
	if distro := ecosystemOfCPE(m.criteria); distro != "" {
		a.distros = append(a.distros, distro)
	} else {
		a.others = append(a.others, cut(plain(m.cpe.vendor+":"+m.cpe.product), 60))
	}
	return false
}

// platform of a node: of any of its matches, or of all.
func (c *cpeNode) platform() []place {
	if c.negated || c.and && len(c.matches) > maxPlaces {
		return somewhere
	}
	var out []place
	for i := range c.matches {
		switch at := c.matches[i].platform(); {
		case i == 0:
			out = at
		case c.and:
			out = both(out, at)
		default:
			out = either(out, at)
		}
	}
	if out == nil {
		return somewhere // a node without matches says nothing
	}
	return out
}

// beside is the platform that the other matches of a node make for one of them: none, unless all
// must hold.
func (c *cpeNode) beside(k int) []place {
	if !c.and || len(c.matches) < 2 {
		return everywhere
	}
	if len(c.matches) > maxPlaces {
		return somewhere
	}
	rest := cpeNode{and: true, matches: slices.Concat(c.matches[:k], c.matches[k+1:])}
	return rest.platform()
}

// besides gives, for each node of a configuration in which all must hold, the platform that the
// others make for it.
func besides(nodes []cpeNode) func(i int) []place {
	if len(nodes) > maxPlaces {
		return func(int) []place { return somewhere }
	}
	platforms := make([][]place, len(nodes))
	for k := range nodes {
		platforms[k] = nodes[k].platform()
	}
	return func(i int) []place {
		out := everywhere
		for k, p := range platforms {
			if k != i {
				out = both(out, p)
			}
		}
		return out
	}
}

// add takes in one vulnerable match of a project that runs on the platform at.
func (a *applicability) add(m *match, at []place, negated bool) {
	at = both(at, m.cpe.targets())
	sure, found := conditions(at, true)
	if found {
		l := a.list(m.project, sure)
		if p, ok := l.span(m); ok && !negated {
			l.sure = append(l.sure, p)
		} else {
			l.missing(isAffected, m.words(negated))
		}
		if sure == nil {
			return // everywhere: the rest of the places says nothing more
		}
	}
	perhaps, found := conditions(at, false)
	if !found {
		return
	}
	l := a.list(m.project, perhaps)
	l.perhaps = true
	if p, ok := l.span(m); ok && !negated {
		p.says = isUnknown
		l.maybe = append(l.maybe, p)
	} else {
		l.missing(isUnknown, m.words(negated))
	}
	a.gaps = append(a.gaps, a.source+" ties "+m.project+" to a platform of which a fleet's facts do not tell, or not all: on hosts that may be it, whether they are affected is unknown")
}

// list gives the list of a project under some conditions.
func (a *applicability) list(project string, applies []advisory.Condition) *matchList {
	key := project + keyOf(applies)
	if l := a.lists[key]; l != nil {
		return l
	}
	if a.lists == nil {
		a.lists = map[string]*matchList{}
	}
	l := &matchList{statement: statement{
		source: a.source, ecosystem: version.Upstream, pkg: project, applies: applies, rest: isUnaffected, implied: true,
	}}
	a.lists[key], a.keys = l, append(a.keys, key)
	return l
}

// statements gives what was read.
func (a *applicability) statements() (out []*statement) {
	for _, key := range a.keys {
		l := a.lists[key]
		s := l.statement
		s.spans = slices.Concat(l.spans, l.sure, l.maybe)
		out = append(out, &s)
	}
	return out
}

// allGaps gives the gaps, with what else is named.
func (a *applicability) allGaps() []string {
	gaps := distinct(a.gaps)
	if len(a.distros) > 0 {
		gaps = append(gaps, a.source+" names "+listed(a.distros, 8)+" as affected without a package version: nothing follows for their packages")
	}
	if len(a.others) > 0 {
		gaps = append(gaps, a.source+" names software that is not known here: "+listed(a.others, 5))
	}
	return gaps
}
