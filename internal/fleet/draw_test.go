package fleet

import (
	"fmt"
	"time"

	"pgregory.net/rapid"
)

// drawFleet draws a sound fleet, with texts that a careless writer would spoil.
func drawFleet(t *rapid.T) *Fleet {
	f := &Fleet{Evenkeel: SchemaV1}
	if rapid.Bool().Draw(t, "dated") {
		f.Taken = time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "taken"), rapid.Int64Range(0, 999999999).Draw(t, "ns")).UTC()
	}
	f.Regions = []Region{{ID: "r"}}
	for n := range rapid.IntRange(1, 3).Draw(t, "sites") {
		f.Sites = append(f.Sites, Site{ID: fmt.Sprint("s", n), Region: "r", Timezone: rapid.SampledFrom([]string{"", "UTC", "Asia/Kolkata"}).Draw(t, "zone")})
		p := Pool{ID: fmt.Sprint("p", n), Site: fmt.Sprint("s", n)}
		if rapid.Bool().Draw(t, "reserve") {
			mib := rapid.Int64Range(0, 1<<40).Draw(t, "mib")
			p.ReserveMiB = &mib
		}
		f.Pools = append(f.Pools, p)
	}
	for n := range rapid.IntRange(0, 3).Draw(t, "tenants") {
		f.Tenants = append(f.Tenants, Tenant{ID: fmt.Sprint("t", n), Name: text(t), SelfManaged: rapid.Bool().Draw(t, "self"),
			Contacts: rapid.SampledFrom([][]Contact{nil, {}, {{Email: "a@acme.example"}, {Email: "o'b@birch.example"}}}).Draw(t, "contacts")})
	}
	for n := range rapid.IntRange(1, 4).Draw(t, "hosts") {
		f.Hosts = append(f.Hosts, drawHost(t, n, len(f.Pools)))
	}
	f.Links = []Link{{ID: "l", Mbps: 100, Sites: []string{"s0"}, Hosts: []string{"h0"}}}
	f.HostGroups = []HostGroup{{ID: "hg", Hosts: []string{"h0"}, MaxUnavailable: 1}}
	for n := range rapid.IntRange(0, 6).Draw(t, "instances") {
		f.Instances = append(f.Instances, drawInstance(t, n, f))
	}
	for n := range rapid.IntRange(0, 2).Draw(t, "groups") {
		g := Group{ID: fmt.Sprint("g", n), Spread: rapid.SampledFrom([]Spread{SpreadNone, SpreadHost, SpreadRack, SpreadSite}).Draw(t, "spread")}
		for i := range f.Instances {
			if rapid.Bool().Draw(t, "member") {
				g.Members = append(g.Members, f.Instances[i].ID)
			} else if rapid.Bool().Draw(t, "by itself") {
				f.Instances[i].Group = g.ID
			}
		}
		f.Groups = append(f.Groups, g)
	}
	return f
}

