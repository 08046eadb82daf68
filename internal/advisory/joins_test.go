package advisory

import (
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// about is a document on several vulnerabilities that all are names of its own.
func about(id string, aliases []string, es ...Affected) Advisory {
	return Advisory{ID: id, Source: id + ".json", Format: FormatOwn, Aliases: aliases, Affected: es}
}

// TestDocumentsOfOneName: each of several documents counts, where they only share names.
func TestDocumentsOfOneName(t *testing.T) {
	csaf := func(document string, day int, es ...Affected) Advisory {
		return Advisory{ID: "CVE-2026-1", Format: FormatCSAF, Source: document + ".json", Document: document, Modified: on(day), Affected: es}
	}
	kernel, rt := ranged("Red Hat:8", "kernel", fixedIn("4.18.0-553.el8_10")...), ranged("Red Hat:8", "kernel-rt", fixedIn("4.18.0-553.rt7.342.el8_10")...)
	cve1 := osv("DEBIAN-CVE-2026-1", debian("12", "qemu", fixedIn(u18)...))
	cve1.Upstream = []string{"CVE-2026-1"}
	two := []string{"CVE-2026-1", "CVE-2026-2"}
	hvm := about("CVE-2026-1", nil, debian("12", "qemu", fixedIn(u18)...))
	hvm.Applies = []Condition{{CPUVendors: []string{"amd"}}}
	old := osv("DSA-1", debian("11", "qemu", fixedIn("1:5.2+dfsg-11+deb11u5")...))
	old.Upstream = two
	for _, c := range []struct {
		name, ecosystem, pkg, v string
		as                      []Advisory
		want                    Verdict
		says                    string
	}{
		{"two documents of one vendor on one CVE are not two states of one", "Red Hat:8", "kernel", "4.18.0-500.el8",
			[]Advisory{csaf("vendor.example RHSA-1", 1, kernel), csaf("vendor.example RHSA-2", 5, rt)}, IsAffected, "older than 4.18.0-553.el8_10"},
		{"two states of one document", "Red Hat:8", "kernel", "4.18.0-500.el8",
			[]Advisory{csaf("vendor.example RHSA-1", 1, kernel), csaf("vendor.example RHSA-1", 5, ranged("Red Hat:8", "kernel", fixedIn("4.18.0-499.el8")...))}, IsFixed, "older copy"},
		{"two that supersede each other", "Debian:12", pkg, u17,
			[]Advisory{{ID: "A", Source: "a", Supersedes: []string{"B"}, Affected: hvm.Affected}, {ID: "B", Source: "b", Supersedes: []string{"A"}}}, IsAffected, "older than"},
		{"one of two vulnerabilities is fixed", "Debian:12", pkg, u18,
			[]Advisory{about("XSA-1", two, ranged("upstream", "qemu", fixedIn("7.2.9")...)), cve1}, IsUnknown, "its own advisory must tell"},
		{"one of two vulnerabilities is narrowed", "Debian:12", pkg, u17,
			[]Advisory{about("XSA-1", two, debian("12", "qemu", fixedIn(u18)...)), hvm}, IsAffected, "older than"},
		{"another release's document on two, of which one has its own", "Debian:12", pkg, u18, []Advisory{old, cve1}, IsUnknown, "says nothing of Debian:12"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := one(c.ecosystem, c.pkg, c.v, c.as...)
			expect(t, "host", h.Verdict, h.Evidence, c.want, c.says)
		})
	}
}

