package plan_test

import (
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// TestTableTellsOfClocks: beside a wave stand the owners of its window, where there are several, and what a change of
// clocks did to it; neither where there is nothing to tell.
func TestTableTellsOfClocks(t *testing.T) {
	const h = plan.Duration(time.Hour)
	start := time.Date(2026, 10, 25, 0, 30, 0, 0, time.UTC)
	of := func(timezone string, own ...fleet.Window) string {
		p := plan.Plan{Policy: plan.DefaultPolicy(), Start: start, End: start.Add(time.Hour), Fleet: &fleet.Fleet{
			Regions: []fleet.Region{{ID: "r", Windows: own}}, Sites: []fleet.Site{{ID: "s", Region: "r", Timezone: timezone}},
			Pools: []fleet.Pool{{ID: "p", Site: "s"}}, Hosts: []fleet.Host{{ID: "h", Pools: []string{"p"}}}}}
		p.Policy.Windows = []plan.WindowRule{{Start: "02:30", Length: 3 * h}}
		p.Turns = []plan.Turn{{ID: "h", Host: "h", Pool: "p", Site: "s", Wave: 1, Start: start, End: start.Add(time.Hour), WorstS: 3600, WindowStart: start, WindowEnd: start.Add(2 * time.Hour)}}
		var out strings.Builder
		if err := plan.Table(&out, p, plan.TableOptions{}); err != nil {
			t.Fatal(err)
		}
		var told []string
		for _, l := range strings.Split(out.String(), "\n") {
			if strings.Contains(l, "window") && !strings.Contains(l, "at least") || strings.Contains(l, "clocks") {
				told = append(told, strings.TrimSpace(l))
			}
		}
		return strings.Join(told, "\n")
	}
	const twice = "02:30 on 2026-10-25 comes twice in Europe/Berlin, where clocks go back by 1 h: the window opens at the first, 02:30 CEST"
	for _, c := range []struct{ got, want string }{
		{of("Europe/Berlin"), twice},
		{of("Asia/Tehran"), ""}, // no change of clocks there since 2022
		{of("Europe/Berlin", fleet.Window{Start: "02:30", Length: 2 * h, Timezone: "Asia/Tehran"}), twice + "\nwindow  Sun 2026-10-25 00:30 UTC to 02:30, by the policy, region r"},
	} {
		if sorted(c.got) != sorted(c.want) {
			t.Errorf("got:\n%s\nwant:\n%s", c.got, c.want)
		}
	}
}

func sorted(text string) string {
	lines := strings.Split(text, "\n")
	if len(lines) == 2 && lines[0] > lines[1] {
		lines[0], lines[1] = lines[1], lines[0]
	}
	return strings.Join(lines, "\n")
}
