package xen

import (
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// What xl printed on real hosts, shortened.
func TestReadOutcome(t *testing.T) {
	for name, c := range map[string]struct {
		out, code, line string
		retry           bool
	}{
		"PV without shadow": {`migration target: Ready to receive domain.
xc: error: Failed to enable logdirty: 95,22,0 (22 = Invalid argument): Internal error
libxl: error: libxl_stream_write.c:347:libxl__xc_domain_save_done: Domain 1:saving domain: domain did not respond to suspend request: Invalid argument
migration target: Domain creation failed (code -3).
Migration failed, failed to suspend at sender.`, driver.CodeCannotMove, "logdirty: 95", false},
		"destination died in mid-copy": {`libxl: error: libxl_utils.c:505:libxl_read_exactly: file/stream truncated reading ipc msg header from domain 1 save/restore helper stdout pipe
libxl: info: libxl_exec.c:117:libxl_report_child_exitstatus: migration transport process [188] exited with error status 255
Migration failed, resuming at sender.
xc: error: Dom 1 not suspended: (shutdown 0, reason 255): Internal error
libxl: error: libxl_dom_suspend.c:666:domain_resume_done: Domain 1:xc_domain_resume failed: Invalid argument`, driver.CodeFailed, "resuming at sender", true},
		"lost handshake": {`migration sender: Giving target permission to start.
** Migration failed during final handshake **
Please CHECK AT BOTH ENDS for running instances, before renaming and`, driver.CodeFailed, "CHECK AT BOTH ENDS", true},
		"failed save":     {"Saving to /s/g1.save.part new xl format (info 0x3/0x0/843)\nFailed to save domain, resuming domain", driver.CodeFailed, "resuming domain", true},
		"unknown host":    {"Host key verification failed.\nlibxl: error: x: file/stream truncated reading banner from migration receiver stream", driver.CodeHostKey, "Host key", false},
		"no way there":    {"ssh: connect to host 192.0.2.2 port 22: No route to host\n", driver.CodeUnreachable, "No route", true},
		"not let in":      {"root@192.0.2.2: Permission denied (publickey).\n", driver.CodeRefused, "Permission denied", false},
		"disk full":       {"xc: error: Failed to write data: 28 = No space left on device: Internal error\nFailed to save domain, resuming domain", driver.CodeNoRoom, "No space left", true},
		"something else":  {"xc: info: Saving domain 1, type x86 PV\nlibxl: error: something never seen\n", driver.CodeFailed, "never seen", true},
		"nothing":         {"", driver.CodeFailed, "", true},
		"harmless ending": {"odd\nlibxl: error: xc_domain_resume failed: No space left on device\n", driver.CodeFailed, "odd", true},
	} {
		s := readOutcome(c.out)
		if s.code != c.code || s.retry != c.retry || !strings.Contains(s.line, c.line) || s.next == "" {
			t.Errorf("%s: %+v", name, s)
		}
	}
}

func FuzzReadOutcome(f *testing.F) {
	f.Add("Migration failed, resuming at sender.\n")
	f.Fuzz(func(t *testing.T, out string) {
		if s := readOutcome(out); s.code == "" || s.next == "" {
			t.Errorf("%q: %+v", out, s)
		}
	})
}
