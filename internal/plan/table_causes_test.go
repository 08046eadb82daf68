package plan

import (
	"strings"
	"testing"
)

// TestTableOfCauses: each cause with the first few that it keeps, and what would free them.
func TestTableOfCauses(t *testing.T) {
	p := Plan{Together: &Together{Changes: []Change{{Words: "unpin v1"}, {Words: "unpin v2"}, {Words: "unpin v3"}}, Blocked: 1,
		Left: []Blocked{{Host: "h8", Code: "verdict-unknown", Why: "nothing is known"}}, Why: "1 that causes name are not needed beside the others"}, Causes: []Cause{
		{Code: "no-room", Pool: "p1", Hosts: []string{"h1", "h2", "h3", "h4", "h5", "h6"}, Proven: true,
			Changes: []Change{{Of: "host", ID: "new", Field: "add", To: "4096", Words: "add a host with 4096 MiB to pool p1"}}},
		{Code: "pinned", Instances: []string{"v1"}, Hosts: []string{"h7"},
			Changes: []Change{{Of: "instance", ID: "v1", Field: "pinned", From: "licence", Words: "unpin v1"}, {Of: "policy", Field: "slot", From: "1h", To: "2h", Words: "longer"},
				{Of: "policy", Field: "windows", To: "always: true", Words: "unpin v3"}}, Why: "instead would do as well: something; the search ended after 9 plans"},
		{Code: "verdict-unknown", Hosts: []string{"h8"}, Why: "facts are missing"},
	}}
	for most, want := range map[int]string{2: `
causes, and what would free what they block
  no-room in pool p1: 6 hosts (h1, h2, h3, h4, and 2 more)
    would be freed by (checked; fewer changes do not do):
      add a host with 4096 MiB to pool p1 [host new: added with 4096]
  pinned: 1 host (h7), 1 instance (v1)
    would be freed by (checked):
      unpin v1 [instance v1: pinned from licence to none]
      longer [policy: slot from 1h to 2h]
      and 1 more change
    instead would do as well: something
    the search ended after 9 plans
  verdict-unknown: 1 host (h8)
    facts are missing
  all of it at once
    3 changes, after which 1 stay blocked (checked):
      unpin v1
      unpin v2
      and 1 more change
    still blocked: h8: nothing is known (verdict-unknown)
    1 that causes name are not needed beside the others
`, 0: `
causes, and what would free what they block
  no-room in pool p1: 6 hosts (h1, h2, h3, h4, h5, h6)
    would be freed by (checked; fewer changes do not do):
      add a host with 4096 MiB to pool p1 [host new: added with 4096]
  pinned: 1 host (h7), 1 instance (v1)
    would be freed by (checked):
      unpin v1 [instance v1: pinned from licence to none]
      longer [policy: slot from 1h to 2h]
      unpin v3 [policy: windows has one more: always: true]
    instead would do as well: something
    the search ended after 9 plans
  verdict-unknown: 1 host (h8)
    facts are missing
  all of it at once
    3 changes, after which 1 stay blocked (checked):
      unpin v1
      unpin v2
      unpin v3
    still blocked: h8: nothing is known (verdict-unknown)
    1 that causes name are not needed beside the others
`} {
		var out strings.Builder
		(&table{out: &out, p: &p, o: TableOptions{Most: most}}).causes()
		if out.String() != want {
			t.Errorf("most %d:\n%s\nwant\n%s", most, out.String(), want)
		}
	}
}
