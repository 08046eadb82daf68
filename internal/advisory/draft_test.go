package advisory

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/form"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// machine is a host with one package booted.
func machine(id, ecosystem string, hv fleet.Hypervisor, pkg, version string) fleet.Host {
	return fleet.Host{ID: id, Pools: []string{"p"}, Hypervisor: hv, Ecosystem: ecosystem, MemoryMiB: 1,
		Software: fleet.Software{Booted: map[string]string{pkg: version}, Installed: map[string]string{pkg: version}}}
}

func patchable(h fleet.Host, build string) fleet.Host {
	h.Capabilities = []string{"live-patch", "reboot", "update", "live-migrate"}
	h.Software.BuildID = build
	return h
}

// cohorts writes a target's cohorts shortly.
func cohorts(t *plan.Target) string {
	if t == nil {
		return "none"
	}
	var out []string
	for _, c := range t.Cohorts {
		var pkgs, patches []string
		for p, v := range c.Packages {
			pkgs = append(pkgs, p+">="+v)
		}
		slices.Sort(pkgs)
		for _, p := range c.LivePatches {
			patches = append(patches, p.Name)
		}
		out = append(out, fmt.Sprintf("%s %s pools%v hosts%v %v %s %v", c.Name, c.Match.Hypervisor, c.Match.Pools, c.Match.Hosts, pkgs, c.Remedy, patches))
	}
	return strings.Join(out, "\n")
}

