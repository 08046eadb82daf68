package advisory

import (
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

func ranged(ecosystem, name string, events ...Event) Affected {
	return Affected{Ecosystem: ecosystem, Package: name, Ranges: []Range{{Type: "ECOSYSTEM", Events: events}}}
}

// one judges one host with one package by documents alone.
func one(ecosystem, name, v string, as ...Advisory) HostVerdict {
	f := &fleet.Fleet{Taken: now, Pools: []fleet.Pool{{ID: "p1", Site: "s1"}}, Hosts: []fleet.Host{{ID: "h1", Pools: []string{"p1"}, Hypervisor: fleet.KVM, Ecosystem: ecosystem,
		Software: fleet.Software{Installed: m{name: v}, Booted: m{name: v}}}}}
	return Assess(f, nil, as, 0, now).Hosts[0]
}

// TestEcosystems: each version is judged by its own ecosystem's rules and records.
func TestEcosystems(t *testing.T) {
	rhel := func(release, fixed string) Advisory {
		return osv("RHSA-1", ranged("Red Hat:enterprise_linux:"+release+"::appstream", "qemu-kvm", fixedIn(fixed)...))
	}
	up := func(events ...Event) Advisory { return osv("CVE-1", ranged("upstream", "qemu", events...)) }
	for _, c := range []struct {
		name, ecosystem, pkg, v string
		as                      []Advisory
		want                    Verdict
		says                    string
	}{
		{"rpm: an epoch outweighs all", "Red Hat:9", "qemu-kvm", "17:7.2.0-14.el9_2.11", []Advisory{rhel("9", "17:7.2.0-14.el9_2.11")}, IsFixed, "at or above"},
		{"rpm: older", "Red Hat:9", "qemu-kvm", "17:7.2.0-14.el9_2.9", []Advisory{rhel("9", "17:7.2.0-14.el9_2.11")}, IsAffected, "older than"},
		{"rpm: another release's record", "Red Hat:9", "qemu-kvm", "17:7.2.0-14.el9_2.9", []Advisory{rhel("8", "15:6.2.0-40.el8")}, IsUnknown, "says nothing of Red Hat:9, only of"},
		{"rpm: the version's own tag tells the release", "Red Hat", "qemu-kvm", "17:7.2.0-14.el9_2.9", []Advisory{rhel("8", "15:6.2.0-40.el8")}, IsUnknown, "is of 9"},
		{"rpm: another distribution's record says nothing", "Rocky Linux:9", "qemu-kvm", "17:7.2.0-14.el9_2.9", []Advisory{rhel("9", "17:7.2.0-14.el9_2.11")}, IsUnknown, "says nothing of Rocky Linux:9"},
		{"apk: revision", "Alpine:3.17", "xen", "4.16.1-r6", []Advisory{osv("A-1", ranged("Alpine:v3.17", "xen", fixedIn("4.16.1-r6")...))}, IsFixed, "at or above"},
		{"apk: older revision", "Alpine:v3.17", "xen", "4.16.1-r5", []Advisory{osv("A-1", ranged("Alpine:v3.17", "xen", fixedIn("4.16.1-r6")...))}, IsAffected, "older"},
		{"made of a fixed release", "Debian:12", pkg, "1:7.2+dfsg-7+deb12u1", []Advisory{up(fixedIn("7.1.0")...)}, IsFixed, "is made of it"},
		{"made of a release from before", "Debian:12", pkg, "1:7.2+dfsg-7+deb12u1", []Advisory{up(Event{Introduced: "8.0.0"}, Event{Fixed: "8.2.2"})}, NotAffected, "older than 8.0.0"},
		{"made of an affected release: may be mended", "Debian:12", pkg, "1:7.2+dfsg-7+deb12u1", []Advisory{up(fixedIn("7.2.9")...)}, IsUnknown, "its own advisory must tell"},
		{"a release candidate is older than its release", "Debian:13", pkg, "1:8.2.0~rc2+ds-1", []Advisory{up(fixedIn("8.2.0")...)}, IsUnknown, "8.2.0-rc2 is affected: older than 8.2.0"},
		{"a candidate of the release where it was introduced", "Debian:13", pkg, "1:8.2.0~rc2+ds-1", []Advisory{up(Event{Introduced: "8.2.0"})}, IsUnknown, "whether it was in it already is not said"},
		{"the same, behind the fix of a branch before", "upstream", "qemu", "8.0.0-rc2", []Advisory{osv("Q-1", ranged("upstream", "qemu", Event{Introduced: "7.0.0"}, Event{Fixed: "7.2.19"}, Event{Introduced: "8.0.0"}, Event{Fixed: "8.2.10"}))}, IsUnknown, "whether it was in it already is not said"},
		{"a candidate of a later release", "upstream", "qemu", "8.1.0-rc2", []Advisory{up(fixedIn("8.0.0")...)}, IsFixed, "at or above 8.0.0"},
		{"really an older release", "Debian:13", pkg, "1:10.0.6+really8.2.1-1", []Advisory{up(fixedIn("8.2.10")...)}, IsUnknown, "8.2.1 is affected"},
		{"rpm: newer code under an old number", "Red Hat:8", "kernel", "4.18.0-553.el8_10", []Advisory{osv("CVE-1", ranged("upstream", "linux", Event{Introduced: "5.10"}))}, IsUnknown, "which may have newer code"},
		{"rpm: a stream of its own", "Red Hat:rhel_eus:9.2::baseos", "kernel", "5.14.0-284.67.1.el9_2", []Advisory{osv("R-1", ranged("Red Hat:enterprise_linux:9::baseos", "kernel", fixedIn("5.14.0-427.20.1.el9_4")...), ranged("Red Hat:rhel_eus:9.2::baseos", "kernel", fixedIn("5.14.0-284.67.1.el9_2")...))}, IsFixed, "at or above 5.14.0-284"},
		{"rpm: a binary of the source that is named", "Rocky Linux:9", "qemu-kvm-core", "17:8.2.0-11.el9_4.3", []Advisory{osv("R-1", ranged("Rocky Linux:9", "qemu-kvm", fixedIn("17:8.2.0-11.el9_4.3")...))}, IsFixed, "at or above"},
		{"rpm: the source and its binaries are named", "Rocky Linux:9", "qemu-kvm-core", "17:8.2.0-11.el9_4.2", []Advisory{osv("R-1", ranged("Rocky Linux:9", "qemu-kvm", fixedIn("17:8.2.0-11.el9_4.3")...), ranged("Rocky Linux:9", "qemu-kvm-tools", fixedIn("17:8.2.0-11.el9_4.3")...))}, IsAffected, "older than"},
		{"rpm: another source with its own numbers", "Rocky Linux:8", "kernel-rt", "4.18.0-553.rt7.342.el8_10", []Advisory{osv("R-1", ranged("Rocky Linux:8", "kernel", fixedIn("4.18.0-553.el8_10")...))}, IsUnknown, "nothing was read of kernel"},
		{"the distribution's word stands above the project's", "Debian:12", pkg, u18, []Advisory{up(fixedIn("7.2.9")...), {ID: "DEBIAN-CVE-1", Upstream: []string{"CVE-1"}, Affected: []Affected{debian("12", "qemu", fixedIn(u18)...)}}}, IsFixed, "at or above " + u18},
		{"the project's own build", "upstream", "qemu", "7.2.8", []Advisory{up(fixedIn("7.2.9")...)}, IsAffected, "older than 7.2.9"},
		{"the project's own build, two branches", "upstream", "xen", "4.17.4", []Advisory{osv("X-1", ranged("upstream", "xen", Event{Introduced: "4.16"}, Event{Fixed: "4.16.6"}), ranged("upstream", "xen", Event{Introduced: "4.17"}, Event{Fixed: "4.17.4"}))}, IsFixed, "4.17.4"},
		{"the project's own build, between two branches", "upstream", "xen", "4.17.3", []Advisory{osv("X-1", ranged("upstream", "xen", Event{Introduced: "4.16"}, Event{Fixed: "4.16.6"}), ranged("upstream", "xen", Event{Introduced: "4.17"}, Event{Fixed: "4.17.4"}))}, IsAffected, "older than 4.17.4"},
		{"an ecosystem not said", "Debian:12", pkg, u18, []Advisory{osv("C-1", Affected{Package: "qemu", Versions: []string{u18}})}, IsUnknown, "only of source code"},
		{"gaps are told", "Debian:12", pkg, u18, []Advisory{{ID: "CVE-2014-7188", Source: "c.json", Gaps: []string{"versions 'n/a'"}}}, IsUnknown, "does not say which versions are affected: versions 'n/a'"},
		{"the last affected names no revision", "Debian:12", "xen-hypervisor-4.17-amd64", "4.17.5-1", []Advisory{osv("C-1", ranged("Debian:12", "xen", Event{Introduced: "0"}, Event{LastAffected: "4.17.5"}))}, IsUnknown, "which packages of it are is not said"},
		{"fixed on another architecture", "Debian:12", pkg, u18, []Advisory{osv("C-1", Affected{Ecosystem: "Debian:12", Package: "qemu", Status: StatusFixed, Versions: []string{u18}, Applies: []Condition{{Hypervisors: []string{"xen"}}}})}, IsUnknown, ""},
		{"a later branch of the project than the fixed one", "upstream", "xen", "4.17.0", []Advisory{osv("C-1", Affected{Ecosystem: "upstream", Package: "xen", Status: StatusFixed, Versions: []string{"4.16.5"}})}, IsUnknown, ""},
		{"superseded", "Debian:12", pkg, u18, []Advisory{{ID: "OLD", Source: "a"}, {ID: "NEW", Source: "b", Supersedes: []string{"OLD"}, Affected: []Affected{debian("12", "qemu", fixedIn(u18)...)}}}, IsFixed, "OLD is superseded by NEW"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := one(c.ecosystem, c.pkg, c.v, c.as...)
			expect(t, "host", h.Verdict, h.Evidence, c.want, c.says)
		})
	}
}

