package engine_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/engine"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// mute is a host whose looks end with an error, until it answers.
type mute struct {
	fails error
	seen  driver.Observation
	looks int
	back  int // it answers from that look on; 0: never
}

func (m *mute) Observe(context.Context, driver.Host) (driver.Observation, error) {
	if m.looks++; m.fails == nil || m.back > 0 && m.looks >= m.back {
		return m.seen, nil
	}
	return driver.Observation{}, m.fails
}
func (m *mute) Close() error { return nil }

// supply is what stands beside a host: its power supply and its console.
type supply struct {
	probe driver.Probe
	fails error
	asked int
	of    driver.Host
}

func (s *supply) Probe(ctx context.Context, h driver.Host) (driver.Probe, error) {
	s.asked, s.of = s.asked+1, h
	if err := ctx.Err(); err != nil {
		return driver.Probe{}, err
	}
	return s.probe, s.fails
}

const (
	xenBoots = "SeaBIOS\n(XEN) Xen version 4.17.7 (Debian 4.17.7+13)\n"
	noDom0   = "(XEN) \n(XEN) ****************************************\n(XEN) Panic on CPU 0:\n(XEN) Could not construct domain 0\n(XEN) ****************************************\n"
	linux    = "[    0.000000] Linux version 6.1.0-56-amd64\n"
)

func TestAHostThatDoesNotAnswerIsAskedAboutByOtherWays(t *testing.T) {
	gone := &driver.Error{Code: driver.CodeUnreachable, Why: "SSH cannot be reached", Retry: true}
	on := func(console string) driver.Probe { return driver.Probe{Power: driver.PowerOn, Console: console} }
	for name, tt := range map[string]struct {
		fails   error
		probe   driver.Probe
		unknown error // of the probe
		kvm     bool
		idle    bool // no turn of ours has it on its way
		code    string
		why     string
		asked   int
	}{
		"switched off":                    {fails: gone, probe: driver.Probe{Power: driver.PowerOff}, code: execution.CodePowerOff, why: "switched off", asked: 1},
		"no dom0":                         {fails: gone, probe: on(xenBoots + noDom0), code: execution.CodeNoDom0, why: `its hypervisor stopped: its console says "Panic on CPU 0: Could not construct domain 0"`, asked: 1},
		"dom0's kernel stopped":           {fails: gone, probe: on(xenBoots + linux + "[ 1.0] Kernel panic - not syncing: no root\n"), code: execution.CodeNoDom0, why: "Kernel panic - not syncing: no root", asked: 1},
		"a kernel stopped, and no Xen":    {fails: gone, kvm: true, probe: on("x\n" + linux + "[ 1.0] Kernel panic - not syncing: no root\n"), code: driver.CodeUnreachable, why: "Kernel panic", asked: 1},
		"no network, kernel":              {fails: gone, probe: on(xenBoots + linux), code: execution.CodeNoNetwork, why: "Linux version 6.1", asked: 1},
		"no network, prompt":              {fails: gone, probe: on(xenBoots + linux + "h1 login: "), code: execution.CodeNoNetwork, why: `"h1 login:"`, asked: 1},
		"no network, no Xen":              {fails: gone, kvm: true, probe: on("x\n" + linux + "h1 login: "), code: execution.CodeNoNetwork, why: "its system came up", asked: 1},
		"it only begins":                  {fails: gone, probe: on(xenBoots), code: driver.CodeUnreachable, why: `Xen version 4.17.7`, asked: 1},
		"it went down":                    {fails: gone, probe: on("x\nh1 login: \n[ 9.0] reboot: Restarting system\n"), code: driver.CodeUnreachable, why: "it went down", asked: 1},
		"on, and silent":                  {fails: gone, probe: on(""), code: driver.CodeUnreachable, why: "switched on", asked: 1},
		"nothing is told":                 {fails: gone, code: driver.CodeUnreachable, why: "tell nothing of it; ", asked: 1},
		"nothing is known":                {fails: gone, unknown: errors.New("no BMC there"), code: driver.CodeUnreachable, why: "no BMC there", asked: 1},
		"power unknown: no sure word":     {fails: gone, probe: driver.Probe{Console: xenBoots + noDom0}, unknown: errors.New("no BMC there"), code: driver.CodeUnreachable, why: "whether it is switched on is not known", asked: 1},
		"no answer in time":               {fails: context.DeadlineExceeded, probe: on(xenBoots + linux), code: execution.CodeNoNetwork, asked: 1},
		"what answers is on the network":  {fails: fmt.Errorf("dial: %w", syscall.ECONNREFUSED), probe: on(xenBoots + linux), code: driver.CodeFailed, asked: 0},
		"a service that turns away":       {fails: &driver.Error{Code: driver.CodeUnreachable, Why: "no", Err: syscall.ECONNREFUSED}, probe: on(xenBoots + linux), code: driver.CodeUnreachable, why: "came up", asked: 1},
		"only its tools do not answer":    {fails: &driver.Error{Code: driver.CodeUnreachable, Why: "xl list", Awake: true}, probe: on(xenBoots + linux), code: driver.CodeUnreachable, why: "xl list"},
		"another key":                     {fails: &driver.Error{Code: driver.CodeHostKey, Why: "changed"}, probe: on(""), code: driver.CodeHostKey, why: "changed"},
		"a host that is nobody's concern": {fails: gone, idle: true, probe: on(xenBoots + noDom0), code: driver.CodeUnreachable, why: "SSH cannot be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			s := &supply{probe: tt.probe, fails: tt.unknown}
			kind := fleet.Xen
			if tt.kvm {
				kind = fleet.KVM
			}
			w := engine.World{Drivers: map[string]driver.Driver{"xen": &mute{fails: tt.fails}}, Clock: &clock{dawn}, WithDeadline: endless, OutOfBand: s}
			k := engine.Campaign{Plan: &plan.Plan{}, Fleet: &fleet.Fleet{Hosts: []fleet.Host{{ID: "h1", Hypervisor: kind, URI: "xen+ssh://root@192.0.2.1/"}}},
				Awaited: func(host string) bool { return host == "h1" && !tt.idle }}
			facts := engine.Perform(context.Background(), w, k, execution.Chore{Kind: execution.ChoreLook, Host: "h1"})
			if len(facts) != 1 || facts[0].Kind != execution.HostLost || facts[0].Host != "h1" || facts[0].Code != tt.code || !strings.Contains(facts[0].Why, tt.why) || s.asked != tt.asked {
				t.Fatalf("asked %d times: %+v", s.asked, facts)
			}
			if tt.asked > 0 && s.of.ID != "h1" {
				t.Errorf("asked about %+v", s.of)
			}
		})
	}
}

