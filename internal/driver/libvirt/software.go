package libvirt

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// QEMUUpstream is the name under which a host's upstream QEMU number, like 7.2.18, is published
// among what it runs: of the emulator on its disk, which a guest started now would get. A guest whose
// QEMU tells no package's version is published under it, too.
const QEMUUpstream = "qemu-upstream"

// defaultQEMU is the package of QEMU on a host that was not asked for its own.
const defaultQEMU = "qemu-system-x86"

// emulatorPackage is the package whose version a guest's monitor on this host reports.
func (d *Driver) emulatorPackage(f hostFacts) string {
	return cmp.Or(d.cfg.Emulator, f.qemu, defaultQEMU)
}

// asked lists the packages that were asked for.
func (d *Driver) asked(f hostFacts) []string {
	if len(d.cfg.Packages) == 0 {
		return []string{cmp.Or(f.qemu, defaultQEMU)}
	}
	return d.cfg.Packages
}

// software tells installed, booted, running and live-patched apart, each with how it was seen.
func (d *Driver) software(s *seen, f hostFacts) {
	s.BootID = f.bootID
	s.Software = fleet.Software{Booted: map[string]string{}, Running: map[string]string{}, Looked: map[string]fleet.Sighting{}}
	if f.manager != "" {
		d.installed(s, f)
		d.booted(s, f)
		s.patches(f)
	}
	d.running(s, f)
}

// layer notes when and how a layer was read.
func (s *seen) layer(name string, at time.Time, how []string) {
	slices.Sort(how)
	s.Software.Looked[name] = fleet.Sighting{At: at, How: strings.Join(slices.Compact(how), ", ")}
}

func (d *Driver) installed(s *seen, f hostFacts) {
	how, known := managers[f.manager]
	if !known {
		s.miss("installed packages: the host has neither dpkg nor rpm nor apk")
		return
	}
	s.Software.Installed = maps.Clone(f.installed)
	if kernel, _, _, _ := f.bootedKernel(); kernel[f.kernelLine] == "" && !slices.Contains(d.asked(f), f.kernelLine) {
		// It only brings kernels. Without the version that was booted it would pass for what serves.
		delete(s.Software.Installed, f.kernelLine)
	}
	for _, pkg := range d.asked(f) {
		if status, odd := f.status[pkg]; odd {
			s.miss("installed %s: %s says it is %s", pkg, how, status)
		}
	}
	s.layer(fleet.LayerInstalled, s.At, []string{how + " over SSH"})
}

func (d *Driver) booted(s *seen, f hostFacts) {
	var ways []string
	kernel, how, why, gap := f.bootedKernel()
	switch {
	case gap:
		s.gap("booted kernel: %s", why)
	case why != "":
		s.miss("booted %s: %s", f.kernel, why)
	default:
		ways = append(ways, how)
	}
	for _, pkg := range d.asked(f) {
		if _, told := kernel[pkg]; told || pkg == f.kernel || pkg == f.kernelLine {
			continue // its files' age does not say which of the installed kernels was booted
		}
		if v, why := f.bootedWith(pkg); v != "" {
			s.Software.Booted[pkg] = v
			ways = append(ways, f.fileTimes())
		} else if why != "" && f.manager == "apk" {
			s.gap("booted %s: %s", pkg, why)
		} else if why != "" {
			s.miss("booted %s: %s", pkg, why)
		}
	}
	maps.Copy(s.Software.Booted, kernel)
	if len(ways) > 0 {
		s.layer(fleet.LayerBooted, s.At, ways)
	}
}

// patches puts the kernel's live patches down.
func (s *seen) patches(f hostFacts) {
	switch {
	case f.livePatches != nil:
		s.Software.LivePatches = f.livePatches
		s.layer(fleet.LayerLivePatches, s.At, []string{"/sys/kernel/livepatch over SSH"})
	case f.patchesWhy != "":
		s.miss("live patches: %s", f.patchesWhy)
	default:
		s.gap("live patches: the host does not show /sys/kernel")
	}
}

// running is what guests run on, and what one would be started with.
func (d *Driver) running(s *seen, f hostFacts) {
	var ways []string
	at := s.At
	if s.upstream != "" {
		s.Software.Running[QEMUUpstream] = s.upstream
		ways = append(ways, "libvirt ConnectGetVersion")
	}
	emulator := d.emulatorPackage(f)
	builds, live := map[string]bool{}, 0
	for _, i := range s.Instances {
		if i.State != fleet.Stopped && !i.Incoming {
			live++
		}
		if v := i.Running[emulator]; v != "" {
			builds[v] = true
			if i.Looked.At.Before(at) {
				at = i.Looked.At // known from an earlier look at the same process
			}
		}
	}
	switch all := slices.Sorted(maps.Keys(builds)); {
	case len(all) == 1:
		s.Software.Running[emulator] = all[0]
		ways = append(ways, queryVersion)
	case len(all) > 1:
		s.miss("running %s: its instances run on different builds: %s", emulator, strings.Join(all, ", "))
	case live == 0 && f.emulator != "" && s.Health == fleet.Up:
		// No guest runs: what counts is what one would be started with.
		if v, why := f.whole(emulator, f.emulator); v != "" {
			s.Software.Running[emulator] = v
			ways = append(ways, "QEMU's --version over SSH")
		} else {
			s.miss("running %s: %s", emulator, why)
		}
	}
	if len(ways) > 0 {
		s.layer(fleet.LayerRunning, at, ways)
	}
}

// runsOn puts down what an instance's own monitor told.
func (d *Driver) runsOn(s *seen, i *driver.InstanceSeen, b build, f hostFacts) {
	emulator := d.emulatorPackage(f)
	switch v, why := f.whole(emulator, b.pkg); {
	case v != "":
		i.Running = map[string]string{emulator: v}
	case why != "":
		s.miss("QEMU of %s: %s", i.ID, why)
		return
	default:
		i.Running = map[string]string{QEMUUpstream: b.upstream}
	}
	i.Looked = fleet.Sighting{At: b.at, How: queryVersion}
}

const queryVersion = "QMP query-version"

// machine puts down what the host is, as advisories ask for it.
func (s *seen) machine(h *fleet.Host, f hostFacts) {
	if f.manager == "" {
		return // not asked: that is said already
	}
	h.Arch, h.CPU = f.arch, f.cpu
	if len(f.config) > 0 {
		h.Config = maps.Clone(f.config)
	}
	name, why := ecosystem(f.os)
	if h.Ecosystem = name; name == "" {
		s.gap("ecosystem: %s", why)
	}
	if h.CPU.Vendor == "" {
		s.gap("CPU vendor: /proc/cpuinfo names none that is known")
	}
	if len(f.uneven) > 0 {
		s.miss("microcode: its processors have several revisions: %s", strings.Join(f.uneven, ", "))
	}
}
