package guarded

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/plan"
)

func hookFolder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestHooks(t *testing.T) {
	const sh = "#!/bin/sh\n"
	for _, c := range []struct {
		name   string
		files  map[string]string
		needed bool
		says   string
		code   string
	}{
		{"all stages, in order", map[string]string{"PreFlight": sh + "echo one $# $1", "PreMaintenance.sh": sh + "echo two", "Maintenance.py": "#!/usr/bin/env python3\nprint('three')", "PostMaintenance": sh + "echo four"},
			true, "PreFlight: one 1 h 1;$(id)\nPreMaintenance: two\nMaintenance: three\nPostMaintenance: four", ""},
		{"some stages", map[string]string{"Maintenance": sh + "echo done"}, true, "Maintenance: done", ""},
		{"not needed", map[string]string{"PreMaintenance": sh + "echo up to date; exit 70", "Maintenance": sh + "echo ran; exit 1"}, false, "PreMaintenance: up to date", ""},
		{"fails", map[string]string{"PreFlight": sh + "echo fine", "Maintenance": sh + "echo out of disk >&2; exit 3", "PostMaintenance": sh + "echo ran"}, true, "PreFlight: fine", driver.CodeUpdateFailed},
		{"bare before .sh", map[string]string{"Maintenance": sh + "echo bare", "Maintenance.sh": sh + "echo sh"}, true, "Maintenance: bare", ""},
		{"no such interpreter", map[string]string{"Maintenance": "#!/no/such/thing\n"}, true, "", driver.CodeUpdateFailed},
		{"nothing there", map[string]string{"readme": "x"}, false, "", driver.CodeUpdateFailed},
	} {
		out, err := Host{Host: driver.Host{ID: "h 1;$(id)"}}.Update(context.Background(), driver.Fence{}, plan.Update{Hooks: hookFolder(t, c.files)})
		if c.code != "" {
			wantCode(t, err, c.code)
		} else if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if out.Needed != c.needed || out.Message != c.says {
			t.Errorf("%s: %+v", c.name, out)
		}
	}
	dir := hookFolder(t, map[string]string{"Maintenance": sh})
	if err := os.Chmod(filepath.Join(dir, "Maintenance"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Host{Host: driver.Host{ID: "h1"}}.Update(context.Background(), driver.Fence{}, plan.Update{Hooks: dir})
	wantCode(t, err, driver.CodeUpdateFailed)
	_, err = Host{Host: driver.Host{ID: "h1"}}.Update(context.Background(), driver.Fence{}, plan.Update{Hooks: filepath.Join(dir, "gone")})
	wantCode(t, err, driver.CodeUpdateFailed)
}

// A stage that hangs is killed with all that it started.
func TestHookTimeout(t *testing.T) {
	dir := t.TempDir()
	mark := filepath.Join(dir, "mark")
	hooks := hookFolder(t, map[string]string{"Maintenance": "#!/bin/sh\n(sleep 1; touch " + mark + ") &\nsleep 30\n"})
	h := Host{Host: driver.Host{ID: "h1"}, HookTimeout: 200 * time.Millisecond}
	start := time.Now()
	_, err := h.Update(context.Background(), driver.Fence{}, plan.Update{Hooks: hooks})
	wantCode(t, err, driver.CodeDeadline)
	if time.Since(start) > 15*time.Second {
		t.Errorf("it took %s", time.Since(start))
	}
	time.Sleep(1500 * time.Millisecond)
	if _, err := os.Stat(mark); err == nil {
		t.Error("what the hook had started went on")
	}
}
