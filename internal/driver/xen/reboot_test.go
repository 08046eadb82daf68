package xen

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// The host itself looks whether anybody runs on it, in the call that reboots it.
func TestRebootEmpty(t *testing.T) {
	boot := strings.TrimSpace(readFile(t, "/proc/sys/kernel/random/boot_id"))
	const id = " 00000000-0000-4000-8000-000000000001\n"
	for name, c := range map[string]struct {
		domain, line string
		code         string
	}{
		"empty":           {"", "", ""},
		"runs":            {"web", "3 128 r-----" + id, driver.CodeOccupied},
		"waits":           {"web", "3 128 -b----" + id, driver.CodeOccupied},
		"paused":          {"web", "3 128 --p---" + id, driver.CodeOccupied},
		"half arrived":    {"web--incoming", "3 128 --p---" + id, driver.CodeOccupied},
		"half gone":       {"web--migratedaway", "3 128 ---ss-" + id, driver.CodeOccupied},
		"dies":            {"web", "3 128 ---s-d" + id, driver.CodeOccupied},
		"reboots":         {"web", "3 128 ---sr-" + id, driver.CodeOccupied},
		"a name of words": {"my web 0 1 1", "3 128 r-----" + id, driver.CodeOccupied},
		"not readable":    {"web", "x y z" + id, driver.CodeOccupied},
		"kept, is off":    {"web", "3 128 ---s--" + id, ""},
		"kept, crashed":   {"web", "3 128 ---sc-" + id, ""},
		"Xen's store":     {"Xenstore", "3 31 -b----" + id, ""},
		"a device model":  {"web-dm", "3 32 -b----" + id, ""},
		"dom0 itself":     {"Domain-0", "0 512 r-----" + id, ""},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, h, _ := fakeHosts(t)
			if c.domain != "" {
				h.put("dom/"+c.domain, c.line)
			}
			h.put("bin/reboot-it", "#!/bin/sh\necho \"$*\" >>\"$XLROOT/rebooted\"\n")
			d := newDriver(t, cfg)
			err := d.RebootEmpty(in(t, 20*time.Second), gen, h.host, boot, plan.Update{Reboot: []string{"reboot-it", "{generation}"}})
			if c.code != "" {
				mustCode(t, err, c.code)
			} else if err != nil {
				t.Error(err)
			}
			if got := h.read("rebooted"); (got == "2") != (c.code == "") {
				t.Errorf("rebooted: %q", got)
			}
			if n := h.asked(); n != 1 {
				t.Errorf("%d calls", n)
			}
		})
	}
	t.Run("xl is broken", func(t *testing.T) {
		cfg, h, _ := fakeHosts(t)
		h.put("broken", "")
		mustCode(t, newDriver(t, cfg).RebootEmpty(in(t, 20*time.Second), gen, h.host, boot, plan.Update{Reboot: []string{"true"}}), driver.CodeOccupied)
	})
	t.Run("that boot is over", func(t *testing.T) {
		cfg, h, _ := fakeHosts(t)
		h.put("dom/web", "3 128 r-----"+id)
		if err := newDriver(t, cfg).RebootEmpty(in(t, 20*time.Second), gen, h.host, "00000000-another-boot", plan.Update{Reboot: []string{"false"}}); err != nil {
			t.Error(err)
		}
	})
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Skip(err)
	}
	return string(b)
}
