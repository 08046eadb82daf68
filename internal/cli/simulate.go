package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/driver/simulated"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// simulateFlags are the flags of `evenkeel simulate`.
type simulateFlags struct {
	fleet, socket, log, faults string
	speed                      float64
	seed                       uint64
	autostart                  bool
	updates                    map[string]string
}

func newSimulate(app *App) *cobra.Command {
	var f simulateFlags
	cmd := &cobra.Command{
		Use:   "simulate --fleet FILE --socket PATH",
		Short: "Run simulated hypervisors that a driver reaches over a socket",
		Long: `Run the hosts and instances of a fleet file as a simulated world, in a process of its own, until it
is interrupted. Hosts whose uri is sim://HOST are reached through the socket. With --log the world
writes what really happens there, one JSON line each: the witness that the product cannot write.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return simulate(cmd.Context(), app, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.fleet, "fleet", "", "fleet file")
	flags.StringVar(&f.socket, "socket", "", "unix socket to serve the world on")
	flags.StringVar(&f.log, "log", "", "file for the world's log; what it held before is lost")
	flags.StringVar(&f.faults, "faults", "", `what goes wrong, as JSON: rates such as {"migration_fails": 0.1}, or {"returns": {"h1": ["no_dom0"]}}`)
	flags.Float64Var(&f.speed, "speed", 1, "seconds that pass in the world in each real one")
	flags.Uint64Var(&f.seed, "seed", 1, "seed of boot ids, durations and faults")
	flags.BoolVar(&f.autostart, "autostart", false, "instances start by themselves when their host boots")
	flags.StringToStringVar(&f.updates, "update", nil, "PACKAGE=VERSION that an update installs when its command names none")
	for _, name := range []string{"fleet", "socket"} {
		_ = cmd.MarkFlagRequired(name) // the flag is there: it was made above
	}
	cmd.AddCommand(newWitness(app), newProbe(app), newMend(app))
	return cmd
}

func simulate(ctx context.Context, app *App, f simulateFlags) error {
	if f.speed <= 0 {
		return fmt.Errorf("--speed %g: it must be above 0", f.speed)
	}
	fl, err := loadFleet(app, f.fleet)
	if err != nil {
		return err
	}
	o := simulated.Options{Clock: simulated.Hurried(f.speed), Seed: f.seed, Updates: f.updates, Autostart: f.autostart}
	if err := readFaults(f.faults, &o.Faults); err != nil {
		return fmt.Errorf("--faults: %w", err)
	}
	if f.log != "" {
		log, err := os.Create(f.log)
		if err != nil {
			return err
		}
		defer log.Close()
		o.Log = log
	}
	world, err := simulated.NewWorld(fl, o)
	if err != nil {
		return fmt.Errorf("%s: %w", f.fleet, err)
	}
	listener, err := listenUnix(f.socket)
	if err != nil {
		return err
	}
	fmt.Fprintf(app.Out, "simulated world: %d hosts and %d instances at %s, %g times as fast\n", len(fl.Hosts), len(fl.Instances), f.socket, f.speed)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	lived := make(chan error, 1)
	go func() {
		lived <- world.Live(ctx)
		stop() // a world that cannot write its log must not go on
	}()
	err = world.Serve(ctx, listener, f.speed)
	stop()
	return errors.Join(<-lived, err)
}

// readFaults reads what goes wrong: one JSON value of known fields, with nothing after it.
func readFaults(text string, into *simulated.Faults) error {
	if text == "" {
		return nil
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("found more text, expected the end after the first value")
	}
	return into.Check()
}

// listenUnix listens on a socket. One that nobody answers on any more is taken over.
func listenUnix(path string) (net.Listener, error) {
	if info, err := os.Stat(path); err == nil && info.Mode()&fs.ModeSocket != 0 {
		if conn, err := net.Dial("unix", path); err == nil {
			conn.Close()
			return nil, fmt.Errorf("%s: somebody serves there already; stop it or choose another socket", path)
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	return net.Listen("unix", path)
}

func newWitness(app *App) *cobra.Command {
	var fleetFile, logFile string
	cmd := &cobra.Command{
		Use:   "witness --log FILE --fleet FILE",
		Short: "Count what really happened in a simulated world, from its own log",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			fl, err := loadFleet(app, fleetFile)
			if err != nil {
				return err
			}
			log, err := os.Open(logFile)
			if err != nil {
				return err
			}
			defer log.Close()
			tally, err := simulated.ReadLog(logFile, log)
			if err != nil {
				return err
			}
			return json.NewEncoder(app.Out).Encode(tally.Verdict(idsOf(fl)))
		},
	}
	cmd.Flags().StringVar(&logFile, "log", "", "the world's log")
	cmd.Flags().StringVar(&fleetFile, "fleet", "", "the fleet file that the world was made from")
	for _, name := range []string{"log", "fleet"} {
		_ = cmd.MarkFlagRequired(name) // the flag is there: it was made above
	}
	return cmd
}

// idsOf lists the hosts, and the instances that ran at the beginning.
func idsOf(fl *fleet.Fleet) (hosts, instances []string) {
	for _, h := range fl.Hosts {
		hosts = append(hosts, h.ID)
	}
	for _, i := range fl.Instances {
		if i.State == "" || i.State == fleet.Running {
			instances = append(instances, i.ID)
		}
	}
	return hosts, instances
}
