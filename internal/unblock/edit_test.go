package unblock_test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

var newHost = regexp.MustCompile(`^memory_mib: (\d+), pools: \[(.*)\], like host (.*)$`)

// edited makes changes as an operator would, by what they say.
func edited(t rapid.TB, in planner.Input, changes []plan.Change) planner.Input {
	f := *in.Fleet
	f.Pools, f.Groups, f.HostGroups, f.Tenants = slices.Clone(f.Pools), slices.Clone(f.Groups), slices.Clone(f.HostGroups), slices.Clone(f.Tenants)
	f.Hosts, f.Instances = slices.Clone(f.Hosts), slices.Clone(f.Instances)
	in.Fleet = &f
	if in.Target != nil {
		tg := *in.Target
		tg.Cohorts = slices.Clone(tg.Cohorts)
		in.Target = &tg
	}
	in.Policy.Windows = slices.Clone(in.Policy.Windows)
	for _, c := range changes {
		switch c.Of {
		case "host":
			editHost(t, &in, c)
		case "instance":
			editInstance(t, find(t, f.Instances, func(i fleet.Instance) bool { return i.ID == c.ID }), c)
		case "group":
			g := find(t, f.Groups, func(g fleet.Group) bool { return g.ID == c.ID })
			if c.Field == "spread" {
				g.Spread = fleet.Spread(c.To)
			} else {
				g.MaxUnavailable = number(t, c.To)
			}
		case "host-group":
			find(t, f.HostGroups, func(g fleet.HostGroup) bool { return g.ID == c.ID }).MaxUnavailable = number(t, c.To)
		case "pool":
			mib := int64(number(t, c.To))
			find(t, f.Pools, func(p fleet.Pool) bool { return p.ID == c.ID }).ReserveMiB = &mib
		case "tenant":
			find(t, f.Tenants, func(o fleet.Tenant) bool { return o.ID == c.ID }).Contacts = []fleet.Contact{{Email: "a@b.example"}}
		case "policy":
			editPolicy(t, &in.Policy, c)
		case "target":
			editTarget(t, in.Target, c)
		default:
			t.Fatalf("nobody knows how to change a %s", c.Of)
		}
	}
	return in
}

func find[T any](t rapid.TB, list []T, is func(T) bool) *T {
	i := slices.IndexFunc(list, is)
	if i < 0 {
		t.Fatalf("a change is of something that is not there")
	}
	return &list[i]
}

func number(t rapid.TB, text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func editHost(t rapid.TB, in *planner.Input, c plan.Change) {
	if c.Field == "add" {
		m := newHost.FindStringSubmatch(c.To)
		if m == nil {
			t.Fatalf("cannot read %q", c.To)
		}
		h := *find(t, in.Fleet.Hosts, func(h fleet.Host) bool { return h.ID == m[3] })
		h.ID, h.Pools, h.MemoryMiB, h.Health, h.Rack = c.ID, []string{m[2]}, int64(number(t, m[1])), fleet.Up, ""
		if in.Target != nil {
			h.Software = qemu(newer)
		}
		if h.Capabilities != nil {
			h.Capabilities = append(slices.Clone(h.Capabilities), "live-migrate", "reboot")
		}
		in.Fleet.Hosts = append(in.Fleet.Hosts, h)
		if in.Target != nil {
			a := advisory.Assess(in.Fleet, in.Target, nil, 0, in.Now)
			v, _ := a.Host(h.ID)
			in.Assessment.Hosts = append(slices.Clone(in.Assessment.Hosts), v)
			slices.SortFunc(in.Assessment.Hosts, func(a, b advisory.HostVerdict) int { return strings.Compare(a.Host, b.Host) })
		}
		return
	}
	h := find(t, in.Fleet.Hosts, func(h fleet.Host) bool { return h.ID == c.ID })
	switch c.Field {
	case "health":
		h.Health = fleet.Health(c.To)
	case "capabilities":
		if h.Capabilities == nil {
			h.Capabilities = []string{"live-migrate", "suspend", "reboot", "update"}
		}
		h.Capabilities = with(h.Capabilities, news(c))
	case "networks":
		h.Networks = with(h.Networks, news(c))
	default:
		t.Fatalf("nobody knows how to change %s of a host", c.Field)
	}
}

// news are the words that a change adds to a list.
func news(c plan.Change) []string {
	return slices.DeleteFunc(strings.Split(c.To, ", "), func(word string) bool { return slices.Contains(strings.Split(c.From, ", "), word) })
}

func with(have, more []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(append(slices.Clone(have), more...))))
}

