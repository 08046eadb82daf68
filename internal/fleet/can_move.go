package fleet

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/version"
)

// What a driver can publish in Host.Capabilities.
const (
	CanLiveMigrate = "live-migrate"
	CanLivePatch   = "live-patch"
	CanSuspend     = "suspend"
	CanReboot      = "reboot"
	CanUpdate      = "update"
)

// CanMove tells why an instance may not be live-migrated from one host to another: the first
// reason found, what binds the instance itself before what the two hosts lack. nil: it may move.
// Room and spread are not looked at, since they depend on what else moves. What is not known
// forbids nothing.
func CanMove(ix *Index, i *Instance, from, to *Host) *Reason {
	if from == nil || to == nil {
		return reason(HostUnfit, "%s cannot be moved between hosts that are not both known", i.ID)
	}
	rules := []func(i *Instance, from, to *Host) *Reason{
		bound, migrates, followsMemory, sharesPool, sameHypervisor, cpuFits, offersAll, notOlder, fit,
	}
	for _, rule := range rules {
		if why := rule(i, from, to); why != nil {
			return why
		}
	}
	return nil
}

// Bound tells why an instance cannot leave its host alive, wherever it would go; nil when nothing
// about the instance itself forbids it.
func Bound(i *Instance) *Reason { return bound(i, nil, nil) }

func reason(code, format string, args ...any) *Reason {
	return &Reason{Code: code, Why: fmt.Sprintf(format, args...)}
}

func bound(i *Instance, _, _ *Host) *Reason {
	switch {
	case i.Pinned != "":
		return reason(PinnedToHost, "%s is pinned to its host: %s", i.ID, i.Pinned)
	case len(i.Devices) > 0:
		return reason(DevicePassed, "%s holds the device %s of its host", i.ID, i.Devices[0])
	}
	for _, d := range i.Disks {
		if !d.Shared {
			return reason(LocalDisk, "disk %s of %s lies on its host alone", d.Name, i.ID)
		}
	}
	if len(i.Immovable) > 0 {
		first := i.Immovable[0]
		return &first
	}
	return nil
}

func migrates(i *Instance, from, to *Host) *Reason {
	for _, h := range []*Host{from, to} {
		if !h.Can(CanLiveMigrate) {
			return reason(NoLiveMigration, "host %s cannot live-migrate", h.ID)
		}
	}
	return nil
}

// followsMemory: while a PV guest moves, Xen notes which of its memory changes by shadow paging, so a
// host whose Xen was built without cannot send one away. What cannot be told forbids nothing: xl info
// tells of shadow in virt_caps since it tells of hap (Xen 4.13).
func followsMemory(i *Instance, from, to *Host) *Reason {
	tells := slices.ContainsFunc(from.VirtCaps, func(c string) bool { return slices.Contains(besideShadow, c) })
	if !strings.EqualFold(i.GuestType, "pv") || !tells || slices.Contains(from.VirtCaps, "shadow") {
		return nil
	}
	return reason(NoShadow, "%s is a PV guest, and the Xen of host %s has no shadow paging (virt_caps: %s), without which it cannot live-migrate away",
		i.ID, from.ID, strings.Join(from.VirtCaps, " "))
}

// besideShadow are words of virt_caps that came with shadow, or after it.
var besideShadow = []string{"hap", "iommu_hap_pt_share", "vmtrace", "vpmu", "gnttab-v1", "gnttab-v2"}

func sharesPool(i *Instance, from, to *Host) *Reason {
	for _, pool := range from.Pools {
		if slices.Contains(to.Pools, pool) {
			return nil
		}
	}
	return reason(NoCommonPool, "hosts %s and %s share no pool", from.ID, to.ID)
}

func sameHypervisor(i *Instance, from, to *Host) *Reason {
	if from.Hypervisor != to.Hypervisor && from.Hypervisor != "" && to.Hypervisor != "" {
		return reason(OtherHypervisor, "host %s runs %s, host %s runs %s", from.ID, from.Hypervisor, to.ID, to.Hypervisor)
	}
	return nil
}

