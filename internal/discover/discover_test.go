package discover

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// world answers by URI; a host that it does not know does not answer.
type world struct {
	hosts   map[string]driver.Observation
	now, at atomic.Int32 // looks under way, and the most that there were
}

func (w *world) Observe(ctx context.Context, h driver.Host) (driver.Observation, error) {
	n := w.now.Add(1)
	defer w.now.Add(-1)
	for most := w.at.Load(); n > most && !w.at.CompareAndSwap(most, n); most = w.at.Load() {
	}
	time.Sleep(5 * time.Millisecond)
	o, ok := w.hosts[h.URI]
	if !ok {
		return o, &driver.Error{Code: driver.CodeUnreachable, Why: "nobody answers"}
	}
	facts := *o.Facts
	facts.URI, facts.SSH = h.URI, h.SSH
	o.Facts = &facts
	return o, nil
}

func (w *world) Close() error { return nil }

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func host(name string, instances ...driver.InstanceSeen) driver.Observation {
	return driver.Observation{Host: name, At: noon, Health: fleet.Up, MemoryMiB: 8000, Instances: instances,
		Facts: &fleet.Host{ID: name, Hypervisor: fleet.KVM, MemoryMiB: 8000, Health: fleet.Up, Networks: []string{"br0"}}}
}

func inst(id, tenant, group string) driver.InstanceSeen {
	return driver.InstanceSeen{ID: id, State: fleet.Running, MemoryMiB: 80, Running: map[string]string{"qemu-system-x86": "1:7.2"},
		Facts: &fleet.Instance{ID: id, Tenant: tenant, Group: group, MemoryMiB: 80, VCPUs: 1}}
}

func uris(names ...string) (hosts []driver.Host) {
	for _, n := range names {
		hosts = append(hosts, driver.Host{URI: "qemu+tcp://" + n + "/system", SSH: "root@" + n})
	}
	return hosts
}

func at(obs ...driver.Observation) *world {
	w := &world{hosts: map[string]driver.Observation{}}
	for _, o := range obs {
		w.hosts["qemu+tcp://"+o.Host+"/system"] = o
	}
	return w
}

// sound fails unless the fleet reads back as a fleet without mistakes.
func sound(t *testing.T, f *fleet.Fleet) string {
	t.Helper()
	var text strings.Builder
	if err := fleet.Write(&text, f); err != nil {
		t.Fatal(err)
	}
	if _, mistakes := fleet.Parse("discovered", []byte(text.String())); len(mistakes) > 0 {
		t.Errorf("what was written is not sound:\n%v\n%s", mistakes, text.String())
	}
	return text.String()
}

func grave(ps []Problem) (all []string) {
	for _, p := range ps {
		if p.Grave {
			all = append(all, p.String())
		}
	}
	return all
}

func TestFromNothing(t *testing.T) {
	f, problems := Fleet(context.Background(), at(host("h2", inst("g2", "acme", "web"), inst("g1", "acme", "web")), host("h1")), uris("h2", "h1"), nil, Options{})
	sound(t, f)
	if len(grave(problems)) > 0 {
		t.Error(problems)
	}
	if len(f.Hosts) != 2 || f.Hosts[0].ID != "h1" || f.Hosts[1].Pools[0] != "default" || f.Hosts[1].SSH != "root@h2" || !f.Taken.Equal(noon) {
		t.Errorf("%+v", f.Hosts)
	}
	if len(f.Instances) != 2 || f.Instances[0].ID != "g1" || f.Instances[0].Host != "h2" || f.Instances[0].State != fleet.Running || f.Instances[0].Running["qemu-system-x86"] != "1:7.2" {
		t.Errorf("%+v", f.Instances)
	}
	if len(f.Tenants) != 1 || len(f.Groups) != 1 || f.Groups[0].Tenant != "acme" {
		t.Errorf("%+v %+v", f.Tenants, f.Groups)
	}
}

