package hostfacts

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// shells that hosts may have as sh; those that this machine has are tried.
var shells = [][]string{{"dash"}, {"bash", "--posix"}, {"busybox", "sh"}, {"ksh"}, {"sh"}}

// TestHostScript runs the script here, in each shell: what it prints is read, whatever machine this is.
func TestHostScript(t *testing.T) {
	odd := filepath.Join(t.TempDir(), `a b \n'c"`)
	if err := os.WriteFile(odd, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		t.Skip("this is no Linux")
	}
	tried := 0
	for _, shell := range shells {
		path, err := exec.LookPath(shell[0])
		if err != nil {
			continue
		}
		tried++
		argv := append(shell[1:len(shell):len(shell)], "-c", Script, "evenkeel", "", "2", "no-such-package", "sed", odd, "/no/such file")
		out, err := exec.Command(path, argv...).Output()
		if err != nil {
			t.Errorf("%s: %v", shell, err)
		}
		f, err := Parse(string(out))
		if err != nil {
			t.Errorf("%s: %v\n%s", shell, err, out)
			continue
		}
		if f.Release != strings.TrimSpace(string(release)) || f.Arch == "" || f.BootID == "" || f.Booted == 0 {
			t.Errorf("%s: %+v", shell, f)
		}
		if f.Manager == "dpkg" && (f.Installed["sed"] == "" || f.Changed["sed"] == 0 || f.Status["no-such-package"] != "absent") {
			t.Errorf("%s: installed %v, changed %v, status %v", shell, f.Installed, f.Changed, f.Status)
		}
		if len(f.FS) != 1 || f.FS[odd] == "" {
			t.Errorf("%s: file systems %v", shell, f.FS)
		}
	}
	if tried == 0 {
		t.Skip("no shell is here")
	}
}

// world is a host's root made up of files and of programs, in which the script is run: paths begin
// there instead of at /.
type world struct {
	t    *testing.T
	root string
}

func newWorld(t *testing.T, programs map[string]string, files map[string]string) world {
	t.Helper()
	w := world{t, t.TempDir()}
	w.put(files, 0o644)
	if err := os.MkdirAll(w.root+"/bin", 0o755); err != nil {
		t.Fatal(err)
	}
	for name, body := range programs {
		w.put(map[string]string{"/bin/" + name: "#!/bin/sh\n" + body + "\n"}, 0o755)
	}
	for _, tool := range []string{"sh", "awk", "cat", "getconf", "grep", "head", "ls", "sed", "sort", "stat"} {
		path, err := exec.LookPath(tool)
		if err != nil {
			t.Skip(err)
		}
		if err := os.Symlink(path, w.root+"/bin/"+tool); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w world) put(files map[string]string, mode os.FileMode) {
	w.t.Helper()
	for path, text := range files {
		at := filepath.Join(w.root, path)
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			w.t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(text), mode); err != nil {
			w.t.Fatal(err)
		}
	}
}

// ask runs the script there.
func (w world) ask(args ...string) Facts {
	w.t.Helper()
	script := Script
	for _, top := range []string{"/proc/", "/sys/", "/etc/os-release", "/usr/lib/", "/var/lib/", "/lib/"} {
		script = replacePath(script, top, w.root+top)
	}
	if len(args) == 0 {
		args = []string{"", "0"}
	}
	cmd := exec.Command("/bin/sh", append([]string{"-c", script, "evenkeel"}, args...)...)
	cmd.Env = []string{"PATH=" + w.root + "/bin"}
	out, err := cmd.Output()
	if err != nil {
		w.t.Fatal(err)
	}
	f, err := Parse(string(out))
	if err != nil {
		w.t.Fatalf("%v\n%s", err, out)
	}
	return f
}

