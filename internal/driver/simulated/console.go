package simulated

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// What a host's serial console prints while it boots, as Xen 4.17 and Debian 12 were seen to. The first
// line is the firmware's.

// shutdownText ends a boot by an order.
const shutdownText = "\n[  OK  ] Reached target reboot.target - System Reboot.\n[86400.512345] reboot: Restarting system\n"

// kept is how much of a console's text is kept, in bytes.
const kept = 8 << 10

// prints adds to what the host's console printed since it was switched on.
func (h *machine) prints(text string) {
	h.console += text
	h.console = h.console[max(0, len(h.console)-kept):]
}

// consoleOf is the console of a boot that comes to how.
func consoleOf(h *machine, how Fault) string {
	var b strings.Builder
	b.WriteString("SeaBIOS (version 1.16.2-debian-1.16.2-1)\nBooting from Hard Disk...\n")
	if h.spec.Hypervisor == fleet.Xen {
		b.WriteString(h.runs.banner())
		if how == NoDom0 {
			b.WriteString(strings.Join([]string{"(XEN) ", stars, "(XEN) Panic on CPU 0:", "(XEN) Could not construct domain 0", stars, "(XEN) ",
				"(XEN) Manual reset required ('noreboot' specified)", ""}, "\n"))
			return b.String()
		}
		b.WriteString("(XEN) *** Serial input to DOM0 (type 'CTRL-a' three times to switch input)\n")
	}
	b.WriteString("[    0.000000] Linux version 6.1.0-31-amd64 (debian-kernel@lists.debian.org) #1 SMP PREEMPT_DYNAMIC\n")
	switch how {
	case NoDom0:
		b.WriteString("[    2.104311] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n")
		return b.String()
	case NoNetwork:
		b.WriteString("[FAILED] Failed to start networking.service - Raise network interfaces.\n")
	}
	fmt.Fprintf(&b, "[  OK  ] Reached target multi-user.target - Multi-User System.\n\nDebian GNU/Linux 12 %s hvc0\n\n%s login: ", h.id, h.id)
	return b.String()
}

var stars = "(XEN) " + strings.Repeat("*", 40)

// banner is what a Xen says of itself first; its version is left out where the fleet does not tell it.
func (x hypervisor) banner() string {
	const dom0 = "(XEN) *** Building a PV Dom0 ***\n"
	pkg, upstream := x.release()
	if upstream == "" {
		return dom0
	}
	return fmt.Sprintf("(XEN) Xen version %s (Debian %s) (gcc 12.2.0) debug=n\n(XEN) build-id: %s\n%s", upstream, x.versions[pkg], x.build, dom0)
}

// release is the package that tells the upstream number of a Xen, such as 4.17.5, and that number.
func (x hypervisor) release() (pkg, upstream string) {
	for _, pkg := range slices.Sorted(maps.Keys(x.versions)) {
		if upstream, _, _ := strings.Cut(strings.ReplaceAll(x.versions[pkg], "-", "+"), "+"); upstream != "" && upstream[0] >= '0' && upstream[0] <= '9' {
			return pkg, upstream
		}
	}
	return "", ""
}
