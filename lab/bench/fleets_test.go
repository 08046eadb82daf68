package bench

import (
	"bytes"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/ganeti"
)

// small is one fleet of each family.
func small() (all []Fleet) {
	for _, f := range Short().Families {
		all = append(all, f.Make(100))
	}
	return all
}

// both reads what is written for each program, by this project's own readers with all their checks.
func both(t *testing.T, f Fleet) (ours, theirs *fleet.Fleet) {
	t.Helper()
	var lines, text bytes.Buffer
	if err := f.writeJSONL(&lines); err != nil {
		t.Fatal(err)
	}
	ours, mistakes := fleet.ParseJSONL("f.jsonl", &lines)
	if len(mistakes) > 0 {
		t.Fatal(f.Family, mistakes)
	}
	if err := f.writeGaneti(&text); err != nil {
		t.Fatal(err)
	}
	c, mistakes := ganeti.Parse("f.data", text.Bytes())
	if len(mistakes) > 0 {
		t.Fatal(f.Family, mistakes)
	}
	theirs, _ = c.Fleet(ganeti.Terms{Region: "north", Site: "north-1", Hypervisor: fleet.KVM})
	return ours, theirs
}

// TestBothGetTheSameFleet: hosts, memory (but for one MiB), instances, places and who may not share a host.
func TestBothGetTheSameFleet(t *testing.T) {
	for _, f := range small() {
		ours, theirs := both(t, f)
		a, b := fleet.NewIndex(ours), fleet.NewIndex(theirs)
		if len(a.Hosts) != f.Hosts || len(b.Hosts) != f.Hosts || len(a.Instances) != f.Instances() || len(b.Instances) != f.Instances() {
			t.Fatalf("%s: %d and %d hosts, %d and %d instances, want %d and %d", f.Family, len(a.Hosts), len(b.Hosts), len(a.Instances), len(b.Instances), f.Hosts, f.Instances())
		}
		for id, h := range a.Hosts {
			if got := b.Hosts[id]; got == nil || got.MemoryMiB != h.MemoryMiB+1 {
				t.Fatalf("%s: host %s: %+v, want %d MiB and one", f.Family, id, got, h.MemoryMiB)
			}
		}
		for id, i := range a.Instances {
			if got := b.Instances[id]; got == nil || got.MemoryMiB != i.MemoryMiB || got.Host != i.Host {
				t.Fatalf("%s: instance %s: %+v, want %+v", f.Family, id, got, i)
			}
			if (i.Group == "") != (len(b.GroupsOf[id]) == 0) || i.Group != "" && b.GroupsOf[id][0].ID != i.Group {
				t.Fatalf("%s: instance %s is in %v, want %q", f.Family, id, b.GroupsOf[id], i.Group)
			}
		}
		for id, g := range a.Groups {
			if len(a.Members[id]) != members || len(a.Together(g)) > 0 || len(b.Members[id]) != members || len(b.Together(b.Groups[id])) > 0 {
				t.Fatalf("%s: %s has %d and %d members, together at the outset: %v", f.Family, id, len(a.Members[id]), len(b.Members[id]), a.Together(g))
			}
		}
	}
}

// TestUseIsAsNamed: the memory that instances take is the family's percentage.
func TestUseIsAsNamed(t *testing.T) {
	for _, f := range small() {
		var percent, used, all int64
		for _, word := range strings.Fields(f.Family) {
			if strings.TrimLeft(word, "0123456789") == "" && percent == 0 {
				percent = number10(word)
			}
		}
		for n := range f.Hosts {
			all += f.host(n)
			for _, g := range f.guests(n) {
				used += g.mib
			}
		}
		if strings.HasPrefix(f.Family, "no room") {
			percent = 95
		}
		if share := float64(used) / float64(all) * 100; share < float64(percent)-1 || share > float64(percent) {
			t.Errorf("%s uses %.2f %%", f.Family, share)
		}
	}
}

func number10(text string) (n int64) {
	for _, digit := range text {
		n = n*10 + int64(digit-'0')
	}
	return n
}

// TestFleetsAreTheSameEachTime: to the byte, or rows could not be compared.
func TestFleetsAreTheSameEachTime(t *testing.T) {
	for _, f := range small() {
		var a, b bytes.Buffer
		if err := f.writeJSONL(&a); err != nil {
			t.Fatal(err)
		}
		if err := f.writeJSONL(&b); err != nil || !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("%s: differs", f.Family)
		}
	}
}
