package xen

import (
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/drivertest"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// mute is a host that takes connections and never says a word.
func mute(t *testing.T) driver.Host {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return driver.Host{ID: "mute", URI: "xen+ssh://root@" + l.Addr().String() + "/", SSH: "root@" + l.Addr().String()}
}

// alone takes the lab's own guests away for the time of a test, for its hosts are small.
func (l *xenLab) alone() {
	l.t.Helper()
	for _, h := range l.hosts {
		out, err := l.on(h.ID, "xl list | awk 'NR > 2 {print $1}'")
		if err != nil {
			l.t.Fatal(err)
		}
		for _, name := range strings.Fields(out) {
			if _, err := l.on(h.ID, "xl destroy "+name); err != nil {
				l.t.Fatal(err)
			}
			l.t.Cleanup(func() { _, _ = l.on(h.ID, "xl create /etc/xen/"+name+".cfg >/dev/null") })
		}
	}
}

// signal sends a signal to a host's whole machine, if it is still the process that the lab started.
func (l *xenLab) signal(host string, sig syscall.Signal) {
	l.t.Helper()
	src, err := os.ReadFile(filepath.Join(l.dir, host, "pid"))
	if err != nil {
		l.t.Fatal(err)
	}
	words := strings.Fields(string(src))
	stat, err := os.ReadFile("/proc/" + words[0] + "/stat")
	if err != nil || len(words) != 2 {
		l.t.Fatalf("host %s is off", host)
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	if fields := strings.Fields(after); len(fields) < 20 || fields[19] != words[1] {
		l.t.Fatalf("host %s is off", host)
	}
	pid, err := strconv.Atoi(words[0])
	if err != nil || syscall.Kill(pid, sig) != nil {
		l.t.Fatalf("no signal reaches %s", host)
	}
}

// killReceiver ends the receiving xl on a host, as a crash of it would.
const killReceiver = `for f in $(grep -ls migrate-receive /proc/[0-9]*/cmdline); do
  d=${f%/cmdline}; [ "$(cat "$d/comm" 2>/dev/null)" = xl ] && kill -9 "${d#/proc/}"
done; true`

// TestLabConformance holds the driver to its contract, on real hosts.
func TestLabConformance(t *testing.T) {
	l := theLab(t)
	l.clear()
	l.alone()
	movable := []string{l.guest("h1", "t11", "pvh", "-m", "96"), l.guest("h1", "t12", "pvh", "-m", "96")}
	slow := l.guest("h1", "t13", "pvh", "-m", "128", "-d", "512")
	l.guest("h1", "t14", "pv", "-m", "300")
	hosts := append([]driver.Host{}, l.hosts[:2]...)
	hosts[1].MemoryMiB = 280

	sum := drivertest.Run(t, drivertest.Lab{
		Driver: l.driver(), Hosts: hosts, Limit: slowly,
		Movable: movable, Slow: slow, Suspendable: movable[0], Stoppable: movable[1], TooBig: "t14",
		Silent: mute(t), RebootHost: hosts[1], RebootWithin: slowly, RebootShows: 20 * time.Second,
		UpdateHost: hosts[0], Update: plan.Update{Command: []string{"host-update"}},
		Truth: func(_ *testing.T, name string) []string { return l.runsOn(name) },
		KillDestinationMidCopy: func(t *testing.T, _ string) {
			if out, err := l.on("h2", killReceiver); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
		},
		FreezeWithin: time.Minute,
		FreezeDestination: func(*testing.T) func() {
			l.signal("h2", syscall.SIGSTOP)
			return func() { l.signal("h2", syscall.SIGCONT) }
		},
		CutNetwork: func(_ *testing.T, h driver.Host) func() {
			l.must("power", "cut", h.ID)
			return func() { l.must("power", "restore", h.ID) }
		},
	})
	t.Logf("%+v", sum)
	// Xen has nothing to cordon a host with, and live patches have a test of their own.
	for _, name := range sum.Skipped {
		if name != "cordon-twice" && !strings.Contains(name, "patch") {
			t.Errorf("%s was skipped", name)
		}
	}
}
