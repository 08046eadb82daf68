package guarded

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/ssh"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// world is a folder that stands for a host.
type world struct {
	t    *testing.T
	root string
	lose int // how many answers to reboots get lost after the host took the order
}

const firstBoot, secondBoot = "11111111-boot", "22222222-boot"

func newWorld(t *testing.T) (*world, Host) {
	t.Helper()
	for _, tool := range []string{"flock", "setsid", "dash", "sha256sum"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("skipped: no %s here", tool)
		}
	}
	w := &world{t: t, root: t.TempDir()}
	if err := os.Mkdir(w.root+"/bin", 0o755); err != nil {
		t.Fatal(err)
	}
	w.put("boot_id", firstBoot+"\n")
	w.put("bin/reboot", "#!/bin/sh\necho "+secondBoot+" >"+w.root+"/boot_id; echo once >>"+w.root+"/reboots\n")
	return w, Host{Host: driver.Host{ID: "h1"}, Run: w.run, CallTimeout: 5 * time.Second, Poll: 20 * time.Millisecond}
}

func (w *world) put(file, text string) {
	w.t.Helper()
	if err := os.WriteFile(filepath.Join(w.root, file), []byte(text), 0o755); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) read(file string) string {
	b, _ := os.ReadFile(filepath.Join(w.root, file))
	return string(b)
}

func (w *world) run(ctx context.Context, argv []string) (ssh.Result, error) {
	at := strings.NewReplacer("/var/lib/evenkeel", w.root+"/state", "/proc/sys/kernel/random/boot_id", w.root+"/boot_id", "/run/systemd/system", w.root+"/none")
	cmd := exec.CommandContext(ctx, "dash", "-c", at.Replace(ssh.Quote(argv...)))
	cmd.Env = []string{"PATH=" + w.root + "/bin:" + os.Getenv("PATH")}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return ssh.Result{}, &driver.Error{Code: driver.CodeUnreachable, Why: "no shell", Err: err}
	}
	if w.lose > 0 && strings.Contains(out.String(), "rebooting from") {
		w.lose--
		return ssh.Result{}, &driver.Error{Code: driver.CodeUnreachable, Why: "the connection broke"}
	}
	return ssh.Result{Stdout: out.String(), Stderr: errs.String(), Exit: cmd.ProcessState.ExitCode()}, nil
}

func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var e *driver.Error
	if !errors.As(err, &e) || e.Code != code || e.Why == "" || e.Next == "" {
		t.Errorf("%v, expected code %s, whole", err, code)
	}
}

func in(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func TestUpdate(t *testing.T) {
	w, h := newWorld(t)
	gen := driver.Fence{Generation: 3}
	run := func(f driver.Fence, sum string, argv ...string) (driver.UpdateOutcome, error) {
		return h.Update(in(t, 20*time.Second), f, plan.Update{Command: argv, SHA256: sum})
	}
	out, err := run(gen, "", "sh", "-c", `echo "it's $0 done"; echo noise >&2`, "a b; rm -rf /")
	if err != nil || !out.Needed || out.Message != "it's a b; rm -rf / done\nnoise" {
		t.Errorf("%+v, %v", out, err)
	}
	out, err = run(gen, "", "sh", "-c", "echo nothing to do; exit 70")
	if err != nil || out.Needed || out.Message != "nothing to do" {
		t.Errorf("%+v, %v", out, err)
	}
	_, err = run(gen, "", "sh", "-c", "echo broken pipe; exit 4")
	wantCode(t, err, driver.CodeUpdateFailed)
	_, err = run(driver.Fence{Generation: 2}, "", "true")
	wantCode(t, err, driver.CodeRefused)
	w.put("payload", "hello\n")
	const sum = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
	if _, err = run(gen, sum, "cat", w.root+"/payload"); err != nil {
		t.Error(err)
	}
	_, err = run(gen, strings.Repeat("0", 64), "cat", w.root+"/payload")
	wantCode(t, err, driver.CodeRefused)
	_, err = run(gen, sum, "true")
	wantCode(t, err, driver.CodeRefused)
	_, err = run(gen, "")
	wantCode(t, err, driver.CodeUnsupported)
	if got := strings.TrimSpace(w.read("state/generation")); got != "3" {
		t.Errorf("the host noted generation %q", got)
	}
}

func TestReboot(t *testing.T) {
	w, h := newWorld(t)
	order := func(generation int64, boot string, own ...string) error {
		return h.Reboot(in(t, 5*time.Second), driver.Fence{Generation: generation}, boot, plan.Update{Reboot: own})
	}
	wantCode(t, order(5, ""), driver.CodeRefused)
	if err := order(5, "00000000-not-this-one"); err != nil {
		t.Errorf("a boot that is over already: %v", err)
	}
	w.put("refuses", "#!/bin/sh\necho not now; exit 3\n")
	wantCode(t, order(5, firstBoot, w.root+"/refuses", "{boot_id}", "{generation}"), driver.CodeRefused)
	if w.read("boot_id") != firstBoot+"\n" {
		t.Fatal("it was rebooted")
	}
	w.lose = 1 // the host takes the order, and its answer is lost: the old boot is seen for a moment longer
	if err := order(5, firstBoot); err != nil {
		wantCode(t, err, driver.CodeUnreachable)
	}
	for range 200 {
		if w.read("boot_id") == secondBoot+"\n" {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	for range 2 {
		if err := order(5, firstBoot); err != nil {
			t.Error(err)
		}
	}
	wantCode(t, order(4, secondBoot), driver.CodeRefused)
	time.Sleep(500 * time.Millisecond) // an order is carried out a moment later
	if n := strings.Count(w.read("reboots"), "once"); n != 1 {
		t.Errorf("it was rebooted %d times", n)
	}
}
