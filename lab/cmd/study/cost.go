package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// meter measures what the parts of the study cost: CPU time by stage (other work on the machine does not count), wall
// time and memory of the whole process.
type meter struct {
	began time.Time
	rows  []row
}

// row is one arm of one reading.
type row struct {
	what string
	took map[string]time.Duration // by stage, added up over all its plans
}

// stages are the parts that a study tells of, in their order.
var stages = []string{"draw the fleet", "assess", "plan", "audit"}

func newMeter() *meter { return &meter{began: time.Now()} }

// stage gives what is told of the end of each stage of one arm.
func (m *meter) stage(arm string) func(string) {
	m.rows = append(m.rows, row{arm, map[string]time.Duration{}})
	took, last := m.rows[len(m.rows)-1].took, cpu()
	return func(name string) {
		now := cpu()
		took[name] += now - last
		last = now
	}
}

func (m *meter) write(w io.Writer) {
	fmt.Fprintf(w, "## What it cost\n\nCPU time, measured in this very run on %d cores that may have had other work, for all plans of each row.\n\n", runtime.NumCPU())
	fmt.Fprintf(w, "| | %s |\n|---%s|\n", strings.Join(stages, " | "), strings.Repeat("|---:", len(stages)))
	for _, r := range m.rows {
		cells := []string{r.what}
		for _, s := range stages {
			cells = append(cells, fmt.Sprintf("%.1f s", r.took[s].Seconds()))
		}
		fmt.Fprintf(w, "| %s |\n", strings.Join(cells, " | "))
	}
	fmt.Fprintf(w, "\nAll together: %.0f s of wall time, %.0f s of CPU, %s of memory at most.\n", time.Since(m.began).Seconds(), cpu().Seconds(), peak())
}

// cpu is what the process has used so far.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peak is the most memory that the process had (VmHWM in Linux's /proc/self/status, in kB).
func peak() string {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "an unknown amount"
	}
	for line := range strings.Lines(string(text)) {
		var kb int64
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kb); n == 1 {
			return fmt.Sprintf("%.1f GiB", float64(kb)/(1<<20))
		}
	}
	return "an unknown amount"
}
