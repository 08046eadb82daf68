package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// PoolStanding is how a pool stands when a plan begins, and when all of it has gone as forecast.
type PoolStanding struct {
	Pool   string         `json:"pool" yaml:"pool"`
	Before fleet.Standing `json:"before" yaml:"before"`
	After  fleet.Standing `json:"after" yaml:"after"`
	Worse  []string       `json:"worse,omitempty" yaml:"worse,omitempty"` // what it is worse off in then
}

// Standings compares each pool, by id; nil for a plan that does not carry its fleet.
func (p *Plan) Standings() (out []PoolStanding) {
	if p.Fleet == nil {
		return nil
	}
	ix, ends := fleet.NewIndex(p.Fleet), map[string]string{}
	for i := range p.Moves { // in the order of their starts
		ends[p.Moves[i].Instance] = p.Moves[i].To
	}
	before := ix.Standings(func(i *fleet.Instance) string { return i.Host })
	after := ix.Standings(func(i *fleet.Instance) string {
		if to, moved := ends[i.ID]; moved {
			return to
		}
		return i.Host
	})
	for _, pool := range slices.Sorted(maps.Keys(before)) {
		out = append(out, PoolStanding{pool, before[pool], after[pool], after[pool].Worse(before[pool])})
	}
	return out
}

// Words tell in what a pool is worse off, with the numbers; empty: in nothing.
func (s *PoolStanding) Words() string {
	var parts []string
	for _, code := range s.Worse {
		switch code {
		case fleet.WorseTogether:
			parts = append(parts, fmt.Sprintf("%s that should not, %d before", shared(s.After.Together), s.Before.Together))
		case fleet.WorseShort:
			parts = append(parts, fmt.Sprintf("%d MiB short of its reserve, %d before", s.After.ShortMiB, s.Before.ShortMiB))
		case fleet.WorseFullest:
			parts = append(parts, fmt.Sprintf("its fullest host has %s in use, %s before", percentOf(s.After.Fullest), percentOf(s.Before.Fullest)))
		case fleet.WorseLargest:
			parts = append(parts, fmt.Sprintf("at most %d MiB free on one host, %d before", s.After.LargestMiB, s.Before.LargestMiB))
		}
	}
	return strings.Join(parts, "; ")
}

func shared(n int) string {
	if n == 1 {
		return "1 instance shares a place with one of its group"
	}
	return fmt.Sprintf("%d instances share a place with one of their group", n)
}

func percentOf(permille int64) string { return fmt.Sprintf("%d.%d %%", permille/10, permille%10) }
