package libvirt

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/drivertest"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// probe is a package that the update case installs; it is empty.
const probe = "evenkeel-probe"

// install brings the probe to the version $1, or says that it is there (70).
const install = `
[ "$(dpkg-query -W -f '${Version}' ` + probe + ` 2>/dev/null)" != "$1" ] || { echo "$1 is installed"; exit 70; }
d=$(mktemp -d) && chmod 755 "$d" && mkdir "$d/DEBIAN" &&
printf 'Package: ` + probe + `\nVersion: %s\nArchitecture: all\nMaintainer: nobody\nDescription: empty\n' "$1" >"$d/DEBIAN/control" &&
dpkg-deb -b "$d" "$d.deb" >/dev/null && dpkg -i "$d.deb" && rm -rf "$d" "$d.deb"`

// TestConformance holds the driver to its contract, on real hosts.
func TestConformance(t *testing.T) {
	l := theLab(t)
	cfg := l.config()
	cfg.Packages = []string{"qemu-system-x86", probe}
	for _, h := range l.hosts {
		// The suite's generations are its own; so is what earlier runs left behind.
		l.on(h.ID, "sh", "-c", "rm -f /var/lib/evenkeel/generation; dpkg -P "+probe+" >/dev/null 2>&1 || true")
	}
	var movable []string
	for n := range 3 {
		movable = append(movable, l.idle(fmt.Sprintf("g13%d", n)))
	}
	l.guest("h1", "g134", "-m", "1300")
	slow := l.busy("g135")
	for _, name := range append(movable, "g134") {
		l.alive(name)
	}
	back := strings.Fields(l.must(l.script("virsh"), "h3", "list", "--name"))
	t.Cleanup(func() {
		for _, name := range back { // the rebooted host's own guests are not marked for autostart
			_, _ = l.virsh("h3", "start", name)
		}
	})
	hosts := append([]driver.Host{}, l.hosts...)
	hosts[1].MemoryMiB = 1200

	sum := drivertest.Run(t, drivertest.Lab{
		Driver: l.driver(cfg), Hosts: hosts,
		Movable: movable, Slow: slow, SlowMiBps: 10, Suspendable: movable[0], Stoppable: movable[1], TooBig: "g134",
		Silent: mute(t), RebootHost: hosts[2], UpdateHost: hosts[2],
		Update: plan.Update{Command: []string{"sh", "-c", install, "install", time.Now().UTC().Format("20060102.150405")}},
		Truth: func(t *testing.T, name string) (on []string) {
			for _, state := range strings.Fields(l.states(name)) {
				if host, ok := strings.CutSuffix(state, "=running"); ok {
					on = append(on, host)
				}
			}
			return on
		},
		KillDestinationMidCopy: func(t *testing.T, name string) { l.qemu("h2", name, "KILL") },
		FreezeDestination: func(t *testing.T) func() {
			all := func(sig string) {
				l.on("h2", "sh", "-c", `for f in /run/libvirtd.pid /run/libvirt/qemu/*.pid; do p=$(cat "$f") && [ "$p" -gt 1 ] && kill -"$1" "$p"; done`, "signal", sig)
			}
			all("STOP")
			return func() { all("CONT") }
		},
		CutNetwork: func(t *testing.T, h driver.Host) func() {
			l.must(l.script("power"), "cut", h.ID)
			return func() { l.must(l.script("power"), "restore", h.ID) }
		},
	})
	// Bare libvirt has nothing to cordon a host with; everything else has to be tried.
	if len(sum.Failed) == 0 && (len(sum.Skipped) != 1 || sum.Skipped[0] != "cordon-twice") {
		t.Errorf("skipped %q, expected cordon-twice alone", sum.Skipped)
	}
}
