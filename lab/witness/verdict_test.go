package witness

import (
	"strings"
	"testing"
	"time"
)

func at(s string) time.Time {
	t, err := time.Parse("15:04:05", s)
	if err != nil {
		panic(err)
	}
	return t.AddDate(2026, 2, 0) // 2026-03-01
}

func scheduled(when, to string, instances ...string) Mail {
	m := Mail{At: at(when), To: []string{to}, Subject: "Scheduled: maintenance"}
	for _, g := range instances {
		m.Text += "  Instance " + g + "\r\n    expected interruption  1 second\r\n"
	}
	return m
}

func TestTold(t *testing.T) {
	tenants := map[string]string{"g1": "acme", "g10": "acme", "g4": "birch", "g7": ""}
	for _, c := range []struct {
		name       string
		seen       []Disruption
		mails      []Mail
		accepted   int
		violations string
	}{
		{"all told", []Disruption{{"g1", at("10:00:00")}, {"g4", at("10:01:00")}, {"g7", at("10:00:01")}},
			[]Mail{scheduled("09:00:00", "ops@acme.example", "g1", "g10"), scheduled("09:00:01", "it@birch.example", "g4")}, 2, ""},
		{"one later than its disruption", []Disruption{{"g1", at("10:00:00")}, {"g4", at("10:01:00")}},
			[]Mail{scheduled("10:00:00", "ops@acme.example", "g1"), scheduled("09:00:01", "it@birch.example", "g4")}, 1, "g1"},
		{"g10 is not g1", []Disruption{{"g1", at("10:00:00")}},
			[]Mail{scheduled("09:00:00", "ops@acme.example", "g10"), scheduled("09:00:00", "it@birch.example", "g4")}, 2, "g1"},
		{"another kind of notice", []Disruption{{"g4", at("10:00:00")}},
			[]Mail{scheduled("09:00:00", "ops@acme.example"), {At: at("09:00:00"), To: []string{"it@birch.example"}, Subject: "Finished: x", Text: "Instance g4\n"}}, 1, "g4"},
		{"to a tenant of a longer name", nil,
			[]Mail{scheduled("09:00:00", "ops@notacme.example"), scheduled("09:00:00", "it@birch.example")}, 1, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := &Verdict{}
			v.Told(tenants, c.seen, c.mails)
			if v.NoticesAccepted != c.accepted || v.NoticesExpected != 2 {
				t.Errorf("accepted %d of %d, want %d of 2", v.NoticesAccepted, v.NoticesExpected, c.accepted)
			}
			if got := strings.Join(v.Violations, "\n"); !strings.Contains(got, c.violations) || (c.violations == "") != (got == "") {
				t.Errorf("violations %q, want one on %q", got, c.violations)
			}
		})
	}
}

func TestJudge(t *testing.T) {
	mark := func() *MarkState {
		return &MarkState{Instances: []string{"g1"}, Tenants: map[string]string{"g1": "acme"}}
	}
	mails := []Mail{scheduled("09:00:00", "ops@acme.example", "g1")}
	moved := GuestSummary{Guest: "g1", Moves: []Gap{{Guest: "g1", From: stamp(at("10:00:00")), MS: 90}}}
	good := Tally{HostsTotal: 1, HostsFixed: 1, InstancesTotal: 1, InstancesRunning: 1, Hosts: []HostTally{{Host: "h1", Boots: 1}}}
	for _, c := range []struct {
		name  string
		guest func(*GuestSummary)
		tally func(*Tally)
		ok    bool
	}{
		{"all well", nil, nil, true},
		{"split brain", func(g *GuestSummary) { g.SplitBrain = 1 }, nil, false},
		{"restarted", func(g *GuestSummary) { g.Restarts = 1 }, nil, false},
		{"lost ticks", func(g *GuestSummary) { g.Lost = 3 }, nil, false},
		{"an older copy", func(g *GuestSummary) { g.Rewound = 1 }, nil, false},
		{"silent", func(g *GuestSummary) { g.Silent = true }, nil, false},
		{"told late", func(g *GuestSummary) { g.Outages = []Gap{{From: stamp(at("08:00:00"))}} }, nil, false},
		{"rebooted twice", nil, func(t *Tally) { t.Hosts = []HostTally{{Host: "h1", Boots: 2}} }, false},
		{"not fixed", nil, func(t *Tally) { t.HostsFixed = 0 }, false},
		{"not running", nil, func(t *Tally) { t.InstancesRunning = 0 }, false},
		{"nothing there", nil, func(t *Tally) { *t = Tally{} }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			g, tally := moved, good
			if c.guest != nil {
				c.guest(&g)
			}
			if c.tally != nil {
				c.tally(&tally)
			}
			v, err := Judge(mark(), &tally, &Summary{Guests: []GuestSummary{g}}, mails)
			if err != nil {
				t.Fatal(err)
			}
			if v.OK() != c.ok {
				t.Errorf("OK is %v: %s %q", v.OK(), v.Line(), v.Violations)
			}
		})
	}
}
