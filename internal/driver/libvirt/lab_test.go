package libvirt

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/hostfacts"
)

// lab is a running lab of real libvirt hosts (see lab/libvirt). Its tests have to run where the
// hosts are reached, e.g. ip netns exec evk-mgmt go test ./internal/driver/libvirt.
type lab struct {
	t     *testing.T
	dir   string
	hosts []driver.Host
}

// theLab gives the lab whose state folder EVENKEEL_TEST_LAB names.
func theLab(t *testing.T) *lab {
	t.Helper()
	dir := os.Getenv("EVENKEEL_TEST_LAB")
	if dir == "" {
		t.Skip("EVENKEEL_TEST_LAB does not name a running lab's state folder")
	}
	if testing.Short() {
		t.Skip("real hosts are slow")
	}
	src, err := os.ReadFile(filepath.Join(dir, "lab.json"))
	if err != nil {
		t.Fatal(err)
	}
	var about struct {
		Hosts []struct{ Name, Addr, Libvirt string }
	}
	if err := json.Unmarshal(src, &about); err != nil {
		t.Fatal(err)
	}
	l := &lab{t: t, dir: dir}
	for _, h := range about.Hosts {
		l.hosts = append(l.hosts, driver.Host{ID: h.Name, URI: h.Libvirt, SSH: "root@" + h.Addr})
	}
	if len(l.hosts) < 3 {
		t.Fatalf("the lab has %d hosts, these tests need 3", len(l.hosts))
	}
	return l
}

func (l *lab) config() Config {
	return Config{SSHKeyFile: filepath.Join(l.dir, "ssh/id"), KnownHostsFile: filepath.Join(l.dir, "ssh/known_hosts")}
}

// driver gives a driver of its own, as another controller process would have.
func (l *lab) driver(cfg Config) *Driver {
	d := New(cfg)
	l.t.Cleanup(func() { d.Close() })
	return d
}

// run runs one of the lab's own programs. What it says goes to a file, not to a pipe: the power
// supply that 'power on' leaves running would hold a pipe open.
func (l *lab) run(argv ...string) (string, error) {
	said, err := os.CreateTemp("", "evenkeel-lab-")
	if err != nil {
		return "", err
	}
	defer os.Remove(said.Name())
	defer said.Close()
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = said, said
	ran := cmd.Run()
	out, err := os.ReadFile(said.Name())
	return strings.TrimSpace(string(out)), errors.Join(ran, err)
}

func (l *lab) must(argv ...string) string {
	l.t.Helper()
	out, err := l.run(argv...)
	if err != nil {
		l.t.Fatalf("%v: %v\n%s", argv, err, out)
	}
	return out
}

func (l *lab) script(name string) string { return filepath.Join(l.dir, "bin", name) }

func (l *lab) virsh(host string, args ...string) (string, error) {
	return l.run(append([]string{l.script("virsh"), host}, args...)...)
}

// pid is a host's PID 1 as seen from outside, if it is still the process that the lab started.
func (l *lab) pid(host string) int {
	l.t.Helper()
	src, err := os.ReadFile(filepath.Join(l.dir, host, "pid"))
	if err != nil {
		l.t.Fatal(err)
	}
	words := strings.Fields(string(src))
	stat, err := os.ReadFile("/proc/" + words[0] + "/stat")
	if err != nil || len(words) < 2 || strconv.FormatInt(hostfacts.StartOf(string(stat)), 10) != words[1] {
		l.t.Fatalf("host %s is off", host)
	}
	pid, _ := strconv.Atoi(words[0])
	return pid
}

// on runs a command inside a host, in all its namespaces.
func (l *lab) on(host string, argv ...string) string {
	l.t.Helper()
	in := []string{"nsenter", "-t", strconv.Itoa(l.pid(host)), "-m", "-u", "-i", "-n", "-p", "-r", "-w", "--"}
	return l.must(append(in, argv...)...)
}

// signal sends a signal to a process of a host, named by its pid file inside the host. Being sent
// inside the host's pid namespace, it can reach nothing else.
func (l *lab) signal(host, sig, pidfile string) {
	l.t.Helper()
	l.on(host, "sh", "-c", `p=$(cat "$1") && [ "$p" -gt 1 ] && kill -"$2" "$p"`, "signal", pidfile, sig)
}

func (l *lab) libvirtd(host, sig string) { l.t.Helper(); l.signal(host, sig, "/run/libvirtd.pid") }
func (l *lab) qemu(host, guest, sig string) {
	l.t.Helper()
	l.signal(host, sig, "/run/libvirt/qemu/"+guest+".pid")
}

// guest starts a guest of the test's own on a host and removes it afterwards.
func (l *lab) guest(host, name string, args ...string) string {
	l.t.Helper()
	l.remove(name)
	l.t.Cleanup(func() { l.remove(name) })
	for _, h := range l.hosts { // what it printed in an earlier life
		_ = os.Remove(filepath.Join(l.dir, h.ID, "serial", name+".log"))
	}
	l.must(append(append([]string{l.script("guest")}, args...), host, name)...)
	return name
}

// remove takes a test's guest away wherever it is.
func (l *lab) remove(name string) {
	for _, h := range l.hosts {
		_, _ = l.virsh(h.ID, "destroy", name)
		_, _ = l.virsh(h.ID, "undefine", name, "--managed-save")
	}
}

// ticks counts the ticks that a guest has printed on any host.
func (l *lab) ticks(name string) int {
	n := 0
	for _, h := range l.hosts {
		src, _ := os.ReadFile(filepath.Join(l.dir, h.ID, "serial", name+".log"))
		n += strings.Count(string(src), "\ntick ")
	}
	return n
}

// alive fails the test unless the guest ticks.
func (l *lab) alive(name string) {
	l.t.Helper()
	before := l.ticks(name)
	for range 1200 {
		if l.ticks(name) > before {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	l.t.Errorf("%s has not ticked for two minutes", name)
}

// states says where a guest is, by virsh, which shares nothing with the driver.
func (l *lab) states(name string) string {
	var all []string
	for _, h := range l.hosts {
		if out, err := l.virsh(h.ID, "domstate", name); err == nil {
			all = append(all, h.ID+"="+strings.ReplaceAll(out, " ", "-"))
		}
	}
	return strings.Join(all, " ")
}

// until waits for a condition of the outside world.
func (l *lab) until(what string, ok func() bool) {
	l.t.Helper()
	for range 600 {
		if ok() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	l.t.Fatalf("a minute has passed without: %s", what)
}

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}
