package bench

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/ganeti"
)

// writeJSONL writes the fleet for us.
func (f Fleet) writeJSONL(w io.Writer) error {
	buffer := bufio.NewWriterSize(w, 1<<20)
	out := json.NewEncoder(buffer)
	var err error
	line := func(v any) {
		if err == nil {
			err = out.Encode(v)
		}
	}
	line(map[string]string{"kind": "fleet", "evenkeel": fleet.SchemaV1})
	line(map[string]string{"kind": "region", "id": "north"})
	line(map[string]string{"kind": "site", "id": "north-1", "region": "north"})
	line(map[string]string{"kind": "pool", "id": "rack-row", "site": "north-1"})
	for n := range f.tenants() {
		line(struct {
			Kind string `json:"kind"`
			fleet.Tenant
		}{"tenant", fleet.Tenant{ID: tenantID(n), Contacts: []fleet.Contact{{Email: tenantID(n) + "@example.net"}}}})
	}
	for n := range f.services() {
		line(struct {
			Kind string `json:"kind"`
			fleet.Group
		}{"group", fleet.Group{ID: serviceID(n + 1), MaxUnavailable: f.MaxUnavailable, Spread: fleet.SpreadHost}})
	}
	for n := range f.Hosts {
		line(struct {
			Kind string `json:"kind"`
			fleet.Host
		}{"host", fleet.Host{ID: hostID(n), Pools: []string{"rack-row"}, Hypervisor: fleet.KVM, MemoryMiB: f.host(n), NICMbps: 25000}})
	}
	for n := range f.Hosts {
		for k, g := range f.guests(n) {
			i := fleet.Instance{ID: guestID(n, k), Host: hostID(n), MemoryMiB: g.mib}
			if g.service > 0 {
				i.Group = serviceID(g.service)
			} else {
				i.Tenant = tenantID((n*7 + k) % f.tenants())
			}
			line(struct {
				Kind string `json:"kind"`
				fleet.Instance
			}{"instance", i})
		}
	}
	return errors.Join(err, buffer.Flush())
}

// tenants: one for ten hosts' worth of instances.
func (f Fleet) tenants() int { return max(1, f.Hosts/10) }
func tenantID(n int) string  { return fmt.Sprintf("t%05d", n) }

const ownMiB, groupUUID = 1024, "c0ffee00-0000-4000-8000-000000000001"

// writeGaneti writes the same fleet for hroller: all disks on shared storage. Each node has one MiB more,
// since the htools never fill a node to its last one.
func (f Fleet) writeGaneti(w io.Writer) error {
	buffer := bufio.NewWriterSize(w, 1<<20)
	out := ganeti.NewWriter(buffer)
	out.Group(&ganeti.Group{Name: "rack-row", UUID: groupUUID, AllocPolicy: "preferred"})
	out.Next()
	for n := range f.Hosts {
		free := f.host(n) + 1
		for _, g := range f.guests(n) {
			free -= g.mib
		}
		role := ganeti.Online
		if n == 0 {
			role = ganeti.Master // hroller wants one
		}
		out.Node(&ganeti.Node{Name: hostID(n), TotalMiB: f.host(n) + 1 + ownMiB, OwnMiB: ownMiB, FreeMiB: free, DiskMiB: 1000, FreeDiskMiB: 1000, CPUs: 64,
			Role: role, Group: groupUUID, Spindles: 1, OwnCPUs: 1, CPUSpeed: 1})
	}
	out.Next()
	for n := range f.Hosts {
		for k, g := range f.guests(n) {
			i := ganeti.Instance{Name: guestID(n, k), MemoryMiB: g.mib, VCPUs: 1, Status: "running", AutoBalance: true, Primary: hostID(n), Template: "ext", SpindleUse: 1, Spindles: -1}
			if g.service > 0 {
				i.Tags = []string{serviceID(g.service)}
			}
			out.Instance(&i)
		}
	}
	out.Next()
	if f.MaxUnavailable > 0 {
		out.Tag("htools:iextags:service")
	}
	return errors.Join(out.Err(), buffer.Flush())
}
