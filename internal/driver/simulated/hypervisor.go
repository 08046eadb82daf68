package simulated

import (
	"crypto/sha1" //nolint:gosec // a build id is such a sum, and nothing rests on it
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// What a simulated Xen is: the versions of its packages give its build id and its virt_caps. A Xen of
// which some host of the fleet tells both is everywhere like there; any other has a build id made of
// its versions, and no shadow paging, as Debian's 4.17.7 has none.

// hypervisor is one build of Xen. The zero value is any other hypervisor, of which nothing is told.
type hypervisor struct {
	versions map[string]string // package -> version
	build    string
	caps     []string // virt_caps, as xl info gives them; nil: the fleet tells none
}

// BuildID is the build id of a simulated Xen of which the fleet tells none, by the versions of its
// packages: 40 hexadecimal digits, as a linker's.
func BuildID(packages map[string]string) string {
	sum := sha1.Sum([]byte("simulated xen " + versions(packages))) //nolint:gosec // see above
	return hex.EncodeToString(sum[:])
}

// isHypervisor: the package is the Xen that boots.
func (h *machine) isHypervisor(pkg string) bool {
	return h.spec.Hypervisor == fleet.Xen && (pkg == "xen" || strings.HasPrefix(pkg, "xen-hypervisor"))
}

func (h *machine) hypervisorIn(software map[string]string) map[string]string {
	xen := maps.Clone(software)
	maps.DeleteFunc(xen, func(pkg, _ string) bool { return !h.isHypervisor(pkg) })
	return xen
}

// tellsRunning is what the host says that it runs. A Xen tells its upstream number, not its package's.
func (h *machine) tellsRunning() map[string]string {
	tells := maps.Clone(h.running)
	maps.DeleteFunc(tells, func(pkg, _ string) bool { return h.isHypervisor(pkg) })
	if _, upstream := (hypervisor{versions: h.hypervisorIn(h.booted)}).release(); upstream != "" {
		tells[xenUpstream] = upstream
	}
	return tells
}

// xenUpstream is the name under which the driver of Xen publishes that number.
const xenUpstream = "xen-upstream"

// firstHypervisor is what the fleet says of the host's.
func (w *World) firstHypervisor(h *machine) {
	h.began = hypervisor{versions: h.hypervisorIn(h.booted), build: h.spec.Software.BuildID, caps: slices.Clone(h.spec.VirtCaps)}
	if key := versions(h.began.versions); key != "" {
		if h.began.build == "" {
			h.began.build = BuildID(h.began.versions)
		}
		if _, known := w.builds[key]; !known {
			w.builds[key] = h.began
		}
	}
	h.runs = h.began
}

// hypervisorOf is what a host's Xen is, once it has booted these versions.
func (w *World) hypervisorOf(h *machine, booted map[string]string) hypervisor {
	xen := h.hypervisorIn(booted)
	key := versions(xen)
	if maps.Equal(xen, h.began.versions) {
		return h.began
	}
	if known, ok := w.builds[key]; ok {
		return known
	}
	caps := slices.DeleteFunc(slices.Clone(h.began.caps), func(c string) bool { return c == "shadow" })
	return hypervisor{versions: xen, build: BuildID(xen), caps: caps}
}

// unfollowed says why a copy cannot be migrated away from its host, in the words of Xen, or "": the
// memory of a PV guest is followed by shadow paging.
func (d *resident) unfollowed() string {
	caps := d.on.runs.caps
	if !strings.EqualFold(d.of.spec.GuestType, "pv") || caps == nil || slices.Contains(caps, "shadow") {
		return ""
	}
	return "xc: error: Failed to enable logdirty: 95,22,0 (22 = Invalid argument): Internal error"
}

// MigrationsTo makes migrations towards hosts that run a version fail, by the hypervisor's own doing.
type MigrationsTo struct {
	// Package and Version are what an instance that lands there would run on. An empty Version is any;
	// without a Package, every host.
	Package string `json:"package,omitempty"`
	Version string `json:"version,omitempty"`
	// After so many seconds of the world's life.
	After float64 `json:"after,omitempty"`
	// Rate of them that fail, 0 to 1.
	Rate float64 `json:"rate"`
	// Refused: the hypervisor refuses them outright; else they break in the copy.
	Refused bool `json:"refused,omitempty"`
}

// hinders gives the rule by which a migration fails; nil: none.
func (w *World) hinders(d *resident, to *machine) *MigrationsTo {
	for n := range w.chance.moves {
		r := &w.chance.moves[n]
		v, has := to.offers(d.of)[r.Package]
		switch {
		case w.now.Sub(w.began).Seconds() < r.After, r.Package != "" && !has, r.Package != "" && r.Version != "" && v != r.Version:
		case r.Rate > 0 && w.chance.stream(MovesFail).Float64() < r.Rate:
			w.chance.hits[MovesFail]++
			return r
		}
	}
	return nil
}

func whyHindered(to *machine) string {
	return fmt.Sprintf("xc: error: the restoring end at %s failed: Internal error", to.id)
}

// offers are the versions that an instance which lands on the host runs on, its hypervisor's too.
func (h *machine) offers(i *instance) map[string]string {
	all := *i
	all.spec.Running = nil
	on := h.softwareFor(&all)
	maps.Copy(on, h.runs.versions)
	return on
}
