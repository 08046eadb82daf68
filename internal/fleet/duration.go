package fleet

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// The units of a written duration, longest first.
var durationUnits = []struct {
	suffix string
	length time.Duration
}{
	{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond},
}

// Duration is a time.Duration that is written like 90s, 10m, 2h or 7d.
type Duration time.Duration

// ParseDuration reads a duration such as 90s, 10m, 2h, 7d, 500ms or 1h30m: whole numbers, each with
// its unit, longest unit first. It is never negative and never longer than about 292 years.
func ParseDuration(text string) (Duration, error) {
	wrong := fmt.Errorf("%q is not a duration such as 90s, 10m, 2h, 7d or 1h30m", text)
	rest, total, next := text, time.Duration(0), 0
	for rest != "" {
		digits := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
		unit := rest[digits:]
		if end := strings.IndexAny(unit, "0123456789"); end >= 0 {
			unit = unit[:end]
		}
		at := next
		for at < len(durationUnits) && durationUnits[at].suffix != unit {
			at++
		}
		n, err := strconv.ParseInt(rest[:digits], 10, 64)
		if err != nil || at == len(durationUnits) {
			return 0, wrong
		}
		length := durationUnits[at].length
		if n > (math.MaxInt64-int64(total))/int64(length) {
			return 0, fmt.Errorf("%q is longer than a duration can be", text)
		}
		total += time.Duration(n) * length
		rest, next = rest[digits+len(unit):], at+1
	}
	if next == 0 {
		return 0, wrong
	}
	return Duration(total), nil
}

// String writes the duration as ParseDuration reads it, in the fewest units: 90s, 10m, 2h, 7d. Two
// units are used only where one would not be exact, so 1h30m comes out as 90m. What is finer than a
// millisecond is not written.
func (d Duration) String() string {
	left := time.Duration(d)
	if left <= 0 {
		return "0s"
	}
	for _, u := range durationUnits {
		if left%u.length == 0 {
			return strconv.FormatInt(int64(left/u.length), 10) + u.suffix
		}
	}
	return strconv.FormatInt(left.Milliseconds(), 10) + "ms"
}

// Std gives the duration as the standard library's type.
func (d Duration) Std() time.Duration { return time.Duration(d) }

// Written says what a written duration looks like, for messages.
func (*Duration) Written() string { return "a duration such as 90s, 10m, 2h or 7d" }

// UnmarshalText reads the written form; forms of YAML and JSON are both read by it.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := ParseDuration(string(text))
	if err == nil {
		*d = parsed
	}
	return err
}

// MarshalText writes the written form.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// MarshalJSON writes the written form in quotes.
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON reads the written form in quotes.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return fmt.Errorf("a duration is text such as \"90s\" or \"2h\", not %s", data)
	}
	return d.UnmarshalText([]byte(text))
}
