package fleet

import "testing"

// TestMemoryBeyondSense: sums of such memory would turn over and make a full host look empty.
func TestMemoryBeyondSense(t *testing.T) {
	_, mistakes := Parse("f", []byte(`evenkeel: fleet/v1
regions: [{id: r}]
sites: [{id: s, region: r}]
pools: [{id: p, site: s, reserve_mib: 9223372036854775807}]
hosts:
  - {id: h, pools: [p], hypervisor: kvm, memory_mib: 1099511627777}
  - {id: k, pools: [p], hypervisor: kvm, memory_mib: 1099511627776}
instances:
  - {id: a, host: k, memory_mib: 9223372036854775807}
  - {id: b, host: k, memory_mib: 9223372036854775807}
`))
	compare(t, mistakes, []string{
		`4:39: pools[0].reserve_mib: found 9223372036854775807 MiB, expected at most 1099511627776 MiB, an exbibyte`,
		`6:54: hosts[0].memory_mib: found 1099511627777 MiB, expected at most 1099511627776 MiB, an exbibyte`,
		`9:34: instances[0].memory_mib: found 9223372036854775807 MiB, expected at most 1099511627776 MiB, an exbibyte`,
		`10:34: instances[1].memory_mib: found 9223372036854775807 MiB, expected at most 1099511627776 MiB, an exbibyte`,
	})
}

// TestRackNobodyKnows: two on one host share its rack, whatever it is called.
func TestRackNobodyKnows(t *testing.T) {
	f := &Fleet{
		Sites: []Site{{ID: "s"}}, Pools: []Pool{{ID: "p", Site: "s"}},
		Hosts:     []Host{{ID: "h", Pools: []string{"p"}}, {ID: "k", Pools: []string{"p"}}},
		Instances: []Instance{{ID: "a", Host: "h", Group: "g"}, {ID: "b", Host: "h", Group: "g"}, {ID: "c", Host: "k", Group: "g"}},
		Groups:    []Group{{ID: "g", Spread: SpreadRack}},
	}
	if got := NewIndex(f).Together(&f.Groups[0]); len(got) != 1 || len(got[0]) != 2 {
		t.Errorf("together: %v, want a and b", got)
	}
}