func text(t *rapid.T) string {
	return rapid.OneOf(
		rapid.SampledFrom([]string{"", " ", "yes", "null", "~", "1e3", "0x1F", "010", "1_000", "2026-01-01", "12:30", "- a", "a: b", "#", "a #b",
			"'", `"`, `\`, "a\nb\n", "\t", "{", "[x]", "*a", "&a", "!t", "|", ">", "%", "@", "`", "é", "日本", "\u2028", "\ufeff", "\U0001F600", "<<", "=", "true ", "\u0085", "NaN", ".inf", "a,b", "-1", "+1"}),
		rapid.StringOf(rapid.RuneFrom(nil, printable)),
	).Draw(t, "text")
}

func versions(t *rapid.T) map[string]string {
	if rapid.Bool().Draw(t, "no versions") {
		return nil
	}
	return rapid.MapOfN(rapid.StringMatching(`[a-z0-9.:~ -]*[a-z0-9]`), rapid.Custom(func(t *rapid.T) string { return text(t) }), 0, 3).Draw(t, "versions")
}

func some(t *rapid.T, name string) []string {
	return rapid.SampledFrom([][]string{nil, {}, {"a"}, {"yes", "0", "x y"}}).Draw(t, name)
}

func drawHost(t *rapid.T, n, pools int) Host {
	return Host{
		ID: fmt.Sprint("h", n), Pools: []string{fmt.Sprint("p", rapid.IntRange(0, pools-1).Draw(t, "pool"))}, Rack: text(t), Model: text(t),
		Hypervisor: rapid.SampledFrom([]Hypervisor{KVM, Xen}).Draw(t, "hypervisor"), URI: text(t), SSH: text(t), MemoryMiB: 1 << 40,
		CPUs: rapid.IntRange(0, 256).Draw(t, "cpus"), CPUModel: rapid.SampledFrom([]string{"", "A", "B", "qemu64"}).Draw(t, "model"),
		CPUFeatures: some(t, "features"), MachineTypes: some(t, "machines"), Networks: some(t, "networks"), Storage: some(t, "storage"),
		NICMbps: rapid.Int64Range(0, 1e6).Draw(t, "nic"), Spare: rapid.Bool().Draw(t, "spare"),
		Health: rapid.SampledFrom([]Health{"", Up, Sick, Down}).Draw(t, "health"), BootID: text(t),
		Software:  drawSoftware(t),
		Ecosystem: rapid.SampledFrom([]string{"", "Debian:12", "Rocky Linux:9", "Plan 9"}).Draw(t, "ecosystem"), Arch: text(t),
		CPU:      CPU{Vendor: text(t), Family: rapid.IntRange(0, 255).Draw(t, "family"), Model: rapid.IntRange(0, 255).Draw(t, "cpu model"), Microcode: text(t)},
		VirtCaps: some(t, "virt caps"), Config: versions(t), Seen: moment(t),
		Capabilities: rapid.SampledFrom([][]string{nil, {}, {CanLiveMigrate}, {CanReboot, CanUpdate}}).Draw(t, "capabilities"),
	}
}

func drawSoftware(t *rapid.T) Software {
	s := Software{Installed: versions(t), Booted: versions(t), Running: versions(t), BuildID: text(t)}
	s.LivePatches = rapid.SampledFrom([][]LivePatch{nil, {}, {{Name: "yes", Component: "xen", State: PatchApplied}, {Name: "1", Component: "linux", State: PatchTransition}}}).Draw(t, "patches")
	if rapid.Bool().Draw(t, "looked") {
		s.Looked = map[string]Sighting{}
		for _, layer := range Layers {
			if rapid.Bool().Draw(t, layer) {
				s.Looked[layer] = drawSighting(t)
			}
		}
	}
	return s
}

func drawSighting(t *rapid.T) Sighting { return Sighting{At: moment(t), How: text(t)} }

// moment is before any at which a fleet is drawn as taken, or none.
func moment(t *rapid.T) time.Time {
	if rapid.Bool().Draw(t, "undated") {
		return time.Time{}
	}
	return time.Unix(rapid.Int64Range(-1e9, -1).Draw(t, "at"), rapid.Int64Range(0, 999999999).Draw(t, "ns")).UTC()
}

func drawInstance(t *rapid.T, n int, f *Fleet) Instance {
	i := Instance{
		ID: fmt.Sprint("i", n), Host: f.Hosts[rapid.IntRange(0, len(f.Hosts)-1).Draw(t, "host")].ID,
		State:     rapid.SampledFrom([]State{"", Running, Stopped, Paused}).Draw(t, "state"),
		MemoryMiB: rapid.Int64Range(1, 1<<36).Draw(t, "memory"), VCPUs: rapid.IntRange(0, 128).Draw(t, "vcpus"),
		DirtyMiBps: rapid.Float64Range(0, 1e300).Draw(t, "dirty"), GuestType: text(t),
		CPUModel:    rapid.SampledFrom([]string{"", "A", "host-passthrough", "qemu64"}).Draw(t, "model"),
		CPUFeatures: some(t, "features"), MachineType: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "machine"),
		Networks: some(t, "networks"), Storage: some(t, "storage"), Devices: some(t, "devices"),
		Pinned: text(t), NoSuspend: rapid.Bool().Draw(t, "no suspend"), Running: versions(t),
		Home: rapid.SampledFrom([]string{"", "h0"}).Draw(t, "home"), Looked: drawSighting(t), Config: versions(t),
	}
	if rapid.Bool().Draw(t, "disks") {
		i.Disks = []Disk{{Name: "vda", Shared: rapid.Bool().Draw(t, "shared"), SizeMiB: 5}, {Name: "true", Source: text(t)}}
	}
	if rapid.Bool().Draw(t, "immovable") {
		i.Immovable = []Reason{{Code: "x", Why: text(t)}}
	}
	return i
}
