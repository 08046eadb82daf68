package advisory

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

const (
	u12 = "1:7.2+dfsg-7+deb12u12"
	u15 = "1:7.2+dfsg-7+deb12u15"
	u17 = "1:7.2+dfsg-7+deb12u17"
	u18 = "1:7.2+dfsg-7+deb12u18"
	pkg = "qemu-system-x86"
)

var now = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)

type m = map[string]string

// world is one host h1 with one instance i1, and a target with one cohort.
type world struct {
	host      fleet.Host
	inst      fleet.Instance
	cohorts   []plan.Cohort
	fixes     []string
	advisory  []Advisory
	stale     time.Duration
	taken     time.Time
	noTarget  bool
	otherHost []fleet.Host
}

func qemuWorld(installed, booted, running string) world {
	w := world{taken: now.Add(-time.Hour)}
	w.host = fleet.Host{ID: "h1", Pools: []string{"p1"}, Hypervisor: fleet.KVM}
	set := func(v string) m {
		if v == "" {
			return nil
		}
		return m{pkg: v}
	}
	w.host.Software = fleet.Software{Installed: set(installed), Booted: set(booted), Running: set(running)}
	w.inst = fleet.Instance{ID: "i1", Host: "h1", Tenant: "acme"}
	w.cohorts = []plan.Cohort{{Name: "kvm", Packages: m{pkg: u18}}}
	return w
}

func (w world) assess() Assessment {
	f := &fleet.Fleet{
		Taken: w.taken, Regions: []fleet.Region{{ID: "r1"}}, Sites: []fleet.Site{{ID: "s1", Region: "r1"}},
		Pools: []fleet.Pool{{ID: "p1", Site: "s1"}}, Hosts: append([]fleet.Host{w.host}, w.otherHost...), Instances: []fleet.Instance{w.inst},
	}
	var t *plan.Target
	if !w.noTarget {
		t = &plan.Target{ID: "t1", Cohorts: w.cohorts, Fixes: w.fixes}
	}
	return Assess(f, t, w.advisory, w.stale, now)
}

func (w world) with(change func(*world)) world { change(&w); return w }

func osv(id string, entries ...Affected) Advisory {
	return Advisory{ID: id, Source: id + ".json", Affected: entries}
}

func debian(release, name string, events ...Event) Affected {
	eco := "Debian"
	if release != "" {
		eco += ":" + release
	}
	return Affected{Ecosystem: eco, Package: name, Ranges: []Range{{Type: "ECOSYSTEM", Events: events}}}
}

func fixedIn(v string) []Event { return []Event{{Introduced: "0"}, {Fixed: v}} }

func expect(t *testing.T, what string, got Verdict, evidence []string, want Verdict, says string) {
	t.Helper()
	text := strings.Join(evidence, "\n")
	if got != want || !strings.Contains(text, says) {
		t.Errorf("%s: %s, want %s, saying %q; evidence:\n%s", what, got, want, says, text)
	}
}

