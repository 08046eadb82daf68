package libvirt

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// request asks for a move of name from the first lab host to the second.
func (l *lab) request(name string) driver.MigrateRequest {
	return driver.MigrateRequest{Instance: name, From: l.hosts[0], To: l.hosts[1], Fence: driver.Fence{Campaign: "lab", Generation: 1}}
}

// idle starts a quiet guest on the first host and waits for its first ticks.
func (l *lab) idle(name string) string {
	l.t.Helper()
	l.guest("h1", name)
	l.alive(name)
	return name
}

// busy starts a guest that dirties memory faster than a slow link carries it.
func (l *lab) busy(name string) string {
	l.t.Helper()
	l.guest("h1", name, "-d", "48", "-p", "20")
	l.alive(name)
	return name
}

// once runs f when the migration is seen under way, after the first remaining MiB have fallen below most.
func once(most int64, f func()) func(driver.Progress) {
	var o sync.Once
	return func(p driver.Progress) {
		if p.TotalMiB > 0 && p.RemainingMiB < most {
			o.Do(func() { go f() })
		}
	}
}

func wantEnds(t *testing.T, out driver.MigrateOutcome, src, dst driver.Where) {
	t.Helper()
	if want := (driver.Ends{Source: src, Destination: dst}); out.Ends != want {
		t.Errorf("ends are %+v, expected %+v", out.Ends, want)
	}
}

func wantCode(t *testing.T, err error, codes ...string) {
	t.Helper()
	var e *driver.Error
	if !errors.As(err, &e) {
		t.Fatalf("error is %v, expected one of %v", err, codes)
	}
	for _, c := range codes {
		if e.Code == c {
			if e.Why == "" || e.Next == "" {
				t.Errorf("%s says not why or what next: %+v", e.Code, e)
			}
			return
		}
	}
	t.Errorf("error code is %s (%v), expected one of %v", e.Code, err, codes)
}

