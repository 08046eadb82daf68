package unblock_test

import (
	"cmp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
	"github.com/evenkeel/evenkeel/internal/unblock"
)

// easy is a campaign in which nothing is blocked: four hosts with two instances each, that can all be moved.
func easy() planner.Input {
	in := reboots(uniform(4, 8192, 2, 1024))
	p := &in.Policy
	p.Windows, p.Slot = []plan.WindowRule{{Always: true}}, plan.Duration(6*time.Hour)
	p.Tactics = []plan.Tactic{plan.Evacuate}
	p.Canary, p.KeepReserve, p.MaxAwayPercent, p.MinStay = false, false, 100, 0
	return in
}

// eachCode makes one thing wrong for each code, and says what the cause and the changes should be.
var eachCode = []struct {
	code    string
	wrong   func(in *planner.Input)
	changes string // the one change, as of, id, field, to, or how that begins; empty: none
	other   string // what Why says of
}{
	{"host-down", func(in *planner.Input) { in.Fleet.Hosts[0].Health = fleet.Down }, "host h000 health up", ""},
	{"pinned", func(in *planner.Input) { in.Fleet.Instances[0].Pinned = "licence" }, "instance v000-0 pinned ", "allow the tactic suspend"},
	{"pinned", func(in *planner.Input) {
		in.Fleet.Instances[0].Pinned, in.Fleet.Instances[2].Pinned = "licence", "licence"
	}, "policy  tactics evacuate, suspend", ""},
	{"local-disk", func(in *planner.Input) { in.Fleet.Instances[0].Disks = []fleet.Disk{{Name: "vda"}} }, "instance v000-0 disks shared: true", ""},
	{"device-passthrough", func(in *planner.Input) { in.Fleet.Instances[0].Devices = []string{"gpu"} }, "instance v000-0 devices ", "allow the tactic reboot"},
	{"odd", func(in *planner.Input) { in.Fleet.Instances[0].Immovable = []fleet.Reason{{Code: "odd"}} }, "instance v000-0 immovable ", ""},
	{"tenant-no-contact", func(in *planner.Input) { in.Fleet.Tenants[0].Contacts = nil }, "tenant acme contacts an e-mail address", ""},
	{"tenant-no-contact", func(in *planner.Input) { in.Fleet.Tenants = nil }, "tenant acme contacts an e-mail address", ""},
	{"no-live-migration", func(in *planner.Input) { in.Fleet.Hosts[0].Capabilities = []string{"reboot", "update"} }, "host h000 capabilities reboot, update, live-migrate", ""},
	{"no-update", func(in *planner.Input) { in.Fleet.Hosts[0].Capabilities = []string{"reboot", "live-migrate"} }, "host h000 capabilities reboot, live-migrate, update", ""},
	{"no-tactic", func(in *planner.Input) { in.Policy.Tactics = nil }, "policy  tactics evacuate", ""},
	{"no-tactic", func(in *planner.Input) { in.Target.Cohorts[0].Tactics = []plan.Tactic{plan.Suspend} }, "target  cohorts[0].tactics evacuate, suspend", "allow the tactic suspend in the policy"},
	{"network-missing", func(in *planner.Input) {
		in.Fleet.Instances[0].Networks = []string{"red"}
		for n := range in.Fleet.Hosts[1:] {
			in.Fleet.Hosts[1+n].Networks = []string{"blue"}
		}
	}, "host h001 networks blue, red", ""},
	{"storage-missing", func(in *planner.Input) {
		in.Fleet.Instances[0].Storage = []string{"ceph"}
		for n := range in.Fleet.Hosts[1:] {
			in.Fleet.Hosts[1+n].Storage = []string{"nfs"}
		}
	}, "host h001 storage nfs, ceph", ""},
	{"machine-type-missing", func(in *planner.Input) {
		in.Fleet.Instances[0].MachineType = "q35"
		for n := range in.Fleet.Hosts[1:] {
			in.Fleet.Hosts[1+n].MachineTypes = []string{"pc"}
		}
	}, "host h001 machine_types pc, q35", ""},
	{"cpu-mismatch", func(in *planner.Input) {
		in.Fleet.Instances[0].CPUFeatures = []string{"avx512"}
		for n := range in.Fleet.Hosts[1:] {
			in.Fleet.Hosts[1+n].CPUFeatures = []string{"avx2"}
		}
	}, "instance v000-0 cpu_model kvm64", "let host h001 offer the CPU features avx512"},
	{"older-hypervisor", func(in *planner.Input) {
		in.Fleet.Instances[0].Running = map[string]string{"qemu-system-x86": "1:9.2+ds-1"}
		in.Fleet.Hosts[0].Software = qemu("1:9.2+ds-1")
		in.Target = nil
	}, "host new-pool-like-h000-1 add memory_mib: 2048, pools: [pool], like host h000", ""},
	{"host-unfit", func(in *planner.Input) {
		for n := range in.Fleet.Hosts[1:] {
			in.Fleet.Hosts[1+n].Health = fleet.Sick
		}
	}, "host h001 health up", ""},
	{"no-destination", func(in *planner.Input) {
		in.Fleet.Hosts, in.Fleet.Instances = in.Fleet.Hosts[:1], in.Fleet.Instances[:2]
	},
		"host new-pool-like-h000-1 add memory_mib: 2048, pools: [pool], like host h000", "allow the tactic suspend"},
	{"migration-too-long", func(in *planner.Input) { in.Policy.Times.MigrateMax = plan.Duration(4 * time.Second) }, "policy  times.migrate_max 5s", "migrate 1 at once"},
	{"non-converging", func(in *planner.Input) {
		in.Fleet.Instances[0].DirtyMiBps, in.Policy.NonConverging = 4000, []string{"hold"}
	}, "policy  non_converging post-copy, hold", ""},
	{"no-room", func(in *planner.Input) {
		for n := range in.Fleet.Instances {
			in.Fleet.Instances[n].MemoryMiB = 4096 - 1024*int64(n%2)
		}
	}, "host new-pool-like-h000-1 add memory_mib: 7168, pools: [pool], like host h000", "allow the tactic suspend"},
	{"reserve", func(in *planner.Input) {
		mib := int64(24000)
		in.Policy.KeepReserve, in.Fleet.Pools[0].ReserveMiB = true, &mib
	}, "host new-pool-like-h000-1 add memory_mib: 7616, pools: [pool], like host h000", "keep 16384 MiB of pool pool free, and not 24000"},
	{"spread", func(in *planner.Input) {
		in.Fleet.Groups = []fleet.Group{{ID: "g", Spread: fleet.SpreadHost, MaxUnavailable: 1}}
		for n := range in.Fleet.Hosts {
			in.Fleet.Instances[2*n].Group = "g"
		}
	}, "host new-pool-like-h000-1 add memory_mib: 1024, pools: [pool], like host h000", "allow the tactic suspend"},
	{"group-degraded", func(in *planner.Input) {
		in.Fleet.Groups = []fleet.Group{{ID: "g"}}
		in.Fleet.Instances[0].Group, in.Fleet.Instances[2].Group, in.Fleet.Instances[2].State = "g", "g", fleet.Stopped
	}, "instance v001-0 state running", "let 2 members of group g be down at once"},
	{"group-in-one-turn", func(in *planner.Input) {
		in.Fleet.Groups, in.Policy.Tactics = []fleet.Group{{ID: "g"}}, []plan.Tactic{plan.Suspend}
		in.Fleet.Instances[0].Group, in.Fleet.Instances[1].Group = "g", "g"
	}, "instance v000-0 host h001", "let 2 members of group g be down at once"},
	{"host-group-degraded", func(in *planner.Input) {
		in.Fleet.HostGroups = []fleet.HostGroup{{ID: "hg", MaxUnavailable: 1, Hosts: []string{"h000", "h001"}}}
		in.Fleet.Hosts[0].Health, in.Fleet.Hosts[0].Software = fleet.Down, qemu(newer)
	}, "host h000 health up", "let 2 hosts of host group hg be away at once"},
	{"slot-too-short", func(in *planner.Input) { in.Policy.Slot = plan.Duration(20 * time.Minute) }, "policy  slot 32m", ""},
	{"slot-too-short", func(in *planner.Input) {
		in.Policy.Windows = []plan.WindowRule{{Start: "02:00", Length: plan.Duration(15 * time.Minute)}}
	}, "policy  windows[0].length 32m", ""},
	{"no-window", func(in *planner.Input) {
		in.Policy.Windows = []plan.WindowRule{{Start: "02:00", Length: plan.Duration(time.Hour), Sites: []string{"n9"}}}
	}, "policy  windows sites: [n1], start: 02:00, length: 32m", ""},
	{"slot-too-short", func(in *planner.Input) { // for what it saves
		in.Policy.Tactics, in.Policy.Times.SaveMax, in.Policy.Slot = []plan.Tactic{plan.Suspend}, plan.Duration(16*time.Second), plan.Duration(31*time.Minute+20*time.Second)
	}, "policy  slot 1940s", "allow the tactic reboot"},
	{"pinned", func(in *planner.Input) { // and too large to be saved
		in.Policy.Tactics, in.Policy.Times.SaveMax = []plan.Tactic{plan.Evacuate, plan.Suspend}, plan.Duration(14*time.Second)
		in.Fleet.Instances[0].Pinned, in.Fleet.Instances[2].Pinned = "licence", "licence"
	}, "policy  times.save_max 16s", "allow the tactic reboot"},
	{"windows-apart", func(in *planner.Input) {
		in.Policy.Windows = []plan.WindowRule{{Start: "02:00", Length: plan.Duration(time.Hour)}}
		in.Fleet.Tenants[0].Windows = []fleet.Window{{Start: "14:00", Length: plan.Duration(time.Hour)}}
	}, "", "each was tried: a window of the policy of at least 31m30s"},
	{"after-finish-by", func(in *planner.Input) { in.Policy.FinishBy = now.AddDate(0, 0, 1) }, "policy  finish_by 2026-03-03T10:0", ""},
	{"after-disclosure", func(in *planner.Input) { in.Target.Disclosure = now.AddDate(0, 0, 1) }, "policy  after_disclosure true", ""},
	{"paused", func(in *planner.Input) {
		in.Target.Cohorts[0].Remedy, in.Policy.Tactics, in.Fleet.Instances[0].State = "refresh", []plan.Tactic{plan.Refresh}, fleet.Paused
	}, "instance v000-0 state running", ""},
	{"no-shadow", func(in *planner.Input) {
		in.Fleet.Instances[0].GuestType, in.Target = "pv", nil
		for n := range in.Fleet.Hosts {
			in.Fleet.Hosts[n].Hypervisor, in.Fleet.Hosts[n].VirtCaps = fleet.Xen, []string{"hap"}
		}
	}, "host h000 virt_caps hap, shadow", "run instance v000-0 as PVH"},
	{"under-way", func(in *planner.Input) {
		in.Target, in.Supersedes, in.Underway = nil, "winter", map[string]bool{"h000": true}
	}, "", "plan again when it is over"},
	{"no-update-named", func(in *planner.Input) {
		in.Target.Cohorts[0].Remedy, in.Policy.Tactics, in.Target.Cohorts[0].Update = "refresh", []plan.Tactic{plan.Refresh}, plan.Update{}
	}, "", "name update.command"},
	{"no-live-patch", func(in *planner.Input) {
		in.Target.Cohorts[0].Remedy, in.Policy.Tactics = "live-patch", []plan.Tactic{plan.LivePatch}
		in.Target.Cohorts[0].LivePatches = []plan.WantedPatch{{Name: "k1", Component: "linux"}}
		for n := range in.Fleet.Hosts {
			in.Fleet.Hosts[n].Software.LivePatches = []fleet.LivePatch{}
		}
	}, "policy  tactics live-patch, evacuate", ""},
}

