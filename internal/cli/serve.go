package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/libvirt"
	"github.com/evenkeel/evenkeel/internal/driver/power"
	"github.com/evenkeel/evenkeel/internal/driver/simulated"
	"github.com/evenkeel/evenkeel/internal/driver/xen"
	"github.com/evenkeel/evenkeel/internal/engine"
	"github.com/evenkeel/evenkeel/internal/engine/local"
	"github.com/evenkeel/evenkeel/internal/httpapi"
	"github.com/evenkeel/evenkeel/internal/notify"
	"github.com/evenkeel/evenkeel/internal/notify/email"
	"github.com/evenkeel/evenkeel/internal/store/sqlite"
)

type serveFlags struct {
	state, listen                                       string
	smtp, mailFrom, smtpTLS, smtpUser, smtpPasswordFile string
	sshKey, knownHosts                                  string
	migrateTLS                                          bool
	simulated                                           string
	payloads                                            string
	outOfBand                                           string
	logFormat                                           string
}

func newServe(app *App) *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server that carries campaigns out",
		Long: `Run the server that carries campaigns out. It keeps its journal in STATE/journal.db and
goes on where it stood when it is started again, whatever ended it.

Orders come in through its socket, which only its own user may open:
  evenkeel apply plan.json, evenkeel watch, evenkeel status, evenkeel pause ...

A host that does not come back from its reboot cannot say what is wrong with it. With --out-of-band
COMMAND the server asks a program of yours, without a shell, for 5 s at most each time:
  COMMAND status HOST    prints on or off; anything else, or another exit code than 0: not known
  COMMAND console HOST   prints what the host's serial console printed; the last 64 KiB count
What it tells names the hold: power-off, no-dom0 or no-network, with the console's own line. HOST is the
host's id; what else the program needs, a password above all, it must find by itself. No failure of
it stops anything.`,
		Example: `  evenkeel serve --smtp mail.example:25 --mail-from ops@operator.example \
    --ssh-key /etc/evenkeel/id_ed25519 --known-hosts /etc/evenkeel/known_hosts`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return serve(cmd.Context(), app, f) },
	}
	fl := cmd.Flags()
	fl.StringVar(&f.state, "state", stateDir(app), "directory of the journal and the socket")
	fl.StringVar(&f.listen, "listen", "", "unix:PATH or a loopback HOST:PORT (default: unix:STATE/evenkeel.sock)")
	fl.StringVar(&f.smtp, "smtp", "", "mail server, HOST:PORT; without one no tenant can be told and no disruption begins")
	fl.StringVar(&f.mailFrom, "mail-from", "", "sender of the notices")
	fl.StringVar(&f.smtpTLS, "smtp-tls", "starttls", "none, starttls or tls")
	fl.StringVar(&f.smtpUser, "smtp-user", "", "user at the mail server")
	fl.StringVar(&f.smtpPasswordFile, "smtp-password-file", "", "file that holds the password")
	fl.StringVar(&f.sshKey, "ssh-key", "", "private key for the hosts' SSH")
	fl.StringVar(&f.knownHosts, "known-hosts", "", "file with the hosts' pinned SSH keys")
	fl.BoolVar(&f.migrateTLS, "migrate-tls", false, "encrypt live migrations (hosts need certificates)")
	fl.StringVar(&f.simulated, "simulated", "", "socket of a simulated world (evenkeel simulate), for hosts with sim:// URIs")
	fl.StringVar(&f.payloads, "payloads", "", "folder with the files of live patches that targets name, each found by the last part of its name (patches/lp1.livepatch: lp1.livepatch) and by the SHA-256 that its target says")
	fl.StringVar(&f.outOfBand, "out-of-band", "", "program that tells of a host that does not answer: its power and its console")
	fl.StringVar(&f.logFormat, "log", "text", "log format on standard error: text or json")
	return cmd
}

func serve(ctx context.Context, app *App, f serveFlags) error {
	log, err := logger(app, f.logFormat)
	if err != nil {
		return err
	}
	if err := ownState(f.state); err != nil {
		return err
	}
	lock, err := lockState(f.state)
	if err != nil {
		return err
	}
	defer lock.Close()
	world, err := f.world(log)
	if err != nil {
		return err
	}
	journal, err := sqlite.Open(ctx, filepath.Join(f.state, "journal.db"))
	if err != nil {
		return err
	}
	defer journal.Close()
	l, where, err := f.open()
	if err != nil {
		return err
	}
	defer l.Close()
	// From here on this server acts. It ends what it decides with ctx, never what it began in the
	// world: no chore is cancelled and no driver closed, so a migration goes on as after a kill.
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	c, err := engine.NewController(ctx, journal, engine.RealClock{}, log, func(k func() engine.Campaign) engine.Dispatcher { return local.New(world, k) })
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: httpapi.Handler(c, app.Now, log), ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	failed := make(chan error, 1)
	go func() { failed <- srv.Serve(l) }()
	if f.smtp == "" {
		log.Warn("without --smtp no tenant can be told: no disruption begins, and no campaign ends of which a tenant is still to hear")
	}
	log.Info("serving", "address", where, "state", f.state, "campaigns", len(c.Campaigns()))
	select {
	case err = <-failed:
	case <-ctx.Done():
		log.Info("stopping: nothing more is decided; what is under way on the hosts goes on there, and the next start takes it up")
	}
	stop()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if shut := srv.Shutdown(grace); shut != nil {
		srv.Close()
	}
	c.Wait()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return err
}

func logger(app *App, format string) (*slog.Logger, error) {
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(app.Err, nil)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(app.Err, nil)), nil
	}
	return nil, fmt.Errorf("--log is %q, expected text or json", format)
}

// world sets drivers and the channel up.
func (f serveFlags) world(log *slog.Logger) (engine.World, error) {
	w := engine.World{Drivers: map[string]driver.Driver{}, Clock: engine.RealClock{}, WithDeadline: context.WithDeadline, Payloads: payloadsIn(f.payloads)}
	w.Drivers["qemu"] = libvirt.New(libvirt.Config{SSHKeyFile: f.sshKey, KnownHostsFile: f.knownHosts, MigrateTLS: f.migrateTLS})
	w.Drivers["xen"] = xen.New(xen.Config{SSHKeyFile: f.sshKey, KnownHostsFile: f.knownHosts})
	if f.simulated != "" {
		w.Drivers["sim"] = simulated.Dial(f.simulated)
	}
	if err := payloadsFolder(f.payloads); err != nil {
		return w, fmt.Errorf("--payloads: %w", err)
	}
	if f.outOfBand != "" {
		command, err := power.New(f.outOfBand, log)
		if err != nil {
			return w, fmt.Errorf("--out-of-band: %w", err)
		}
		w.OutOfBand = command
	}
	var err error
	w.Channel, err = f.channel()
	return w, err
}

func (f serveFlags) channel() (notify.Channel, error) {
	if f.smtp == "" {
		return nil, nil // nobody can be told, so no disruption that must be told begins
	}
	if f.mailFrom == "" {
		return nil, errors.New("--smtp needs --mail-from: tenants must see who writes to them")
	}
	return email.New(email.Config{Addr: f.smtp, From: f.mailFrom, TLS: email.TLS(f.smtpTLS), User: f.smtpUser, PasswordFile: f.smtpPasswordFile})
}
