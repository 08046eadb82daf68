package xen

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// seen is one host being observed.
type seen struct {
	driver.Observation
	answer
	info    info
	domains []endDomain
	configs map[int]config // by the domain's id
	// configsRead: this look has read them, and all that there are.
	configsRead bool
}

func (s *seen) miss(format string, args ...any) {
	s.Missing = append(s.Missing, fmt.Sprintf(format, args...))
}

// gap notes what the host does not offer: no fault, but not known either.
func (s *seen) gap(format string, args ...any) {
	s.Gaps = append(s.Gaps, fmt.Sprintf(format, args...))
}

// Observe reads one host as it is now, in one call.
func (d *Driver) Observe(ctx context.Context, h driver.Host) (driver.Observation, error) {
	// It waits for several tools, one after the other, on a dom0 that may be busy with a migration.
	ctx, cancel := context.WithTimeout(ctx, 3*d.cfg.CallTimeout)
	defer cancel()
	before := d.knownDomains(h)
	argv := append([]string{"env", "known=" + d.knownImages(h), "domains=" + before.lines, "sh", "-c", observeScript, "evenkeel", "", "0", d.cfg.SaveDir}, d.cfg.ConfigDirs...)
	began := time.Now().UTC() // what it shows may be as old as that
	res, err := d.long(ctx, h, nil, argv...)
	if err != nil {
		return driver.Observation{}, unreachable(h, err)
	}
	s := &seen{}
	s.At = began
	if s.answer, err = parseAnswer(res.Stdout); err != nil {
		return driver.Observation{}, silent(h, fmt.Errorf("what it answered: %w (exit %d, %s)", err, res.Exit, lastOf(res.Stderr, 3)))
	}
	if err := s.read(before); err != nil {
		return driver.Observation{}, silent(h, fmt.Errorf("%w (%s)", err, lastOf(res.Stderr, 3)))
	}
	d.noteCPUs(h, s.domains)
	d.keepImages(h, s.images)
	d.keepDomains(h, s)
	s.observe(h)
	return s.Observation, nil
}

// silent: dom0 answers, but the hypervisor's own tools do not.
func silent(h driver.Host, err error) error {
	return &driver.Error{Code: driver.CodeUnreachable, Retry: true, Awake: true, Err: err, Why: "Xen's tools on " + nameOf(h) + " do not answer",
		Next: "see on the host whether it was booted with Xen and whether xl list works there"}
}

func nameOf(h driver.Host) string {
	if h.ID != "" {
		return h.ID
	}
	return h.URI
}

// read takes in what must be known of a host: what runs on it. What else is not told is missing.
func (s *seen) read(before domainsKnown) error {
	list, asked := s.tools["xen-list"]
	switch {
	case s.under != "xen":
		return fmt.Errorf("its kernel runs without Xen under it (boot id %s)", cmp.Or(s.dom0.BootID, "not known"))
	case !asked || list.exit != 0:
		return fmt.Errorf("xl list ended with exit code %d", list.exit)
	}
	var err error
	if s.domains, err = parseEndList(list.out); err != nil {
		return err
	}
	s.Health = fleet.Up
	sick := func(why error) {
		s.Health = fleet.Sick
		s.miss("health: %v", why)
	}
	if t := s.tools["xen-info"]; t.exit != 0 {
		sick(fmt.Errorf("xl info ended with exit code %d", t.exit))
	} else if s.info, err = parseInfo(t.out); err != nil {
		sick(err)
	}
	s.configs = map[int]config{}
	if s.asBefore {
		s.configs = before.configs
		for path, kind := range before.fs {
			s.dom0.FS[path] = kind
		}
		return nil
	}
	t := s.tools["xen-config"]
	all, err := parseConfigs(t.out)
	if err == nil && t.exit != 0 {
		err = fmt.Errorf("xl list -l ended with exit code %d", t.exit)
	}
	if err != nil {
		s.miss("configurations of instances: %v", err)
		return nil
	}
	s.configsRead = true
	for _, c := range all {
		s.configs[*c.ID] = c
	}
	return nil
}

// observe puts all that was read into the contract's words.
func (s *seen) observe(h driver.Host) {
	if h.ID == "" {
		h.ID = s.info.host
	}
	s.Host = h.ID
	s.instances(h)
	s.dom0.Software(&s.Observation, nil)
	s.hypervisor()
	s.patches()
	s.Capabilities = s.capabilities()
	s.memory(h)
	s.Facts = s.host(h)
}

// memory: what is free is what Xen says; in all it is that and what the instances hold, unless an
// operator has said how much of the machine is for instances.
func (s *seen) memory(h driver.Host) {
	held := int64(0)
	for _, d := range s.domains {
		if d.id != 0 {
			held += d.memMiB
		}
	}
	s.MemoryMiB, s.FreeMiB = h.MemoryMiB, s.info.freeMiB
	if s.MemoryMiB <= 0 {
		s.MemoryMiB = held + s.info.freeMiB
		return
	}
	s.FreeMiB = max(0, min(s.FreeMiB, s.MemoryMiB-held))
}

// host is all that discovery can tell.
func (s *seen) host(h driver.Host) *fleet.Host {
	address, _ := address(h)
	host := &fleet.Host{
		ID: s.info.host, Hypervisor: fleet.Xen, URI: h.URI, SSH: address, MemoryMiB: s.MemoryMiB, CPUs: s.info.cpus,
		VirtCaps: s.info.caps, Networks: s.bridges(), Health: s.Health, BootID: s.BootID,
		Software: s.Software, Capabilities: slices.Clone(s.Capabilities), Seen: s.At,
	}
	s.dom0.Machine(&s.Observation, host)
	// Dom0's kernel knows its own processors only: of the machine's threads, Xen tells.
	host.Config = nil
	switch {
	case s.info.threads > 1:
		host.Config = map[string]string{"smt": "on"}
	case s.info.threads == 1:
		host.Config = map[string]string{"smt": "off"}
	}
	return host
}

// bridges are dom0's network devices that an instance may be tied to.
func (s *seen) bridges() (names []string) {
	for _, name := range s.dom0.Devices {
		if !strings.HasPrefix(name, "vif") { // an instance's own
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}
