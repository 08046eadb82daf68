package xen

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// patchErrno is how xen-livepatch tells what Xen answered.
var patchErrno = regexp.MustCompile(`(?m)^Error (\d+): `)

// topIs is Xen's line when a payload cannot be reverted because another is stacked on it.
var topIs = regexp.MustCompile(`can't unload\. Top is (\S+)`)

// patchCauses are Xen's own lines behind Error 22 and Error 95, in the words of xen/common/livepatch*.c.
var patchCauses = []struct {
	line string
	on   action // empty: on any
	code string
	why  string
	next string
}{
	{"check against hypervisor build-id failed", actUpload, driver.CodePatchBuild, "it binds to another build of Xen than the one that runs", "build it, or get it, for the build that `xl info` shows"},
	{"build-id failed", "", driver.CodePatchDependency, "what it is stacked on is not on top", "apply what it depends on first, or revert what was put on top"},
	{"has .data. Please unload", "", driver.CodePatchState, "it was applied before, and its data is not fresh any more", "unload it and upload it again"},
	{"expectation", "", driver.CodePatchInvalid, "the code that it replaces is not what it expects", "find out what else has patched this hypervisor"},
	{" is missing", "", driver.CodePatchInvalid, "it lacks a section that Xen asks for", "build it again by the tools for this version of Xen"},
	{"Not an ELF payload", "", driver.CodePatchInvalid, "it is no ELF file", "get the payload again"},
	{"Bogus e_shoff", "", driver.CodePatchInvalid, "it is cut off", "get the payload again"},
	{"bigger than payload", "", driver.CodePatchInvalid, "it is cut off", "get the payload again"},
	{"past end of payload", "", driver.CodePatchInvalid, "it is cut off", "get the payload again"},
	{"hook failed", "", driver.CodePatchInvalid, "its own hook refuses", "read what its vendor says of that hook"},
	{"vetoing hooks", "", driver.CodePatchInvalid, "a payload with hooks of its own cannot replace, or be replaced", "revert what is applied, then apply it"},
}

// explainStep names what an action came to whose effect the list does not show. log are Xen's lines
// since the call began.
func explainStep(host string, s step, r patchReport, log []string) *driver.Error {
	e := &driver.Error{Code: driver.CodeFailed, Retry: true, Next: "read the words of xen-livepatch and of `xl dmesg`, then try again"}
	number := ""
	if m := patchErrno.FindStringSubmatch(r.said); m != nil {
		number = m[1]
	}
	cause := "" // what Xen's log adds
	switch {
	case r.exit == 0:
		e.Why = "xen-livepatch said done, and the list does not show it"
	case r.exit == 2:
		e.Code, e.Next = driver.CodePatchBusy, "wait until nobody else works on this host's live patches, then try again"
		e.Why = "Xen is busy with it"
		for _, line := range log {
			if m := topIs.FindStringSubmatch(line); m != nil && speaksOf(line, s.name) {
				e.Why, e.Next, e.Retry = m[1]+" is stacked on it", "revert "+m[1]+" first", false
			}
		}
	case r.exit == 124 || r.exit == 137:
		e.Why = "xen-livepatch did not end within a minute"
	case r.exit == 127:
		e.Code, e.Retry = driver.CodeUnsupported, false
		e.Why, e.Next = "the host has no xen-livepatch", "install Xen's tools there (Debian: xen-utils-common), or use another tactic"
	case strings.Contains(r.said, "is in the wrong state"):
		e.Code, e.Why, e.Retry = driver.CodePatchState, "its state does not allow that", false
		e.Next = "look at `xen-livepatch list` there: one that is applied is reverted before it is unloaded"
	case strings.Contains(r.said, "Could not open"):
		e.Why = "its file on the host was gone before it was uploaded"
	case number == "2" && s.do == actUpload:
		e.Code, e.Why, e.Retry = driver.CodePatchSymbol, "it asks for a symbol that this hypervisor lacks", false
		e.Next = "build it, or get it, for the build that `xl info` shows"
		for _, line := range log {
			if _, symbol, ok := strings.Cut(line, "Unknown symbol: "); ok && speaksOf(line, s.name) {
				e.Why += ": " + symbol
			}
		}
	case number == "2":
		e.Code, e.Why = driver.CodePatchMissing, "it is not in the host's list any more"
		e.Next = "see whether the host was rebooted, then try again"
	case number == "17":
		e.Code, e.Why, e.Retry = driver.CodePatchExists, "its name, its build id or one of its symbols is there already", false
		e.Next = "unload the other payload, or use replace"
	case number == "22" || number == "95":
		e.Code, e.Why, e.Retry = driver.CodePatchInvalid, "Xen refuses it, and its log does not say why", false
		e.Next = "get the payload again for the build that `xl info` shows"
		cause = nameCause(e, s, log)
	case number == "38":
		e.Code, e.Why, e.Retry = driver.CodeUnsupported, "this hypervisor was built without live patching", false
		e.Next = "use another tactic for this host"
	case number == "1" || number == "13":
		e.Code, e.Why, e.Retry = driver.CodeRefused, "dom0 may not do that", false
		e.Next = "let the SSH user be root in dom0; see whether XSM forbids it"
	default:
		e.Why = "xen-livepatch failed"
	}
	e.Why = fmt.Sprintf("%s: %s of live patch %s: %s (exit code %d: %s)%s", host, s.do, s.name, e.Why, r.exit, strings.ReplaceAll(r.said, "\n", " / "), cause)
	return e
}

// nameCause lets Xen's log tell the patchCauses of Error 22 apart; what it does not say stays unsaid.
func nameCause(e *driver.Error, s step, log []string) string {
	for i := len(log) - 1; i >= 0; i-- {
		if !speaksOf(log[i], s.name) {
			continue
		}
		for _, c := range patchCauses {
			if strings.Contains(log[i], c.line) && (c.on == "" || c.on == s.do) {
				e.Code, e.Why, e.Next = c.code, c.why, c.next
				return "; Xen's log: " + log[i]
			}
		}
	}
	return ""
}

// speaksOf: the line of Xen's log is about that payload.
func speaksOf(line, name string) bool {
	_, rest, ok := strings.Cut(line, "livepatch: ")
	return ok && (strings.HasPrefix(rest, name+":") || strings.HasPrefix(rest, name+" "))
}

// notPayload is the error for bytes that no Xen would take.
func notPayload(host, name string, err error) error {
	return &driver.Error{Code: driver.CodePatchInvalid, Err: err, Why: fmt.Sprintf("the payload of live patch %s for %s is none; nothing was uploaded", name, host),
		Next: "get the payload again"}
}