// TestStatuses: what VEX says of products.
func TestStatuses(t *testing.T) {
	vex := func(s Status, versions ...string) Affected {
		return Affected{Ecosystem: "Red Hat:9", Package: "qemu-kvm", Status: s, Versions: versions, Why: "why not"}
	}
	v9, v11, v12 := "17:7.2.0-14.el9_2.9", "17:7.2.0-14.el9_2.11", "17:7.2.0-14.el9_2.12"
	for _, c := range []struct {
		name    string
		v       string
		entries []Affected
		want    Verdict
		says    string
	}{
		{"called fixed", v11, []Affected{vex(StatusFixed, v11)}, IsFixed, "is called fixed (why not)"},
		{"newer than called fixed", v12, []Affected{vex(StatusFixed, v11)}, IsFixed, "newer than one that is called fixed"},
		{"older than called fixed: that says nothing", v9, []Affected{vex(StatusFixed, v11)}, IsUnknown, ""},
		{"called not affected, all versions", v9, []Affected{vex(StatusNotAffected)}, NotAffected, "called not affected (why not)"},
		{"called not affected, another version", v9, []Affected{vex(StatusNotAffected, v11)}, IsUnknown, ""},
		{"under investigation", v9, []Affected{vex(StatusUnknown)}, IsUnknown, "under investigation"},
		{"called affected", v9, []Affected{vex(StatusAffected, v9)}, IsAffected, "listed as affected"},
		{"called both", v9, []Affected{vex(StatusAffected, v9), vex(StatusFixed, v9)}, IsUnknown, "it contradicts itself"},
		{"in a range and called not affected", v9, []Affected{ranged("Red Hat:9", "qemu-kvm", fixedIn(v11)...), vex(StatusNotAffected, v9)}, IsUnknown, "it contradicts itself"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := one("Red Hat:9", "qemu-kvm", c.v, osv("CVE-1", c.entries...))
			expect(t, "host", h.Verdict, h.Evidence, c.want, c.says)
		})
	}
}