// replacePath replaces a path where it begins one.
func replacePath(script, path, with string) string {
	var out strings.Builder
	for {
		i := strings.Index(script, path)
		if i < 0 {
			return out.String() + script
		}
		out.WriteString(script[:i])
		if i > 0 && strings.ContainsAny(script[i-1:i], ` "=`+"\n") {
			out.WriteString(with)
		} else {
			out.WriteString(path)
		}
		script = script[i+len(path):]
	}
}

func uname(release, version string) string {
	return `[ "$*" = -rvm ] && echo '` + release + " " + version + ` x86_64'`
}

// rpm answers for a host with two kernels, of which it booted the older.
const rpmProgram = `
for last; do :; done
case "$1 $last" in
"-q kernel-core") for v in 427.13.1.el9_4 427.18.1.el9_4; do echo "rpm kernel-core 0:5.14.0-$v x86_64 900"; done;;
"-q qemu-kvm") echo "rpm qemu-kvm 17:8.2.0-11.el9_4.6 x86_64 800";;
"-qf"*vmlinuz) echo kernel-core;;
*) echo "package $last is not installed"; exit 1;;
esac`

func TestScriptOnRPM(t *testing.T) {
	w := newWorld(t, map[string]string{"rpm": rpmProgram, "uname": uname("5.14.0-427.13.1.el9_4.x86_64", "#1 SMP PREEMPT_DYNAMIC Wed Apr 10 10:29:16 EDT 2024")}, map[string]string{
		"/etc/os-release": "ID=\"rocky\"\nVERSION_ID=\"9.4\"\n", "/lib/modules/5.14.0-427.13.1.el9_4.x86_64/vmlinuz": "",
		"/var/lib/dpkg/status": "", // dpkg is there as a tool only
	})
	f := w.ask()
	booted, how, _, _ := f.BootedKernel()
	if f.Manager != "rpm" || f.QEMU != "qemu-kvm" || f.Installed["qemu-kvm"] != "17:8.2.0-11.el9_4.6" || f.Installed["kernel"] != "" || f.Installed["kernel-core"] != "5.14.0-427.18.1.el9_4" ||
		len(booted) != 1 || booted["kernel-core"] != "5.14.0-427.13.1.el9_4" || how != "uname -r over SSH" {
		t.Errorf("%+v\nbooted %v, %q", f, booted, how)
	}
	if name, _ := Ecosystem(f.OS); name != "Rocky Linux:9" || f.LivePatches != nil {
		t.Errorf("%q, live patches %v", name, f.LivePatches)
	}
	if f.BootID != "" || f.Booted != 0 { // no /proc there
		t.Errorf("boot %q, %d", f.BootID, f.Booted)
	}
}

func TestScriptOnAlpine(t *testing.T) {
	w := newWorld(t, map[string]string{"uname": uname("6.6.31-0-lts", "#1-Alpine SMP PREEMPT_DYNAMIC 2024-05-17 15:42:24")}, map[string]string{
		"/etc/os-release":       "ID=alpine\nVERSION_ID=3.20.1\n",
		"/lib/apk/db/installed": "C:Q1x=\nP:linux-lts\nV:6.6.34-r1\nA:x86_64\n\nC:Q1y=\nP:qemu-system-x86_64\nV:9.0.0-r0\nT:QEMU\n\n",
		"/sys/kernel/mm":        "",
	})
	f := w.ask()
	booted, _, _, _ := f.BootedKernel()
	if f.Manager != "apk" || f.Installed["qemu-system-x86_64"] != "9.0.0-r0" || f.Installed["linux-lts"] != "6.6.34-r1" || booted["linux-lts"] != "6.6.31-r0" {
		t.Errorf("%+v\nbooted %v", f, booted)
	}
	if f.LivePatches == nil || len(f.LivePatches) > 0 { // /sys/kernel can be read, and has no such folder
		t.Errorf("live patches %#v", f.LivePatches)
	}
}

