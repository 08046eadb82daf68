package xen

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// brief puts what decides of an instance into one line.
func brief(i driver.InstanceSeen) string {
	s := fmt.Sprintf("%s %s %d MiB", i.ID, i.State, i.MemoryMiB)
	for _, w := range []struct {
		is   bool
		word string
	}{{i.Incoming, " incoming"}, {i.Migrating, " migrating"}, {i.Saved, " saved"}} {
		if w.is {
			s += w.word
		}
	}
	return s + " " + i.Facts.GuestType
}

func briefs(s *seen) string {
	var all []string
	for _, i := range s.Instances {
		all = append(all, strings.TrimSpace(brief(i)))
	}
	return strings.Join(all, "\n")
}

func TestInstances(t *testing.T) {
	w := newWorld(t)
	w.put("/world/list-v", sample(t, "list-v.txt"))
	w.put("/world/list-l", strings.ReplaceAll(sample(t, "list-l.json"), "/etc/os-release", w.root+"/etc/os-release"))
	w.put("/proc/4711/cmdline", "xl\x00migrate\x00-s\x00ssh -p 2222\x001\x00192.0.2.2\x00")
	w.put("/proc/4711/comm", "xl\n")
	w.put("/proc/4712/comm", "xlx\n")
	w.put("/proc/4712/cmdline", "xl\x00migrate\x00h1\x00x\x00")
	s := w.must()
	want := `bare running 64 MiB
coming paused 64 MiB incoming
crashed stopped 64 MiB pvh
g1 running 128 MiB migrating pv
gone paused 64 MiB migrating pv
h1 running 256 MiB pvh
held paused 256 MiB pvh
win running 1024 MiB hvm`
	if got := briefs(s); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if said := strings.Join(s.Missing, "\n"); len(s.Missing) != 2 || !strings.Contains(said, "domain 10: it has no name") || !strings.Contains(said, "facts of bare") {
		t.Errorf("missing %q", s.Missing)
	}
	// Free is what Xen says; in all it is that and what the domains hold, but for dom0.
	if s.FreeMiB != 491 || s.MemoryMiB != 491+128+128+256+1024+32+64+64+64+0+4+64 {
		t.Errorf("%d of %d MiB", s.FreeMiB, s.MemoryMiB)
	}
	of := map[string]*fleet.Instance{}
	for _, i := range s.Instances {
		of[i.ID] = i.Facts
	}
	if h := of["h1"]; !reflect.DeepEqual(h.Networks, []string{"xenbr0"}) || h.VCPUs != 2 || len(h.Disks) != 3 || h.Disks[0].Shared || !h.Disks[1].Shared || h.Disks[2].Shared {
		t.Errorf("%+v", h)
	}
	var why []string
	for _, r := range of["h1"].Immovable {
		why = append(why, r.Code+" "+r.Why)
	}
	if all := strings.Join(why, "\n"); len(why) != 3 || !strings.Contains(why[0], "local-disk xvda: ") || !strings.Contains(why[0], "lies on its host alone (") ||
		!strings.Contains(why[1], "local-disk xvdc: its backend is not in dom0 but in domain 3") || !strings.Contains(why[2], "nomigrate") {
		t.Errorf("%s", all)
	}
	if d := of["win"].Devices; !reflect.DeepEqual(d, []string{"0000:3b:1f.2", "usb 1.6", "usb 1234:5678"}) || of["win"].Immovable[0].Code != fleet.DevicePassed {
		t.Errorf("%q", d)
	}
	if g := of["g1"]; len(g.Immovable)+len(g.Devices)+len(g.Disks) > 0 || g.Host != "h1" || g.State != fleet.Running {
		t.Errorf("%+v", g)
	}
}

