// Package hostfacts reads what only a host itself can tell, in one answer to a
// shell script: its boot, its packages, the kernel that runs and that kernel's
// live patches, its processors. Drivers run the script over SSH.
//
// It opens no connection and knows no hypervisor; what the host does not say is
// not known, and never guessed from something else. Start reading at Script,
// then at Parse; observation.go puts the facts into an observation.
package hostfacts

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// Facts is what a host told in one answer to Script.
type Facts struct {
	BootID  string
	Booted  int64 // Unix seconds at which PID 1 started; 0: not known
	Devices []string
	FS      map[string]string // path -> kind of file system

	Manager   string            // dpkg, rpm, apk, none; empty: not asked
	Installed map[string]string // package -> version
	Status    map[string]string // package -> what the manager says, for those that are not simply installed
	Changed   map[string]int64  // package -> Unix seconds of the last change of its files
	RPMs      map[string][]rpm  // package -> its builds on disk: of kernels there are several

	QEMU     string // package of the distribution's own QEMU
	Emulator string // version of the emulator on disk, as its package names it

	Arch       string // uname -m
	Release    string // uname -r
	Version    string // uname -v
	Signature  string // /proc/version_signature, on Ubuntu
	Kernel     string // package of the running kernel
	KernelLine string // package that brings that kernel's successors
	OS         map[string]string
	CPU        fleet.CPU
	Uneven     []string          // microcode revisions, where the processors have several
	Config     map[string]string // settings by which advisories decide

	LivePatches []fleet.LivePatch // nil: not read
	PatchesWhy  string            // why not, where they could have been
}

// rpm is one build of a package.
type rpm struct {
	version string // epoch:version-release, the epoch 0 left out
	release string // version-release.arch, as uname -r names a kernel
	at      int64  // Unix seconds of its installation; 0: not known
}

// Parse reads the lines that Script prints. Lines that are not understood are left out:
// then their fact is not known.
func Parse(out string) (Facts, error) {
	p := parser{Facts: Facts{FS: map[string]string{}, Installed: map[string]string{}, Status: map[string]string{},
		Changed: map[string]int64{}, RPMs: map[string][]rpm{}, OS: map[string]string{}, Config: map[string]string{}}}
	lines := bufio.NewScanner(strings.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		key, rest, _ := strings.Cut(lines.Text(), " ")
		if err := p.line(key, rest, strings.Fields(rest)); err != nil {
			return p.Facts, fmt.Errorf("line %q: %w", lines.Text(), err)
		}
	}
	if err := lines.Err(); err != nil {
		return p.Facts, err
	}
	if !p.done {
		return p.Facts, fmt.Errorf("it broke off")
	}
	p.finish()
	return p.Facts, nil
}

// parser gathers what several lines say together.
type parser struct {
	Facts
	hz, btime, start int64
	microcodes       []string
	smt              map[string]string
	patches          string // livepatches: yes, none, unreadable
	done             bool
}

func (p *parser) line(key, rest string, words []string) error {
	one := ""
	if len(words) == 1 {
		one = words[0]
	}
	switch key {
	case "boot_id":
		p.BootID = one
	case "hz":
		p.hz, _ = strconv.ParseInt(one, 10, 64)
	case "btime":
		p.btime, _ = strconv.ParseInt(one, 10, 64)
	case "init":
		p.start = StartOf(rest)
	case "net":
		if one != "" && isBridge(one) {
			p.Devices = append(p.Devices, one)
		}
	case "fs":
		if len(words) >= 2 && words[0] != "?" {
			p.FS[strings.TrimPrefix(rest, words[0]+" ")] = words[0]
		}
	case "emulator":
		p.Emulator = PackageVersion(rest)
	case "end":
		p.done = true
	case "manager", "qemu", "kernel", "kernel_line", "pkg", "rpm", "list":
		return p.packageLine(key, one, words)
	default:
		p.machineLine(key, rest, one, words)
	}
	return nil
}

// machineLine reads what the machine and its running kernel are.
func (p *parser) machineLine(key, rest, one string, words []string) {
	switch key {
	case "arch":
		p.Arch = one
	case "release":
		p.Release = one
	case "version":
		p.Version = strings.TrimSpace(rest)
	case "signature":
		p.Signature = strings.TrimSpace(rest)
	case "os":
		p.osLine(rest)
	case "cpu":
		p.cpuLine(rest)
	case "microcode":
		if one != "" {
			p.microcodes = append(p.microcodes, one)
		}
	case "smt_active", "smt_control":
		if p.smt == nil {
			p.smt = map[string]string{}
		}
		p.smt[key] = one
	case "cmdline":
		if v, ok := bootParameter(rest, "mitigations"); ok {
			p.Config["mitigations"] = v
		}
	case "livepatches":
		p.patches = one
	case "livepatch":
		p.patchLine(words)
	}
}

// finish draws what only all lines together tell.
func (p *parser) finish() {
	if p.hz > 0 && p.btime > 0 && p.start > 0 {
		p.Booted = p.btime + p.start/p.hz
	}
	p.finishCPU()
	p.finishPatches()
}

// StartOf reads field 22 of /proc/PID/stat, in clock ticks since the kernel's boot. Field 2, the
// name in parentheses, may itself hold spaces and parentheses.
func StartOf(stat string) int64 {
	i := strings.LastIndexByte(stat, ')')
	if i < 0 {
		return 0
	}
	words := strings.Fields(stat[i+1:])
	if len(words) < 20 {
		return 0
	}
	n, err := strconv.ParseInt(words[19], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// isBridge: a network device that a guest's NIC may be tied to, not one that belongs to a guest.
func isBridge(name string) bool {
	for _, own := range []string{"lo", "vnet", "tap", "macvtap", "veth"} {
		if rest, ok := strings.CutPrefix(name, own); ok && strings.Trim(rest, "0123456789") == "" {
			return false
		}
	}
	return true
}

// SharedFileSystem: files of this kind of file system, as stat -f names it (Facts.FS), are reached by
// other hosts, too. It is the list by which libvirt judges.
func SharedFileSystem(kind string) bool { return sharedFileSystems[kind] }

var sharedFileSystems = map[string]bool{
	"nfs": true, "ceph": true, "gfs2": true, "gfs/gfs2": true, "ocfs2": true, "gpfs": true, "smb": true, "smb2": true, "cifs": true,
	"afs": true, "acfs": true, "lustre": true, "beegfs": true,
}
