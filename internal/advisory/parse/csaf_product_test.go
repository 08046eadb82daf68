package parse

import (
	"strings"
	"testing"
)

func TestCSAFProducts(t *testing.T) {
	helper := func(key, value string) string { return `{"` + key + `":"` + value + `"}` }
	for name, c := range map[string]struct{ vendor, product, helper, ecosystem, pkg, version, lack string }{
		"NEVRA with an epoch":   {"CIQ", "qemu-kvm-17:7.2.0-14.el9_2.11.x86_64", "", "", "qemu-kvm", "17:7.2.0-14.el9_2.11", string(lacksEcosystem)},
		"epoch in front":        {"CIQ", "17:qemu-kvm-7.2.0-14.el9.x86_64", "", "", "qemu-kvm", "17:7.2.0-14.el9", string(lacksEcosystem)},
		"epoch 0":               {"CIQ", "xen-0:4.17-1.el9.src.rpm", "", "", "xen", "4.17-1.el9", string(lacksEcosystem)},
		"arch in the name":      {"CIQ", "kernel-rt-debuginfo-common-x86_64-4.18.0-372.rt7.el8_6.x86_64", "", "", "kernel-rt-debuginfo-common-x86_64", "4.18.0-372.rt7.el8_6", string(lacksEcosystem)},
		"purl, Debian":          {"", "q", helper("purl", "pkg:deb/debian/qemu-system-x86@1:7.2+dfsg-7?arch=amd64&distro=debian-12&upstream=qemu"), "Debian:12", "qemu", "1:7.2+dfsg-7", ""},
		"purl, Ubuntu":          {"", "q", helper("purl", "pkg:deb/ubuntu/qemu@1:6.2?distro=jammy"), "Ubuntu:22.04", "qemu", "1:6.2", ""},
		"purl, Alpine":          {"", "q", helper("purl", "pkg:apk/alpine/xen@4.16.2-r0?distro=3.17.1"), "Alpine:v3.17.1", "xen", "4.16.2-r0", ""},
		"purl, Wolfi":           {"", "q", helper("purl", "pkg:apk/wolfi/qemu@9.0-r1"), "Wolfi", "qemu", "9.0-r1", ""},
		"purl, Rocky":           {"", "q", helper("purl", "pkg:rpm/rocky/qemu-kvm@8.2-1.el9?epoch=17&distro=rocky-9.4"), "Rocky Linux:9.4", "qemu-kvm", "17:8.2-1.el9", ""},
		"purl, RHEL 9.2":        {"", "q", helper("purl", "pkg:rpm/redhat/qemu-kvm@8.2-1.el9?distro=redhat-9.2"), "", "qemu-kvm", "8.2-1.el9", string(lacksEcosystem)},
		"purl, no distribution": {"", "q", helper("purl", "pkg:deb/debian/qemu@1:7.2"), "", "qemu", "1:7.2", string(lacksEcosystem)},
		"purl, SLES":            {"", "q", helper("purl", "pkg:rpm/suse/xen@4.16-1?distro=sles-15.4"), "SUSE:Linux Enterprise Server 15 SP4", "xen", "4.16-1", ""},
		"purl, openEuler":       {"", "q", helper("purl", "pkg:rpm/openeuler/qemu@6.2-1?distro=openeuler-22.03-lts-sp1"), "openEuler:22.03-LTS-SP1", "qemu", "6.2-1", ""},
		"purl, the project":     {"", "q", helper("purl", "pkg:generic/xen@4.17.1"), "upstream", "xen", "4.17.1", ""},
		"purl, a library":       {"", "q", helper("purl", "pkg:maven/org.x/y@1"), "", "", "", string(lacksHost)},
		"purl, of a module":     {"", "q", helper("purl", "pkg:rpmmod/redhat/virt:rhel/qemu-kvm"), "", "qemu-kvm", "", string(lacksEcosystem)},
		"purl, a module":        {"", "q", helper("purl", "pkg:rpmmod/redhat/virt@rhel:8100020240905091210:489197e6"), "", "", "", string(lacksHost)},
		"purl, an image":        {"", "q", helper("purl", "pkg:oci/qemu@sha256%3Aab?repository_url=r.example"), "", "", "", string(lacksHost)},
		"CPE of a release":      {"", "Xen", helper("cpe", "cpe:2.3:o:xen:xen:4.18.0:rc1:*:*:*:*:*:*"), "upstream", "xen", "4.18.0-rc1", ""},
		"CPE of a platform":     {"", "RHEL", helper("cpe", "cpe:/o:redhat:enterprise_linux:9::baseos"), "Red Hat:enterprise_linux:9::baseos", "", "", string(lacksPackage)},
		"CPE 2.3 of a platform": {"", "RHEL", helper("cpe", "cpe:2.3:o:redhat:enterprise_linux:9:*:baseos:*:*:*:*:*"), "Red Hat:enterprise_linux:9::baseos", "", "", string(lacksPackage)},
		"a name like BSI's":     {"Open Source", "Open Source QEMU", "", "upstream", "qemu", "", ""},
		"a distributor's QEMU":  {"Red Hat", "QEMU", "", "", "QEMU", "", string(lacksEcosystem)},
		"anything":              {"Acme", "Controller X", "", "", "Controller X", "", string(lacksEcosystem)},
	} {
		t.Run(name, func(t *testing.T) {
			tree := csafTreeOf([]string{csafBranch("vendor", c.vendor, csafLeaf("product_name", c.product, "P", c.helper))})
			d := &document{name: "a", src: []byte(`{"product_tree":` + tree + `}`)}
			r := &csafReader{document: d, products: map[string]*csafProduct{}, groups: map[string][]string{}, parts: map[string]csafPart{}}
			r.tree(d.tree())
			p := r.part("P")
			if len(d.mistakes) > 0 || p.ecosystem != c.ecosystem || p.pkg != c.pkg || p.version != c.version || string(p.lacks) != c.lack {
				t.Errorf("got %+v, %v", p, d.mistakes)
			}
		})
	}
}

