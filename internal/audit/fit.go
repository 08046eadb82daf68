package audit

import (
	"fmt"
	"sort"
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// unfit says why a host cannot take an instance alive from another, whatever the room; code "" when
// it can. What is not known forbids nothing. runs is what the instance runs on now, lands what it
// would run on there (package -> version); by orders these versions.
func unfit(by family, in *fleet.Instance, from, to *fleet.Host, runs, lands map[string]string) (code, why string) {
	for _, rule := range []func(*fleet.Instance, *fleet.Host, *fleet.Host) (string, string){bound, hostsAble, shadowless, cpu, offers} {
		if code, why = rule(in, from, to); code != "" {
			return code, why
		}
	}
	return older(by, in.ID, to.ID, runs, lands)
}

// bound: something about the instance itself keeps it from moving alive.
func bound(in *fleet.Instance, _, _ *fleet.Host) (code, why string) {
	if in.Pinned != "" {
		return fleet.PinnedToHost, fmt.Sprintf("%s is pinned: %s", in.ID, in.Pinned)
	}
	if len(in.Devices) > 0 {
		return fleet.DevicePassed, fmt.Sprintf("%s holds %d passed-through devices, first %s", in.ID, len(in.Devices), in.Devices[0])
	}
	for _, d := range in.Disks {
		if !d.Shared {
			return fleet.LocalDisk, fmt.Sprintf("disk %s of %s is not shared", d.Name, in.ID)
		}
	}
	for _, r := range in.Immovable {
		return r.Code, fmt.Sprintf("%s cannot move: %s", in.ID, r.Why)
	}
	return "", ""
}

// hostsAble: both hosts migrate, share a pool and run the same hypervisor.
func hostsAble(in *fleet.Instance, from, to *fleet.Host) (code, why string) {
	for _, h := range []*fleet.Host{from, to} {
		if !can(h, "live-migrate") {
			return fleet.NoLiveMigration, fmt.Sprintf("host %s does not publish live-migrate", h.ID)
		}
	}
	if !meet(from.Pools, to.Pools) {
		return fleet.NoCommonPool, fmt.Sprintf("hosts %s and %s share no pool", from.ID, to.ID)
	}
	if from.Hypervisor != "" && to.Hypervisor != "" && from.Hypervisor != to.Hypervisor {
		return fleet.OtherHypervisor, fmt.Sprintf("host %s is %s and host %s is %s", from.ID, from.Hypervisor, to.ID, to.Hypervisor)
	}
	return "", ""
}

// shadowless: a PV guest leaves a Xen host alive only where virt_caps name shadow. A list with none of
// the words that xl prints beside it is an older xl's, and proves nothing.
func shadowless(in *fleet.Instance, from, _ *fleet.Host) (code, why string) {
	if strings.ToLower(in.GuestType) != "pv" {
		return "", ""
	}
	newer := false
	for _, word := range from.VirtCaps {
		switch {
		case word == "shadow":
			return "", ""
		case word == "hap", word == "iommu_hap_pt_share", word == "vmtrace", word == "vpmu", strings.HasPrefix(word, "gnttab-v"):
			newer = true
		}
	}
	if !newer {
		return "", ""
	}
	return fleet.NoShadow, fmt.Sprintf("%s is PV and would leave host %s, whose virt_caps (%s) lack shadow", in.ID, from.ID, strings.Join(from.VirtCaps, " "))
}

// can: what a host publishes; nil means not published, then all but live-patch is assumed.
func can(h *fleet.Host, capability string) bool {
	if h.Capabilities == nil {
		return capability != "live-patch"
	}
	return contains(h.Capabilities, capability)
}

func meet(a, b []string) bool {
	for _, x := range a {
		if contains(b, x) {
			return true
		}
	}
	return false
}

// hostCPU are the CPU models that stand for whatever the host has; anyCPU run everywhere.
var (
	hostCPU = []string{"host-passthrough", "host-model", "maximum"}
	anyCPU  = []string{"qemu64", "kvm64", "qemu32", "kvm32"}
)

// cpu: features decide where both lists are known; otherwise the models' names must give no reason
// for doubt.
func cpu(in *fleet.Instance, from, to *fleet.Host) (code, why string) {
	if len(in.CPUFeatures) > 0 && len(to.CPUFeatures) > 0 {
		if f := lacking(in.CPUFeatures, to.CPUFeatures); f != "" {
			return fleet.CPUMismatch, fmt.Sprintf("%s uses CPU feature %s, host %s has it not", in.ID, f, to.ID)
		}
		return "", ""
	}
	if in.CPUModel == "" || to.CPUModel == "" || to.CPUModel == from.CPUModel || in.CPUModel == to.CPUModel || contains(anyCPU, in.CPUModel) {
		return "", ""
	}
	if contains(hostCPU, in.CPUModel) && from.CPUModel == "" {
		return "", ""
	}
	return fleet.CPUMismatch, fmt.Sprintf("%s was started with CPU %s on %s, host %s has %s", in.ID, in.CPUModel, from.CPUModel, to.ID, to.CPUModel)
}

// offers: machine type, networks and storage.
func offers(in *fleet.Instance, _, to *fleet.Host) (code, why string) {
	if in.MachineType != "" && len(to.MachineTypes) > 0 && !contains(to.MachineTypes, in.MachineType) {
		return fleet.MachineMissing, fmt.Sprintf("%s needs machine type %s, host %s offers it not", in.ID, in.MachineType, to.ID)
	}
	if n := lacking(in.Networks, to.Networks); n != "" && len(to.Networks) > 0 {
		return fleet.NetworkMissing, fmt.Sprintf("%s needs network %s, host %s offers it not", in.ID, n, to.ID)
	}
	if s := lacking(in.Storage, to.Storage); s != "" && len(to.Storage) > 0 {
		return fleet.StorageMissing, fmt.Sprintf("%s needs storage %s, host %s offers it not", in.ID, s, to.ID)
	}
	return "", ""
}

func lacking(needs, has []string) string {
	for _, n := range needs {
		if !contains(has, n) {
			return n
		}
	}
	return ""
}

// older: a package that the instance runs on is known to be older at the destination. Versions that
// cannot be compared forbid nothing, as all that is not known; see doubtful for the other side.
func older(by family, instance, to string, runs, lands map[string]string) (code, why string) {
	pkgs := make([]string, 0, len(runs))
	for p := range runs {
		pkgs = append(pkgs, p)
	}
	sort.Strings(pkgs)
	for _, p := range pkgs {
		if there := lands[p]; there != "" && runs[p] != "" && by.older(there, runs[p]) {
			return fleet.OlderHypervisor, fmt.Sprintf("%s runs on %s %s, host %s has the older %s", instance, p, runs[p], to, there)
		}
	}
	return "", ""
}

// doubtful: whether the software there is older cannot be told for a package, so that nobody is to
// blame for not having moved the instance there.
func doubtful(by family, runs, lands map[string]string) bool {
	for p, have := range runs {
		if there := lands[p]; there != "" && have != "" && there != have {
			if _, known := by.compare(have, there); !known {
				return true
			}
		}
	}
	return false
}

// landing is what an instance that lands on a host runs on. A QEMU process starts from what is
// installed; everything else is what runs, else what was booted, else what is installed.
func landing(hv fleet.Hypervisor, s fleet.Software) map[string]string {
	out := map[string]string{}
	for _, layer := range []map[string]string{s.Installed, s.Booted, s.Running} {
		for p, v := range layer {
			if v != "" {
				out[p] = v
			}
		}
	}
	if hv == fleet.KVM {
		for p, v := range s.Installed {
			if strings.HasPrefix(p, "qemu") && v != "" {
				out[p] = v
			}
		}
	}
	return out
}

// onto lays one map of versions over another, which it leaves as it is.
func onto(base, over map[string]string) map[string]string {
	out := make(map[string]string, len(base)+len(over))
	for p, v := range base {
		out[p] = v
	}
	for p, v := range over {
		out[p] = v
	}
	return out
}
