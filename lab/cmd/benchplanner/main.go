// Command benchplanner plans fleets with evenkeel and with Ganeti's hroller, and prints both in one table beside
// the lower bounds. See package lab/bench.
//
//	benchplanner -evenkeel bin/evenkeel [-short] [-page docs/planner.md -curve docs/planner-cost.svg]
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/evenkeel/evenkeel/internal/planner/optima"
	"github.com/evenkeel/evenkeel/lab/bench"
	"github.com/evenkeel/evenkeel/lab/revision"
)

func main() {
	evenkeel := flag.String("evenkeel", "bin/evenkeel", "the program to measure")
	short := flag.Bool("short", false, "small fleets only: less than a minute")
	page := flag.String("page", "", "write the page to this file")
	curve := flag.String("curve", "", "draw the growth curve to this file")
	flag.Parse()
	if err := run(*evenkeel, *short, *page, *curve); err != nil {
		fmt.Fprintln(os.Stderr, "benchplanner:", err)
		os.Exit(1)
	}
}

func run(evenkeel string, short bool, page, curve string) error {
	b, began, revision := bench.Full(), time.Now(), revision.Of()+", "+time.Now().UTC().Format(time.DateOnly)+","
	if short {
		b = bench.Short()
	}
	bench.Head(os.Stdout)
	results, err := bench.Run(b, evenkeel, func(r bench.Result) {
		for _, cells := range r.Rows() {
			bench.Line(os.Stdout, cells)
		}
	})
	if err != nil {
		return err
	}
	fmt.Println()
	gaps, err := optima.Gaps()
	if err != nil {
		return err
	}
	if err := optima.Write(os.Stdout, gaps, 10); err != nil {
		return err
	}
	p := bench.Page{Revision: revision, Machine: fmt.Sprintf("%d cores", runtime.NumCPU()), Results: results, Gaps: gaps, Hroller: b.Hroller}
	if curve != "" {
		var picture bytes.Buffer
		if err := bench.Curve(&picture, results); err != nil {
			return err
		}
		if err := os.WriteFile(curve, picture.Bytes(), 0o644); err != nil {
			return err
		}
		p.Curve = filepath.Base(curve)
	}
	if page != "" {
		var text bytes.Buffer
		if err := p.Write(&text); err != nil {
			return err
		}
		if err := os.WriteFile(page, text.Bytes(), 0o644); err != nil {
			return err
		}
	}
	fmt.Printf("measured in %s at %s\n", time.Since(began).Round(time.Second), p.Revision)
	return nil
}