func TestBase(t *testing.T) {
	base := &fleet.Fleet{
		Evenkeel: fleet.SchemaV1, Regions: []fleet.Region{{ID: "eu"}}, Sites: []fleet.Site{{ID: "zrh", Region: "eu"}}, Pools: []fleet.Pool{{ID: "p1", Site: "zrh"}},
		Tenants: []fleet.Tenant{{ID: "acme", Contacts: []fleet.Contact{{Email: "ops@acme.example"}}}},
		Groups:  []fleet.Group{{ID: "web", Tenant: "acme", Members: []string{"g1", "gone"}}},
		Hosts: []fleet.Host{
			{ID: "rack1-a", Pools: []string{"p1"}, Rack: "r1", Hypervisor: fleet.KVM, URI: "qemu+tcp://h1/system", SSH: "ops@h1", MemoryMiB: 512, NICMbps: 10000, CPUs: 99, Health: fleet.Down, Networks: []string{"other"}},
			{ID: "h3", Pools: []string{"p1"}, Hypervisor: fleet.KVM, MemoryMiB: 100},
		},
		Instances: []fleet.Instance{
			{ID: "g1", Host: "h3", Tenant: "acme", MemoryMiB: 1, Pinned: "licence", Home: "rack1-a", Disks: []fleet.Disk{{Name: "vda", Shared: true, SizeMiB: 16}}},
			{ID: "gone", Host: "rack1-a", MemoryMiB: 1},
			{ID: "g9", Host: "h3", MemoryMiB: 7},
		},
	}
	g1 := inst("g1", "birch", "")
	g1.Facts.Disks = []fleet.Disk{{Name: "vda"}, {Name: "vdb"}}
	g1.Facts.Immovable = []fleet.Reason{{Code: fleet.LocalDisk, Why: "vda: local"}, {Code: fleet.LocalDisk, Why: "vdb: local"}}
	f, problems := Fleet(context.Background(), at(host("h1", g1)), nil, base, Options{MemoryMiB: 4000})
	sound(t, f)
	if g := grave(problems); len(g) > 0 {
		t.Error(g)
	}
	h := f.Hosts[1]
	if h.ID != "rack1-a" || h.Rack != "r1" || h.SSH != "ops@h1" || h.MemoryMiB != 512 || h.NICMbps != 10000 || h.Pools[0] != "p1" {
		t.Errorf("people's facts of the host: %+v", h)
	}
	if h.Health != fleet.Up || h.CPUs != 0 || h.Networks[0] != "br0" {
		t.Errorf("machine's facts of the host: %+v", h)
	}
	i := f.Instances[0]
	if i.ID != "g1" || i.Tenant != "acme" || i.Pinned != "licence" || i.Home != "rack1-a" || i.Host != "rack1-a" || i.MemoryMiB != 80 {
		t.Errorf("%+v", i)
	}
	if !i.Disks[0].Shared || i.Disks[0].SizeMiB != 16 || i.Disks[1].Shared || len(i.Immovable) != 1 || i.Immovable[0].Why != "vdb: local" {
		t.Errorf("disks: %+v %+v", i.Disks, i.Immovable)
	}
	if len(f.Instances) != 2 || f.Instances[1].ID != "g9" || len(f.Groups[0].Members) != 1 {
		t.Errorf("what is gone, and what was not looked at: %+v %+v", f.Instances, f.Groups)
	}
	if len(base.Groups[0].Members) != 2 || base.Hosts[0].Health != fleet.Down || base.Instances[0].Disks[0].SizeMiB != 16 {
		t.Error("base was changed")
	}
}

func TestDown(t *testing.T) {
	base := &fleet.Fleet{Evenkeel: fleet.SchemaV1, Regions: []fleet.Region{{ID: "r"}}, Sites: []fleet.Site{{ID: "s", Region: "r"}}, Pools: []fleet.Pool{{ID: "p", Site: "s"}},
		Hosts:     []fleet.Host{{ID: "h1", Pools: []string{"p"}, Hypervisor: fleet.KVM, URI: "qemu+tcp://h1/system", MemoryMiB: 500, BootID: "old"}},
		Instances: []fleet.Instance{{ID: "g1", Host: "h1", MemoryMiB: 80}, {ID: "g2", Host: "h1", MemoryMiB: 80}}}
	// g2 was moved to h2 before h1 went away.
	f, problems := Fleet(context.Background(), at(host("h2", inst("g2", "", ""))), uris("h2", "h7"), base, Options{})
	sound(t, f)
	if g := grave(problems); len(g) < 2 || !strings.Contains(strings.Join(g, "\n"), "nobody answers") {
		t.Error(problems)
	}
	if len(f.Hosts) != 3 || f.Hosts[0].Health != fleet.Down || f.Hosts[0].BootID != "" || f.Hosts[2].ID != "h7" || f.Hosts[2].Health != fleet.Down {
		t.Errorf("%+v", f.Hosts)
	}
	on := map[string]string{}
	for _, i := range f.Instances {
		on[i.ID] = i.Host
	}
	if len(f.Instances) != 2 || on["g1"] != "h1" || on["g2"] != "h2" {
		t.Errorf("%v", on)
	}
}

