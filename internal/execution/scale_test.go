package execution

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// big is a pool of hosts with instances on each, all seen a moment ago, with one turn under way.
func big(tb testing.TB, hosts, each int) (*State, time.Time, *HostView) {
	tb.Helper()
	f := &fleet.Fleet{Regions: []fleet.Region{{ID: "r"}}, Sites: []fleet.Site{{ID: "s", Region: "r"}}, Pools: []fleet.Pool{{ID: "p", Site: "s"}}}
	p := &plan.Plan{Campaign: "c", Revision: 1, Policy: plan.DefaultPolicy()}
	p.Policy.Lead = plan.Lead{Blip: plan.Duration(time.Minute)}
	for t := range 100 {
		id := fmt.Sprintf("t%d", t)
		f.Tenants = append(f.Tenants, fleet.Tenant{ID: id, Contacts: []fleet.Contact{{Email: "a@" + id + ".example"}}})
	}
	from, to := at("01:00:00"), at("05:00:00")
	for h := range hosts {
		id := fmt.Sprintf("h%04d", h)
		f.Hosts = append(f.Hosts, fleet.Host{ID: id, Pools: []string{"p"}, Hypervisor: fleet.KVM, MemoryMiB: int64(each+4) * 1024})
		p.Turns = append(p.Turns, plan.Turn{ID: id, Host: id, Pool: "p", Site: "s", Wave: h/20 + 1, Tactic: plan.Evacuate, WorstS: 60, WindowStart: from, WindowEnd: to})
		for i := range each {
			in := fmt.Sprintf("%si%02d", id, i)
			f.Instances = append(f.Instances, fleet.Instance{ID: in, Host: id, Tenant: fmt.Sprintf("t%d", (h+i)%100), MemoryMiB: 1024})
			p.Slots = append(p.Slots, plan.Slot{ID: id + "/" + in, Instance: in, Tenant: fmt.Sprintf("t%d", (h+i)%100), Turn: id, Disposition: plan.DispLiveMigrate, Start: from, End: to})
		}
	}
	pj, _ := json.Marshal(p)
	fj, _ := json.Marshal(f)
	s, now := New(), at("00:10:00")
	put := func(facts ...Fact) {
		for _, k := range facts {
			k.At = now
			if err := s.Apply(k); err != nil {
				tb.Fatal(err)
			}
		}
	}
	put(Fact{Kind: CampaignApplied, Campaign: "c", Revision: 1, Plan: pj, Fleet: fj})
	for k := s.Decide(now); len(k) > 0; k = s.Decide(now) {
		put(k...)
	}
	for _, n := range s.Notices {
		put(Fact{Kind: NoticeAccepted, Notice: n.ID, NoticeKind: n.Kind, Tenant: n.Tenant})
	}
	now = at("01:00:00")
	var one *HostView
	for _, h := range f.Hosts {
		v := &HostView{At: now, BootID: "b", Health: "up", MemoryMiB: h.MemoryMiB, FreeMiB: 4096}
		for i := range each {
			v.Instances = append(v.Instances, InstanceView{ID: fmt.Sprintf("%si%02d", h.ID, i), State: "running", MemoryMiB: 1024, Running: map[string]string{"qemu-system-x86": oldQEMU}})
		}
		put(Fact{Kind: HostSeen, Host: h.ID, Seen: v})
		one = v
	}
	put(Fact{Kind: TurnPermitted, Turn: "h0000", Host: "h0000"})
	put(Fact{Kind: StepStarted, Turn: "h0000", Step: StepCordon, Attempt: 1, Deadline: now.Add(time.Minute)},
		Fact{Kind: StepDone, Turn: "h0000", Step: StepCordon, Attempt: 1})
	return s, now, one
}

func BenchmarkDecideThousandHosts(b *testing.B) {
	s, now, _ := big(b, 1000, 30)
	for b.Loop() {
		s.Decide(now)
	}
}

func BenchmarkOutstandingThousandHosts(b *testing.B) {
	s, now, _ := big(b, 1000, 30)
	for b.Loop() {
		s.Outstanding(now)
		s.Wake(now)
	}
}

func BenchmarkHostSeenThousandHosts(b *testing.B) {
	s, _, v := big(b, 1000, 30)
	for b.Loop() {
		_ = s.Apply(Fact{Kind: HostSeen, Host: "h0999", Seen: v, At: s.At})
	}
}

func BenchmarkStatusThousandHosts(b *testing.B) {
	s, now, _ := big(b, 1000, 30)
	for b.Loop() {
		s.Status(now)
	}
}

// How many hosts one drain looks at every half minute.
func TestLooksOfOneDrain(t *testing.T) {
	s, now, v := big(t, 1000, 30)
	n := len(s.Outstanding(now.Add(lookAfter + time.Second)))
	b, _ := json.Marshal(Fact{Kind: HostSeen, Host: "h0999", Seen: v})
	t.Logf("%d chores 31 s after all hosts were seen, each a fact of %d bytes: %d MiB an hour", n, len(b), n*len(b)*120>>20)
	if n > 100 {
		t.Errorf("a drain of one host of a pool of 1000 looks at %d hosts every %s and stores each look whole", n, lookAfter)
	}
}
