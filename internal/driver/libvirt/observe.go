package libvirt

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	golibvirt "github.com/digitalocean/go-libvirt"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/hostfacts"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// seen is one host being observed.
type seen struct {
	driver.Observation
	hostname string
	node     node
	ability  ability
	upstream string
	features []string
	networks []string // libvirt's own
	pools    map[string]bool
	domains  []domain
	files    []string
}

// domain is one instance being observed.
type domain struct {
	end
	doc   string // its XML
	mib   int64  // its full size
	saved bool
	snaps int32
}

// Observe reads one host as it is now.
func (d *Driver) Observe(ctx context.Context, h driver.Host) (driver.Observation, error) {
	var s *seen
	err := d.conns.with(ctx, h.URI, func(c *conn) (err error) {
		s, err = d.readHost(ctx, c)
		return err
	})
	if err != nil {
		// Whoever does not answer in time does not answer.
		return driver.Observation{}, explain(context.Background(), nameOf(h), "observing "+nameOf(h), err)
	}
	if h.ID == "" {
		h.ID = s.hostname
	}
	s.Host, s.At = h.ID, time.Now().UTC()
	for i := range s.domains {
		// Their files' places are asked of the host in one go, before they are judged.
		if _, files, err := parseDomain(s.domains[i].doc, places{}); err == nil {
			s.files = append(s.files, files...)
		}
	}
	facts := d.hostItself(ctx, h, s)
	d.instances(ctx, h, s, facts)
	d.software(s, facts)
	s.MemoryMiB, s.FreeMiB = memory(h, s.node, s.heldMiB())
	s.Facts = s.host(h, facts, h.SSH != "" && d.ssh.Configured())
	return s.Observation, nil
}

func nameOf(h driver.Host) string {
	if h.ID != "" {
		return h.ID
	}
	return h.URI
}

func (s *seen) miss(format string, args ...any) {
	s.Missing = append(s.Missing, fmt.Sprintf(format, args...))
}

// readHost reads all that libvirt tells without asking a guest. An error means that it did not
// answer; what it answered badly makes the host sick, or is missing.
func (d *Driver) readHost(ctx context.Context, c *conn) (*seen, error) {
	s := &seen{}
	s.Health = fleet.Up
	var err error
	if s.hostname, err = short(ctx, c, (*golibvirt.Libvirt).ConnectGetHostname); err != nil {
		return nil, err
	}
	if s.node, err = nodeOf(ctx, c); err != nil {
		return nil, err
	}
	if err := s.readAbility(ctx, c); err != nil {
		return nil, err
	}
	for _, ask := range []struct {
		what string
		f    func(*golibvirt.Libvirt) error
	}{
		{"networks", func(l *golibvirt.Libvirt) (err error) { s.networks, err = activeNetworks(l); return err }},
		{"storage pools", func(l *golibvirt.Libvirt) (err error) { s.pools, err = sharedPools(l); return err }},
	} {
		if err := order(ctx, c, ask.f); lost(err) {
			return nil, err
		} else if err != nil {
			s.miss("%s: %v", ask.what, err)
		}
	}
	doms, err := short(ctx, c, func(l *golibvirt.Libvirt) ([]golibvirt.Domain, error) {
		doms, _, err := l.ConnectListAllDomains(1, golibvirt.ConnectListDomainsActive|golibvirt.ConnectListDomainsInactive)
		return doms, err
	})
	if err != nil {
		return nil, err
	}
	for _, dom := range doms {
		one, err := readDomain(ctx, c, dom)
		if absent(err) {
			continue // it went away meanwhile
		}
		if lost(err) {
			return nil, err
		}
		if err != nil {
			// An instance must not be left out: a host that is not empty could look so.
			return nil, fmt.Errorf("reading %s: %w", dom.Name, err)
		}
		s.domains = append(s.domains, one)
	}
	slices.SortFunc(s.domains, func(a, b domain) int { return strings.Compare(a.dom.Name, b.dom.Name) })
	return s, nil
}

// readAbility finds out whether the host can run guests at all, and which.
func (s *seen) readAbility(ctx context.Context, c *conn) error {
	sick := func(why error) {
		s.Health = fleet.Sick
		s.miss("health: %v", why)
	}
	version, err := short(ctx, c, (*golibvirt.Libvirt).ConnectGetVersion)
	switch {
	case lost(err):
		return err
	case err != nil:
		sick(err)
	default:
		s.upstream = fmt.Sprintf("%d.%d.%d", version/1000000, version/1000%1000, version%1000)
	}
	doc, err := short(ctx, c, (*golibvirt.Libvirt).ConnectGetCapabilities)
	if lost(err) {
		return err
	}
	if err == nil {
		s.ability, err = parseCapabilities(doc)
	}
	if err != nil {
		sick(err)
		return nil
	}
	s.features, err = cpuFeatures(ctx, c, s.ability)
	if lost(err) && errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if err != nil {
		s.miss("CPU features: %v", err)
	}
	return nil
}

// hostItself asks the host over SSH; what cannot be asked is missing, with why.
func (d *Driver) hostItself(ctx context.Context, h driver.Host, s *seen) hostfacts.Facts {
	why := ""
	switch {
	case h.SSH == "":
		why = "the host has no ssh address"
	case !d.ssh.Configured():
		why = "no SSH key and known_hosts file are configured"
	default:
		f, err := d.ask(ctx, h, s.ability.emulator, s.files)
		if err == nil {
			return f
		}
		why = err.Error()
	}
	s.miss("boot id, installed and booted packages, live patches, bridges, CPU and ecosystem: %s", why)
	return hostfacts.Facts{}
}

// host is all that discovery can tell.
func (s *seen) host(h driver.Host, f hostfacts.Facts, canSSH bool) *fleet.Host {
	s.Capabilities = []string{}
	if s.ability.live {
		s.Capabilities = append(s.Capabilities, "live-migrate")
	}
	s.Capabilities = append(s.Capabilities, "suspend")
	if canSSH {
		s.Capabilities = append(s.Capabilities, "reboot", "update")
	}
	var networks []string // an incomplete list would forbid moves that are possible
	if len(f.Devices) > 0 {
		networks = slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(s.networks), f.Devices...))))
	}
	host := &fleet.Host{
		ID: s.hostname, Hypervisor: fleet.KVM, URI: h.URI, SSH: h.SSH, MemoryMiB: s.MemoryMiB, CPUs: s.node.cpus,
		CPUModel: s.ability.cpuModel, CPUFeatures: s.features, MachineTypes: s.ability.machines,
		Networks: networks, Storage: slices.Sorted(maps.Keys(s.pools)), Health: s.Health, BootID: s.BootID,
		Software: s.Software, Capabilities: slices.Clone(s.Capabilities), Seen: s.At,
	}
	f.Machine(&s.Observation, host)
	return host
}
