package plan

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestThenAndReplaceMistakes(t *testing.T) {
	const sum = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for _, c := range []struct{ name, src, want string }{
		{"sound", `evenkeel: target/v1
id: t
fixes: [XSA-1, XSA-2]
cohorts:
  - remedy: live-patch
    then: reboot
    tactics: [live-patch, suspend]
    packages: {xen-hypervisor-4.17-amd64: 4.17.7-1}
    live_patches:
      - {name: a, component: xen, build_id: aa, file: a.livepatch, sha256: ` + sum + `, replace: true}
      - {name: b, component: xen, build_id: aa, file: b.livepatch, sha256: ` + sum + `}
      - {name: c, component: xen, build_id: bb, file: c.livepatch, sha256: ` + sum + `, replace: true}
`, ""},
		{"another remedy", `evenkeel: target/v1
id: t
cohorts:
  - {then: reboot, packages: {xen: 4.17.7-1}}
  - {then: reboot, packages: {xen: 4.17.7-1}, remedy: refresh}
`, `4:12: cohorts[0].then: found reboot where the remedy is "reboot", expected then only where the remedy is live-patch: the reboot follows the live patch
5:12: cohorts[1].then: found reboot where the remedy is "refresh", expected then only where the remedy is live-patch: the reboot follows the live patch`},
		{"nothing to boot into, and no way there", `evenkeel: target/v1
id: t
fixes: [XSA-1]
cohorts:
  - remedy: live-patch
    then: reboot
    tactics: [live-patch, hold]
    live_patches: [{name: a, component: xen}]
`, `6:11: cohorts[0].then: found reboot in a cohort without packages, expected packages: the versions that the reboot brings, and by which it is known to be done
7:14: cohorts[0].tactics: found live-patch, hold, expected one of evacuate, suspend and reboot among them, since then: reboot follows the live patch`},
		{"another word", `evenkeel: target/v1
id: t
fixes: [XSA-1]
cohorts: [{remedy: live-patch, then: refresh, packages: {xen: 4.17.7-1}}]
`, `4:38: cohorts[0].then: found "refresh", expected reboot`},
		{"what is replaced at once", `evenkeel: target/v1
id: t
fixes: [XSA-1]
cohorts:
  - live_patches:
      - {name: a, component: xen, build_id: aa, file: a.livepatch, sha256: ` + sum + `}
      - {name: b, component: xen, build_id: AA, file: b.livepatch, sha256: ` + sum + `, replace: true}
      - {name: c, component: xen, file: c.livepatch, sha256: ` + sum + `, replace: true}
      - {name: d, component: linux, replace: true}
      - {name: e, component: xen, build_id: ee, file: e.livepatch}
`, `7:151: cohorts[0].live_patches[1].replace: found replace after "a" for the same build, expected replace in the first of the patches for a build: it would take away those before it
8:137: cohorts[0].live_patches[2].replace: found replace after "a" for the same build, expected replace in the first of the patches for a build: it would take away those before it
9:9: cohorts[0].live_patches[3]: found a live patch that the update command brings beside one with a file, which nobody would upload then, expected component xen and a file in each live patch of the cohort, or no file in any: the update command brings them all then
9:46: cohorts[0].live_patches[3].replace: found replace in a patch that the update command brings, expected replace only with component xen and a file: only then is it told how to apply it
10:55: cohorts[0].live_patches[4].file: found a file without sha256, expected sha256: of its bytes, without which nobody approved what would be uploaded`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, mistakes := ParseTarget("f", []byte(c.src))
			compare(t, mistakes, c.want)
		})
	}
}

