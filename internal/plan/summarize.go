package plan

import "math"

// BoundWay says what would allow a plan of profile bound to be carried out.
const BoundWay = "plan again with --profile careful, or write those settings into a policy"

// Summarize sums a plan up that carries its fleet. What the making of it took is for its maker to add.
func Summarize(p Plan) Summary {
	s := Summary{
		Turns: len(p.Turns), Waves: p.Counts.Waves, Moves: len(p.Moves), MakespanSeconds: p.makespanS(), Blocked: len(p.Blocked),
		Bounds: SummaryBounds{Waves: p.Bounds.WavesMin, MovesM1: p.Bounds.MovesM1, MovesM2: p.Bounds.MovesM2, MakespanSeconds: p.Bounds.MakespanMinS},
	}
	if p.Policy.Home == HomeStay || p.Policy.Home == HomeSettle {
		s.Pools = p.Standings()
	}
	if p.Fleet != nil {
		s.Hosts, s.Instances = len(p.Fleet.Hosts), len(p.Fleet.Instances)
		s.Toll = TollOf(p.Fleet, &p)
		s.ExposureVMHours = vmHours(s.Toll.ExposureS)
	}
	tenants, instances := map[string]bool{}, make(map[string]bool, len(p.Slots))
	for i := range p.Slots {
		slot := &p.Slots[i]
		if slot.Class != ClassBlip && slot.Class != ClassOutage {
			continue
		}
		instances[slot.Instance] = true
		if slot.Tenant != "" {
			tenants[slot.Tenant] = true
		}
	}
	s.TenantsInterrupted, s.InstancesInterrupted = len(tenants), len(instances)
	return s
}

// vmHours are seconds of instances as hours, to a tenth.
func vmHours(seconds int64) float64 { return math.Round(float64(seconds)/360) / 10 }

// makespanS is from the first turn's start to the last one's end at worst, in seconds.
func (p *Plan) makespanS() int64 {
	return int64(p.End.Sub(p.Start).Seconds())
}
