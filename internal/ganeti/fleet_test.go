package ganeti

import (
	"bytes"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

var terms = Terms{Region: "r", Site: "s", Hypervisor: fleet.KVM, NICMbps: 10000}

// sound makes a fleet and reads it again by both forms, with all their checks.
func sound(t interface {
	Fatal(...any)
	Fatalf(string, ...any)
}, c *Cluster) *fleet.Fleet {
	f, _ := c.Fleet(terms)
	var yaml, lines bytes.Buffer
	if err := fleet.Write(&yaml, f); err != nil {
		t.Fatal(err)
	}
	if _, mistakes := fleet.Parse("f.yaml", yaml.Bytes()); len(mistakes) > 0 {
		t.Fatalf("%v\n%s", mistakes, yaml.String())
	}
	if err := fleet.WriteJSONL(&lines, f); err != nil {
		t.Fatal(err)
	}
	if _, mistakes := fleet.ParseJSONL("f.jsonl", &lines); len(mistakes) > 0 {
		t.Fatalf("%v", mistakes)
	}
	return f
}

// TestTally: what a fleet holds is what can be counted in the text itself, by code that knows only its bars.
func TestTally(t *testing.T) {
	for _, path := range samples(t) {
		src, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		tally(t, string(src), sound(t, read(t, path)))
	}
	rapid.Check(t, func(t *rapid.T) {
		c := drawCluster(t)
		tally(t, string(written(t, c)), sound(t, c))
	})
}

func tally(t interface{ Errorf(string, ...any) }, text string, f *fleet.Fleet) {
	sections := strings.Split(text, "\n\n")
	if strings.Contains(text, "\n\n\n") { // an empty section in it
		sections = strings.Split(strings.ReplaceAll(text, "\n\n\n", "\n\n-\n\n"), "\n\n")
	}
	rows := func(n int) (rows [][]string) {
		for line := range strings.Lines(sections[n]) {
			if line = strings.TrimSpace(line); line != "" && line != "-" {
				rows = append(rows, strings.Split(line, "|"))
			}
		}
		return rows
	}
	groups, nodes, instances := rows(0), rows(1), rows(2)
	if len(f.Pools) != len(groups) || len(f.Hosts) != len(nodes) || len(f.Instances) != len(instances) {
		t.Errorf("%d pools of %d groups, %d hosts of %d nodes, %d instances of %d", len(f.Pools), len(groups), len(f.Hosts), len(nodes), len(f.Instances), len(instances))
	}
	var memory, disk, local, stopped [2]int64 // in the text, in the fleet
	for n, row := range instances {
		i := f.Instances[n]
		memory[0] += number(row[1])
		memory[1] += i.MemoryMiB
		if row[8] != "diskless" {
			disk[0] += number(row[2])
		}
		if row[8] == "plain" || row[8] == "file" {
			local[0]++
		}
		if runs := slices.Contains([]string{"running", "ERROR_up", "ERROR_wrongnode", "ERROR_nodedown"}, row[4]); !runs || (len(row) > 12 && row[12] == "Y") {
			stopped[0]++
		}
		for _, d := range i.Disks {
			disk[1] += d.SizeMiB
			if !d.Shared {
				local[1]++
			}
		}
		if i.State == fleet.Stopped {
			stopped[1]++
		}
		if i.ID != row[0] || i.Host != row[6] {
			t.Errorf("instance %d is %s on %s, in the text %s on %s", n, i.ID, i.Host, row[0], row[6])
		}
	}
	for what, sums := range map[string][2]int64{"memory": memory, "disk": disk, "local disks": local, "stopped": stopped} {
		if sums[0] != sums[1] {
			t.Errorf("%s: %d in the text, %d in the fleet", what, sums[0], sums[1])
		}
	}
	ix := fleet.NewIndex(f)
	for n, row := range nodes {
		h := &f.Hosts[n]
		free := ix.FreeMiB(h.ID)
		if row[1] != "?" && free > max(number(row[3]), 0) && h.MemoryMiB > 1 {
			t.Errorf("%s has %d MiB free, in the text %s", h.ID, free, row[3])
		}
		if adds := number(row[1])-number(row[2]) == ix.UsedMiB(h.ID)+number(row[3]); adds && row[1] != "?" && number(row[1]) > number(row[2]) && h.MemoryMiB != number(row[1])-number(row[2]) {
			t.Errorf("%s has %d MiB, in the text %s less %s", h.ID, h.MemoryMiB, row[1], row[2])
		}
		if (row[7] == "Y" || row[1] == "?") == h.IsUp() {
			t.Errorf("%s is up: %t, in the text %s, %s MiB", h.ID, h.IsUp(), row[7], row[1])
		}
	}
}

func number(text string) int64 {
	v, _ := strconv.ParseFloat(text, 64)
	return int64(v)
}

// destinations are the hosts that an instance may go to.
func destinations(f *fleet.Fleet, instance string) (to []string) {
	ix := fleet.NewIndex(f)
	i := ix.Instances[instance]
	for n := range f.Hosts {
		if h := &f.Hosts[n]; h.ID != i.Host && fleet.CanMove(ix, i, ix.Hosts[i.Host], h) == nil {
			to = append(to, h.ID)
		}
	}
	return to
}

func TestWhereInstancesMayGo(t *testing.T) {
	shared, copies := sound(t, read(t, "testdata/shared.data")), sound(t, read(t, "testdata/copies.data"))
	for _, c := range []struct {
		f        *fleet.Fleet
		instance string
		to       []string
	}{
		{shared, "web1", []string{"ns2.lab.example", "ns3.lab.example", "ns4.lab.example"}}, // rbd: anywhere in its group
		{shared, "relic", []string{"old2.lab.example"}},
		{shared, "probe", []string{"ns1.lab.example", "ns2.lab.example", "ns4.lab.example"}},
		{copies, "db1", []string{"n2"}},   // drbd: to its secondary
		{copies, "db2", []string{"n3"}},   // hv:new may receive from hv:old
		{copies, "db3", nil},              // but not the other way
		{copies, "mail1", []string{"n3"}}, //
		{copies, "mail2", nil},            // n4 has no hv tag at all
		{copies, "scratch", nil},          // plain
		{copies, "notes", nil},            // file
		{copies, "lost", []string{"n2"}},  // off a drained node
		{copies, "gone", []string{"n1"}},  // stopped; its node is down
		{copies, "astray", nil},           // nobody knows where it is
		{copies, "soon", []string{"n3"}},  // not there yet
		{copies, "crashed", nil},          //
	} {
		if to := destinations(c.f, c.instance); !slices.Equal(to, c.to) {
			t.Errorf("%s may go to %v, want %v", c.instance, to, c.to)
		}
	}
	health := map[string]fleet.Health{}
	for _, h := range copies.Hosts {
		health[h.ID] = h.Health
	}
	if health["n5"] != fleet.Sick || health["n6"] != fleet.Down || health["n1"] != "" {
		t.Errorf("health: %v", health)
	}
}

// TestMovesBack: an instance on drbd that went to its secondary may come back, and go nowhere else.
func TestMovesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCluster(t)
		for n := range c.Tags {
			c.Tags[n] = "plain" // nothing but the disks decides
		}
		for n := range c.Nodes {
			c.Nodes[n].Role, c.Nodes[n].Unknown, c.Nodes[n].Group = Online, false, c.Groups[0].UUID
		}
		for n := range c.Instances {
			c.Instances[n].Status = running
		}
		f, _ := c.Fleet(terms)
		ix := fleet.NewIndex(f)
		for _, i := range c.Instances {
			in := ix.Instances[i.Name]
			for _, from := range c.Nodes {
				for _, to := range c.Nodes {
					between := []string{from.Name, to.Name}
					want := from.Name != to.Name && (mirrored[i.Template] == everywhere ||
						mirrored[i.Template] == twice && slices.Contains(between, i.Primary) && slices.Contains(between, i.Secondary))
					if mirrored[i.Template] == twice && !slices.Contains([]string{i.Primary, i.Secondary}, from.Name) {
						continue // it cannot be there
					}
					if got := from.Name != to.Name && fleet.CanMove(ix, in, ix.Hosts[from.Name], ix.Hosts[to.Name]) == nil; got != want {
						t.Fatalf("%+v from %s to %s: %t", i, from.Name, to.Name, got)
					}
				}
			}
		}
	})
}

