package xen

import (
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
)

// labEnv names the state folder of a running lab of real Xen hosts (see lab/xen).
const labEnv = "EVENKEEL_TEST_XEN_LAB"

// xenLab is a running lab of real Xen hosts, emulated: everything there takes its time.
type xenLab struct {
	t     *testing.T
	dir   string
	hosts []driver.Host
	about struct {
		SSHKey     string `json:"ssh_key"`
		KnownHosts string `json:"known_hosts"`
		Bin        string
		XenOld     string `json:"xen_old"`
		XenFixed   string `json:"xen_fixed"`
		Hosts      []struct{ Name, URI, SSH, Serial string }
	}
}

func theLab(t *testing.T) *xenLab {
	t.Helper()
	dir := os.Getenv(labEnv)
	if dir == "" {
		t.Skip(labEnv + " does not name a running lab's state folder")
	}
	if testing.Short() {
		t.Skip("real hosts are slow")
	}
	l := &xenLab{t: t, dir: dir}
	src, err := os.ReadFile(filepath.Join(dir, "lab.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(src, &l.about); err != nil {
		t.Fatal(err)
	}
	for _, h := range l.about.Hosts {
		l.hosts = append(l.hosts, driver.Host{ID: h.Name, URI: h.URI, SSH: h.SSH})
	}
	if len(l.hosts) < 2 {
		t.Fatalf("the lab has %d hosts, these tests need 2", len(l.hosts))
	}
	return l
}

// config as a fleet would have it, with more time for each call.
func (l *xenLab) config() Config {
	return Config{SSHKeyFile: l.about.SSHKey, KnownHostsFile: l.about.KnownHosts, CallTimeout: time.Minute}
}

func (l *xenLab) driver() *Driver { return newDriver(l.t, l.config()) }

// run runs one of the lab's own programs. What it says goes to a file: what 'power on' leaves running
// would hold a pipe open.
func (l *xenLab) run(name string, args ...string) (string, error) {
	said, err := os.CreateTemp("", "evenkeel-lab-")
	if err != nil {
		return "", err
	}
	defer os.Remove(said.Name())
	defer said.Close()
	cmd := exec.Command(filepath.Join(l.about.Bin, name), args...)
	cmd.Stdout, cmd.Stderr = said, said
	ran := cmd.Run()
	out, err := os.ReadFile(said.Name())
	return strings.TrimSpace(string(out)), errors.Join(ran, err)
}

func (l *xenLab) must(name string, args ...string) string {
	l.t.Helper()
	out, err := l.run(name, args...)
	if err != nil {
		l.t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return out
}

// on runs a command in a host's dom0, by the lab's own ssh, which shares nothing with the driver.
func (l *xenLab) on(host, command string) (string, error) { return l.run("ssh", host, command) }

// guest starts a guest of the test's own and removes it afterwards, wherever it is by then.
func (l *xenLab) guest(host, name, kind string, more ...string) string {
	l.t.Helper()
	l.remove(name)
	l.t.Cleanup(func() { l.remove(name) })
	l.must("guest", append(append([]string{"-t", kind, "-w"}, more...), host, name)...)
	return name
}

func (l *xenLab) remove(name string) {
	for _, h := range l.hosts {
		_, _ = l.on(h.ID, "for n in "+name+" "+name+"--incoming "+name+"--migratedaway; do xl destroy $n; done 2>/dev/null; rm -f /etc/xen/"+name+".cfg /var/lib/xen/save/"+name+".*")
	}
}

// clear takes the marks of earlier runs away: the tests' generations are their own.
func (l *xenLab) clear() {
	l.t.Helper()
	for _, h := range l.hosts {
		if _, err := l.on(h.ID, "rm -f /var/lib/evenkeel/generation"); err != nil {
			l.t.Fatal(err)
		}
	}
}

// console is all that a guest printed, on all hosts.
func (l *xenLab) console(name string) (all []string) {
	for _, h := range l.about.Hosts {
		src, _ := os.ReadFile(filepath.Join(h.Serial, name+".log"))
		all = append(all, strings.Split(string(src), "\n")...)
	}
	return all
}

// tick is the highest number that a guest has counted to since it was last booted, and boots how often
// it was. The number lives in its memory alone.
func (l *xenLab) tick(name string) (tick, boots int) {
	for _, line := range l.console(name) {
		words := strings.Fields(line)
		switch {
		case len(words) > 0 && words[0] == "GUEST-UP":
			boots++
		case len(words) == 3 && words[0] == "tick":
			if n, err := strconv.Atoi(words[1]); err == nil {
				tick = max(tick, n)
			}
		}
	}
	return tick, boots
}

// goesOn fails the test unless the guest counts on from where it was, without having been booted.
func (l *xenLab) goesOn(name string, from, boots int) {
	l.t.Helper()
	l.until(name+" counts on", func() bool { n, _ := l.tick(name); return n > from })
	if _, now := l.tick(name); now != boots {
		l.t.Errorf("%s was booted %d times, expected %d: its memory was lost", name, now, boots)
	}
}

// runsOn lists the hosts on which a guest runs, by xl itself.
func (l *xenLab) runsOn(name string) (on []string) {
	for _, h := range l.hosts {
		out, _ := l.on(h.ID, "xl list")
		for line := range strings.Lines(out) {
			words := strings.Fields(line)
			if len(words) == 6 && words[0] == name && (words[4][0] == 'r' || words[4][1] == 'b' || words[4] == "------") {
				on = append(on, h.ID)
			}
		}
	}
	return on
}

func (l *xenLab) runsOnly(name, host string) {
	l.t.Helper()
	if on := l.runsOn(name); len(on) != 1 || on[0] != host {
		l.t.Errorf("%s runs on %v, expected %s alone", name, on, host)
	}
}

func (l *xenLab) until(what string, ok func() bool) {
	l.t.Helper()
	for range 1200 {
		if ok() {
			return
		}
		time.Sleep(250 * time.Millisecond)
	}
	l.t.Fatalf("five minutes have passed without: %s", what)
}
