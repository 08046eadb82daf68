package libvirt

import (
	"reflect"
	"runtime"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// What a host is, against what it says itself.
func TestLabFacts(t *testing.T) {
	l := theLab(t)
	name := l.guest("h1", "g125")
	l.alive(name)
	o := l.observe(l.driver(l.config()), l.hosts[0])
	h := o.Facts
	id := l.on("h1", "sh", "-c", `. /etc/os-release; echo "$ID $VERSION_ID"`)
	if h == nil || id != "debian 12" || h.Ecosystem != "Debian:12" || h.Arch != l.on("h1", "uname", "-m") {
		t.Fatalf("%q: %+v", id, h)
	}
	if runtime.GOARCH == "amd64" && (h.CPU.Vendor == "" || h.CPU.Family == 0) {
		t.Errorf("CPU %+v", h.CPU)
	}
	// The hosts share the kernel of the machine: it is of no package of theirs.
	if len(o.Gaps) != 1 || !strings.HasPrefix(o.Gaps[0], "booted kernel: ") || !strings.Contains(o.Gaps[0], l.on("h1", "uname", "-r")) {
		t.Errorf("gaps %q", o.Gaps)
	}
	for layer, how := range map[string]string{
		fleet.LayerInstalled: "dpkg-query over SSH", fleet.LayerBooted: "dpkg's file times over SSH",
		fleet.LayerRunning: "QMP query-version, libvirt ConnectGetVersion", fleet.LayerLivePatches: "/sys/kernel/livepatch over SSH",
	} {
		if s := o.Software.Looked[layer]; s.How != how || !s.At.Equal(o.At) {
			t.Errorf("%s: %+v, expected %q at %s", layer, s, how, o.At)
		}
	}
	if i := instanceIn(o, name); i.Looked.How != "QMP query-version" || !i.Looked.At.Equal(o.At) || i.Facts.Looked != i.Looked {
		t.Errorf("%+v", i)
	}
	// Without SSH nothing of the host itself was looked at, and it is not said to be absent.
	bare := l.hosts[0]
	bare.SSH = ""
	o = l.observe(l.driver(l.config()), bare)
	if _, running := o.Software.Looked[fleet.LayerRunning]; len(o.Software.Looked) != 1 || !running || o.Software.LivePatches != nil || o.Facts.Ecosystem != "" {
		t.Errorf("%+v, %+v", o.Software, o.Facts)
	}
}

// Live patches as a kernel shows them: a made folder stands in for /sys/kernel, on one host alone.
func TestLabLivePatches(t *testing.T) {
	l := theLab(t)
	d := l.driver(l.config())
	h := l.hosts[1]
	patches := func() []fleet.LivePatch { return l.observe(d, h).Software.LivePatches }
	if got := patches(); got == nil || len(got) > 0 {
		t.Errorf("before: %#v", got)
	}
	l.on(h.ID, "sh", "-ec", `rm -rf /var/tmp/kernel; mkdir -p /var/tmp/kernel/livepatch /var/tmp/kernel/mm; mount --bind /var/tmp/kernel /sys/kernel`)
	t.Cleanup(func() { l.on(h.ID, "sh", "-c", `umount /sys/kernel; rm -rf /var/tmp/kernel`) })
	set := func(name, enabled, transition string) {
		l.on(h.ID, "sh", "-ec", `mkdir -p "/sys/kernel/livepatch/$1"; cd "/sys/kernel/livepatch/$1"; echo "$2" >enabled; echo "$3" >transition`, "set", name, enabled, transition)
	}
	one := func(state string) []fleet.LivePatch {
		return []fleet.LivePatch{{Name: "livepatch_one", Component: "linux", State: state}}
	}
	for _, c := range []struct {
		enabled, transition string
		want                []fleet.LivePatch
	}{
		{"0", "0", one(fleet.PatchLoaded)}, {"1", "1", one(fleet.PatchTransition)}, {"1", "0", one(fleet.PatchApplied)}, {"0", "1", one(fleet.PatchTransition)},
	} {
		set("livepatch_one", c.enabled, c.transition)
		if got := patches(); !reflect.DeepEqual(got, c.want) {
			t.Errorf("enabled %s, transition %s: %+v", c.enabled, c.transition, got)
		}
	}
	// What cannot be read is not known, and said; nothing is guessed from the rest.
	l.on(h.ID, "sh", "-ec", `mkdir /sys/kernel/livepatch/livepatch_two`)
	o := l.observe(d, h)
	if _, looked := o.Software.Looked[fleet.LayerLivePatches]; o.Software.LivePatches != nil || looked || !strings.Contains(strings.Join(o.Missing, "\n"), "live patches: the state of livepatch_two") {
		t.Errorf("%+v, missing %q", o.Software, o.Missing)
	}
	l.on(h.ID, "sh", "-ec", `rm -r /sys/kernel/livepatch`)
	if got := patches(); got == nil || len(got) > 0 {
		t.Errorf("a kernel without the folder: %#v", got)
	}
}