// The two halves of a migration within one host are one instance.
func TestHalvesOfOne(t *testing.T) {
	head := strings.SplitAfter(sample(t, "list-v-empty.txt"), "\n")[0]
	row := func(name string, id int, state string) string {
		return fmt.Sprintf("%-40s %5d   128     1     %s       0.9 5a1c2a0e-2f4b-4f6e-9d0e-0b6a4c1f0a%02x        -                -\n", name, id, state, id)
	}
	for list, want := range map[string]string{
		row("g1", 1, "-b----") + row("g1--incoming", 2, "--p---"):                        "g1 running 128 MiB migrating",
		row("g1--migratedaway", 1, "---ss-") + row("g1", 2, "r-----"):                    "g1 running 128 MiB migrating",
		row("g1--migratedaway", 1, "---ss-") + row("g1--incoming", 2, "--p---"):          "g1 paused 128 MiB migrating",
		row("g1--incoming", 2, "r-----"):                                                 "g1 running 128 MiB incoming",
		row("--incoming", 2, "r-----"):                                                   "--incoming running 128 MiB",
		row("a domain with a name that is longer than its column of forty", 3, "r-----"): "a domain with a name that is longer than its column of forty running 128 MiB",
	} {
		w := newWorld(t)
		w.put("/world/list-v", head+list)
		if got := briefs(w.must()); got != want {
			t.Errorf("%s: %q, expected %q", list, got, want)
		}
	}
}

// savedImage is the head of a file that xl save writes.
func savedImage(config string) string {
	b := append([]byte("Xen saved domain, xl format\n \x00 \r"), 0x78, 0x56, 0x34, 0x12)
	b = binary.LittleEndian.AppendUint32(b, 3)
	b = binary.LittleEndian.AppendUint32(b, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(config)+1+4))
	b = binary.LittleEndian.AppendUint32(b, uint32(len(config)+1))
	return string(b) + config + "\x00" + strings.Repeat("\xff\x00\n", 500)
}

const savedConfig = `{
    "c_info": {
        "type": "pv",
        "name": "NAME"
    },
    "b_info": {
        "max_vcpus": 2,
        "max_memkb": 131072
    }
}
`

// Instances that do not run are known by their files.
func TestStoppedInstances(t *testing.T) {
	w := newWorld(t)
	saved := func(name string) string { return savedImage(strings.ReplaceAll(savedConfig, "NAME", name)) }
	w.put("/var/lib/xen/save/one.save", saved("one"))
	w.put("/var/lib/xen/save/two.save.restoring", saved("two"))
	w.put("/var/lib/xen/save/three.save.part", saved("three"))
	w.put("/var/lib/xen/save/broken.save", "nothing")
	w.put("/var/lib/xen/save/odd name\nxen-saved evil.save", saved("evil"))
	w.put("/var/lib/xen/save/moved.cfg", "name='moved'\nmemory=32\ntype='pvh'\n")
	w.put("/etc/xen/one.cfg", "name = \"one\"\nmemory = 999\n")
	w.put("/etc/xen/two.cfg", "name = \"two\"\ntype = \"pvh\"\nmemory = 64\n")
	w.put("/etc/xen/file.cfg", "# name = \"no\"\nname = 'web # 1' # a comment\ntype=\"hvm\"\nmemory = 64\nmaxmem = 128 # MiB\nvcpus=2\nvif = [ 'bridge=a',\n 'name=x' ]\npci = [ '3b:00.0,seize=1' ]\ndisk = []")
	w.put("/etc/xen/auto/file.cfg", "name = 'web # 1'\nmemory = 1\n")
	w.put("/etc/xen/nameless.cfg", "memory = 64\nxen-list evil\n")
	w.put("/etc/xen/xl.conf", "name = \"never\"\n")
	s := w.must()
	want := `broken stopped 0 MiB saved
moved stopped 32 MiB pvh
one stopped 128 MiB saved pv
three stopped 128 MiB pv
two stopped 128 MiB saved pv
web # 1 stopped 128 MiB hvm`
	if got := briefs(s); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if d := s.Instances[5].Facts.Devices; len(d) != 1 || d[0] != "pci 3b:00.0,seize=1" {
		t.Errorf("%q", d)
	}
	if len(s.Missing) != 1 || !strings.Contains(s.Missing[0], "nameless.cfg") {
		t.Errorf("missing %q", s.Missing)
	}
	if s.FreeMiB != 491 || s.MemoryMiB != 491 {
		t.Errorf("what does not run holds memory: %d of %d", s.FreeMiB, s.MemoryMiB)
	}
	// A file that is left of an instance that runs says nothing of it.
	w.put("/world/list-v", sample(t, "list-v-empty.txt")+fmt.Sprintf("%-40s %5d   128     1     r-----       0.9 5a1c2a0e-2f4b-4f6e-9d0e-0b6a4c1f0a02        -                -\n", "one", 1))
	for _, i := range w.must().Instances {
		if i.ID == "one" && (i.State != fleet.Running || i.Saved) {
			t.Errorf("%+v", i)
		}
	}
}

