package fleet

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/form"
)

// mistaken holds one of each mistake that check finds.
const mistaken = `evenkeel: fleet/v1
regions:
  - id: r
  - id: r
sites:
  - {id: s, region: nowhere}
pools:
  - {id: p, site: s}
  - {id: q, site: elsewhere}
tenants:
  - {id: acme}
  - {id: birch}
hosts:
  - {id: h, pools: [p, p, x], hypervisor: kvm, memory_mib: 100}
  - {id: k, pools: [], hypervisor: kvm, memory_mib: 100}
  - {id: h, pools: [p], hypervisor: kvm, memory_mib: 100}
host_groups:
  - {id: hg, hosts: [h, h, z], max_unavailable: 4}
instances:
  - {id: a, host: h, tenant: acme, memory_mib: 60}
  - {id: b, host: h, tenant: birch, group: g, memory_mib: 60}
  - {id: c, host: m, tenant: cedar, group: none, home: n, memory_mib: 1}
  - {id: d, host: h, state: stopped, memory_mib: 1000}
groups:
  - {id: g, tenant: acme, members: [a, a, b, y], max_unavailable: 3}
  - {id: u, tenant: dune, members: [a]}
`

func TestCheckFindsAllAtOnce(t *testing.T) {
	want := []string{
		`4:9: regions[1].id: found the id "r" a second time, expected an id of its own: regions[0] in line 3 has this one`,
		`6:21: sites[0].region: found the unknown region "nowhere", expected one of the regions of this fleet: r`,
		`9:19: pools[1].site: found the unknown site "elsewhere", expected one of the sites of this fleet: s`,
		`14:24: hosts[0].pools[1]: found the pool "p" a second time, expected each pool once`,
		`14:27: hosts[0].pools[2]: found the unknown pool "x", expected one of the pools of this fleet: p, q`,
		`14:60: hosts[0].memory_mib: found 100 MiB for instances that take 120 MiB, expected at least the memory of the instances that run there`,
		`15:20: hosts[1].pools: found an empty list, expected at least one pool: the first is the host's home`,
		`16:10: hosts[2].id: found the id "h" a second time, expected an id of its own: hosts[0] in line 14 has this one`,
		`18:25: host_groups[0].hosts[1]: found the host "h" a second time, expected each host once`,
		`18:28: host_groups[0].hosts[2]: found the unknown host "z", expected one of the hosts of this fleet: h, k`,
		`18:49: host_groups[0].max_unavailable: found 4 of 3 hosts, expected from 1 to the number of its hosts, 3`,
		`21:44: instances[1].group: found "b" of tenant birch in group g of tenant acme, expected an instance of the group's own tenant`,
		`22:19: instances[2].host: found the unknown host "m", expected one of the hosts of this fleet: h, k`,
		`22:30: instances[2].tenant: found the unknown tenant "cedar", expected one of the tenants of this fleet: acme, birch`,
		`22:44: instances[2].group: found the unknown group "none", expected one of the groups of this fleet: g, u`,
		`22:56: instances[2].home: found the unknown host "n", expected one of the hosts of this fleet: h, k`,
		`25:40: groups[0].members[1]: found the member "a" a second time, expected each member once`,
		`25:43: groups[0].members[2]: found "b" of tenant birch in group g of tenant acme, expected an instance of the group's own tenant`,
		`25:46: groups[0].members[3]: found the unknown instance "y", expected one of the instances of this fleet: a, b, c, d`,
		`25:67: groups[0].max_unavailable: found 3 of 2 members, expected from 1 to the number of its members, 2`,
		`26:21: groups[1].tenant: found the unknown tenant "dune", expected one of the tenants of this fleet: acme, birch`,
	}
	_, mistakes := Parse("f", []byte(mistaken))
	compare(t, mistakes, want)
}

func compare(t *testing.T, mistakes form.Mistakes, want []string) {
	t.Helper()
	var got []string
	for _, m := range mistakes {
		got = append(got, strings.TrimPrefix(m.String(), "f:"))
	}
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Errorf("got:\n%s\nwant:\n%s", g, w)
	}
}

