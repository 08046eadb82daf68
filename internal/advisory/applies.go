package advisory

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// truth of a condition: a fact that is missing makes it neither true nor false.
type truth int

const (
	fails truth = iota
	cannotTell
	holds
)

// applying says whether an advisory applies in a setting, and in words why or why not. Of several
// conditions any suffices.
func (s *setting) applying(cs []Condition) (truth, string) {
	if len(cs) == 0 {
		return holds, ""
	}
	best, why := fails, []string{}
	for i := range cs {
		t, w := s.meets(&cs[i])
		if t == holds {
			return holds, w
		}
		if t > best {
			best, why = t, nil
		}
		if t == best && !slices.Contains(why, w) {
			why = append(why, w)
		}
	}
	return best, strings.Join(why, "; ")
}

// meets holds one condition against the host and its instances: of a host it is met when any
// instance meets it.
func (s *setting) meets(c *Condition) (truth, string) {
	t, why := s.hostMeets(c)
	if t == fails || !c.ofGuests() {
		return t, why
	}
	g, guestWhy := s.guestsMeet(c)
	if t == cannotTell && g != fails {
		return t, why
	}
	return g, guestWhy
}

func (c *Condition) ofGuests() bool {
	return len(c.GuestTypes) > 0 || c.Passthrough != nil || len(c.Config) > 0
}

// hostMeets asks for what is the host's own.
func (s *setting) hostMeets(c *Condition) (truth, string) {
	h := s.host
	family, model := "", ""
	if h.CPU.Family > 0 {
		family = strconv.Itoa(h.CPU.Family)
	}
	if h.CPU.Model > 0 { // 0 is how the fleet says that it was not read
		model = strconv.Itoa(h.CPU.Model)
	}
	doubt := ""
	for _, q := range []struct {
		what string
		want []string
		have string
	}{
		{"hypervisor", c.Hypervisors, string(h.Hypervisor)}, {"architecture", c.Arch, h.Arch}, {"CPU vendor", c.CPUVendors, h.CPU.Vendor},
		{"CPU family", numbers(c.CPUFamilies), family}, {"CPU model", numbers(c.CPUModels), model},
	} {
		switch {
		case len(q.want) == 0:
		case q.have == "":
			doubt = "it concerns " + q.what + " " + strings.Join(q.want, ", ") + ", and the host's " + q.what + " is not known"
		case !slices.ContainsFunc(q.want, func(w string) bool { return strings.EqualFold(spelled(w), spelled(q.have)) }):
			return fails, "it concerns " + q.what + " " + strings.Join(q.want, ", ") + ", the host's is " + q.have
		}
	}
	if len(c.CPUFeatures) > 0 {
		switch {
		case len(h.CPUFeatures) == 0:
			doubt = "it concerns CPUs with " + strings.Join(c.CPUFeatures, ", ") + ", and the host's CPU features are not known"
		case !slices.ContainsFunc(c.CPUFeatures, func(f string) bool { return slices.Contains(h.CPUFeatures, f) }):
			return fails, "it concerns CPUs with " + strings.Join(c.CPUFeatures, " or ") + ", the host's has none of them"
		}
	}
	if doubt != "" {
		return cannotTell, doubt
	}
	return holds, ""
}

// spelled puts the spellings of one architecture together.
func spelled(s string) string {
	switch strings.ToLower(s) {
	case "x86", "amd64", "x64", "x86-64":
		return "x86_64"
	case "arm64":
		return "aarch64"
	case "genuineintel":
		return "intel"
	case "authenticamd":
		return "amd"
	case "hygongenuine":
		return "hygon"
	}
	return s
}

func numbers(list []int) (out []string) {
	for _, n := range list {
		out = append(out, strconv.Itoa(n))
	}
	return out
}

