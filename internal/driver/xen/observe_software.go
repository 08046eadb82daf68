package xen

import (
	"fmt"
	"strings"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/hostfacts"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// Upstream is the name under which a host's upstream number of Xen, like 4.17.5, is published among
// what it runs. It is no package's version: xl info does not tell that.
const Upstream = "xen-upstream"

// hypervisor puts down which Xen runs. Which package it came from is proven by the build id alone: the
// package whose file in /boot is of the build that runs is the one that was booted. The times of files
// would not do, for another entry of the boot loader may have been chosen.
func (s *seen) hypervisor() {
	if s.info.version != "" {
		s.Software.Running[Upstream] = s.info.version
	} else if s.info.said != "" {
		s.gap("running Xen: %q names no release", s.info.said)
	}
	s.Software.BuildID = s.info.buildID
	if s.info.version != "" || s.info.buildID != "" {
		hostfacts.Looked(&s.Observation, fleet.LayerRunning, s.At, []string{"xl info over SSH"})
	}
	var proofs, others []string
	for _, i := range s.images {
		v := s.dom0.Installed[i.pkg]
		switch status, odd := s.dom0.Status[i.pkg]; {
		case i.build == "":
			others = append(others, i.path+" has no build id that can be read")
		case !strings.EqualFold(i.build, s.info.buildID):
			others = append(others, i.path+" is build "+i.build)
		case i.pkg == "":
			others = append(others, i.path+" is of that build and of no package")
		case v == "" && odd:
			others = append(others, i.path+" is of that build, and its package "+i.pkg+" is "+status)
		case v == "":
			others = append(others, i.path+" is of that build, and the version of its package "+i.pkg+" is not known")
		default:
			s.Software.Booted[i.pkg] = v
			proofs = append(proofs, "build id of "+i.path+" over SSH")
		}
	}
	switch {
	case len(proofs) > 0:
		if before := s.Software.Looked[fleet.LayerBooted].How; before != "" {
			proofs = append(proofs, strings.Split(before, ", ")...)
		}
		hostfacts.Looked(&s.Observation, fleet.LayerBooted, s.At, proofs)
	case s.info.buildID == "":
		s.gap("booted hypervisor: xl info tells no build id")
	case len(others) == 0:
		s.gap("booted hypervisor: /boot holds no xen*.gz to compare with the build that runs, %s", s.info.buildID)
	default:
		s.gap("booted hypervisor: build %s runs; %s", s.info.buildID, strings.Join(others, "; "))
	}
}

// patches puts the hypervisor's live patches beside those of dom0's kernel. Both lists must be known:
// one that lacks a patch would say that it is not there.
func (s *seen) patches() {
	kernels := s.Software.Looked[fleet.LayerLivePatches].How
	delete(s.Software.Looked, fleet.LayerLivePatches)
	list, err := s.payloads()
	switch t := s.tools["xen-patches"]; {
	case t.exit == 127: // of the shell: no such command
		s.gap("live patches of Xen: the host has no xen-livepatch")
	case err != nil:
		s.miss("live patches of Xen: %v", err)
	case s.Software.LivePatches != nil: // else it is said already why those of the kernel are not known
		s.Software.LivePatches = append(list, s.Software.LivePatches...)
		hostfacts.Looked(&s.Observation, fleet.LayerLivePatches, s.At, []string{"xen-livepatch list over SSH", kernels})
		return
	}
	s.Software.LivePatches = nil
}

// payloads is the hypervisor's own list. A hypervisor without live patching has none.
func (s *seen) payloads() ([]fleet.LivePatch, error) {
	t, asked := s.tools["xen-patches"]
	switch {
	case !asked:
		return nil, fmt.Errorf("no answer")
	case t.exit != 0 && strings.Contains(t.out, "Error 38:"): // ENOSYS: it was built without
		return []fleet.LivePatch{}, nil
	case t.exit != 0:
		return nil, fmt.Errorf("xen-livepatch list ended with exit code %d: %s", t.exit, lastOf(t.out, 2))
	}
	return parsePayloads(t.out)
}

// keepImages remembers the build ids of hypervisors on disk, and knownImages gives them for the next
// look: to read one costs a slow dom0 seconds.
func (d *Driver) keepImages(h driver.Host, images []image) {
	var text strings.Builder
	for _, i := range images {
		if i.sign != "" && i.build != "" {
			text.WriteString(i.sign + " " + i.build + "\n")
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.images[h.URI+" "+h.SSH] = text.String()
}

func (d *Driver) knownImages(h driver.Host) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.images[h.URI+" "+h.SSH]
}