func TestExclusionTags(t *testing.T) {
	f, notes := read(t, "testdata/copies.data").Fleet(terms)
	want := []fleet.Group{
		{ID: "service:db", Members: []string{"db1", "db2", "db3"}, Spread: fleet.SpreadHost},
		{ID: "service:mail", Members: []string{"mail1", "mail2"}, Spread: fleet.SpreadHost, MaxUnavailable: 2},
	}
	if !reflect.DeepEqual(f.Groups, want) {
		t.Errorf("%+v", f.Groups)
	}
	all := strings.Join(notes, "\n")
	for _, said := range []string{"share a node already: 1 (service:mail)", "left out: htools:desiredlocation:rack", "n1 is the master node", "drbd: 10;", "plain or file disk: 2;", "forthcoming instances: 1;"} {
		if !strings.Contains(all, said) {
			t.Errorf("no note says %q:\n%s", said, all)
		}
	}
}

// TestStoppedMembersDoNotCount: one of three is stopped, so another one may be away beside it.
func TestStoppedMembersDoNotCount(t *testing.T) {
	text := "rows|a1|preferred|\n\n"
	for n := range 3 {
		text += fmt.Sprintf("n%d|4096|0|3072|9|9|4|N|a1\n", n)
	}
	text += "\n"
	for n, status := range []string{"running", "ADMIN_down", "running"} {
		text += fmt.Sprintf("v%d|1024|0|1|%s|Y|n%d||rbd|x:1,y\n", n, status, n)
	}
	c, mistakes := Parse("c", []byte(text+"\nhtools:iextags:x\n"))
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	if f := sound(t, c); len(f.Groups) != 1 || f.Groups[0].MaxUnavailable != 2 {
		t.Errorf("%+v", f.Groups)
	}
}

