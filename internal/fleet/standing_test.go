package fleet

import (
	"reflect"
	"testing"
)

// TestStandings: each number by hand, of a pool with a sick host, a guest of another pool and a stopped instance.
func TestStandings(t *testing.T) {
	reserve := int64(5000)
	f := &Fleet{
		Regions: []Region{{ID: "r"}}, Sites: []Site{{ID: "s", Region: "r"}},
		Pools: []Pool{{ID: "p", Site: "s", ReserveMiB: &reserve}, {ID: "q", Site: "s"}},
		Hosts: []Host{
			{ID: "a", Pools: []string{"p", "q"}, MemoryMiB: 3000, Rack: "1"}, {ID: "b", Pools: []string{"p"}, MemoryMiB: 4000, Rack: "1"},
			{ID: "c", Pools: []string{"p"}, MemoryMiB: 9000, Health: Sick}, {ID: "d", Pools: []string{"q", "p"}, MemoryMiB: 2000, Rack: "2"},
		},
		Groups: []Group{{ID: "hosts", Spread: SpreadHost, Members: []string{"i", "j"}}, {ID: "racks", Spread: SpreadRack, Members: []string{"i", "k", "l"}}, {ID: "any"}},
		Instances: []Instance{
			{ID: "i", Host: "a", MemoryMiB: 1000, Group: "any"}, {ID: "j", Host: "a", MemoryMiB: 1}, {ID: "k", Host: "b", MemoryMiB: 500, Group: "any"},
			{ID: "l", Host: "a", MemoryMiB: 700, State: Stopped}, {ID: "m", Host: "c", MemoryMiB: 8000}, {ID: "n", Host: "d", MemoryMiB: 100},
		},
	}
	ix := NewIndex(f)
	stay := ix.Standings(func(i *Instance) string { return i.Host })
	want := map[string]Standing{
		// i and j share host a, i and k the rack: l is stopped and shares nothing.
		"p": {Together: 4, ShortMiB: 0, Fullest: 334, LargestMiB: 3500},
		"q": {Together: 0, ShortMiB: 100, Fullest: 50, LargestMiB: 1900},
	}
	if !reflect.DeepEqual(stay, want) {
		t.Errorf("got %+v, want %+v", stay, want)
	}
	moved := ix.Standings(func(i *Instance) string {
		if i.ID == "i" {
			return "d"
		}
		return i.Host
	})
	if s := moved["p"]; s != (Standing{Fullest: 125, LargestMiB: 3500}) {
		t.Errorf("i on d leaves p with %+v", s)
	}
	if s := moved["q"]; s != (Standing{ShortMiB: 1100, Fullest: 550, LargestMiB: 900}) {
		t.Errorf("i on d leaves q with %+v", s)
	}
	if got := moved["q"].Worse(stay["q"]); !reflect.DeepEqual(got, []string{WorseShort, WorseFullest, WorseLargest}) {
		t.Errorf("q is worse off in %v", got)
	}
	if got := stay["p"].Worse(moved["p"]); !reflect.DeepEqual(got, []string{WorseTogether, WorseFullest}) {
		t.Errorf("p was worse off in %v", got)
	}
	if got := moved["p"].Worse(stay["p"]); got != nil {
		t.Errorf("p is worse off in %v", got)
	}
}
