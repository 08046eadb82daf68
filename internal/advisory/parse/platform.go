package parse

import (
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/advisory"
)

// place is one of the platforms that a vulnerability is tied to. sure: the condition says it
// exactly; else it is as near as a fleet's facts come (a model of CPU is known by its vendor only),
// and on hosts that meet it nothing can be told.
type place struct {
	when advisory.Condition
	sure bool
}

var everywhere = []place{{sure: true}}

// somewhere is a platform of which a fleet's facts tell nothing.
var somewhere = []place{{}}

// maxPlaces bounds what the platforms of one match may multiply to.
const maxPlaces = 16

// both joins platforms that must hold together.
func both(a, b []place) (out []place) {
	if len(a)*len(b) > maxPlaces {
		return somewhere
	}
	for _, x := range a {
		for _, y := range b {
			when, possible := meet(x.when, y.when)
			if possible {
				out = addPlace(out, place{when, x.sure && y.sure})
			}
		}
	}
	if len(out) == 0 {
		return somewhere // they exclude each other: what is meant cannot be told
	}
	return out
}

// either joins platforms of which any suffices.
func either(a, b []place) []place {
	for _, p := range b {
		a = addPlace(a, p)
	}
	return a
}

func addPlace(list []place, p place) []place {
	same := func(q place) bool {
		return p.sure == q.sure && slices.Equal(p.when.Arch, q.when.Arch) && slices.Equal(p.when.CPUVendors, q.when.CPUVendors) && slices.Equal(p.when.Hypervisors, q.when.Hypervisors)
	}
	if slices.ContainsFunc(list, same) {
		return list
	}
	if len(list) >= maxPlaces {
		return somewhere
	}
	return append(slices.Clip(list), p)
}

// meet is the condition under which both hold; possible is false when they cannot.
func meet(a, b advisory.Condition) (out advisory.Condition, possible bool) {
	possible = true
	for _, f := range []struct {
		into *[]string
		a, b []string
	}{{&out.Hypervisors, a.Hypervisors, b.Hypervisors}, {&out.Arch, a.Arch, b.Arch}, {&out.CPUVendors, a.CPUVendors, b.CPUVendors}} {
		switch {
		case len(f.a) == 0:
			*f.into = f.b
		case len(f.b) == 0:
			*f.into = f.a
		default:
			*f.into = slices.DeleteFunc(slices.Clone(f.a), func(s string) bool { return !slices.Contains(f.b, s) })
			possible = possible && len(*f.into) > 0
		}
	}
	return out, possible
}

// conditions gives those of the places that are sure, or of those that are not, as they stand in
// Applies; found is false when there are none. Where one of them is everywhere, none is needed.
func conditions(places []place, sure bool) (cs []advisory.Condition, found bool) {
	for _, p := range places {
		if p.sure != sure {
			continue
		}
		if p.when.Arch == nil && p.when.CPUVendors == nil && p.when.Hypervisors == nil {
			return nil, true
		}
		cs, found = append(cs, p.when), true
	}
	return cs, found
}

// archs are the spellings of architectures in CPE names and CVE records, and the hosts' Arch.
var archs = map[string][]string{
	"x86": {"x86_64", "i686"}, "x64": {"x86_64"}, "x86_64": {"x86_64"}, "x86-64": {"x86_64"}, "amd64": {"x86_64"}, "64-bit_x86": {"x86_64"},
	"i386": {"i686"}, "i686": {"i686"}, "arm": {"aarch64", "armv7l"}, "arm64": {"aarch64"}, "aarch64": {"aarch64"},
	"ppc64": {"ppc64", "ppc64le"}, "ppc64le": {"ppc64le"}, "s390x": {"s390x"}, "riscv64": {"riscv64"}, "itanium": {"ia64"}, "ia64": {"ia64"},
}

// cpuVendors are the vendors of CPE names that make CPUs, as a fleet names them.
var cpuVendors = map[string]string{"intel": "intel", "amd": "amd", "hygon": "hygon", "arm": "arm"}

// otherSystems are operating systems on which KVM is not: a host that runs it runs Linux.
var otherSystems = []string{"windows", "macos", "mac_os", "mac_os_x", "freebsd", "netbsd", "openbsd", "solaris", "illumos", "ios"}

// onLinux: a KVM host runs Linux; what a Xen host's control domain runs is not known.
var onLinux = []place{
	{when: advisory.Condition{Hypervisors: []string{"kvm"}}, sure: true},
	{when: advisory.Condition{Hypervisors: []string{"xen"}}},
}

// notOnLinux is its contrary.
var notOnLinux = []place{{when: advisory.Condition{Hypervisors: []string{"xen"}}}}

// system is the platform that an operating system's or architecture's name stands for, as CPE's
// target software or a CVE record's platforms have it.
func system(name string) []place {
	name = cpeSpelling(name)
	switch {
	case name == "*" || name == "-" || name == "":
		return everywhere
	case name == "linux" || name == "linux_kernel":
		return onLinux
	case slices.Contains(otherSystems, name):
		return notOnLinux
	case name == "xen" || name == "kvm":
		return []place{{when: advisory.Condition{Hypervisors: []string{name}}, sure: true}}
	case archs[name] != nil:
		return []place{{when: advisory.Condition{Arch: archs[name]}, sure: true}}
	case cpuVendors[name] != "":
		return []place{{when: advisory.Condition{CPUVendors: []string{cpuVendors[name]}}, sure: true}}
	}
	return somewhere
}

// targets is the platform that a CPE name's own target fields tie it to.
func (c *cpeName) targets() []place {
	at := both(system(c.targetSW), system(c.targetHW))
	for _, f := range []string{c.edition, c.swEdition, c.language, c.other} {
		if said(f) {
			return both(at, somewhere)
		}
	}
	return at
}

// platform is what a CPE name stands for when it is what the vulnerable software runs on. bounded:
// only some versions of it.
func (c *cpeName) platform(bounded bool) []place {
	at := c.targets()
	bounded = bounded || said(c.version) || said(c.update) || c.wild
	project := projectOf(c.vendor, c.product)
	switch {
	case cpuVendors[c.vendor] != "" && (c.part == "h" || strings.HasSuffix(c.product, "_firmware")):
		// The vendor is known of a host, its model by CPE's name is not.
		return both(at, []place{{when: advisory.Condition{CPUVendors: []string{cpuVendors[c.vendor]}}, sure: c.product == "*"}})
	case project == "linux" && !bounded:
		return both(at, onLinux)
	case project == "linux":
		return both(both(at, onLinux), somewhere)
	case project == "xen" || project == "kvm":
		at = both(at, []place{{when: advisory.Condition{Hypervisors: []string{project}}, sure: true}})
		if bounded {
			at = both(at, somewhere)
		}
		return at
	}
	return both(at, somewhere)
}
