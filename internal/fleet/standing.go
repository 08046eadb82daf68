package fleet

// Standing is how a pool stands with its instances where they are: what it withstands, and what it can still take.
// It counts the hosts whose home the pool is and that are up.
type Standing struct {
	// Together counts the members of groups, running here, that share with another one what their group's spread says
	// no two may share.
	Together int `json:"together" yaml:"together"`
	// ShortMiB is how much the pool's free memory is below its reserve; 0: the reserve is kept.
	ShortMiB int64 `json:"short_mib" yaml:"short_mib"`
	// Fullest is the memory in use on the fullest host, in thousandths of what that host has, rounded up.
	Fullest int64 `json:"fullest_permille" yaml:"fullest_permille"`
	// LargestMiB is the most that is free on one host: what the largest instance may have that can still come.
	LargestMiB int64 `json:"largest_free_mib" yaml:"largest_free_mib"`
}

// What a pool can be worse off in.
const (
	WorseTogether = "spread"
	WorseShort    = "reserve"
	WorseFullest  = "fullest-host"
	WorseLargest  = "largest-free"
)

// Worse names all that a pool is worse off in than it was; nil: it is as well off.
func (s Standing) Worse(than Standing) (in []string) {
	if s.Together > than.Together {
		in = append(in, WorseTogether)
	}
	if s.ShortMiB > than.ShortMiB {
		in = append(in, WorseShort)
	}
	if s.Fullest > than.Fullest {
		in = append(in, WorseFullest)
	}
	if s.LargestMiB < than.LargestMiB {
		in = append(in, WorseLargest)
	}
	return in
}

// Standings gives how each pool would stand with its instances on the hosts that at names.
func (ix *Index) Standings(at func(*Instance) string) map[string]Standing {
	used := make(map[string]int64, len(ix.Hosts))
	for _, i := range ix.Instances {
		if i.TakesMemory() {
			used[at(i)] += i.MemoryMiB
		}
	}
	out := make(map[string]Standing, len(ix.Pools))
	for pool := range ix.Pools {
		out[pool] = ix.standing(pool, used)
	}
	for id, g := range ix.Groups {
		for _, members := range ix.sharing(id, g.Spread, at) {
			for _, i := range members {
				if p := ix.HomePool(at(i)); p != nil {
					s := out[p.ID]
					s.Together++
					out[p.ID] = s
				}
			}
		}
	}
	return out
}

func (ix *Index) standing(pool string, used map[string]int64) (s Standing) {
	var free int64
	for _, h := range ix.HomeHosts(pool) {
		if !h.IsUp() || h.MemoryMiB <= 0 {
			continue
		}
		left := h.MemoryMiB - used[h.ID]
		free += left
		s.LargestMiB = max(s.LargestMiB, left)
		s.Fullest = max(s.Fullest, (1000*used[h.ID]+h.MemoryMiB-1)/h.MemoryMiB)
	}
	s.ShortMiB = max(0, ix.ReserveMiB(pool)-free)
	return s
}

// sharing gives the members of a group that share a domain, by domain.
func (ix *Index) sharing(group string, spread Spread, at func(*Instance) string) map[string][]*Instance {
	if spread == SpreadNone || spread == "" {
		return nil
	}
	in := map[string][]*Instance{}
	for _, i := range ix.Members[group] {
		if domain := ix.Domain(spread, at(i)); domain != "" && i.TakesMemory() {
			in[domain] = append(in[domain], i)
		}
	}
	for domain, members := range in {
		if len(members) < 2 {
			delete(in, domain)
		}
	}
	return in
}
