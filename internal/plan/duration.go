package plan

import "github.com/evenkeel/evenkeel/internal/fleet"

// Duration is a time.Duration that is written like 90s, 10m, 2h or 7d.
type Duration = fleet.Duration

// ParseDuration reads a duration such as 90s, 10m, 2h, 7d, 500ms or 1h30m.
func ParseDuration(text string) (Duration, error) { return fleet.ParseDuration(text) }