// TestContradictions: sources of equal standing that differ are named, and then nothing is known.
func TestContradictions(t *testing.T) {
	at := func(id, source, fixed string, upstream ...string) Advisory {
		return Advisory{ID: id, Source: source, Upstream: upstream, Affected: []Affected{debian("12", "qemu", fixedIn(fixed)...)}}
	}
	h := one("Debian:12", pkg, u17, at("CVE-1", "one.json", u17), at("DEBIAN-CVE-1", "two.json", u18, "CVE-1"))
	expect(t, "two records", h.Verdict, h.Evidence, IsUnknown, "[two.json]; CVE-1 (Debian:12, qemu): "+u17+" is fixed: at or above "+u17+" [one.json]")
	// A record of two vulnerabilities is behind on the other one: no contradiction.
	h = one("Debian:12", pkg, u17, at("CVE-1", "one.json", u17), at("DSA-1", "two.json", u18, "CVE-1", "CVE-2"))
	expect(t, "a wider record", h.Verdict, h.Evidence, IsAffected, "DSA-1")
	h = one("Debian:12", pkg, u17, at("CVE-1", "one.json", u18), at("DSA-1", "two.json", u17, "CVE-1", "CVE-2"))
	expect(t, "a wider record that calls it fixed", h.Verdict, h.Evidence, IsUnknown, "they contradict each other")
}