// Each change to the sound fleet brings exactly one mistake, whose path is named.
func TestOneChangeOneMistake(t *testing.T) {
	src, err := os.ReadFile("../../schema/testdata/fleet-full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, mistakes := Parse("f", src); len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	for _, c := range []struct{ old, new, path string }{
		{"evenkeel: fleet/v1", "evenkeel: fleet/v2", "evenkeel"},
		{"evenkeel: fleet/v1\n", "", "evenkeel"},
		{"taken: 2026-03-01T08:00:00Z", "taken: 2026-03-01T08:00:00", "taken"},
		{"timezone: Europe/Zurich", "timezone: Europe/Zuerich", "sites[0].timezone"},
		{"reserve_mib: 1024", "reserve_mib: -1", "pools[0].reserve_mib"},
		{"max_unavailable: 1}\ntenants", "max_unavailable: 0}\ntenants", "host_groups[1].max_unavailable"},
		{"max_unavailable: 1, spread", "max_unavailable: 2, spread", "groups[0].max_unavailable"},
		{"spread: rack", "spread: row", "groups[0].spread"},
		{"email: ops@acme.example", "email: Ops <ops@acme.example>", "tenants[0].contacts[0].email"},
		{"{id: acme,", "{id: 'ac me',", "tenants[0].id"},
		{"{id: r}", "{id: ''}", "regions[0].id"},
		{"hypervisor: kvm", "hypervisor: KVM", "hosts[0].hypervisor"},
		{"health: up", "health: fine", "hosts[0].health"},
		{"state: running", "state: Running", "instances[0].state"},
		{"memory_mib: 4096", "memory_mib: 512", "hosts[0].memory_mib"},
		{"memory_mib: 1024", "memory_mib: 0", "instances[0].memory_mib"},
		{"dirty_mibps: 12.5", "dirty_mibps: -0.1", "instances[0].dirty_mibps"},
		{"name: vda", "nmae: vda, name: vda", "instances[0].disks[0].nmae"},
		{"shared: true", "shared: 'true'", "instances[0].disks[0].shared"},
		{"home: h", "home: h2", "instances[0].home"},
		{"[live-migrate,", "[live-migration,", "hosts[0].capabilities[0]"},
		{"rrule: FREQ=MONTHLY;BYDAY=2SU", "rrule: FREQ=MONTHLY;BYDAY=2SUN", "regions[1].windows[1].rrule"},
		{"rrule: FREQ=MONTHLY;BYDAY=2SU", "days: [sun]", "regions[1].windows[1].from"},
		{"days: [sat]", "rrule: FREQ=WEEKLY;BYDAY=SA, days: [sat]", "regions[1].windows[0].rrule"},
		{"days: [sat]", "days: [sat, sat]", "regions[1].windows[0].days[1]"},
		{"from: 2026-01-01", "from: 2026-02-30", "regions[1].windows[1].from"},
		{"length: 6h", "length: 8d", "regions[1].windows[0].length"},
		{"length: 6h, ", "", "regions[1].windows[0].length"},
		{`from: "2026-03-28 18:00"`, `from: "2026-03-28"`, "regions[1].freezes[0].from"},
		{`from: "2026-03-28 18:00"`, `from: "2026-03-30 06:00"`, "regions[1].freezes[0].to"},
		{`from: "2026-03-28 18:00"`, `yields: true, from: "2026-03-28 18:00"`, "regions[1].freezes[0].yields"},
		{"cpus: 8", "cpus: 99999999999999999999", "hosts[0].cpus"},
	} {
		changed := strings.Replace(string(src), c.old, c.new, 1)
		if changed == string(src) {
			t.Errorf("%q is not in the text", c.old)
		}
		_, mistakes := Parse("f", []byte(changed))
		// What else refers to a thing whose id is wrong is a mistake too: the first counts.
		first := mistakes
		if strings.HasSuffix(c.path, ".id") && len(mistakes) > 1 {
			first = mistakes[:1]
		}
		if len(first) != 1 || first[0].Path != c.path {
			t.Errorf("%s: %v", c.new, mistakes)
		}
	}
}

func TestBrokenSyntaxHidesNoOtherMistake(t *testing.T) {
	_, mistakes := Parse("f", []byte("evenkeel: fleet/v1\nregions:\n  - id: r\n  - id: [\n  - id: 3\nhosts:\n  - id: h\n    pools: [p]\n"))
	compare(t, mistakes, []string{
		"4:9: found broken YAML (sequence end token ']' not found), expected YAML or JSON",
		`5:9: regions[2].id: found 3 without quotes, expected an id: 1 to 128 letters, digits or any of . _ : @ -, in quotes: "3"`,
		"7:5: hosts[0].hypervisor: found nothing, expected hypervisor (one of kvm, xen)",
		"7:5: hosts[0].memory_mib: found nothing, expected memory_mib (a whole number of MiB above 0)",
	})
}

