package xen

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// endDomain is one line of xl list -v.
type endDomain struct {
	name   string
	id     int
	memMiB int64
	vcpus  int
	state  string // r b p s, the reason of a shutdown, d; - where it is not so
	uuid   string
}

// endLine: name, id, memory, vcpus, state, time, then with -v the UUID and more.
var endLine = regexp.MustCompile(`^(\S.*?)\s+([0-9]+)\s+([0-9]+)\s+([0-9]+)\s+([r-][b-][p-][s-][-rscwS?][d-])\s+[0-9]+\.[0-9]\s+([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\s`)

// parseEndList reads xl list -v. A line that it does not understand is an error: a domain that was not
// seen must not count as absent.
func parseEndList(out string) ([]endDomain, error) {
	var all []endDomain
	head := false
	n := 0
	for line := range strings.Lines(out) {
		n++
		line = strings.TrimRight(line, "\n\r")
		switch {
		case strings.TrimSpace(line) == "":
			continue
		case !head:
			if head = strings.HasPrefix(line, "Name ") && strings.Contains(line, "State"); !head {
				return nil, fmt.Errorf("xl list, line %d: %q, expected its heading", n, line)
			}
			continue
		}
		m := endLine.FindStringSubmatch(line + " ")
		if m == nil {
			return nil, fmt.Errorf("xl list -v, line %d: %q, expected name, id, memory, vcpus, state, time and UUID", n, line)
		}
		id, err := strconv.Atoi(m[2])
		if err != nil {
			return nil, fmt.Errorf("xl list -v, line %d: id %q: %w", n, m[2], err)
		}
		mem, err := strconv.ParseInt(m[3], 10, 64)
		if err != nil {
			return nil, fmt.Errorf("xl list -v, line %d: memory %q: %w", n, m[3], err)
		}
		all = append(all, endDomain{name: m[1], id: id, memMiB: mem, vcpus: small(m[4]), state: m[5], uuid: m[6]})
	}
	if !head {
		return nil, fmt.Errorf("xl list said nothing")
	}
	return all, nil
}

// where puts a domain's state into the contract's words. One that is suspended (half of a save or a
// migration), shutting down for a reboot or dying is still there, but does not run: paused.
func (d endDomain) where() driver.Where {
	switch {
	case d.state[5] == 'd':
		return driver.IsPaused
	case d.state[3] == 's' && (d.state[4] == 's' || d.state[4] == 'r' || d.state[4] == 'S'):
		return driver.IsPaused
	case d.state[3] == 's':
		return driver.IsStopped // powered off or crashed, and kept
	case d.state[2] == 'p':
		return driver.IsPaused
	}
	return driver.IsRunning
}

// suspended: its memory is whole, its devices are let go, and only a resume would run it again.
func (d endDomain) suspended() bool {
	return d.state[3] == 's' && d.state[4] == 's' && d.state[5] != 'd'
}

// end is what one host said of one instance.
type end struct {
	reached bool
	err     error // why it was not reached
	// The instance under its own name, as the receiving half of a migration, and as what a migration
	// left on its source. nil: there is none.
	home, incoming, away *endDomain
	all                  []endDomain
	config               string // path of its configuration file; empty: none
	files                map[string]int64
	job                  string // the act under way on it; empty: none
	migrations           int    // processes that migrate it away from here, whoever began them
}

// The files of a saved instance in SaveDir, after its name. Only fileSaved is a whole image.
const (
	fileSaved     = "save"
	filePart      = "save.part"      // being written, or what a broken save left
	fileRestoring = "save.restoring" // a restore was begun with it
	fileSum       = "save.sum"       // the image's size and checksum
)

func (e end) has(file string) bool { _, ok := e.files[file]; return ok }

// domains are what there is of the instance, running or not.
func (e end) domains() []*endDomain {
	var all []*endDomain
	for _, d := range []*endDomain{e.home, e.incoming, e.away} {
		if d != nil {
			all = append(all, d)
		}
	}
	return all
}

// where puts an end into the contract's words: the most that any of the instance's domains does.
func (e end) where() driver.Where {
	if !e.reached {
		return driver.IsUnreachable
	}
	at := driver.IsAbsent
	if e.config != "" || e.has(fileSaved) || e.has(fileRestoring) || e.has(filePart) {
		at = driver.IsStopped
	}
	for _, d := range e.domains() {
		switch w := d.where(); {
		case w == driver.IsRunning:
			return w
		case w == driver.IsPaused || at == driver.IsAbsent:
			at = w
		}
	}
	return at
}

func (e end) uuid() string {
	for _, d := range e.domains() {
		return d.uuid
	}
	return ""
}

// leaving: a migration away from here is under way, by an act of ours.
func (e end) leaving() bool { return strings.HasPrefix(e.job, actMigrate+" ") }

// verdict is what two ends mean together.
type verdict int

const (
	unsettled verdict = iota // still changing, or not both read: look again
	moved                    // runs at the destination, nowhere else
	stayed                   // runs at the source, nowhere else
	split                    // runs at both
	leftover                 // runs at the destination; a dead half is left on the source
	orphan                   // runs at the source; a half that never ran is left at the destination
	lostBoth                 // runs nowhere, and nothing is under way
	frozen                   // runs nowhere, and halves of it wait on both hosts: a lost handshake
)

// judge reads the two ends of one instance. It never guesses: an end that was not read, or that may
// still begin to run, leaves the matter unsettled. The destination must have been read before the
// source: then 'both run' cannot come from the moment of the switch.
func judge(src, dst end) verdict {
	if !src.reached || !dst.reached || src.job != "" || dst.job != "" || src.migrations > 0 || dst.migrations > 0 {
		return unsettled
	}
	s, t := src.where(), dst.where()
	switch {
	case s == driver.IsRunning && t == driver.IsRunning:
		return split
	case t == driver.IsRunning && len(src.domains()) == 0:
		return moved
	case t == driver.IsRunning && src.away != nil && src.home == nil:
		return leftover
	case s == driver.IsRunning && src.home != nil && len(dst.domains()) == 0:
		return stayed
	case s == driver.IsRunning && src.home != nil && dst.home == nil && dst.incoming != nil && dst.incoming.where() == driver.IsPaused:
		return orphan
	case s != driver.IsRunning && t != driver.IsRunning && s != driver.IsPaused && t != driver.IsPaused:
		return lostBoth
	case s == driver.IsPaused && src.away != nil && dst.incoming != nil:
		return frozen
	}
	return unsettled
}

// ends in the contract's words. A copy that is kept by name only (powered off, crashed) is stopped.
func inWords(src, dst end) driver.Ends {
	return driver.Ends{Source: src.where(), Destination: dst.where()}
}
