package fleet

import (
	"fmt"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/form"
	"github.com/evenkeel/evenkeel/internal/version"
)

// Layers are the facts about a host's software that are told apart, in the order in which they come
// about: what lies on disk, what was booted, what runs, what patches the running code.
var Layers = []string{LayerInstalled, LayerBooted, LayerRunning, LayerLivePatches}

// Sighting tells when and how a layer of a host's software was read. ok is false when nobody has
// looked at it: nothing was found, and no look is noted.
func (h *Host) Sighting(layer string, taken time.Time) (s Sighting, ok bool) {
	s, noted := h.Software.Looked[layer]
	found := map[string]bool{
		LayerInstalled: len(h.Software.Installed) > 0, LayerBooted: len(h.Software.Booted) > 0, LayerRunning: len(h.Software.Running) > 0 || h.Software.BuildID != "",
		LayerLivePatches: h.Software.LivePatches != nil,
	}[layer]
	if !noted && !found {
		return Sighting{}, false
	}
	if s.At.IsZero() { // read with the rest
		s.At = h.Seen
	}
	if s.At.IsZero() {
		s.At = taken
	}
	return s, true
}

// skew is how far two clocks may stand apart before one of them is wrong.
const skew = 5 * time.Second

// facts checks what was read of hosts and instances for what no look can have told.
func (c *checker) facts(f *Fleet) {
	for n := range f.Hosts {
		h := &f.Hosts[n]
		c.ecosystem(at("hosts", n, "ecosystem"), h.Ecosystem)
		for _, layer := range sortedKeys(h.Software.Looked) {
			path := at("hosts", n, "software.looked."+layer)
			c.layer(path, layer)
			c.sighting(path, h.Software.Looked[layer].At, f.Taken)
		}
		var names []string
		for _, p := range h.Software.LivePatches {
			names = append(names, p.Component+"/"+p.Name)
		}
		c.once(names, func(m int) string { return at("hosts", n, fmt.Sprintf("software.live_patches[%d].name", m))() }, "live patch")
	}
	for n := range f.Instances {
		c.sighting(at("instances", n, "looked"), f.Instances[n].Looked.At, f.Taken)
	}
}

func (c *checker) layer(path func() string, layer string) {
	for _, known := range Layers {
		if layer == known {
			return
		}
	}
	c.wrong(path(), "the unknown layer "+form.Quote(layer), "one of "+joined(Layers))
}

// sighting: a fleet holds nothing that was seen after it was taken.
func (c *checker) sighting(path func() string, seen, taken time.Time) {
	if taken.IsZero() || !seen.After(taken.Add(skew)) {
		return
	}
	c.wrong(path()+".at", seen.Format(time.RFC3339)+", after the fleet was taken", "no later than "+taken.Format(time.RFC3339))
}

// ecosystem: a name, or a name and a release. Whether its versions can be compared is a warning's
// matter: a fact about a host is no mistake because nobody here can judge it.
func (c *checker) ecosystem(path func() string, name string) {
	distro, release, named := strings.Cut(name, ":")
	if name == "" || distro != "" && strings.TrimSpace(name) == name && strings.TrimSpace(distro) == distro && (!named || release != "") {
		return
	}
	c.wrong(path(), form.Quote(name), "a distribution as OSV names it, with its release: Debian:12, Alpine:v3.20, Rocky Linux:9")
}

// comparableEcosystem warns of hosts whose packages' versions nobody can put in order.
func comparableEcosystem(h *Host) (why string) {
	if h.Ecosystem == "" || version.FamilyOf(h.Ecosystem) != version.NotComparable {
		return ""
	}
	distro, _, _ := strings.Cut(h.Ecosystem, ":")
	why = fmt.Sprintf("host %s is of ecosystem %s, whose versions cannot be compared: its packages will be judged unknown", h.ID, h.Ecosystem)
	for _, known := range version.Known() {
		if strings.EqualFold(strings.ReplaceAll(known, " ", ""), strings.ReplaceAll(strings.ReplaceAll(distro, " ", ""), "-", "")) {
			return why + ". It is spelled " + known
		}
	}
	return why + ". Known are " + joined(version.Known())
}