// A host that never answered is written as what its URI speaks to.
func TestDownByScheme(t *testing.T) {
	for uri, want := range map[string]fleet.Hypervisor{"xen+ssh://root@x1.example/": fleet.Xen, "qemu+tcp://h1.example/system": fleet.KVM} {
		f, _ := Fleet(context.Background(), at(), []driver.Host{{URI: uri}}, nil, Options{})
		if len(f.Hosts) != 1 || f.Hosts[0].Hypervisor != want || f.Hosts[0].Health != fleet.Down {
			t.Errorf("%s: %+v", uri, f.Hosts)
		}
	}
}

func TestOdd(t *testing.T) {
	stopped := inst("g1", "", "")
	stopped.State = fleet.Stopped
	arriving := inst("g2", "", "")
	arriving.State, arriving.Incoming = fleet.Paused, true
	faceless := inst("g3", "", "")
	faceless.Facts = nil
	far := inst("g4", "", "")
	far.Facts.Home = "elsewhere"
	f, problems := Fleet(context.Background(), at(
		host("h1", stopped, arriving, inst("twice", "", "")),
		host("h2", inst("g1", "", ""), inst("g2", "", ""), inst("no id\n", "", ""), inst("twice", "", ""), faceless, far),
	), uris("h1", "h2"), nil, Options{})
	sound(t, f)
	on := map[string]string{}
	for _, i := range f.Instances {
		on[i.ID] = i.Host
	}
	if fmt.Sprint(on) != "map[g1:h2 g2:h2 g3:h2 g4:h2 twice:h1]" {
		t.Errorf("%v", on)
	}
	if g := grave(problems); len(g) != 2 {
		t.Errorf("grave: %q", g)
	}
	all := fmt.Sprint(problems)
	for _, says := range []string{"not seen running", "arriving", "cannot be an id", "runs here and on h1", "elsewhere"} {
		if !strings.Contains(all, says) {
			t.Errorf("no problem says %q: %s", says, all)
		}
	}
}

// One host that is reached by two addresses is written once.
func TestOneHostTwice(t *testing.T) {
	w := at(host("h1", inst("g1", "", "")))
	w.hosts["qemu+tcp://10.0.0.1/system"] = w.hosts["qemu+tcp://h1/system"]
	f, problems := Fleet(context.Background(), w, uris("h1", "10.0.0.1"), nil, Options{})
	sound(t, f)
	if len(f.Hosts) != 1 || len(f.Instances) != 1 || len(grave(problems)) != 1 {
		t.Errorf("%+v %v", f.Hosts, problems)
	}
}

func TestBounded(t *testing.T) {
	var obs []driver.Observation
	var names []string
	for n := range 30 {
		names = append(names, fmt.Sprintf("h%d", n))
		obs = append(obs, host(names[n]))
	}
	w := at(obs...)
	told := 0
	f, _ := Fleet(context.Background(), w, uris(names...), nil, Options{Parallel: 4, Progress: func(driver.Host, driver.Observation, error) { told++ }})
	if most := w.at.Load(); most > 4 || most < 2 || told != 30 || len(f.Hosts) != 30 {
		t.Errorf("%d at once, %d told, %d hosts", most, told, len(f.Hosts))
	}
}

// faulty is a driver that tells no facts.
type faulty struct{ world }

func (*faulty) Observe(context.Context, driver.Host) (driver.Observation, error) {
	return driver.Observation{}, nil
}

func TestNoFacts(t *testing.T) {
	f, problems := Fleet(context.Background(), &faulty{}, uris("h1"), nil, Options{})
	sound(t, f)
	if len(grave(problems)) != 1 || f.Hosts[0].Health != fleet.Down {
		t.Errorf("%+v %v", f.Hosts, problems)
	}
}
