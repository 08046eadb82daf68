package power_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/power"
)

// script is a command of a few shell lines; what it hears and leaves lies in its folder, $HERE.
func script(t *testing.T, lines string) (path, dir string) {
	t.Helper()
	dir = t.TempDir()
	t.Setenv("HERE", dir)
	path = filepath.Join(dir, "oob")
	if err := os.WriteFile(path, []byte("#!/bin/sh\necho \"$@\" >>\"$HERE/asked\"\n"+lines+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return path, dir
}

func TestProbe(t *testing.T) {
	for name, tt := range map[string]struct {
		lines   string
		power   driver.Power
		console string
		fails   []string // words of the error
		asked   string
	}{
		"on":                     {`[ $1 = status ] && echo on || echo 'hv-1 login:'`, driver.PowerOn, "hv-1 login:\n", nil, "status h1\nconsole h1\n"},
		"off: no console":        {`echo off`, driver.PowerOff, "", nil, "status h1\n"},
		"the first line counts":  {`[ $1 = status ] && printf 'on \r\noff\n'`, driver.PowerOn, "", []string{"console of h1", "exit status 1"}, "status h1\nconsole h1\n"},
		"words of its own":       {`[ $1 = status ] && echo Chassis Power is on || echo text`, "", "text\n", []string{`"Chassis Power is on"`, "expected on or off"}, "status h1\nconsole h1\n"},
		"nothing":                {`true`, "", "", []string{`printed ""`}, "status h1\nconsole h1\n"},
		"it fails in a pipe":     {`[ $1 = status ] && { echo no session >&2; false | sed p; } || echo text`, "", "text\n", []string{`printed ""`, "no session"}, "status h1\nconsole h1\n"},
		"it fails":               {`echo no route to its BMC >&2; exit 3`, "", "", []string{"no route to its BMC", "exit status 3"}, "status h1\nconsole h1\n"},
		"on, and it fails":       {`echo on; exit 1`, "", "", []string{"nothing on standard error"}, "status h1\nconsole h1\n"},
		"control characters":     {`printf '\033[31mred\033[0m\n' >&2; exit 1`, "", "", []string{"[31mred[0m"}, "status h1\nconsole h1\n"},
		"a status without end":   {`[ $1 = status ] && { echo on; head -c 3000000 /dev/zero; } || echo text`, driver.PowerOn, "text\n", nil, "status h1\nconsole h1\n"},
		"the end of the console": {`[ $1 = status ] && echo on || { head -c 3000000 /dev/zero | tr '\0' x; echo; echo end; }`, driver.PowerOn, strings.Repeat("x", 64<<10-5) + "\nend\n", nil, "status h1\nconsole h1\n"},
		"what it leaves behind":  {`[ $1 = status ] && { sleep 30 & echo off; }`, driver.PowerOff, "", nil, "status h1\n"},
		"two arguments, no more": {`[ $# = 2 ] && echo off`, driver.PowerOff, "", nil, "status h1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			path, dir := script(t, tt.lines)
			c, err := power.New(path, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Probe(t.Context(), driver.Host{ID: "h1", URI: "xen+ssh://root@192.0.2.1/", SSH: "root@192.0.2.1"})
			if got.Power != tt.power || got.Console != tt.console || (err == nil) != (tt.fails == nil) {
				t.Fatalf("power %q, %d bytes of console, %v", got.Power, len(got.Console), err)
			}
			for _, w := range tt.fails {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("%q does not say %q", err, w)
				}
			}
			if err != nil && strings.ContainsAny(err.Error(), "\x1b\x00\n") {
				t.Errorf("%q", err)
			}
			if asked, _ := os.ReadFile(filepath.Join(dir, "asked")); string(asked) != tt.asked {
				t.Errorf("it was asked %q, want %q", asked, tt.asked)
			}
		})
	}
}

// A command that hangs, with all that it started, is ended with its caller's patience.
func TestAHangingCommandIsEnded(t *testing.T) {
	path, dir := script(t, `sleep 300 & echo $! >"$HERE/child"; wait`)
	c, err := power.New(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for ; ; time.Sleep(time.Millisecond) {
			if b, _ := os.ReadFile(filepath.Join(dir, "child")); len(b) > 1 {
				cancel()
				return
			}
		}
	}()
	if got, err := c.Probe(ctx, driver.Host{ID: "h1"}); err == nil || got != (driver.Probe{}) || !errors.Is(err, context.Canceled) {
		t.Fatalf("%+v, %v", got, err)
	}
	childEnds(t, dir)
}

// A command that ends and leaves something behind leaves nothing behind.
func TestWhatACommandLeavesBehindIsEnded(t *testing.T) {
	for name, output := range map[string]string{"with its output open": "", "detached": ">/dev/null 2>&1"} {
		t.Run(name, func(t *testing.T) {
			path, dir := script(t, `sleep 300 `+output+` & echo $! >"$HERE/child"; echo off`)
			c, err := power.New(path, slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := c.Probe(t.Context(), driver.Host{ID: "h1"}); err != nil || got.Power != driver.PowerOff {
				t.Fatalf("%+v, %v", got, err)
			}
			childEnds(t, dir)
		})
	}
}

// childEnds waits until the process whose number lies in the folder is gone.
func childEnds(t *testing.T, dir string) {
	t.Helper()
	child, _ := os.ReadFile(filepath.Join(dir, "child"))
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		stat, err := os.ReadFile("/proc/" + strings.TrimSpace(string(child)) + "/stat")
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return // gone, or dead and not yet buried
		}
		if time.Now().After(end) {
			t.Fatalf("what it started runs on: %s", stat)
		}
	}
}

// The log hears of a failure once, and again after it was mended in between.
func TestTheLogIsNotFlooded(t *testing.T) {
	path, dir := script(t, `cat "$HERE/answer"`)
	var log bytes.Buffer
	c, err := power.New(path, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ask := func(answer string) {
		t.Helper()
		_ = os.Remove(filepath.Join(dir, "answer"))
		if answer != "" {
			if err := os.WriteFile(filepath.Join(dir, "answer"), []byte(answer), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		_, _ = c.Probe(t.Context(), driver.Host{ID: "h1"})
	}
	for _, answer := range []string{"", "", "", "off", "off", "", ""} {
		ask(answer)
	}
	if n := strings.Count(log.String(), "question=status"); n != 2 {
		t.Errorf("%d lines in the log, want 2:\n%s", n, log.String())
	}
	if n := strings.Count(log.String(), "question=console"); n != 1 {
		t.Errorf("%d lines in the log on the console, want 1:\n%s", n, log.String())
	}
}

func TestWhatCannotBeRun(t *testing.T) {
	if _, err := power.New(filepath.Join(t.TempDir(), "none"), slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "cannot be run") {
		t.Fatal(err)
	}
	path, dir := script(t, `echo on`)
	c, err := power.New(path, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := c.Probe(t.Context(), driver.Host{ID: "-rf"}); err == nil || got != (driver.Probe{}) {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "asked")); err == nil {
		t.Error("it was run with an option")
	}
}
