package explain

import (
	"cmp"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// nearest gives up to three ids that an unknown one may have been meant for, the nearest first.
func nearest(ix *fleet.Index, id string) []string {
	type near struct {
		id   string
		away int
	}
	var all []near
	most := max(1, len(id)/3)
	consider := func(other string) {
		away := distance(strings.ToLower(id), strings.ToLower(other), most)
		if away > most && len(id) >= 3 && strings.Contains(strings.ToLower(other), strings.ToLower(id)) {
			away = most + 1
		} else if away > most {
			return
		}
		all = append(all, near{other, away})
	}
	for other := range ix.Hosts {
		consider(other)
	}
	for other := range ix.Instances {
		consider(other)
	}
	slices.SortFunc(all, func(a, b near) int { return cmp.Or(cmp.Compare(a.away, b.away), strings.Compare(a.id, b.id)) })
	all = slices.Compact(all)
	var ids []string
	for _, n := range all[:min(3, len(all))] {
		ids = append(ids, n.id)
	}
	return ids
}

// distance is the number of letters to insert, leave out or change that makes one text the other; what is
// above most may be told as most+1.
func distance(a, b string, most int) int {
	if len(a)-len(b) > most || len(b)-len(a) > most {
		return most + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal, least := row[0], i+1
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
			least = min(least, row[j+1])
		}
		if least > most {
			return most + 1
		}
	}
	return row[len(b)]
}
