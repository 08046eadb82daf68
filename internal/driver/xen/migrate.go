package xen

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/ssh"
)

const actMigrate = "migrate"

// migrateRunner moves a running domain. Arguments: name, the command that reaches the other dom0 (empty:
// the next argument is the whole of it), the destination.
const migrateRunner = `
run xl migrate -s "$2" "$1" "$3"
end $?
`

// Migrate moves a running instance by xl migrate, which runs by itself in the source's dom0: our death
// stops nothing, and a later call finds it and waits for it.
//
// Xen ends its pre-copy by itself after a bounded number of rounds, so 'no progress' means that nothing
// more is sent. It knows neither post-copy nor auto-converge nor a bandwidth; a request with a bandwidth
// is refused. How long the guest stood still xl does not say: Blackout is 0.
//
// It ends at most about 30 s after ctx: the migration is aborted (10 s) and both ends are read.
func (d *Driver) Migrate(ctx context.Context, r driver.MigrateRequest) (driver.MigrateOutcome, error) {
	if err := checkRequest(r); err != nil {
		return driver.MigrateOutcome{Ends: driver.Ends{Source: driver.IsUnreachable, Destination: driver.IsUnreachable}}, err
	}
	m := &migration{Driver: d, r: r, began: time.Now()}
	m.src, m.dst, m.v = d.settle(ctx, r, min(d.cfg.Patience, firstLook))
	m.out.Ends = inWords(m.src, m.dst)
	to, via, err := d.destination(r.To)
	if err != nil {
		return m.out, err
	}
	first, err := opening(r, m.src, m.dst, m.v, actMigrate+" "+to)
	switch {
	case err != nil:
		return m.out, err
	case first == already:
		m.out.Already = true
		return m.finish(ctx, jobSeen{rc: noCode}, nil)
	case ctx.Err() != nil:
		return m.out, m.late(ctx, "was not begun")
	case first == start:
		if err := d.room(ctx, r, m.src, m.dst); err != nil {
			return m.out, err
		}
	}
	job, _, cause := m.carry(ctx, r.Fence, r.From, act{name: r.Instance, what: actMigrate + " " + to, runner: migrateRunner, args: []string{r.Instance, via, to}}, m.src.leaving(), m.see)
	if ctx.Err() != nil || errors.Is(cause, errStuck) {
		m.giveUp(ctx)
	}
	return m.finish(ctx, job, cause)
}

// firstLook bounds the patience with which the ends are read before anything is begun.
const firstLook = 5 * time.Second

// errStuck ends a migration that sends nothing more.
var errStuck = errors.New("no progress")

// migration is one call of Migrate.
type migration struct {
	*Driver
	r        driver.MigrateRequest
	src, dst end
	v        verdict
	out      driver.MigrateOutcome
	began    time.Time
	sent     int64     // bytes, at the last look that saw more of them
	moving   time.Time // when that was
}

func checkRequest(r driver.MigrateRequest) error {
	bad := func(next, format string, args ...any) error {
		return &driver.Error{Code: driver.CodeRefused, Why: fmt.Sprintf(format, args...), Next: next}
	}
	if err := checkName(r.Instance); err != nil {
		return err
	}
	switch {
	case r.From.ID == r.To.ID:
		return bad("name two hosts", "source and destination of %s are the same host, %s", r.Instance, r.From.ID)
	case r.BandwidthMiB > 0:
		return &driver.Error{Code: driver.CodeUnsupported, Why: "xl migrate cannot be held to a bandwidth", Next: "ask without one; give the hosts a migration network of their own, or a limit there"}
	}
	return nil
}

