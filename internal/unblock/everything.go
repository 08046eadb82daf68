package unblock

import (
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// everything adds to a list the changes of all kinds to a whole small fleet, whether they look as if they
// could help or not: that no smaller set frees a cause is said of all of them.
func (s *search) everything(list []*option) []*option {
	c := &collector{search: s, seen: map[string]bool{}}
	for _, o := range list {
		c.put(o)
	}
	for _, id := range sortedKeys(s.ix.Hosts) {
		h := s.ix.Hosts[id]
		c.put(hostUp(h))
		c.tactics(h, everyTactic...)
		c.capabilities(h)
		c.longerSlots(h)
		c.reserves(h)
		c.room(h, nil)
		c.room(h, h)
		c.sooner(h)
		c.hostGroups(h)
		if len(s.in.Policy.Windows) > 0 && s.ix.SiteOf(id) != nil {
			c.newWindow(h)
		}
	}
	for _, id := range sortedKeys(s.ix.Instances) {
		i := s.ix.Instances[id]
		c.put(unbound(i))
		c.put(serves(i))
		if t := s.ix.Tenants[i.Tenant]; i.Tenant != "" && (t == nil || len(t.Contacts) == 0) {
			c.put(contact(i.Tenant))
		}
		c.spreads([]*fleet.Instance{i})
		for _, g := range s.ix.GroupsOf[id] {
			c.put(c.sparing(g))
		}
	}
	c.longer("save_max", func(t *plan.Times) *plan.Duration { return &t.SaveMax })
	c.longer("migrate_max", func(t *plan.Times) *plan.Duration { return &t.MigrateMax })
	c.put(postCopy(s.in.Policy))
	if !s.in.Policy.FinishBy.IsZero() || s.in.Target != nil && !s.in.Target.FinishBy.IsZero() {
		c.deadline("after-finish-by")
	}
	if s.in.Target != nil && !s.in.Target.Disclosure.IsZero() {
		c.deadline("after-disclosure")
	}
	inOrder(c.out)
	return c.out
}