func TestScriptOnDebian(t *testing.T) {
	const release = "6.1.0-41-cloud-amd64"
	query := `rc=0
for last; do case $last in linux-image-cloud-amd64) v=6.1.162-1;; *-cloud-amd64*) v=6.1.159-1;; qemu-system-x86) v=1:7.2+dfsg-7+deb12u15;; -*) continue;; *) rc=1; continue;; esac
echo "pkg $last installed $v"; done; exit $rc`
	w := newWorld(t, map[string]string{"dpkg-query": query, "uname": uname(release, "#1 SMP PREEMPT_DYNAMIC Debian 6.1.158-1 (2025-11-09)")}, map[string]string{
		"/etc/os-release": "ID=debian\nVERSION_ID=\"12\"\n", "/var/lib/dpkg/status": "x",
		"/var/lib/dpkg/info/linux-image-" + release + "-unsigned.list": "/.\n/boot\n/boot/vmlinuz-" + release + "\n",
		"/var/lib/dpkg/info/linux-headers-" + release + ".list":        "/.\n/usr/src\n",
		"/var/lib/dpkg/info/linux-image-cloud-amd64.list":              "/.\n",
		"/var/lib/dpkg/info/linux-image-amd64.list":                    "/.\n",
		"/sys/kernel/livepatch/a_fix/enabled":                          "1\n", "/sys/kernel/livepatch/a_fix/transition": "0\n",
		"/sys/kernel/livepatch/late/enabled": "1\n", "/sys/kernel/livepatch/late/transition": "1\n",
		"/proc/cpuinfo": "processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 25\nmodel\t\t: 17\nmodel name\t: some\nmicrocode\t: 0x1\n\nvendor_id\t: never read\n",
		"/sys/devices/system/cpu/cpu0/microcode/version": "0x2\n", "/sys/devices/system/cpu/cpu1/microcode/version": "0x2\n",
		"/sys/devices/system/cpu/smt/active": "1\n", "/proc/cmdline": "quiet mitigations=auto\n",
	})
	f := w.ask()
	kernel := "linux-image-" + release + "-unsigned"
	booted, _, _, _ := f.BootedKernel()
	if f.Kernel != kernel || f.KernelLine != "linux-image-cloud-amd64" || booted[kernel] != "6.1.158-1" || booted[f.KernelLine] != "6.1.158-1" || len(booted) != 2 {
		t.Errorf("kernel %q, line %q, booted %v", f.Kernel, f.KernelLine, booted)
	}
	if f.Installed[f.KernelLine] != "6.1.162-1" || f.Installed["qemu-system-x86"] == "" || len(f.LivePatches) != 2 || f.LivePatches[1].State != "transition" {
		t.Errorf("%+v", f)
	}
	if f.CPU.Vendor != "amd" || f.CPU.Family != 25 || f.CPU.Model != 17 || f.CPU.Microcode != "0x2" || f.Config["smt"] != "on" || f.Config["mitigations"] != "auto" {
		t.Errorf("%+v, %v", f.CPU, f.Config)
	}
	// A folder that is no module's spoils the list: what it stands for is not known.
	w.put(map[string]string{"/sys/kernel/livepatch/x 1 0\npkg qemu installed 9/enabled": "1\n"}, 0o644)
	if f = w.ask(); f.LivePatches != nil || f.PatchesWhy == "" || f.Installed["qemu"] != "" {
		t.Errorf("%+v, %q", f.LivePatches, f.PatchesWhy)
	}
}

// A host that shows next to nothing, as a container may.
func TestScriptOnNothing(t *testing.T) {
	w := newWorld(t, map[string]string{"uname": "exit 1"}, nil)
	f := w.ask("/no/such/emulator", "1", "qemu-system-x86")
	if f.Manager != "none" || len(f.Installed) != 0 || f.LivePatches != nil || f.PatchesWhy != "" || f.Kernel != "" || f.Emulator != "" {
		t.Errorf("%+v", f)
	}
	if _, why := Ecosystem(f.OS); why == "" {
		t.Error("it has an ecosystem")
	}
}
