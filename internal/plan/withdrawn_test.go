package plan

import "testing"

func TestWithdrawnMistakes(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"another version stands", `evenkeel: target/v1
id: t
withdrawn: [{package: qemu, versions: ["1:7.2-5"], why: it loses writes}]
cohorts: [{packages: {qemu: "1:7.2-6"}, update: {command: [apt-get, install, "qemu=1:7.2-6"]}}]
`, ""},
		{"a longer version is another one", `evenkeel: target/v1
id: t
withdrawn: [{package: qemu, versions: ["1:7.2-5"], why: it loses writes}]
cohorts: [{packages: {qemu: "1:7.2-6"}, update: {command: ["qemu=1:7.2-51", "qemu-utils=1:7.2-5"]}}]
`, ""},
		{"the wanted one is withdrawn, in another spelling too", `evenkeel: target/v1
id: t
withdrawn:
  - {package: qemu, versions: ["1:7.2-5"], why: it loses writes}
  - {package: xen, versions: ["0:4.17-1"], why: it hangs}
cohorts:
  - packages: {qemu: "1:7.2-5", xen: "4.17-1"}
`, `7:22: cohorts[0].packages.qemu: found "1:7.2-5", which is withdrawn (it loses writes), expected a fix that stands, or no cohort that brings it
7:38: cohorts[0].packages.xen: found "4.17-1", which is withdrawn (it hangs), expected a fix that stands, or no cohort that brings it`},
		{"the command would install it", `evenkeel: target/v1
id: t
withdrawn: [{package: qemu, versions: ["1:7.2-5"], why: it loses writes}]
cohorts:
  - packages: {qemu: "1:7.2-4"}
    update: {command: [apt-get, install, "qemu=1:7.2-5"]}
`, `6:42: cohorts[0].update.command[2]: found "qemu=1:7.2-5", which is withdrawn (it loses writes), expected a fix that stands, or no cohort that brings it`},
		{"a live patch", `evenkeel: target/v1
id: t
fixes: [XSA-123]
withdrawn: [{live_patch: xsa123-1, why: it hangs}]
cohorts:
  - live_patches:
      - {name: xsa123-1, component: xen, build_id: aa}
      - {name: xsa123-2, component: xen, build_id: aa, fixes: [XSA-124]}
      - {name: xsa123-2, component: xen, build_id: aa}
`, `7:16: cohorts[0].live_patches[0].name: found "xsa123-1", which is withdrawn (it hangs), expected a fix that stands, or no cohort that brings it
8:64: cohorts[0].live_patches[1].fixes[0]: found "XSA-124", expected one of the advisories that the target fixes
9:9: cohorts[0].live_patches[2]: found "xsa123-2" for the same build a second time, expected each live patch once for a build`},
		{"takes nothing out", `evenkeel: target/v1
id: t
fixes: [a]
withdrawn:
  - {why: bad}
  - {package: qemu, why: bad}
  - {live_patch: x, versions: ["1"], why: bad}
`, `5:5: withdrawn[0]: found neither a package nor a live patch, expected package with versions, or live_patch: what was withdrawn
6:5: withdrawn[1]: found a package without versions, expected versions: those that were withdrawn
7:31: withdrawn[2].versions: found versions without a package, expected package: the one that they are versions of`},
		{"live patches alone are something to reach", `evenkeel: target/v1
id: t
cohorts: [{remedy: live-patch, live_patches: [{name: x, component: linux}]}]
`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, mistakes := ParseTarget("f", []byte(c.src))
			compare(t, mistakes, c.want)
		})
	}
}

// TestWithdrawnByTheOtherName: a fix withdrawn under its source's name is not given under a binary's, nor
// the other way round; a package that only sounds alike is another.
func TestWithdrawnByTheOtherName(t *testing.T) {
	for _, c := range []struct {
		withdrawn, wanted string
		is                bool
	}{{"qemu", "qemu-system-x86", true}, {"qemu-system-x86", "qemu", true}, {"qemu", "qemu", true}, {"qem", "qemu", false}, {"xen", "qemu", false}} {
		tg := Target{Withdrawn: []WithdrawnFix{{Package: c.withdrawn, Versions: []string{"1:7.2-1"}, Why: "guests hang"}}}
		if _, is := tg.Withdraws("Debian:12", c.wanted, "1:7.2-1"); is != c.is {
			t.Errorf("withdrawn %s, wanted %s: %v", c.withdrawn, c.wanted, is)
		}
	}
}