// Only where nobody can be asked is a person told of what could tell.
func TestWhatCouldTellIsNamedWhereNothingDoes(t *testing.T) {
	k := engine.Campaign{Plan: &plan.Plan{}, Fleet: &fleet.Fleet{Hosts: []fleet.Host{{ID: "h1", Hypervisor: fleet.KVM, URI: "xen+ssh://root@192.0.2.1/"}}}}
	w := engine.World{Drivers: map[string]driver.Driver{"xen": &mute{fails: &driver.Error{Code: driver.CodeUnreachable, Why: "SSH cannot be reached"}}}, Clock: &clock{dawn}, WithDeadline: endless}
	panics := &supply{probe: driver.Probe{Power: driver.PowerOn, Console: "[ 0.0] Linux version 6.1\n[ 1.0] Kernel panic - not syncing: no root\n"}}
	for name, tt := range map[string]struct {
		awaited, named bool
		asks           driver.OutOfBand
	}{"nobody to ask": {true, true, nil}, "nobody waits for it": {false, false, nil}, "its console tells": {true, false, panics}, "its console is empty": {true, false, &supply{}}} {
		k.Awaited, w.OutOfBand = func(string) bool { return tt.awaited }, tt.asks
		facts := engine.Perform(context.Background(), w, k, execution.Chore{Kind: execution.ChoreLook, Host: "h1"})
		if got := strings.Contains(facts[0].Why, "--out-of-band"); len(facts) != 1 || got != tt.named {
			t.Errorf("%s: named %v: %+v", name, got, facts)
		}
	}
}

// running is a clock that goes on while somebody waits, and whose deadlines end what waits for them.
type running struct{ now, deadline time.Time }

func (r *running) Now() time.Time { return r.now }
func (r *running) Wait(ctx context.Context, d time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if r.now = r.now.Add(d); !r.deadline.IsZero() && !r.now.Before(r.deadline) {
		return context.DeadlineExceeded
	}
	return nil
}

