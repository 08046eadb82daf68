package libvirt

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// The destination's QEMU, or its libvirtd, dies in mid-copy: it runs on at the source.
func TestLabDestinationDies(t *testing.T) {
	for _, c := range []struct {
		what string
		kill func(*lab, string)
	}{
		{"QEMU", func(l *lab, name string) { l.qemu("h2", name, "KILL") }},
		{"libvirtd", func(l *lab, _ string) { l.libvirtd("h2", "KILL") }},
	} {
		t.Run(c.what, func(t *testing.T) {
			l := theLab(t)
			name := l.busy("g102")
			r := l.request(name)
			r.BandwidthMiB = 10
			r.Progress = once(140, func() { c.kill(l, name) })
			t0 := time.Now()
			out, err := l.driver(l.config()).Migrate(within(t, 90*time.Second), r)
			t.Logf("%s: %+v %v", time.Since(t0), out, err)
			wantCode(t, err, driver.CodeFailed, driver.CodeUnreachable)
			wantEnds(t, out, driver.IsRunning, driver.IsAbsent)
			l.wantStates(name, "h1=running")
			l.alive(name)
		})
	}
}

// The destination's libvirtd hangs in the last phase for longer than the keepalive: the source goes on,
// and so does the destination once it thaws. Nobody may be told that the instance simply stayed.
func TestLabSplitBrain(t *testing.T) {
	l := theLab(t)
	name := l.idle("g103")
	cfg := l.config()
	cfg.Patience = 4 * time.Second
	r := l.request(name)
	r.BandwidthMiB = 20
	r.Progress = once(60, func() { l.libvirtd("h2", "STOP") })
	thaw := func() { l.libvirtd("h2", "CONT") }
	t.Cleanup(thaw)
	t0 := time.Now()
	out, err := l.driver(cfg).Migrate(within(t, 2*time.Minute), r)
	t.Logf("while it hangs, %s: %+v %v", time.Since(t0), out, err)
	wantCode(t, err, driver.CodeUnreachable)
	wantEnds(t, out, driver.IsRunning, driver.IsUnreachable)
	if out.Ends.Stayed() || out.Ends.Moved() {
		t.Errorf("%+v passes for settled", out.Ends)
	}
	thaw()
	l.until("both run", func() bool { return l.states(name) == "h1=running h2=running" })
	out, err = l.driver(cfg).Migrate(within(t, time.Minute), r)
	t.Logf("after it thawed: %+v %v", out, err)
	wantCode(t, err, driver.CodeSplit)
	wantEnds(t, out, driver.IsRunning, driver.IsRunning)
}

// The same, but it thaws while the driver is still reading both ends.
func TestLabSplitBrainSeen(t *testing.T) {
	l := theLab(t)
	name := l.idle("g104")
	r := l.request(name)
	r.BandwidthMiB = 20
	thaw := func() { l.libvirtd("h2", "CONT") }
	t.Cleanup(thaw)
	r.Progress = once(60, func() {
		l.libvirtd("h2", "STOP")
		l.until("the source goes on", func() bool {
			out, _ := l.virsh("h1", "domstate", name, "--reason")
			return strings.Contains(out, "migration canceled")
		})
		thaw()
	})
	t0 := time.Now()
	out, err := l.driver(l.config()).Migrate(within(t, 2*time.Minute), r)
	t.Logf("%s: %+v %v", time.Since(t0), out, err)
	wantCode(t, err, driver.CodeSplit)
	wantEnds(t, out, driver.IsRunning, driver.IsRunning)
}

// The source's libvirtd dies in mid-copy: no answer, but the guest runs on there.
func TestLabSourceLibvirtdDies(t *testing.T) {
	l := theLab(t)
	name := l.busy("g105")
	r := l.request(name)
	r.BandwidthMiB = 10
	r.Progress = once(140, func() { l.libvirtd("h1", "KILL") })
	t0 := time.Now()
	out, err := l.driver(l.config()).Migrate(within(t, 90*time.Second), r)
	t.Logf("%s: %+v %v", time.Since(t0), out, err)
	wantCode(t, err, driver.CodeUnreachable, driver.CodeFailed)
	wantEnds(t, out, driver.IsRunning, driver.IsAbsent)
	l.alive(name)
}

