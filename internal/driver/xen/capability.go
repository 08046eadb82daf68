package xen

import (
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// capabilities are what the driver can do on this host. Xen on ARM has neither migration nor saving;
// live patching needs a hypervisor that was built with it, and its tool.
func (s *seen) capabilities() []string {
	can := []string{}
	if x86(s.info.machine) {
		can = append(can, fleet.CanLiveMigrate, fleet.CanSuspend)
	}
	if t := s.tools["xen-patches"]; t.exit == 0 {
		can = append(can, fleet.CanLivePatch)
	}
	return append(can, fleet.CanReboot, fleet.CanUpdate)
}

func x86(machine string) bool {
	return machine == "x86_64" || strings.HasPrefix(machine, "i") && strings.HasSuffix(machine, "86")
}
