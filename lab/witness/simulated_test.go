package witness

import (
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

const simLog = `{"at":"2026-03-01T10:00:00Z","kind":"boot","host":"h1","boot_id":"a","booted":{"q":"1"},"why":"beginning"}
{"at":"2026-03-01T10:00:00Z","kind":"runs","host":"h1","instance":"g1","why":"beginning"}
{"at":"2026-03-01T10:10:00Z","kind":"move-began","host":"h1","instance":"g1","to":"h2"}
{"at":"2026-03-01T10:10:01Z","kind":"ceases","host":"h1","instance":"g1","why":"leave"}
{"at":"2026-03-01T10:10:01Z","kind":"runs","host":"h2","instance":"g1","why":"arrive"}
{"at":"2026-03-01T10:11:00Z","kind":"update","host":"h1","installed":{"q":"2"}}
{"at":"2026-03-01T10:12:00Z","kind":"boot","host":"h1","boot_id":"b","booted":{"q":"2"}}
`

func TestJudgeSimulated(t *testing.T) {
	f := &fleet.Fleet{Hosts: []fleet.Host{{ID: "h1"}}, Instances: []fleet.Instance{{ID: "g1", Tenant: "acme"}}}
	// the world runs 10 times as fast: the move began one real minute after the beginning
	for _, c := range []struct{ name, log, mail, want string }{
		{"all well", simLog, "10:00:59", "hosts 1/1 rebooted and fixed, instances 1/1 running, notices 1/1 accepted, violations 0"},
		{"told late", simLog, "10:01:01", "hosts 1/1 rebooted and fixed, instances 1/1 running, notices 0/1 accepted, violations 1"},
		{"rebooted twice", simLog + strings.Replace(lastLine(simLog), `"b"`, `"c"`, 1), "10:00:59", "hosts 1/1 rebooted and fixed, instances 1/1 running, notices 1/1 accepted, violations 1"},
		{"runs twice", strings.Replace(simLog, lineWith(simLog, `"ceases"`), "", 1), "10:00:59", "hosts 1/1 rebooted and fixed, instances 0/1 running, notices 1/1 accepted, violations 1"},
		{"booted the old one", strings.Replace(simLog, `"boot_id":"b","booted":{"q":"2"}`, `"boot_id":"b","booted":{"q":"1"}`, 1), "10:00:59", "hosts 0/1 rebooted and fixed, instances 1/1 running, notices 1/1 accepted, violations 0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, err := JudgeSimulated(f, "log", []byte(c.log), 10, []Mail{scheduled(c.mail, "ops@acme.example", "g1")})
			if err != nil {
				t.Fatal(err)
			}
			if v.Line() != c.want {
				t.Errorf("got  %s %q\nwant %s", v.Line(), v.Violations, c.want)
			}
		})
	}
}

func lineWith(log, what string) string {
	for line := range strings.Lines(log) {
		if strings.Contains(line, what) {
			return line
		}
	}
	return ""
}

func lastLine(log string) string {
	last := ""
	for line := range strings.Lines(log) {
		last = line
	}
	return last
}