func TestHostLayers(t *testing.T) {
	for _, c := range []struct {
		name, remedy, installed, booted, running string
		want                                     Verdict
		says, needs                              string
	}{
		{"all old", "", u15, u15, u15, IsAffected, "is older", "qemu-system-x86 " + u18 + " or newer; its reboot"},
		{"all new", "", u18, u18, u18, IsFixed, u18 + " is that", ""},
		{"rebuild is newer", "", u18 + "+b3", u18 + "+b3", u18 + "+b3", IsFixed, "is newer", ""},
		{"installed fixed, booted old", "", u18, u15, u18, IsAffected, "installed fixed, still running old: needs its reboot", "its reboot"},
		{"installed fixed, running old", "", u18, u18, u15, IsAffected, "installed fixed, still running old: needs its reboot", "its reboot"},
		{"booted fixed, installed old", "", u15, u18, u18, IsAffected, "the next start brings that", "or newer"},
		{"booted unknown, running fixed", "", u18, "", u18, IsFixed, "what it booted with is not known: judged by what runs", ""},
		{"booted unknown, running old", "", u18, "", u15, IsAffected, "needs its reboot", "its reboot"},
		{"only installed fixed", "", u18, "", "", IsUnknown, "neither what qemu-system-x86 it booted with nor what runs is known", "a look at what it booted with"},
		{"only installed old", "", u15, "", "", IsAffected, "the next start brings that", "its reboot"},
		{"only booted", "", "", u18, "", IsFixed, "booted with", ""},
		{"nothing", "", "", "", "", IsUnknown, "nothing was read of qemu-system-x86", "a look at its qemu-system-x86"},
		{"refresh: installed fixed", "refresh", u18, u15, u15, IsFixed, "installed is", ""},
		{"refresh: installed old", "refresh", u15, u18, u18, IsAffected, "is older", "or newer"},
		{"refresh: installed unknown", "refresh", "", u18, u18, IsUnknown, "is installed is not known", "a look at the packages on its disk"},
		{"live-patch: runs fixed", "live-patch", u15, u15, u18, IsFixed, "runs " + pkg, ""},
		{"live-patch: booted fixed", "live-patch", "", u18, "", IsFixed, "booted with", ""},
		{"live-patch: booted old, patches unknown", "live-patch", "", u15, "", IsUnknown, "which patches it has, is not known", "a look at what runs"},
		{"not a version", "", "seven", u18, u18, IsUnknown, `"seven" is not a Debian version`, ""},
		{"looked for and not there", "", "", "", "", IsUnknown, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := qemuWorld(c.installed, c.booted, c.running)
			w.cohorts[0].Remedy = c.remedy
			h := w.assess().Hosts[0]
			expect(t, "host", h.Verdict, h.Evidence, c.want, c.says)
			if !strings.Contains(h.Needs, c.needs) || (c.needs == "" && c.want == IsFixed && h.Needs != "") {
				t.Errorf("needs %q, want %q", h.Needs, c.needs)
			}
			if h.Cohort != "kvm" {
				t.Errorf("cohort %q", h.Cohort)
			}
		})
	}
}

func TestAbsentPackage(t *testing.T) {
	w := qemuWorld("", "", "")
	w.host.Software = fleet.Software{Installed: m{pkg: ""}, Booted: m{pkg: ""}}
	h := w.assess().Hosts[0]
	expect(t, "host", h.Verdict, h.Evidence, NotAffected, "installed is no "+pkg)
}

func TestInstances(t *testing.T) {
	for _, c := range []struct {
		name, installed, booted string
		running                 m
		state                   fleet.State
		want                    Verdict
		says, needs             string
	}{
		{"own monitor fixed on an old host", u15, u15, m{pkg: u18}, fleet.Running, IsFixed, "its own monitor says that it runs on", ""},
		{"own monitor old on a fixed host", u18, u18, m{pkg: u15}, "", IsAffected, "is older", "where the fix is installed"},
		{"own monitor by the source's name", u15, u15, m{"qemu": u18}, "", IsFixed, "runs on qemu " + u18, ""},
		{"never by the disk", u18, u18, nil, "", IsUnknown, "the package on its host's disk does not count", "a look through its monitor"},
		{"another package tells nothing", u18, u18, m{"seabios": "1.16.2-1"}, "", IsUnknown, "its own monitor has not told", ""},
		{"paused has a process", u18, u18, m{pkg: u15}, fleet.Paused, IsAffected, "is older", "another process"},
		{"stopped on old", u15, u15, m{pkg: u15}, fleet.Stopped, NotAffected, "it would start on " + pkg + " " + u15 + ", installed on its host, which is affected", ""},
		{"stopped on fixed", u18, u15, nil, fleet.Stopped, NotAffected, "which is fixed", ""},
		{"stopped on unknown", "", u15, nil, fleet.Stopped, NotAffected, "what " + pkg + " it would start on is not known", ""},
		{"upstream version only", u18, u18, m{pkg: "7.2.22"}, "", IsUnknown, "not a package's version", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := qemuWorld(c.installed, c.booted, "")
			w.inst.Running, w.inst.State = c.running, c.state
			i := w.assess().Instances[0]
			expect(t, "instance", i.Verdict, i.Evidence, c.want, c.says)
			if !strings.Contains(i.Needs, c.needs) {
				t.Errorf("needs %q, want %q", i.Needs, c.needs)
			}
		})
	}
}

