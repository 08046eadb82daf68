package witness

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// guestProcess is one running QEMU of a host.
type guestProcess struct {
	Guest  string
	PID    int
	SHA256 string // of the binary that it really runs, which may be deleted from the disk
}

// hashes remembers the hash of a binary by device and inode: a dozen guests run the same two.
type hashes map[[2]uint64]string

func (h hashes) of(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close() //nolint:errcheck // only read
	fi, err := f.Stat()
	if err != nil {
		return "", err
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	if !ok {
		return "", fmt.Errorf("%s: no inode", path)
	}
	key := [2]uint64{uint64(st.Dev), st.Ino}
	if sum := h[key]; sum != "" {
		return sum, nil
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	h[key] = hex.EncodeToString(sum.Sum(nil))
	return h[key], nil
}

// guestProcesses finds the QEMUs in the pid namespace of the process pid (a host's PID 1).
func guestProcesses(pid int, h hashes) ([]guestProcess, error) {
	ns, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", pid))
	if err != nil {
		return nil, err
	}
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	var all []guestProcess
	for _, d := range dirs {
		// a process may end while it is looked at: then it is not there, which is no error
		if other, err := os.Readlink(d + "/ns/pid"); err != nil || other != ns {
			continue
		}
		cmd, err := os.ReadFile(d + "/cmdline")
		if err != nil {
			continue
		}
		name := guestName(cmd)
		if name == "" {
			continue
		}
		sum, err := h.of(d + "/exe")
		if err != nil {
			continue
		}
		n, _ := strconv.Atoi(filepath.Base(d))
		all = append(all, guestProcess{Guest: name, PID: n, SHA256: sum})
	}
	return all, nil
}

// guestName is the guest that a QEMU command line runs; empty for anything else, as for the QEMU that
// libvirt starts to learn what it can do.
func guestName(cmdline []byte) string {
	args := bytes.Split(cmdline, []byte{0})
	if len(args) < 3 || !strings.HasPrefix(filepath.Base(string(args[0])), "qemu-system-") {
		return ""
	}
	for i, a := range args[:len(args)-1] {
		if string(a) == "-name" {
			v, _ := strings.CutPrefix(string(args[i+1]), "guest=")
			v, _, _ = strings.Cut(v, ",")
			return v
		}
	}
	return ""
}