func editInstance(t rapid.TB, i *fleet.Instance, c plan.Change) {
	switch c.Field {
	case "host":
		i.Host = c.To
	case "pinned":
		i.Pinned = c.To
	case "devices":
		i.Devices = nil
	case "immovable":
		i.Immovable = nil
	case "disks":
		i.Disks = []fleet.Disk{{Name: "vda", Shared: true}}
	case "state":
		i.State = fleet.State(c.To)
	case "cpu_model":
		i.CPUModel, i.CPUFeatures = c.To, nil
	default:
		t.Fatalf("nobody knows how to change %s of an instance", c.Field)
	}
}

func duration(t rapid.TB, text string) plan.Duration {
	d, err := plan.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func moment(t rapid.TB, text string) time.Time {
	m, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func tacticsOf(names []string) (out []plan.Tactic) {
	for _, name := range names {
		out = append(out, plan.Tactic(name))
	}
	return out
}

func editPolicy(t rapid.TB, p *plan.Policy, c plan.Change) {
	switch c.Field {
	case "tactics":
		for _, tactic := range tacticsOf(news(c)) {
			if !slices.Contains(p.Tactics, tactic) {
				p.Tactics = append(slices.Clone(p.Tactics), tactic)
			}
		}
	case "times.save_max":
		p.Times.SaveMax = duration(t, c.To)
	case "times.migrate_max":
		p.Times.MigrateMax = duration(t, c.To)
	case "moves_per_host":
		p.MovesPerHost = number(t, c.To)
	case "max_away_percent":
		p.MaxAwayPercent = number(t, c.To)
	case "slot":
		p.Slot = duration(t, c.To)
	case "keep_reserve":
		p.KeepReserve = c.To == "true"
	case "after_disclosure":
		p.AfterDisclosure = c.To == "true"
	case "stagger_sites":
		p.StaggerSites = c.To == "true"
	case "non_converging":
		p.NonConverging = append(news(c), p.NonConverging...)
	case "finish_by":
		p.FinishBy = moment(t, c.To)
	case "windows":
		w := plan.WindowRule{Sites: []string{strings.TrimSuffix(strings.TrimPrefix(strings.Split(c.To, ", ")[0], "sites: ["), "]")}}
		if _, length, ok := strings.Cut(c.To, "length: "); ok {
			w.Start, w.Length = "02:00", duration(t, length)
		} else {
			w.Always = true
		}
		p.Windows = append(p.Windows, w)
	default:
		var n int
		if _, err := fmt.Sscanf(c.Field, "windows[%d].length", &n); err != nil {
			t.Fatalf("nobody knows how to change %s of the policy", c.Field)
		}
		p.Windows[n].Length = duration(t, c.To)
	}
}

func editTarget(t rapid.TB, tg *plan.Target, c plan.Change) {
	switch {
	case c.Field == "cohorts[0].tactics":
		for _, tactic := range tacticsOf(news(c)) {
			if !slices.Contains(tg.Cohorts[0].Tactics, tactic) {
				tg.Cohorts[0].Tactics = append(slices.Clone(tg.Cohorts[0].Tactics), tactic)
			}
		}
	case c.Field == "cohorts[0].in_place":
		tg.Cohorts[0].InPlace = c.To == "true"
	case c.Field == "finish_by":
		tg.FinishBy = moment(t, c.To)
	default:
		t.Fatalf("nobody knows how to change %s of the target", c.Field)
	}
}