func TestDraft(t *testing.T) {
	qemu := fixedAt("Debian:12", "qemu", u18)
	patch := Payload{Kind: "live-patch", Name: "xsa1", Component: "xen", BuildID: "abc", SHA256: strings.Repeat("a", 64)}
	xenDoc := Advisory{ID: "XSA-1", Affected: []Affected{fixedAt("Debian:12", "xen", "4.17.5-1")}, Payloads: []Payload{patch}}
	for _, c := range []struct {
		name  string
		hosts []fleet.Host
		as    []Advisory
		want  string
		notes string // each has to be among the notes; separated by |
	}{
		{"qemu under KVM", []fleet.Host{machine("h1", "Debian:12", fleet.KVM, "qemu-system-x86", u15), machine("h2", "Debian:12", fleet.KVM, "qemu-system-x86", u18)},
			[]Advisory{said("CVE-1", "a", nil, qemu)}, "debian-12-kvm kvm pools[] hosts[] [qemu>=" + u18 + "] refresh []", ""},
		{"the release told by the versions", []fleet.Host{machine("h1", "", fleet.KVM, "qemu-system-x86", u15)},
			[]Advisory{said("CVE-1", "a", nil, qemu)}, "debian-12-kvm kvm pools[] hosts[] [qemu>=" + u18 + "] refresh []", ""},
		{"no release known", []fleet.Host{machine("h1", "", fleet.KVM, "qemu-system-x86", "1:7.2+dfsg-7")}, []Advisory{said("CVE-1", "a", nil, qemu)}, "none",
			"h1: of which ecosystem it is is not known"},
		{"another release", []fleet.Host{machine("h1", "Debian:13", fleet.KVM, "qemu-system-x86", "1:10.0.2+ds-2")}, []Advisory{said("CVE-1", "a", nil, qemu)}, "none",
			"CVE-1 speaks of Debian:12, and no host is known to be of these: the fleet's are Debian:13"},
		{"Debian without its release", []fleet.Host{machine("h1", "Debian", fleet.KVM, "qemu-system-x86", "1:7.2+dfsg-7")}, []Advisory{said("CVE-1", "a", nil, qemu)}, "none", "speaks of Debian:12"},
		{"the highest of several", []fleet.Host{machine("h1", "Debian:12", fleet.KVM, "qemu-system-x86", u12)},
			[]Advisory{said("CVE-1", "a", nil, fixedAt("Debian:12", "qemu", u15)), said("CVE-2", "b", nil, qemu), said("CVE-3", "c", nil, fixedAt("Debian:12", "qemu", u17))},
			"debian-12-kvm kvm pools[] hosts[] [qemu>=" + u18 + "] refresh []", ""},
		{"the kernel", []fleet.Host{machine("h1", "Debian:12", fleet.KVM, "linux-image-6.1.0-26-amd64", "6.1.112-1")},
			[]Advisory{said("CVE-1", "a", nil, fixedAt("Debian:12", "linux", "6.1.119-1"))}, "debian-12-kvm kvm pools[] hosts[] [linux>=6.1.119-1] reboot []", ""},
		{"kernel and qemu", []fleet.Host{func() fleet.Host {
			h := machine("h1", "Debian:12", fleet.KVM, "linux-image-6.1.0-26-amd64", "6.1.112-1")
			h.Software.Booted["qemu-system-x86"] = u15
			return h
		}()}, []Advisory{said("CVE-1", "a", nil, fixedAt("Debian:12", "linux", "6.1.119-1"), qemu)}, "debian-12-kvm kvm pools[] hosts[] [linux>=6.1.119-1 qemu>=" + u18 + "] reboot []", ""},
		{"Xen with a live patch for one of two", []fleet.Host{patchable(machine("x1", "Debian:12", fleet.Xen, "xen-hypervisor-4.17-amd64", "4.17.3-1"), "abc"), patchable(machine("x2", "Debian:12", fleet.Xen, "xen-hypervisor-4.17-amd64", "4.17.2-1"), "def")},
			[]Advisory{xenDoc}, "debian-12-xen xen pools[] hosts[x1] [xen>=4.17.5-1] live-patch [xsa1]\ndebian-12-xen-2 xen pools[] hosts[x2] [xen>=4.17.5-1] reboot []", ""},
		{"Xen that cannot live-patch", []fleet.Host{func() fleet.Host {
			h := machine("x1", "Debian:12", fleet.Xen, "xen-hypervisor-4.17-amd64", "4.17.3-1")
			h.Software.BuildID = "abc"
			return h
		}()}, []Advisory{xenDoc}, "debian-12-xen xen pools[] hosts[] [xen>=4.17.5-1] reboot []", "the host does not offer live-patch"},
		{"two advisories, one live patch", []fleet.Host{patchable(machine("x1", "Debian:12", fleet.Xen, "xen-hypervisor-4.17-amd64", "4.17.3-1"), "abc")},
			[]Advisory{xenDoc, said("XSA-2", "b", nil, fixedAt("Debian:12", "xen", "4.17.4-1"))}, "debian-12-xen xen pools[] hosts[] [xen>=4.17.5-1] reboot []", ""},
		{"a kernel's live patch", []fleet.Host{patchable(machine("h1", "Debian:12", fleet.KVM, "linux-image-6.1.0-26-amd64", "6.1.112-1"), ""), patchable(machine("h2", "Debian:12", fleet.KVM, "linux-image-6.1.0-25-amd64", "6.1.106-3"), "k1")},
			[]Advisory{{ID: "CVE-1", Affected: []Affected{fixedAt("Debian:12", "linux", "6.1.119-1")}, Payloads: []Payload{{Kind: "live-patch", Name: "klp1", Component: "linux", Base: "6.1.112-1", BuildID: "k1"}}}},
			"debian-12-kvm kvm pools[] hosts[h1] [linux>=6.1.119-1] live-patch [klp1]\ndebian-12-kvm-2 kvm pools[] hosts[h2] [linux>=6.1.119-1] reboot []", ""},
		{"xen's own record on a KVM host", []fleet.Host{machine("h1", "Debian:12", fleet.KVM, "libxenmisc4.17", "4.17.3-1")}, []Advisory{xenDoc}, "none", ""},
		{"no fix", []fleet.Host{machine("h1", "Debian:12", fleet.KVM, "qemu-system-x86", u15)}, []Advisory{said("CVE-1", "a", nil, of("Debian:12", "qemu", Event{Introduced: "0"}))}, "none",
			"CVE-1 names no fixed version of qemu in Debian:12"},
		{"nothing named", []fleet.Host{machine("h1", "Debian:12", fleet.KVM, "qemu-system-x86", u15)}, []Advisory{{ID: "CVE-1"}}, "none", "CVE-1 names no package"},
		{"withdrawn", []fleet.Host{machine("h1", "Debian:12", fleet.KVM, "qemu-system-x86", u15)}, []Advisory{{ID: "CVE-1", Withdrawn: on(1), Affected: []Affected{qemu}}}, "none", "withdrawn on 2026-01-01"},
		{"a package that is not known to be there", []fleet.Host{machine("h1", "Debian:12", fleet.KVM, "libvirt-daemon", "9.0.0-4")}, []Advisory{said("CVE-1", "a", nil, qemu)}, "none", ""},
		{"each branch its own fix", []fleet.Host{machine("x1", "upstream", fleet.Xen, "xen", "4.16.2"), machine("x2", "upstream", fleet.Xen, "xen", "4.17.1"), machine("x3", "upstream", fleet.Xen, "xen", "4.17.9")},
			[]Advisory{said("XSA-1", "a", nil, of("upstream", "xen", Event{Introduced: "4.16.0"}, Event{Fixed: "4.16.5"}, Event{Introduced: "4.17.0"}, Event{Fixed: "4.17.3"}))},
			"upstream-xen xen pools[] hosts[x1] [xen>=4.16.5] reboot []\nupstream-xen-2 xen pools[] hosts[x2] [xen>=4.17.3] reboot []", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &fleet.Fleet{Pools: []fleet.Pool{{ID: "p", Site: "s"}}, Hosts: c.hosts}
			got, notes := Draft(f, c.as)
			if cohorts(got) != c.want {
				t.Errorf("drafted\n%s\nwant\n%s", cohorts(got), c.want)
			}
			for _, n := range strings.Split(c.notes, "|") {
				if !strings.Contains(strings.Join(notes, "\n"), n) {
					t.Errorf("notes %q lack %q", notes, n)
				}
			}
			if got == nil {
				return
			}
			if _, mistakes := plan.ParseTarget("draft", form.Encode(got)); len(mistakes) > 0 {
				t.Errorf("the draft is no target: %v", mistakes)
			}
			if got.Public == "" || strings.Contains(got.Public, "CVE") || strings.Contains(got.Public, "XSA") {
				t.Errorf("what tenants read: %q", got.Public)
			}
		})
	}
}