// fromOf is what fields are before, by code and field, and by what they become where that differs; the others are
// empty.
var fromOf = map[string]string{
	"after-disclosure after_disclosure":    "false",
	"after-finish-by finish_by":            "2026-03-03T09:00:00Z",
	"device-passthrough devices":           "gpu",
	"group-degraded state":                 "stopped",
	"group-in-one-turn host":               "h000",
	"host-down health":                     "down",
	"host-group-degraded health":           "down",
	"host-unfit health":                    "sick",
	"local-disk disks":                     "shared: false",
	"machine-type-missing machine_types":   "pc",
	"migration-too-long times.migrate_max": "4s",
	"network-missing networks":             "blue",
	"no-live-migration capabilities":       "reboot, update",
	"no-live-patch tactics":                "live-patch",
	"no-shadow virt_caps":                  "hap",
	"no-tactic cohorts[0].tactics":         "suspend",
	"no-update capabilities":               "reboot, live-migrate",
	"non-converging non_converging":        "hold",
	"odd immovable":                        "odd",
	"paused state":                         "paused",
	"pinned pinned":                        "licence",
	"pinned tactics":                       "evacuate",
	"pinned times.save_max":                "14s",
	"slot-too-short slot 1940s":            "1880s",
	"slot-too-short slot":                  "20m",
	"slot-too-short windows[0].length":     "15m",
	"storage-missing storage":              "nfs",
}

