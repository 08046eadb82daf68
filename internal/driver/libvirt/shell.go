package libvirt

import (
	"bufio"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/ssh"
)

// hostScript prints, line by line, what only the host itself can tell; parseHostFacts reads it.
// Arguments: the emulator's path, the number of packages, the packages, then paths of disk files.
//
// The moment of boot is PID 1's start: btime + field 22 of its stat. The times of /proc/1 itself
// would not do, for they are those of its first look-up.
const hostScript = `
emulator=$1 n=$2; shift 2
echo "boot_id $(cat /proc/sys/kernel/random/boot_id)"
echo "hz $(getconf CLK_TCK 2>/dev/null || echo 100)"
grep '^btime ' /proc/stat
echo "init $(cat /proc/1/stat)"
for d in /sys/class/net/*; do echo "net ${d##*/}"; done
while [ "$n" -gt 0 ]; do
  dpkg-query -W -f='pkg ${Package} ${db:Status-Status} ${Version}\n' -- "$1" 2>/dev/null || echo "pkg $1 absent"
  for f in "/var/lib/dpkg/info/$1.list" "/var/lib/dpkg/info/$1:"*.list; do [ ! -e "$f" ] || echo "list $1 $(stat -c %Y -- "$f")"; done
  shift; n=$((n - 1))
done
for p in "$@"; do echo "fs $(stat -f -c %T -- "$p" 2>/dev/null || echo '?') $p"; done
[ -z "$emulator" ] || echo "emulator $("$emulator" --version 2>/dev/null | head -n 1)"
echo end
`

// hostFacts is what the host itself told.
type hostFacts struct {
	bootID    string
	booted    int64 // Unix seconds at which PID 1 started; 0: not known
	devices   []string
	installed map[string]string // package -> version
	status    map[string]string // package -> dpkg's status, for those that are not simply installed
	changed   map[string]int64  // package -> Unix seconds of the last change of its files
	emulator  string            // version of the emulator on disk, as its package names it
	fs        map[string]string // path -> kind of file system
}

// ask runs hostScript over SSH.
func (d *Driver) ask(ctx context.Context, h driver.Host, emulator string, files []string) (hostFacts, error) {
	argv := []string{"sh", "-c", hostScript, "evenkeel", emulator, strconv.Itoa(len(d.cfg.Packages))}
	argv = append(append(argv, d.cfg.Packages...), files...)
	ctx, cancel := context.WithTimeout(ctx, d.cfg.CallTimeout)
	defer cancel()
	res, err := d.ssh.Run(ctx, h.SSH, ssh.Quote(argv...), nil)
	if err != nil {
		return hostFacts{}, err
	}
	f, err := parseHostFacts(res.Stdout)
	if err != nil {
		return hostFacts{}, fmt.Errorf("what %s answered over SSH: %w (exit %d, %s)", h.ID, err, res.Exit, lastLines(res.Stderr, 3))
	}
	return f, nil
}

// parseHostFacts reads the lines that hostScript prints.
func parseHostFacts(out string) (hostFacts, error) {
	f := hostFacts{installed: map[string]string{}, status: map[string]string{}, changed: map[string]int64{}, fs: map[string]string{}}
	var hz, btime, start int64
	done := false
	lines := bufio.NewScanner(strings.NewReader(out))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		key, rest, _ := strings.Cut(lines.Text(), " ")
		words := strings.Fields(rest)
		switch {
		case key == "boot_id" && len(words) == 1:
			f.bootID = words[0]
		case key == "hz" && len(words) == 1:
			hz, _ = strconv.ParseInt(words[0], 10, 64)
		case key == "btime" && len(words) == 1:
			btime, _ = strconv.ParseInt(words[0], 10, 64)
		case key == "init":
			start = startOf(rest)
		case key == "net" && len(words) == 1:
			if isBridge(words[0]) {
				f.devices = append(f.devices, words[0])
			}
		case key == "pkg" && len(words) == 3 && words[1] == "installed":
			f.installed[words[0]] = words[2]
		case key == "pkg" && len(words) >= 2:
			f.status[words[0]] = words[1]
		case key == "list" && len(words) == 2:
			at, err := strconv.ParseInt(words[1], 10, 64)
			if err != nil {
				return f, fmt.Errorf("line %q: expected a time in seconds", lines.Text())
			}
			f.changed[words[0]] = max(f.changed[words[0]], at)
		case key == "fs" && len(words) >= 2 && words[0] != "?":
			f.fs[strings.TrimPrefix(rest, words[0]+" ")] = words[0]
		case key == "emulator":
			f.emulator = packageVersion(rest)
		case key == "end":
			done = true
		}
	}
	if err := lines.Err(); err != nil {
		return f, err
	}
	if !done {
		return f, fmt.Errorf("it broke off")
	}
	if hz > 0 && btime > 0 && start > 0 {
		f.booted = btime + start/hz
	}
	return f, nil
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

// bootedWith tells which version of a package the host booted with: the installed one, if its files
// have not changed since the boot. Otherwise it is not known, and why says so.
func (f hostFacts) bootedWith(pkg string) (version, why string) {
	v, ok := f.installed[pkg]
	at, dated := f.changed[pkg]
	switch {
	case !ok:
		return "", ""
	case f.booted == 0:
		return "", "the moment of the host's boot could not be read"
	case !dated:
		return "", "dpkg's file list could not be read"
	case at >= f.booted:
		return "", "it was changed since the boot"
	}
	return v, ""
}

// lastLines gives the end of a text, for messages.
func lastLines(s string, n int) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