func TestBuildIDs(t *testing.T) {
	doc := osv("XSA-1", Affected{Ecosystem: "build-id", Package: "xen", Versions: []string{"AABB"}}, Affected{Ecosystem: "build-id", Package: "xen", Status: StatusFixed, Versions: []string{"ccdd"}})
	for id, want := range map[string]Verdict{"aabb": IsAffected, "ccdd": IsFixed, "eeff": IsUnknown, "": IsUnknown} {
		f := xenWorld("4.17.5-1", "pv")
		f.Hosts[0].Software.BuildID = id
		h := Assess(f, nil, []Advisory{doc}, 0, now).Hosts[0]
		expect(t, "build "+id, h.Verdict, h.Evidence, want, "")
	}
}

func TestEcosystemOfCohortAndHost(t *testing.T) {
	w := qemuWorld(u18, u18, u18)
	w.cohorts[0].Ecosystem, w.host.Ecosystem = "Debian:12", "Alpine:v3.20"
	h := w.assess().Hosts[0]
	expect(t, "they differ", h.Verdict, h.Evidence, IsUnknown, "its cohort is of Debian:12, and the host says that it is Alpine:v3.20")
	w.host.Ecosystem = "Debian:13"
	h = w.assess().Hosts[0]
	expect(t, "releases differ", h.Verdict, h.Evidence, IsUnknown, "Debian:13")
	w.cohorts[0].Ecosystem = "Debian"
	w.host.Ecosystem = "Debian:12"
	h = w.assess().Hosts[0]
	expect(t, "the host says more", h.Verdict, h.Evidence, IsFixed, "")
}

func TestStaleLayers(t *testing.T) {
	w := qemuWorld(u18, u18, "")
	w.stale, w.taken = time.Hour, now
	w.inst.Running = m{pkg: u18}
	w.host.Software.Looked = map[string]fleet.Sighting{fleet.LayerBooted: {At: now.Add(-2 * time.Hour), How: "uname -v over SSH"}, fleet.LayerInstalled: {At: now, How: "dpkg-query over SSH"}}
	a := w.assess()
	expect(t, "an old layer does not count", a.Hosts[0].Verdict, a.Hosts[0].Evidence, IsUnknown, "what is booted was read at 2026-01-02T01:00:00Z, 2h0m0s ago")
	if s := a.Hosts[0].Seen; len(s) != 1 || s[0].Layer != "installed" || s[0].How != "dpkg-query over SSH" || !s[0].At.Equal(now) {
		t.Errorf("seen: %+v", s)
	}
	if a.Instances[0].Verdict != IsFixed {
		t.Errorf("the instance: %+v", a.Instances[0])
	}
	w.inst.Looked = fleet.Sighting{At: now.Add(-2 * time.Hour), How: "QMP"}
	a = w.assess()
	expect(t, "an old word of its monitor", a.Instances[0].Verdict, a.Instances[0].Evidence, IsUnknown, "what its own monitor said was read at")
}