// The source's libvirtd dies while the destination hangs in the last phase: it runs at the destination,
// and the dead copy that is left on the source is swept away.
func TestLabLeftover(t *testing.T) {
	l := theLab(t)
	name := l.idle("g106")
	r := l.request(name)
	r.BandwidthMiB = 20
	thaw := func() { l.libvirtd("h2", "CONT") }
	t.Cleanup(thaw)
	r.Progress = once(60, func() {
		l.libvirtd("h2", "STOP")
		l.until("the source is paused", func() bool {
			out, _ := l.virsh("h1", "domstate", name)
			return out == "paused"
		})
		time.Sleep(3 * time.Second) // all is sent, and the source's libvirtd waits for the answer
		l.libvirtd("h1", "KILL")
		time.Sleep(3 * time.Second)
		thaw()
	})
	t0 := time.Now()
	out, err := l.driver(l.config()).Migrate(within(t, 2*time.Minute), r)
	t.Logf("%s: %+v %v", time.Since(t0), out, err)
	if err != nil || !out.Ends.Moved() {
		t.Errorf("ends %+v, %v; expected it to have moved", out.Ends, err)
	}
	l.wantStates(name, "h2=running")
	l.alive(name)
}

// crash takes a host's power away, and gives it back when the test ends, with the guests that ran there.
func (l *lab) crash(host string) (on func()) {
	l.t.Helper()
	names := strings.Fields(l.must(l.script("virsh"), host, "list", "--name"))
	once := sync.OnceFunc(func() {
		l.must(l.script("power"), "on", host)
		for _, name := range names {
			if i := strings.TrimPrefix(name, "g"); len(i) < 3 { // the lab's own, not this test's
				_, _ = l.virsh(host, "start", name)
			}
		}
	})
	l.t.Cleanup(once)
	l.must(l.script("power"), "crash", host)
	return once
}

// The destination loses its power in mid-copy: silence, then an error. It runs on at the source, but as
// long as the destination cannot be read nobody says that it stayed.
func TestLabDestinationPowerCut(t *testing.T) {
	l := theLab(t)
	name := l.busy("g113")
	cfg := l.config()
	cfg.Patience = 4 * time.Second
	r := l.request(name)
	r.BandwidthMiB = 10
	on := make(chan func(), 1)
	r.Progress = once(140, func() { on <- l.crash("h2") })
	t0 := time.Now()
	out, err := l.driver(cfg).Migrate(within(t, 2*time.Minute), r)
	t.Logf("%s: %+v %v", time.Since(t0), out, err)
	wantCode(t, err, driver.CodeUnreachable)
	wantEnds(t, out, driver.IsRunning, driver.IsUnreachable)
	l.alive(name)
	(<-on)()
	r.Progress, r.BandwidthMiB = nil, 0
	out, err = l.driver(cfg).Migrate(within(t, 2*time.Minute), r)
	if err != nil || !out.Ends.Moved() {
		t.Errorf("after it came back: %+v, %v", out, err)
	}
}

// The source loses its power: the client library would wait for ever.
func TestLabSourcePowerCut(t *testing.T) {
	l := theLab(t)
	name := l.busy("g114")
	cfg := l.config()
	cfg.Patience, cfg.CallTimeout = 6*time.Second, 3*time.Second
	r := l.request(name)
	r.BandwidthMiB = 10
	on := make(chan func(), 1)
	r.Progress = once(140, func() { on <- l.crash("h1") })
	t0 := time.Now()
	out, err := l.driver(cfg).Migrate(within(t, 2*time.Minute), r)
	took := time.Since(t0)
	t.Logf("%s: %+v %v", took, out, err)
	wantCode(t, err, driver.CodeUnreachable)
	if out.Ends.Source != driver.IsUnreachable || out.Ends.Moved() || out.Ends.Stayed() {
		t.Errorf("ends %+v", out.Ends)
	}
	if took > time.Minute {
		t.Errorf("it took %s", took)
	}
	(<-on)()
	if _, err = l.driver(cfg).Migrate(within(t, time.Minute), r); err == nil {
		t.Error("what was lost with its host is said to have moved")
	}
	wantCode(t, err, driver.CodeRefused, driver.CodeNotFound)
}
