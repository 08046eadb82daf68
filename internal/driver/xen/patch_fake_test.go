package xen

import (
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/ssh"
)

// The builds of these tests' hypervisors and payloads.
var (
	buildXen   = strings.Repeat("a1", 20)
	buildOther = strings.Repeat("b2", 20)
	build1     = strings.Repeat("c1", 20)
	build2     = strings.Repeat("c2", 20)
)

// payloadOf writes a relocatable ELF file with the notes of a live patch; an empty id leaves its
// section out. data is its .data section.
func payloadOf(xen, depends, own, data string) []byte {
	type section struct {
		name string
		kind elf.SectionType
		body []byte
	}
	note := func(id string) []byte {
		raw, _ := hex.DecodeString(id)
		b := binary.LittleEndian.AppendUint32(nil, 4)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(raw)))
		b = binary.LittleEndian.AppendUint32(b, 3)
		return append(append(b, "GNU\x00"...), raw...)
	}
	all := []section{{"", elf.SHT_NULL, nil}, {".livepatch.funcs", elf.SHT_PROGBITS, make([]byte, 104)}}
	for _, n := range []struct{ name, id string }{{".livepatch.xen_depends", xen}, {".livepatch.depends", depends}, {".note.gnu.build-id", own}} {
		if n.id != "" {
			all = append(all, section{n.name, elf.SHT_PROGBITS, note(n.id)})
		}
	}
	if data != "" {
		all = append(all, section{".data", elf.SHT_PROGBITS, []byte(data)})
	}
	names := []byte{0}
	at := map[string]uint32{}
	for _, s := range append(all, section{name: ".shstrtab"})[1:] {
		at[s.name] = uint32(len(names))
		names = append(append(names, s.name...), 0)
	}
	all = append(all, section{".shstrtab", elf.SHT_STRTAB, names})
	body, heads := []byte{}, []byte{}
	for _, s := range all {
		h := elf.Section64{Name: at[s.name], Type: uint32(s.kind), Off: uint64(64 + len(body)), Size: uint64(len(s.body)), Addralign: 1}
		heads, _ = binary.Append(heads, binary.LittleEndian, h)
		body = append(body, s.body...)
	}
	head := elf.Header64{Type: uint16(elf.ET_REL), Machine: uint16(elf.EM_X86_64), Version: 1, Shoff: uint64(64 + len(body)), Ehsize: 64, Shentsize: 64, Shnum: uint16(len(all)), Shstrndx: uint16(len(all) - 1)}
	copy(head.Ident[:], "\x7fELF\x02\x01\x01")
	out, _ := binary.Append(nil, binary.LittleEndian, head)
	return append(append(out, body...), heads...)
}

// uploaded is one payload inside the fake hypervisor.
type uploaded struct {
	name             string
	b                bound
	data, reverted   bool
	applied, pending bool
}

// fakeXen answers the scripts of live patching as a dom0 of Xen 4.17 does, by the rules of
// xen/common/livepatch.c: a strict stack, build ids, and data that does not survive a revert.
type fakeXen struct {
	build      string
	generation int64
	payloads   []*uploaded // in the order of their upload
	stack      []*uploaded // applied, the top one last
	log        []string
	calls      []string // what really was done, in order
	busy       int      // so many actions more answer 2
	lose       int      // the answer to the n-th act from now is lost; 0: none
	loseBefore bool     // and the act is not done
	listFails  bool
	before     func()            // done by others, once, right before the next act
	symbols    map[string]string // payload's build id -> what its upload fails with
}

func (x *fakeXen) find(name string) *uploaded {
	for _, u := range x.payloads {
		if u.name == name {
			return u
		}
	}
	return nil
}

func (x *fakeXen) say(format string, args ...any) {
	x.log = append(x.log, fmt.Sprintf("(XEN) [%5d.000000] livepatch: ", len(x.log))+fmt.Sprintf(format, args...))
}

func (x *fakeXen) reboot() { x.payloads, x.stack, x.log = nil, nil, nil }

func (x *fakeXen) run(ctx context.Context, stdin []byte, argv ...string) (ssh.Result, error) {
	if ctx.Err() != nil {
		return ssh.Result{}, &driver.Error{Code: driver.CodeDeadline, Why: "too late", Next: "again", Retry: true}
	}
	if argv[2] == patchLook {
		return ssh.Result{Stdout: patchSection + "build 0\n" + x.build + "\n" + x.tail()}, nil
	}
	ours, _ := strconv.ParseInt(argv[4], 10, 64)
	if ours < x.generation {
		return ssh.Result{Exit: patchStale, Stderr: fmt.Sprintf("generation %d is older than %d, which this host has seen", ours, x.generation)}, nil
	}
	x.generation = ours
	if x.before != nil {
		x.before()
		x.before = nil
	}
	if x.lose > 0 {
		if x.lose--; x.lose == 0 {
			if !x.loseBefore {
				x.act(argv, stdin)
			}
			return ssh.Result{}, &driver.Error{Code: driver.CodeUnreachable, Why: "connection lost", Next: "again", Retry: true}
		}
	}
	said, rc := x.act(argv, stdin)
	return ssh.Result{Stdout: fmt.Sprintf("%ssaid %d\n%s\n", patchSection, rc, said) + x.tail()}, nil
}

