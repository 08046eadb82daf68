package guarded

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// stages of CloudStack's rolling maintenance, in order.
var stages = []string{"PreFlight", "PreMaintenance", "Maintenance", "PostMaintenance"}

// suffixes that a stage's file may have; the first that exists is taken.
var suffixes = []string{"", ".sh", ".py"}

// runHooks runs a folder's stages here, on the controller, each with the host's id as its only
// argument and without a shell: the files say themselves by what they are run. Stages that have no
// file are passed over. Exit code 70 means that the host needs no maintenance: the rest is skipped.
// All stages run within the turn's update step; PostMaintenance thus comes before our own reboot.
func (h Host) runHooks(ctx context.Context, folder string) (driver.UpdateOutcome, error) {
	lock, err := hookLock(ctx, h.ID)
	if err != nil {
		return driver.UpdateOutcome{}, err
	}
	defer lock.Close()
	var said []string
	ran := 0
	for _, stage := range stages {
		file, err := stageFile(folder, stage)
		if err != nil {
			return driver.UpdateOutcome{}, err
		}
		if file == "" {
			continue
		}
		ran++
		out, errs, exit, err := h.runHook(ctx, lock, file, h.ID)
		if err != nil {
			return driver.UpdateOutcome{Needed: true, Message: strings.Join(said, "\n")}, err
		}
		if text := strings.TrimSpace(out); text != "" {
			said = append(said, stage+": "+lastLines(text, 5))
		}
		switch exit {
		case exitDone:
		case exitNotNeeded:
			return driver.UpdateOutcome{Needed: false, Message: strings.Join(said, "\n")}, nil
		default:
			return driver.UpdateOutcome{Needed: true, Message: strings.Join(said, "\n")}, updateFailed(h.ID, "hook "+file, exit, out, errs)
		}
	}
	if ran == 0 {
		return driver.UpdateOutcome{}, &driver.Error{Code: driver.CodeUpdateFailed, Why: "the folder " + folder + " holds no hook", Next: "put executables named " + strings.Join(stages, ", ") + " (bare, .sh or .py) there"}
	}
	return driver.UpdateOutcome{Needed: true, Message: strings.Join(said, "\n")}, nil
}

func stageFile(folder, stage string) (string, error) {
	for _, s := range suffixes {
		file := filepath.Join(folder, stage+s)
		info, err := os.Stat(file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err == nil && (info.IsDir() || info.Mode()&0o111 == 0) {
			err = errors.New("it is not executable")
		}
		if err != nil {
			return "", &driver.Error{Code: driver.CodeUpdateFailed, Why: "hook " + file + " cannot be run", Next: "make it an executable file", Err: err}
		}
		return filepath.Abs(file)
	}
	if _, err := os.Stat(folder); err != nil {
		return "", &driver.Error{Code: driver.CodeUpdateFailed, Why: "the hook folder cannot be read", Next: "correct the target's hooks", Err: err}
	}
	return "", nil
}

// hookLock keeps the hooks of one host to one run at a time. Each hook inherits the lock: one that
// outlived its controller (kill -9) is waited for by the next.
func hookLock(ctx context.Context, host string) (*os.File, error) {
	name := fmt.Sprintf("evenkeel-hooks-%d-%x.lock", os.Getuid(), sha256.Sum256([]byte(host)))
	f, err := os.OpenFile(filepath.Join(os.TempDir(), name), os.O_CREATE|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, &driver.Error{Code: driver.CodeUpdateFailed, Why: "the lock of " + host + "'s hooks cannot be had", Next: "let the server write " + os.TempDir(), Err: err}
	}
	for {
		if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
			return f, nil
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, &driver.Error{Code: driver.CodeDeadline, Retry: true, Why: "an earlier run of " + host + "'s hooks has not ended", Next: "see what it waits for", Err: ctx.Err()}
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// runHook runs one file, with all that it starts, for at most HookTimeout.
func (h Host) runHook(ctx context.Context, lock *os.File, file, payload string) (stdout, stderr string, exit int, err error) {
	within := h.HookTimeout
	if within <= 0 {
		within = 1800 * time.Second
	}
	limit, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	cmd := exec.CommandContext(limit, file, payload)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.ExtraFiles = []*os.File{lock}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 5 * time.Second
	err = cmd.Run()
	var ended *exec.ExitError
	switch {
	case limit.Err() != nil:
		return "", "", 0, &driver.Error{Code: driver.CodeDeadline, Retry: true, Err: limit.Err(), Why: "hook " + file + " did not end in time and was killed", Next: "see what it left behind, then try again"}
	case errors.As(err, &ended):
		return out.String(), errs.String(), ended.ExitCode(), nil
	case err != nil:
		return "", "", 0, &driver.Error{Code: driver.CodeUpdateFailed, Why: fmt.Sprintf("hook %s cannot be run", file), Next: "see whether its first line names an interpreter that exists", Err: err}
	}
	return out.String(), errs.String(), 0, nil
}
