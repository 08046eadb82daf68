package planner

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

func drawSome(t *rapid.T, name string, of ...string) []string {
	return rapid.SampledFrom([][]string{nil, {}, of[:1], of[1:], of}).Draw(t, name)
}

func drawFacts(t *rapid.T) map[string]string {
	return rapid.SampledFrom([]map[string]string{nil, {}, {"qemu": "1"}, {"qemu": "2"}, {"qemu": "2", "xen": "1"}, {"xen": "2"}}).Draw(t, "facts")
}

func drawAlikeHost(t *rapid.T) *fleet.Host {
	pick := func(of ...string) string { return rapid.SampledFrom(of).Draw(t, "host") }
	return &fleet.Host{ID: "h", Pools: []string{"p"}, Hypervisor: fleet.Hypervisor(pick("", "kvm", "xen")), CPUModel: pick("", "a", "b"), MemoryMiB: 1,
		CPUFeatures: drawSome(t, "features", "x", "y"), MachineTypes: drawSome(t, "machines", "m1", "m2"), Networks: drawSome(t, "networks", "n1", "n2"),
		Storage: drawSome(t, "storage", "s1", "s2"), VirtCaps: drawSome(t, "caps", "hap", "shadow"), Ecosystem: pick("", "Debian:12", "Alpine:v3.20"),
		Health: fleet.Health(pick("", "up", "sick")), Capabilities: drawSome(t, "can", fleet.CanLiveMigrate, fleet.CanReboot),
		Software: fleet.Software{Installed: drawFacts(t), Booted: drawFacts(t), Running: drawFacts(t)}}
}

func drawAlikeInstance(t *rapid.T) *fleet.Instance {
	pick := func(of ...string) string { return rapid.SampledFrom(of).Draw(t, "instance") }
	i := &fleet.Instance{ID: "i", Host: "h", MemoryMiB: 1, GuestType: pick("", "pv", "hvm"), CPUModel: pick("", "a", "host-model"), MachineType: pick("", "m1", "m3"),
		CPUFeatures: drawSome(t, "features", "x", "z"), Networks: drawSome(t, "networks", "n1", "n3"), Storage: drawSome(t, "storage", "s1", "s3"), Running: drawFacts(t)}
	switch rapid.IntRange(0, 9).Draw(t, "bound") {
	case 0:
		i.Pinned = "licence"
	case 1:
		i.Devices = []string{"gpu"}
	case 2:
		i.Disks = []fleet.Disk{{Name: "vda"}}
	case 3:
		i.Immovable = []fleet.Reason{{Code: "usb"}}
	}
	return i
}

// TestAlike: what is asked once per class is what CanMove says of each, also after a move.
func TestAlike(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ix := fleet.NewIndex(&fleet.Fleet{})
		a := newAlike(ix)
		var hosts []*fleet.Host
		for range rapid.IntRange(2, 6).Draw(t, "hosts") {
			hosts = append(hosts, drawAlikeHost(t))
		}
		for range rapid.IntRange(1, 6).Draw(t, "instances") {
			i := drawAlikeInstance(t)
			class := a.instance(i)
			for _, from := range hosts {
				for _, to := range hosts {
					why := fleet.CanMove(ix, i, from, to)
					if a.canMove(class, a.host(from), a.host(to)) != (why == nil) {
						t.Fatalf("%+v from %+v to %+v: %v", i, from, to, why)
					}
					moved, landed := on(i, from, to), a.landed(class, a.host(from), a.host(to))
					if why := fleet.CanMove(ix, moved, to, from); a.canMove(landed, a.host(to), a.host(from)) != (why == nil) {
						t.Fatalf("back: %+v from %+v to %+v: %v", moved, to, from, why)
					}
				}
			}
		}
	})
}

// TestAlikeKeysAreApart: what one part of a key says is never taken for what another one does.
func TestAlikeKeysAreApart(t *testing.T) {
	a := newAlike(fleet.NewIndex(&fleet.Fleet{}))
	stays := &fleet.Instance{ID: "i", MachineType: "\x01", Pinned: "licence"}
	moves := &fleet.Instance{ID: "j", GuestType: "bound", CPUFeatures: []string{"\x00"}}
	if a.instance(stays) == a.instance(moves) {
		t.Error("an instance that is bound to its host is of the class of one that is not")
	}
}
