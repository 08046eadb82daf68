package plan

import (
	"testing"
	"time"
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
