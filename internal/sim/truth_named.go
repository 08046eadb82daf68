package sim

import (
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver/simulated"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// names are how a hold names what a host came back as, by what the world did to it. What cannot be told
// without its power supply and its console may be called not back.
var names = map[simulated.Fault][]string{
	simulated.BootsOld: {execution.CodeOldHypervisor, execution.CodeOldVersion}, simulated.OldBuild: {execution.CodeOldBuild},
	simulated.NeverReturns: {execution.CodeNotBack}, simulated.StaysOff: {execution.CodePowerOff, execution.CodeNotBack},
	simulated.NoDom0: {execution.CodeNoDom0, execution.CodeNotBack}, simulated.NoNetwork: {execution.CodeNoNetwork, execution.CodeNotBack},
}

// silent are names of hosts that do not answer.
var silent = []string{execution.CodeNotBack, execution.CodePowerOff, execution.CodeNoDom0, execution.CodeNoNetwork}

// returns is what is known at a moment of how each host came back from its last reboot.
type returns struct {
	came     map[string]string                        // host -> the fault's name; empty: well
	mute     map[string]bool                          // an out-of-band look at it was told nothing
	answers  map[string]time.Time                     // since when nothing hinders it from answering
	hindered map[string]map[simulated.RecordKind]bool // what does
}

// named: a host that came back wrong is held by its own name, and no other host is.
func (t *trial) named() {
	k := &returns{map[string]string{}, map[string]bool{}, map[string]time.Time{}, map[string]map[simulated.RecordKind]bool{}}
	for _, h := range t.fleet.Hosts {
		k.answers[h.ID], k.hindered[h.ID] = t.log[0].At, map[simulated.RecordKind]bool{}
	}
	log := t.log
	for _, f := range t.facts {
		for ; len(log) > 0 && !log[0].At.After(f.At); log = log[1:] {
			k.hinders(log[0])
			t.cameBack(k, log[0])
		}
		if turn := t.turns[f.Turn]; f.Kind == execution.TurnHeld && f.Step == execution.StepProve && turn != nil && turn.Tactic != plan.LivePatch {
			t.heldAs(k, f)
		}
	}
}

// cameBack takes one record in.
func (t *trial) cameBack(k *returns, r simulated.Record) {
	switch r.Kind {
	case simulated.HostTold:
		delete(k.came, r.Host)
	case simulated.HostWrong:
		k.came[r.Host] = r.Why
	case simulated.HostMute:
		k.mute[r.Host] = true
	case simulated.HostBooted:
		if r.Why != "beginning" {
			k.came[r.Host] = t.booted(r, k.came[r.Host])
		}
	case simulated.HostBack:
		if k.came[r.Host] == string(simulated.NoNetwork) {
			delete(k.came, r.Host)
		}
	}
}

// heldAs judges one hold at the proof of a reboot.
func (t *trial) heldAs(k *returns, f execution.Fact) {
	how, code := simulated.Fault(k.came[f.Host]), f.Code
	if slices.Contains(silent, code) && len(k.hindered[f.Host]) == 0 && f.At.Sub(k.answers[f.Host]) > time.Minute {
		t.say(f.At, "%s answers since %s and is held as %s: %s", f.Host, k.answers[f.Host].Format("15:04:05"), code, f.Why)
	}
	domains := t.fleet.Hosts[0].Hypervisor == fleet.Xen // a KVM host has no control domain
	if code == execution.CodeNotBack && !k.mute[f.Host] && (how == simulated.StaysOff || how == simulated.NoDom0 && domains || how == simulated.NoNetwork) {
		t.say(f.At, "%s came back as %s, which could be seen, and is held as %s: %s", f.Host, how, code, f.Why)
	}
	anothers := false
	for other, codes := range names {
		anothers = anothers || other != how && slices.Contains(codes, code)
	}
	if how != "" && anothers && !slices.Contains(names[how], code) {
		t.say(f.At, "%s came back as %s and is held as %s: %s", f.Host, how, code, f.Why)
	}
}

// booted is what a host came back as that did boot: without network, on an old Xen by its versions or
// by its build alone, or well. What booted after it hung was mended.
func (t *trial) booted(r simulated.Record, how string) string {
	old := slices.ContainsFunc(t.fleet.Hosts, func(h fleet.Host) bool {
		return h.ID == r.Host && h.Software.BuildID == r.BuildID && h.Software.Booted[xenPackage] != newXen
	})
	switch {
	case how == string(simulated.NoNetwork):
		return how
	case t.fleet.Hosts[0].Hypervisor == fleet.Xen && r.Booted[xenPackage] != newXen:
		return string(simulated.BootsOld)
	case t.fleet.Hosts[0].Hypervisor == fleet.Xen && old:
		return string(simulated.OldBuild)
	case how == string(simulated.BootsOld):
		return how
	}
	return ""
}

// hinders keeps what hinders a host from answering, and since when nothing does.
func (k *returns) hinders(r simulated.Record) {
	by := k.hindered[r.Host]
	switch r.Kind {
	case simulated.HostWentDown, simulated.HostGone, simulated.ServiceOff:
		by[r.Kind] = true
		return
	case simulated.HostBooted:
		delete(by, simulated.HostWentDown)
		delete(by, simulated.ServiceOff)
	case simulated.HostBack:
		delete(by, simulated.HostGone)
	case simulated.ServiceOn:
		delete(by, simulated.ServiceOff)
	default:
		return
	}
	k.answers[r.Host] = r.At
}
