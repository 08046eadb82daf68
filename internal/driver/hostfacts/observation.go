package hostfacts

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// Software puts down what of a host's software is installed, what it booted with and which live
// patches its kernel has, each with how that was seen. asked are packages whose files' age says with
// which version of them the host booted: not those of a kernel or a hypervisor, of which another
// build may have been booted. Of a host that was not asked nothing is put down.
func (f Facts) Software(o *driver.Observation, asked []string) {
	o.BootID = f.BootID
	o.Software = fleet.Software{Booted: map[string]string{}, Running: map[string]string{}, Looked: map[string]fleet.Sighting{}}
	if f.Manager == "" {
		return
	}
	f.installed(o, asked)
	f.booted(o, asked)
	f.patches(o)
}

// Looked notes when and how a layer of an observation was read.
func Looked(o *driver.Observation, layer string, at time.Time, ways []string) {
	slices.Sort(ways)
	o.Software.Looked[layer] = fleet.Sighting{At: at, How: strings.Join(slices.Compact(ways), ", ")}
}

func miss(o *driver.Observation, format string, args ...any) {
	o.Missing = append(o.Missing, fmt.Sprintf(format, args...))
}

func gap(o *driver.Observation, format string, args ...any) {
	o.Gaps = append(o.Gaps, fmt.Sprintf(format, args...))
}

func (f Facts) installed(o *driver.Observation, asked []string) {
	how, known := managers[f.Manager]
	if !known {
		miss(o, "installed packages: the host has neither dpkg nor rpm nor apk")
		return
	}
	o.Software.Installed = maps.Clone(f.Installed)
	if kernel, _, _, _ := f.BootedKernel(); kernel[f.KernelLine] == "" && !slices.Contains(asked, f.KernelLine) {
		// It only brings kernels. Without the version that was booted it would pass for what serves.
		delete(o.Software.Installed, f.KernelLine)
	}
	for _, pkg := range asked {
		if status, odd := f.Status[pkg]; odd {
			miss(o, "installed %s: %s says it is %s", pkg, how, status)
		}
	}
	Looked(o, fleet.LayerInstalled, o.At, []string{how + " over SSH"})
}

func (f Facts) booted(o *driver.Observation, asked []string) {
	var ways []string
	kernel, how, why, none := f.BootedKernel()
	switch {
	case none:
		gap(o, "booted kernel: %s", why)
	case why != "":
		miss(o, "booted %s: %s", f.Kernel, why)
	default:
		ways = append(ways, how)
	}
	for _, pkg := range asked {
		if _, told := kernel[pkg]; told || pkg == f.Kernel || pkg == f.KernelLine {
			continue // its files' age does not say which of the installed kernels was booted
		}
		if v, why := f.BootedWith(pkg); v != "" {
			o.Software.Booted[pkg] = v
			ways = append(ways, f.fileTimes())
		} else if why != "" && f.Manager == "apk" {
			gap(o, "booted %s: %s", pkg, why)
		} else if why != "" {
			miss(o, "booted %s: %s", pkg, why)
		}
	}
	maps.Copy(o.Software.Booted, kernel)
	if len(ways) > 0 {
		Looked(o, fleet.LayerBooted, o.At, ways)
	}
}

// patches puts the kernel's live patches down.
func (f Facts) patches(o *driver.Observation) {
	switch {
	case f.LivePatches != nil:
		o.Software.LivePatches = f.LivePatches
		Looked(o, fleet.LayerLivePatches, o.At, []string{"/sys/kernel/livepatch over SSH"})
	case f.PatchesWhy != "":
		miss(o, "live patches: %s", f.PatchesWhy)
	default:
		gap(o, "live patches: the host does not show /sys/kernel")
	}
}

// Machine puts down what the host is, as advisories ask for it.
func (f Facts) Machine(o *driver.Observation, h *fleet.Host) {
	if f.Manager == "" {
		return // not asked: that is said already
	}
	h.Arch, h.CPU = f.Arch, f.CPU
	if len(f.Config) > 0 {
		h.Config = maps.Clone(f.Config)
	}
	name, why := Ecosystem(f.OS)
	if h.Ecosystem = name; name == "" {
		gap(o, "ecosystem: %s", why)
	}
	if h.CPU.Vendor == "" {
		gap(o, "CPU vendor: /proc/cpuinfo names none that is known")
	}
	if len(f.Uneven) > 0 {
		miss(o, "microcode: its processors have several revisions: %s", strings.Join(f.Uneven, ", "))
	}
}
