package cli

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

func TestPayloads(t *testing.T) {
	dir := t.TempDir()
	write := func(path, what string) {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(what), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(dir, "in", "lp1.livepatch"), "payload")
	write(filepath.Join(dir, "secret"), "not yours")
	if err := os.Symlink("../secret", filepath.Join(dir, "in", "link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "in", "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "in", "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	read := payloadsIn(filepath.Join(dir, "in"))
	for name, want := range map[string]string{
		"lp1.livepatch": "payload", "patches/lp1.livepatch": "payload", "/etc/lp1.livepatch": "payload", "../lp1.livepatch": "payload",
		"../secret": "", "link": "", "folder": "", "pipe": "", "": "", "..": "", "/": "", "none": "",
	} {
		got, err := read(name)
		if string(got) != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q %v, want %q", name, got, err, want)
		}
	}
	for folder, good := range map[string]bool{"": true, filepath.Join(dir, "in"): true, filepath.Join(dir, "none"): false, filepath.Join(dir, "secret"): false} {
		if err := payloadsFolder(folder); (err == nil) != good {
			t.Errorf("folder %q: %v", folder, err)
		}
	}
	if payloadsIn("") != nil {
		t.Error("a server without the folder has payloads")
	}
}
