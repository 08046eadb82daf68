package advisory

import (
	"slices"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// setting is what an advisory's conditions are held against, and what live patches a host has: all
// that decides beside versions. Hosts of one setting share one *setting, so that a verdict reached
// once serves all of them.
type setting struct {
	host *fleet.Host // any host of the setting: only the facts below are read from it
	// patches that are applied, by name; looked tells whether the list was read at all.
	patches map[string]string // name -> component
	looked  bool
	guests  []guestSetting // the different instances of the host; of an instance exactly one
	single  bool           // an instance is judged, not its host
}

// guestSetting is what conditions ask of an instance.
type guestSetting struct {
	guestType   string
	passthrough bool
	config      map[string]string
	key         string
}

func guestSettingOf(i *fleet.Instance) guestSetting {
	g := guestSetting{guestType: strings.ToLower(i.GuestType), passthrough: len(i.Devices) > 0, config: i.Config}
	g.key = g.guestType + "\x01" + strconv.FormatBool(g.passthrough) + "\x01" + mapKey(i.Config)
	return g
}

// settingKey names a host's setting without its guests.
func settingKey(b *strings.Builder, h *fleet.Host) {
	for _, s := range []string{string(h.Hypervisor), h.Arch, h.CPU.Vendor, strconv.Itoa(h.CPU.Family), strconv.Itoa(h.CPU.Model),
		strings.Join(h.CPUFeatures, ","), strings.Join(h.VirtCaps, ","), strconv.FormatBool(h.VirtCaps == nil), mapKey(h.Config), h.Software.BuildID, strconv.FormatBool(h.Software.LivePatches == nil)} {
		b.WriteString(s)
		b.WriteByte(1)
	}
	for _, p := range h.Software.LivePatches {
		b.WriteString(p.Component + "\x02" + p.Name + "\x02" + p.State + "\x01")
	}
}

// mapKey writes a map so that equal maps give equal texts.
func mapKey(m map[string]string) string {
	if len(m) == 0 {
		return ""
	}
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var b strings.Builder
	for _, k := range keys {
		b.WriteString(k + "\x02" + m[k] + "\x03")
	}
	return b.String()
}

// newSetting is the setting of one host; guests are the different ones on it.
func newSetting(h *fleet.Host, guests []guestSetting, withdrawn func(livePatch string) bool) *setting {
	s := &setting{host: h, guests: guests, patches: map[string]string{}, looked: h.Software.LivePatches != nil}
	for _, p := range h.Software.LivePatches {
		if p.State == fleet.PatchApplied && !withdrawn(p.Name) {
			s.patches[p.Name] = p.Component
		}
	}
	return s
}

// of is the setting of one instance on a host of this setting.
func (s *setting) of(g guestSetting) *setting {
	one := *s
	one.guests, one.single = []guestSetting{g}, true
	return &one
}
