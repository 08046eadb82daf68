// Package console reads what a host printed on its serial console: which
// hypervisor its last boot began with, how far that boot got, and what stopped
// it. It only reads text; where that comes from is driver.OutOfBand's.
//
// Three speak on the console of a Xen host, and only two of them are believed:
// the hypervisor, whose lines begin with (XEN), and the control domain, whose
// lines come as they are. What begins with (d7) is a guest's, and a guest prints
// what it likes. Of a text that was cut, the first line may be the rest of such
// a line, so only a hypervisor's own banner counts there.
//
// A text may tell of several boots: the last one counts. What stopped a boot is
// kept until a later one gets further, so a host that boots again and again is
// not taken for one that is coming up.
//
// Formats: xen/drivers/char/console.c (prefix, banner, panic), xen/common/shutdown.c
// (the control domain's end), Linux's kernel/panic.c and init/version.c,
// systemd's status lines, agetty's prompt. Start reading at Read.
package console

import (
	"regexp"
	"strings"
)

// Stage is how far a boot got, by what was printed.
type Stage string

// The stages, in order.
const (
	None       Stage = "none"       // nothing that tells
	Hypervisor Stage = "hypervisor" // the hypervisor printed its version
	Kernel     Stage = "kernel"     // the control domain's kernel, or the host's own where there is no hypervisor, began
	Login      Stage = "login"      // its system came up: a login prompt, or systemd's target of several users
)

// Report is what a console's text tells.
type Report struct {
	Hypervisor string // version of the Xen that the last boot began with, such as 4.17.5; empty: none was seen
	Reached    Stage  // of the last boot; None also after it was shut down
	// Panic is what the hypervisor or the kernel said when it stopped, unless a later boot got further;
	// ByXen: it was the hypervisor that stopped.
	Panic string
	ByXen bool
	Line  string // the line that tells what was reached or, once shut down, that
}

// maxLine bounds each line that is kept, in characters.
const maxLine = 200

// panicLines bounds how many lines of a hypervisor's panic are kept.
const panicLines = 4

var (
	fromXen    = regexp.MustCompile(`^\(XEN\)(?: \[[ 0-9a-f.:-]+\])? ?(.*)$`) // with one of its four kinds of timestamp, or none
	fromGuest  = regexp.MustCompile(`^\(d[0-9]+(?:v[0-9]+)?\)`)
	inMidst    = regexp.MustCompile(`\((?:XEN|d[0-9]+(?:v[0-9]+)?)\) `)
	banner     = regexp.MustCompile(`^Xen version ([0-9][0-9A-Za-z.+~_-]*)`)
	stars      = regexp.MustCompile(`^\*{20,}$`)
	panicked   = regexp.MustCompile(`^Panic on CPU [0-9]+:`)
	domainEnds = regexp.MustCompile(`^(?:Hardware Dom[0-9]+|Domain 0) (crashed|halted|shutdown)\b`)

	kernelBegins = regexp.MustCompile(`\bLinux version [0-9]+\.[0-9]`)
	kernelEnds   = regexp.MustCompile(`\bKernel panic - not syncing: .*`)
	prompt       = regexp.MustCompile(`(?:^|\s)[A-Za-z0-9][A-Za-z0-9._-]* login:`)
	target       = regexp.MustCompile(`\bReached target (.*)`)
	shutDown     = regexp.MustCompile(`\breboot: (?:Restarting system|Power down|System halted)`)
	downTargets  = regexp.MustCompile(`(?i)\b(?:reboot|power-? ?off|halt|shutdown)\b`)
	upTargets    = regexp.MustCompile(`(?i)\b(?:multi-user|graphical)\b`)
)

// Read tells what a console's text says. It reads any bytes.
func Read(text string) Report {
	r := reader{out: Report{Reached: None}}
	for n, line := range strings.FieldsFunc(text, func(c rune) bool { return c == '\n' || c == '\r' }) {
		r.line(clean(line), n == 0)
	}
	r.end()
	return r.out
}

