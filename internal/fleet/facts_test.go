package fleet

import (
	"strings"
	"testing"
	"time"
)

// withHost is a fleet with one host, of which more is said.
func withHost(more string) string {
	return `evenkeel: fleet/v1
taken: 2026-03-01T08:00:00Z
regions: [{id: r}]
sites: [{id: s, region: r}]
pools: [{id: p, site: s}]
hosts:
  - {id: h, pools: [p], hypervisor: kvm, memory_mib: 100, ` + more + "}\n"
}

func TestFactsThatNoLookCanHaveTold(t *testing.T) {
	for more, want := range map[string]string{
		`ecosystem: "Debian:12"`:                          "",
		`ecosystem: "Red Hat:enterprise_linux:9::baseos"`: "",
		`ecosystem: "Debian"`:                             "",
		`ecosystem: "Debian:"`:                            `7:70: hosts[0].ecosystem: found "Debian:", expected a distribution as OSV names it`,
		`ecosystem: ":12"`:                                `hosts[0].ecosystem: found ":12"`,
		`ecosystem: " Debian:12"`:                         `hosts[0].ecosystem: found " Debian:12"`,
		`cpu: {family: -1}`:                               "hosts[0].cpu.family: found -1, expected",
		`software: {live_patches: [{name: a, component: linux, state: enabled}]}`:                                            `hosts[0].software.live_patches[0].state: found "enabled", expected one of applied, transition, loaded`,
		`software: {live_patches: [{name: a, component: kvm, state: applied}]}`:                                              `hosts[0].software.live_patches[0].component: found "kvm"`,
		`software: {live_patches: [{name: a, component: xen, state: applied}, {name: a, component: linux, state: applied}]}`: "",
		`software: {live_patches: [{name: a, component: xen, state: applied}, {name: a, component: xen, state: loaded}]}`:    "hosts[0].software.live_patches[1].name: found the live patch \"xen/a\" a second time",
		`software: {looked: {installed: {at: 2026-03-01T08:00:05Z}, booted: {}, running: {how: x}, live_patches: {}}}`:       "",
		`software: {looked: {installed: {at: 2026-03-01T08:00:06Z}}}`:                                                        "hosts[0].software.looked.installed.at: found 2026-03-01T08:00:06Z, after the fleet was taken, expected no later than 2026-03-01T08:00:00Z",
		`software: {looked: {instaled: {at: 2026-03-01T08:00:00Z}}}`:                                                         `hosts[0].software.looked.instaled: found the unknown layer "instaled", expected one of installed, booted, running, live_patches`,
	} {
		_, mistakes := Parse("f", []byte(withHost(more)))
		switch {
		case want == "" && len(mistakes) > 0, want != "" && (len(mistakes) != 1 || !strings.Contains(mistakes[0].String(), want)):
			t.Errorf("%s: %v, expected %q", more, mistakes, want)
		}
	}
	_, mistakes := Parse("f", []byte(withHost("cpus: 1")+"instances:\n  - {id: i, host: h, memory_mib: 1, looked: {at: 2026-03-02T00:00:00Z}}\n"))
	if len(mistakes) != 1 || !strings.Contains(mistakes[0].String(), "instances[0].looked.at: found 2026-03-02T00:00:00Z") {
		t.Errorf("%v", mistakes)
	}
}

func TestWarnsOfEcosystemsThatNobodyCanCompare(t *testing.T) {
	for name, want := range map[string]string{"Debian:12": "", "debian:12": "It is spelled Debian", "RockyLinux:9": "It is spelled Rocky Linux", "Plan 9:4": "Known are Al"} {
		all := Warnings(&Fleet{Hosts: []Host{{ID: "h", Ecosystem: name}}})
		if want == "" && len(all) > 0 || want != "" && (len(all) != 1 || all[0].Path != "hosts[0]" || !strings.Contains(all[0].Why, want)) {
			t.Errorf("%s: %v", name, all)
		}
	}
}

func TestSightingOfALayer(t *testing.T) {
	taken, seen, at := time.Unix(100, 0), time.Unix(90, 0), time.Unix(80, 0)
	h := Host{Software: Software{Booted: map[string]string{"linux": "6.1"}, LivePatches: []LivePatch{},
		Looked: map[string]Sighting{LayerInstalled: {At: at, How: "dpkg-query over SSH"}, LayerLivePatches: {How: "xl"}}}}
	for _, c := range []struct {
		layer string
		seen  time.Time
		want  Sighting
		ok    bool
	}{
		{LayerInstalled, seen, Sighting{At: at, How: "dpkg-query over SSH"}, true}, // a look that found nothing is a look
		{LayerBooted, seen, Sighting{At: seen}, true},
		{LayerBooted, time.Time{}, Sighting{At: taken}, true},
		{LayerRunning, seen, Sighting{}, false},
		{LayerLivePatches, seen, Sighting{At: seen, How: "xl"}, true},
	} {
		h.Seen = c.seen
		if got, ok := h.Sighting(c.layer, taken); got != c.want || ok != c.ok {
			t.Errorf("%s: %+v, %v", c.layer, got, ok)
		}
	}
	if h.Software.Looked = nil; true {
		if _, ok := h.Sighting(LayerLivePatches, taken); !ok {
			t.Error("an empty list of live patches says that somebody has looked")
		}
	}
}
