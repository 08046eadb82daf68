package advisory

import (
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// host judges one KVM host by its layers and documents alone.
func hostOf(ecosystem string, installed, booted m, as ...Advisory) HostVerdict {
	f := &fleet.Fleet{Taken: now, Pools: []fleet.Pool{{ID: "p1", Site: "s1"}}, Hosts: []fleet.Host{{ID: "h1", Pools: []string{"p1"}, Hypervisor: fleet.KVM, Ecosystem: ecosystem,
		Software: fleet.Software{Installed: installed, Booted: booted}}}}
	return Assess(f, nil, as, 0, now).Hosts[0]
}

// TestKernelsOfADisk: the next boot takes the newest, and a package that only names another is none.
func TestKernelsOfADisk(t *testing.T) {
	deb := osv("DSA-1", debian("12", "linux", fixedIn("6.1.147-1")...))
	usn := osv("USN-1", ranged("Ubuntu:22.04:LTS", "linux", fixedIn("5.15.0-112.122")...))
	for _, c := range []struct {
		name, ecosystem   string
		installed, booted m
		doc               Advisory
		want              Verdict
		says              string
	}{
		{"an older kernel is left on the disk", "Debian:12", m{"linux-image-6.1.0-37-amd64": "6.1.140-1", "linux-image-6.1.0-38-amd64": "6.1.147-1"}, m{"linux-image-6.1.0-38-amd64": "6.1.147-1"}, deb, IsFixed, ""},
		{"the newest is not booted yet", "Debian:12", m{"linux-image-6.1.0-37-amd64": "6.1.140-1", "linux-image-amd64": "6.1.147-1"}, m{"linux-image-6.1.0-37-amd64": "6.1.140-1"}, deb, IsAffected, "needs its reboot"},
		{"a name of another package is no kernel", "Ubuntu:22.04:LTS", m{"linux-image-5.15.0-112-generic": "5.15.0-112.122", "linux-image-generic": "5.15.0.112.109"}, m{"linux-image-5.15.0-112-generic": "5.15.0-112.122"}, usn, IsFixed, ""},
		{"a kernel of another source", "Ubuntu:22.04:LTS", m{"linux-image-6.5.0-41-generic": "6.5.0-41.41~22.04.2"}, m{"linux-image-6.5.0-41-generic": "6.5.0-41.41~22.04.2"}, usn, IsUnknown, "made of the source linux-hwe-6.5, of which this does not speak"},
		{"a cloud's kernel", "Ubuntu:22.04:LTS", m{"linux-image-5.15.0-1060-aws": "5.15.0-1060.66"}, m{"linux-image-5.15.0-1060-aws": "5.15.0-1060.66"}, usn, IsUnknown, "linux-aws"},
		{"the project's word does not clear a kernel of before", "Debian:12", m{"linux-image-6.1.0-18-amd64": "6.1.76-1"}, m{"linux-image-6.1.0-18-amd64": "6.1.76-1"}, osv("CVE-1", ranged("upstream", "linux", Event{Introduced: "6.5"}, Event{Fixed: "6.8.9"})), IsUnknown, "its own advisory must tell"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := hostOf(c.ecosystem, c.installed, c.booted, c.doc)
			expect(t, "host", h.Verdict, h.Evidence, c.want, c.says)
		})
	}
}

// TestTools: what neither boots nor runs is judged by the disk.
func TestTools(t *testing.T) {
	doc := osv("X-1", ranged("XCP-ng:8.3", "xen-libs", fixedIn("4.17.5-10.1.xcpng8.3")...))
	for v, want := range map[string]Verdict{"4.17.5-10.1.xcpng8.3": IsFixed, "4.17.5-9.1.xcpng8.3": IsAffected} {
		f := &fleet.Fleet{Taken: now, Pools: []fleet.Pool{{ID: "p1", Site: "s1"}}, Hosts: []fleet.Host{{ID: "h1", Pools: []string{"p1"}, Hypervisor: fleet.Xen, Ecosystem: "XCP-ng:8.3",
			Software: fleet.Software{Installed: m{"xen-libs": v}}}}, Instances: []fleet.Instance{{ID: "i1", Host: "h1", GuestType: "hvm", MemoryMiB: 1}}}
		a := Assess(f, nil, []Advisory{doc}, 0, now)
		expect(t, v, a.Hosts[0].Verdict, a.Hosts[0].Evidence, want, "")
		expect(t, "the instance on "+v, a.Instances[0].Verdict, a.Instances[0].Evidence, NotAffected, "runs none of it")
	}
}

// TestOnlyWithdrawn: a record that was taken back says nothing, and nothing is no good news.
func TestOnlyWithdrawn(t *testing.T) {
	h := one("Debian:12", pkg, u18, Advisory{ID: "CVE-1", Source: "a", Withdrawn: now.AddDate(0, 0, -1)})
	expect(t, "host", h.Verdict, h.Evidence, IsUnknown, "nothing is left to judge by")
}
