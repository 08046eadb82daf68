package plan

import (
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/form"
	"github.com/evenkeel/evenkeel/internal/version"
)

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0s": 0, "90s": 90 * time.Second, "10m": 10 * time.Minute, "2h": 2 * time.Hour, "7d": 7 * 24 * time.Hour,
		"500ms": 500 * time.Millisecond, "1h30m": 90 * time.Minute, "1d2h3m4s5ms": 26*time.Hour + 3*time.Minute + 4*time.Second + 5*time.Millisecond,
		"106751d": 106751 * 24 * time.Hour,
	} {
		got, err := ParseDuration(text)
		if err != nil || got.Std() != want {
			t.Errorf("%s: got %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "5", "s", "-5s", "+5s", "1.5h", "5 s", "5S", "5w", "1m1h", "1h1h", "1h30", "106752d", "9223372036855s", "9223372036854775808ms", "１s", "1e3s", "1µs"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("%q was read as %v", text, got)
		}
	}
}

func TestDurationRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second, time.Minute, time.Hour, 24 * time.Hour}).Draw(t, "unit")
		d := Duration(time.Duration(rapid.Int64Range(0, 100_000).Draw(t, "n")) * unit)
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		var again Duration
		if err := json.Unmarshal(text, &again); err != nil || again != d {
			t.Fatalf("%d as %s came back as %d, %v", d, text, again, err)
		}
	})
	var d Duration
	if err := json.Unmarshal([]byte("90"), &d); err == nil {
		t.Error("a bare number was read as a duration")
	}
}

func compare(t *testing.T, mistakes form.Mistakes, want string) {
	t.Helper()
	var got []string
	for _, m := range mistakes {
		got = append(got, strings.TrimPrefix(m.String(), "f:"))
	}
	if g := strings.Join(got, "\n"); g != want {
		t.Errorf("got:\n%s\nwant:\n%s", g, want)
	}
}

