package plan

import (
	"cmp"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// DefaultMovesPerLink is how many migrations go over one link at once where policy does not say.
const DefaultMovesPerLink = 8

// OverLink is how many migrations may go over one link at once.
func (p *Policy) OverLink() int { return cmp.Or(p.MovesPerLink, DefaultMovesPerLink) }

// Slowest is the rate, in Mbit/s, of a NIC that would give a migration as much as the slowest of what it goes over
// does: the NICs at its ends, which as many share as policy allows to a host, and links, which as many share as policy
// allows to a link. The second value is the link that is the slowest; nil: a NIC is.
func (p *Policy) Slowest(nicMbps float64, links []*fleet.Link) (float64, *fleet.Link) {
	var by *fleet.Link
	for _, l := range links {
		if as := float64(l.Mbps) / float64(p.OverLink()) * float64(max(1, p.MovesPerHost)); as < nicMbps {
			nicMbps, by = as, l
		}
	}
	return nicMbps, by
}
