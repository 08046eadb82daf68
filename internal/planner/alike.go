package planner

import (
	"encoding/binary"
	"strconv"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// Most hosts of a fleet are alike, and so are most instances, in all that fleet.CanMove looks at. Each is
// given the number of its class, and CanMove is asked once per class of instance, of source and of
// destination. Pools are left out of it: whoever asks takes destinations from the pools of the source.
type alike struct {
	hosts     []*fleet.Host // one of each class, in a pool that all share
	hostNo    map[string]int32
	byHost    map[*fleet.Host]int32
	instances []*fleet.Instance // one of each class
	instNo    map[string]int32
	may       map[[3]int32]bool  // instance, from, to
	onto      map[[3]int32]int32 // instance, from, to -> instance
	key       []byte
	ix        *fleet.Index
}

func newAlike(ix *fleet.Index) *alike {
	return &alike{ix: ix, hostNo: map[string]int32{}, byHost: map[*fleet.Host]int32{}, instNo: map[string]int32{},
		may: map[[3]int32]bool{}, onto: map[[3]int32]int32{}}
}

var shared = []string{"shared"}

// host gives the class of a host, as offered or as fixed. What it is told by its pointer must not change.
func (a *alike) host(h *fleet.Host) int32 {
	if n, ok := a.byHost[h]; ok {
		return n
	}
	a.key = a.key[:0]
	a.text(string(h.Hypervisor), h.CPUModel, h.Ecosystem, string(h.Health), strconv.FormatInt(h.NICMbps, 10))
	a.list(h.CPUFeatures)
	a.list(h.MachineTypes)
	a.list(h.Networks)
	a.list(h.Storage)
	a.list(h.VirtCaps)
	a.truth(h.Capabilities == nil) // then they are assumed
	a.list(h.Capabilities)
	a.facts(h.Software.Installed)
	a.facts(h.Software.Booted)
	a.facts(h.Software.Running)
	n, ok := a.hostNo[string(a.key)]
	if !ok {
		n = int32(len(a.hosts))
		one := *h
		one.Pools = shared
		a.hosts = append(a.hosts, &one)
		a.hostNo[string(a.key)] = n
	}
	a.byHost[h] = n
	return n
}

// instance gives the class of an instance, with the software that it runs on.
func (a *alike) instance(i *fleet.Instance) int32 {
	a.key = a.key[:0]
	a.truth(fleet.Bound(i) != nil)
	a.text(i.GuestType, i.CPUModel, i.MachineType)
	a.list(i.CPUFeatures)
	a.list(i.Networks)
	a.list(i.Storage)
	a.facts(i.Running)
	n, ok := a.instNo[string(a.key)]
	if !ok {
		n = int32(len(a.instances))
		a.instances = append(a.instances, i)
		a.instNo[string(a.key)] = n
	}
	return n
}

// canMove is fleet.CanMove between hosts that share a pool.
func (a *alike) canMove(instance, from, to int32) bool {
	k := [3]int32{instance, from, to}
	can, known := a.may[k]
	if !known {
		can = fleet.CanMove(a.ix, a.instances[instance], a.hosts[from], a.hosts[to]) == nil
		a.may[k] = can
	}
	return can
}

// landed is the class of an instance that came from one host and is on another.
func (a *alike) landed(instance, from, to int32) int32 {
	k := [3]int32{instance, from, to}
	n, known := a.onto[k]
	if !known {
		n = a.instance(on(a.instances[instance], a.hosts[from], a.hosts[to]))
		a.onto[k] = n
	}
	return n
}

// truth, text, list and facts write parts of a key: the same parts in the same order for all, each of a fixed
// length or with its length before it, so that no two keys run together.
func (a *alike) truth(is bool) {
	b := byte(0)
	if is {
		b = 1
	}
	a.key = append(a.key, b)
}

func (a *alike) text(parts ...string) {
	for _, s := range parts {
		a.key = binary.AppendUvarint(a.key, uint64(len(s)))
		a.key = append(a.key, s...)
	}
}

func (a *alike) list(l []string) {
	a.key = binary.AppendUvarint(a.key, uint64(len(l)))
	a.text(l...)
}

func (a *alike) facts(m map[string]string) {
	a.key = binary.AppendUvarint(a.key, uint64(len(m)))
	if len(m) == 0 {
		return
	}
	for _, k := range sortedKeys(m) {
		a.text(k, m[k])
	}
}
