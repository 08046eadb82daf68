package fleet

import (
	"reflect"
	"testing"

	"pgregory.net/rapid"
)

func TestCanMove(t *testing.T) {
	shared := Disk{Name: "vda", Shared: true}
	qemu := func(v string) map[string]string { return map[string]string{"qemu-system-x86": v} }
	const older, newer = "1:7.2+dfsg-7+deb12u9", "1:7.2+dfsg-7+deb12u18"
	for _, c := range []struct {
		name   string
		want   string // code; empty: it may move
		change func(i *Instance, from, to *Host)
	}{
		{"nothing against it", "", func(i *Instance, from, to *Host) {}},
		{"pinned", PinnedToHost, func(i *Instance, from, to *Host) { i.Pinned = "licence" }},
		{"device", DevicePassed, func(i *Instance, from, to *Host) { i.Devices = []string{"0000:3b:00.0"} }},
		{"local disk", LocalDisk, func(i *Instance, from, to *Host) { i.Disks = append(i.Disks, Disk{Name: "vdb"}) }},
		{"the driver's own reason", "hugepages", func(i *Instance, from, to *Host) { i.Immovable = []Reason{{Code: "hugepages"}, {Code: "x"}} }},
		{"capabilities not published", "", func(i *Instance, from, to *Host) { from.Capabilities, to.Capabilities = nil, nil }},
		{"source cannot", NoLiveMigration, func(i *Instance, from, to *Host) { from.Capabilities = []string{CanReboot} }},
		{"destination cannot", NoLiveMigration, func(i *Instance, from, to *Host) { to.Capabilities = []string{} }},
		{"pv without shadow", NoShadow, func(i *Instance, from, to *Host) {
			i.GuestType, from.VirtCaps, to.VirtCaps = "pv", []string{"pv", "hvm", "hap", "gnttab-v1"}, []string{"pv", "hap", "shadow"}
		}},
		{"pv with shadow", "", func(i *Instance, from, to *Host) {
			i.GuestType, from.VirtCaps, to.VirtCaps = "pv", []string{"pv", "hvm", "hap", "shadow"}, []string{"pv", "hap"}
		}},
		{"pvh without shadow", "", func(i *Instance, from, to *Host) { i.GuestType, from.VirtCaps = "pvh", []string{"pv", "hvm", "hap"} }},
		{"hvm without shadow", "", func(i *Instance, from, to *Host) { i.GuestType, from.VirtCaps = "hvm", []string{"pv", "hvm", "hap"} }},
		{"a guest of unknown type without shadow", "", func(i *Instance, from, to *Host) { from.VirtCaps = []string{"pv", "hvm", "hap"} }},
		{"pv, virt_caps not read", "", func(i *Instance, from, to *Host) { i.GuestType = "PV" }},
		{"pv, virt_caps of an xl that does not tell of shadow", "", func(i *Instance, from, to *Host) { i.GuestType, from.VirtCaps = "pv", []string{"hvm", "hvm_directio"} }},
		{"no common pool", NoCommonPool, func(i *Instance, from, to *Host) { to.Pools = []string{"q"} }},
		{"second pool in common", "", func(i *Instance, from, to *Host) { from.Pools, to.Pools = []string{"a", "b"}, []string{"c", "b"} }},
		{"other hypervisor", OtherHypervisor, func(i *Instance, from, to *Host) { to.Hypervisor = Xen }},
		{"CPU feature missing", CPUMismatch, func(i *Instance, from, to *Host) {
			i.CPUFeatures, to.CPUFeatures = []string{"aes", "avx512f"}, []string{"aes"}
		}},
		{"CPU features there", "", func(i *Instance, from, to *Host) {
			i.CPUFeatures, to.CPUFeatures = []string{"aes"}, []string{"avx2", "aes"}
			i.CPUModel, to.CPUModel = "Haswell", "EPYC"
		}},
		{"CPU features not known", "", func(i *Instance, from, to *Host) { i.CPUFeatures = []string{"aes"} }},
		{"CPU of its host, same there", "", func(i *Instance, from, to *Host) {
			i.CPUModel, from.CPUModel, to.CPUModel = "host-passthrough", "EPYC", "EPYC"
		}},
		{"CPU of its host, another there", CPUMismatch, func(i *Instance, from, to *Host) {
			i.CPUModel, from.CPUModel, to.CPUModel = "host-passthrough", "EPYC", "Haswell"
		}},
		{"CPU model of the destination", "", func(i *Instance, from, to *Host) {
			i.CPUModel, from.CPUModel, to.CPUModel = "Haswell", "Cascadelake-Server", "Haswell"
		}},
		{"CPU model not shown to fit", CPUMismatch, func(i *Instance, from, to *Host) {
			i.CPUModel, from.CPUModel, to.CPUModel = "Cascadelake-Server", "Cascadelake-Server", "Haswell"
		}},
		{"CPU model that all offer", "", func(i *Instance, from, to *Host) {
			i.CPUModel, from.CPUModel, to.CPUModel = "qemu64", "EPYC", "Haswell"
		}},
		{"CPU model, destination not known", "", func(i *Instance, from, to *Host) { i.CPUModel = "Haswell" }},
		{"machine type missing", MachineMissing, func(i *Instance, from, to *Host) {
			i.MachineType, to.MachineTypes = "pc-q35-8.2", []string{"pc-q35-7.2"}
		}},
		{"machine types not known", "", func(i *Instance, from, to *Host) { i.MachineType = "pc-q35-8.2" }},
		{"network missing", NetworkMissing, func(i *Instance, from, to *Host) { i.Networks, to.Networks = []string{"a", "b"}, []string{"a"} }},
		{"storage missing", StorageMissing, func(i *Instance, from, to *Host) { i.Storage, to.Storage = []string{"ceph"}, []string{"nfs"} }},
		{"host has newer", "", func(i *Instance, from, to *Host) {
			from.Software.Running, to.Software.Running = qemu(older), qemu(newer)
		}},
		{"host has older", OlderHypervisor, func(i *Instance, from, to *Host) {
			from.Software.Running, to.Software.Running = qemu(newer), qemu(older)
		}},
		{"it runs on an older one than its host offers", "", func(i *Instance, from, to *Host) {
			from.Software.Running, to.Software.Running, i.Running = qemu(newer), qemu(older), qemu(older)
		}},
		{"older by RPM's order, not by Debian's", OlderHypervisor, func(i *Instance, from, to *Host) {
			from.Ecosystem, to.Ecosystem = "Rocky Linux:9", "Rocky Linux:9"
			from.Software.Running, to.Software.Running = map[string]string{"qemu-kvm": "17:7.2.0^20230101-1.el9"}, map[string]string{"qemu-kvm": "17:7.2.0-1.el9"}
		}},
		{"versions of two families have no order", "", func(i *Instance, from, to *Host) {
			from.Ecosystem, to.Ecosystem = "Debian:12", "Rocky Linux:9"
			from.Software.Running, to.Software.Running = map[string]string{"qemu": "1:7.2-2"}, map[string]string{"qemu": "1:7.2-1"}
		}},
		{"it runs on a newer one", OlderHypervisor, func(i *Instance, from, to *Host) {
			to.Software.Running, i.Running = qemu(older), qemu(newer)
		}},
		{"only what is installed is known", OlderHypervisor, func(i *Instance, from, to *Host) {
			from.Software.Installed, to.Software.Installed = qemu(newer), qemu(older)
		}},
		{"running counts before installed", "", func(i *Instance, from, to *Host) {
			from.Software.Installed, from.Software.Running = qemu(newer), qemu(older)
			to.Software.Running = qemu(older)
		}},
		{"version not known there", "", func(i *Instance, from, to *Host) { i.Running = qemu(newer) }},
		{"version that cannot be read", "", func(i *Instance, from, to *Host) {
			i.Running, to.Software.Running = qemu(newer), qemu("unknown")
		}},
		{"destination sick", HostUnfit, func(i *Instance, from, to *Host) { to.Health = Sick }},
		{"destination down", HostUnfit, func(i *Instance, from, to *Host) { to.Health = Down }},
		{"source sick", "", func(i *Instance, from, to *Host) { from.Health = Sick }},
		{"all at once: the instance's own reason first", PinnedToHost, func(i *Instance, from, to *Host) {
			to.Health, to.Pools, i.Devices, i.Pinned = Down, nil, []string{"x"}, "licence"
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			i := &Instance{ID: "i", Host: "from", MemoryMiB: 1, Disks: []Disk{shared}}
			from := &Host{ID: "from", Pools: []string{"p"}, Hypervisor: KVM, MemoryMiB: 10}
			to := &Host{ID: "to", Pools: []string{"p"}, Hypervisor: KVM, MemoryMiB: 10}
			c.change(i, from, to)
			got := ""
			if why := CanMove(NewIndex(&Fleet{}), i, from, to); why != nil {
				got = why.Code
				if why.Why == "" && got != "hugepages" {
					t.Error("a reason without a sentence")
				}
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
	if why := CanMove(NewIndex(&Fleet{}), &Instance{ID: "i"}, nil, &Host{}); why == nil || why.Code != HostUnfit {
		t.Errorf("from an unknown host: %v", why)
	}
}

// A move that is allowed stays so when the destination learns more, gets newer or fitter; one
// that is refused stays so when the instance asks for more. And asking changes nothing.
func TestCanMoveIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFleet(t)
		ix := NewIndex(f)
		i := drawInstance(t, 0, f)
		from, to := ix.Hosts[i.Host], &f.Hosts[0]
		before := asText(t, f)
		why := CanMove(ix, &i, from, to)
		if asText(t, f) != before {
			t.Fatal("asking changed the fleet")
		}
		if again := CanMove(ix, &i, from, to); !reflect.DeepEqual(why, again) {
			t.Fatalf("%v, then %v", why, again)
		}
		if own := Bound(&i); own != nil && !reflect.DeepEqual(own, why) {
			t.Fatalf("its own reason is %v, told was %v", own, why)
		}
		more := i
		more.Devices = append([]string{"x"}, i.Devices...)
		if CanMove(ix, &more, from, to) == nil {
			t.Fatal("an instance with a device may move")
		}
		fitter := *to
		fitter.Health, fitter.Capabilities, fitter.Hypervisor = Up, nil, from.Hypervisor
		fitter.Pools, fitter.Networks, fitter.Storage = from.Pools, nil, nil
		fitter.MachineTypes, fitter.CPUModel, fitter.CPUFeatures, fitter.Software = nil, "", nil, Software{}
		got := CanMove(ix, &i, from, &fitter)
		if own := Bound(&i); own == nil && got != nil && got.Code != NoLiveMigration && got.Code != NoShadow {
			t.Fatalf("of a fit host of which nothing else is known: %v", got)
		}
		if why == nil && got != nil {
			t.Fatalf("allowed before, refused by a fitter host: %v", got)
		}
	})
}