// TestSharedUnderInstances: kernel and hypervisor are the host's, and no monitor tells of them.
func TestSharedUnderInstances(t *testing.T) {
	const xen = "xen-hypervisor-4.17-amd64"
	w := world{taken: now}
	w.host = fleet.Host{ID: "x1", Pools: []string{"p1"}, Hypervisor: fleet.Xen, Software: fleet.Software{
		Installed: m{xen: "4.17.5+72-g01140da4e8-1"}, Booted: m{xen: "4.17.3+10-g091466ba55-1~deb12u1"}}}
	w.inst = fleet.Instance{ID: "i1", Host: "x1", GuestType: "pv"}
	w.cohorts = []plan.Cohort{{Name: "xen", Match: plan.Match{Hypervisor: "xen"}, Packages: m{xen: "4.17.5+72-g01140da4e8-1"}}}
	a := w.assess()
	expect(t, "host", a.Hosts[0].Verdict, a.Hosts[0].Evidence, IsAffected, "needs its reboot")
	expect(t, "instance", a.Instances[0].Verdict, a.Instances[0].Evidence, IsAffected, "its host booted with "+xen)
	w.host.Software.Booted = nil
	a = w.assess()
	expect(t, "instance", a.Instances[0].Verdict, a.Instances[0].Evidence, IsUnknown, "booted with or runs is not known")
}