// TestUnpatched: the patches that bind to a build fix all of a target only together, and one that names
// nothing fixes everything.
func TestUnpatched(t *testing.T) {
	tg := Target{Fixes: []string{"XSA-1", "XSA-2"}}
	c := Cohort{LivePatches: []WantedPatch{
		{Name: "a1", BuildID: "aa", Fixes: []string{"XSA-1"}}, {Name: "a2", BuildID: "aa", Fixes: []string{"XSA-2"}},
		{Name: "b1", BuildID: "bb", Fixes: []string{"XSA-1"}}, {Name: "c", BuildID: "cc"}}}
	for build, want := range map[string]struct {
		left    []string
		patched bool
	}{"aa": {nil, true}, "AA": {nil, true}, "bb": {[]string{"XSA-2"}, true}, "cc": {nil, true}, "dd": {tg.Fixes, false}, "": {tg.Fixes, false}} {
		if left, patched := tg.Unpatched(&c, build); !slices.Equal(left, want.left) || patched != want.patched {
			t.Errorf("build %q: %v %v, want %v", build, left, patched, want)
		}
	}
	if len(tg.Fixes) != 2 || !c.ByBuild() || (&Cohort{LivePatches: []WantedPatch{{Name: "x"}}}).ByBuild() {
		t.Errorf("fixes %v, by build %v", tg.Fixes, c.ByBuild())
	}
}

// TestTableOfMixedTactics: a person sees who is live-patched now, who reboots later, and who gets another
// tactic, and why; and nothing of that where nobody is live-patched.
func TestTableOfMixedTactics(t *testing.T) {
	at := func(day, hour int) time.Time { return time.Date(2026, 3, day, hour, 0, 0, 0, time.UTC) }
	turn := func(id, host string, wave int, tactic Tactic, start time.Time, deferred bool, why string) Turn {
		return Turn{ID: id, Host: host, Site: "s", Wave: wave, Tactic: tactic, Start: start, End: start.Add(time.Minute), WorstS: 1800, Deferred: deferred, Why: why, Canary: host == "a"}
	}
	p := Plan{Campaign: "c", Revision: 1, Counts: Counts{Hosts: 5}, Turns: []Turn{
		turn(PatchTurn("a"), "a", 1, LivePatch, at(1, 1), false, ""), turn(PatchTurn("b"), "b", 2, LivePatch, at(1, 2), false, ""),
		turn("d", "d", 3, Evacuate, at(2, 1), false, "no-live-patch: none of cohort x is for its build dd; nothing runs on it"),
		turn("e", "e", 3, Suspend, at(2, 1), false, "no-live-patch: none of cohort x is for its build dd; 0 move, 1 stay: v (pinned)"),
		turn("f", "f", 3, Suspend, at(2, 1), false, "no-live-patch: its driver does not offer live patches; nothing runs on it"),
		turn("a", "a", 4, Evacuate, at(8, 1), true, ""), turn("b", "b", 5, Reboot, at(8, 2), true, ""),
	}, Blocked: []Blocked{{Host: "f", Code: "x"}, {Host: "g", Code: "x"}, {Host: "g", Code: "y"}}}
	write := func(most int) string {
		var b strings.Builder
		if err := Table(&b, p, TableOptions{Most: most}); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	text := write(0)
	for _, want := range []string{
		"hosts      5 with a turn, 1 blocked, 0 skipped\n           1 of them with a live patch alone: the reboot that is to follow is blocked\n",
		"now        live patch on 2 hosts, Sun 2026-03-01 01:00 UTC to 02:30 at worst: nobody feels it\n",
		"later      reboot of 2 hosts, Sun 2026-03-08 01:00 UTC to 02:30 at worst: deferred, each told from the start (evacuate 1, reboot 1)\n",
		"instead    another tactic on 3 hosts (evacuate 1, suspend 2)\n  no-live-patch: none of cohort x is for its build dd: d, e\n  no-live-patch: its driver does not offer live patches: f\n",
		"  a  evacuate  0 moves, 0 stops, 1m0s expected  deferred  canary\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in:\n%s", want, text)
		}
	}
	if text := write(1); !strings.Contains(text, "build dd: d and 1 more host\n") {
		t.Errorf("with one host at most:\n%s", text)
	}
	p.Turns = p.Turns[5:]
	for i := range p.Turns {
		p.Turns[i].Deferred = false
	}
	if text := write(0); strings.Contains(text, "now  ") || strings.Contains(text, "later  ") || strings.Contains(text, "instead  ") {
		t.Errorf("nobody is live-patched in:\n%s", text)
	}
}
