package xen

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/evenkeel/evenkeel/internal/driver/guarded"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// patchSection marks where a part of a script's answer begins: section, its name, an exit code. No line of
// the tools begins so.
const patchSection = "@evenkeel "

// patchTail ends each script of live patching: the list, and Xen's own lines, which name the cause of
// a failure. Lines of guests' consoles begin otherwise.
const patchTail = `
list=$(xen-livepatch list 2>&1); rc=$?
echo "@evenkeel list $rc"; printf '%s\n' "$list"
echo "@evenkeel log 0"; xl dmesg 2>/dev/null | grep '^(XEN).*livepatch: ' | tail -n 200
echo "@evenkeel end 0"
`

// patchLook only reads.
const patchLook = toolPath + `
echo "@evenkeel build 0"; xl info 2>/dev/null | sed -n 's/^build_id *: *//p'
` + patchTail

// patchGuard is the guard of all that changes a host. Its lock is kept while a step runs, so that a
// controller that was stopped behind the guard cannot act after a newer one.
const patchGuard = guarded.Guard

// patchAct runs one action. Arguments: generation, action, name. Ending the tool does no harm: Xen ends
// what was scheduled, and the list tells.
const patchAct = toolPath + patchGuard + `
said=$(timeout 60 xen-livepatch "$1" "$2" 2>&1 9>&-); rc=$?
echo "@evenkeel said $rc"; printf '%s\n' "$said"
exec 9>&-
` + patchTail

// patchUpload takes the payload from its input into a private file on a file system that no reboot
// survives, and removes it on every way out. The file is read before the lock is taken, so that a
// connection that hangs holds nobody up. Arguments: generation, name, SHA-256.
const patchUpload = toolPath + `
umask 077
tmp=/run; [ -d "$tmp" ] && [ -w "$tmp" ] || tmp=/tmp
file=$(mktemp "$tmp/evenkeel-patch.XXXXXX") || exit 115
trap 'rm -f "$file"' EXIT
trap 'exit 129' HUP INT TERM PIPE
cat >"$file" || { echo "cannot write $file" >&2; exit 115; }
have=$(sha256sum <"$file" | cut -d' ' -f1)
[ "$have" = "$3" ] || { echo "the SHA-256 of what arrived is ${have:-not readable}, not $3" >&2; exit 117; }
` + patchGuard + `
said=$(timeout 60 xen-livepatch upload "$1" "$file" 2>&1 9>&-); rc=$?
rm -f "$file"
echo "@evenkeel said $rc"; printf '%s\n' "$said"
exec 9>&-
` + patchTail

// What the scripts say by their exit code; the numbers are those of the other drivers' guards.
const (
	patchStale   = 113 // an older generation
	patchNoGuard = 115 // the guard's own files cannot be written, or another holds them too long
	patchSum     = 117 // what arrived is not what was sent
)

// patchReport is what a script answered.
type patchReport struct {
	build  string            // the running hypervisor's build id; only a look asks for it
	said   string            // of the action, both streams
	exit   int               // of the action
	list   []fleet.LivePatch // nil: it could not be read
	unread string            // why not
	log    []string          // Xen's lines about live patches, oldest first
}

// parseReport reads a script's answer, which is whole or an error.
func parseReport(out string) (patchReport, error) {
	r := patchReport{unread: "the answer has no list"}
	parts, codes, err := patchSections(out)
	if err != nil {
		return r, err
	}
	if _, whole := parts["end"]; !whole {
		return r, fmt.Errorf("the answer is cut off after %d bytes", len(out))
	}
	r.build, r.said, r.exit = strings.ToLower(strings.TrimSpace(parts["build"])), strings.TrimSpace(parts["said"]), codes["said"]
	for line := range strings.Lines(parts["log"]) {
		if line = strings.TrimSpace(line); line != "" {
			r.log = append(r.log, line)
		}
	}
	if list, ok := parts["list"]; ok {
		if r.unread = ""; codes["list"] != 0 {
			r.unread = fmt.Sprintf("xen-livepatch list ended with exit code %d: %s", codes["list"], strings.TrimSpace(list))
		} else if r.list, err = parsePayloads(list); err != nil {
			r.unread = err.Error()
		}
	}
	return r, nil
}

func patchSections(out string) (map[string]string, map[string]int, error) {
	parts, codes, in := map[string]string{}, map[string]int{}, ""
	for line := range strings.Lines(out) {
		head, is := strings.CutPrefix(line, patchSection)
		if !is {
			if in != "" {
				parts[in] += line
			}
			continue
		}
		words := strings.Fields(head)
		if len(words) != 2 {
			return nil, nil, fmt.Errorf("the answer has the line %q, expected a section and its exit code", strings.TrimSpace(line))
		}
		code, err := strconv.Atoi(words[1])
		if _, twice := parts[words[0]]; err != nil || twice {
			return nil, nil, fmt.Errorf("the answer has the line %q, expected each section once, with its exit code", strings.TrimSpace(line))
		}
		in = words[0]
		parts[in], codes[in] = "", code
	}
	return parts, codes, nil
}

// newLines are the lines of a log that came after an earlier look at it. The log is a ring: its oldest
// lines may be gone.
func newLines(before, after []string) []string {
	for dropped := range len(before) + 1 {
		rest := before[dropped:]
		if len(rest) <= len(after) && slices.Equal(rest, after[:len(rest)]) {
			return slices.Clone(after[len(rest):])
		}
	}
	return slices.Clone(after)
}
