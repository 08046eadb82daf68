package plan

import (
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// TestPolicyNames: each name that the fleet does not have, with its place and what was meant.
func TestPolicyNames(t *testing.T) {
	f := &fleet.Fleet{
		Regions: []fleet.Region{{ID: "eu"}}, Sites: []fleet.Site{{ID: "ams-1"}, {ID: "ams-2"}, {ID: "fra-1"}},
		HostGroups: []fleet.HostGroup{{ID: "quorum"}}, Hosts: []fleet.Host{{ID: "h1"}, {ID: "h2"}, {ID: "h3"}, {ID: "h4"}, {ID: "h5"}, {ID: "h6"}},
	}
	src := []byte(`evenkeel: policy/v1
windows:
  - {start: "02:00", length: 3h, sites: [ams-1, Fra1]}
  - {start: "02:00", length: 3h, regions: [eu, antarctica]}
freezes:
  - from: "2026-11-27 00:00"
    to: "2026-11-30 00:00"
    host_groups: [quorom]
    tenants: [acme]
    regions: [ue]
    sites: [amsterdam]
times_for:
  - {hosts: [h1, node-seven], sites: [fra-2], models: [of nobody], reboot: {median: 5m, p95: 9m}}
`)
	p, mistakes := ParsePolicy("f", src)
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	compare(t, PolicyNames("f", src, p, f), `3:49: windows[0].sites[1]: found the unknown site "Fra1", expected fra-1
4:48: windows[1].regions[1]: found the unknown region "antarctica", expected one of the regions of the fleet: eu
8:19: freezes[0].host_groups[0]: found the unknown host group "quorom", expected quorum
9:15: freezes[0].tenants[0]: found the unknown tenant "acme", expected none: the fleet has no tenant
10:15: freezes[0].regions[0]: found the unknown region "ue", expected eu
11:13: freezes[0].sites[0]: found the unknown site "amsterdam", expected one of the sites of the fleet: ams-1, ams-2, fra-1
13:18: times_for[0].hosts[1]: found the unknown host "node-seven", expected one of the 6 hosts of the fleet
13:39: times_for[0].sites[0]: found the unknown site "fra-2", expected fra-1`)
	p.Windows, p.Freezes, p.TimesFor = p.Windows[:0], nil, nil
	compare(t, PolicyNames("f", src, p, f), "")
}
