package optima

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
)

func newSearch(c *Case, steps int) *search {
	n := len(c.Hosts)
	s := &search{hosts: n, due: 1<<n - 1, groups: c.Groups, steps: steps, failed: map[string]int{}, domains: n + 1}
	for i := range c.Hosts {
		h := &c.Hosts[i]
		pools := uint(0)
		for _, p := range h.pools() {
			pools |= 1 << p
		}
		s.mask = append(s.mask, pools)
		s.room = append(s.room, h.GiB)
		s.stay = append(s.stay, make([]int, len(c.Groups)))
	}
	for i := range c.Hosts {
		meet := uint(0)
		for j := range c.Hosts {
			if s.mask[i]&s.mask[j] != 0 {
				meet |= 1 << j
			}
		}
		s.meet = append(s.meet, meet)
	}
	s.readInstances(c)
	s.readGroups(c)
	s.findTwins(c)
	s.most = s.mostAtOnce()
	return s
}

func (s *search) readInstances(c *Case) {
	for i := range c.Instances {
		in := &c.Instances[i]
		if in.Pinned {
			s.room[in.Host] -= in.GiB
			if in.Group > 0 {
				s.stay[in.Host][in.Group-1]++
			}
			continue
		}
		s.first++
		if k := (kind{in.GiB, in.Group}); !slices.Contains(s.kinds, k) {
			s.kinds = append(s.kinds, k)
		}
	}
	slices.SortFunc(s.kinds, func(a, b kind) int { return cmp.Or(b.gib-a.gib, a.group-b.group) })
	for range c.Hosts {
		s.begin = append(s.begin, make([]uint8, len(s.kinds)))
	}
	for i := range c.Instances {
		if in := &c.Instances[i]; !in.Pinned {
			s.begin[in.Host][slices.Index(s.kinds, kind{in.GiB, in.Group})]++
		}
	}
}

func (s *search) readGroups(c *Case) {
	s.domain = make([][]int, len(c.Groups))
	for g, gr := range c.Groups {
		if gr.Spread == "" {
			continue
		}
		s.domains = max(s.domains, 2*len(c.Hosts)+100)
		for i, h := range c.Hosts {
			d := i
			if gr.Spread == "rack" && h.Rack > 0 {
				d = len(c.Hosts) + h.Rack
			}
			s.domain[g] = append(s.domain[g], d)
		}
	}
	for _, g := range c.HostGroups {
		set := uint(0)
		for _, h := range g.Hosts {
			set |= 1 << h
		}
		s.hgs, s.spare = append(s.hgs, set), append(s.spare, g.Max)
	}
}

// findTwins numbers the sorts of hosts.
func (s *search) findTwins(c *Case) {
	racks := slices.ContainsFunc(c.Groups, func(g Group) bool { return g.Spread == "rack" })
	sorts := map[string]int{}
	for i, h := range c.Hosts {
		rack := 0
		if racks {
			if rack = h.Rack; rack == 0 {
				rack = -1 - i
			}
		}
		var in []int
		for g, set := range s.hgs {
			if set>>i&1 == 1 {
				in = append(in, g)
			}
		}
		name := fmt.Sprint(s.room[i], s.mask[i], rack, in, s.stay[i])
		if _, known := sorts[name]; !known {
			sorts[name] = len(sorts)
		}
		s.twin = append(s.twin, sorts[name])
	}
}

func (s *search) start() *state {
	st := &state{ahead: s.due, on: s.begin, free: slices.Clone(s.room)}
	for h := range s.hosts {
		for k, n := range st.on[h] {
			st.free[h] -= int(n) * s.kinds[k].gib
		}
	}
	return st
}

// mostAtOnce: what can move must fit on the hosts that are not in the wave, by the sum of memory and by the
// slots of each size. Tried with each set of hosts.
func (s *search) mostAtOnce() (most int) {
	for set := s.due; set > 0; set = (set - 1) & s.due {
		if n := bits.OnesCount(set); n > most && s.fits(set) {
			most = n
		}
	}
	return most
}

func (s *search) fits(away uint) bool {
	units := []int{1}
	for _, k := range s.kinds {
		units = append(units, k.gib)
	}
	for _, u := range units {
		room := 0
		for h := range s.hosts {
			if away>>h&1 == 0 {
				room += s.room[h] / u
			}
			for k, n := range s.begin[h] {
				room -= int(n) * (s.kinds[k].gib / u)
			}
		}
		if room < 0 {
			return false
		}
	}
	return true
}

func (s *search) wavesMin() int {
	return (s.hosts + max(1, s.most) - 1) / max(1, s.most)
}

// key names a state up to an exchange of twins. Of a host that is done only its room counts, and who on it is
// of a spread group.
func (s *search) key(st *state, waves int) string {
	blocks := make([]string, s.hosts)
	for h := range s.hosts {
		b := []byte{byte(s.twin[h]), byte(st.ahead >> h & 1), byte(st.free[h]), byte(st.free[h] >> 8)}
		for k, n := range st.on[h] {
			g := s.kinds[k].group
			if st.ahead>>h&1 == 1 || g > 0 && s.domain[g-1] != nil {
				b = append(b, n)
			}
		}
		blocks[h] = string(b)
	}
	slices.Sort(blocks)
	key := []byte{byte(waves)}
	for _, b := range blocks {
		key = append(key, b...)
	}
	return string(key)
}