func TestAdvisoriesAndTarget(t *testing.T) {
	doc := osv("CVE-1", debian("12", "qemu", fixedIn(u18)...), debian("13", "qemu", fixedIn("1:10.0.6+ds-0+deb13u2")...))
	one := func(as ...Advisory) []Advisory { return as }
	for _, c := range []struct {
		name     string
		v        string
		fixes    []string
		advisory []Advisory
		change   func(*world)
		want     Verdict
		says     string
	}{
		{name: "agree: affected", v: u15, advisory: one(doc), want: IsAffected, says: "CVE-1 (Debian:12, qemu): " + u15 + " is affected: older than " + u18},
		{name: "agree: fixed", v: u18, advisory: one(doc), want: IsFixed, says: "is fixed: at or above " + u18},
		{name: "the target is too low", v: u17, advisory: one(doc), change: func(w *world) { w.cohorts[0].Packages = m{pkg: u15} }, want: IsUnknown, says: "they contradict each other: target t1 calls " + u17 + " fixed, CVE-1 calls it affected"},
		{name: "the target wants more", v: u18, advisory: one(doc), change: func(w *world) { w.cohorts[0].Packages = m{pkg: "1:7.2+dfsg-7+deb12u19"} }, want: IsUnknown, says: "they contradict each other: target t1 wants at least 1:7.2+dfsg-7+deb12u19, CVE-1 calls " + u18 + " fixed"},
		{name: "only a rebuild apart", v: u18, advisory: one(doc), change: func(w *world) { w.cohorts[0].Packages = m{pkg: u18 + "+b3"} }, want: IsFixed, says: "builds of the same source"},
		{name: "before it was introduced", v: u12, advisory: one(osv("CVE-2", debian("12", "qemu", Event{Introduced: u15}, Event{Fixed: u18}))), want: NotAffected, says: "older than " + u15 + ", where it was introduced"},
		{name: "the target fixes another, without a document", v: u17, fixes: []string{"CVE-2", "CVE-9"}, advisory: one(osv("CVE-2", debian("12", "qemu", fixedIn(u15)...))), want: IsAffected, says: "no document was given for CVE-9"},
		{name: "the target fixes another, and neither a document nor a version speaks of it", v: u18, fixes: []string{"CVE-1", "CVE-9"}, advisory: one(doc), change: func(w *world) { w.cohorts[0].Packages = nil }, want: IsUnknown, says: "no document was given for CVE-9, so nothing says whom it affects"},
		{name: "an advisory that the target does not claim", v: u18, fixes: []string{"CVE-1"}, advisory: one(doc, osv("CVE-3", debian("12", "qemu", fixedIn("1:7.2+dfsg-7+deb12u20")...))), want: IsAffected, says: "CVE-3"},
		{name: "two advisories, one fixed", v: u17, fixes: []string{"CVE-1", "CVE-2"}, advisory: one(doc, osv("CVE-2", debian("12", "qemu", fixedIn(u15)...))), want: IsAffected, says: "CVE-2 (Debian:12, qemu): " + u17 + " is fixed"},
		{name: "empty affected, target reached", v: u18, advisory: one(osv("GHSA-1")), want: IsUnknown, says: "missing knowledge"},
		{name: "empty affected, but another record of the same speaks", v: u18, advisory: one(Advisory{ID: "GHSA-1", Aliases: []string{"CVE-1"}}, doc), want: IsFixed, says: "CVE-1"},
		{name: "withdrawn", v: u18, advisory: one(Advisory{ID: "GHSA-1", Withdrawn: now.Add(-time.Hour)}), want: IsFixed, says: "was withdrawn on 2026-01-02"},
		{name: "not withdrawn yet", v: u18, advisory: one(Advisory{ID: "GHSA-1", Withdrawn: now.Add(time.Hour)}), want: IsUnknown, says: "missing knowledge"},
		{name: "another ecosystem only", v: u18, advisory: one(osv("CVE-4", Affected{Ecosystem: "Alpine:v3.17", Package: "qemu"})), want: IsUnknown, says: "says nothing of Debian, only of Alpine:v3.17"},
		{name: "another release only", v: u18, advisory: one(osv("CVE-4", debian("11", "qemu", fixedIn("1:5.2+dfsg-11+deb11u5")...))), want: IsUnknown, says: "speaks of qemu in Debian 11 only"},
		{name: "the record of another release beside ours", v: u18, advisory: one(Advisory{ID: "DLA-1", Upstream: []string{"CVE-1"}, Affected: []Affected{debian("11", "qemu", fixedIn("1:5.2+dfsg-11+deb11u5")...)}}, doc), want: IsFixed, says: "CVE-1"},
		{name: "a later release sorts above and is judged by its own range", v: "1:10.0.2+ds-2+deb13u1", advisory: one(doc), want: IsAffected, says: "CVE-1 (Debian:13, qemu)"},
		{name: "a later release without a word on it", v: "1:10.0.2+ds-2+deb13u1", want: IsUnknown, says: "which says nothing of 1:10.0.2+ds-2+deb13u1: they are of Debian 12 and 13"},
		{name: "a backport", v: "1:10.0.6+ds-0~bpo12+1", advisory: one(doc), want: IsUnknown, says: "is of bpo12"},
		{name: "no release named, another upstream", v: "1:10.0.2+ds-2", advisory: one(doc), want: IsUnknown, says: "it may be of a later release"},
		{name: "no release named, the first of ours", v: "1:7.2+dfsg-7", advisory: one(doc), want: IsAffected, says: "CVE-1 (Debian:12, qemu)"},
		{name: "a rebuild of the last affected is affected", v: u17 + "+b3", advisory: one(osv("CVE-5", debian("12", "qemu", Event{Introduced: "0"}, Event{LastAffected: u17}))), want: IsAffected, says: "not newer than " + u17},
		{name: "listed, rebuilt", v: u15 + "+b1", advisory: one(osv("CVE-6", Affected{Ecosystem: "Debian:12", Package: "qemu", Versions: []string{u15}})), want: IsAffected, says: "is listed as affected"},
		{name: "source range of git only", v: u18, advisory: one(osv("CVE-7", Affected{Ecosystem: "Debian:12", Package: "qemu", Ranges: []Range{{Type: "GIT", Events: []Event{{Introduced: "0"}}}}})), want: IsUnknown, says: "no range of versions that can be compared"},
		{name: "never fixed, target invents", v: u18, advisory: one(osv("CVE-8", debian("12", "qemu", Event{Introduced: "0"}))), want: IsUnknown, says: "every version is, none is fixed"},
		{name: "unknown source", v: u18, advisory: one(osv("CVE-9", debian("12", "vmm", fixedIn(u18)...))), want: IsUnknown, says: "nothing was read of vmm, which the advisories name"},
		{name: "source by the operator's mapping", v: u15, advisory: one(osv("CVE-9", debian("12", "vmm", fixedIn(u18)...))), change: func(w *world) { w.cohorts[0].Sources = m{pkg: "vmm"} }, want: IsAffected, says: "CVE-9 (Debian:12, vmm)"},
		{name: "the advisory names a second package", v: u18, advisory: one(osv("CVE-1", debian("12", "qemu", fixedIn(u18)...), debian("12", "virtualbox", fixedIn("7")...))), want: IsFixed, says: "cohort kvm covers the advisory"},
		{name: "a package that no advisory names", v: u18, advisory: one(doc), change: func(w *world) {
			w.cohorts[0].Packages = m{pkg: u18, "libvirt-daemon": "9.0.0-4+deb12u3"}
			w.host.Software.Booted = m{pkg: u18, "libvirt-daemon": "9.0.0-4+deb12u2"}
		}, want: IsAffected, says: "libvirt-daemon at least"},
		{name: "another ecosystem's rules", v: u18, change: func(w *world) { w.cohorts[0].Ecosystem = "Slackware:15" }, want: IsUnknown, says: "cannot be compared"},
		{name: "xen in the record does not touch kvm", v: u18, advisory: one(doc, osv("CVE-10", debian("12", "xen", fixedIn("4.17.5-1")...))), want: IsFixed, says: "its hypervisor is kvm"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := qemuWorld(c.v, c.v, c.v)
			w.inst.Running = m{pkg: c.v}
			w.fixes, w.advisory = c.fixes, c.advisory
			if c.change != nil {
				c.change(&w)
			}
			a := w.assess()
			expect(t, "host", a.Hosts[0].Verdict, a.Hosts[0].Evidence, c.want, c.says)
			if c.name != "a package that no advisory names" && a.Instances[0].Verdict != c.want {
				t.Errorf("the instance is %s on the same version: %v", a.Instances[0].Verdict, a.Instances[0].Evidence)
			}
		})
	}
}

