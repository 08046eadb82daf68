package study

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/version"
)

// cohortName is what the hosts of the fleet are called in the target.
const cohortName = "xen"

// Target is the one that fixes all of the advisories: a live patch for each build that has one, and for
// the other hosts the packages and a reboot. Its terms are the strictest of the documents'; the operator's
// own deadline is later than the first disclosure, which policy allows.
func (s Scenario) Target(as []advisory.Advisory) *plan.Target {
	t := &plan.Target{Evenkeel: plan.TargetSchemaV1, ID: "march-2015", Public: "hypervisor maintenance", FinishBy: s.FinishBy}
	for _, a := range as {
		t.Fixes = append(t.Fixes, a.ID)
	}
	c := plan.Cohort{Name: cohortName, Ecosystem: version.Upstream, Packages: map[string]string{xen: wantedXen}, Remedy: "live-patch",
		Update: plan.Update{Command: []string{"host-update", "xen"}}}
	old, _ := s.builds()
	for _, b := range old {
		if b.patch != "" {
			c.LivePatches = append(c.LivePatches, plan.WantedPatch{Name: b.patch, Component: "xen", BuildID: b.id, File: b.patch + ".livepatch", SHA256: payloadSum(b.patch)})
		}
	}
	t.Cohorts = []plan.Cohort{c}
	terms := advisory.Embargo(t, as, s.Now)
	if terms.Disclosure.After(s.Now) {
		t.Disclosure, t.EmbargoDeploy = terms.Disclosure, terms.Deploy
	}
	return t
}

// payloadSum is the SHA-256 of a simulated payload, which holds its own name.
func payloadSum(name string) string {
	sum := sha256.Sum256([]byte(name))
	return hex.EncodeToString(sum[:])
}

// withFailed is the target of the child: hosts on which the live patch failed are a cohort of their own,
// which is rebooted.
func withFailed(t *plan.Target, failed []string) *plan.Target {
	out := *t
	c := t.Cohorts[0]
	c.Name, c.Remedy, c.LivePatches = "live-patch-failed", "reboot", nil
	c.Match.Hosts = failed
	out.Cohorts = append([]plan.Cohort{c}, t.Cohorts...)
	return &out
}

// Policy of an arm. What is not named here is the default.
func (s Scenario) Policy(arm Arm) plan.Policy {
	p := plan.DefaultPolicy()
	p.Windows = []plan.WindowRule{{Always: true}}
	p.Tactics = arm.tactics()
	p.Lead = s.Lead
	p.AfterDisclosure = true
	p.FailureBudget = s.AllHosts() // the study counts failures; it does not stop at them
	p.Times = rebootTimes(p.Times)
	return p
}

// rebootTimes are those of hosts that take long to reboot.
func rebootTimes(t plan.Times) plan.Times {
	const m = plan.Duration(time.Minute)
	t.Reboot, t.RebootMax = 35*m, 60*m
	t.SaveMax = 10 * m
	return t
}