// What is known by other ways of a host that is to come back is told before its time is over; a host that
// comes back is not asked about.
func TestAWordIsGivenBeforeTheTimeIsOver(t *testing.T) {
	for name, tt := range map[string]struct {
		left     time.Duration
		back     int
		none     bool // no other way
		after    time.Duration
		kind     execution.Kind
		code     string
		asked    int
		canceled bool
	}{
		"after a minute":           {left: 20 * time.Minute, after: time.Minute, kind: execution.HostLost, code: execution.CodePowerOff, asked: 1},
		"half of a short time":     {left: time.Minute, after: 30 * time.Second, kind: execution.HostLost, code: execution.CodePowerOff, asked: 1},
		"the last seconds":         {left: 2 * time.Second, after: 2 * time.Second, kind: execution.HostLost, code: execution.CodePowerOff, asked: 1},
		"nobody else can tell":     {left: 20 * time.Minute, none: true, after: 20 * time.Minute, kind: execution.HostLost, code: driver.CodeUnreachable},
		"it comes back":            {left: 20 * time.Minute, back: 3, after: 4 * time.Second, kind: execution.HostSeen},
		"nobody wants to know now": {left: 20 * time.Minute, canceled: true},
	} {
		t.Run(name, func(t *testing.T) {
			c := &running{now: dawn, deadline: dawn.Add(tt.left)}
			s := &supply{probe: driver.Probe{Power: driver.PowerOff}}
			h := &mute{fails: &driver.Error{Code: driver.CodeUnreachable, Why: "no"}, back: tt.back, seen: driver.Observation{BootID: "boot-2", Health: fleet.Up}}
			w := engine.World{Drivers: map[string]driver.Driver{"xen": h}, Clock: c, WithDeadline: endless}
			if !tt.none {
				w.OutOfBand = s
			}
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			if tt.canceled {
				cancel()
			}
			k := engine.Campaign{Plan: &plan.Plan{}, Fleet: &fleet.Fleet{Hosts: []fleet.Host{{ID: "h1", URI: "xen+ssh://root@192.0.2.1/"}}}, Awaited: func(string) bool { return true }}
			facts := engine.Perform(ctx, w, k, execution.Chore{Kind: execution.ChoreProve, Turn: "h1", Host: "h1", Step: execution.StepProve, Attempt: 1, BootID: "boot-1", Deadline: c.deadline})
			if tt.canceled {
				if facts != nil {
					t.Fatalf("%+v", facts)
				}
				return
			}
			if len(facts) != 1 || facts[0].Kind != tt.kind || facts[0].Code != tt.code || s.asked != tt.asked || c.now.Sub(dawn) != tt.after {
				t.Fatalf("after %s, asked %d times: %+v", c.now.Sub(dawn), s.asked, facts)
			}
		})
	}
}

// Whom a campaign awaits is read from its journal: from the order of a reboot on, and while a turn proves.
func TestWhoIsAwaited(t *testing.T) {
	j, c := applied(t), &clock{dawn}
	p, _, _ := open(t, j, 1, c)
	awaited := p.Campaign().Awaited
	for _, step := range []struct {
		then execution.Fact
		want bool
	}{
		{execution.Fact{Kind: execution.TurnPermitted, Turn: "h1", Host: "h1"}, false},
		{execution.Fact{Kind: execution.StepStarted, Turn: "h1", Host: "h1", Step: execution.StepReboot, Attempt: 1, BootID: "b", Deadline: dawn.Add(time.Minute)}, true},
		{execution.Fact{Kind: execution.StepDone, Turn: "h1", Host: "h1", Step: execution.StepReboot, Attempt: 1, BootID: "b"}, true},
		{execution.Fact{Kind: execution.TurnHeld, Turn: "h1", Host: "h1", Step: execution.StepProve, Code: execution.CodeNotBack, Why: "x", Next: "y"}, true},
	} {
		step.then.Who = execution.Engine
		if err := p.Command(context.Background(), &step.then, func(*execution.State) error { return nil }); err != nil {
			t.Fatal(err)
		}
		if awaited("h1") != step.want || awaited("h2") || awaited("none") {
			t.Fatalf("after %s: %v", step.then.Kind, awaited("h1"))
		}
	}
}

// What a look shows of a hypervisor's capabilities reaches the journal; what was not read stays unknown.
func TestALookTellsWhatTheHypervisorCan(t *testing.T) {
	for name, facts := range map[string]*fleet.Host{"read": {VirtCaps: []string{"pv", "hvm"}}, "none": {VirtCaps: []string{}}, "not read": {}, "no facts": nil} {
		h := &mute{seen: driver.Observation{BootID: "b", Health: fleet.Up, Facts: facts}}
		w := engine.World{Drivers: map[string]driver.Driver{"xen": h}, Clock: &clock{dawn}, WithDeadline: endless}
		k := engine.Campaign{Plan: &plan.Plan{}, Fleet: &fleet.Fleet{Hosts: []fleet.Host{{ID: "h1", URI: "xen+ssh://root@192.0.2.1/"}}}}
		got := engine.Perform(context.Background(), w, k, execution.Chore{Kind: execution.ChoreLook, Host: "h1"})
		var want []string
		if facts != nil {
			want = facts.VirtCaps
		}
		if len(got) != 1 || got[0].Seen == nil || strings.Join(got[0].Seen.VirtCaps, " ") != strings.Join(want, " ") || (got[0].Seen.VirtCaps == nil) != (want == nil) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
