package study

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// The hypervisor's package and its versions: hosts without the fixes run the last release before them, those
// with them a build of its stable branch, which calls itself so until the next release.
const (
	xen       = "xen"
	oldXen    = "4.5.0"
	wantedXen = "4.5.1-pre"
)

// build is one build of Xen.
type build struct {
	id      string
	patch   string // the name of its live patch; empty: there is none
	shadow  bool
	version string
}

// builds draws the builds that lack the fixes, and the one that has them.
func (s Scenario) builds() (old []build, fixed build) {
	covered, shadow := s.Seed.some(s.Covered, s.Builds, "covered"), s.Seed.some(s.Shadow, s.Builds, "shadow")
	for n := range s.Builds {
		b := build{id: s.buildID(strconv.Itoa(n)), shadow: shadow[n], version: oldXen}
		if covered[n] {
			b.patch = fmt.Sprintf("march-2015-%02d", n)
		}
		old = append(old, b)
	}
	return old, build{id: s.buildID("fixed"), shadow: true, version: wantedXen}
}

// buildID has the length that linkers give a build id, 20 bytes.
func (s Scenario) buildID(of string) string {
	sum := sha256.Sum256([]byte(fmt.Sprintf("%d build %s", s.Seed, of)))
	return hex.EncodeToString(sum[:20])
}

// drawing is a fleet that is being drawn.
type drawing struct {
	Scenario
	arm      Arm
	old      []build
	fixed    build
	affected map[int]bool // hosts, by their number in the fleet
	fleet    *fleet.Fleet
}

// Fleet draws the fleet of one arm. The arms differ in what hosts are able to do, and in nothing else.
func (s Scenario) Fleet(arm Arm) (*fleet.Fleet, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	d := &drawing{Scenario: s, arm: arm, fleet: &fleet.Fleet{Evenkeel: fleet.SchemaV1, Taken: s.Now}}
	d.old, d.fixed = s.builds()
	d.affected = s.Seed.some(int(math.Round(s.AffectedShare*float64(s.AllHosts()))), s.AllHosts(), "affected")
	d.fleet.Tenants = s.tenants()
	s.build(d.fleet, d.pool)
	return d.fleet, nil
}

// pool draws one pool: its first host is spare, the others are full.
func (d *drawing) pool(site, id string, _ int) {
	var none int64 // what is spare is there to be used
	d.fleet.Pools = append(d.fleet.Pools, fleet.Pool{ID: id, Site: site, ReserveMiB: &none})
	for n := range d.Hosts {
		h := d.host(id, n)
		d.fleet.Hosts = append(d.fleet.Hosts, h)
		if h.Spare {
			d.fleet.Instances = append(d.fleet.Instances, probe(h.ID, "pvh"))
			continue
		}
		d.fleet.Instances = append(d.fleet.Instances, d.fill(d.Seed, h.ID)...)
	}
	d.groups(id)
}

func (d *drawing) host(pool string, n int) fleet.Host {
	h := d.xenHost(pool, n)
	b := d.fixed
	if d.affected[len(d.fleet.Hosts)] {
		b = d.old[int(d.Seed.draw("build", h.ID)*float64(len(d.old)))]
	}
	h.Capabilities = []string{fleet.CanLivePatch, fleet.CanSuspend, fleet.CanReboot, fleet.CanUpdate}
	h.Software = fleet.Software{Installed: map[string]string{xen: b.version}, Booted: map[string]string{xen: b.version},
		BuildID: b.id, LivePatches: []fleet.LivePatch{}}
	if b.shadow {
		h.VirtCaps = append(h.VirtCaps, "shadow")
	}
	if d.arm.Migrate {
		h.Capabilities = append(h.Capabilities, fleet.CanLiveMigrate)
	}
	return h
}

// groups makes redundancy groups of three: the first instances of three hosts of the pool each.
func (d *drawing) groups(pool string) {
	third := (d.Hosts - 1) / 3
	first := map[string]int{} // host -> its first instance
	for n := len(d.fleet.Instances) - 1; n >= 0 && d.onPool(n, pool); n-- {
		first[d.fleet.Instances[n].Host] = n
	}
	hosts := slices.Sorted(maps.Keys(first))[1:] // not the spare one's
	for n := range third {
		g := fleet.Group{ID: fmt.Sprintf("%s-g%02d", pool, n+1), MaxUnavailable: 1, Spread: fleet.SpreadHost}
		for k := range 3 {
			i := &d.fleet.Instances[first[hosts[n+k*third]]]
			if k == 0 {
				g.Tenant = i.Tenant
			}
			i.Tenant, i.Group = g.Tenant, g.ID
		}
		d.fleet.Groups = append(d.fleet.Groups, g)
	}
}

func (d *drawing) onPool(n int, pool string) bool {
	host := d.fleet.Instances[n].Host
	return strings.HasPrefix(host, pool+"-")
}