// TestMemoryThatDoesNotAddUp: instances get what is surely there.
func TestMemoryThatDoesNotAddUp(t *testing.T) {
	for line, want := range map[string]int64{
		"n0|4096|512|2560|9|9|4|N|a1": 3584, // adds up: 512 + 1024 + 2560
		"n0|4096|512|2000|9|9|4|N|a1": 3024, // some is missing: what is free is free
		"n0|4096|512|4000|9|9|4|N|a1": 3584, // more is free than can be
		"n0|1024|512|0|9|9|4|N|a1":    1024, // less than what runs there
		"n0|?|?|?|9|9|4|N|a1":         1024, // not known
	} {
		c, mistakes := Parse("c", []byte("rows|a1|preferred|\n\n"+line+"\n\nv|1024|0|1|running|Y|n0||rbd|\nw|512|0|1|ADMIN_down|Y|n0||rbd|\n\n"))
		if len(mistakes) > 0 {
			t.Fatal(mistakes)
		}
		if f := sound(t, c); f.Hosts[0].MemoryMiB != want {
			t.Errorf("%s: %d MiB, want %d", line, f.Hosts[0].MemoryMiB, want)
		}
	}
}

// TestCrowdedNodesAreTold: a node that runs more than it has is one whose numbers are wrong.
func TestCrowdedNodesAreTold(t *testing.T) {
	for _, each := range []struct {
		memory, host int64
		told         bool
	}{{4096, 4096, false}, {4097, 4097, true}} {
		c, mistakes := Parse("c", fmt.Appendf(nil, "rows|a1|preferred|\n\nn0|4096|0|0|9|9|4|N|a1\n\ni0|%d|1|1|running|Y|n0||rbd|\n\n\n", each.memory))
		if len(mistakes) > 0 {
			t.Fatal(mistakes)
		}
		f, notes := c.Fleet(terms)
		told := strings.Contains(strings.Join(notes, "\n"), "more memory than the node has: 1 (n0)")
		if f.Hosts[0].MemoryMiB != each.host || told != each.told {
			t.Errorf("%d MiB: host %d MiB, notes %q", each.memory, f.Hosts[0].MemoryMiB, notes)
		}
	}
}

// TestFirstKindOfPlaceIsTheRack: a host has one rack, and the others are told.
func TestFirstKindOfPlaceIsTheRack(t *testing.T) {
	c, mistakes := Parse("c", []byte("rows|a1|preferred|\n\nn0|4096|0|4096|9|9|4|N|a1|1|psu:1,rack:2\n\n\nhtools:nlocation:rack:\nhtools:nlocation:psu:\n"))
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	f, notes := c.Fleet(terms)
	if f.Hosts[0].Rack != "rack:2" || len(notes) != 1 || !strings.Contains(notes[0], "rack: became the rack, the others (psu:) are left out") {
		t.Errorf("%q, %v", f.Hosts[0].Rack, notes)
	}
}
