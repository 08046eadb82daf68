package planner

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

func (a *again) compareHosts() {
	changed := a.changedCohorts()
	blocked := map[string]bool{}
	for _, b := range a.was.Blocked {
		if b.Host != "" {
			blocked[b.Host] = true
		}
	}
	skipped := map[string]bool{}
	for _, s := range a.was.Skipped {
		skipped[s.Host] = true
	}
	pairs(a.was.Fleet.Hosts, a.in.Fleet.Hosts, func(h *fleet.Host) string { return h.ID }, func(old, now *fleet.Host) {
		switch {
		case old == nil:
			a.touch(now, "host %s was added", now.ID)
			return
		case now == nil:
			a.touch(old, "host %s is gone", old.ID)
			return
		}
		if what := otherHost(old, now); what != "" {
			a.touch(now, "host %s: %s", now.ID, what)
			if !slices.Equal(old.Pools, now.Pools) {
				a.touch(old, "host %s: %s", now.ID, what)
			}
		}
		if changed != nil && changed(now) {
			a.touch(now, "host %s: the target has other words for its cohort", now.ID)
		}
		a.compareNeed(old, now, blocked[now.ID], skipped[now.ID])
	})
}

// compareNeed: a host needs a turn where the plan says otherwise, or needs none any more.
func (a *again) compareNeed(old, now *fleet.Host, blocked, skipped bool) {
	if a.in.Target == nil {
		return
	}
	v, _ := a.in.Assessment.Host(now.ID)
	at := v.Verdict == advisory.IsFixed || v.Verdict == advisory.NotAffected
	_, done := a.past[now.ID]
	ahead := a.turnAhead[now.ID] != nil
	switch {
	case ahead && at:
		a.touch(now, "host %s needs no turn any more", now.ID)
	case ahead && v.Verdict != advisory.IsAffected:
		a.touch(now, "whether host %s is affected is no longer known", now.ID)
	case skipped && !at:
		a.touch(now, "host %s needs a turn now, or may", now.ID)
	case !done && !ahead && !skipped && blocked && (at || !alikeJSON(old.Software, now.Software)):
		a.touch(now, "host %s had no turn, and its software is another", now.ID)
	case ahead && !alikeSoftware(&old.Software, &now.Software):
		a.touch(now, "the software of host %s is another", now.ID)
	}
}

func alikeSoftware(a, b *fleet.Software) bool {
	return maps.Equal(a.Installed, b.Installed) && maps.Equal(a.Booted, b.Booted) && maps.Equal(a.Running, b.Running) && a.BuildID == b.BuildID && slices.Equal(a.LivePatches, b.LivePatches)
}

// changedCohorts tells hosts for whose cohort the target has other words; nil: there are none.
func (a *again) changedCohorts() func(*fleet.Host) bool {
	if a.in.Target == nil || a.otherTarget() {
		return nil
	}
	other := map[*plan.Cohort]bool{}
	for i := range a.in.Target.Cohorts {
		if !alikeJSON(a.in.Target.Cohorts[i], a.was.Target.Cohorts[i]) {
			other[&a.in.Target.Cohorts[i]] = true
		}
	}
	if len(other) == 0 {
		return nil
	}
	cohorts := advisory.NewCohorts(a.in.Fleet, a.in.Target)
	return func(h *fleet.Host) bool { return other[cohorts.Of(h)] }
}

