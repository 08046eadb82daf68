// Command labwitness says from outside what happens in a lab. See package witness.
//
//	labwitness follow [-lab DIR] -out DIR      until SIGTERM: gaps to OUT/GUEST.jsonl, summary to OUT/summary.json and stdout
//	labwitness mark   [-lab DIR] -out FILE     note boot ids and running instances
//	labwitness count  [-lab DIR] -mark FILE    print what changed since, as JSON
//	labwitness verdict [-lab DIR] -mark FILE -follow DIR -mails DIR [-findings N] [-out FILE]
//	                                           print all of that in one line; exit 1 unless all is well
//	labwitness refreshed ...                   the same of a refresh: no host rebooted, each instance on the new QEMU
//	labwitness mark-xen [-lab DIR] -out FILE   note the moment, and how much the hypervisors have printed
//	labwitness xen -fleet FILE -mark FILE [-boots N] [-patch NAME] -follow DIR -mails DIR [-findings N] [-out FILE]
//	                                           of the Xen lab: each host patched once, rebooted once and fixed
//	labwitness simulated -fleet FILE -log FILE -speed N -mails DIR [-findings N] [-out FILE]
//	                                           the same of a simulated world, from its own log
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/lab/witness"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "labwitness:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 {
		return errors.New("say follow, mark or count")
	}
	fs := flag.NewFlagSet(args[0], flag.ExitOnError)
	def := os.Getenv("EVENKEEL_LAB")
	if def == "" {
		def = "/var/lib/evenkeel-lab"
	}
	dir := fs.String("lab", def, "state folder of the lab")
	out := fs.String("out", "", "where to write")
	mark := fs.String("mark", "", "the file that 'mark' wrote")
	followed := fs.String("follow", "", "the folder that 'follow' wrote to")
	mails := fs.String("mails", "", "the folder of the SMTP sink")
	findings := fs.Int("findings", 0, "how many breaches the auditor found in the journal")
	fleetFile := fs.String("fleet", "", "the fleet file of a simulated world")
	log := fs.String("log", "", "the log of a simulated world")
	speed := fs.Float64("speed", 1, "how many times as fast as the mail server's clock a simulated world's is")
	boots := fs.Int("boots", 1, "how often a Xen host may have been booted")
	patch := fs.String("patch", "", "the live patch that each Xen host was to get")
	if err := fs.Parse(args[1:]); err != nil {
		return err
	}
	if args[0] == "simulated" {
		v, err := simulated(*fleetFile, *log, *speed, *mails)
		if err != nil {
			return err
		}
		v.AuditFindings = *findings
		return tell(v, *out)
	}
	lab, err := witness.Open(*dir)
	if err != nil {
		return err
	}
	switch {
	case args[0] == "follow" && *out != "":
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		sum, err := witness.Follow(ctx, lab, *out)
		if err != nil {
			return err
		}
		return show(sum)
	case args[0] == "mark" && *out != "":
		m, err := lab.Mark()
		if err != nil {
			return err
		}
		return save(*out, m)
	case args[0] == "count" && *mark != "":
		m, err := readMark(*mark)
		if err != nil {
			return err
		}
		t, err := lab.Count(m)
		if err != nil {
			return err
		}
		return show(t)
	case args[0] == "mark-xen" && *out != "":
		m, err := lab.MarkXen()
		if err != nil {
			return err
		}
		return save(*out, m)
	case args[0] == "xen" && *fleetFile != "" && *mark != "" && *followed != "" && *mails != "":
		v, err := xen(lab, witness.XenRun{Mark: &witness.XenMark{}, Boots: *boots, Patch: *patch}, *fleetFile, *mark, *followed, *mails)
		if err != nil {
			return err
		}
		v.AuditFindings = *findings
		return tell(v, *out)
	case (args[0] == "verdict" || args[0] == "refreshed") && *mark != "" && *followed != "" && *mails != "":
		v, err := verdict(lab, *mark, *followed, *mails, args[0] == "refreshed")
		if err != nil {
			return err
		}
		v.AuditFindings = *findings
		return tell(v, *out)
	}
	return fmt.Errorf("%s: unknown, or -out or -mark is missing", args[0])
}

func readMark(path string) (*witness.MarkState, error) {
	m := &witness.MarkState{}
	return m, readJSON(path, m)
}

func readJSON(path string, into any) error {
	raw, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

func verdict(lab *witness.Lab, mark, followed, mails string, refreshed bool) (*witness.Verdict, error) {
	m, err := readMark(mark)
	if err != nil {
		return nil, err
	}
	var sum witness.Summary
	if err := readJSON(filepath.Join(followed, "summary.json"), &sum); err != nil {
		return nil, err
	}
	got, err := witness.Mails(mails)
	if err != nil {
		return nil, err
	}
	t, err := lab.Count(m)
	if err != nil {
		return nil, err
	}
	if refreshed {
		return witness.JudgeRefresh(m, t, &sum, got)
	}
	return witness.Judge(m, t, &sum, got)
}

func readFleet(path string) (*fleet.Fleet, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, mistakes := fleet.Parse(path, src)
	if len(mistakes) > 0 {
		return nil, mistakes
	}
	return f, nil
}

func xen(lab *witness.Lab, run witness.XenRun, fleetFile, mark, followed, mails string) (v *witness.Verdict, err error) {
	if run.Fleet, err = readFleet(fleetFile); err != nil {
		return nil, err
	}
	if err := readJSON(mark, run.Mark); err != nil {
		return nil, err
	}
	var sum witness.Summary
	if err := readJSON(filepath.Join(followed, "summary.json"), &sum); err != nil {
		return nil, err
	}
	got, err := witness.Mails(mails)
	if err != nil {
		return nil, err
	}
	return witness.JudgeXen(lab, run, &sum, got)
}

func simulated(fleetFile, log string, speed float64, mails string) (*witness.Verdict, error) {
	f, err := readFleet(fleetFile)
	if err != nil {
		return nil, err
	}
	raw, err := os.ReadFile(log)
	if err != nil {
		return nil, err
	}
	got, err := witness.Mails(mails)
	if err != nil {
		return nil, err
	}
	return witness.JudgeSimulated(f, log, raw, speed, got)
}

// tell prints the verdict's line, and what is wrong on standard error.
func tell(v *witness.Verdict, out string) error {
	if out != "" {
		if err := save(out, v); err != nil {
			return err
		}
	}
	fmt.Println(v.Line())
	for _, bad := range v.Violations {
		fmt.Fprintln(os.Stderr, "witness:", bad)
	}
	if !v.OK() {
		return errors.New("not all is well")
	}
	return nil
}

func save(path string, v any) error {
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(raw, '\n'), 0o644)
}

func show(v any) error {
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
