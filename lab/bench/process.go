package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Limits bound one process.
type Limits struct {
	CPUSeconds int
	Wall       time.Duration
	RSSBytes   int64
}

// cost is what a process took, as the operating system counted it.
type cost struct {
	CPU time.Duration
	RSS int64 // bytes, at most
}

// stopped is why a process did not come to an end of its own.
type stopped struct{ why string }

func (s stopped) Error() string { return s.why }

// run runs a process under limits. Its standard output goes to out. An exit code of its own is no error.
func run(l Limits, out io.Writer, args ...string) (c cost, code int, told string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), l.Wall)
	defer cancel()
	// the shell sets the limit on CPU time and becomes the process
	cmd := exec.CommandContext(ctx, "/bin/sh", append([]string{"-c", `ulimit -t "$0" && exec "$@"`, strconv.Itoa(l.CPUSeconds)}, args...)...)
	var errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = out, &errs
	if err := cmd.Start(); err != nil {
		return c, 0, "", err
	}
	over := watch(cmd.Process.Pid, l.RSSBytes)
	err = cmd.Wait()
	tooMuch := over()
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return c, 0, "", errors.New("the operating system does not tell what a process used")
	}
	c = cost{time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), usage.Maxrss << 10}
	told = strings.TrimSpace(errs.String())
	var exit *exec.ExitError
	switch {
	case tooMuch:
		return c, 0, told, stopped{fmt.Sprintf("stopped at %d GiB of memory", l.RSSBytes>>30)}
	case ctx.Err() != nil:
		return c, 0, told, stopped{fmt.Sprintf("not finished in %s", l.Wall)}
	case !errors.As(err, &exit):
		return c, 0, told, err
	case exit.Exited():
		return c, exit.ExitCode(), told, nil
	case c.CPU > time.Duration(l.CPUSeconds)*time.Second/2: // the kernel counts more finely than it tells
		return c, 0, told, stopped{fmt.Sprintf("not finished in %d s of CPU time", l.CPUSeconds)}
	}
	return c, 0, told, stopped{"killed: " + exit.Error()}
}

// watch ends a process that takes more memory than it may. What it returns stops watching and tells.
func watch(pid int, most int64) func() bool {
	quit, done := make(chan struct{}), make(chan bool)
	go func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-quit:
				done <- false
				return
			case <-tick.C:
				if resident(pid) > most {
					_ = syscall.Kill(pid, syscall.SIGKILL)
					<-quit
					done <- true
					return
				}
			}
		}
	}()
	return func() bool { close(quit); return <-done }
}

// resident is the memory that a process has now (the second number of Linux's /proc/PID/statm, in pages).
func resident(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}