// destination gives the address by which one dom0 reaches another, and the command that does. The
// host's uri says the address, for its ssh field may be meant for this machine alone.
func (d *Driver) destination(h driver.Host) (to, via string, err error) {
	at, port := h.SSH, ""
	if u, bad := url.Parse(h.URI); bad == nil && u.Hostname() != "" {
		at, port = u.Hostname(), u.Port()
		if u.User != nil && u.User.Username() != "" {
			at = u.User.Username() + "@" + at
		}
	} else if name, addr, bad := ssh.Split(h.SSH); bad == nil {
		host, p, _ := strings.Cut(addr, ":") // an IPv6 address needs a uri
		at, port = name+"@"+host, p
	}
	if at == "" || strings.HasPrefix(at, "-") || strings.ContainsAny(at, " \t\n'\"\\;|&$`<>(){}") {
		return "", "", &driver.Error{Code: driver.CodeRefused, Why: fmt.Sprintf("host %s has no address by which another dom0 could reach it: uri %q, ssh %q", h.ID, h.URI, h.SSH), Next: "give it a uri such as xen+ssh://root@ADDRESS/"}
	}
	argv := d.cfg.MigrateVia
	if len(argv) == 0 {
		// A destination that falls silent is given up after a quarter of a minute.
		argv = []string{"ssh", "-o", "BatchMode=yes", "-o", "ConnectTimeout=120", "-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"}
		if port != "" && port != "22" {
			argv = append(argv, "-p", port)
		}
	}
	whole := make([]string, len(argv))
	named := false
	for i, a := range argv {
		whole[i] = strings.ReplaceAll(a, "{host}", at)
		named = named || whole[i] != a
	}
	if named {
		return "exec " + ssh.Quote(append(whole, "xl", "migrate-receive")...), "", nil
	}
	return at, ssh.Quote(argv...), nil
}

// first is what to do first, from what both ends said.
type first int

const (
	refused first = iota
	start         // begin a migration, or join one that an earlier controller began
	already       // it is there
)

func opening(r driver.MigrateRequest, src, dst end, v verdict, what string) (first, error) {
	no := func(code string, retry bool, next, format string, args ...any) (first, error) {
		return refused, &driver.Error{Code: code, Retry: retry, Next: next, Why: fmt.Sprintf(format, args...)}
	}
	name := r.Instance
	switch {
	case !src.reached:
		return refused, src.err
	case !dst.reached:
		return refused, dst.err
	case src.uuid() != "" && dst.uuid() != "" && src.uuid() != dst.uuid():
		return no(driver.CodeRefused, false, "rename one of them", "host %s has another instance of the name %s (its UUID differs)", r.To.ID, name)
	case src.job == what:
		return start, nil
	case src.job != "" || dst.job != "":
		return no(driver.CodeRefused, true, "wait until that act is over", "another act is under way on %s: %q on %s, %q on %s", name, src.job, r.From.ID, dst.job, r.To.ID)
	case src.migrations > 0 || dst.migrations > 0:
		return no(driver.CodeRefused, true, "wait until that migration is over", "somebody else migrates %s away from %s or %s", name, r.From.ID, r.To.ID)
	case v == moved, v == leftover:
		return already, nil
	case v == split:
		return no(driver.CodeSplit, false, "stop the one that must not run, by hand, before anything else", "%s runs on %s and on %s", name, r.From.ID, r.To.ID)
	case v == stayed, v == orphan:
		return start, nil
	case v == frozen:
		return refused, handshakeLost(r)
	case src.where() == driver.IsAbsent && dst.where() == driver.IsAbsent:
		return no(driver.CodeNotFound, false, "observe both hosts again: somebody moved or deleted it", "%s is neither on %s nor on %s", name, r.From.ID, r.To.ID)
	case src.where() == driver.IsRunning:
		return no(driver.CodeSplit, true, "wait until the copy on "+r.To.ID+" is gone or runs; both ends must be read again then", "%s runs on %s, and a copy on %s may still begin to run", name, r.From.ID, r.To.ID)
	}
	return no(driver.CodeRefused, false, "look at the instance: only a running one is live-migrated", "%s does not run on %s (it is %s there, %s on %s)", name, r.From.ID, src.where(), dst.where(), r.To.ID)
}

// see hears of each look at the running migration.
func (m *migration) see(j jobSeen) error {
	now := time.Now()
	// Until the stream of memory begins, it is the transport that takes its time; it has its own limit.
	if !strings.Contains(j.out, "Saving domain") || m.moving.IsZero() || j.sent > m.sent {
		m.sent, m.moving = max(m.sent, j.sent), now
	}
	if m.r.Progress != nil && m.src.home != nil {
		// Of the first round; what later ones send again nobody tells.
		total := m.src.home.memMiB
		m.r.Progress(driver.Progress{TotalMiB: total, RemainingMiB: max(total-m.sent>>20, 0)})
	}
	if m.r.StuckFor > 0 && now.Sub(m.moving) >= m.r.StuckFor {
		return errStuck
	}
	return nil
}
