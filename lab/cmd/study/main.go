// Command study plans a Xen campaign of the past on simulated hosts, in several arms, and writes the page that stands
// beside what providers reported. See package internal/study.
//
//	study [-of march-2015|september-2014] [-advisories FILES] [-out FILE] [-picture FILE]
//	study [-of ...] [-advisories FILES] -inputs DIR    write what is planned from instead, for evenkeel plan
//
// It exits with 1 when the auditor finds a breach.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/advisory/parse"
	"github.com/evenkeel/evenkeel/lab/revision"
)

// campaign is one that is studied.
type campaign struct {
	title      string
	advisories string // where they are, when nobody says otherwise: a pattern
	// write plans all arms, writes their page and says how many breaches the auditor found.
	write func(page io.Writer, as []advisory.Advisory, cost *meter) (breaches int, err error)
	// inputs are what each arm is planned from.
	inputs func(as []advisory.Advisory) ([]input, error)
}

var campaigns = map[string]campaign{
	"march-2015":     {"March 2015: six Xen advisories in one target", "examples/march-2015/*.yaml", writeMarch, marchInputs},
	"september-2014": {"September 2014: XSA-108 before its embargo ended", "examples/xsa-108.yaml", writeSeptember, septemberInputs},
}

// picture is where to draw an arm; empty: nowhere.
var picture = flag.String("picture", "", "the file to draw a plan to, as SVG (september-2014)")

func main() {
	of := flag.String("of", "march-2015", "the campaign: march-2015 or september-2014")
	files := flag.String("advisories", "", "the files of its advisories, a pattern (default: those in examples)")
	out := flag.String("out", "", "the file to write (default: standard output)")
	to := flag.String("inputs", "", "write fleets, policies and targets to this folder, and plan nothing")
	flag.Parse()
	if err := run(*of, *files, *out, *to); err != nil {
		fmt.Fprintln(os.Stderr, "study:", err)
		os.Exit(1)
	}
}

func run(of, files, out, to string) error {
	c, known := campaigns[of]
	if !known {
		return fmt.Errorf("no study of %q: there are march-2015 and september-2014", of)
	}
	if files == "" {
		files = c.advisories
	}
	as, err := readAdvisories(files)
	if err != nil {
		return err
	}
	if to != "" {
		list, err := c.inputs(as)
		if err != nil {
			return err
		}
		return writeInputs(list, as, to)
	}
	var page bytes.Buffer
	fmt.Fprintf(&page, "# %s\n\nMade by `make study` at revision %s. Do not edit: it is written anew.\n\n", c.title, revision.Of("docs/studies"))
	cost := newMeter()
	breaches, err := c.write(&page, as, cost)
	if err != nil {
		return err
	}
	cost.write(&page)
	fmt.Fprintf(&page, "\n`go run ./lab/cmd/study -of %s -inputs DIR` writes fleets, policies and targets, and the commands of `evenkeel plan` that plan them.\n", of)
	if out == "" {
		_, err = os.Stdout.Write(page.Bytes())
	} else {
		err = os.WriteFile(out, page.Bytes(), 0o644)
	}
	if err == nil && breaches > 0 {
		err = fmt.Errorf("the auditor found %d breaches: see the page", breaches)
	}
	return err
}

// readAdvisories reads all documents of a pattern, in the order of their names.
func readAdvisories(pattern string) (all []advisory.Advisory, err error) {
	files, err := filepath.Glob(pattern)
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no advisory there: run it at the root of the project, or say -advisories FILES", pattern)
	}
	for _, file := range files {
		src, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		as, mistakes := parse.Parse(file, src)
		if len(mistakes) > 0 {
			return nil, mistakes
		}
		all = append(all, as...)
	}
	return all, nil
}