// TestReleases: what is said of one release decides nothing in another.
func TestReleases(t *testing.T) {
	up := ranged("upstream", "qemu", fixedIn("7.0.0")...)
	several := osv("C-1", up, debian("11", "qemu", fixedIn("1:5.2+dfsg-11")...), debian("12", "qemu", fixedIn("1:9.2+dfsg-1")...))
	for _, c := range []struct {
		name, ecosystem, pkg, v string
		as                      []Advisory
		want                    Verdict
		says                    string
	}{
		{"of which release it is is not known, and an upstream entry comes first", "Debian", pkg, "1:7.2+dfsg-7", []Advisory{several}, IsUnknown, "they differ"},
		{"a fix of another release, in an ecosystem without one", "Red Hat:9", "qemu-kvm", "17:8.2.0-1.el9", []Advisory{osv("R-1", ranged("Red Hat", "qemu-kvm", fixedIn("15:6.2.0-40.el8")...))}, IsUnknown, "are of Red Hat 8, and"},
		{"a version called fixed in another release", "Red Hat:9", "qemu-kvm", "17:8.2.0-1.el9", []Advisory{osv("R-1", Affected{Ecosystem: "Red Hat", Package: "qemu-kvm", Status: StatusFixed, Versions: []string{"15:6.2.0-40.el8"}})}, IsUnknown, ""},
		{"of which distribution it is nobody says", "", "linux-lts", "6.6.30-r0", []Advisory{osv("D-1", debian("12", "linux", fixedIn("6.1.90-1")...))}, IsUnknown, "an ecosystem that is not known"},
		{"its versions tell of which distribution it is", "", pkg, u17, []Advisory{osv("D-1", debian("12", "qemu", fixedIn(u18)...))}, IsAffected, "older than"},
		{"of which distribution it is nobody says, and the project's number is older", "", "linux-lts", "4.18.0-553", []Advisory{osv("D-1", ranged("upstream", "linux", Event{Introduced: "5.10"}))}, IsUnknown, "which may have newer code"},
		{"rpm: newer code under a number that is not listed", "Red Hat:9", "qemu-kvm", "17:8.2.0-1.el9", []Advisory{osv("C-1", Affected{Ecosystem: "upstream", Package: "qemu", Versions: []string{"9.0.0", "9.0.1"}})}, IsUnknown, "which may have newer code"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := one(c.ecosystem, c.pkg, c.v, c.as...)
			expect(t, "host", h.Verdict, h.Evidence, c.want, c.says)
		})
	}
}

// TestOrderOfEntries: a document that contradicts itself does so in whatever order.
func TestOrderOfEntries(t *testing.T) {
	says := []Affected{debian("12", "qemu", fixedIn(u15)...), debian("12", "qemu", fixedIn(u18)...), {Ecosystem: "Debian:12", Package: "qemu", Status: StatusFixed, Versions: []string{u17}}}
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}} {
		h := one("Debian:12", pkg, u17, osv("C-1", says[order[0]], says[order[1]], says[order[2]]))
		expect(t, "host", h.Verdict, h.Evidence, IsUnknown, "it contradicts itself")
	}
}

// TestCohortsOfOneName: each is judged by its own desired versions.
func TestCohortsOfOneName(t *testing.T) {
	f := &fleet.Fleet{Taken: now}
	for _, id := range []string{"h1", "h2"} {
		f.Hosts = append(f.Hosts, fleet.Host{ID: id, Hypervisor: fleet.KVM, Ecosystem: "Debian:12", Software: fleet.Software{Installed: m{pkg: u17}, Booted: m{pkg: u17}}})
	}
	target := &plan.Target{ID: "t", Cohorts: []plan.Cohort{
		{Name: "all", Match: plan.Match{Hosts: []string{"h1"}}, Packages: m{pkg: u17}}, {Name: "all", Match: plan.Match{Hosts: []string{"h2"}}, Packages: m{pkg: u18}},
	}}
	a := Assess(f, target, nil, 0, now)
	if a.Hosts[0].Verdict != IsFixed || a.Hosts[1].Verdict != IsAffected {
		t.Errorf("%s and %s", a.Hosts[0].Verdict, a.Hosts[1].Verdict)
	}
}

