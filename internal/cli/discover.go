package cli

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/discover"
	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/libvirt"
	"github.com/evenkeel/evenkeel/internal/driver/xen"
	"github.com/evenkeel/evenkeel/internal/engine"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/form"
)

// discoverFlags are the flags of fleet discover.
type discoverFlags struct {
	base, sshUser, sshKey, knownHosts string
	out, output                       string
	opt                               discover.Options
}

func newFleetDiscover(app *App) *cobra.Command {
	var f discoverFlags
	cmd := &cobra.Command{
		Use:   "discover [URI...]",
		Short: "Look at libvirt and Xen hosts and write what is there as a fleet file",
		Long: `Look at libvirt and Xen hosts and write what is there as a fleet file: hosts, their software
installed, booted and running, instances, and why an instance cannot move.

What only people know comes from a base file in the same form, of which everything may be left out:
regions, sites, pools, racks, memory_mib, tenants, contacts, groups, homes, pins, shared disks. It is
believed on these; on the rest what was seen is believed. Its hosts with a uri are looked at, too.

Boot ids and packages, and all of a Xen host, are read over SSH, with host keys pinned in
--known-hosts. A host that does not answer is written as down. Exit code 2: something is incomplete, see the problems marked with '!'.`,
		Example: `  evenkeel fleet discover qemu+tls://h1.example/system qemu+tls://h2.example/system \
    --ssh-key id_ed25519 --known-hosts known_hosts --base people.yaml --out fleet.yaml
  evenkeel fleet discover xen+ssh://root@x1.example/ --ssh-key id_ed25519 --known-hosts known_hosts`,
		RunE: func(cmd *cobra.Command, args []string) error { return runDiscover(cmd.Context(), app, args, f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.base, "base", "", "file with what only people know")
	fl.StringVar(&f.sshUser, "ssh-user", "root", "user for SSH to hosts to which the base file gives no ssh address")
	fl.StringVar(&f.sshKey, "ssh-key", "", "private key for SSH; without one SSH is not used")
	fl.StringVar(&f.knownHosts, "known-hosts", "", "file with the hosts' pinned SSH keys")
	fl.StringVar(&f.opt.Pool, "pool", "", "pool of hosts that the base file does not place")
	fl.StringVar(&f.opt.Site, "site", "", "site of that pool, if it is new")
	fl.StringVar(&f.opt.Region, "region", "", "region of that site, if it is new")
	fl.Int64Var(&f.opt.MemoryMiB, "memory-mib", 0, "what instances can use on each host for which the base file does not say")
	fl.IntVar(&f.opt.Parallel, "parallel", 16, "hosts looked at at once")
	fl.DurationVar(&f.opt.Timeout, "timeout", time.Minute, "longest look at one host")
	fl.StringVarP(&f.output, "output", "o", "yaml", "yaml or json")
	fl.StringVar(&f.out, "out", "", "file to write instead of standard output")
	return cmd
}

func runDiscover(ctx context.Context, app *App, uris []string, f discoverFlags) error {
	base, err := f.check(app, uris)
	if err != nil {
		return err
	}
	d := byScheme{Drivers: map[string]driver.Driver{
		"qemu": libvirt.New(libvirt.Config{SSHKeyFile: f.sshKey, KnownHostsFile: f.knownHosts}),
		"xen":  xen.New(xen.Config{SSHKeyFile: f.sshKey, KnownHostsFile: f.knownHosts}),
	}}
	defer d.Close()
	seen, hosts, up := 0, f.hosts(uris), 0
	f.opt.Progress = func(h driver.Host, o driver.Observation, err error) {
		seen++
		if err != nil {
			fmt.Fprintf(app.Err, "%d  %s: %v\n", seen, cmp.Or(h.ID, h.URI), err)
			return
		}
		up++
		fmt.Fprintf(app.Err, "%d  %s: %s, %s, %d of %d MiB free\n", seen, o.Host, o.Health, count(len(o.Instances), "instance"), o.FreeMiB, o.MemoryMiB)
	}
	found, problems := discover.Fleet(ctx, d, hosts, base, f.opt)
	if up == 0 {
		return errors.New("no host answered: nothing is written; see whether the URIs are right and whether libvirtd, or SSH to a Xen host, answers there")
	}
	return f.write(app, found, problems)
}

// byScheme looks at each host through the driver of its URI's scheme.
type byScheme engine.World

func (w byScheme) Observe(ctx context.Context, h driver.Host) (driver.Observation, error) {
	d, err := engine.World(w).DriverOf(h.URI)
	if err != nil {
		return driver.Observation{}, err
	}
	return d.Observe(ctx, h)
}

func (w byScheme) Close() (err error) {
	for _, d := range w.Drivers {
		err = errors.Join(err, d.Close())
	}
	return err
}

// check refuses what cannot be meant, before any host is asked.
func (f discoverFlags) check(app *App, uris []string) (*fleet.Fleet, error) {
	if f.output != "yaml" && f.output != "json" {
		return nil, fmt.Errorf("-o %s is not known: use yaml or json", f.output)
	}
	if (f.sshKey == "") != (f.knownHosts == "") {
		return nil, errors.New("--ssh-key and --known-hosts go together: host keys are always pinned")
	}
	base := &fleet.Fleet{}
	if f.base != "" {
		src, name, err := readInput(app, f.base)
		if err != nil {
			return nil, err
		}
		// Only its form is checked: what it refers to may be what is going to be found.
		tree, mistakes := form.ParseYAML(name, src)
		mistakes = append(mistakes, (&form.Decoder{Overlay: true}).Decode(tree, "", base)...)
		if err := unreadable(f.base, mistakes.Sort()); err != nil {
			return nil, err
		}
	}
	named := len(uris)
	for _, h := range base.Hosts {
		if h.URI != "" {
			named++
		}
	}
	if named == 0 {
		return nil, errors.New("no host is named: give URIs such as qemu+tls://h1.example/system or xen+ssh://root@h1.example/, or a base file with hosts that have one")
	}
	return base, nil
}

// hosts gives each URI the SSH address that follows from it.
func (f discoverFlags) hosts(uris []string) (hosts []driver.Host) {
	for _, uri := range uris {
		h := driver.Host{URI: uri}
		if u, err := url.Parse(uri); err == nil && u.Hostname() != "" && f.sshKey != "" {
			h.SSH = f.sshUser + "@" + u.Hostname()
			if strings.HasSuffix(u.Scheme, "+ssh") {
				h.SSH = cmp.Or(u.User.Username(), f.sshUser) + "@" + u.Host
			}
		}
		hosts = append(hosts, h)
	}
	return hosts
}

// write writes the fleet, then says what is odd about it.
func (f discoverFlags) write(app *App, found *fleet.Fleet, problems []discover.Problem) error {
	var text bytes.Buffer
	put := fleet.Write
	if f.output == "json" {
		put = writeFleetJSON
	}
	if err := put(&text, found); err != nil {
		return err
	}
	if f.out == "" {
		if _, err := app.Out.Write(text.Bytes()); err != nil {
			return err
		}
	} else if err := replaceFile(f.out, text.Bytes()); err != nil {
		return err
	}
	grave := false
	for _, p := range problems {
		mark := "-"
		if p.Grave {
			mark, grave = "!", true
		}
		fmt.Fprintf(app.Err, "%s %s\n", mark, p)
	}
	fmt.Fprintf(app.Err, "%s\n", sizes(found))
	_, mistakes := fleet.Parse(cmp.Or(f.out, "what was found"), text.Bytes())
	if len(mistakes) > 0 {
		return fmt.Errorf("the fleet cannot be used before these are mended, in the base file or on the hosts:\n%w", mistakes)
	}
	if grave {
		return Exit(ExitChanges)
	}
	return nil
}

// replaceFile writes a file whole or not at all.
func replaceFile(path string, text []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(text)
	if err := errors.Join(err, tmp.Chmod(0o644), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
