package advisory

import (
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

func TestBringsTo(t *testing.T) {
	for _, c := range []struct {
		name, component, base, to string
		want                      bool
	}{
		{"lp_4.17.4-3.xs8-4.17.4-5.xs8", "xen", "4.17.4-3.xs8", "4.17.4-5.xs8", true},
		{"lp_4.17.4-3.xs8-4.17.4-10.xs8", "xen", "4.17.4-3.xs8", "4.17.4-5.xs8", true},
		{"lp_4.17.4-3.xs8-4.17.4-4.xs8", "xen", "4.17.4-3.xs8", "4.17.4-5.xs8", false},
		{"lp_4.17.4-2.xs8-4.17.4-5.xs8", "xen", "4.17.4-3.xs8", "4.17.4-5.xs8", false},
		{"lp_4_19_19__8_0_20__4_19_19__8_0_22", "linux", "4.19.19-8.0.20", "4.19.19-8.0.21", true},
		{"lp_4_19_19__8_0_20__4_19_19__8_0_20", "linux", "4.19.19-8.0.20", "4.19.19-8.0.21", false},
		{"lp_4.17.4-3.xs8-4.17.4-5.xs8", "xen", "4.17.4-3.xs8", "", false},
		{"4.17.4-3.xs8-4.17.4-5.xs8", "xen", "4.17.4-3.xs8", "4.17.4-5.xs8", false},
		{"lp_1-2-3", "xen", "1-2", "3", false},
		{"lp_", "linux", "", "1-1", false},
		{"livepatch_vsock", "linux", "4.19.19-8.0.20", "4.19.19-8.0.21", false},
	} {
		if got := bringsTo(c.name, c.component, &Payload{Base: c.base, To: c.to}); got != c.want {
			t.Errorf("%s, from %s to %s: %v", c.name, c.base, c.to, got)
		}
	}
}

// TestDocumentsLivePatch: a document that lists live patches by build, without their names.
func TestDocumentsLivePatch(t *testing.T) {
	const base, to, applied = "4.17.4-3.xs8", "4.17.4-5.xs8", "lp_4.17.4-3.xs8-4.17.4-5.xs8"
	doc := osv("U-1", ranged("XenServer", "xen", fixedIn(to)...))
	doc.Payloads = []Payload{{Kind: "live-patch", Component: "xen", Base: base, To: to, BuildID: "aa"}}
	is := func(name, state string) []fleet.LivePatch {
		return []fleet.LivePatch{{Name: name, Component: "xen", State: state}}
	}
	for _, c := range []struct {
		name, build string
		patches     []fleet.LivePatch
		want        Verdict // of the instance: what runs
		says        string
	}{
		{"applied", "AA", is(applied, "applied"), IsFixed, "which fixes it, is applied"},
		{"only loaded", "aa", is(applied, "loaded"), IsAffected, "older than"},
		{"none", "aa", []fleet.LivePatch{}, IsAffected, "older than"},
		{"the list was not read", "aa", nil, IsUnknown, "the host's list was not read"},
		{"the list was not read, and none is for this build", "bb", nil, IsAffected, "older than"},
		{"another build's", "bb", is(applied, "applied"), IsAffected, "older than"},
		{"the build id was not read", "", is(applied, "applied"), IsUnknown, "the host's build id was not read"},
		{"another patch", "aa", is("lp_x", "applied"), IsAffected, "older than"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := xenWorld(base, "hvm")
			h := &f.Hosts[0]
			h.Ecosystem = "XenServer:8"
			h.Software = fleet.Software{Installed: m{"xen-hypervisor": to}, Booted: m{"xen-hypervisor": base}, BuildID: c.build, LivePatches: c.patches}
			a := Assess(f, nil, []Advisory{doc}, 0, now)
			expect(t, "host", a.Hosts[0].Verdict, a.Hosts[0].Evidence, c.want, c.says)
			expect(t, "instance", a.Instances[0].Verdict, a.Instances[0].Evidence, c.want, c.says)
		})
	}
}

// TestBuildAlone: where a document goes by the build, no version is asked for.
func TestBuildAlone(t *testing.T) {
	doc := osv("B-1", Affected{Ecosystem: "build-id", Package: "xen", Versions: []string{"aa"}}, Affected{Ecosystem: "build-id", Package: "xen", Status: StatusFixed, Versions: []string{"bb"}})
	for build, want := range map[string]Verdict{"aa": IsAffected, "bb": IsFixed, "cc": IsUnknown, "": IsUnknown} {
		f := xenWorld("", "pv")
		f.Hosts[0].Software = fleet.Software{BuildID: build}
		a := Assess(f, nil, []Advisory{doc}, 0, now)
		expect(t, "host of "+build, a.Hosts[0].Verdict, a.Hosts[0].Evidence, want, "")
		expect(t, "instance on "+build, a.Instances[0].Verdict, a.Instances[0].Evidence, want, "")
	}
}

// TestXenAlone: a document of another distribution's Xen says nothing against a host of KVM.
func TestXenAlone(t *testing.T) {
	xen := osv("X-1", ranged("XenServer", "xen", fixedIn("4.17.4-5.xs8")...))
	w := qemuWorld(u18, u18, u18)
	w.noTarget, w.advisory, w.host.Ecosystem = true, []Advisory{xen}, "Debian:12"
	h := w.assess().Hosts[0]
	expect(t, "kvm", h.Verdict, h.Evidence, NotAffected, "X-1 is of Xen alone, and its hypervisor is kvm")
	w.host.Hypervisor = fleet.Xen
	h = w.assess().Hosts[0]
	expect(t, "xen", h.Verdict, h.Evidence, IsUnknown, "says nothing of Debian:12")
	w.host.Hypervisor = fleet.KVM
	w.advisory[0].Affected = append(w.advisory[0].Affected, ranged("XenServer", "qemu", fixedIn("4.2-1")...))
	h = w.assess().Hosts[0]
	expect(t, "kvm, and QEMU is named too", h.Verdict, h.Evidence, IsUnknown, "says nothing of Debian:12")
}
