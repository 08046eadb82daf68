package advisory

import (
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

const xenPkg = "xen-hypervisor-4.4-amd64"

// xsa108 is what is known of XSA-108: hvm guests, x86, Xen 4.1 and newer.
func xsa108() Advisory {
	return Advisory{ID: "XSA-108", Aliases: []string{"CVE-2014-7188"}, Source: "xsa-108.yaml", Disclosure: time.Date(2014, 10, 1, 12, 0, 0, 0, time.UTC),
		Applies:     []Condition{{GuestTypes: []string{"hvm"}, Arch: []string{"x86_64"}}},
		Mitigations: []Mitigation{{Text: "only pv guests"}},
		Affected:    []Affected{{Ecosystem: "upstream", Package: "xen", Ranges: []Range{{Type: "ECOSYSTEM", Events: []Event{{Introduced: "4.1"}}}}}}}
}

func dsa3041() Advisory {
	return Advisory{ID: "DSA-3041-1", Upstream: []string{"CVE-2014-7188"}, Source: "dsa.json", Affected: []Affected{debian("7", "xen", fixedIn("4.1.4-3+deb7u3")...)}}
}

// xenWorld is one Xen host with guests of the given types.
func xenWorld(v string, types ...string) *fleet.Fleet {
	f := &fleet.Fleet{Taken: now, Regions: []fleet.Region{{ID: "r1"}}, Sites: []fleet.Site{{ID: "s1", Region: "r1"}}, Pools: []fleet.Pool{{ID: "p1", Site: "s1"}},
		Hosts: []fleet.Host{{ID: "x1", Pools: []string{"p1"}, Hypervisor: fleet.Xen, Arch: "x86_64", Ecosystem: "Debian:7",
			Software: fleet.Software{Installed: m{xenPkg: v}, Booted: m{xenPkg: v}}}}}
	for i, g := range types {
		f.Instances = append(f.Instances, fleet.Instance{ID: string(rune('a' + i)), Host: "x1", Tenant: "acme", GuestType: g, MemoryMiB: 1})
	}
	return f
}

func TestAppliesWhen(t *testing.T) {
	old, fixed := "4.1.4-3+deb7u2", "4.1.4-3+deb7u3"
	both := []Advisory{xsa108(), dsa3041()}
	for _, c := range []struct {
		name   string
		f      *fleet.Fleet
		as     []Advisory
		change func(h *fleet.Host)
		want   Verdict
		says   string
		first  Verdict // of the first instance
	}{
		{"hvm guests", xenWorld(old, "hvm", "pv"), both, nil, IsAffected, "older than 4.1.4-3+deb7u3", IsAffected},
		{"only pv guests", xenWorld(old, "pv", "pv"), both, nil, NotAffected, "it concerns hvm guests, this one is pv (so are all on this host", NotAffected},
		{"a pv guest beside an hvm one", xenWorld(old, "pv", "hvm"), both, nil, IsAffected, "", NotAffected},
		{"hvm guests, fixed", xenWorld(fixed, "hvm"), both, nil, IsFixed, "at or above", IsFixed},
		{"a guest whose type nobody told", xenWorld(old, ""), both, nil, IsUnknown, "of which type this one is is not known", IsUnknown},
		{"no guest yet", xenWorld(old), both, nil, IsAffected, "", ""},
		{"no guest yet, and none of that kind can be", xenWorld(old), both, func(h *fleet.Host) { h.VirtCaps = []string{"pv"} }, NotAffected, "the host cannot run them (virt_caps: pv)", ""},
		{"a type that nobody told, where none of that kind can be", xenWorld(old, ""), both, func(h *fleet.Host) { h.VirtCaps = []string{"pv"} }, NotAffected, "the host cannot run them (virt_caps: pv)", NotAffected},
		{"a type that nobody told, where it may be", xenWorld(old, ""), both, func(h *fleet.Host) { h.VirtCaps = []string{"pv", "hvm"} }, IsUnknown, "of which type this one is is not known", IsUnknown},
		{"another architecture", xenWorld(old, "hvm"), both, func(h *fleet.Host) { h.Arch = "aarch64" }, NotAffected, "it concerns architecture x86_64, the host's is aarch64", NotAffected},
		{"amd64 is x86_64", xenWorld(old, "hvm"), both, func(h *fleet.Host) { h.Arch = "amd64" }, IsAffected, "", IsAffected},
		{"an architecture that nobody told", xenWorld(old, "hvm"), both, func(h *fleet.Host) { h.Arch = "" }, IsUnknown, "architecture is not known", IsUnknown},
		{"only the project's word: the distribution may have mended it", xenWorld(old, "hvm"), both[:1], nil, IsUnknown, "its own advisory must tell", IsUnknown},
		{"only the project's word, and it does not apply", xenWorld(old, "pv"), both[:1], nil, NotAffected, "does not apply", NotAffected},
		{"only the distribution's word: no condition narrows it", xenWorld(old, "pv"), both[1:], nil, IsAffected, "DSA-3041-1", IsAffected},
		{"before it came to be", xenWorld("4.0.1-5.11", "hvm"), both[:1], nil, NotAffected, "older than 4.1", NotAffected},
		{"the project's own build", xenWorld("4.1.4", "hvm"), both[:1], func(h *fleet.Host) { h.Ecosystem = "upstream" }, IsAffected, "introduced in 4.1", IsAffected},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.change != nil {
				c.change(&c.f.Hosts[0])
			}
			a := Assess(c.f, nil, c.as, 0, now)
			expect(t, "host", a.Hosts[0].Verdict, a.Hosts[0].Evidence, c.want, c.says)
			if c.first != "" {
				expect(t, "instance", a.Instances[0].Verdict, a.Instances[0].Evidence, c.first, "")
			}
		})
	}
}

