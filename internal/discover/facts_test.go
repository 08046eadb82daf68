package discover

import (
	"context"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// What was seen of a host's software is written with when and how; what base says of it is not.
func TestSoftwareIsOnlyWhatWasSeen(t *testing.T) {
	odd := noon.Add(1234567 * time.Microsecond)
	g1, g2 := inst("g1", "", ""), inst("g2", "", "")
	g1.Looked = fleet.Sighting{At: odd, How: "QMP query-version"}
	g1.Facts.Config = map[string]string{"vnc-websocket": "off"}
	h := host("h1", g1, g2)
	h.At = odd
	h.Missing, h.Gaps = []string{"microcode: uneven"}, []string{"booted kernel: of no package"}
	looked := map[string]fleet.Sighting{fleet.LayerInstalled: {At: odd, How: "dpkg-query over SSH"}}
	h.Facts.Software = fleet.Software{Installed: map[string]string{"qemu": "2"}, LivePatches: []fleet.LivePatch{}, Looked: looked}
	h.Facts.Ecosystem, h.Facts.Config = "Debian:13", map[string]string{"smt": "off"}

	base := &fleet.Fleet{Evenkeel: fleet.SchemaV1, Hosts: []fleet.Host{{ID: "h1", URI: "qemu+tcp://h1/system", MemoryMiB: 8000,
		Ecosystem: "Debian:12", Arch: "x86_64", CPU: fleet.CPU{Vendor: "amd", Family: 25}, VirtCaps: []string{"hvm"}, Config: map[string]string{"smt": "on", "xsave": "off"},
		Software: fleet.Software{Installed: map[string]string{"qemu": "1", "linux": "6"}, Booted: map[string]string{"qemu": "1"}, BuildID: "abc",
			LivePatches: []fleet.LivePatch{{Name: "old", Component: "linux", State: fleet.PatchApplied}}, Looked: map[string]fleet.Sighting{fleet.LayerBooted: {At: noon}}}}},
		Instances: []fleet.Instance{{ID: "g1", Host: "h1", MemoryMiB: 80, Config: map[string]string{"vnc-websocket": "on", "own": "x"}, Looked: fleet.Sighting{At: noon, How: "old"}},
			{ID: "g2", Host: "h1", MemoryMiB: 80, Looked: fleet.Sighting{At: noon, How: "old"}}}}
	f, problems := Fleet(context.Background(), at(h), nil, base, Options{})
	text := sound(t, f)
	got := f.Hosts[0]
	want := fleet.Software{Installed: map[string]string{"qemu": "2"}, LivePatches: []fleet.LivePatch{},
		Looked: map[string]fleet.Sighting{fleet.LayerInstalled: {At: noon.Add(time.Second), How: "dpkg-query over SSH"}}}
	if !reflect.DeepEqual(got.Software, want) {
		t.Errorf("%+v\n%s", got.Software, text)
	}
	if !looked[fleet.LayerInstalled].At.Equal(odd) {
		t.Error("the observation was changed")
	}
	if got.Ecosystem != "Debian:13" || got.Arch != "x86_64" || got.CPU.Family != 25 || len(got.VirtCaps) != 1 || !maps.Equal(got.Config, map[string]string{"smt": "off", "xsave": "off"}) {
		t.Errorf("%+v", got)
	}
	if i := f.Instances[0]; i.Looked != (fleet.Sighting{At: noon.Add(time.Second), How: "QMP query-version"}) || !maps.Equal(i.Config, map[string]string{"vnc-websocket": "off", "own": "x"}) {
		t.Errorf("%+v", i)
	}
	if i := f.Instances[1]; i.Looked != (fleet.Sighting{}) {
		t.Errorf("%+v", i)
	}
	var told []string
	for _, p := range problems {
		told = append(told, p.String())
	}
	for _, says := range []string{"h1: microcode: uneven", "h1: booted kernel: of no package"} {
		if !strings.Contains(strings.Join(told, "\n"), says) {
			t.Errorf("%q is not told: %q", says, told)
		}
	}
	if base.Hosts[0].Config["smt"] != "on" || base.Instances[0].Config["vnc-websocket"] != "on" {
		t.Error("base was changed")
	}
}