// otherHost says what a plan may rest on that is not as it was; its software is another matter. Empty: nothing.
func otherHost(old, now *fleet.Host) string {
	up := func(h *fleet.Host) fleet.Health { return cmp.Or(h.Health, fleet.Up) }
	switch {
	case up(old) != up(now):
		return fmt.Sprintf("it was %s and is %s", up(old), up(now))
	case old.MemoryMiB != now.MemoryMiB:
		return fmt.Sprintf("it had %d MiB and has %d", old.MemoryMiB, now.MemoryMiB)
	case !slices.Equal(old.Pools, now.Pools):
		return fmt.Sprintf("it was in pools %v and is in %v", old.Pools, now.Pools)
	case old.NICMbps != now.NICMbps:
		return fmt.Sprintf("its link had %d Mbit/s and has %d", old.NICMbps, now.NICMbps)
	case old.Spare != now.Spare:
		return "it became a spare, or is none any more"
	case old.Rack != now.Rack, old.Hypervisor != now.Hypervisor, old.Arch != now.Arch, old.CPUs != now.CPUs, old.CPUModel != now.CPUModel, old.CPU != now.CPU, old.Ecosystem != now.Ecosystem,
		!slices.Equal(old.CPUFeatures, now.CPUFeatures), !slices.Equal(old.MachineTypes, now.MachineTypes), !slices.Equal(old.Networks, now.Networks),
		!slices.Equal(old.Storage, now.Storage), !slices.Equal(old.Capabilities, now.Capabilities) || (old.Capabilities == nil) != (now.Capabilities == nil),
		!slices.Equal(old.VirtCaps, now.VirtCaps), !maps.Equal(old.Config, now.Config):
		return "what it can run is another"
	}
	return ""
}

// compareInstances tells who was made, resized, moved by others and deleted.
func (a *again) compareInstances() {
	moved, alone := map[string]string{}, map[string]bool{}
	for i := range a.was.Moves {
		if m := &a.was.Moves[i]; !m.End.After(a.now) {
			moved[m.Instance] = m.To
		} else if m.Start.After(a.now) {
			break
		}
	}
	for _, b := range a.was.Blocked {
		alone[b.Instance] = b.Instance != ""
	}
	pairs(a.was.Fleet.Instances, a.in.Fleet.Instances, func(i *fleet.Instance) string { return i.ID }, func(old, now *fleet.Instance) {
		switch {
		case now == nil:
			a.gone[old.ID] = true
			a.touchAt(cmp.Or(moved[old.ID], old.Host), "instance %s is gone", old.ID)
			return
		case old == nil:
			a.made[now.ID] = true
			a.touchAt(now.Host, "instance %s was made", now.ID)
			return
		}
		if alone[now.ID] {
			a.hostOf[now.ID] = now.Host
		}
		if at := cmp.Or(moved[now.ID], old.Host); at != now.Host {
			a.wandered[now.ID] = now.Host
			a.touchAt(at, "instance %s left host %s, unforeseen", now.ID, at)
			a.touchAt(now.Host, "instance %s came to host %s, unforeseen", now.ID, now.Host)
		}
		if what := otherInstance(old, now); what != "" {
			a.touchAt(now.Host, "instance %s: %s", now.ID, what)
		}
	})
}

func (a *again) touchAt(host, format string, args ...any) {
	if h := a.hosts[host]; h != nil {
		a.touch(h, format, args...)
	}
}

func otherInstance(old, now *fleet.Instance) string {
	state := func(i *fleet.Instance) fleet.State { return cmp.Or(i.State, fleet.Running) }
	switch {
	case old.MemoryMiB != now.MemoryMiB:
		return fmt.Sprintf("it had %d MiB and has %d", old.MemoryMiB, now.MemoryMiB)
	case state(old) != state(now):
		return fmt.Sprintf("it was %s and is %s", state(old), state(now))
	case old.DirtyMiBps != now.DirtyMiBps:
		return "it dirties memory at another rate"
	case old.Tenant != now.Tenant, old.Group != now.Group:
		return "it has another tenant or group"
	case old.GuestType != now.GuestType, old.CPUModel != now.CPUModel, old.MachineType != now.MachineType, old.Pinned != now.Pinned, old.NoSuspend != now.NoSuspend,
		!slices.Equal(old.CPUFeatures, now.CPUFeatures), !slices.Equal(old.Networks, now.Networks), !slices.Equal(old.Storage, now.Storage), !slices.Equal(old.Disks, now.Disks),
		!slices.Equal(old.Devices, now.Devices), !slices.Equal(old.Immovable, now.Immovable), !maps.Equal(old.Config, now.Config):
		return "what it needs is another"
	}
	return ""
}