// TestOthersConditions: a record of two vulnerabilities is narrowed only when both are.
func TestOthersConditions(t *testing.T) {
	two := Advisory{ID: "DSA-9", Upstream: []string{"CVE-2014-7188", "CVE-2014-9999"}, Source: "dsa9.json", Affected: []Affected{debian("7", "xen", fixedIn("4.1.4-3+deb7u3")...)}}
	f := xenWorld("4.1.4-3+deb7u2", "pv")
	a := Assess(f, nil, []Advisory{xsa108(), two}, 0, now)
	expect(t, "one narrowed", a.Hosts[0].Verdict, a.Hosts[0].Evidence, IsAffected, "DSA-9")
	other := xsa108()
	other.ID, other.Aliases = "XSA-999", []string{"CVE-2014-9999"}
	a = Assess(f, nil, []Advisory{xsa108(), other, two}, 0, now)
	expect(t, "both narrowed", a.Hosts[0].Verdict, a.Hosts[0].Evidence, NotAffected, "does not apply")
}

func TestCPUAndConfig(t *testing.T) {
	zen2 := func(c Condition) Advisory {
		return Advisory{ID: "CVE-2023-20593", Source: "a", Applies: []Condition{c}, Affected: []Affected{debian("12", "linux", fixedIn("6.1.38-2")...)},
			Mitigations: []Mitigation{{Text: "the chicken bit", Config: m{"chicken": "set"}}}}
	}
	yes, no := true, false
	for _, c := range []struct {
		name   string
		when   Condition
		change func(h *fleet.Host, i *fleet.Instance)
		want   Verdict
		says   string
	}{
		{"vendor and family", Condition{CPUVendors: []string{"amd"}, CPUFamilies: []int{23}, CPUModels: []int{49, 96}}, nil, IsAffected, ""},
		{"another family", Condition{CPUVendors: []string{"amd"}, CPUFamilies: []int{25}}, nil, NotAffected, "CPU family 25, the host's is 23"},
		{"another vendor, as cpuid spells it", Condition{CPUVendors: []string{"GenuineIntel"}}, nil, NotAffected, "CPU vendor GenuineIntel, the host's is amd"},
		{"a model not told beside its family", Condition{CPUFamilies: []int{23}, CPUModels: []int{49}}, func(h *fleet.Host, _ *fleet.Instance) { h.CPU = fleet.CPU{Vendor: "amd", Family: 23} }, IsUnknown, "CPU model is not known"},
		{"a model not told", Condition{CPUModels: []int{49}}, func(h *fleet.Host, _ *fleet.Instance) { h.CPU = fleet.CPU{} }, IsUnknown, "CPU model is not known"},
		{"a feature", Condition{CPUFeatures: []string{"sgx", "avx2"}}, nil, IsAffected, ""},
		{"no such feature", Condition{CPUFeatures: []string{"sgx"}}, nil, NotAffected, "has none of them"},
		{"features not told", Condition{CPUFeatures: []string{"sgx"}}, func(h *fleet.Host, _ *fleet.Instance) { h.CPUFeatures = nil }, IsUnknown, "CPU features are not known"},
		{"a device passed through", Condition{Passthrough: &yes}, nil, NotAffected, "with a passed-through device, this one has none"},
		{"no device passed through", Condition{Passthrough: &no}, nil, IsAffected, ""},
		{"a setting of the host", Condition{Config: m{"smt": "on"}}, nil, IsAffected, ""},
		{"another setting", Condition{Config: m{"smt": "off"}}, nil, NotAffected, "smt off, here it is on"},
		{"the instance's own setting counts first", Condition{Config: m{"smt": "on"}}, func(_ *fleet.Host, i *fleet.Instance) { i.Config = m{"smt": "off"} }, NotAffected, "here it is off"},
		{"a setting that nobody told", Condition{Config: m{"vnc": "on"}}, nil, IsUnknown, "what vnc is here is not known"},
		{"one of two conditions", Condition{Hypervisors: []string{"kvm"}}, nil, IsAffected, ""},
		{"the other hypervisor", Condition{Hypervisors: []string{"xen"}}, nil, NotAffected, "hypervisor xen, the host's is kvm"},
		{"kvm's guests are all hvm", Condition{GuestTypes: []string{"hvm"}}, nil, IsAffected, ""},
		{"a mitigation in place does not fix", Condition{}, func(h *fleet.Host, _ *fleet.Instance) { h.Config["chicken"] = "set" }, IsAffected, "a mitigation is in place: the chicken bit"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := xenWorld("", "")
			h, i := &f.Hosts[0], &f.Instances[0]
			h.Hypervisor, h.Ecosystem, h.CPU, h.CPUFeatures, h.Config = fleet.KVM, "Debian:12", fleet.CPU{Vendor: "amd", Family: 23, Model: 49}, []string{"avx2"}, m{"smt": "on"}
			h.Software = fleet.Software{Booted: m{"linux-image-6.1.0-9-amd64": "6.1.27-1"}}
			if c.change != nil {
				c.change(h, i)
			}
			a := Assess(f, nil, []Advisory{zen2(c.when)}, 0, now)
			expect(t, "host", a.Hosts[0].Verdict, a.Hosts[0].Evidence, c.want, c.says)
			if a.Instances[0].Verdict != c.want {
				t.Errorf("the instance is %s: %v", a.Instances[0].Verdict, a.Instances[0].Evidence)
			}
		})
	}
}

