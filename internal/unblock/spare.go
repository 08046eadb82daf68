package unblock

import (
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// AddHost adds to a fleet that was copied a host like another: empty, up and at the target, in one pool, in a rack
// of its own and in no host group.
func AddHost(in *planner.Input, id, pool string, like *fleet.Host) {
	added(in, id, pool, like, like.MemoryMiB)
}
