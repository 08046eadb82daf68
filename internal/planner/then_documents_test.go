package planner_test

import (
	"strings"
	"testing"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// fixedIn is a document that calls Debian's Xen fixed from a version on.
func fixedIn(id, v string) advisory.Advisory {
	return advisory.Advisory{ID: id, Affected: []advisory.Affected{{Ecosystem: "Debian:12", Package: "xen",
		Ranges: []advisory.Range{{Type: "ECOSYSTEM", Events: []advisory.Event{{Introduced: "0"}, {Fixed: v}}}}}}}
}

// TestThenByDocuments: documents that call a host fixed by the version which it booted, where the target wants it
// live-patched and rebooted later, contradict the target: nobody guesses who is right, and the auditor agrees.
func TestThenByDocuments(t *testing.T) {
	const ago = "4.17.5+20-1"
	docs := []advisory.Advisory{fixedIn("XSA-1", ago), fixedIn("XSA-2", ago)}
	for name, has := range map[string][]string{"none applied": nil, "one of two applied": {"xsa1-aa"}} {
		f, tg, now := xenFleet(2, 16384, 1, 1024), xenTarget("reboot"), at(t, "2026-03-02 09:00")
		f.Hosts[1].Software.LivePatches = applied(has...)
		a := advisory.Assess(f, tg, docs, 0, now)
		p, err := planner.Propose(planner.Input{Fleet: f, Target: tg, Assessment: a, Policy: mixedPolicy(), Campaign: "c", Now: now, Revision: 1})
		if err != nil {
			t.Fatal(err)
		}
		if len(p.Turns) != 0 || len(p.Blocked) != 2 || p.Blocked[1].Code != "verdict-unknown" || !strings.Contains(p.Blocked[1].Unblock, "agree") {
			t.Errorf("%s: %s", name, told(p))
		}
		for _, x := range audit.Plan(f, &p) {
			t.Errorf("%s: law %d, %s: %s: %s", name, x.Law, x.Code, x.Subject, x.What)
		}
	}
}