func TestDraftsMatchExactly(t *testing.T) {
	f := &fleet.Fleet{Hosts: []fleet.Host{
		machine("a1", "Debian:12", fleet.KVM, "qemu-system-x86", u15), machine("a2", "Debian:12", fleet.KVM, "qemu-system-x86", u15),
		machine("b1", "Debian:13", fleet.KVM, "qemu-system-x86", "1:10.0.2+ds-2"), machine("x1", "Debian:12", fleet.Xen, "xen-hypervisor-4.17-amd64", "4.17.3-1"),
	}}
	for i, pool := range []string{"a", "a", "b", "a"} {
		f.Hosts[i].Pools = []string{pool}
	}
	doc := said("CVE-1", "a", nil, fixedAt("Debian:12", "qemu", u18))
	if got, _ := Draft(f, []Advisory{doc}); cohorts(got) != "debian-12-kvm kvm pools[a] hosts[] [qemu>="+u18+"] refresh []" {
		t.Errorf("a pool of its own: %s", cohorts(got))
	}
	f.Hosts[2].Pools = []string{"b", "a"}
	if got, _ := Draft(f, []Advisory{doc}); cohorts(got) != "debian-12-kvm kvm pools[] hosts[a1 a2] [qemu>="+u18+"] refresh []" {
		t.Errorf("a pool that is shared: %s", cohorts(got))
	}
}