// reader goes through the lines of a text, from the first to the last.
type reader struct {
	out     Report
	broken  Stage    // how far the boot got that Panic ended
	stopped bool     // the last boot is the one that Panic ended
	last    string   // the hypervisor's last line that says something, before a row of stars
	starred bool     // its last line was a row of stars
	said    []string // lines of a panic that is being read; nil: none is
}

// line takes one line in. A line that another speaker cuts short, as a prompt is, holds two.
func (r *reader) line(s string, first bool) {
	if m := fromXen.FindStringSubmatch(s); m != nil {
		r.xen(strings.TrimSpace(m[1]), first)
		return
	}
	if fromGuest.MatchString(s) || first {
		return
	}
	if at := inMidst.FindStringIndex(s); at != nil {
		r.system(s[:at[0]])
		r.line(s[at[0]:], false)
		return
	}
	r.system(s)
}

// xen takes in what the hypervisor said.
func (r *reader) xen(s string, first bool) {
	if m := banner.FindStringSubmatch(s); m != nil {
		r.end()
		r.stopped = false
		r.out.Hypervisor, r.out.Reached, r.out.Line = m[1], Hypervisor, bounded(s)
		return
	}
	if first {
		return
	}
	if r.said != nil {
		if stars.MatchString(s) || len(r.said) > panicLines {
			r.end()
		} else if s != "" {
			r.said = append(r.said, s)
		}
		return
	}
	switch m := domainEnds.FindStringSubmatch(s); {
	case panicked.MatchString(s) && r.starred: // nothing but a panic is framed by stars
		r.said = []string{s}
		return
	case m != nil && m[1] == "crashed":
		r.stop(s, false)
	case m != nil:
		r.down(s)
	}
	if r.starred = stars.MatchString(s); !r.starred && s != "" {
		r.last = s
	}
}

// end closes a panic that was being read: the rest of it may be missing.
func (r *reader) end() {
	if r.said == nil {
		return
	}
	what := strings.Join(r.said[1:], "; ")
	// Why a control domain could not be built stands in the line before.
	if r.last != "" && strings.HasPrefix(what, "Could not ") && !strings.HasPrefix(r.last, "***") {
		what += " (" + r.last + ")"
	}
	head := r.said[0]
	r.said, r.starred, r.last = nil, false, ""
	r.stop(strings.TrimSpace(head+" "+what), true)
}

// system takes in what the control domain, or a host without a hypervisor, printed.
func (r *reader) system(s string) {
	if kernelBegins.MatchString(s) {
		if r.stopped || r.out.Reached == Login { // a boot of its own, that no hypervisor began; else it is that one's, or printed twice
			r.stopped, r.out.Hypervisor = false, ""
		}
		r.reach(Kernel, s)
		return
	}
	if m := kernelEnds.FindString(s); m != "" {
		r.stop(strings.TrimSuffix(m, " ]---"), false)
		return
	}
	t := target.FindStringSubmatch(s)
	switch {
	case shutDown.MatchString(s), t != nil && downTargets.MatchString(t[1]):
		r.down(s)
	case prompt.MatchString(s), t != nil && upTargets.MatchString(t[1]):
		if r.out.Reached != Login {
			r.reach(Login, s)
		}
	case t != nil && r.out.Reached != Login && r.out.Reached != Kernel:
		r.reach(Kernel, s)
	}
}

// reach notes that a boot came as far as a stage, with the line that says so.
func (r *reader) reach(at Stage, line string) {
	r.end()
	r.out.Reached, r.out.Line = at, bounded(line)
	if r.out.Panic != "" && (at == Login || order[at] > order[r.broken]) {
		r.out.Panic, r.out.ByXen = "", false
	}
}

// stop notes what ended a boot. Its first words count: what follows on them tells less.
func (r *reader) stop(why string, byXen bool) {
	if !r.stopped {
		r.out.Panic, r.out.ByXen, r.broken, r.stopped = bounded(why), byXen, r.out.Reached, true
	}
}

// down: the boot is over in good order, and what it reached counts no more.
func (r *reader) down(line string) {
	r.out.Hypervisor, r.out.Reached, r.out.Line = "", None, bounded(line)
}

var order = map[Stage]int{None: 0, Hypervisor: 1, Kernel: 2, Login: 3}
