package bench

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// Result is what both made of one fleet.
type Result struct {
	Fleet     Fleet
	Instances int
	Ours      Outcome
	Hroller   Outcome
}

// Run runs a bench, one process at a time, and tells of each row as it is measured. evenkeel is the
// program's path.
func Run(b Bench, evenkeel string, tell func(Result)) (results []Result, err error) {
	dir, err := os.MkdirTemp("", "bench-planner-*")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	skip := newSkip(b.Hroller)
	for _, family := range b.Families {
		for _, hosts := range family.Hosts {
			r := Result{Fleet: family.Make(hosts)}
			r.Instances = r.Fleet.Instances()
			if err := r.ours(b.Ours, dir, evenkeel); err != nil {
				return results, fmt.Errorf("%s, %d hosts: %w", r.Fleet.Family, hosts, err)
			}
			if r.Hroller.Failed = skip.why(r.Fleet); r.Hroller.Failed == "" {
				if err := r.hroller(b.Hroller, dir); err != nil {
					return results, fmt.Errorf("hroller, %s, %d hosts: %w", r.Fleet.Family, hosts, err)
				}
				skip.note(r)
			}
			results = append(results, r)
			tell(r)
		}
	}
	return results, nil
}

// skip says on which fleets hroller is not run: those larger than one of their family that it did not finish,
// and those as large as one of the first family, its easiest, that took it more than half of its time.
type skip struct {
	missing bool
	limit   time.Duration
	lost    map[string]int // family -> hosts
	first   string
}

func newSkip(l Limits) *skip {
	_, err := exec.LookPath("hroller")
	return &skip{missing: err != nil, limit: time.Duration(l.CPUSeconds) * time.Second, lost: map[string]int{}}
}

func (s *skip) why(f Fleet) string {
	if s.first == "" {
		s.first = f.Family
	}
	if s.missing {
		return "not installed here"
	}
	for _, family := range []string{f.Family, s.first} {
		if hosts := s.lost[family]; hosts > 0 && f.Hosts >= hosts {
			return fmt.Sprintf("not run: see %s, %s hosts", family, thousands(hosts))
		}
	}
	return ""
}

func (s *skip) note(r Result) {
	if r.Hroller.Failed != "" || r.Fleet.Family == s.first && r.Hroller.CPU > s.limit/2 {
		s.lost[r.Fleet.Family] = r.Fleet.Hosts
	}
}

func (r *Result) ours(l Limits, dir, evenkeel string) error {
	return with(filepath.Join(dir, "fleet.jsonl"), r.Fleet.writeJSONL, func(file string) (err error) {
		r.Ours, err = runOurs(l, evenkeel, r.Fleet, file)
		return err
	})
}

func (r *Result) hroller(l Limits, dir string) error {
	return with(filepath.Join(dir, "fleet.data"), r.Fleet.writeGaneti, func(file string) (err error) {
		r.Hroller, err = runHroller(l, r.Fleet, file)
		return err
	})
}

// with writes a file, uses it, and removes it: the largest takes some hundred megabytes.
func with(path string, write func(io.Writer) error, use func(string) error) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := errors.Join(write(file), file.Close()); err != nil {
		return err
	}
	return errors.Join(use(path), os.Remove(path))
}