// guestsMeet asks the instances. A host without any is asked what it could run: an empty host is not
// safe, for anything may be started there.
func (s *setting) guestsMeet(c *Condition) (truth, string) {
	if len(s.guests) == 0 {
		return s.emptyMeets(c)
	}
	best, why := fails, ""
	for _, g := range s.guests {
		t, w := s.guestMeets(c, g)
		if t == holds {
			return holds, ""
		}
		if t > best || why == "" {
			best, why = max(t, best), w
		}
	}
	if best == fails && !s.single {
		why += " (so are all on this host; one of another kind that came here would be affected)"
	}
	return best, why
}

// emptyMeets: nothing of the asked kind can be on a host whose hypervisor cannot run it.
func (s *setting) emptyMeets(c *Condition) (truth, string) {
	if why := s.canRunNone(c.GuestTypes); why != "" {
		return fails, why
	}
	for _, key := range sortedKeys(c.Config) {
		if have, ok := s.host.Config[key]; ok && have != c.Config[key] {
			return fails, fmt.Sprintf("it concerns %s %s, here it is %s", key, c.Config[key], have)
		}
	}
	return holds, ""
}

// canRunNone says that the host can run none of these types of guest; "" where it can, or where
// virt_caps were not read.
func (s *setting) canRunNone(types []string) string {
	if len(types) > 0 && s.host.Hypervisor == fleet.KVM && !slices.ContainsFunc(types, func(t string) bool { return strings.EqualFold(t, kvmGuests) }) {
		return "it concerns " + strings.Join(types, ", ") + " guests, and all of KVM's are " + kvmGuests
	}
	if len(types) == 0 || len(s.host.VirtCaps) == 0 || slices.ContainsFunc(types, s.canRun) {
		return ""
	}
	return "it concerns " + strings.Join(types, ", ") + " guests, and the host cannot run them (virt_caps: " + strings.Join(s.host.VirtCaps, " ") + ")"
}

// kvmGuests: KVM has one kind of guest, hardware-assisted.
const kvmGuests = "hvm"

// canRun: Xen's pvh guests need the capability hvm. That it can run pv guests Xen says only since 4.13,
// when it began to name hap and shadow too; before, all could.
func (s *setting) canRun(guestType string) bool {
	caps := s.host.VirtCaps
	switch t := strings.ToLower(guestType); t {
	case "pvh":
		return slices.Contains(caps, "pvh") || slices.Contains(caps, "hvm")
	case "pv":
		return slices.Contains(caps, "pv") || !slices.Contains(caps, "hap") && !slices.Contains(caps, "shadow")
	default:
		return slices.Contains(caps, t)
	}
}

func (s *setting) guestMeets(c *Condition, g guestSetting) (truth, string) {
	doubt := ""
	if len(c.GuestTypes) > 0 {
		have := g.guestType
		if have == "" && s.host.Hypervisor == fleet.KVM {
			have = kvmGuests
		}
		switch none := s.canRunNone(c.GuestTypes); {
		case have == "" && none != "":
			return fails, none
		case have == "":
			doubt = "it concerns " + strings.Join(c.GuestTypes, ", ") + " guests, and of which type this one is is not known"
		case !slices.ContainsFunc(c.GuestTypes, func(t string) bool { return strings.EqualFold(t, have) }):
			return fails, "it concerns " + strings.Join(c.GuestTypes, ", ") + " guests, this one is " + have
		}
	}
	if c.Passthrough != nil && *c.Passthrough != g.passthrough {
		if *c.Passthrough {
			return fails, "it concerns guests with a passed-through device, this one has none"
		}
		return fails, "it concerns guests without a passed-through device, this one has one"
	}
	for _, key := range sortedKeys(c.Config) {
		have, known := g.config[key]
		if !known {
			have, known = s.host.Config[key]
		}
		switch {
		case !known:
			doubt = fmt.Sprintf("it concerns %s %s, and what %s is here is not known", key, c.Config[key], key)
		case have != c.Config[key]:
			return fails, fmt.Sprintf("it concerns %s %s, here it is %s", key, c.Config[key], have)
		}
	}
	if doubt != "" {
		return cannotTell, doubt
	}
	return holds, ""
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func orElse(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