func TestOutsideCohorts(t *testing.T) {
	doc := osv("CVE-1", debian("12", "qemu", fixedIn(u18)...))
	elsewhere := func(w *world) { w.cohorts[0].Match.Hosts = []string{"h9"} }
	for _, c := range []struct {
		name string
		w    world
		want Verdict
		says string
	}{
		{"facts are there and old", qemuWorld(u15, u15, "").with(func(w *world) { w.advisory = []Advisory{doc} }), IsAffected, "in no cohort of target t1"},
		{"facts are there and new", qemuWorld(u18, u18, "").with(func(w *world) { w.advisory = []Advisory{doc} }), IsFixed, "CVE-1"},
		{"no facts", qemuWorld("", "", "").with(func(w *world) { w.advisory, w.host.Ecosystem = []Advisory{doc}, "Debian:12" }), IsUnknown, "nothing was read of qemu"},
		{"known not to be there", qemuWorld("", "", "").with(func(w *world) {
			w.advisory, w.host.Ecosystem, w.host.Software = []Advisory{doc}, "Debian:12", fleet.Software{Installed: m{"qemu": ""}, Booted: m{"qemu": ""}}
		}), NotAffected, "installed is no qemu"},
		{"no documents for what it fixes", qemuWorld(u15, u15, "").with(func(w *world) { w.fixes = []string{"CVE-1"} }), IsUnknown, "no document was given for CVE-1"},
		{"a routine target", qemuWorld(u15, u15, ""), NotAffected, "asks nothing of it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := c.w.with(elsewhere).assess().Hosts[0]
			expect(t, "host", h.Verdict, h.Evidence, c.want, c.says)
			if h.Cohort != "" {
				t.Errorf("cohort %q", h.Cohort)
			}
		})
	}
	w := qemuWorld(u15, u15, "")
	w.noTarget = true
	expect(t, "no target", w.assess().Hosts[0].Verdict, w.assess().Hosts[0].Evidence, NotAffected, "neither target nor advisories")
}

