package advisory

import (
	"fmt"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// bigFleet has hosts of many kinds: two hypervisors, two distributions, three kernels, and versions
// spread over the years, with ten instances each.
func bigFleet(hosts, kinds int) *fleet.Fleet {
	f := &fleet.Fleet{Taken: now, Regions: []fleet.Region{{ID: "r1"}}}
	for i := range 20 {
		f.Sites = append(f.Sites, fleet.Site{ID: fmt.Sprintf("s%d", i), Region: "r1"})
		f.Pools = append(f.Pools, fleet.Pool{ID: fmt.Sprintf("p%d", i), Site: fmt.Sprintf("s%d", i)})
	}
	for i := range hosts {
		kind := i % kinds
		h := fleet.Host{ID: fmt.Sprintf("h%06d", i), Pools: []string{f.Pools[i%20].ID}, Hypervisor: fleet.KVM, Ecosystem: "Debian:12", Arch: "x86_64",
			CPU: fleet.CPU{Vendor: "amd", Family: 23 + kind%2}, Seen: now.Add(-time.Duration(i) * time.Millisecond)}
		qemu := fmt.Sprintf("1:7.2+dfsg-7+deb12u%d", 1+kind%18)
		linux := fmt.Sprintf("6.1.%d-1", 90+kind%60)
		h.Software = fleet.Software{Installed: m{pkg: qemu, "linux-image-amd64": linux}, Booted: m{pkg: qemu, "linux-image-amd64": linux}, BuildID: fmt.Sprintf("%040x", kind/20)}
		f.Hosts = append(f.Hosts, h)
		for k := range 10 {
			f.Instances = append(f.Instances, fleet.Instance{ID: fmt.Sprintf("i%06d-%d", i, k), Host: h.ID, Tenant: fmt.Sprintf("t%d", (i+k)%500), MemoryMiB: 1024, Running: m{pkg: qemu}})
		}
	}
	return f
}

// manyAdvisories are n documents of the shapes that feeds bring: some of Debian, some of the project,
// some that apply to one CPU vendor only.
func manyAdvisories(n int) (as []Advisory) {
	for i := range n {
		a := Advisory{ID: fmt.Sprintf("CVE-2025-%d", 10000+i), Source: "feed", Published: now.AddDate(0, 0, -i%400)}
		switch i % 4 {
		case 0:
			a.Affected = []Affected{debian("12", "qemu", fixedIn(fmt.Sprintf("1:7.2+dfsg-7+deb12u%d", 1+i%19))...), debian("13", "qemu", fixedIn("1:10.0.6+ds-0+deb13u2")...)}
		case 1:
			a.Affected = []Affected{debian("12", "linux", fixedIn(fmt.Sprintf("6.1.%d-1", 90+i%70))...)}
		case 2:
			a.Affected = []Affected{{Ecosystem: "upstream", Package: "qemu", Ranges: []Range{{Type: "ECOSYSTEM", Events: fixedIn("7.0.0")}}}}
		default:
			a.Affected = []Affected{debian("12", "linux", fixedIn(fmt.Sprintf("6.1.%d-1", 90+i%70))...)}
			a.Applies = []Condition{{CPUVendors: []string{"intel"}}}
		}
		as = append(as, a)
	}
	return as
}

// TestScaleShares: hosts that are alike are judged once, so that many hosts cost little more than few.
func TestScaleShares(t *testing.T) {
	f := bigFleet(4000, 40)
	s := newAssessor(f, &plan.Target{}, manyAdvisories(50), time.Hour, now)
	for i := range f.Hosts {
		s.hostVerdict(&f.Hosts[i])
	}
	for i := range f.Instances {
		s.instanceVerdict(&f.Instances[i])
	}
	if n := len(s.outcomes); n > 80+40 {
		t.Errorf("%d hosts and %d instances of 40 kinds were judged %d times", len(f.Hosts), len(f.Instances), n)
	}
}

// BenchmarkAssess is the bound of the issue: 100,000 hosts against 500 advisories in under 10 s on
// two cores; with ten instances each, of 1,800 kinds. The ratio printed is to that bound.
func BenchmarkAssess(b *testing.B) {
	for _, kinds := range []int{36, 1800} {
		f, as := bigFleet(100_000, kinds), manyAdvisories(500)
		b.Run(fmt.Sprintf("100000-hosts,1000000-instances,500-advisories,%d-kinds", kinds), func(b *testing.B) {
			for b.Loop() {
				a := Assess(f, nil, as, time.Hour, now)
				if a.Counts.Hosts.All() != 100_000 {
					b.Fatal("not all hosts were judged")
				}
			}
			b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/10, "of-the-10s-bound")
		})
	}
}
