package xen

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// patchPending is how the list marks a payload whose action is scheduled and not over: errno 11, EAGAIN.
var patchPending = regexp.MustCompile(`\(11, [^()]*\)\s*$`)

// nameWidth is the width of the list's first column; a longer name pushes the rest to the right.
const nameWidth = 40

// parsePayloads reads what `xen-livepatch list` prints (tools/misc/xen-livepatch.c): a head, a line of
// dashes, then NAME | STATE [| METADATA]; 'Nothing to list' is an empty list. A list that does not
// read as a whole is an error: a payload that was left out would count as absent.
func parsePayloads(out string) ([]fleet.LivePatch, error) {
	list, head := []fleet.LivePatch{}, false
	for n, line := range strings.Split(out, "\n") {
		line = strings.TrimRight(line, "\r")
		switch {
		case strings.TrimSpace(line) == "":
		case strings.TrimSpace(line) == "Nothing to list" && !head && len(list) == 0:
			head = true
		case strings.HasPrefix(line, " ID ") && strings.Contains(line, "| status"), head && strings.HasPrefix(line, "-----"):
			head = true
		case !head:
			return nil, fmt.Errorf("xen-livepatch list, line %d: %q, expected the head ' ID | status' or 'Nothing to list'", n+1, line)
		default:
			p, err := parsePayload(line)
			if err != nil {
				return nil, fmt.Errorf("xen-livepatch list, line %d: %w", n+1, err)
			}
			list = append(list, p)
		}
	}
	if !head {
		return nil, fmt.Errorf("xen-livepatch list printed nothing, expected a head or 'Nothing to list'")
	}
	return list, nil
}

func parsePayload(line string) (fleet.LivePatch, error) {
	at := -1
	if len(line) > nameWidth {
		at = strings.IndexByte(line[nameWidth:], '|')
	}
	if at < 0 {
		return fleet.LivePatch{}, fmt.Errorf("%q, expected NAME | STATE", line)
	}
	p := fleet.LivePatch{Name: strings.TrimRight(line[:nameWidth+at], " "), Component: "xen"}
	state, _, _ := strings.Cut(strings.TrimSpace(line[nameWidth+at+1:]), "|")
	state, _, _ = strings.Cut(strings.TrimSpace(state), " ")
	switch {
	case p.Name == "":
		return fleet.LivePatch{}, fmt.Errorf("%q has no name", line)
	case state == "CHECKED":
		p.State = fleet.PatchLoaded
	case state == "APPLIED":
		p.State = fleet.PatchApplied
	default:
		return fleet.LivePatch{}, fmt.Errorf("payload %s is %q, expected CHECKED or APPLIED", p.Name, state)
	}
	if patchPending.MatchString(line) {
		p.State = fleet.PatchTransition
	}
	return p, nil
}

// stateIn is a payload's state in a list; empty: it is not there.
func stateIn(list []fleet.LivePatch, name string) string {
	for _, p := range list {
		if p.Name == name && p.Component == "xen" {
			return p.State
		}
	}
	return ""
}
