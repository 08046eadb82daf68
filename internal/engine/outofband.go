package engine

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/console"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// probeTimeout bounds what is asked about a host by other ways than its own answers; within execution's
// grace for a chore's answer after its deadline.
const probeTimeout = 12 * time.Second

// lost is the fact of a host that did not answer a look. While a turn of ours has it on its way down and
// up, its power supply and its console are asked which kind of trouble it is.
func (w World) lost(ctx context.Context, k Campaign, host string, err error) execution.Fact {
	f := told(execution.Fact{Kind: execution.HostLost, Host: host}, err)
	h := k.lookup().hosts[host]
	silent := f.Code == driver.CodeUnreachable || f.Code == driver.CodeDeadline
	if h == nil || !silent || driver.Awake(err) || k.Awaited == nil || !k.Awaited(host) {
		return f
	}
	if w.OutOfBand == nil {
		f.Why += "; nothing tells whether it is off, did not boot or has no network: a server that is started with --out-of-band COMMAND can tell"
		return f
	}
	ctx, cancel := w.WithDeadline(context.WithoutCancel(ctx), w.Clock.Now().Add(probeTimeout)) // the look's own time is over
	defer cancel()
	p, failed := w.OutOfBand.Probe(ctx, hostOf(h))
	code, why := trouble(p, h.Hypervisor == fleet.Xen, driver.TurnedAway(err))
	f.Code = cmp.Or(code, f.Code)
	if why == "" && failed == nil {
		why = "its power supply and its console tell nothing of it"
	}
	if why != "" {
		f.Why = why + "; " + f.Why
	}
	if failed != nil {
		f.Why += "; " + failed.Error()
	}
	return f
}

// trouble names what a host came back as, as far as its power supply and its console tell; code "": they
// do not tell it for sure. turnedAway: something on the network answered for the host.
func trouble(p driver.Probe, xen, turnedAway bool) (code, why string) {
	if p.Power == driver.PowerOff {
		return execution.CodePowerOff, "it is switched off, as its power supply says"
	}
	c := console.Read(p.Console)
	line := c.Line
	switch {
	case c.Panic != "" && (c.ByXen || xen):
		code, why, line = execution.CodeNoDom0, "its control domain stopped", c.Panic
		if c.ByXen {
			why = "its hypervisor stopped"
		}
	case c.Panic != "":
		why, line = "its kernel stopped", c.Panic // there is no control domain
	case c.Reached == console.Login:
		code, why = execution.CodeNoNetwork, "its system came up and cannot be reached"
	case c.Reached == console.Kernel:
		code, why = execution.CodeNoNetwork, "its kernel came up and cannot be reached"
	case c.Reached == console.Hypervisor:
		why = "its hypervisor began, and nothing after it is to be seen"
	case line != "":
		why = "it went down"
	case p.Power == driver.PowerOn:
		return "", "it is switched on, as its power supply says, and its console tells nothing"
	default:
		return "", ""
	}
	why += fmt.Sprintf(": its console says %q", line)
	switch {
	case p.Power != driver.PowerOn: // the console may be of before it was switched off
		return "", why + ", and whether it is switched on is not known"
	case code == execution.CodeNoNetwork && turnedAway:
		return "", why
	}
	return code, why
}

// stint is until when a host that is to come back is looked at before a word is given of it: what is
// asked about it by other ways must be known before its time is over, and not only then. Zero: to the
// end.
func (w World) stint(deadline time.Time) time.Time {
	now := w.Clock.Now()
	left := deadline.Sub(now)
	if w.OutOfBand == nil || deadline.IsZero() || left < 4*time.Second {
		return time.Time{}
	}
	return now.Add(min(time.Minute, left/2))
}

func hostOf(h *fleet.Host) driver.Host {
	return driver.Host{ID: h.ID, URI: h.URI, SSH: h.SSH, MemoryMiB: h.MemoryMiB}
}
