package bench

import "time"

// Bench is what one run measures.
type Bench struct {
	Families []Family
	Hroller  Limits
	Ours     Limits
}

// Family is one kind of fleet in growing sizes.
type Family struct {
	Make  func(hosts int) Fleet
	Hosts []int
}

// families of all kinds; the first one in the sizes of the growth curve. Uniform ones have ten instances a
// host; at 95 % nineteen, which leaves room for one more on each. With ten there is no room for even one.
func families(small, large, curve []int) []Family {
	kind := func(hosts []int, make func(int) Fleet) Family { return Family{make, hosts} }
	return []Family{
		kind(curve, func(n int) Fleet { return uniform(n, 60, 10) }),
		kind(small, func(n int) Fleet { return uniform(n, 70, 10) }),
		kind(small, func(n int) Fleet { return uniform(n, 80, 10) }),
		kind(large, func(n int) Fleet { return uniform(n, 90, 10) }),
		kind(small, func(n int) Fleet { return uniform(n, 95, 19) }),
		kind(small[:1], func(n int) Fleet { f := uniform(n, 95, 10); f.Family = "no room: 10 of 10 slots used"; return f }),
		kind(small[:1], func(n int) Fleet { return giant(n, 60) }),
		kind(small, func(n int) Fleet { return mixed(n, 60) }),
		kind(large, func(n int) Fleet { return mixed(n, 70) }),
		kind(small, func(n int) Fleet { return mixed(n, 85) }),
		kind(small, func(n int) Fleet { return mixed(n, 90) }),
		kind(small, func(n int) Fleet { return services(n, 60, members, "spread 60 %") }),
		kind(small, func(n int) Fleet { return services(n, 60, 1, "spread and groups 60 %") }),
	}
}

// Full is the whole table: up to 100,000 hosts, and hroller with two minutes for each fleet.
func Full() Bench {
	return Bench{
		Families: families([]int{100, 1000, 10_000}, []int{100, 1000, 3000, 10_000, 100_000}, []int{100, 300, 1000, 3000, 10_000, 30_000, 100_000}),
		Hroller:  Limits{CPUSeconds: 120, Wall: 10 * time.Minute, RSSBytes: 8 << 30},
		Ours:     Limits{CPUSeconds: 600, Wall: 30 * time.Minute, RSSBytes: 12 << 30},
	}
}

// Short takes less than a minute.
func Short() Bench {
	return Bench{
		Families: families([]int{100}, []int{100, 1000}, []int{100, 1000, 3000}),
		Hroller:  Limits{CPUSeconds: 4, Wall: 30 * time.Second, RSSBytes: 2 << 30},
		Ours:     Limits{CPUSeconds: 60, Wall: 5 * time.Minute, RSSBytes: 4 << 30},
	}
}
