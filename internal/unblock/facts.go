package unblock

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// fixedChange is one without a number.
func fixedChange(o option, c plan.Change) *option {
	o.key = strings.Join([]string{c.Of, c.ID, c.Field, c.To}, "\x00")
	o.change = func(int64) plan.Change { return c }
	return &o
}

func ofHost(h *fleet.Host, r rank, field, to, words string, set func(*fleet.Host)) *option {
	return fixedChange(option{rank: r, only: subject{"host", h.ID}, apply: func(in *planner.Input, _ int64) { set(hostOf(in, h.ID)) }},
		plan.Change{Of: "host", ID: h.ID, Field: field, To: to, Words: words})
}

func ofInstance(i *fleet.Instance, r rank, field, to, words string, set func(*fleet.Instance)) *option {
	return fixedChange(option{rank: r, only: subject{"instance", i.ID}, apply: func(in *planner.Input, _ int64) { set(instanceOf(in, i.ID)) }},
		plan.Change{Of: "instance", ID: i.ID, Field: field, To: to, Words: words})
}

func hostUp(h *fleet.Host) *option {
	if h.IsUp() {
		return nil
	}
	o := ofHost(h, repair, "health", string(fleet.Up), fmt.Sprintf("bring host %s back to health (it is %s)", h.ID, h.Health), func(h *fleet.Host) { h.Health = fleet.Up })
	return o
}

func hostCan(h *fleet.Host, capability string) *option {
	if h.Can(capability) {
		return nil
	}
	have := h.Capabilities
	if have == nil {
		have = []string{fleet.CanLiveMigrate, fleet.CanSuspend, fleet.CanReboot, fleet.CanUpdate} // what is assumed then
	}
	list := with(have, capability)
	return ofHost(h, ofOne, "capabilities", strings.Join(list, ", "), fmt.Sprintf("let the driver of host %s offer %s", h.ID, capability),
		func(h *fleet.Host) { h.Capabilities = with(orAssumed(h.Capabilities), capability) })
}

func orAssumed(list []string) []string {
	if list == nil {
		return []string{fleet.CanLiveMigrate, fleet.CanSuspend, fleet.CanReboot, fleet.CanUpdate}
	}
	return list
}

func shadow(h *fleet.Host) *option {
	return ofHost(h, ofOne, "virt_caps", strings.Join(with(h.VirtCaps, "shadow"), ", "), fmt.Sprintf("boot host %s with a Xen that has shadow paging", h.ID),
		func(h *fleet.Host) { h.VirtCaps = with(h.VirtCaps, "shadow") })
}

// cpuFeatures lets a host show the features that the cause's instances use.
func (s *search) cpuFeatures(h *fleet.Host) *option {
	need := s.needed(func(i *fleet.Instance) []string { return i.CPUFeatures })
	if len(h.CPUFeatures) == 0 || len(with(h.CPUFeatures, need...)) == len(h.CPUFeatures) {
		return nil
	}
	return ofHost(h, ofOne, "cpu_features", strings.Join(with(h.CPUFeatures, need...), ", "), fmt.Sprintf("let host %s offer the CPU features %s", h.ID, strings.Join(need, ", ")),
		func(h *fleet.Host) { h.CPUFeatures = with(h.CPUFeatures, need...) })
}

// offering lets a host offer the machine types, networks or storage that the cause's instances need.
func (s *search) offering(h *fleet.Host, code string) *option {
	field, needs, have := "networks", func(i *fleet.Instance) []string { return i.Networks }, func(h *fleet.Host) *[]string { return &h.Networks }
	switch code {
	case fleet.MachineMissing:
		field, have = "machine_types", func(h *fleet.Host) *[]string { return &h.MachineTypes }
		needs = func(i *fleet.Instance) []string {
			return slices.DeleteFunc([]string{i.MachineType}, func(m string) bool { return m == "" })
		}
	case fleet.StorageMissing:
		field, have = "storage", func(h *fleet.Host) *[]string { return &h.Storage }
		needs = func(i *fleet.Instance) []string { return i.Storage }
	}
	old, need := *have(h), s.needed(needs)
	if len(old) == 0 || len(with(old, need...)) == len(old) {
		return nil
	}
	o := ofHost(h, ofOne, field, strings.Join(with(old, need...), ", "), fmt.Sprintf("let host %s offer the %s %s", h.ID, strings.ReplaceAll(field, "_", " "), strings.Join(with(old, need...)[len(old):], ", ")),
		func(h *fleet.Host) { *have(h) = with(*have(h), need...) })
	o.only = subject{} // whoever needs them may go there
	return o
}

func guestType(i *fleet.Instance) *option {
	return ofInstance(i, ofOne, "guest_type", "pvh", fmt.Sprintf("run instance %s as PVH", i.ID), func(i *fleet.Instance) { i.GuestType = "pvh" })
}

func plainCPU(i *fleet.Instance) *option {
	const model = "kvm64"
	return ofInstance(i, ofOne, "cpu_model", model, fmt.Sprintf("start instance %s with the CPU model %s, which all offer", i.ID, model),
		func(i *fleet.Instance) { i.CPUModel, i.CPUFeatures = model, nil })
}

// serves starts an instance, or lets it go on.
func serves(i *fleet.Instance) *option {
	if i.State == fleet.Running || i.State == "" {
		return nil
	}
	return ofInstance(i, repair, "state", string(fleet.Running), fmt.Sprintf("let instance %s run (it is %s)", i.ID, i.State), func(i *fleet.Instance) { i.State = fleet.Running })
}

