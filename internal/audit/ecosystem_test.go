package audit

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// others are ecosystems with versions that Debian's rules would put in another order, or in none.
var others = []struct {
	ecosystem, old, new, unread string
	byCohort                    bool // else by the hosts
}{
	{"Rocky Linux:9", "17:8.2.0~rc2-11.el9", "17:8.2.0-2.el9", "qemu-kvm-8.2.0-2.el9", false},
	{"Red Hat:9", "8.2.0-9.el9", "8.2.0^git1-1.el9", "8.2.0-2.el9.x86_64", true},
	{"Alpine:v3.20", "8.2.0_rc2-r3", "8.2.0-r1", "8.2.0-1", false},
	{"upstream", "8.2.0-rc2", "8.2.0", "8.2.0-12-gabcdef0", true},
}

// inEcosystem translates a journal of Debian's versions to another ecosystem.
func inEcosystem(t *testing.T, facts []Fact, ecosystem, before, after string, byCohort bool) []Fact {
	t.Helper()
	text, err := json.Marshal(facts)
	if err != nil {
		t.Fatal(err)
	}
	translated := strings.NewReplacer(quoted(oldQEMU), quoted(before), quoted(newQEMU), quoted(after)).Replace(string(text))
	var out []Fact
	if err := json.Unmarshal([]byte(translated), &out); err != nil {
		t.Fatal(err)
	}
	p, f := decoded[plan.Plan](t, out[0].Plan), decoded[fleet.Fleet](t, out[0].Fleet)
	if byCohort {
		p.Target.Cohorts[0].Ecosystem = ecosystem
	} else {
		for i := range f.Hosts {
			f.Hosts[i].Ecosystem = ecosystem
		}
	}
	seal(p)
	out[0].Plan, _ = json.Marshal(p)
	out[0].Fleet, _ = json.Marshal(f)
	return out
}

func quoted(v string) string {
	text, _ := json.Marshal(v)
	return string(text)
}