// TestSharesAndExposure adds up by hand: two sites, two tenants, ten hours since the disclosure.
func TestSharesAndExposure(t *testing.T) {
	w := qemuWorld(u15, u15, "")
	w.inst.Running = m{pkg: u15}
	w.otherHost = []fleet.Host{{ID: "h2", Pools: []string{"p1"}, Hypervisor: fleet.KVM, Software: fleet.Software{Installed: m{pkg: u18}, Booted: m{pkg: u18}}}, {ID: "h3", Pools: []string{"p1"}, Hypervisor: fleet.KVM}}
	doc := osv("CVE-1", debian("12", "qemu", fixedIn(u18)...))
	doc.Disclosure, doc.Published = now.Add(-10*time.Hour), now.AddDate(-1, 0, 0)
	w.advisory = []Advisory{doc}
	a := w.assess()
	if a.Exposure != (Exposure{HostHours: 10, InstanceHours: 10, Hosts: 1, Instances: 1, Since: now.Add(-10 * time.Hour)}) {
		t.Errorf("exposure: %+v", a.Exposure)
	}
	if len(a.Sites) != 1 || a.Sites[0].ID != "s1" || a.Sites[0].Hosts != (Tally{Affected: 1, Fixed: 1, Unknown: 1}) || a.Sites[0].HostHours != 10 {
		t.Errorf("sites: %+v", a.Sites)
	}
	if len(a.Tenants) != 1 || a.Tenants[0].ID != "acme" || a.Tenants[0].Instances != (Tally{Affected: 1}) || a.Tenants[0].InstanceHours != 10 {
		t.Errorf("tenants: %+v", a.Tenants)
	}
	if len(a.Advisories) != 1 || a.Advisories[0].HostsAffected != 1 || a.Advisories[0].InstancesAffected != 1 {
		t.Errorf("advisories: %+v", a.Advisories)
	}
	if len(a.Remedies) != 2 || a.Remedies[0].Hosts != 1 || a.Remedies[0].Instances != 1 || a.Remedies[0].Kind != "reboot" || a.Remedies[0].Needs != pkg+" "+u18+" or newer; its reboot" || a.Remedies[1].Verdict != IsUnknown {
		t.Errorf("remedies: %+v", a.Remedies)
	}
	w.advisory[0].Disclosure = now.Add(time.Hour)
	if e := w.assess().Exposure; e != (Exposure{Embargoed: 1}) {
		t.Errorf("under embargo: %+v", e)
	}
	w.advisory[0].Disclosure, w.advisory[0].Published = time.Time{}, time.Time{}
	if e := w.assess().Exposure; e != (Exposure{Undated: 1}) {
		t.Errorf("undated: %+v", e)
	}
}

func TestWithdrawnVersions(t *testing.T) {
	w := qemuWorld(u17, u17, "")
	w.inst.Running = m{pkg: u17}
	fl := &fleet.Fleet{Taken: now, Pools: []fleet.Pool{{ID: "p1"}}, Hosts: []fleet.Host{w.host}, Instances: []fleet.Instance{w.inst}}
	tg := &plan.Target{ID: "t1", Cohorts: w.cohorts, Withdrawn: []plan.WithdrawnFix{{Package: "qemu", Versions: []string{u17}, Why: "guests hang"}}}
	got := Assess(fl, tg, nil, 0, now).Holders
	if len(got) != 3 || got[0].Layer != "installed" || got[1].Layer != "booted" || got[2].Instance != "i1" || got[2].Tenant != "acme" || got[0].Fix != pkg+" "+u17 || got[0].Why != "guests hang" {
		t.Errorf("%+v", got)
	}
}