func TestDraftUnderEmbargo(t *testing.T) {
	f := &fleet.Fleet{Hosts: []fleet.Host{machine("h1", "Debian:12", fleet.KVM, "qemu-system-x86", u15)}}
	doc := func(id string, day int, deploy string) Advisory {
		a := said(id, "a", nil, fixedAt("Debian:12", "qemu", u18))
		a.Disclosure, a.EmbargoDeploy = on(day), deploy
		return a
	}
	for _, c := range []struct {
		as   []Advisory
		want string
	}{
		{[]Advisory{doc("CVE-1", 3, "yes")}, "yes 2026-01-03"},
		{[]Advisory{doc("CVE-1", 3, "")}, "no 2026-01-03"}, // not said is not allowed
		{[]Advisory{doc("CVE-1", 3, "yes"), doc("CVE-2", 5, "mitigations"), doc("CVE-3", 4, "yes")}, "mitigations 2026-01-05"},
		{[]Advisory{doc("CVE-1", 3, "mitigations"), doc("CVE-2", 2, "no")}, "no 2026-01-03"},
	} {
		got, _ := Draft(f, c.as)
		if s := got.EmbargoDeploy + " " + day(got.Disclosure); s != c.want {
			t.Errorf("got %s, want %s", s, c.want)
		}
	}
}

// TestDraftOfOnePatchForTwo: one live patch may fix several advisories, and never one that it does not.
func TestDraftOfOnePatchForTwo(t *testing.T) {
	doc := func(id string) Advisory {
		a := osv(id, ranged("XenServer", "xen", fixedIn("4.17.4-5.xs8")...))
		a.Payloads = []Payload{{Kind: "live-patch", Name: "lp", Component: "xen", BuildID: "AA"}}
		return a
	}
	f := &fleet.Fleet{Taken: now, Hosts: []fleet.Host{patchable(machine("h1", "XenServer:8", fleet.Xen, "xen", "4.17.4-3.xs8"), "aa")}}
	got, _ := Draft(f, []Advisory{doc("X-1"), doc("X-2")})
	if got == nil || len(got.Cohorts) != 1 || len(got.Cohorts[0].LivePatches) != 1 || !slices.Equal(got.Cohorts[0].LivePatches[0].Fixes, []string{"X-1", "X-2"}) {
		t.Fatalf("%+v", got)
	}
	if _, mistakes := plan.ParseTarget("draft", form.Encode(got)); len(mistakes) > 0 {
		t.Error(mistakes)
	}
	got, notes := Draft(f, []Advisory{doc("X-1"), doc("an id with blanks")})
	if got == nil || got.Cohorts[0].Remedy == remedyLivePatch || !slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, "is left out") }) {
		t.Errorf("%+v %q", got, notes)
	}
}

// TestDraftSaysWhatItLeavesOut: an advisory that nothing is drafted from is named.
func TestDraftSaysWhatItLeavesOut(t *testing.T) {
	f := &fleet.Fleet{Taken: now, Pools: []fleet.Pool{{ID: "p1"}}, Hosts: []fleet.Host{{ID: "h1", Pools: []string{"p1"}, Hypervisor: fleet.KVM, Ecosystem: "Debian:12",
		Software: fleet.Software{Installed: m{pkg: u15}, Booted: m{pkg: u15}}}}}
	tg, notes := Draft(f, []Advisory{osv("CVE-1", debian("12", "qemu", fixedIn(u18)...)), osv("CVE-2", debian("12", "vlc", fixedIn("3.0.20-1")...))})
	if tg == nil || !strings.Contains(strings.Join(notes, "\n"), "CVE-2") {
		t.Errorf("%+v: %q", tg, notes)
	}
	if strings.Contains(strings.Join(notes, "\n"), "CVE-1: nothing") {
		t.Errorf("what was drafted from is named as left out: %q", notes)
	}
}