// An operator's word on the memory for instances bounds what is free.
func TestMemoryOfHost(t *testing.T) {
	for _, c := range []struct{ said, free, total, left int64 }{{0, 330, 458, 330}, {1000, 330, 1000, 330}, {200, 330, 200, 72}, {100, 330, 100, 0}} {
		s := &seen{info: info{freeMiB: c.free}, domains: []endDomain{{id: 0, memMiB: 512}, {id: 1, memMiB: 128}}}
		s.memory(driver.Host{MemoryMiB: c.said})
		if s.MemoryMiB != c.total || s.FreeMiB != c.left {
			t.Errorf("%+v: %d of %d", c, s.FreeMiB, s.MemoryMiB)
		}
	}
}

// What a host with a PV and a PVH guest printed.
func TestParseConfigs(t *testing.T) {
	all, err := parseConfigs(sample(t, "list-l-real.json"))
	if err != nil || len(all) != 3 || *all[0].ID != 0 || all[1].Config.Create.Type != "pv" || all[2].Config.Create.Type != "pvh" || all[2].mib() != 128 || all[2].Config.Build.VCPUs != 1 || len(all[2].devices()) > 0 {
		t.Errorf("%+v, %v", all, err)
	}
	for _, out := range []string{"[", `[{"config": {}}]`, `{"domid": 1}`, "libxl: error"} {
		if _, err := parseConfigs(out); err == nil {
			t.Errorf("%q passes", out)
		}
	}
	if all, err := parseConfigs("\n"); err != nil || len(all) > 0 {
		t.Errorf("%v, %v", all, err)
	}
}

func FuzzParseConfigs(f *testing.F) {
	f.Add(sample(f, "list-l.json"))
	f.Add(`[{"domid":1,"config":{"pcidevs":[{"bus":-1}],"b_info":{"max_memkb":9223372036854775807}}}]`)
	f.Fuzz(func(t *testing.T, out string) {
		all, err := parseConfigs(out)
		if err != nil {
			return
		}
		for _, c := range all {
			if c.ID == nil || len(c.devices()) < len(c.Config.PCI) || c.mib() < 0 {
				t.Fatalf("%+v", c)
			}
			(&seen{}).facts("x", &c)
		}
	})
}

func FuzzParseConfig(f *testing.F) {
	f.Add("name = \"g1\"\ntype = \"pv\"\nmemory = 128\nvif = [ 'a',\n'b' ]\npci=['x']")
	f.Add("name='\n[[[\n]]]]\nmemory = 0x9\nmaxmem=99999999999999999999")
	f.Fuzz(func(t *testing.T, text string) {
		if s := parseConfig(text); s.mib < 0 || s.vcpus < 0 || s.guestType == "" || strings.Contains(s.name, "\n") {
			t.Fatalf("%+v", s)
		}
		parseSaved(text)
	})
}

// Whatever a tool prints stays behind its word: no text can speak for another.
func FuzzParseAnswer(f *testing.F) {
	f.Add("xen-info a\nxen-info 0\nxen-image p b s /boot/x\nxen-saved a.save\nxen-saved-json {}\nend")
	f.Add("xen-saved-json x\nxen-cfg-line y\nxen-list\nxen-process \x01\x01\nend")
	f.Fuzz(func(t *testing.T, out string) {
		a, err := parseAnswer(out)
		if err != nil {
			return
		}
		s := &seen{answer: a}
		a.resting()
		s.leaving()
		if s.read(domainsKnown{}) == nil {
			s.observe(driver.Host{ID: "h1"})
		}
	})
}
