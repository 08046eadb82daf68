package xen

import (
	"bytes"
	"compress/gzip"
	"encoding/hex"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// buildRunning is the build of Debian's Xen 4.17.5+72-g01140da4e8-1.
const buildRunning = "39a640e6f1412319235087391df9f1c5e13ae920"

// world is a dom0's root made up of files and of programs, in which observeScript is run: its paths
// begin there instead of at /.
type world struct {
	t    *testing.T
	root string
}

// newWorld is a Debian host that runs Xen 4.17.5 from its package, without any instance.
func newWorld(t *testing.T) world {
	t.Helper()
	w := world{t, t.TempDir()}
	for _, tool := range []string{"sh", "awk", "cat", "env", "getconf", "grep", "gzip", "head", "ls", "mktemp", "od", "rm", "sed", "sort", "stat", "tail", "tr"} {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Skip(err)
		}
		w.folder("/bin")
		if err := os.Symlink(path, w.root+"/bin/"+tool); err != nil {
			t.Fatal(err)
		}
	}
	const release = "6.1.0-41-amd64"
	w.program("uname", `[ "$*" = -rvm ] && echo '`+release+` #1 SMP PREEMPT_DYNAMIC Debian 6.1.158-1 (2025-11-09) x86_64'`)
	w.program("dpkg-query", `rc=0
for last; do case $last in linux-image-*) v=6.1.158-1;; xen-hypervisor-4.17-amd64) v=4.17.5+72-g01140da4e8-1;; qemu-system-xen) v=1:7.2+dfsg-7;; -*) continue;; *) rc=1; continue;; esac
echo "pkg $last installed $v"; done; exit $rc`)
	w.program("xl", `case $1 in info) cat "$world/info";; list) cat "$world/list$2";; esac; exit "$(cat "$world/exit-$1" 2>/dev/null || echo 0)"`)
	w.program("xen-livepatch", `cat "$world/patches"; exit "$(cat "$world/exit-patches" 2>/dev/null || echo 0)"`)
	w.put("/sys/hypervisor/type", "xen\n")
	w.put("/sys/kernel/mm", "")
	w.put("/sys/class/net/xenbr0/x", "")
	w.put("/sys/class/net/vif1.0/x", "")
	w.put("/proc/sys/kernel/random/boot_id", "fc98686c-5a11-41d6-9104-642e9f255ffb\n")
	w.put("/proc/cpuinfo", "vendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\n")
	w.put("/proc/cmdline", "console=hvc0 mitigations=off\n")
	w.put("/etc/os-release", "ID=debian\nVERSION_ID=\"12\"\n")
	w.put("/var/lib/dpkg/status", "x")
	w.put("/var/lib/dpkg/info/linux-image-"+release+".list", "/.\n/boot\n/boot/vmlinuz-"+release+"\n")
	w.put("/var/lib/dpkg/info/xen-hypervisor-4.17-amd64.list", "/.\n/boot\n"+w.root+"/boot/xen-4.17-amd64.gz\n")
	w.image("/boot/xen-4.17-amd64.gz", buildRunning)
	w.put("/world/info", sample(t, "info-4.17.5.txt"))
	w.put("/world/list-v", sample(t, "list-v-empty.txt"))
	w.put("/world/list-l", "[\n]\n")
	w.put("/world/patches", "Nothing to list\n")
	w.folder("/var/lib/xen/save")
	w.folder("/etc/xen/auto")
	return w
}

func (w world) folder(path string) {
	w.t.Helper()
	if err := os.MkdirAll(w.root+path, 0o755); err != nil {
		w.t.Fatal(err)
	}
}

func (w world) put(path, text string) {
	w.t.Helper()
	w.folder(filepath.Dir(path))
	// What is there may be a link to a tool of this very machine, which must not be written through.
	if err := os.Remove(w.root + path); err != nil && !errors.Is(err, os.ErrNotExist) {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(w.root+path, []byte(text), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

func (w world) program(name, body string) {
	w.t.Helper()
	w.put("/bin/"+name, "#!/bin/sh\nworld="+w.root+"/world\n"+body+"\n")
	if err := os.Chmod(w.root+"/bin/"+name, 0o755); err != nil {
		w.t.Fatal(err)
	}
}

// image writes a hypervisor with an ELF note of its build id somewhere in it.
func (w world) image(path, build string) {
	w.t.Helper()
	id, err := hex.DecodeString(build)
	if err != nil {
		w.t.Fatal(err)
	}
	note := append([]byte("\x04\x00\x00\x00\x14\x00\x00\x00\x03\x00\x00\x00GNU\x00"), id...)
	var file bytes.Buffer
	z := gzip.NewWriter(&file)
	z.Write(bytes.Join([][]byte{[]byte(strings.Repeat("GNU\n\x00", 1001)), note, bytes.Repeat([]byte{4, 0, 0}, 999)}, nil))
	if err := z.Close(); err != nil {
		w.t.Fatal(err)
	}
	w.put(path, file.String())
}

// ask runs the script there.
func (w world) ask(known string, more ...string) string {
	w.t.Helper()
	script := observeScript
	for _, top := range []string{"/proc/", "/sys/", "/etc/", "/usr/lib/", "/var/lib/", "/lib/", "/boot/"} {
		for _, before := range []string{" ", `"`, "=", "\n"} {
			script = strings.ReplaceAll(script, before+top, before+w.root+top)
		}
	}
	cmd := exec.Command("/bin/sh", "-c", script, "evenkeel", "", "0", w.root+"/var/lib/xen/save", w.root+"/etc/xen", w.root+"/etc/xen/auto")
	cmd.Env = []string{"PATH=" + w.root + "/bin", "known=" + known}
	cmd.Env = append(cmd.Env, more...)
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatal(err)
	}
	return string(out)
}

// observe puts what the script prints together as Observe does.
func (w world) observe() (*seen, error) {
	w.t.Helper()
	s := &seen{}
	s.At = time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	var err error
	if s.answer, err = parseAnswer(w.ask("")); err != nil {
		return nil, err
	}
	if err := s.read(domainsKnown{}); err != nil {
		return nil, err
	}
	s.observe(driver.Host{URI: "xen+ssh://root@x1.example/"})
	return s, nil
}

func (w world) must() *seen {
	w.t.Helper()
	s, err := w.observe()
	if err != nil {
		w.t.Fatal(err)
	}
	return s
}

func (w world) remove(path string) {
	w.t.Helper()
	if err := os.Remove(w.root + path); err != nil {
		w.t.Fatal(err)
	}
}
