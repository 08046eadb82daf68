// Command march2015 plans the Xen campaign of March 2015 on simulated hosts, in two arms, and writes the page that
// stands beside what providers reported. See package internal/study.
//
//	march2015 [-advisories DIR] [-out FILE]
//	march2015 [-advisories DIR] -inputs DIR    write what is planned from instead, for evenkeel plan
//
// It exits with 1 when the auditor finds a breach.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/advisory/parse"
	"github.com/evenkeel/evenkeel/internal/study"
)

func main() {
	dir := flag.String("advisories", "examples/march-2015", "the folder with the six advisories")
	out := flag.String("out", "", "the file to write (default: standard output)")
	inputs := flag.String("inputs", "", "write fleets, policies and target to this folder, and plan nothing")
	flag.Parse()
	err := error(nil)
	if *inputs != "" {
		err = writeInputs(*dir, *inputs)
	} else {
		err = run(*dir, *out)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "march2015:", err)
		os.Exit(1)
	}
}

func readings() []study.Reading {
	return []study.Reading{
		{Name: "10 % of the hosts affected", Scenario: study.March2015(0.1)},
		{Name: "All hosts affected", Scenario: study.March2015(1)},
	}
}

func run(dir, out string) error {
	as, err := readAdvisories(dir)
	if err != nil {
		return err
	}
	readings := readings()
	cost, findings := newMeter(), 0
	for n := range readings {
		r := &readings[n]
		for _, arm := range study.Arms {
			o, err := study.Run(r.Scenario, arm, as, cost.stage(r.Name, arm))
			if err != nil {
				return err
			}
			r.Outcomes = append(r.Outcomes, o)
			findings += len(o.Findings)
		}
	}
	var page bytes.Buffer
	page.WriteString("# March 2015: six Xen advisories in one target\n\n")
	fmt.Fprintf(&page, "Made by `make study` at revision %s. Do not edit: it is written anew.\n\n", revision())
	if err := study.Write(&page, readings); err != nil {
		return err
	}
	cost.write(&page)
	page.WriteString("\n`go run ./lab/cmd/march2015 -inputs DIR` writes fleets, policies and target, and the four commands of `evenkeel plan` that plan them.\n")
	if out == "" {
		_, err = os.Stdout.Write(page.Bytes())
	} else {
		err = os.WriteFile(out, page.Bytes(), 0o644)
	}
	if err == nil && findings > 0 {
		err = fmt.Errorf("the auditor found %d breaches: see the page", findings)
	}
	return err
}

// readAdvisories reads all documents of a folder, in the order of their names.
func readAdvisories(dir string) (all []advisory.Advisory, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no advisory (*.yaml) there: run it at the root of the project, or say -advisories DIR", dir)
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

// revision is the commit that the page was made at, with a word when the tree differed from it.
func revision() string {
	id, err := exec.Command("git", "rev-parse", "--short", "HEAD").Output()
	if err != nil {
		return "unknown"
	}
	text := strings.TrimSpace(string(id))
	if changed, err := exec.Command("git", "status", "--porcelain", "--untracked-files=no").Output(); err != nil || len(bytes.TrimSpace(changed)) > 0 {
		text += ", with changes"
	}
	return text + ", " + runtime.Version()
}