func TestCSAFPlatforms(t *testing.T) {
	for cpe, want := range map[string]string{
		"cpe:/o:redhat:enterprise_linux:9": "Red Hat:enterprise_linux:9", "cpe:/a:redhat:rhel_eus:9.2::appstream": "Red Hat:rhel_eus:9.2::appstream",
		"cpe:/o:redhat:rhel_aus:8.4::baseos": "Red Hat:rhel_aus:8.4::baseos", "cpe:/o:redhat:enterprise_linux": "", "cpe:/a:redhat:openshift:4": "",
		"cpe:/o:suse:sles:15:sp4": "SUSE:Linux Enterprise Server 15 SP4", "cpe:/o:suse:sles:15": "SUSE:Linux Enterprise Server 15", "cpe:/o:opensuse:leap:15.4": "openSUSE:Leap 15.4",
		"cpe:2.3:o:ciq:rocky_linux_from_ciq_lts:8.6:*:*:*:*:*:*:*": "Rocky Linux:CIQ LTS 8.6", "cpe:/o:rocky:rocky:8.6": "Rocky Linux:8.6",
		"cpe:/a:openEuler:openEuler:22.03-LTS-SP1": "openEuler:22.03-LTS-SP1", "cpe:2.3:o:debian:debian_linux:12.0:*:*:*:*:*:*:*": "Debian:12.0",
		"cpe:2.3:o:canonical:ubuntu_linux:22.04:*:*:*:lts:*:*:*": "Ubuntu:22.04", "cpe:2.3:o:alpinelinux:alpine_linux:3.17:*:*:*:*:*:*:*": "Alpine:v3.17",
		"cpe:2.3:o:debian:debian_linux:*:*:*:*:*:*:*:*": "", "nonsense": "", "": "", "cpe:/": "", "cpe:2.3:": "", `cpe:2.3:o:xen\:x:xen:4\.17`: "",
	} {
		if got := ecosystemOfCPE(cpe); got != want {
			t.Errorf("%s: %q, want %q", cpe, got, want)
		}
	}
	for name, want := range map[string]string{
		"SUSE Linux Enterprise Module for Server Applications 15 SP4": "SUSE:Linux Enterprise Module for Server Applications 15 SP4",
		"SUSE Linux Enterprise Server":                                "", "openSUSE Leap 15.4": "openSUSE:Leap 15.4", "Rocky Linux 8.6": "Rocky Linux:8.6", "openEuler-22.03-LTS-SP1": "openEuler:22.03-LTS-SP1",
		"Red Hat Enterprise Linux 9": "Red Hat:enterprise_linux:9", "Red Hat Enterprise Linux AppStream EUS (v.9.2)": "", "Debian GNU/Linux 12": "Debian:12", "CIQ LTS for Rocky Linux 8.6": "",
	} {
		if got := ecosystemOfName(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestCSAFVers(t *testing.T) {
	for text, want := range map[string]string{
		"vers:rpm/<17:7.2.0-14.el9": "+0 -17:7.2.0-14.el9", "vers:rpm/>=1-1|<=2-1": "+1-1 =2-1", "vers:rpm/1-1|2-1": "{1-1 2-1}",
		"vers:rpm/>=1-1|<2-1|>=3-1|<4-1": "+1-1 -2-1+3-1 -4-1", "vers:rpm/>=1-1": "+1-1", "vers:rpm/1-1|>=3-1": "+3-1{1-1}", "vers:rpm/!=1-1": "+0{}!1-1",
		"vers:all/*": "all", "vers:rpm/*": "all", "<2-1": "+0 -2-1", ">=1-1|<2-1": "+1-1 -2-1", "vers:rpm/%3C1": "?", "vers:rpm/>=1%2B1-1": "+1+1-1",
		"vers:rpm/<2-1|>=1-1": "?", "vers:rpm/<1-1|<2-1": "?", "vers:rpm/>=1-1|>=2-1": "?", "vers:deb/<1-1": "?", "vers:npm/<1": "?", "vers:rpm": "?", "vers:rpm/": "?",
		"vers:rpm/<": "?", "All versions < V17": "?", "4.17": "?", "vers:rpm/1-1|1-1": "?", "vers:rpm/>=1-1|<1-1": "?",
	} {
		span, why := readSpan(text, "Red Hat:9")
		got := ""
		for _, e := range span.events {
			got += map[bool]string{true: "+" + e.Introduced}[e.Introduced != ""] + map[bool]string{true: " -" + e.Fixed}[e.Fixed != ""] + map[bool]string{true: " =" + e.LastAffected}[e.LastAffected != ""]
		}
		if len(span.versions)+len(span.except) > 0 {
			got += "{" + strings.Join(span.versions, " ") + "}"
		}
		if len(span.except) > 0 {
			got += "!" + strings.Join(span.except, " ")
		}
		switch {
		case span.all:
			got += "all"
		case why != "":
			got += "?"
		}
		if got != want {
			t.Errorf("%s: %s (%s), want %s", text, got, why, want)
		}
	}
}

func TestCSAFRelationships(t *testing.T) {
	rpm := "qemu-kvm-15:6.2.0-40.module+el8.9.0+1.x86_64"
	module := "virt:rhel:8090020231121:a75119d5"
	tree := csafTreeOf([]string{csafLeaf("product_name", "RHEL 8", "P", `{"cpe":"cpe:/a:redhat:enterprise_linux:8::appstream"}`), csafLeaf("product_version", module, module, ""), csafLeaf("product_version", rpm, rpm, "")},
		csafComponent(module, "P"), csafComponent(rpm, "P:"+module), csafComponent(rpm, "nowhere"), csafComponent("nothing", "P"),
		strings.ReplaceAll(csafComponent(rpm, "O"), `"relates_to_product_reference":"O"`, `"relates_to_product_reference":"O:`+rpm+`"`),
		strings.Replace(csafComponent(rpm, "W"), "default_component_of", "installed_with", 1), csafLeaf("product_name", "W", "W", "")[len(`{"category":"product_name","name":"W","product":`):len(csafLeaf("product_name", "W", "W", ""))-1])
	tree = strings.Replace(tree, `,{"name":"W","product_id":"W"}]`, `],"full_product_names":[{"name":"W","product_id":"W"},{"name":"twice","product_id":"2"},{"name":"another","product_id":"2"}]`, 1)
	for id, want := range map[string]struct {
		ecosystem string
		lacks     csafLack
	}{
		"P:" + module + ":" + rpm: {"Red Hat:enterprise_linux:8::appstream", lacksNothing},
		"nowhere:" + rpm:          {"", lacksPart}, "P:nothing": {"", lacksPart}, "O:" + rpm: {"", lacksEcosystem}, "W:" + rpm: {"", lacksTogether}, "2": {"", lacksOne},
	} {
		d := &document{name: "a", src: []byte(`{"product_tree":` + tree + `}`)}
		r := &csafReader{document: d, products: map[string]*csafProduct{}, groups: map[string][]string{}, parts: map[string]csafPart{}}
		r.tree(d.tree())
		if p := r.part(id); len(d.mistakes) > 0 || p.ecosystem != want.ecosystem || p.lacks != want.lacks {
			t.Errorf("%s: %+v %v", id, p, d.mistakes)
		}
	}
}