func TestTargetMistakes(t *testing.T) {
	orderly := strings.Join(slices.DeleteFunc(version.Known(), func(name string) bool { return name == "build-id" }), ", ")
	for _, c := range []struct{ name, src, want string }{
		{"sound, only fixes", "evenkeel: target/v1\nid: t\nfixes: [XSA-123]\n", ""},
		{"sound, only cohorts", "evenkeel: target/v1\nid: t\ncohorts: [{packages: {qemu: \"1:7.2\"}}]\n", ""},
		{"of another form", "evenkeel: plan/v1\nid: t\nfixes: [a]\n", `1:11: evenkeel: found "plan/v1", expected target/v1`},
		{"nothing to reach", "evenkeel: target/v1\nid: t\n", "1:1: found a target with neither fixes nor cohorts, expected fixes, cohorts or both: what shall be reached"},
		{"nothing to reach in a cohort", "evenkeel: target/v1\nid: t\ncohorts: [{name: x}]\n", "3:11: cohorts[0]: found a cohort without packages in a target without fixes, expected packages: what shall be reached"},
		{"secret told", "evenkeel: target/v1\nid: t\npublic: Fix for cve 2025 11234\nfixes: [CVE-2025-11234, CVE-2025-11234]\n", `3:9: public: found "Fix for cve 2025 11234", expected words without the id CVE-2025-11234 (fixes[0]): tenants read them before disclosure
4:25: fixes[1]: found "CVE-2025-11234" a second time, expected each advisory once`},
		{"disclosure without a zone", "evenkeel: target/v1\nid: t\nfixes: [a]\ndisclosure: 2026-03-01T12:00:00\nembargo_deploy: maybe\n", `4:13: disclosure: found "2026-03-01T12:00:00", expected a time with its zone, such as 2026-03-01T02:00:00Z
5:17: embargo_deploy: found "maybe", expected one of yes, mitigations, no`},
		{"disclosure too far", "evenkeel: target/v1\nid: t\nfixes: [a]\ndisclosure: 9999-12-31T23:00:00Z\n", `4:13: disclosure: found "9999-12-31T23:00:00Z", expected a time before the year 3000`},
		{"remedy and tactics", "evenkeel: target/v1\nid: t\nfixes: [a]\ncohorts: [{remedy: live-patch, tactics: [evacuate, reboot]}]\n", "4:41: cohorts[0].tactics: found evacuate, reboot, expected live-patch among them, since the remedy is live-patch"},
		{"build ids have no order", "evenkeel: target/v1\nid: t\ncohorts: [{ecosystem: build-id, packages: {xen: 4ab1}}]\n", `3:23: cohorts[0].ecosystem: found "build-id", expected an ecosystem whose versions have an order, with or without a release such as Debian:12: ` + orderly},
		{"RPM version", "evenkeel: target/v1\nid: t\ncohorts: [{ecosystem: XenServer:8, packages: {xen: \"4-1-\"}}]\n", `3:52: cohorts[0].packages.xen: found "4-1-", expected an RPM version such as 4.17.5-1.2.xs8`},
		{"version", "evenkeel: target/v1\nid: t\ncohorts: [{packages: {qemu: \"7.2-\"}}]\n", `3:29: cohorts[0].packages.qemu: found "7.2-", expected a Debian version such as 1:7.2+dfsg-7+deb12u18`},
		{"cohort", `evenkeel: target/v1
id: t
cohorts:
  - packages: {qemu: 7.2, xen: "4:", kvm: "a b"}
    ecosystem: Homebrew
    tactics: [evacuate, evacuate, restart]
    remedy: live-patch
    match: {hypervisor: hyper-v, host: [x]}
    update: {command: [""], hooks: /hooks, sha256: abc}
`, `4:22: cohorts[0].packages.qemu: found 7.2 without quotes, expected a version such as 1:7.2+dfsg-7+deb12u18 or 17:7.2.0-14.el9_2.11, in quotes: "7.2"
4:32: cohorts[0].packages.xen: found "4:", expected a version such as 1:7.2+dfsg-7+deb12u18 or 17:7.2.0-14.el9_2.11
4:43: cohorts[0].packages.kvm: found "a b", expected a version such as 1:7.2+dfsg-7+deb12u18 or 17:7.2.0-14.el9_2.11
5:16: cohorts[0].ecosystem: found "Homebrew", expected an ecosystem whose versions have an order, with or without a release such as Debian:12: ` + orderly + `
6:25: cohorts[0].tactics[1]: found "evacuate" a second time, expected each tactic once
6:35: cohorts[0].tactics[2]: found "restart", expected one of live-patch, refresh, evacuate, suspend, reboot, hold
8:25: cohorts[0].match.hypervisor: found "hyper-v", expected one of kvm, xen
8:34: cohorts[0].match.host: found the unknown key "host", expected hosts
9:13: cohorts[0].update: found a command and hooks, expected one of them
9:24: cohorts[0].update.command[0]: found an empty text, expected the name of a command
9:52: cohorts[0].update.sha256: found "abc", expected a SHA-256 sum of 64 hexadecimal digits`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, mistakes := ParseTarget("f", []byte(c.src))
			compare(t, mistakes, c.want)
		})
	}
}

