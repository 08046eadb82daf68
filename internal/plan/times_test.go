package plan

import (
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// TestUpdateIn: a live patch has times of its own, and those of an update in a plan from before it had.
func TestUpdateIn(t *testing.T) {
	const m = Duration(time.Minute)
	now := Times{Update: 3 * m, UpdateMax: 10 * m, Patch: m, PatchMax: 5 * m}
	for _, c := range []struct {
		times          Times
		tactic         Tactic
		expected, most Duration
	}{
		{now, LivePatch, m, 5 * m},
		{now, Reboot, 3 * m, 10 * m},
		{now, Refresh, 3 * m, 10 * m},
		{Times{Update: 3 * m, UpdateMax: 10 * m}, LivePatch, 3 * m, 10 * m},
		{Times{Update: 3 * m, UpdateMax: 10 * m, Patch: m}, LivePatch, m, 10 * m},
		{Times{Update: 3 * m, UpdateMax: 2 * m}, Reboot, 3 * m, 3 * m},
	} {
		if expected, most := c.times.UpdateIn(c.tactic); expected != c.expected.Std() || most != c.most.Std() {
			t.Errorf("%+v, %s: got %s and %s, want %s and %s", c.times, c.tactic, expected, most, c.expected, c.most)
		}
	}
}

func TestTimesOfLivePatches(t *testing.T) {
	for src, want := range map[string]string{
		"times: {patch: 6m, patch_max: 7m}":  "",
		"times: {patch: 0s, patch_max: 0s}":  "",
		"times: {patch: 6m}":                 "2:8: times.patch_max: found 5m, expected at least what is expected, 6m",
		"times: {patch: 11m, patch_max: 0s}": "2:32: times.patch_max: found 10m, expected at least what is expected, 11m",
		"times: {patch: 0s, patch_max: 1m}":  "2:31: times.patch_max: found 1m, expected at least what is expected, 3m",
	} {
		t.Run(src, func(t *testing.T) {
			_, mistakes := ParsePolicy("f", []byte("evenkeel: policy/v1\n"+src+"\n"))
			compare(t, mistakes, want)
		})
	}
}

// TestTimesOf: the first rule that matches a host gives its reboots, and all else is the policy's. 20 minutes with a 95th
// percentile of 40 is 53 m 18 s at the 99th, and 73 m 34 s at 99.9 %.
func TestTimesOf(t *testing.T) {
	const m = Duration(time.Minute)
	p := DefaultPolicy()
	p.TimesFor = []TimesRule{
		{Hypervisor: "xen", Sites: []string{"n1"}, Models: []string{"big"}, Reboot: Spread{20 * m, 40 * m}},
		{Hosts: []string{"h7"}, Reboot: Spread{7 * m, 7 * m}},
		{Models: []string{"big", "old"}, Reboot: Spread{8 * m, 9 * m}},
	}
	for _, c := range []struct {
		host               fleet.Host
		site               string
		reboot, most, wait string
	}{
		{fleet.Host{ID: "h1", Hypervisor: fleet.Xen, Model: "big"}, "n1", "20m", "3199s", "4414s"},
		{fleet.Host{ID: "h1", Hypervisor: fleet.Xen, Model: "big"}, "n2", "8m", "568s", "599s"},
		{fleet.Host{ID: "h1", Hypervisor: fleet.KVM, Model: "big"}, "n1", "8m", "568s", "599s"},
		{fleet.Host{ID: "h7", Hypervisor: fleet.KVM, Model: "old"}, "n1", "7m", "7m", "7m"},
		{fleet.Host{ID: "h1", Hypervisor: fleet.KVM}, "n1", "5m", "20m", "20m"},
	} {
		times := p.TimesOf(&c.host, c.site)
		if wait := Duration(p.WaitFor(&c.host, c.site)); times.Reboot.String() != c.reboot || times.RebootMax.String() != c.most || wait.String() != c.wait {
			t.Errorf("%s, %s, %q at %s: %s, %s at most, waited for %s; want %s, %s and %s", c.host.ID, c.host.Hypervisor, c.host.Model, c.site, times.Reboot, times.RebootMax, wait, c.reboot, c.most, c.wait)
		}
		if times.Reboot, times.RebootMax = p.Times.Reboot, p.Times.RebootMax; times != p.Times {
			t.Errorf("other times changed: %+v", times)
		}
	}
}

func TestRulesOfTimes(t *testing.T) {
	for src, want := range map[string]string{
		"times_for: [{models: [a], reboot: {median: 20m, p95: 40m}}]":     "",
		"times_for: [{reboot: {median: 20m, p95: 20m}}]":                  "",
		"times_for: [{reboot: {median: 20m, p95: 19m}}]":                  "2:41: times_for[0].reboot.p95: found 19m, expected at least the median, 20m",
		"times_for: [{reboot: {median: 20m, p95: 8d}}]":                   "2:41: times_for[0].reboot.p95: found 8d, expected at most 7d",
		"times_for: [{models: [a, a], reboot: {median: 1m, p95: 2m}}]":    `2:26: times_for[0].models[1]: found "a" a second time, expected each name once`,
		"times_for: [{hosts: [a]}]":                                       "2:13: times_for[0].reboot: found nothing, expected reboot (a mapping)",
		"times_for: [{reboot: {median: 1m}}]":                             "2:22: times_for[0].reboot.p95: found nothing, expected p95 (a duration such as 90s, 10m, 2h or 7d above 0)",
		"times_for: [{hypervisor: bhyve, reboot: {median: 1m, p95: 2m}}]": `2:26: times_for[0].hypervisor: found "bhyve", expected one of kvm, xen`,
	} {
		t.Run(src, func(t *testing.T) {
			_, mistakes := ParsePolicy("f", []byte("evenkeel: policy/v1\n"+src+"\n"))
			compare(t, mistakes, want)
		})
	}
}
