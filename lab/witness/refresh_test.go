package witness

import (
	"strings"
	"testing"
)

func TestJudgeRefresh(t *testing.T) {
	good := func() (*MarkState, *Tally, *Summary) {
		return &MarkState{Instances: []string{"g1", "g2"}, Tenants: map[string]string{"g1": "acme", "g2": "acme"}},
			&Tally{HostsTotal: 2, InstancesTotal: 2, InstancesRunning: 2, Hosts: []HostTally{
				{Host: "h1", On: true, Fresh: true, Guests: []string{"g2"}}, {Host: "h2", On: true, Fresh: true, Guests: []string{"g1"}}}},
			&Summary{Guests: []GuestSummary{
				{Guest: "g1", Moves: []Gap{{Guest: "g1", From: "2026-03-01T10:00:00.000Z", FromHost: "h1", ToHost: "h2"}}, Hosts: []string{"h1", "h2"}},
				{Guest: "g2", Hosts: []string{"h1"}}}}
	}
	mails := []Mail{scheduled("09:00:00", "ops@acme.example", "g1", "g2")}
	for _, c := range []struct {
		name  string
		spoil func(m *MarkState, t *Tally, s *Summary)
		says  string
	}{
		{"all is well", func(*MarkState, *Tally, *Summary) {}, ""},
		{"a reboot", func(_ *MarkState, t *Tally, _ *Summary) { t.Hosts[0].Boots = 1 }, "rebooted"},
		{"an old process", func(_ *MarkState, t *Tally, _ *Summary) { t.Hosts[0].OldQEMU = []string{"g2"} }, "another QEMU"},
		{"two moves", func(_ *MarkState, _ *Tally, s *Summary) {
			s.Guests[0].Moves = append(s.Guests[0].Moves, s.Guests[0].Moves[0])
		}, "2 times"},
		{"a host without the fix", func(_ *MarkState, t *Tally, _ *Summary) { t.Hosts[1].Fresh = false }, "hosts 1/2"},
		{"no process at all", func(_ *MarkState, t *Tally, _ *Summary) { t.Hosts[1].Guests = nil }, "1/2 on the new QEMU"},
		{"one does not tick", func(_ *MarkState, t *Tally, _ *Summary) { t.InstancesRunning = 1 }, "instances 1/2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, tally, s := good()
			c.spoil(m, tally, s)
			v, err := JudgeRefresh(m, tally, s, mails)
			if err != nil {
				t.Fatal(err)
			}
			if v.OK() != (c.says == "") {
				t.Errorf("ok is %v: %s %v", v.OK(), v.Line(), v.Violations)
			}
			if text := v.Line() + strings.Join(v.Violations, " "); !strings.Contains(text, c.says) {
				t.Errorf("%q says nothing of %q", text, c.says)
			}
		})
	}
}