func TestPolicyMistakes(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"sound", "evenkeel: policy/v1\n", ""},
		{"sound, always open", "evenkeel: policy/v1\nwindows: [{always: true}]\n", ""},
		{"no form", "slot: 1h\n", "1:1: evenkeel: found nothing, expected evenkeel (policy/v1)"},
		{"nothing", "", "1:1: found an empty text, expected a mapping with keys among evenkeel, windows, freezes, slot, slot_by, lead, tactics, canary, soak, wave_growth, max_away_percent, away_per_rack, away_per_region, keep_reserve, stagger_sites, stagger_regions, stagger_racks, stagger_gap, moves_per_host, moves_per_pool, moves_per_rack, moves_per_region, moves_per_link, non_converging, blackout, undeliverable, bring_home, home, min_stay, failure_budget, migration_failures, stale_after, times, times_for, finish_by, after_disclosure, contact"},
		{"slot beyond the usual window", "evenkeel: policy/v1\nslot: 6h\n", "2:7: slot: found 6h, expected at most 2h, the length of the window that holds where none is named, or windows that are longer"},
		{"windows", `evenkeel: policy/v1
slot: 3h
windows:
  - {start: "24:00", length: 3h}
  - {start: "9:00", length: 2h}
  - {start: 1:30, length: 0s, days: [mon, monday, mon]}
  - {length: 8d, timezone: Local}
  - {always: true, start: "01:00", length: 3h}
`, `4:13: windows[0].start: found "24:00", expected a time of day from "00:00" to "23:59"
5:13: windows[1].start: found "9:00", expected a time of day from "00:00" to "23:59"
5:29: windows[1].length: found 2h, expected at least the length of a slot, 3h
6:13: windows[2].start: found "1:30", expected a time of day from "00:00" to "23:59"
6:27: windows[2].length: found "0s", expected a duration such as 90s, 10m, 2h or 7d above 0
6:43: windows[2].days[1]: found "monday", expected one of mon, tue, wed, thu, fri, sat, sun
6:51: windows[2].days[2]: found "mon" a second time, expected each day once
7:5: windows[3].start: found nothing, expected start (a time of day such as "02:00"), or always: true
7:14: windows[3].length: found 8d, expected at most 7d, after which the window comes again
7:28: windows[3].timezone: found "Local", expected an IANA time zone such as Europe/Zurich or UTC
8:27: windows[4].start: found start in a window that is always open, expected no start, or no always
8:44: windows[4].length: found length in a window that is always open, expected no length, or no always`},
		{"rules and freezes", `evenkeel: policy/v1
windows:
  - {start: "01:00", length: 3h, rrule: FREQ=HOURLY}
  - {start: "01:00", length: 3h, rrule: FREQ=DAILY, days: [mon]}
  - {start: "01:00", length: 3h, from: 2026-01-01}
  - {always: true, rrule: FREQ=DAILY}
  - {start: "01:00", length: 3h, rrule: FREQ=WEEKLY;BYDAY=MO, from: 2026-13-01}
freezes:
  - {from: "2026-11-27", to: "2026-12-01 00:00"}
  - {from: "2026-12-01 00:00", to: "2026-11-27 00:00"}
  - {to: "2026-02-30 00:00", timezone: Local}
`, `3:41: windows[0].rrule: found "FREQ=HOURLY", expected one of DAILY, WEEKLY, MONTHLY, YEARLY
4:41: windows[1].rrule: found rrule in a window that names days, expected days or rrule
5:40: windows[2].from: found from in a window without rrule, expected rrule with it
6:27: windows[3].rrule: found rrule in a window that is always open, expected no rrule, or no always
7:69: windows[4].from: found "2026-13-01", expected a date such as 2026-01-05
9:12: freezes[0].from: found "2026-11-27", expected a date and a time of day such as 2026-11-27 00:00
10:36: freezes[1].to: found a freeze that ends at 2026-11-27 00:00, expected an end after its beginning, 2026-12-01 00:00
11:5: freezes[2].from: found nothing, expected from (a date and a time of day such as 2026-11-27 00:00)
11:10: freezes[2].to: found "2026-02-30 00:00", expected a date and a time of day such as 2026-11-27 00:00
11:40: freezes[2].timezone: found "Local", expected an IANA time zone such as Europe/Zurich or UTC`},
		{"beyond limits", `evenkeel: policy/v1
lead: {blip: 106751d, outage: 3651d}
soak: 3650d
min_stay: 100000d
moves_per_host: 9223372036854775807
moves_per_pool: 1001
wave_growth: 1001
migration_failures: -1
`, `2:14: lead.blip: found 106751d, expected at most 3650d
2:31: lead.outage: found 3651d, expected at most 3650d
4:11: min_stay: found 100000d, expected at most 3650d
5:17: moves_per_host: found 9223372036854775807, expected at most 1000
6:17: moves_per_pool: found 1001, expected at most 1000
7:14: wave_growth: found 1001, expected a whole number from 0 to 1000
8:21: migration_failures: found -1, expected a whole number from 0 to 1000`},
		{"no bounds", "evenkeel: policy/v1\nwave_growth: 0\nmigration_failures: 0\n", ""},
		{"numbers and choices", `evenkeel: policy/v1
windows: []
tactics: []
max_away_percent: 101
moves_per_host: 0
non_converging: [hold, suspend]
undeliverable: ignore
soak: 30
failure_budget: 0
times: {reboot: 1h}
`, `2:10: windows: found no windows, expected at least one: without a window nothing can ever start
3:10: tactics: found no tactics, expected at least one: without a tactic no host can be served
4:19: max_away_percent: found 101, expected a whole number from 1 to 100
5:17: moves_per_host: found 0, expected a whole number above 0
6:18: non_converging[0]: found "hold" with more after it, expected hold as the last: a person decides then
7:16: undeliverable: found "ignore", expected one of hold, next-contact, override
8:7: soak: found 30, expected a duration such as 90s, 10m, 2h or 7d
9:17: failure_budget: found 0, expected a whole number above 0
10:8: times.reboot_max: found 20m, expected at least what is expected, 1h`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, mistakes := ParsePolicy("f", []byte(c.src))
			compare(t, mistakes, c.want)
		})
	}
}

