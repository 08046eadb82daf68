package parse

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/form"
	"github.com/evenkeel/evenkeel/internal/version"
)

func TestExampleXSA108(t *testing.T) {
	src, err := os.ReadFile("../../../examples/xsa-108.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, mistakes := Parse("xsa-108.yaml", src)
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	public := time.Date(2014, 10, 1, 12, 0, 0, 0, time.UTC)
	want := []advisory.Advisory{{
		ID: "XSA-108", Format: advisory.FormatOwn, Source: "xsa-108.yaml", Aliases: []string{"CVE-2014-7188"},
		Summary: "Improper MSR range used for x2APIC emulation", Published: public, Disclosure: public,
		Affected: []advisory.Affected{{Ecosystem: "upstream", Package: "xen", Ranges: []advisory.Range{{
			Type: "ECOSYSTEM", Events: []advisory.Event{{Introduced: "4.1"}, {Fixed: "4.5.0"}},
		}}}},
		Applies: []advisory.Condition{{
			Hypervisors: []string{"xen"}, Arch: []string{"x86_64"}, GuestTypes: []string{"hvm"},
			Why: "only HVM guests on x86 can use the emulation of the x2APIC",
		}},
		Mitigations: []advisory.Mitigation{{Text: "Run only PV guests."}},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

func TestOwnInJSON(t *testing.T) {
	got, mistakes := Parse("a", []byte(`{"evenkeel": "advisory/v1", "id": "ACME-1", "embargo_deploy": "mitigations",
		"affected": [{"ecosystem": "XenServer:8", "package": "xen-hypervisor", "status": "fixed", "versions": ["4.17.5-10.xs8"]},
			{"ecosystem": "build-id", "package": "xen", "versions": ["00fF"]}],
		"applies": [{"passthrough": false}, {"cpu_families": [23, 25], "config": {"smt": "on"}}],
		"payloads": [{"kind": "live-patch", "name": "lp_1", "build_id": "00ff"}],
		"guidance": [{"action": "RestartVM", "tactics": ["refresh"], "from": [{"ecosystem": "Debian:12", "package": "qemu"}]}]}`))
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	a := got[0]
	if a.EmbargoDeploy != "mitigations" || len(a.Affected) != 2 || a.Affected[0].Status != advisory.StatusFixed || a.Applies[0].Passthrough == nil || *a.Applies[0].Passthrough ||
		a.Applies[1].CPUFamilies[1] != 25 || a.Applies[1].Config["smt"] != "on" || a.Payloads[0].Name != "lp_1" || a.Guidance[0].From[0].Package != "qemu" || a.Format != advisory.FormatOwn || a.Source != "a" {
		t.Errorf("%+v", a)
	}
}

func TestOwnMistakes(t *testing.T) {
	const head = "evenkeel: advisory/v1\nid: a\n"
	for _, c := range []struct{ name, src, want string }{
		{"other YAML", "hosts:\n  - a\n", `f:1:1: found text without the key evenkeel, expected ` + known},
		{"prose", "Xen Security Advisory\n", `f:1:1: found text without the key evenkeel, expected ` + known},
		{"other form", "evenkeel: target/v1\nid: a\n", `f:1:11: evenkeel: found "target/v1", expected advisory/v1`},
		{"key without value", "evenkeel:\nid: a\n", `f:1:10: evenkeel: found nothing, expected advisory/v1`},
		{"broken", "evenkeel: advisory/v1\nid: [a\n", `f:2:5: found broken YAML (sequence end token ']' not found), expected YAML or JSON`},
		{"an anchor", head + "summary: &s x\n", `f:3:10: found an anchor, expected no anchors and aliases: write the value out where it is used`},
		{"no id", "evenkeel: advisory/v1\nsumary: x\n", `f:1:1: id: found nothing, expected id (an id: 1 to 128 letters, digits or any of . _ : @ -)
f:2:1: sumary: found the unknown key "sumary", expected summary`},
		{"ids", head + "aliases: [CVE-1, a, \"x y\"]\nsupersedes: [CVE-1]\n", `f:3:18: aliases[1]: found "a" a second time, expected each id once among id, aliases, upstream and supersedes
f:3:21: aliases[2]: found "x y", expected an id: 1 to 128 letters, digits or any of . _ : @ -
f:4:14: supersedes[0]: found "CVE-1" a second time, expected each id once among id, aliases, upstream and supersedes`},
		{"embargo", head + "embargo_deploy: maybe\ndisclosure: 9000-01-01T00:00:00Z\npublished: 2014-10-01\n", `f:3:17: embargo_deploy: found "maybe", expected one of yes, mitigations, no
f:4:13: disclosure: found "9000-01-01T00:00:00Z", expected a time before the year 3000
f:5:12: published: found "2014-10-01", expected a time with its zone, such as 2026-03-01T02:00:00Z`},
		{"conditions", head + "applies:\n  - {guest_types: [hvm, lxc], hypervisors: [vmware], arch: [x86], cpu_vendors: [Intel], cpu_families: [-1]}\n  - {why: because, config: {}}\n",
			`f:4:25: applies[0].guest_types[1]: found "lxc", expected one of hvm, pv, pvh
f:4:45: applies[0].hypervisors[0]: found "vmware", expected one of kvm, xen
f:4:61: applies[0].arch[0]: found "x86", expected one of x86_64, aarch64, armv7l, ppc64le, riscv64, s390x
f:4:81: applies[0].cpu_vendors[0]: found "Intel", expected one of intel, amd, hygon, zhaoxin, centaur, ibm, arm, ampere, apm, apple, broadcom, cavium, fujitsu, hisilicon, marvell, microsoft, nvidia, phytium, qualcomm, samsung
f:4:104: applies[0].cpu_families[0]: found -1, expected a whole number, 0 or more
f:5:5: applies[1]: found a condition that asks for nothing, expected what must hold, such as guest_types: [hvm]`},
		{"affected", head + "affected:\n  - {ecosystem: debian, package: xen, versions: [\"1\"]}\n  - {ecosystem: Debian, package: \" \"}\n  - {ecosystem: build-id, package: xen, ranges: [{events: [{introduced: \"00\"}]}]}\n  - {package: xen, status: broken}\n",
			`f:4:17: affected[0].ecosystem: found "debian", expected an ecosystem whose versions can be compared, with or without a release: ` + strings.Join(version.Known(), ", ") + `
f:5:5: affected[1]: found neither ranges nor versions, expected one of them; for all versions: ranges: [{events: [{introduced: "0"}]}]
f:5:34: affected[1].package: found " ", expected text that is not empty
f:6:49: affected[2].ranges: found a range of build ids, expected versions: a build id is neither older nor newer than another
f:7:5: affected[3].ecosystem: found nothing, expected ecosystem (text that is not empty)
f:7:28: affected[3].status: found "broken", expected one of affected, fixed, not-affected, under-investigation`},
		{"ranges", head + `affected:
  - ecosystem: upstream
    package: xen
    versions: ["4.17.x", "4.17.5"]
    ranges:
      - events: [{introduced: "4.1", fixed: 4.2.0}, {}]
      - events: [{fixed: 4.1.0-18-amd64}, {last_affected: "n/a"}]
      - {type: GIT, events: [{introduced: "0"}, {limit: "*"}]}
      - events: []
`, `f:6:16: affected[0].versions[0]: found "4.17.x", expected a version of upstream: "4.17.x" is not a release: it holds ".x", which is no stage of a release such as -rc3 or -pre
f:8:18: affected[0].ranges[0].events[0]: found 2 of introduced, fixed, last_affected and limit, expected exactly one of them in each event
f:8:53: affected[0].ranges[0].events[1]: found 0 of introduced, fixed, last_affected and limit, expected exactly one of them in each event
f:9:17: affected[0].ranges[1].events: found no event introduced, expected one, such as introduced: "0" for the first version
f:9:26: affected[0].ranges[1].events[0].fixed: found "4.1.0-18-amd64", expected a version of upstream: "4.1.0-18-amd64" is not a release: it holds "-18-amd64", which is no stage of a release such as -rc3 or -pre
f:9:59: affected[0].ranges[1].events[1].last_affected: found "n/a", expected a version of upstream: "n/a" is not a release: it does not start with a number
f:10:16: affected[0].ranges[2].type: found "GIT", expected ECOSYSTEM, or no type: other ranges are not compared
f:11:17: affected[0].ranges[3].events: found no event introduced, expected one, such as introduced: "0" for the first version`},
		{"fixed and last affected", head + "affected: [{ecosystem: Debian, package: xen, ranges: [{events: [{introduced: \"0\"}, {fixed: \"2\"}, {last_affected: \"1\"}]}]}]\n",
			`f:3:64: affected[0].ranges[0].events: found fixed and last_affected in one range, expected one of them: where both are known, fixed`},
		{"payloads", head + "payloads: [{kind: live-patch, url: x, sha256: abc, build_id: xyz}, {kind: firmware}, {kind: patch, name: p, requires: [\"\"]}]\nguidance: [{action: \"\", tactics: [pray], from: [{ecosystem: Debian, package: qemu, versions: [seven]}]}]\n",
			`f:3:12: payloads[0].name: found nothing, expected name: as the host's list shows the live patch
f:3:47: payloads[0].sha256: found "abc", expected a SHA-256 sum of 64 hexadecimal digits
f:3:62: payloads[0].build_id: found "xyz", expected a version of build-id: "xyz" is not a build id: it holds 'x', which is no hexadecimal digit
f:3:68: payloads[1]: found neither name nor url, expected one of them: which file it is
f:3:75: payloads[1].kind: found "firmware", expected one of live-patch, patch, package
f:3:120: payloads[2].requires[0]: found "", expected an id: 1 to 128 letters, digits or any of . _ : @ -
f:4:21: guidance[0].action: found "", expected text that is not empty
f:4:35: guidance[0].tactics[0]: found "pray", expected one of live-patch, refresh, evacuate, suspend, reboot, hold
f:4:95: guidance[0].from[0].versions[0]: found "seven", expected a version of Debian: "seven" is not a Debian version: it does not start with a digit`},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, mistakes := Parse("f", []byte(c.src))
			if got != nil || mistakes.Error() != c.want {
				t.Errorf("got %+v\n%s\nwant\n%s", got, mistakes.Error(), c.want)
			}
		})
	}
}

// FuzzOwn: what is accepted can be written again and is then read as the same.
func FuzzOwn(f *testing.F) {
	example, err := os.ReadFile("../../../examples/xsa-108.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(example)
	f.Add([]byte(`{"evenkeel": "advisory/v1", "id": "a", "payloads": [{"kind": "patch", "name": "p", "sha256": "00"}], "applies": [{"passthrough": true}]}`))
	f.Fuzz(func(t *testing.T, src []byte) {
		read := func(src []byte) ([]advisory.Advisory, form.Mistakes) { return (&document{name: "f", src: src}).own() }
		first, mistakes := read(src)
		if len(mistakes) > 0 {
			if first != nil {
				t.Fatal("advisories in spite of mistakes")
			}
			return
		}
		var o Own
		form.Decode("f", src, &o)
		o.advisory() // which fills in the ranges' type
		text := form.Encode(o)
		if again, mistakes := read(text); len(mistakes) > 0 || !reflect.DeepEqual(again, first) {
			t.Fatalf("%+v is written as\n%s\nand read as %+v, %v", first, text, again, mistakes)
		}
	})
}
