package libvirt

import (
	"bufio"
	"fmt"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// hostFacts is what the host itself told, in one answer to hostScript.
type hostFacts struct {
	bootID  string
	booted  int64 // Unix seconds at which PID 1 started; 0: not known
	devices []string
	fs      map[string]string // path -> kind of file system

	manager   string            // dpkg, rpm, apk, none; empty: not asked
	installed map[string]string // package -> version
	status    map[string]string // package -> what the manager says, for those that are not simply installed
	changed   map[string]int64  // package -> Unix seconds of the last change of its files
	rpms      map[string][]rpm  // package -> its builds on disk: of kernels there are several

	qemu     string // package of the distribution's own QEMU
	emulator string // version of the emulator on disk, as its package names it

	arch       string // uname -m
	release    string // uname -r
	version    string // uname -v
	signature  string // /proc/version_signature, on Ubuntu
	kernel     string // package of the running kernel
	kernelLine string // package that brings that kernel's successors
	os         map[string]string
	cpu        fleet.CPU
	uneven     []string          // microcode revisions, where the processors have several
	config     map[string]string // settings by which advisories decide

	livePatches []fleet.LivePatch // nil: not read
	patchesWhy  string            // why not, where they could have been
}

// rpm is one build of a package.
type rpm struct {
	version string // epoch:version-release, the epoch 0 left out
	release string // version-release.arch, as uname -r names a kernel
	at      int64  // Unix seconds of its installation; 0: not known
}

// parseHostFacts reads the lines that hostScript prints. Lines that are not understood are left out:
// then their fact is not known.
func parseHostFacts(out string) (hostFacts, error) {
	p := hostParser{hostFacts: hostFacts{fs: map[string]string{}, installed: map[string]string{}, status: map[string]string{},
		changed: map[string]int64{}, rpms: map[string][]rpm{}, os: map[string]string{}, config: map[string]string{}}}
	lines := bufio.NewScanner(strings.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		key, rest, _ := strings.Cut(lines.Text(), " ")
		if err := p.line(key, rest, strings.Fields(rest)); err != nil {
			return p.hostFacts, fmt.Errorf("line %q: %w", lines.Text(), err)
		}
	}
	if err := lines.Err(); err != nil {
		return p.hostFacts, err
	}
	if !p.done {
		return p.hostFacts, fmt.Errorf("it broke off")
	}
	p.finish()
	return p.hostFacts, nil
}

// hostParser gathers what several lines say together.
type hostParser struct {
	hostFacts
	hz, btime, start int64
	microcodes       []string
	smt              map[string]string
	patches          string // livepatches: yes, none, unreadable
	done             bool
}

func (p *hostParser) line(key, rest string, words []string) error {
	one := ""
	if len(words) == 1 {
		one = words[0]
	}
	switch key {
	case "boot_id":
		p.bootID = one
	case "hz":
		p.hz, _ = strconv.ParseInt(one, 10, 64)
	case "btime":
		p.btime, _ = strconv.ParseInt(one, 10, 64)
	case "init":
		p.start = startOf(rest)
	case "net":
		if one != "" && isBridge(one) {
			p.devices = append(p.devices, one)
		}
	case "fs":
		if len(words) >= 2 && words[0] != "?" {
			p.fs[strings.TrimPrefix(rest, words[0]+" ")] = words[0]
		}
	case "emulator":
		p.emulator = packageVersion(rest)
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
func (p *hostParser) machineLine(key, rest, one string, words []string) {
	switch key {
	case "arch":
		p.arch = one
	case "release":
		p.release = one
	case "version":
		p.version = strings.TrimSpace(rest)
	case "signature":
		p.signature = strings.TrimSpace(rest)
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
			p.config["mitigations"] = v
		}
	case "livepatches":
		p.patches = one
	case "livepatch":
		p.patchLine(words)
	}
}

// finish draws what only all lines together tell.
func (p *hostParser) finish() {
	if p.hz > 0 && p.btime > 0 && p.start > 0 {
		p.booted = p.btime + p.start/p.hz
	}
	p.finishCPU()
	p.finishPatches()
}

// startOf reads field 22 of /proc/PID/stat, in clock ticks since the kernel's boot. Field 2, the
// name in parentheses, may itself hold spaces and parentheses.
func startOf(stat string) int64 {
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