func TestLivePatches(t *testing.T) {
	v := "4.17.3+10-g091466ba55-1~deb12u1"
	doc := func(id string) Advisory {
		return Advisory{ID: id, Source: id, Affected: []Affected{debian("12", "xen", fixedIn("4.17.5+23-ga4e5191dc0-1+deb12u1")...)}}
	}
	target := &plan.Target{ID: "t1", Fixes: []string{"XSA-121", "XSA-122"}, Cohorts: []plan.Cohort{{Name: "xen", Remedy: "live-patch", LivePatches: []plan.WantedPatch{
		{Name: "lp121", Component: "xen", BuildID: "aa", Fixes: []string{"XSA-121"}}, {Name: "lp122", Component: "xen", BuildID: "aa", Fixes: []string{"XSA-122"}}}}}}
	lp := func(name, state string) fleet.LivePatch {
		return fleet.LivePatch{Name: name, Component: "xen", State: state}
	}
	for _, c := range []struct {
		name    string
		patches []fleet.LivePatch
		change  func(t *plan.Target)
		want    Verdict
		says    string
	}{
		{"all applied", []fleet.LivePatch{lp("lp121", "applied"), lp("lp122", "applied")}, nil, IsFixed, "the live patch lp121, which fixes it, is applied"},
		{"one loaded only", []fleet.LivePatch{lp("lp121", "applied"), lp("lp122", "loaded")}, nil, IsAffected, "XSA-122"},
		{"none", []fleet.LivePatch{}, nil, IsAffected, "XSA-121"},
		{"the list was not read", nil, nil, IsUnknown, "whether it is applied is not known"},
		{"another patch", []fleet.LivePatch{lp("lp9", "applied")}, nil, IsAffected, "XSA-121"},
		{"withdrawn since", []fleet.LivePatch{lp("lp121", "applied"), lp("lp122", "applied")}, func(t *plan.Target) { t.Withdrawn = []plan.WithdrawnFix{{LivePatch: "lp122", Why: "it crashes"}} }, IsAffected, "XSA-122"},
		{"a target with a version too: patched is fixed", []fleet.LivePatch{lp("lp121", "applied"), lp("lp122", "applied")}, func(t *plan.Target) {
			t.Cohorts[0].Packages = m{"xen-hypervisor-4.17-amd64": "4.17.5+23-ga4e5191dc0-1+deb12u1"}
		}, IsFixed, "the live patch lp121, lp122 is applied"},
		{"with a reboot as remedy, the next boot would bring the old", []fleet.LivePatch{lp("lp121", "applied"), lp("lp122", "applied")}, func(t *plan.Target) { t.Cohorts[0].Remedy = "reboot" }, IsAffected, "the next start brings that"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := xenWorld("", "pv")
			h := &f.Hosts[0]
			h.Ecosystem, h.Software = "Debian:12", fleet.Software{Installed: m{"xen-hypervisor-4.17-amd64": v}, Booted: m{"xen-hypervisor-4.17-amd64": v}, BuildID: "AA", LivePatches: c.patches}
			tg := *target
			tg.Cohorts = append([]plan.Cohort(nil), target.Cohorts...)
			if c.change != nil {
				c.change(&tg)
			}
			a := Assess(f, &tg, []Advisory{doc("XSA-121"), doc("XSA-122")}, 0, now)
			expect(t, "host", a.Hosts[0].Verdict, a.Hosts[0].Evidence, c.want, c.says)
			if asks := strings.Contains(a.Hosts[0].Needs, "a look at the host's list of live patches"); asks != (c.patches == nil) {
				t.Errorf("needs %q", a.Hosts[0].Needs)
			}
			if len(tg.Withdrawn) > 0 && (len(a.Holders) != 1 || a.Holders[0].Host != "x1" || a.Holders[0].Fix != "lp122 (applied)") {
				t.Errorf("holders: %+v", a.Holders)
			}
			seen := 0
			for _, s := range a.Hosts[0].Seen {
				if s.Layer == fleet.LayerLivePatches && s.At.Equal(now) && strings.HasPrefix(s.Package, "xen lp") {
					seen++
				}
			}
			if seen != len(c.patches) {
				t.Errorf("seen: %+v", a.Hosts[0].Seen)
			}
		})
	}
}