func TestPolicyChangesOnlyWhatItNames(t *testing.T) {
	p, mistakes := ParsePolicy("f", []byte("evenkeel: policy/v1\nlead: {blip: 1h}\ncanary: false\ntimes: {save: 11s}\nwindows: [{always: true}]\n"))
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	want := DefaultPolicy()
	want.Lead.Blip, want.Canary, want.Times.Save = Duration(time.Hour), false, Duration(11*time.Second)
	want.Windows = []WindowRule{{Always: true}}
	if !reflect.DeepEqual(*p, want) {
		t.Errorf("got  %+v\nwant %+v", *p, want)
	}
}

func TestDefaultPolicyIsSound(t *testing.T) {
	p := DefaultPolicy()
	again, mistakes := ParsePolicy("f", form.Encode(p))
	if len(mistakes) > 0 || !reflect.DeepEqual(*again, p) {
		t.Errorf("%v\n%s", mistakes, form.Encode(p))
	}
}

func fuzzSeeds(f *testing.F, paths ...string) {
	for _, path := range paths {
		src, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
}

func FuzzParseTarget(f *testing.F) {
	fuzzSeeds(f, "../../examples/target.yaml", "../../schema/testdata/target-full.yaml")
	f.Fuzz(func(t *testing.T, src []byte) {
		target, mistakes := ParseTarget("f", src)
		if len(mistakes) > 0 {
			return
		}
		written := form.Encode(target)
		again, mistakes := ParseTarget("again", written)
		if len(mistakes) > 0 || !reflect.DeepEqual(target, again) {
			t.Fatalf("%v\n%s\n%+v\n%+v", mistakes, written, target, again)
		}
	})
}

func FuzzParsePolicy(f *testing.F) {
	fuzzSeeds(f, "../../examples/policy.yaml", "../../schema/testdata/policy-full.yaml")
	f.Fuzz(func(t *testing.T, src []byte) {
		policy, mistakes := ParsePolicy("f", src)
		if len(mistakes) > 0 {
			return
		}
		written := form.Encode(policy)
		again, mistakes := ParsePolicy("again", written)
		if len(mistakes) > 0 || !reflect.DeepEqual(policy, again) {
			t.Fatalf("%v\n%s\n%+v\n%+v", mistakes, written, policy, again)
		}
	})
}

func TestCohortsHaveNamesOfTheirOwn(t *testing.T) {
	const text = "evenkeel: target/v1\nid: t\nfixes: [X-1]\ncohorts:\n  - {name: a}\n  - {}\n  - {}\n  - {name: a}\n"
	_, mistakes := ParseTarget("t.yaml", []byte(text))
	if len(mistakes) != 1 || !strings.Contains(mistakes.Error(), `8:12: cohorts[3].name: found "a" a second time`) {
		t.Errorf("%v", mistakes)
	}
}