func (x *fakeXen) tail() string {
	if x.listFails {
		return patchSection + "list 1\nFailed to list 0/0.\nError 1: Operation not permitted\n" + patchSection + "log 0\n" + patchSection + "end 0\n"
	}
	out := patchSection + "list 0\n"
	if len(x.payloads) == 0 {
		out += "Nothing to list\n"
	} else {
		out += " ID                                     | status     | metadata\n----------------------------------------+------------+---------------\n"
	}
	for _, u := range x.payloads {
		state := map[bool]string{true: "APPLIED", false: "CHECKED"}[u.applied]
		out += fmt.Sprintf("%-40s| %-10s | %s\n", u.name, state, map[bool]string{true: " (11, Resource temporarily unavailable)"}[u.pending])
	}
	return out + patchSection + "log 0\n" + strings.Join(x.log, "\n") + "\n" + patchSection + "end 0\n"
}

func (x *fakeXen) act(argv []string, stdin []byte) (string, int) {
	do, name := action(argv[5]), ""
	if argv[2] == patchUpload {
		do, name = actUpload, argv[5]
	} else {
		name = argv[6]
	}
	if x.busy > 0 {
		x.busy--
		return "failed\nError 16: Device or resource busy", 2
	}
	u := x.find(name)
	if do == actUpload {
		sum := sha256.Sum256(stdin)
		if hex.EncodeToString(sum[:]) != argv[6] {
			return "the fake got other bytes", 9
		}
		return x.upload(name, stdin, u)
	}
	if u == nil {
		return fmt.Sprintf("Failed to get status of %s.\nError 2: No such file or directory", name), 1
	}
	if do == actUnload && u.applied {
		return name + " is in the wrong state.\nCurrent state: APPLIED\nExpected state: CHECKED", 1
	}
	if u.applied == (do == actApply || do == actReplace) && do != actUnload {
		return "No action needed.", 0
	}
	said, rc := x.change(do, u)
	if rc == 0 {
		x.calls = append(x.calls, string(do)+" "+name)
	}
	return said, rc
}

func (x *fakeXen) upload(name string, data []byte, there *uploaded) (string, int) {
	b, err := readBound(data)
	switch {
	case there != nil:
		return "failed\nError 17: File exists", 1
	case err != nil && strings.Contains(err.Error(), "livepatch.depends"):
		x.say("%s: .livepatch.depends is missing", name)
		return "failed\nError 22: Invalid argument", 1
	case err != nil:
		return "failed\nError 22: Invalid argument", 1
	case x.symbols[b.own] != "":
		return "failed\n" + x.symbols[b.own], 1
	case b.xen != x.build:
		x.say("%s: check against hypervisor build-id failed", name)
		return "failed\nError 22: Invalid argument", 1
	case slices.ContainsFunc(x.payloads, func(o *uploaded) bool { return o.b.own == b.own }):
		return "failed\nError 17: File exists", 1
	}
	x.payloads = append(x.payloads, &uploaded{name: name, b: b, data: strings.Contains(string(data), "counter")})
	x.calls = append(x.calls, "upload "+name)
	return "completed", 0
}

func (x *fakeXen) change(do action, u *uploaded) (string, int) {
	refuse := func(format string, args ...any) (string, int) {
		x.say(format, args...)
		return "failed\nError 22: Invalid argument", 1
	}
	top, topName := x.build, "hypervisor"
	if n := len(x.stack); n > 0 {
		top, topName = x.stack[n-1].b.own, x.stack[n-1].name
	}
	switch {
	case do == actUnload:
		x.payloads = slices.DeleteFunc(x.payloads, func(o *uploaded) bool { return o == u })
	case do == actRevert && topName != u.name:
		x.say("%s: can't unload. Top is %s", u.name, topName)
		return "failed\nError 16: Device or resource busy", 2
	case do == actRevert:
		u.applied, u.reverted, x.stack = false, true, x.stack[:len(x.stack)-1]
	case do == actReplace:
		for _, o := range x.stack {
			o.applied, o.reverted = false, true
		}
		u.applied, x.stack = true, []*uploaded{u}
	case u.reverted && u.data:
		return refuse("%s: can't revert as payload has .data. Please unload", u.name)
	case u.b.depends != top:
		return refuse("%s: check against %s build-id failed", u.name, topName)
	default:
		u.applied, x.stack = true, append(x.stack, u)
		x.say("%s finished APPLY with rc=0", u.name)
	}
	return "completed", 0
}

// on is a patcher at the fake whose pauses cost no time.
func (x *fakeXen) on(generation int64) *patcher {
	return &patcher{run: x.run, host: "x1", generation: generation, poll: time.Second,
		pause: func(ctx context.Context, _ time.Duration) bool { return ctx.Err() == nil }}
}
