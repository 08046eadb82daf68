// Package libvirt drives QEMU hosts through libvirt's own protocol, in pure Go.
// What libvirt cannot tell or do (boot id, packages on disk, updates, reboots)
// goes over SSH with pinned host keys.
//
// It never passes VIR_MIGRATE_UNSAFE, never destroys a domain that runs, never
// infers what it could have read, and never decides what should happen next.
// libvirt's client library knows no deadlines: here each call has one, and a
// call that misses it costs its connection, nothing else.
//
// Start reading at Driver, then Migrate; ends.go says how two ends are judged,
// conn.go how a call is bounded; hostscript.go is all that a host is asked over
// SSH, software.go what is made of the answer. The destination's URI is handed to the source's
// libvirtd as it is: the hosts must reach each other by it. A guest's own QEMU build is asked of its
// monitor (query-version), which makes libvirt note 'custom monitor control
// commands issued' in the domain's messages; nothing else comes of it.
package libvirt

import (
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/ssh"
)

// Config of the driver; the zero value reaches hosts without SSH.
type Config struct {
	SSHKeyFile     string // private key for hosts that have an ssh address
	KnownHostsFile string // their pinned keys
	// CallTimeout bounds one short call to libvirtd (default 10 s). Long ones (migrate, save) are
	// bounded by the context alone.
	CallTimeout time.Duration
	// Patience bounds the reading of both ends after an error, while one of them does not answer
	// or is still changing (default 45 s: longer than libvirt's usual keepalive of 30 s).
	Patience time.Duration
	// Poll is the pause between two looks at a running job (default 1 s: looks cost the guest).
	Poll time.Duration
	// Packages whose versions are read on each host, beside those of the kernel that runs (default: the
	// package of the distribution's own QEMU, such as qemu-system-x86 or qemu-kvm).
	Packages []string
	// Emulator is the package whose version a guest's monitor reports (default: the same).
	Emulator string
	// MigrateTLS asks libvirt to encrypt migrations (both hosts need certificates).
	MigrateTLS bool
	// HookTimeout bounds one stage of a hook folder (default 1800 s, as in CloudStack).
	HookTimeout time.Duration
}

func (c Config) withDefaults() Config {
	setIfZero(&c.CallTimeout, 10*time.Second)
	setIfZero(&c.Patience, 45*time.Second)
	setIfZero(&c.Poll, time.Second)
	setIfZero(&c.HookTimeout, 1800*time.Second)
	return c
}

func setIfZero(d *time.Duration, v time.Duration) {
	if *d <= 0 {
		*d = v
	}
}

// Driver reaches any number of hosts; it is safe for concurrent use.
type Driver struct {
	cfg   Config
	ssh   *ssh.Pool
	conns *pool

	mu     sync.Mutex
	builds map[guest]build // QEMU build by live guest, for moments in which its monitor is busy
}

// guest is one life of a domain on one host.
type guest struct {
	uri, uuid string
	id        int32
}

var (
	_ driver.Driver    = (*Driver)(nil)
	_ driver.Migrator  = (*Driver)(nil)
	_ driver.Aborter   = (*Driver)(nil)
	_ driver.Suspender = (*Driver)(nil)
	_ driver.Stopper   = (*Driver)(nil)
	_ driver.Updater   = (*Driver)(nil)
	_ driver.Rebooter  = (*Driver)(nil)
)

// New makes a driver; it connects to nothing yet.
func New(cfg Config) *Driver {
	cfg = cfg.withDefaults()
	shell := ssh.New(ssh.Config{KeyFile: cfg.SSHKeyFile, KnownHostsFile: cfg.KnownHostsFile, DialTimeout: cfg.CallTimeout})
	return &Driver{cfg: cfg, ssh: shell, conns: newPool(cfg.CallTimeout, shell), builds: map[guest]build{}}
}

// Close gives all connections back.
func (d *Driver) Close() error {
	d.conns.close()
	return d.ssh.Close()
}
