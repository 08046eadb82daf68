package ganeti

import (
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// What cluster tags that begin so make of the tags of nodes and instances; see hbal(1).
const (
	exclusionTag = "htools:iextags:"
	migrationTag = "htools:migration:"
	allowTag     = "htools:allowmigration:"
	locationTag  = "htools:nlocation:"
)

// named gives what follows a prefix in the cluster's tags.
func (c *Cluster) named(prefix string) (rest []string) {
	for _, tag := range c.Tags {
		if r, is := strings.CutPrefix(tag, prefix); is && r != "" {
			rest = append(rest, r)
		}
	}
	return rest
}

// chosen are those tags that begin with one of some prefixes, each once.
func chosen(tags, prefixes []string) (those []string) {
	for _, tag := range tags {
		if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(tag, p) }) && !slices.Contains(those, tag) {
			those = append(those, tag)
		}
	}
	return those
}

// placeTags are what the tags of nodes say of where instances may go.
type placeTags struct {
	rack   map[string]string   // node -> what it shares with those that fail with it
	offers map[string][]string // node -> the migration tags of nodes that it can receive from
	needs  map[string][]string // node -> its own migration tags, which instances from there ask for
}

// anyNode is offered by all nodes of a cluster with migration tags, since a list that is empty would
// forbid nothing.
const anyNode = "ganeti"

// placeTags reads the cluster's migration and location tags. A migration tag stands for what hypervisor
// and processor ask for, so it becomes a CPU feature.
func (m *making) placeTags() {
	m.tags = placeTags{map[string]string{}, map[string][]string{}, map[string][]string{}}
	places, restricted := m.c.named(locationTag), m.c.named(migrationTag)
	for _, d := range m.c.Nodes {
		if len(places) > 0 {
			m.tags.rack[d.Name] = strings.Join(chosen(d.Tags, places[:1]), "+")
		}
		if len(restricted) > 0 {
			own := chosen(d.Tags, restricted)
			m.tags.needs[d.Name], m.tags.offers[d.Name] = own, append([]string{anyNode}, m.c.received(own)...)
		}
	}
	if len(places) > 1 {
		m.note("location tags of %d kinds: %s became the rack, the others (%s) are left out", len(places), places[0], strings.Join(places[1:], ", "))
	}
	if len(restricted) > 0 {
		m.note("migration tags (%s) became CPU features of hosts and instances; an instance keeps those of the node that it is on now", strings.Join(restricted, ", "))
	}
	m.otherTags()
}

// received adds to a node's migration tags those that the cluster allows beside them: x::y lets a node
// with y receive as if it had x.
func (c *Cluster) received(own []string) []string {
	all := slices.Clone(own)
	for _, pair := range c.named(allowTag) {
		from, to, ok := strings.Cut(pair, "::")
		if ok && slices.Contains(own, to) && !slices.Contains(all, from) {
			all = append(all, from)
		}
	}
	return all
}

// otherTags notes the cluster's tags for htools that nothing was made of.
func (m *making) otherTags() {
	var left []string
	for _, tag := range m.c.Tags {
		if strings.HasPrefix(tag, "htools:") && len(chosen([]string{tag}, []string{exclusionTag, migrationTag, allowTag, locationTag})) == 0 {
			left = append(left, tag)
		}
	}
	if len(left) > 0 {
		m.note("cluster tags that are left out: %s", strings.Join(left, ", "))
	}
}

// exclusions makes a group of each exclusion tag that instances have: no two of them on one host. Ganeti
// does not say how many may be away at once, so the default holds, one; or as many as run on one host
// today, for else that host could never be emptied. Those that are stopped already do not count.
func (m *making) exclusions() {
	prefixes := m.c.named(exclusionTag)
	if len(prefixes) == 0 {
		return
	}
	var all []*excluded
	byTag, taken := map[string]*excluded{}, map[string]bool{}
	for n := range m.c.Instances {
		i := &m.c.Instances[n]
		for _, tag := range chosen(i.Tags, prefixes) {
			if byTag[tag] == nil {
				byTag[tag] = &excluded{group: fleet.Group{ID: idOf(tag, taken), Spread: fleet.SpreadHost}, on: map[string]int{}, together: 1}
				all = append(all, byTag[tag])
			}
			byTag[tag].add(i)
		}
	}
	var shared []string
	for _, e := range all {
		if allowed := min(e.stopped+e.together, len(e.group.Members)); allowed > 1 {
			e.group.MaxUnavailable = allowed
		}
		if e.together > 1 {
			shared = append(shared, e.group.ID)
		}
		m.f.Groups = append(m.f.Groups, e.group)
	}
	if n := len(shared); n > 0 {
		m.note("exclusion tags whose instances share a node already: %d (%s%s); as many may be away at once", n, strings.Join(shared[:min(n, 5)], ", "), map[bool]string{true: ", ..."}[n > 5])
	}
}

// excluded are the instances with one exclusion tag.
type excluded struct {
	group    fleet.Group
	on       map[string]int // node -> those that run there
	together int            // the most that run on one node, at least 1
	stopped  int
}

func (e *excluded) add(i *Instance) {
	e.group.Members = append(e.group.Members, i.Name)
	if state(i) == fleet.Stopped {
		e.stopped++
		return
	}
	e.on[i.Primary]++
	e.together = max(e.together, e.on[i.Primary])
}
