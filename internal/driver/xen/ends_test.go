package xen

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/driver"
)

const listed = `Name                                        ID   Mem VCPUs	State	Time(s)   UUID                            Reason-Code	Security Label
Domain-0                                     0   512     1     r-----     218.8 00000000-0000-0000-0000-000000000000        -                -
a guest                                      1   128     1     -b----      17.9 11111111-1111-4111-8111-111111111111        -                -
web--migratedaway                           12   128     1     ---ss-       0.1 22222222-2222-4222-8222-222222222222        2                -
`

func TestParseEndList(t *testing.T) {
	all, err := parseEndList(listed)
	if err != nil || len(all) != 3 {
		t.Fatalf("%+v, %v", all, err)
	}
	if all[1].name != "a guest" || all[1].memMiB != 128 || all[2].id != 12 || !all[2].suspended() || all[2].where() != driver.IsPaused {
		t.Errorf("%+v", all)
	}
	for _, bad := range []string{"", "xenstored is not running\n", strings.Replace(listed, "-b----", "-b-", 1), listed + "web 3 128\n", strings.Replace(listed, "1111-4111", "111", 1)} {
		if all, err := parseEndList(bad); err == nil {
			t.Errorf("%q passes for %+v", bad, all)
		}
	}
}

func FuzzParseEndList(f *testing.F) {
	f.Add(listed)
	f.Fuzz(func(t *testing.T, s string) {
		all, err := parseEndList(s)
		if err != nil && all != nil {
			t.Error("an error and domains")
		}
		for _, d := range all {
			_, _ = d.where(), d.suspended()
		}
	})
}

func FuzzParseEnd(f *testing.F) {
	f.Add("@evenkeel job 0\n@evenkeel list 0\n" + listed + "@evenkeel config 0\n@evenkeel files 0\nsave 12\n@evenkeel migrations 0\n0\n@evenkeel end 0\n")
	f.Fuzz(func(t *testing.T, s string) {
		if e, err := parseEnd("web", s); err == nil && (!e.reached || e.where() == driver.IsUnreachable) {
			t.Errorf("%+v was read, and is not reached", e)
		}
	})
}

func FuzzParseJob(f *testing.F) {
	f.Add("@evenkeel job 0\nstate running\nact save\nsent 12\n@evenkeel out 0\nxc: info: Saving domain 1, type x86 PV\n@evenkeel end 0\n")
	f.Fuzz(func(t *testing.T, s string) { _, _ = parseJob(s) })
}

func dom(state string) *endDomain {
	return &endDomain{id: 1, state: state, uuid: "22222222-2222-4222-8222-222222222222"}
}

var (
	nowhere  = end{reached: true}
	unread   = end{}
	running  = end{reached: true, home: dom("-b----")}
	paused   = end{reached: true, home: dom("--p---")}
	defined  = end{reached: true, config: "/etc/xen/web.cfg"}
	arriving = end{reached: true, incoming: dom("--p---")}
	away     = end{reached: true, away: dom("---ss-")}
	leaving  = end{reached: true, home: dom("r-----"), job: "migrate h2"}
)

func TestJudge(t *testing.T) {
	busy := running
	busy.migrations = 1
	for name, c := range map[string]struct {
		src, dst end
		want     verdict
	}{
		"before":                          {running, nowhere, stayed},
		"before, configured there":        {running, defined, stayed},
		"under way":                       {leaving, arriving, unsettled},
		"under way, nothing there yet":    {leaving, nowhere, unsettled},
		"done":                            {nowhere, running, moved},
		"done, configured here":           {defined, running, moved},
		"dead half here":                  {away, running, leftover},
		"half there, sender gone":         {running, arriving, orphan},
		"half there, somebody's sender":   {busy, arriving, unsettled},
		"handshake lost":                  {away, arriving, frozen},
		"both run":                        {running, running, split},
		"source silent":                   {unread, running, unsettled},
		"destination silent":              {running, unread, unsettled},
		"gone":                            {nowhere, nowhere, lostBoth},
		"off":                             {defined, nowhere, lostBoth},
		"paused":                          {paused, nowhere, unsettled},
		"suspended for the last round":    {end{reached: true, home: dom("---ss-"), job: "migrate h2"}, arriving, unsettled},
		"about to run there":              {away, paused, unsettled},
		"suspended here, nothing there":   {away, nowhere, unsettled},
		"half of it, and it runs as well": {end{reached: true, home: dom("r-----"), away: dom("---ss-")}, running, split},
	} {
		if got := judge(c.src, c.dst); got != c.want {
			t.Errorf("%s: verdict %d, expected %d", name, got, c.want)
		}
	}
}