func (l *lab) wantStates(name, want string) {
	l.t.Helper()
	var got string
	for range 30 {
		if got = l.states(name); got == want {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	l.t.Errorf("virsh finds %s: %q, expected %q", name, got, want)
}

func TestLabMigrate(t *testing.T) {
	l := theLab(t)
	name := l.idle("g101")
	d := l.driver(l.config())
	if _, err := l.virsh("h1", "autostart", name); err != nil {
		t.Fatal(err)
	}
	t0 := time.Now()
	out, err := d.Migrate(within(t, time.Minute), l.request(name))
	if err != nil {
		t.Fatal(err)
	}
	if info, err := l.virsh("h2", "dominfo", name); err != nil || !regexp.MustCompile(`Autostart:\s+enable`).MatchString(info) {
		t.Errorf("it does not start with its new host: %v\n%s", err, info)
	}
	t.Logf("moved in %s: %+v", time.Since(t0), out)
	wantEnds(t, out, driver.IsAbsent, driver.IsRunning)
	if out.Already || out.Blackout <= 0 || out.Total <= 0 {
		t.Errorf("outcome %+v: expected a fresh move with its figures", out)
	}
	l.wantStates(name, "h2=running")
	l.alive(name)

	again, err := d.Migrate(within(t, time.Minute), l.request(name))
	if err != nil || !again.Already || again.Blackout != out.Blackout {
		t.Errorf("a second call: %+v, %v; expected the same, already done", again, err)
	}
}

func TestLabAbort(t *testing.T) {
	l := theLab(t)
	name := l.busy("g107")
	r := l.request(name)
	r.BandwidthMiB = 10
	other := l.driver(l.config())
	aborted := make(chan error, 1)
	r.Progress = once(140, func() { aborted <- other.AbortMigration(within(t, 20*time.Second), r.Fence, r.From, name) })
	out, err := l.driver(l.config()).Migrate(within(t, 90*time.Second), r)
	t.Logf("%+v %v", out, err)
	wantCode(t, err, driver.CodeAborted)
	wantEnds(t, out, driver.IsRunning, driver.IsAbsent)
	if err := <-aborted; err != nil {
		t.Error(err)
	}
	if err := other.AbortMigration(within(t, 20*time.Second), r.Fence, r.From, name); err != nil {
		t.Errorf("aborting where no job is: %v", err)
	}
}

func TestLabDeadline(t *testing.T) {
	l := theLab(t)
	name := l.busy("g108")
	r := l.request(name)
	r.BandwidthMiB = 5
	t0 := time.Now()
	out, err := l.driver(l.config()).Migrate(within(t, 3*time.Second), r)
	took := time.Since(t0)
	t.Logf("%s: %+v %v", took, out, err)
	wantCode(t, err, driver.CodeDeadline)
	wantEnds(t, out, driver.IsRunning, driver.IsAbsent)
	l.wantStates(name, "h1=running")
	l.alive(name)
}

// A guest that never converges is told from a slow one, and goes the way that the request says.
func TestLabNoProgress(t *testing.T) {
	l := theLab(t)
	name := l.busy("g109")
	r := l.request(name)
	r.BandwidthMiB, r.StuckFor = 20, 6*time.Second
	rounds := 0
	r.Progress = func(p driver.Progress) { rounds = p.Iteration }
	t0 := time.Now()
	out, err := l.driver(l.config()).Migrate(within(t, 2*time.Minute), r)
	t.Logf("%s: %+v %v", time.Since(t0), out, err)
	wantCode(t, err, driver.CodeNoProgress)
	wantEnds(t, out, driver.IsRunning, driver.IsAbsent)
	if rounds < 2 {
		t.Errorf("given up in round %d: the first one always makes progress", rounds)
	}

	r.AfterStuck = "post-copy"
	t0 = time.Now()
	out, err = l.driver(l.config()).Migrate(within(t, 2*time.Minute), r)
	t.Logf("%s: %+v %v", time.Since(t0), out, err)
	if err != nil || !out.PostCopy || !out.Ends.Moved() {
		t.Errorf("%+v, %v; expected a move by post-copy", out, err)
	}
	l.alive(name)
}

// A controller is killed in mid-copy; the next one finds the job and waits for it.
func TestLabAdopt(t *testing.T) {
	l := theLab(t)
	r := l.request("g110")
	r.BandwidthMiB = 8
	if os.Getenv("EVENKEEL_LAB_DOOMED") == "1" { // the controller that will be killed
		_, err := l.driver(l.config()).Migrate(context.Background(), r)
		t.Fatalf("it ended before it was killed: %v", err)
	}
	name := l.idle(r.Instance)
	doomed := exec.Command(os.Args[0], "-test.run=^TestLabAdopt$")
	doomed.Env = append(os.Environ(), "EVENKEEL_LAB_DOOMED=1")
	if err := doomed.Start(); err != nil {
		t.Fatal(err)
	}
	l.until("the job runs", func() bool {
		out, _ := l.virsh("h1", "domjobinfo", name)
		return strings.Contains(out, "Outgoing migration")
	})
	if err := doomed.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = doomed.Wait()
	looks := 0
	r.Progress = func(driver.Progress) { looks++ }
	out, err := l.driver(l.config()).Migrate(within(t, time.Minute), r)
	t.Logf("%d looks: %+v %v", looks, out, err)
	if err != nil || out.Already || looks == 0 {
		t.Errorf("%+v, %v after %d looks; expected to wait for the job that was found", out, err, looks)
	}
	wantEnds(t, out, driver.IsAbsent, driver.IsRunning)
	l.alive(name)
}

// A local disk is refused by libvirt itself, and nothing is changed.
func TestLabCannotMove(t *testing.T) {
	l := theLab(t)
	l.guest("h1", "g111", "-D", "local")
	l.alive("g111")
	out, err := l.driver(l.config()).Migrate(within(t, time.Minute), l.request("g111"))
	t.Log(err)
	wantCode(t, err, driver.CodeCannotMove)
	wantEnds(t, out, driver.IsRunning, driver.IsAbsent)
}

func TestLabNoRoom(t *testing.T) {
	l := theLab(t)
	r := l.request(l.idle("g112"))
	r.To.MemoryMiB = 100
	out, err := l.driver(l.config()).Migrate(within(t, time.Minute), r)
	wantCode(t, err, driver.CodeNoRoom)
	wantEnds(t, out, driver.IsRunning, driver.IsAbsent)
}
