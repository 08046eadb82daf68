package execution

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Snapshot is the campaign's fleet as it is now by what was seen and proven: a plan that takes the
// campaign's place is made from it. Instances stand where they run now, those that are gone are left
// out, and hosts are as their last look showed them, with its moment; a host without a look is as the plan's
// fleet has it, and as old. All else is the plan's.
//
// Left out are instances that appeared after the plan was made: neither their tenant nor what
// forbids moving them is known, and a plan must not stop them untold. A turn only ever live-migrates
// them. An instance whose move ended unread stands where it was proven last; Unproven names it.
//
// Nothing in it is shared with the state but what nobody changes. It costs as much as the fleet is large.
func (s *State) Snapshot(now time.Time) *fleet.Fleet {
	if s.Fleet == nil {
		return nil
	}
	out := *s.Fleet
	out.Taken = now.UTC()
	out.Hosts = slices.Clone(s.Fleet.Hosts)
	for i := range out.Hosts {
		s.snapHost(&out.Hosts[i])
	}
	out.Instances = make([]fleet.Instance, 0, len(s.Fleet.Instances))
	gone := map[string]bool{}
	for i := range s.Fleet.Instances {
		in := s.Fleet.Instances[i]
		g := s.Guests[in.ID]
		if g == nil || g.Gone {
			gone[in.ID] = true
			continue
		}
		s.snapInstance(&in, g)
		out.Instances = append(out.Instances, in)
	}
	out.Groups = slices.Clone(s.Fleet.Groups)
	for i := range out.Groups {
		g := &out.Groups[i]
		g.Members = slices.DeleteFunc(slices.Clone(g.Members), func(id string) bool { return gone[id] })
	}
	return &out
}

// snapHost puts what was seen of a host into its line. What the last look did not tell is not known: a
// look from before it may lie on the other side of a reboot.
func (s *State) snapHost(h *fleet.Host) {
	if h.Seen.IsZero() {
		h.Seen = s.taken() // what the plan's fleet says does not grow younger
	}
	now := s.host(h.ID)
	if v := now.View; v != nil {
		h.VirtCaps = slices.Clone(capsBy(h, v))
		h.Software = fleet.Software{Installed: maps.Clone(v.Installed), Booted: maps.Clone(v.Booted), Running: maps.Clone(v.Running),
			BuildID: v.BuildID, LivePatches: slices.Clone(v.LivePatches)}
		h.Health, h.Seen = fleet.Health(v.Health), v.At
		h.BootID = v.BootID
	}
	if !now.Lost.IsZero() || s.notSeenSince(h.ID) {
		h.Health = fleet.Down
	}
}

// notSeenSince: a host that was ordered down was not seen under another boot since, whoever may have reported that it
// does not answer. Where it is known that it never went down, it is as it was seen.
func (s *State) notSeenSince(host string) bool {
	h := s.host(host)
	for _, t := range s.turnsOf[host] {
		if t.committed() && t.Ended.IsZero() && t.NewBoot == "" && t.Code != CodeSameBoot && (h.View == nil || h.View.BootID == t.OldBoot) {
			return true
		}
	}
	return false
}

// snapInstance puts where an instance is, and what its own monitor said last, into its line.
func (s *State) snapInstance(in *fleet.Instance, g *GuestState) {
	old := *in
	in.Host, in.State = g.Host, g.State
	in.MemoryMiB = max(in.MemoryMiB, g.Memory)
	if in.Host != old.Host && in.Home == "" && s.Plan.Policy.HomeRule() == plan.HomeReturn {
		in.Home = old.Host
	}
	h := s.host(g.Host)
	if h.View != nil && !h.At.Before(g.Changed) {
		for _, v := range h.View.Instances {
			if v.ID == in.ID {
				in.Running, in.Looked = maps.Clone(v.Running), fleet.Sighting{At: h.At}
				return
			}
		}
	}
	if in.Host != old.Host || !g.Changed.IsZero() { // it runs in another process, and nobody has asked that one
		in.Running, in.Looked = nil, fleet.Sighting{}
		return
	}
	if len(in.Running) > 0 && in.Looked.At.IsZero() { // as old as the plan's fleet, not as its host's last look
		in.Looked.At = cmp.Or(s.index.Hosts[old.Host].Seen, s.taken())
	}
}

// taken is when the plan's fleet was taken; where it does not say, no later than the plan was made.
func (s *State) taken() time.Time { return cmp.Or(s.Fleet.Taken, s.Plan.Made) }
