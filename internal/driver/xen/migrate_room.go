package xen

import (
	"context"
	"fmt"
	"regexp"
	"strconv"

	"github.com/evenkeel/evenkeel/internal/driver"
)

var freeMemory = regexp.MustCompile(`(?m)^free_memory\s*:\s*([0-9]+)\s*$`)

// room refuses a migration for which the destination lacks memory at this moment. Xen never hands out
// memory that it has not; an operator's word for the capacity may leave less.
func (d *Driver) room(ctx context.Context, r driver.MigrateRequest, src, dst end) error {
	if src.home == nil || src.job != "" {
		return nil // joined: it has its room already
	}
	res, err := d.call(ctx, r.To, "sh", "-c", toolPath+"xl info")
	if err != nil {
		return err
	}
	m := freeMemory.FindStringSubmatch(res.Stdout)
	if res.Exit != 0 || m == nil {
		return &driver.Error{Code: driver.CodeFailed, Retry: true, Why: fmt.Sprintf("the free memory of %s cannot be read: xl info ended with exit code %d", r.To.ID, res.Exit), Next: "look at the host"}
	}
	left, _ := strconv.ParseInt(m[1], 10, 64)
	if r.To.MemoryMiB > 0 {
		left = min(left, r.To.MemoryMiB-held(dst.all))
	}
	if needs := withTables(src.home.memMiB); needs > left {
		return &driver.Error{Code: driver.CodeNoRoom, Retry: true, Next: "choose another destination",
			Why: fmt.Sprintf("%s needs %d MiB, %s has %d MiB free", r.Instance, needs, r.To.ID, max(left, 0))}
	}
	return nil
}

// withTables adds what Xen needs beside a guest's memory: its page tables (8 KiB for each MiB) and 1 MiB
// for each of a few vcpus, as libxl reckons.
func withTables(memMiB int64) int64 { return memMiB + memMiB/128 + 8 }

// held is the memory of all domains but dom0.
func held(all []endDomain) (sum int64) {
	for _, d := range all {
		if d.id != 0 {
			sum += d.memMiB
		}
	}
	return sum
}
