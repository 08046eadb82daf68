package explain

import (
	"fmt"
	"strings"
	"time"
)

// few names the first few of many ids.
func few(ids []string) string {
	const most = 4
	if len(ids) <= most {
		return strings.Join(ids, ", ")
	}
	return strings.Join(ids[:most], ", ") + fmt.Sprintf(" and %d more", len(ids)-most)
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func downToo(n int, what string) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s down already)", many(n, what))
}

// lasts writes how long something takes; long spans in whole minutes, rounded up.
func lasts(d time.Duration) string {
	if d < 10*time.Minute {
		return d.Round(time.Second).String()
	}
	d = (d + time.Minute - 1).Truncate(time.Minute)
	return strings.TrimSuffix(d.String(), "0s")
}
