package cli

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// ownState makes the state directory, or sees to it that nobody else may look into it.
func ownState(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	st, err := os.Stat(dir)
	if err != nil || st.Mode().Perm()&0o077 == 0 {
		return err
	}
	owner, known := st.Sys().(*syscall.Stat_t)
	switch {
	case st.Mode()&os.ModeSticky != 0:
		return fmt.Errorf("state directory %s is everybody's: use a directory of its own, such as %s", dir, filepath.Join(dir, "evenkeel"))
	case !known || int(owner.Uid) != os.Geteuid():
		return fmt.Errorf("state directory %s has mode %04o and belongs to another user: others may look into it, and this one cannot forbid it; chmod 700 it, or use another --state", dir, st.Mode().Perm())
	}
	return os.Chmod(dir, 0o700)
}

// lockState keeps a second server off the same journal. The kernel gives the lock back however the
// process ends.
func lockState(dir string) (*os.File, error) {
	path := filepath.Join(dir, "lock")
	l, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(l.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		l.Close()
		return nil, fmt.Errorf("another server holds %s: stop it first, or use another --state: %w", path, err)
	}
	return l, nil
}

// open listens. A socket file that a killed server left behind is removed: the lock on the state
// directory says that nobody serves on it.
func (f serveFlags) open() (net.Listener, string, error) {
	listen := f.listen
	if listen == "" {
		listen = "unix:" + filepath.Join(f.state, "evenkeel.sock")
	}
	path, is := strings.CutPrefix(listen, "unix:")
	if !is {
		host, _, err := net.SplitHostPort(listen)
		if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
			return nil, "", fmt.Errorf("--listen is %q: only unix:PATH or a loopback address is served, since there is no login yet", listen)
		}
		l, err := net.Listen("tcp", listen)
		return l, "http://" + listen, err
	}
	if st, err := os.Lstat(path); err == nil && st.Mode()&os.ModeSocket != 0 {
		if c, err := net.DialTimeout("unix", path, time.Second); err == nil {
			c.Close()
			return nil, "", fmt.Errorf("somebody serves on %s already", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, "", err
		}
	}
	old := unix.Umask(0o177) // only our own user may connect
	l, err := net.Listen("unix", path)
	unix.Umask(old)
	return l, listen, err
}