// unbound takes away the first thing that binds an instance to its host.
func unbound(i *fleet.Instance) *option {
	if r := fleet.Bound(i); r == nil {
		return nil
	}
	switch local := slices.IndexFunc(i.Disks, func(d fleet.Disk) bool { return !d.Shared }); {
	case i.Pinned != "":
		return ofInstance(i, ofOne, "pinned", "", fmt.Sprintf("unpin instance %s (%s)", i.ID, i.Pinned), func(i *fleet.Instance) { i.Pinned = "" })
	case len(i.Devices) > 0:
		return ofInstance(i, ofOne, "devices", "", fmt.Sprintf("take %s away from instance %s", strings.Join(i.Devices, ", "), i.ID), func(i *fleet.Instance) { i.Devices = nil })
	case local >= 0:
		return ofInstance(i, ofOne, "disks", "shared: true", fmt.Sprintf("put the disks of instance %s on shared storage", i.ID), func(i *fleet.Instance) {
			i.Disks = slices.Clone(i.Disks)
			for n := range i.Disks {
				i.Disks[n].Shared = true
			}
		})
	}
	first := i.Immovable[0]
	return ofInstance(i, ofOne, "immovable", "", fmt.Sprintf("take away what its driver holds against moving instance %s: %s", i.ID, cmp.Or(first.Why, first.Code)), func(i *fleet.Instance) { i.Immovable = nil })
}

// contact is any address: which one is the operator's to know.
func contact(tenant string) *option {
	const to = "an e-mail address"
	return fixedChange(option{rank: repair, apply: func(in *planner.Input, _ int64) {
		t := one(in.Fleet.Tenants, func(t *fleet.Tenant) bool { return t.ID == tenant })
		if t.ID == "" { // instances may name a tenant of whom nothing is known
			in.Fleet.Tenants = append(in.Fleet.Tenants, fleet.Tenant{ID: tenant})
			t = &in.Fleet.Tenants[len(in.Fleet.Tenants)-1]
		}
		t.Contacts = []fleet.Contact{{Email: "somebody@tenant.example"}}
	}}, plan.Change{Of: "tenant", ID: tenant, Field: "contacts", To: to, Words: fmt.Sprintf("give tenant %s a contact (%s)", tenant, to)})
}

// groups lets groups spare what the turn disturbs: members come back, or more of them may be away.
func (c *collector) groups(b plan.Blocked, guests []*fleet.Instance) {
	list := groupsAtFault(c.ix, b)
	if len(list) == 0 {
		for _, i := range guests {
			list = append(list, c.ix.GroupsOf[i.ID]...)
		}
	}
	for _, g := range list {
		for _, m := range idle(c.ix, g) {
			c.put(serves(m))
			c.put(hostUp(c.ix.Hosts[m.Host]))
		}
		c.put(c.sparing(g))
	}
}

// sparing lets more of a group be down at once. One that does not serve as it is counts, and once more in its host's turn.
func (c *collector) sparing(g *fleet.Group) *option {
	now, id := int64(g.Allowed()), g.ID
	return &option{key: "group max " + id, rank: lessSafe, least: 1, most: max(1, int64(len(c.ix.Members[id])+len(idle(c.ix, g)))),
		change: func(n int64) plan.Change {
			return plan.Change{Of: "group", ID: id, Field: "max_unavailable", To: fmt.Sprint(now + n), Words: fmt.Sprintf("let %d members of group %s be down at once (now %d)", now+n, id, now)}
		},
		apply: func(in *planner.Input, n int64) { groupOf(in, id).MaxUnavailable = int(now + n) }}
}

// spreads gives the spread of groups up.
func (c *collector) spreads(guests []*fleet.Instance) {
	for _, i := range guests {
		for _, g := range c.ix.GroupsOf[i.ID] {
			if g.Spread == fleet.SpreadNone {
				continue
			}
			id := g.ID
			c.put(fixedChange(option{rank: drastic, apply: func(in *planner.Input, _ int64) { groupOf(in, id).Spread = fleet.SpreadNone }},
				plan.Change{Of: "group", ID: id, Field: "spread", To: "", Words: fmt.Sprintf("let members of group %s share a %s", id, g.Spread)}))
		}
	}
}

// hostGroups lets host groups spare a host: others come back, or more may be away.
func (c *collector) hostGroups(h *fleet.Host) {
	for _, g := range c.ix.HostGroupsOf[h.ID] {
		down := downOf(c.ix, g)
		if len(down) < g.MaxUnavailable {
			continue
		}
		for _, d := range down {
			c.put(hostUp(d))
		}
		id, now := g.ID, int64(g.MaxUnavailable)
		c.put(&option{key: "host group max " + id, rank: lessSafe, least: 1, most: max(1, int64(len(g.Hosts))),
			change: func(n int64) plan.Change {
				return plan.Change{Of: "host-group", ID: id, Field: "max_unavailable", To: fmt.Sprint(now + n), Words: fmt.Sprintf("let %d hosts of host group %s be away at once (now %d)", now+n, id, now)}
			},
			apply: func(in *planner.Input, n int64) {
				one(in.Fleet.HostGroups, func(g *fleet.HostGroup) bool { return g.ID == id }).MaxUnavailable = int(now + n)
			}})
	}
}
