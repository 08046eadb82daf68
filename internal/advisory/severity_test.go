package advisory

import (
	"testing"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// TestSeverityOf: words of vendors, and vectors whose base scores NVD publishes.
func TestSeverityOf(t *testing.T) {
	for text, want := range map[string]Severity{
		"": "", "Important": High, "MODERATE": Medium, " low ": Low, "unimportant": Low, "Critical": Critical, "a word": "",
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H":                    Critical, // 9.8
		"CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H":                    Critical, // 10.0
		"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:C/C:H/I:H/A:H":                    High,     // 8.8
		"CVSS:3.1/AV:L/AC:H/PR:H/UI:N/S:C/C:H/I:H/A:H":                    High,     // 7.5
		"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:H":                    Medium,   // 5.5
		"CVSS:3.1/AV:L/AC:L/PR:L/UI:N/S:C/C:H/I:N/A:N":                    Medium,   // 6.5
		"CVSS:3.1/AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N":                    Low,      // 3.1
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N":                    Low,      // 0.0
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/C:H/I:H/A:H":                        "",       // without a scope
		"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N": "",
		"AV:A/AC:L/Au:N/C:C/I:C/A:C":                                      High,   // 8.3
		"(AV:N/AC:L/Au:N/C:C/I:C/A:C)":                                    High,   // 10.0
		"AV:L/AC:L/Au:N/C:N/I:N/A:C":                                      Medium, // 4.9
		"AV:L/AC:M/Au:N/C:P/I:N/A:N":                                      Low,    // 1.9
	} {
		if got := SeverityOf(text); got != want {
			t.Errorf("%q is %q, expected %q", text, got, want)
		}
	}
}

// TestWorstSeverity: a host has that of the worst advisory that affects it, and none where it is not affected.
func TestWorstSeverity(t *testing.T) {
	told := func(id, severity, fixed string) Advisory {
		a := osv(id, debian("12", "qemu", fixedIn(fixed)...))
		a.Severity = severity
		return a
	}
	w := qemuWorld(u12, u12, "").with(func(w *world) { w.cohorts[0].Ecosystem = "Debian:12" })
	for name, c := range map[string]struct {
		docs []Advisory
		want Severity
	}{
		"none says":           {[]Advisory{told("CVE-1", "", u18)}, ""},
		"the worst of two":    {[]Advisory{told("CVE-1", "Low", u18), told("CVE-2", "High", u18)}, High},
		"one says, one not":   {[]Advisory{told("CVE-1", "", u18), told("CVE-2", "Medium", u18)}, Medium},
		"the worst is fixed":  {[]Advisory{told("CVE-1", "Low", u18), told("CVE-2", "Critical", u12)}, Low},
		"less than not said":  {[]Advisory{told("CVE-1", "Low", u18), told("CVE-2", "", u18)}, ""},
		"not said, then less": {[]Advisory{told("CVE-1", "", u18), told("CVE-2", "Low", u18)}, ""},
		"by the target alone": {nil, ""},
	} {
		a := w.with(func(w *world) { w.advisory = c.docs }).assess()
		if a.Hosts[0].Verdict != IsAffected || a.Hosts[0].Severity != c.want {
			t.Errorf("%s: %s, %q, expected %q: %q", name, a.Hosts[0].Verdict, a.Hosts[0].Severity, c.want, a.Hosts[0].Evidence)
		}
	}
	if a := qemuWorld(u18, u18, "").assess(); a.Hosts[0].Severity != "" {
		t.Errorf("a host that is %s has severity %q", a.Hosts[0].Verdict, a.Hosts[0].Severity)
	}
}

// TestRisks counts whom a host that is not fixed exposes.
func TestRisks(t *testing.T) {
	f := &fleet.Fleet{Instances: []fleet.Instance{
		{ID: "a", Host: "h1", Tenant: "t"}, {ID: "b", Host: "h1", Tenant: "t"}, {ID: "c", Host: "h1", Tenant: "u"}, {ID: "d", Host: "h1"},
		{ID: "off", Host: "h1", Tenant: "v", State: fleet.Stopped}, {ID: "e", Host: "h2", Tenant: "t"}, {ID: "f", Host: "h3", Tenant: "t"},
	}}
	a := Assessment{Hosts: []HostVerdict{{Host: "h1", Verdict: IsAffected, Severity: High}, {Host: "h2", Verdict: IsFixed}, {Host: "h3", Verdict: IsUnknown}, {Host: "h4", Verdict: IsAffected}}}
	got := a.Risks(f)
	want := map[string]Risk{"h1": {High, 4, 3}, "h3": {"", 1, 1}, "h4": {}}
	if len(got) != len(want) {
		t.Errorf("%+v", got)
	}
	for id, r := range want {
		if got[id] != r {
			t.Errorf("%s: %+v, expected %+v", id, got[id], r)
		}
	}
	list := []Risk{{Critical, 1, 1}, {High, 9, 1}, {High, 8, 2}, {High, 8, 1}, {Medium, 9, 9}, {Low, 99, 9}}
	for i := range list[1:] {
		if list[i].Compare(list[i+1]) >= 0 || list[i+1].Compare(list[i]) <= 0 {
			t.Errorf("%+v is not worse than %+v", list[i], list[i+1])
		}
	}
	if (Risk{"", 1, 1}).Compare(Risk{Medium, 1, 1}) != 0 {
		t.Error("what nobody says is not as bad as medium")
	}
}