// plainCPU are the CPU models that every x86 host offers.
var plainCPU = map[string]bool{"qemu64": true, "kvm64": true, "qemu32": true, "kvm32": true}

// cpuFits judges by features where both sides tell theirs, else by the models' names: the same
// model, or one that the instance runs on already, fits; another one is refused, for nothing shows
// that the guest would find what it was started with.
func cpuFits(i *Instance, from, to *Host) *Reason {
	if len(i.CPUFeatures) > 0 && len(to.CPUFeatures) > 0 {
		if f := missing(i.CPUFeatures, to.CPUFeatures); f != "" {
			return reason(CPUMismatch, "%s uses the CPU feature %s, which host %s lacks", i.ID, f, to.ID)
		}
		return nil
	}
	switch model := i.CPUModel; {
	case model == "", to.CPUModel == "", plainCPU[model], to.CPUModel == model, to.CPUModel == from.CPUModel:
		return nil
	case model == "host-passthrough" || model == "host-model" || model == "maximum":
		if from.CPUModel == "" {
			return nil
		}
		return reason(CPUMismatch, "%s uses its host's own CPU, %s, and host %s has %s", i.ID, from.CPUModel, to.ID, to.CPUModel)
	default:
		return reason(CPUMismatch, "%s uses the CPU model %s, host %s has %s, and no list of features shows that it fits", i.ID, model, to.ID, to.CPUModel)
	}
}

// offersAll: machine type, networks and storage.
func offersAll(i *Instance, from, to *Host) *Reason {
	var machine []string
	if i.MachineType != "" {
		machine = []string{i.MachineType}
	}
	for _, need := range []struct {
		code, what    string
		needs, offers []string
	}{
		{MachineMissing, "machine type", machine, to.MachineTypes},
		{NetworkMissing, "network", i.Networks, to.Networks},
		{StorageMissing, "storage", i.Storage, to.Storage},
	} {
		if m := missing(need.needs, need.offers); m != "" && len(need.offers) > 0 {
			return reason(need.code, "%s needs the %s %s, which host %s lacks", i.ID, need.what, m, to.ID)
		}
	}
	return nil
}

// missing gives the first need that is not offered, empty when there is none.
func missing(needs, offers []string) string {
	for _, n := range needs {
		if !slices.Contains(offers, n) {
			return n
		}
	}
	return ""
}

// notOlder compares, package by package, what the instance runs on with what it would land on.
// Versions of different families have no order, and then nothing is known.
func notOlder(i *Instance, from, to *Host) *Reason {
	now := serving(from.Software)
	maps.Copy(now, i.Running)
	then := serving(to.Software)
	ecosystem := cmp.Or(to.Ecosystem, from.Ecosystem, version.Debian)
	if from.Ecosystem != "" && version.FamilyOf(from.Ecosystem) != version.FamilyOf(ecosystem) {
		return nil
	}
	for _, pkg := range sortedKeys(now) {
		there, known := then[pkg]
		if !known {
			continue
		}
		if order, err := version.Compare(ecosystem, now[pkg], there); err == nil && order > 0 {
			return reason(OlderHypervisor, "%s runs on %s %s, host %s has the older %s", i.ID, pkg, now[pkg], to.ID, there)
		}
	}
	return nil
}

// serving is what a host gives its instances: what runs, or, where that is not known, what it
// booted with, or what is installed.
func serving(s Software) map[string]string {
	merged := make(map[string]string, len(s.Running)+len(s.Installed))
	for _, facts := range []map[string]string{s.Installed, s.Booted, s.Running} {
		for pkg, v := range facts {
			if v != "" {
				merged[pkg] = v
			}
		}
	}
	return merged
}

func fit(i *Instance, from, to *Host) *Reason {
	if !to.IsUp() {
		return reason(HostUnfit, "host %s is %s", to.ID, to.Health)
	}
	return nil
}
