package study

import "fmt"

// Fact is what accounts tell of one thing; the zero value: they do not.
type Fact struct {
	Value string
	Kind  Kind
}

func (f Fact) String() string {
	if f.Value == "" {
		return "-"
	}
	return fmt.Sprintf("%s (%s)", f.Value, f.Kind)
}

// History is what accounts tell of a campaign, to stand beside what is planned.
type History struct {
	Start, End, Hours, Slack Fact
	Hosts, Customers         Fact
	Longest, Notice          Fact
	Promised, Apart, AtOnce  Fact
}

var zonalHistory = History{
	Start:   Fact{"2014-09-26 02:00 UTC", Sourced},
	End:     Fact{"2014-09-30 23:59 UTC", Sourced},
	Hours:   Fact{"118", Derived},
	Slack:   Fact{"12 h", Derived},
	Hosts:   Fact{"less than 10 % of the fleet", Sourced},
	Longest: Fact{"2 to 10 min usual", Sourced},
	Notice:  Fact{"1 to 2 days: sent on 24 and 25 September", Derived},
	Apart:   Fact{"none: never two zones of a region on a day", Sourced},
	AtOnce:  Fact{"4 in a zone", Assumed},
}

var wholeHistory = History{
	Start:     Fact{"2014-09-28 11:00 UTC", Sourced},
	End:       Fact{"2014-09-30 14:00 UTC", Sourced},
	Hours:     Fact{"51", Derived},
	Slack:     Fact{"22 h", Derived},
	Hosts:     Fact{"100 %", Sourced},
	Customers: Fact{"50,000 of about 200,000", Sourced},
	Longest:   Fact{"11 h at worst", Sourced},
	Notice:    Fact{"33 h, and 1 h before a region's turn", Derived},
	Promised:  Fact{"8 h for each data centre", Assumed},
	Apart:     Fact{"no zones", Sourced},
	AtOnce:    Fact{"400", Assumed},
}

// Assumptions of a campaign, all that its table depends on.
func (s September) Assumptions() []Assumption {
	return append(s.ofTheCampaign(), s.ofItsFleet()...)
}

func (s September) ofTheCampaign() []Assumption {
	return []Assumption{
		{"advisory", "XSA-108 (CVE-2014-7188): HVM guests on x86, Xen 4.1 and later", Sourced, "its record; public on " + stamp(s.Public)},
		{"plan made, customers told", stamp(s.Now), s.either(Derived, Sourced), s.words("notices went out on 24 and 25 September; noon is assumed", "9:22 pm of Friday by the provider's clock")},
		{"notice ahead", hours(s.Lead) + " at least", Derived, "from the notices to the first reboots, less what the first slot may wait"},
		{"to finish by", stamp(s.FinishBy), Sourced, "when the provider was through"},
		{"fix deployed under embargo", "yes", Sourced, "providers did"},
		{"sites of a region", s.words("a day of its own for each zone, of Friday to Tuesday, two days apart", "each has one"), s.either(Sourced, Assumed), s.words("the rule is a spokesman's of 2011; days are counted in UTC and which day is whose is assumed", "no zones were told of")},
		{"windows", s.words("the whole day", "8 h a day: two data centres from 10:00, two from 18:00, two from 02:00 UTC"), Assumed, s.words("", "8 h for each data centre were told afterwards")},
		{"promised slots", "2 h", Assumed, "each instance has its own"},
		{"away at once", fmt.Sprintf("%d %% of a pool, %d hosts of %d", s.MaxAwayPercent, s.Hosts*s.MaxAwayPercent/100, s.Hosts), Assumed, s.words("4 in a zone, as is assumed of 2014", "374 in two data centres; 400 are assumed of 2014")},
		{"waves", fmt.Sprintf("canary, 30 min soak, then each at most %d times the largest before", waveGrowth2014), Assumed, "the default is 4"},
		{"a host's reboot", "35 min, at worst 60 min", Derived, "prgmr 2017 (XSA-213, XSA-216): mean 35 and 38 min, 15 to 67"},
		{"saving to disk", "200 MiB/s, 10 min a host or as long as it takes", Assumed, "the planner's own rate"},
		{"hosts that do not return", "10.1 %, or 1.27 %", Derived, "22 of 218 instances of one customer in 2014 (95 %: 6 to 14), and reboots told of in 2018; instances are taken for hosts, and plans do not count on it"},
	}
}

func (s September) ofItsFleet() []Assumption {
	return []Assumption{
		{"hosts", fmt.Sprintf("%s in %d regions, %d site(s) each, %d pools each, %d hosts each", number(s.AllHosts()), s.Regions, s.Sites, s.Pools, s.Hosts), Assumed, s.words("nine regions as of the largest provider (S)", "")},
		{"hosts affected", s.words("one pool of ten in each zone, HVM guests only; the others run PV guests", "all"), s.either(Sourced, Sourced), s.words("less than 10 %, by kinds of instances; that kinds have pools of their own is assumed", "all next-generation servers")},
		{"Xen", xen2014 + ", the fix in " + fixedXen2014, Assumed, "one build everywhere"},
		{"instances", fmt.Sprintf("%s each; a host of %d GiB is full", sizes(s.Sizes), s.HostMiB>>10), Assumed, s.words("about 20 on a host", "about 15 on a host")},
		{"guests", s.words("HVM, or PV", guests(s.Guests)), Assumed, ""},
		{"pinned, local disk, not to be saved", fmt.Sprintf("%s, %s, %s of the instances", round(s.Pinned), round(s.LocalDisk), round(s.NoSuspend)), Assumed, "pinned and local disk bind an instance to its host"},
		{"spare capacity", fmt.Sprintf("one host of %d in each pool, %.0f %%", s.Hosts, 100/float64(s.Hosts)), Assumed, fmt.Sprintf("of it %d GiB of each pool are a reserve that stays free", s.ReserveMiB>>10)},
		{"redundancy groups", fmt.Sprintf("%s, of three instances in three sites", number(s.Regions*s.Sites/3*s.Pools*(s.Hosts-1))), Assumed, "one of three may be away at once"},
		{"customers", number(s.Tenants), s.either(Assumed, Derived), s.words("instances are drawn to them one by one", "those that were hit; instances are drawn to them one by one, and some get none")},
		{"links", "10 Gbit/s", Assumed, ""},
		{"seed", fmt.Sprint(s.Seed), Assumed, "the same seed gives the same page"},
	}
}

// words tells the cloud of zones from the fleet without.
func (s September) words(zones, whole string) string {
	if s.HVMPools > 0 {
		return zones
	}
	return whole
}

func (s September) either(zones, whole Kind) Kind {
	if s.HVMPools > 0 {
		return zones
	}
	return whole
}
