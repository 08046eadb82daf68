package witness

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// earlier is what a console held before the campaign began.
const earlier = "livepatch: good finished APPLY with rc=0\n"

// xenDir is a lab's folder after a campaign that began at 1000: both hosts patched, then rebooted.
func xenDir(t *testing.T, change map[string]string) *Lab {
	t.Helper()
	dir := t.TempDir()
	files := map[string]string{"lab.json": `{"tick_ms":500,"xen_fixed":"4.17.7+13","hosts":[{"name":"h1"},{"name":"h2"}]}`}
	for _, h := range []string{"h1", "h2"} {
		files[h+"/boots"] = fmt.Sprintf("{\"host\":%q,\"unix_ms\":500,\"xen\":\"4.17.5+72\"}\n{\"host\":%q,\"unix_ms\":2000,\"xen\":\"4.17.7+13\"}\n", h, h)
		files[h+"/console.old"] = earlier + "(XEN) [  301.78] livepatch: good: Applying 1 functions\n(XEN) [  301.79] livepatch: good finished APPLY with rc=0\n"
	}
	for name, text := range change {
		files[name] = text
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	l, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestJudgeXen(t *testing.T) {
	pause := func(ms int64) Gap {
		return Gap{From: stamp(at("10:00:00")), To: stamp(at("10:02:00")), MS: ms}
	}
	whole := func() []GuestSummary {
		return []GuestSummary{{Guest: "g1", Ticks: 50, Outages: []Gap{pause(120000), pause(6000)}, Hosts: []string{"h1"}}, {Guest: "g2", Ticks: 50, Moves: []Gap{pause(800)}, Hosts: []string{"h1", "h2"}}}
	}
	twice := "livepatch: good finished APPLY with rc=0\nlivepatch: good finished APPLY with rc=0\n"
	for _, c := range []struct {
		name   string
		files  map[string]string
		guests func(g []GuestSummary) []GuestSummary
		mails  []Mail
		fixed  int
		wrong  string
	}{
		{name: "as it should be", fixed: 2},
		{name: "an old hypervisor was booted", files: map[string]string{"h2/boots": `{"unix_ms":2000,"xen":"4.17.5+72"}`}, fixed: 1, wrong: " "},
		{name: "booted twice", files: map[string]string{"h2/boots": "{\"unix_ms\":2000,\"xen\":\"4.17.7+13\"}\n{\"unix_ms\":3000,\"xen\":\"4.17.7+13\"}"}, fixed: 1, wrong: "h2 booted 2 times"},
		{name: "never rebooted", files: map[string]string{"h2/boots": `{"unix_ms":900,"xen":"4.17.7+13"}`}, fixed: 1, wrong: " "},
		{name: "patched twice", files: map[string]string{"h1/console.old": earlier + twice}, fixed: 1, wrong: "applied good 2 times"},
		{name: "not patched", files: map[string]string{"h1/console.old": earlier + "livepatch: good finished APPLY with rc=-22\n"}, fixed: 1, wrong: "applied good 0 times"},
		{name: "saved twice", fixed: 2, wrong: "g1 was interrupted 2 times",
			guests: func(g []GuestSummary) []GuestSummary { g[0].Outages[1].MS = 40000; return g }},
		{name: "moved thrice between two hosts", fixed: 2, wrong: "g2 was moved 3 times",
			guests: func(g []GuestSummary) []GuestSummary {
				g[1].Moves = append(g[1].Moves, pause(900), pause(900))
				return g
			}},
		{name: "booted anew", fixed: 2, wrong: "1 restarts", guests: func(g []GuestSummary) []GuestSummary { g[1].Restarts = 1; return g }},
		{name: "never seen", fixed: 2, wrong: "never seen", guests: func(g []GuestSummary) []GuestSummary { return g[:1] }},
		{name: "nobody was told", fixed: 2, wrong: "before any scheduled notice", mails: []Mail{{}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.guests == nil {
				c.guests = func(g []GuestSummary) []GuestSummary { return g }
			}
			if c.mails == nil {
				c.mails = []Mail{scheduled("09:00:00", "ops@acme.example", "g1", "g2")}
			}
			f := &fleet.Fleet{Instances: []fleet.Instance{{ID: "g1", Tenant: "acme"}, {ID: "g2", Tenant: "acme"}}}
			v, err := JudgeXen(xenDir(t, c.files), XenRun{Fleet: f, Mark: &XenMark{UnixMS: 1000, Console: map[string]int64{"h1": int64(len(earlier)), "h2": int64(len(earlier))}}, Boots: 1, Patch: "good"}, &Summary{Guests: c.guests(whole())}, c.mails)
			if err != nil {
				t.Fatal(err)
			}
			if v.HostsFixed != c.fixed || v.HostsTotal != 2 {
				t.Errorf("%d of %d hosts fixed, want %d of 2", v.HostsFixed, v.HostsTotal, c.fixed)
			}
			got := strings.Join(v.Violations, "\n")
			if c.wrong != " " && !strings.Contains(got, c.wrong) || c.wrong == "" && got != "" || v.OK() != (c.wrong == "") {
				t.Errorf("violations %q, want %q; all well: %v", got, c.wrong, v.OK())
			}
		})
	}
}
