package libvirt

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/hostfacts"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// QEMUUpstream is the name under which a host's upstream QEMU number, like 7.2.18, is published
// among what it runs: of the emulator on its disk, which a guest started now would get. A guest whose
// QEMU tells no package's version is published under it, too.
const QEMUUpstream = "qemu-upstream"

// defaultQEMU is the package of QEMU on a host that was not asked for its own.
const defaultQEMU = "qemu-system-x86"

// emulatorPackage is the package whose version a guest's monitor on this host reports.
func (d *Driver) emulatorPackage(f hostfacts.Facts) string {
	return cmp.Or(d.cfg.Emulator, f.QEMU, defaultQEMU)
}

// asked lists the packages that were asked for.
func (d *Driver) asked(f hostfacts.Facts) []string {
	if len(d.cfg.Packages) == 0 {
		return []string{cmp.Or(f.QEMU, defaultQEMU)}
	}
	return d.cfg.Packages
}

// software tells installed, booted, running and live-patched apart, each with how it was seen.
func (d *Driver) software(s *seen, f hostfacts.Facts) {
	f.Software(&s.Observation, d.asked(f))
	d.running(s, f)
}

// running is what guests run on, and what one would be started with.
func (d *Driver) running(s *seen, f hostfacts.Facts) {
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
	case live == 0 && f.Emulator != "" && s.Health == fleet.Up:
		// No guest runs: what counts is what one would be started with.
		if v, why := f.Whole(emulator, f.Emulator); v != "" {
			s.Software.Running[emulator] = v
			ways = append(ways, "QEMU's --version over SSH")
		} else {
			s.miss("running %s: %s", emulator, why)
		}
	}
	if len(ways) > 0 {
		hostfacts.Looked(&s.Observation, fleet.LayerRunning, at, ways)
	}
}

// runsOn puts down what an instance's own monitor told.
func (d *Driver) runsOn(s *seen, i *driver.InstanceSeen, b build, f hostfacts.Facts) {
	emulator := d.emulatorPackage(f)
	switch v, why := f.Whole(emulator, b.pkg); {
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