// TestPatchesReadLongAgo: a list of live patches that is too old tells of none.
func TestPatchesReadLongAgo(t *testing.T) {
	doc := osv("X-1", ranged("upstream", "xen", fixedIn("4.17.5")...))
	doc.Payloads = []Payload{{Kind: "live-patch", Name: "xsa1", Component: "xen"}}
	for _, c := range []struct {
		age  time.Duration
		want Verdict
	}{{time.Minute, IsFixed}, {3 * time.Hour, IsUnknown}} {
		f := xenWorld("4.17.4", "hvm")
		h := &f.Hosts[0]
		h.Ecosystem, h.Seen = "upstream", now
		h.Software = fleet.Software{Booted: m{"xen": "4.17.4"}, LivePatches: []fleet.LivePatch{{Name: "xsa1", Component: "xen", State: fleet.PatchApplied}},
			Looked: map[string]fleet.Sighting{fleet.LayerLivePatches: {At: now.Add(-c.age)}}}
		a := Assess(f, nil, []Advisory{doc}, time.Hour, now)
		expect(t, "host", a.Hosts[0].Verdict, a.Hosts[0].Evidence, c.want, "")
		expect(t, "instance", a.Instances[0].Verdict, a.Instances[0].Evidence, c.want, "")
	}
}

// TestRefreshMendsProcessesOnly: the kernel that runs is not changed by new processes.
func TestRefreshMendsProcessesOnly(t *testing.T) {
	f := &fleet.Fleet{Taken: now, Hosts: []fleet.Host{{ID: "h1", Hypervisor: fleet.KVM, Ecosystem: "Debian:12",
		Software: fleet.Software{Installed: m{pkg: u18, "linux-image-amd64": "6.1.158-1"}, Booted: m{"linux-image-amd64": "6.1.100-1"}}}}}
	target := &plan.Target{ID: "t", Cohorts: []plan.Cohort{{Name: "c", Remedy: "refresh", Packages: m{pkg: u18}}}}
	a := Assess(f, target, []Advisory{osv("CVE-1", debian("12", "linux", fixedIn("6.1.158-1")...))}, 0, now)
	expect(t, "host", a.Hosts[0].Verdict, a.Hosts[0].Evidence, IsAffected, "needs its reboot")
}

// TestEmptyHosts: what a host without instances could run.
func TestEmptyHosts(t *testing.T) {
	for _, c := range []struct {
		name  string
		hv    fleet.Hypervisor
		caps  []string
		types []string
		want  Verdict
	}{
		{"KVM runs no pv guests", fleet.KVM, nil, []string{"pv"}, NotAffected},
		{"KVM runs hvm guests", fleet.KVM, nil, []string{"hvm"}, IsAffected},
		{"Xen before 4.13 runs pv guests without saying so", fleet.Xen, []string{"hvm", "hvm_directio"}, []string{"pv"}, IsAffected},
		{"Xen built without pv", fleet.Xen, []string{"hvm", "hvm_directio", "hap", "shadow"}, []string{"pv"}, NotAffected},
		{"a machine without hvm", fleet.Xen, []string{"pv"}, []string{"hvm"}, NotAffected},
	} {
		doc := osv("CVE-1", debian("12", "qemu", fixedIn(u18)...))
		doc.Applies = []Condition{{GuestTypes: c.types}}
		f := &fleet.Fleet{Taken: now, Hosts: []fleet.Host{{ID: "h1", Hypervisor: c.hv, VirtCaps: c.caps, Ecosystem: "Debian:12", Software: fleet.Software{Installed: m{pkg: u17}, Booted: m{pkg: u17}}}}}
		a := Assess(f, nil, []Advisory{doc}, 0, now)
		expect(t, c.name, a.Hosts[0].Verdict, a.Hosts[0].Evidence, c.want, "")
	}
}

// TestXenLibrariesOnKVM: Debian's libvirt and QEMU bring Xen's libraries; no Xen is at work there.
func TestXenLibrariesOnKVM(t *testing.T) {
	f := &fleet.Fleet{Taken: now, Hosts: []fleet.Host{{ID: "h1", Hypervisor: fleet.KVM, Ecosystem: "Debian:12", Software: fleet.Software{Installed: m{"libxenstore4": "4.17.1-1"}}}},
		Instances: []fleet.Instance{{ID: "i1", Host: "h1"}}}
	a := Assess(f, nil, []Advisory{osv("CVE-1", debian("12", "xen", fixedIn("4.17.5-1")...))}, 0, now)
	expect(t, "host", a.Hosts[0].Verdict, a.Hosts[0].Evidence, NotAffected, "its hypervisor is kvm")
	expect(t, "instance", a.Instances[0].Verdict, a.Instances[0].Evidence, NotAffected, "its hypervisor is kvm")
}
