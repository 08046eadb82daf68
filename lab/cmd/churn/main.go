// Command churn carries campaigns out on simulated hosts in fleets that change under them, and prints what became of
// each promise. See internal/sim, churn.go.
//
//	churn [-hosts N] [-seeds N] [-out FILE] [-moved FILE] [-profile FILE]
//
// It exits with 1 when the auditor or the world's own record finds a breach.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"

	"github.com/evenkeel/evenkeel/internal/sim"
	"github.com/evenkeel/evenkeel/lab/revision"
)

// arm is one kind of campaign.
type arm struct {
	name  string
	churn sim.Churn
}

// arms: the first has the fleet change, the others have hosts that boot as slowly as real ones and show how many of
// their turns end in their slots.
func arms(hosts int) []arm {
	return []arm{
		{"churn, hosts back in 4 min (p95 7)", sim.Churn{Hosts: hosts, Lost: 0.01, Changed: 0.05, Troubled: 0.01, NotBack: 0.0127}},
		{"slots, hosts back in 35 min (p95 60), 1.27 % never", sim.Churn{Hosts: hosts, NotBack: 0.0127, Slow: true}},
		{"slots, hosts back in 35 min (p95 60), 10.1 % never", sim.Churn{Hosts: hosts, NotBack: 0.101, Slow: true}},
	}
}

func main() {
	hosts := flag.Int("hosts", 100, "hosts of the fleet, ten instances on each")
	seeds := flag.Uint64("seeds", 1, "seeds of each arm")
	first := flag.Uint64("first", 1, "the first of these seeds")
	only := flag.String("only", "", "run only the arms whose name begins so")
	out := flag.String("out", "", "the file to write (default: standard output)")
	moved := flag.String("moved", "", "write each promise that was moved to this file: arm, seed, promise, instance, cause, why")
	profile := flag.String("profile", "", "write a CPU profile to this file")
	flag.Parse()
	if err := profiled(*profile, func() error { return run(*hosts, *first, *seeds, *only, *out, *moved) }); err != nil {
		fmt.Fprintln(os.Stderr, "churn:", err)
		os.Exit(1)
	}
}

// profiled runs something with a CPU profile, where one is asked for.
func profiled(path string, f func() error) error {
	if path == "" {
		return f()
	}
	w, err := os.Create(path)
	if err != nil {
		return err
	}
	defer w.Close()
	if err := pprof.StartCPUProfile(w); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return f()
}

func run(hosts int, first, seeds uint64, only, out, moved string) error {
	var page, names bytes.Buffer
	fmt.Fprintf(&page, "# Campaigns in a fleet that changes\n\nMade by `make churn` at revision %s. Do not edit: it is written anew.\n\n", revision.Of("docs/studies"))
	fmt.Fprintf(&page, "%d simulated hosts with ten instances each. The production machine in virtual time; the auditor judges each journal, and the world's own record is judged beside it.\n", hosts)
	breaches := 0
	for _, a := range arms(hosts) {
		if !strings.HasPrefix(a.name, only) {
			continue
		}
		for seed := first; seed < first+seeds; seed++ {
			a.churn.Seed = seed
			before := cpu()
			c, err := sim.RunChurn(a.churn)
			if err != nil {
				return fmt.Errorf("%s, seed %d: %w", a.name, seed, err)
			}
			fmt.Fprintf(&page, "\n## %s%s, seed %d\n\n%s\nCPU time: %.0f s.\n", strings.ToUpper(a.name[:1]), a.name[1:], seed, c.Table(), (cpu() - before).Seconds())
			for _, m := range c.Moved {
				fmt.Fprintf(&names, "%s\t%d\t%s\t%s\t%s\t%s\n", a.name, seed, m.Slot, m.Instance, m.Cause, m.Why)
			}
			breaches += len(c.Findings) + len(c.Wrong)
		}
	}
	var err error
	if out == "" {
		_, err = os.Stdout.Write(page.Bytes())
	} else {
		err = os.WriteFile(out, page.Bytes(), 0o644)
	}
	if err == nil && moved != "" {
		err = os.WriteFile(moved, names.Bytes(), 0o644)
	}
	if err == nil && breaches > 0 {
		err = errors.New("there are breaches: see the page")
	}
	return err
}

// cpu is what the process has used so far.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
