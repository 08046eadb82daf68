// Package xen drives Xen hosts by their own tools, xl and xen-livepatch, over
// SSH with pinned host keys; nothing of ours runs on the host.
//
// It never infers what it could have read: after an error or a lost answer both
// ends are read, and NAME--incoming or NAME--migratedaway count as unknown until
// they were. It never destroys a domain that runs, and never decides what should
// happen next.
//
// Start reading at Driver; tool.go runs the tools, observe.go and the parsers
// beside it read what they print, patch.go is the state machine of live patches,
// migrate.go, save.go and power.go are the acts. A host's URI is
// xen+ssh://user@address[:port]/.
package xen

import (
	"sync"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/ssh"
)

// Config of the driver.
type Config struct {
	SSHKeyFile     string // private key
	KnownHostsFile string // the hosts' pinned keys
	// CallTimeout bounds one short call of a tool (default 30 s: a dom0 is slow). Long ones (migrate,
	// save, restore) are bounded by the context alone.
	CallTimeout time.Duration
	// Patience bounds the reading of both ends after an error (default 90 s: xl migrate gives a dead
	// destination up after about a minute).
	Patience time.Duration
	// Poll is the pause between two looks (default 2 s).
	Poll time.Duration
	// SaveDir on the hosts takes saved instances (default /var/lib/xen/save).
	SaveDir string
	// ConfigDirs on the hosts hold the instances' configuration files, NAME.cfg
	// (default /etc/xen, /etc/xen/auto).
	ConfigDirs []string
	// MigrateVia is the command by which one dom0 reaches another for xl migrate (default ssh, as
	// xl's own; {host} stands for the destination's address).
	MigrateVia []string
}

// Driver reaches any number of hosts; it is safe for concurrent use.
type Driver struct {
	cfg Config
	ssh *ssh.Pool

	mu      sync.Mutex
	images  map[string]string       // host -> build ids of its hypervisors on disk; see keepImages
	domains map[string]domainsKnown // host -> what the last look that asked for them read of its domains

	bearings map[string]*bearing // host -> what its dom0 carries
}

var _ driver.Driver = (*Driver)(nil)

// New makes a driver; it connects to nothing yet.
func New(cfg Config) *Driver {
	for _, d := range []struct {
		at *time.Duration
		v  time.Duration
	}{{&cfg.CallTimeout, 30 * time.Second}, {&cfg.Patience, 90 * time.Second}, {&cfg.Poll, 2 * time.Second}} {
		if *d.at <= 0 {
			*d.at = d.v
		}
	}
	if cfg.SaveDir == "" {
		cfg.SaveDir = "/var/lib/xen/save"
	}
	if cfg.ConfigDirs == nil {
		cfg.ConfigDirs = []string{"/etc/xen", "/etc/xen/auto"}
	}
	return &Driver{cfg: cfg, images: map[string]string{}, domains: map[string]domainsKnown{}, bearings: map[string]*bearing{}, ssh: ssh.New(ssh.Config{KeyFile: cfg.SSHKeyFile, KnownHostsFile: cfg.KnownHostsFile, DialTimeout: cfg.CallTimeout})}
}

// Close gives all connections back.
func (d *Driver) Close() error { return d.ssh.Close() }