func TestFirstCohortCounts(t *testing.T) {
	for _, c := range []struct {
		match plan.Match
		want  string
	}{
		{plan.Match{}, "#1"},
		{plan.Match{Hypervisor: "kvm", Regions: []string{"r1"}, Sites: []string{"s1"}, Pools: []string{"p1"}, Hosts: []string{"h1"}}, "#1"},
		{plan.Match{Hypervisor: "xen"}, "kvm"},
		{plan.Match{Regions: []string{"r2"}}, "kvm"},
		{plan.Match{Sites: []string{"s2"}}, "kvm"},
		{plan.Match{Pools: []string{"p2"}}, "kvm"},
		{plan.Match{Hosts: []string{"h2"}}, "kvm"},
	} {
		w := qemuWorld(u15, u15, u15)
		w.cohorts = append([]plan.Cohort{{Match: c.match, Packages: m{pkg: u15}}}, w.cohorts...)
		if h := w.assess().Hosts[0]; h.Cohort != c.want || (h.Verdict == IsFixed) != (c.want == "#1") {
			t.Errorf("%+v: cohort %s, %s; want %s", c.match, h.Cohort, h.Verdict, c.want)
		}
	}
}

func TestStaleFacts(t *testing.T) {
	w := qemuWorld(u18, u18, u18)
	w.inst.Running = m{pkg: u18}
	for _, c := range []struct {
		name  string
		stale time.Duration
		taken time.Time
		want  Verdict
		says  string
	}{
		{"age does not matter", 0, time.Time{}, IsFixed, u18},
		{"just fresh", time.Hour, now.Add(-time.Hour), IsFixed, ""},
		{"too old", time.Hour, now.Add(-time.Hour - time.Second), IsUnknown, "1h0m1s ago"},
		{"no age", time.Hour, time.Time{}, IsUnknown, "at a time not recorded"},
		{"from the future", time.Hour, now.Add(time.Minute), IsUnknown, "lies ahead"},
	} {
		w.stale, w.taken = c.stale, c.taken
		a := w.assess()
		expect(t, c.name, a.Hosts[0].Verdict, a.Hosts[0].Evidence, c.want, c.says)
		if a.Instances[0].Verdict != c.want {
			t.Errorf("%s: the instance is %s", c.name, a.Instances[0].Verdict)
		}
	}
	w.host.Seen, w.stale, w.taken = now, time.Hour, time.Time{}
	if v := w.assess().Hosts[0].Verdict; v != IsFixed {
		t.Errorf("the host's own time does not count: %s", v)
	}
}

func TestOrderAndCounts(t *testing.T) {
	w := qemuWorld(u15, u15, u15)
	w.host.ID, w.inst.Host = "h9", "h9"
	w.otherHost = []fleet.Host{{ID: "h1", Pools: []string{"p1"}, Hypervisor: fleet.KVM, Software: fleet.Software{Booted: m{pkg: u18}}}}
	a := w.assess()
	if a.Hosts[0].Host != "h1" || a.Hosts[1].Host != "h9" || a.Counts.Hosts != (Tally{Affected: 1, Fixed: 1}) || a.Counts.Instances != (Tally{Unknown: 1}) {
		t.Errorf("%+v", a)
	}
	if !reflect.DeepEqual(a, w.assess()) {
		t.Error("a second look differs")
	}
	if h, ok := a.Host("h9"); !ok || h.Verdict != IsAffected {
		t.Error("h9 is not found")
	}
	if _, ok := a.Instance("i2"); ok {
		t.Error("i2 is found")
	}
	w.inst.Host = "gone"
	if i := w.assess().Instances[0]; i.Verdict != IsUnknown {
		t.Errorf("an instance on no host: %+v", i)
	}
}