func anyEnd(t *rapid.T, name string) end {
	if rapid.IntRange(0, 5).Draw(t, name) == 0 {
		return unread
	}
	e := end{reached: true, migrations: rapid.IntRange(0, 1).Draw(t, name+" migrations"), job: rapid.SampledFrom([]string{"", "", "migrate h2", "save"}).Draw(t, name+" job")}
	for _, at := range []**endDomain{&e.home, &e.incoming, &e.away} {
		if rapid.Bool().Draw(t, name+" there") {
			*at = dom(rapid.SampledFrom([]string{"r-----", "-b----", "------", "--p---", "---ss-", "---s--", "---sc-", "---sr-", "-----d"}).Draw(t, name+" state"))
		}
	}
	return e
}

// TestJudgeIsCareful holds, for whatever two ends may say, what must never be concluded.
func TestJudgeIsCareful(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		src, dst := anyEnd(t, "src"), anyEnd(t, "dst")
		v, ends := judge(src, dst), inWords(src, dst)
		switch {
		case (!src.reached || !dst.reached || src.job != "" || dst.job != "") && v != unsettled:
			t.Fatalf("%+v: verdict %d though an end was not read, or an act is under way", ends, v)
		case v == stayed && !ends.Stayed(), v == moved && !ends.Moved():
			t.Fatalf("%+v: verdict %d", ends, v)
		case ends.Source == driver.IsRunning && ends.Destination == driver.IsRunning && v != split && v != unsettled:
			t.Fatalf("both run, verdict %d", v)
		case v == leftover && (ends.Source == driver.IsRunning || src.away == nil):
			t.Fatalf("%+v: a half that may run is called dead", ends)
		case v != unsettled && src.migrations+dst.migrations > 0:
			t.Fatalf("%+v: verdict %d while somebody migrates it", ends, v)
		case v == orphan && (ends.Destination != driver.IsPaused || dst.home != nil):
			t.Fatalf("%+v: a half that may run is called dead", ends)
		}
	})
}

func TestOpening(t *testing.T) {
	r := driver.MigrateRequest{Instance: "web", From: driver.Host{ID: "h1"}, To: driver.Host{ID: "h2"}}
	stranger := end{reached: true, home: &endDomain{id: 2, state: "r-----", uuid: "another"}}
	down := end{err: &driver.Error{Code: driver.CodeUnreachable, Why: "down"}}
	for name, c := range map[string]struct {
		src, dst end
		want     first
		code     string
	}{
		"fresh":                 {running, nowhere, start, ""},
		"joined":                {leaving, arriving, start, ""},
		"somebody else's":       {end{reached: true, home: dom("r-----"), migrations: 1}, nowhere, refused, driver.CodeRefused},
		"a dead half there":     {running, arriving, start, ""},
		"there already":         {nowhere, running, already, ""},
		"there, dead half here": {away, running, already, ""},
		"to another host":       {end{reached: true, home: dom("r-----"), job: "migrate h3"}, nowhere, refused, driver.CodeRefused},
		"being saved":           {end{reached: true, home: dom("r-----"), job: "save"}, nowhere, refused, driver.CodeRefused},
		"source down":           {down, nowhere, refused, driver.CodeUnreachable},
		"destination down":      {running, down, refused, driver.CodeUnreachable},
		"namesake":              {running, stranger, refused, driver.CodeRefused},
		"both":                  {running, running, refused, driver.CodeSplit},
		"nowhere":               {nowhere, nowhere, refused, driver.CodeNotFound},
		"off":                   {defined, nowhere, refused, driver.CodeRefused},
		"paused":                {paused, nowhere, refused, driver.CodeRefused},
		"handshake lost":        {away, arriving, refused, driver.CodeFailed},
	} {
		got, err := opening(r, c.src, c.dst, judge(c.src, c.dst), "migrate h2")
		if got != c.want || code(err) != c.code {
			t.Errorf("%s: %d, %v; expected %d, %q", name, got, err, c.want, c.code)
		}
	}
}
