package unblock

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// written says what a set changes, in its order: of what, from what, to what. Of a list that several of them
// add to, each starts from what the one before left.
func written(in planner.Input, set []pick) (out []plan.Change) {
	in = copied(in)
	for _, m := range set {
		c := m.change(m.n)
		c.From, _ = valueOf(&in, c)
		m.apply(&in, m.n)
		if to, list := valueOf(&in, c); list {
			c.To = to
		}
		out = append(out, c)
	}
	return out
}

// valueOf reads the field that a change is of; list: its words are several, and changes add to them.
func valueOf(in *planner.Input, c plan.Change) (value string, list bool) {
	switch c.Of {
	case "host":
		if c.Field == "add" {
			return "", false
		}
		return hostValue(hostOf(in, c.ID), c.Field)
	case "instance":
		return instanceValue(instanceOf(in, c.ID), c.Field), false
	case "group":
		if c.Field == "spread" {
			return string(groupOf(in, c.ID).Spread), false
		}
		return strconv.Itoa(groupOf(in, c.ID).Allowed()), false
	case "host-group":
		return strconv.Itoa(one(in.Fleet.HostGroups, func(g *fleet.HostGroup) bool { return g.ID == c.ID }).MaxUnavailable), false
	case "pool":
		return strconv.FormatInt(fleet.NewIndex(in.Fleet).ReserveMiB(c.ID), 10), false
	case "policy":
		return policyValue(&in.Policy, c.Field)
	case "target":
		return targetValue(in.Target, c.Field)
	}
	return "", false
}

func hostValue(h *fleet.Host, field string) (string, bool) {
	switch field {
	case "health":
		return string(h.Health), false
	case "capabilities":
		return strings.Join(orAssumed(h.Capabilities), ", "), true
	case "virt_caps":
		return strings.Join(h.VirtCaps, ", "), true
	case "cpu_features":
		return strings.Join(h.CPUFeatures, ", "), true
	case "machine_types":
		return strings.Join(h.MachineTypes, ", "), true
	case "networks":
		return strings.Join(h.Networks, ", "), true
	case "storage":
		return strings.Join(h.Storage, ", "), true
	}
	return "", false
}

func instanceValue(i *fleet.Instance, field string) string {
	switch field {
	case "host":
		return i.Host
	case "state":
		return string(i.State)
	case "pinned":
		return i.Pinned
	case "devices":
		return strings.Join(i.Devices, ", ")
	case "disks":
		return "shared: false"
	case "immovable":
		if len(i.Immovable) > 0 {
			return i.Immovable[0].Code
		}
	case "guest_type":
		return i.GuestType
	case "cpu_model":
		return i.CPUModel
	}
	return ""
}

func policyValue(p *plan.Policy, field string) (string, bool) {
	switch field {
	case "tactics":
		return joined(p.Tactics), true
	case "non_converging":
		return strings.Join(p.NonConverging, ", "), true
	case "times.save_max":
		return p.Times.SaveMax.String(), false
	case "times.migrate_max":
		return p.Times.MigrateMax.String(), false
	case "moves_per_host":
		return strconv.Itoa(p.MovesPerHost), false
	case "max_away_percent":
		return strconv.Itoa(p.MaxAwayPercent), false
	case "slot":
		return p.Slot.String(), false
	case "finish_by":
		return p.FinishBy.UTC().Format(time.RFC3339), false
	case "keep_reserve":
		return strconv.FormatBool(p.KeepReserve), false
	case "after_disclosure":
		return strconv.FormatBool(p.AfterDisclosure), false
	case "stagger_sites":
		return strconv.FormatBool(p.StaggerSites), false
	case "stagger_regions":
		return strconv.FormatBool(p.StaggerRegions), false
	case "away_per_rack":
		return strconv.Itoa(p.AwayPerRack), false
	case "away_per_region":
		return strconv.Itoa(p.AwayPerRegion), false
	case "stagger_racks":
		return strconv.FormatBool(p.StaggerRacks), false
	case "stagger_gap":
		g := p.StaggerGap
		return fmt.Sprintf("racks %s, sites %s, regions %s", g.Racks, g.Sites, g.Regions), false
	}
	var n int
	if _, err := fmt.Sscanf(field, "windows[%d].length", &n); err == nil && n < len(p.Windows) {
		return p.Windows[n].Length.String(), false
	}
	return "", false // of windows: one more
}

func targetValue(t *plan.Target, field string) (string, bool) {
	if field == "finish_by" {
		return t.FinishBy.UTC().Format(time.RFC3339), false
	}
	var n int
	if _, err := fmt.Sscanf(field, "cohorts[%d].", &n); err != nil || n >= len(t.Cohorts) {
		return "", false
	}
	if strings.HasSuffix(field, ".in_place") {
		return strconv.FormatBool(t.Cohorts[n].InPlace), false
	}
	return joined(t.Cohorts[n].Tactics), true
}