func TestJSONLMistakes(t *testing.T) {
	_, mistakes := ParseJSONL("f", strings.NewReader(`{"kind":"fleet","evenkeel":"fleet/v1"}
{"kind":"region","id":"r"}

{"kind":"site","id":"s","region":"q"}
{"kind":"pool","id":"p","site":"s","reserve":1}
{"kind":"host","id":"h","pools":["p"],"hypervisor":"kvm","memory_mib":100}
{"kind":"host","id":"h","pools":["p"],"hypervisor":"kvm","memory_mib":"x"}
`))
	compare(t, mistakes, []string{
		`4:34: sites[0].region: found the unknown region "q", expected one of the regions of this fleet: r`,
		`5:36: pools[0].reserve: found the unknown key "reserve", expected keys among id, site, reserve_mib`,
		`7:21: hosts[1].id: found the id "h" a second time, expected an id of its own: hosts[0] in line 6 has this one`,
		`7:71: hosts[1].memory_mib: found "x", expected a whole number of MiB above 0`,
	})
	_, mistakes = ParseJSONL("f", strings.NewReader("{\"kind\":\"host\",\n{\"kind\":\"rack\",\"id\":\"x\"}\n{\"id\":\"x\"}\n[1]\n"))
	compare(t, mistakes, []string{
		"1:1: found no line of kind fleet, expected {\"kind\":\"fleet\",\"evenkeel\":\"fleet/v1\"} as the first line",
		"1:16: found the end of the text, expected a key in double quotes",
		`2:1: kind: found the kind "rack", expected one of fleet, region, site, pool, host_group, link, tenant, group, host, instance`,
		`3:1: kind: found a line without a kind, expected one of fleet, region, site, pool, host_group, link, tenant, group, host, instance`,
		`4:1: kind: found a line without a kind, expected one of fleet, region, site, pool, host_group, link, tenant, group, host, instance`,
	})
	long := "{\"kind\":\"fleet\",\"evenkeel\":\"fleet/v1\"}\n{\"kind\":\"region\",\"id\":\"" + strings.Repeat("x", maxLine) + "\"}\n"
	if _, mistakes := ParseJSONL("f", strings.NewReader(long)); len(mistakes) != 1 || mistakes[0].Line != 2 || mistakes[0].Found != "a longer line" {
		t.Errorf("%v", mistakes)
	}
}

// TestNothingToRefer: where nothing of a kind is named, no id can be proposed.
func TestNothingToRefer(t *testing.T) {
	src := "evenkeel: fleet/v1\nregions: [{id: r}]\nsites: [{id: s, region: r}]\npools: [{id: p, site: s}]\ngroups: [{id: g, max_unavailable: 1, members: [i]}]\n"
	_, mistakes := Parse("f", []byte(src))
	want := `f:5:48: groups[0].members[0]: found the unknown instance "i", expected one of the instances of this fleet, which names none`
	if len(mistakes) != 1 || mistakes[0].String() != want {
		t.Errorf("got %v, want %s", mistakes, want)
	}
}

func TestBigJSONLIsRead(t *testing.T) {
	const hosts, each = 100, 20
	var b bytes.Buffer
	b.WriteString("{\"kind\":\"fleet\",\"evenkeel\":\"fleet/v1\"}\n{\"kind\":\"region\",\"id\":\"r\"}\n{\"kind\":\"site\",\"id\":\"s\",\"region\":\"r\"}\n{\"kind\":\"pool\",\"id\":\"p\",\"site\":\"s\"}\n")
	for h := range hosts {
		fmt.Fprintf(&b, "{\"kind\":\"host\",\"id\":\"h%d\",\"pools\":[\"p\"],\"hypervisor\":\"kvm\",\"memory_mib\":65536}\n", h)
		for i := range each {
			fmt.Fprintf(&b, "{\"kind\":\"instance\",\"id\":\"i%d-%d\",\"host\":\"h%d\",\"memory_mib\":1024}\n", h, i, h)
		}
	}
	f, mistakes := ParseJSONL("f", &b)
	if len(mistakes) > 0 || len(f.Hosts) != hosts || len(f.Instances) != hosts*each {
		t.Errorf("%v, %d hosts, %d instances", mistakes, len(f.Hosts), len(f.Instances))
	}
}

func TestWarnings(t *testing.T) {
	f, mistakes := Parse("f", []byte(`evenkeel: fleet/v1
regions: [{id: r}]
sites: [{id: s, region: r}]
pools: [{id: p, site: s, reserve_mib: 500}]
tenants: [{id: acme}]
groups:
  - {id: g, members: [a, b, c], spread: host}
  - {id: e}
  - {id: k, members: [a, c], spread: rack}
hosts:
  - {id: h1, pools: [p], hypervisor: kvm, memory_mib: 100, spare: true, rack: r1}
  - {id: h2, pools: [p], hypervisor: kvm, memory_mib: 100, rack: r1}
instances:
  - {id: a, host: h1, memory_mib: 1}
  - {id: b, host: h1, memory_mib: 1}
  - {id: c, host: h2, memory_mib: 1}
`))
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	var got []string
	for _, w := range Warnings(f) {
		got = append(got, w.String())
	}
	want := []string{
		"pools[0]: pool p keeps 500 MiB in reserve, but its hosts have 200 MiB",
		"tenants[0]: tenant acme has no contact: it cannot be told, so nothing of it can be disrupted",
		"groups[0]: group g may not share a host, but a, b do",
		"groups[1]: group e has no members",
		"groups[2]: group k may not share a rack, but a, c do",
		"hosts[0]: host h1 is a spare, to be kept empty, and carries 2 instances",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got:\n%s", strings.Join(got, "\n"))
	}
}