// TestEachCode: each code is freed by the change that an operator would expect.
func TestEachCode(t *testing.T) {
	if p := propose(t, easy()); len(p.Blocked) > 0 {
		t.Fatalf("blocked from the outset: %s", told(p.Blocked))
	}
	for _, c := range eachCode {
		in := easy()
		c.wrong(&in)
		if in.Target != nil {
			in = targeted(in.Fleet, in.Policy, in.Target)
		}
		p := propose(t, in)
		causes, _ := unblock.Causes(in, p)
		i := slices.IndexFunc(causes, func(o plan.Cause) bool { return o.Code == c.code })
		if i < 0 {
			t.Errorf("%s: it is not a cause: %s", c.code, told(causes))
			continue
		}
		var got []string
		for _, o := range causes[i].Changes {
			got = append(got, strings.Join([]string{o.Of, o.ID, o.Field, o.To}, " "))
			if from := cmp.Or(fromOf[c.code+" "+o.Field+" "+o.To], fromOf[c.code+" "+o.Field]); o.From != from {
				t.Errorf("%s: %s starts from %q, want %q", c.code, o.Field, o.From, from)
			}
		}
		if len(got) > 1 || c.changes == "" != (len(got) == 0) || !strings.HasPrefix(strings.Join(got, " + "), c.changes) || !strings.Contains(causes[i].Why, c.other) {
			t.Errorf("%s: got %s (%s), want %s (%s)", c.code, strings.Join(got, " + "), causes[i].Why, c.changes, c.other)
		}
	}
}

// TestSameTwice: the same input gives the same causes to the byte, and none when nothing is blocked.
func TestSameTwice(t *testing.T) {
	in := easy()
	if c, all := unblock.Causes(in, propose(t, in)); c != nil || all != nil {
		t.Errorf("nothing is blocked: %s %s", told(c), told(all))
	}
	for i := range in.Fleet.Instances {
		in.Fleet.Instances[i].Devices = []string{"gpu"}
	}
	in.Fleet.Instances[0].Tenant = "mute"
	p := propose(t, in)
	before := told(in)
	causes, all := unblock.Causes(in, p)
	first := told(causes) + told(all)
	causes, all = unblock.Causes(in, p)
	if second := told(causes) + told(all); first != second || all == nil {
		t.Errorf("%s\n%s", first, second)
	}
	if told(in) != before {
		t.Error("the input was changed")
	}
}