func decoded[T any](t *testing.T, text []byte) *T {
	t.Helper()
	v := new(T)
	if err := json.Unmarshal(text, v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestOtherEcosystems: a good refresh is clean in each; a monitor that says the old version, or one
// that cannot be compared, proves no refresh; neither does such a version on a disk prove a preparation.
func TestOtherEcosystems(t *testing.T) {
	for _, e := range others {
		t.Run(e.ecosystem, func(t *testing.T) {
			tell := func(spoil func(p *tape)) []Finding {
				p := &tape{t, inEcosystem(t, refreshJournal(), e.ecosystem, e.old, e.new, e.byCohort)}
				if spoil != nil {
					spoil(p)
				}
				found := Facts(p.facts).Findings
				return append(found, Plan(decoded[fleet.Fleet](t, p.facts[0].Fleet), decoded[plan.Plan](t, p.facts[0].Plan))...)
			}
			for _, c := range []struct {
				name  string
				want  []string
				spoil func(p *tape)
			}{
				{"good", nil, nil},
				{"its monitor says the old one", one("refresh-unproven"), func(p *tape) { p.says("a1", e.old) }},
				{"its monitor says what cannot be compared", one("refresh-unproven"), func(p *tape) { p.says("a1", e.unread) }},
				{"what is on the disk cannot be compared", one("prepared-unproven"), func(p *tape) {
					p.facts[p.find("step-done", "b", "prove")-1].Seen.Installed = map[string]string{"qemu-system-x86": e.unread}
				}},
			} {
				if found := tell(c.spoil); !slices.Equal(codes(found), append([]string{}, c.want...)) {
					show(t, found)
					t.Errorf("%s: %v, want %v", c.name, codes(found), c.want)
				}
			}
		})
	}
}

// TestOldIsLeftBehind: an instance that is known to run on what is old is missed by a refresh; one whose
// version cannot be compared accuses nobody.
func TestOldIsLeftBehind(t *testing.T) {
	for _, e := range others {
		for v, want := range map[string][]string{e.old: one("not-refreshed"), e.unread: {}, e.new: {}} {
			facts := inEcosystem(t, refreshJournal(), e.ecosystem, e.old, e.new, e.byCohort)
			f, p := decoded[fleet.Fleet](t, facts[0].Fleet), decoded[plan.Plan](t, facts[0].Plan)
			for i := range f.Instances {
				if f.Instances[i].ID == "own" {
					f.Instances[i].Running = map[string]string{"qemu-system-x86": v}
				}
			}
			p.Moves = slices.DeleteFunc(p.Moves, func(m plan.Move) bool { return m.Instance == "own" })
			p.Slots = slices.DeleteFunc(p.Slots, func(s plan.Slot) bool { return s.Instance == "own" })
			seal(p)
			if found := Plan(f, p); !slices.Equal(codes(found), want) {
				show(t, found)
				t.Errorf("%s, %s: %v, want %v", e.ecosystem, v, codes(found), want)
			}
		}
	}
}

// TestOlderThere: a move to what is known to be older is barred; to what cannot be compared it is not,
// and nobody is blamed for not making it.
func TestOlderThere(t *testing.T) {
	for _, e := range others {
		for _, c := range []struct {
			runs, lands   string
			code          string
			maybe, differ bool
		}{
			{e.new, e.old, fleet.OlderHypervisor, false, false}, {e.old, e.new, "", false, false}, {e.new, e.new, "", false, false},
			{e.unread, e.new, "", true, false}, {e.new, e.unread, "", true, false}, {e.unread, e.unread, "", false, false}, {e.new, e.old, "", true, true},
		} {
			f := goodFleet()
			in, from, to := &f.Instances[0], &f.Hosts[0], &f.Hosts[1]
			from.Ecosystem, to.Ecosystem = e.ecosystem, ""
			if c.differ {
				to.Ecosystem = "Debian:12"
			}
			runs, lands := map[string]string{"qemu-system-x86": c.runs}, map[string]string{"qemu-system-x86": c.lands}
			by := familyBetween(nil, to, &plan.Cohort{}, from)
			if code, why := unfit(by, in, from, to, runs, lands); code != c.code || doubtful(by, runs, lands) != c.maybe {
				t.Errorf("%s, %+v: %s (%s), doubtful %v", e.ecosystem, c, code, why, doubtful(by, runs, lands))
			}
		}
	}
}

// TestStandingOfOthers: in one line of a release's versions a host is behind or there; beyond it, and
// where versions cannot be compared, nothing is told.
func TestStandingOfOthers(t *testing.T) {
	for _, c := range []struct {
		by         family
		have, want string
		is         standing
	}{
		{rpms, "17:8.2.0-2.el9", "17:8.2.0-11.el9_4", behind}, {rpms, "17:8.2.0-11.el9_5", "17:8.2.0-11.el9_4", there}, {rpms, "17:8.2.0-11.el10", "17:8.2.0-2.el9", untold}, {rpms, "17:9.0.0-1.el9", "17:8.2.0-2.el9", untold},
		{rpms, "qemu-kvm-8.2.0-2.el9", "qemu-kvm-8.2.0-2.el9", untold}, {apks, "8.2.0-r1", "8.2.0-r2", behind}, {apks, "8.2.0-r10", "8.2.0-r9", there}, {apks, "8.2.1-r0", "8.2.0-r9", untold},
		{releases, "8.2.0", "8.2.0", there}, {releases, "8.2.1", "8.2.0", untold}, {unordered, "1", "1", untold},
	} {
		if got := there.version(c.by, c.have, c.want); got != c.is {
			t.Errorf("%s: %q against %q: %d, want %d", c.by, c.have, c.want, got, c.is)
		}
	}
}

// TestDoubtBlamesNobody: whoever did not go where the software may be older, for all that can be
// compared, is not missed there. The same plans and journals with versions in order are findings.
func TestDoubtBlamesNobody(t *testing.T) {
	const odd = "v7.2-local" // no Debian version
	doubt := func(f *fleet.Fleet, hosts ...int) {
		for _, i := range hosts {
			m := map[string]string{"qemu-system-x86": odd}
			f.Hosts[i].Software = fleet.Software{Installed: m, Booted: m, Running: m}
		}
	}
	elsewhere := func(p *plan.Plan) { // own goes to c, while a is fixed and has room
		p.Moves[4].To = "c"
		p.Moves = append(p.Moves, plan.Move{Instance: "own", From: "c", To: "b", Turn: "c", Start: at("2026-03-11 02:03"), End: at("2026-03-11 02:05")})
		s := *slotOf(p, "c/a2")
		s.ID, s.Instance, s.Tenant = "c/own", "own", ""
		p.Slots = append(p.Slots, s)
	}
	for _, c := range []struct {
		code   string
		change func(p *plan.Plan)
		odd    []int
	}{
		{"unfixed-destination", elsewhere, []int{0}},
		{"not-home", func(p *plan.Plan) { p.Policy.BringHome = true }, []int{1, 2}},
	} {
		f, p := goodFleet(), goodPlan()
		c.change(p)
		seal(p)
		sure := codes(Plan(f, p))
		doubt(f, c.odd...)
		if found := Plan(f, p); !slices.Contains(sure, c.code) || slices.Contains(codes(found), c.code) {
			show(t, found)
			t.Errorf("%s: sure %v, in doubt %v", c.code, sure, codes(found))
		}
	}
	journal := func(onA string) []string {
		p := &tape{t, goodJournal()}
		s := newScript(goodFleet(), goodPlan())
		s.facts = slices.Clone(p.facts[:p.find("move-placed", "b", "own")])
		s.at["a1"], s.at["b1"], s.at["a2"], s.soft["a"] = "a", "a", "c", onA
		s.now = s.facts[len(s.facts)-1].At
		s.see("a")
		s.move("b", "own", "c")
		return codes(Facts(s.facts).Findings)
	}
	if sure, doubt := journal(newQEMU), journal(odd); !slices.Contains(sure, "unfixed-destination") || slices.Contains(doubt, "unfixed-destination") {
		t.Errorf("a journal: sure %v, in doubt %v", sure, doubt)
	}
}

// TestLandsOnTheFix: once its host is fixed an instance lands on what the cohort wants, where that is
// newer; what cannot be compared stays what it was.
func TestLandsOnTheFix(t *testing.T) {
	for _, e := range others {
		for had, want := range map[string]string{e.old: e.new, e.new: e.new, e.unread: e.unread} {
			facts := inEcosystem(t, refreshJournal(), e.ecosystem, had, e.new, e.byCohort)
			s := newDossier(decoded[fleet.Fleet](t, facts[0].Fleet), decoded[plan.Plan](t, facts[0].Plan)).newScene(nil)
			if got := s.lands("a", true)["qemu-system-x86"]; got != want {
				t.Errorf("%s: %s becomes %s, want %s", e.ecosystem, had, got, want)
			}
		}
	}
}
