package plan

import "time"

// Profile says what a plan was made for.
type Profile string

const (
	// Careful plans are made by the policy as it is, and may be carried out.
	Careful Profile = "careful"
	// Bound plans are made by ToBound of the policy: to measure by, against peers and lower bounds.
	Bound Profile = "bound"
)

// ToBound is a policy with all lifted that is for people's sake or for safety's: windows, lead times,
// canary, soak, growth of waves, shares and reserves of pools, stagger. What is left is what capacity,
// links and the fleet's own rules (groups, spread, host groups, CanMove) allow, in the fewest waves.
func ToBound(p Policy) Policy {
	p.Windows, p.Freezes = []WindowRule{{Always: true}}, nil
	p.Slot, p.SlotBy = max(p.Slot, Duration(24*time.Hour)), ""
	p.Lead, p.Canary, p.Soak, p.WaveGrowth = Lead{}, false, 0, 0
	p.MaxAwayPercent, p.AwayPerRack, p.AwayPerRegion, p.KeepReserve = 100, 0, 0, false
	p.StaggerSites, p.StaggerRegions, p.StaggerRacks, p.StaggerGap = false, false, false, Gap{}
	p.MovesPerRack, p.MovesPerRegion = 0, 0
	p.MovesPerPool, p.MinStay, p.BringHome, p.Home = 1_000_000, 0, false, ""
	return p
}
