package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// facts prints what a host is, and each layer of its software with when and how it was seen. A layer
// that nobody has looked at says so: it is not the same as one in which nothing was found.
func (t *fleetTable) facts(h *fleet.Host) {
	t.line("%-12s %s", "ecosystem", orNot(h.Ecosystem, "not known"))
	t.line("%-12s %s", "machine", orNot(machine(h), "not known"))
	if len(h.Config) > 0 {
		t.line("%-12s %s", "settings", versionList(h.Config))
	}
	rows := [][]string{{"LAYER", "VERSIONS", "SEEN", "HOW"}}
	for _, layer := range fleet.Layers {
		rows = append(rows, t.layerRow(h, layer))
	}
	t.table(rows)
}

func (t *fleetTable) layerRow(h *fleet.Host, layer string) []string {
	name := strings.ReplaceAll(layer, "_", " ")
	s, looked := h.Sighting(layer, t.ix.Fleet.Taken)
	if !looked {
		return []string{name, "not looked at", "-", "-"}
	}
	found := ""
	switch layer {
	case fleet.LayerInstalled:
		found = versionList(h.Software.Installed)
	case fleet.LayerBooted:
		found = versionList(h.Software.Booted)
	case fleet.LayerRunning:
		found = versionList(h.Software.Running)
		if h.Software.BuildID != "" {
			found = strings.TrimPrefix(found+", build "+h.Software.BuildID, ", ")
		}
	case fleet.LayerLivePatches:
		found = patchList(h.Software.LivePatches)
	}
	return []string{name, orNot(found, "none"), instant(s.At), orNot(s.How, "with the rest")}
}

// machine says what a host's processors are.
func machine(h *fleet.Host) string {
	words := []string{h.Arch, h.CPU.Vendor}
	if h.CPU.Family > 0 {
		words = append(words, fmt.Sprintf("family %d model %d", h.CPU.Family, h.CPU.Model))
	}
	if h.CPU.Microcode != "" {
		words = append(words, "microcode "+h.CPU.Microcode)
	}
	if len(h.VirtCaps) > 0 {
		words = append(words, "virt caps "+strings.Join(h.VirtCaps, " "))
	}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

func patchList(patches []fleet.LivePatch) string {
	var words []string
	for _, p := range patches {
		words = append(words, p.Component+" "+p.Name+" "+p.State)
	}
	return strings.Join(words, ", ")
}

// unlooked counts the hosts of which some layer was not looked at, for the line below all pools.
func unlooked(f *fleet.Fleet) string {
	hosts := map[string]int{}
	for n := range f.Hosts {
		for _, layer := range fleet.Layers {
			if _, ok := f.Hosts[n].Sighting(layer, f.Taken); !ok {
				hosts[layer]++
			}
		}
	}
	var words []string
	for _, layer := range fleet.Layers {
		if n := hosts[layer]; n > 0 {
			words = append(words, fmt.Sprintf("%s on %s", strings.ReplaceAll(layer, "_", " "), count(n, "host")))
		}
	}
	return strings.Join(words, ", ")
}

// instant writes a moment as people read it.
func instant(at time.Time) string {
	if at.IsZero() {
		return "not dated"
	}
	return at.UTC().Format("2006-01-02 15:04:05 UTC")
}

func orNot(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

// seenOf says when and how it was seen what an instance runs on.
func seenOf(i *fleet.Instance) string {
	switch {
	case len(i.Running) == 0:
		return "-"
	case i.Looked == (fleet.Sighting{}):
		return "with its host"
	}
	return strings.TrimSuffix(instant(i.Looked.At)+", "+i.Looked.How, ", ")
}
