package console_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/driver/console"
)

// What hosts really printed, in parts: Xen 4.17 of Debian 12 under QEMU, with timestamps of kind
// 'boot', and what others published of theirs.
const (
	xen5 = "(XEN) [000000000ccec1c2] Xen version 4.17.5 (Debian 4.17.5+72-g01140da4e8-1) (pkg-xen-devel@lists.alioth.debian.org) (x86_64-linux-gnu-gcc (Debian 12.2.0-14+deb12u1) 12.2.0) debug=n Sat Nov 29 13:52:20 UTC 2025\r\n" +
		"(XEN) [000000000ce84162] build-id: 39a640e6f1412319235087391df9f1c5e13ae920\r\n" +
		"(XEN) [000000000d447bec]  [0000000000000000, 000000000009fbff] (usable)\r\n"
	xen7    = "(XEN) [000000000ccec1c2] Xen version 4.17.7 (Debian 4.17.7+13-g0000000000-1) (x) debug=n\r\n"
	kernel  = "(XEN) [    0.942807] *** Building a PV Dom0 ***\r\n(XEN) [    4.713135] Freed 668kB init memory\r\nmapping kernel into physical memory\r\nabout to get started...\r\n[    0.000000] Linux version 6.1.0-56-amd64 (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0) #1 SMP PREEMPT_DYNAMIC\r\r\n[    0.657893] Xen version: 4.17.5 (preserve-AD)\r\r\n"
	up      = "\x1b[0;32m  OK  \x1b[0m] Reached target \x1b[0;1;39mbasic.target\x1b[0m - Basic System.\r\n[\x1b[0;32m  OK  \x1b[0m] Reached target \x1b[0;1;39mmulti-user.target\x1b[0m - Multi-User System.\r\n\r\nDebian GNU/Linux 12 hv-1 hvc0\r\n\r\nhv-1 login: "
	guests  = "(XEN) [  371.302301] HVM d8v0 save: CPU_XSAVE\r\n(d8) [    0.000000] Linux version 5.10.0\r\n(d8) Kernel panic - not syncing: ours alone\r\n"
	noDom0  = "(XEN) *** Building a PVH Dom0 ***\r\n(XEN) Failed to load kernel: -1\r\n(XEN) Xen dom0 kernel broken ELF: <NULL>\r\n(XEN) Failed to load Dom0 kernel\r\n(XEN) \r\n(XEN) ****************************************\r\n(XEN) Panic on CPU 0:\r\n(XEN) Could not construct domain 0\r\n(XEN) ****************************************\r\n(XEN) \r\n"
	again   = "(XEN) Reboot in five seconds...\r\n(XEN) Resetting with ACPI MEMORY or I/O RESET_REG.\r\n"
	noDom0b = "(XEN) [    3.605200] ****************************************\n(XEN) [    3.605272] Panic on CPU 0:\n(XEN) [    3.607928] Could not construct d0\n(XEN) [    3.610692] ****************************************\n(XEN) [    3.613463] \n(XEN) [    3.616035] Manual reset required ('noreboot' specified)\n"
	fault   = "(XEN) Xen call trace:\n(XEN)    [<ffff82d08031233b>] S vmx_asm_do_vmentry+0x2b/0x30\n(XEN) \n(XEN) \n(XEN) ****************************************\n(XEN) Panic on CPU 3:\n(XEN) FATAL PAGE FAULT\n(XEN) [error_code=0000]\n(XEN) Faulting linear address: 00000000ff900020\n(XEN) ****************************************\n(XEN) \n(XEN) Reboot in five seconds...\n"
	noRoot  = "[    2.100000] VFS: Unable to mount root fs on unknown-block(0,0)\r\n[    2.200000] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\r\n[    2.300000] ---[ end Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0) ]---\r\n(XEN) Hardware Dom0 crashed: rebooting machine in 5 seconds.\r\n"
	goes    = "[\x1b[0;32m  OK  \x1b[0m] Reached target \x1b[0;1;39mreboot.target\x1b[0m - System Reboot.\r\n[  901.220219] reboot: Restarting system\r\n(XEN) [  905.1] Hardware Dom0 shutdown: rebooting machine\r\n"
)

func TestWhatConsolesTell(t *testing.T) {
	const broke = "Panic on CPU 0: Could not construct domain 0 (Failed to load Dom0 kernel)"
	for name, tt := range map[string]struct {
		text  string
		xen   string
		at    console.Stage
		panic string
		byXen bool
		line  string // in Line
	}{
		"nothing":                           {"", "", console.None, "", false, ""},
		"the firmware alone":                {"SeaBIOS (version 1.16.2)\r\nBooting from ROM..\r\n", "", console.None, "", false, ""},
		"the hypervisor":                    {xen5, "4.17.5", console.Hypervisor, "", false, "Xen version 4.17.5"},
		"dom0's kernel":                     {xen5 + kernel, "4.17.5", console.Kernel, "", false, "Linux version 6.1.0-56-amd64"},
		"a prompt":                          {xen5 + kernel + up, "4.17.5", console.Login, "", false, "Multi-User System"},
		"a prompt alone":                    {"x\r\nhv-1 login: ", "", console.Login, "", false, "hv-1 login:"},
		"a prompt that Xen writes into":     {"x\r\nhv-1 login: (XEN) [  374.729149] d8v0: upcall vector f3\r\n", "", console.Login, "", false, "hv-1 login:"},
		"guests say nothing of the host":    {xen5 + guests, "4.17.5", console.Hypervisor, "", false, "Xen version"},
		"nor after a prompt":                {xen5 + kernel + up + guests, "4.17.5", console.Login, "", false, ""},
		"no dom0":                           {xen7 + noDom0, "4.17.7", console.Hypervisor, broke, true, ""},
		"no dom0, newer words":              {xen7 + noDom0b, "4.17.7", console.Hypervisor, "Panic on CPU 0: Could not construct d0", true, ""},
		"again and again":                   {xen7 + noDom0 + again + xen7 + noDom0 + again + xen7, "4.17.7", console.Hypervisor, broke, true, ""},
		"cut in the panic":                  {xen7 + noDom0[:strings.Index(noDom0, "Could not")], "4.17.7", console.Hypervisor, "Panic on CPU 0:", true, ""},
		"a later boot gets further":         {xen7 + noDom0 + again + xen5 + kernel, "4.17.5", console.Kernel, "", false, "Linux version"},
		"the hypervisor, later":             {xen5 + kernel + up + fault, "4.17.5", console.Login, "Panic on CPU 3: FATAL PAGE FAULT; [error_code=0000]; Faulting linear address: 00000000ff900020", true, ""},
		"and it boots again":                {xen5 + kernel + up + fault + xen5 + kernel, "4.17.5", console.Kernel, "Panic on CPU 3", true, ""},
		"and comes up":                      {xen5 + kernel + up + fault + xen5 + kernel + up, "4.17.5", console.Login, "", false, ""},
		"no root":                           {xen5 + kernel + noRoot, "4.17.5", console.Kernel, "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)", false, ""},
		"no root, again":                    {xen5 + kernel + noRoot + xen5 + kernel, "4.17.5", console.Kernel, "Unable to mount root", false, ""},
		"dom0 crashed without a word":       {xen5 + kernel + "(XEN) Domain 0 crashed: 'noreboot' set - not rebooting.\n", "4.17.5", console.Kernel, "Domain 0 crashed", false, ""},
		"it was shut down":                  {xen5 + kernel + up + "\r\n" + goes, "", console.None, "", false, "Hardware Dom0 shutdown"},
		"and boots another hypervisor":      {xen5 + kernel + up + "\r\n" + goes + xen7 + kernel, "4.17.7", console.Kernel, "", false, ""},
		"halted":                            {xen5 + kernel + up + "\r\n(XEN) Hardware Dom0 halted: halting machine\r\n", "", console.None, "", false, "halting machine"},
		"no hypervisor":                     {"x\n[    0.000000] Linux version 6.1.0-18-amd64 (x)\n" + up, "", console.Login, "", false, ""},
		"the hypervisor is left out":        {xen5 + kernel + up + "\n[    0.000000] Linux version 6.1.0\n", "", console.Kernel, "", false, ""},
		"a kernel's log printed twice":      {xen5 + kernel + kernel[strings.Index(kernel, "[    0.0"):], "4.17.5", console.Kernel, "", false, ""},
		"lines with times before them":      {"x\n2017-01-18 10:12:31\t(XEN) Xen version 4.0.1 (x)\n2017-01-18 10:12:31\t[    0.0] Linux version 2.6.32\n2017-01-18 10:12:32\thv-1 login:\n", "4.0.1", console.Login, "", false, ""},
		"what a guest says, cut in front":   {"(XEN) Panic on CPU 0:\n(XEN) d7 says\n", "", console.None, "", false, ""},
		"and a prompt of one":               {"web-1 login: \n(d7) more\n", "", console.None, "", false, ""},
		"a guest that writes like Xen":      {xen5 + kernel + "(d7) (XEN) ****************************************\n(d7) (XEN) Panic on CPU 0:\n(d7) (XEN) Could not construct domain 0\n", "4.17.5", console.Kernel, "", false, ""},
		"a panic that nothing frames":       {xen5 + "(XEN) d7v0 says\n(XEN) Panic on CPU 0:\n(XEN) no\n", "4.17.5", console.Hypervisor, "", false, ""},
		"in rescue":                         {xen5 + kernel + "[  OK  ] Reached target Emergency Mode.\nGive root password for maintenance\n", "4.17.5", console.Kernel, "", false, ""},
		"systemd of a kernel that is quiet": {xen5 + "[  OK  ] Reached target Local File Systems.\n", "4.17.5", console.Kernel, "", false, "Local File Systems"},
	} {
		t.Run(name, func(t *testing.T) {
			got := console.Read(tt.text)
			if got.Hypervisor != tt.xen || got.Reached != tt.at || got.ByXen != tt.byXen || (tt.panic == "") != (got.Panic == "") || !strings.Contains(got.Panic, tt.panic) || !strings.Contains(got.Line, tt.line) {
				t.Fatalf("%+v", got)
			}
			sound(t, got)
		})
	}
}

// sound: whatever was read, what is kept can be shown to people and stored.
func sound(t interface{ Fatalf(string, ...any) }, r console.Report) {
	for _, s := range []string{r.Hypervisor, r.Panic, r.Line} {
		if !utf8.ValidString(s) || utf8.RuneCountInString(s) > 200 || strings.ContainsFunc(s, func(c rune) bool { return !unicode.IsPrint(c) }) {
			t.Fatalf("kept %q", s)
		}
	}
	switch r.Reached {
	case console.None, console.Hypervisor, console.Kernel, console.Login:
	default:
		t.Fatalf("reached %q", r.Reached)
	}
	if r.ByXen && r.Panic == "" {
		t.Fatalf("%+v", r)
	}
}

func TestControlCharactersAreTakenOut(t *testing.T) {
	r := console.Read("x\n(XEN) Xen version 4.17.5 \x1b[31m(red)\x1b[0m \x1b]0;title\x07\u202ebent\x00\xff\n")
	if r.Line != "Xen version 4.17.5 (red) bent" {
		t.Fatalf("%q", r.Line)
	}
	if r = console.Read("(XEN) Xen version 4.17.5 " + strings.Repeat("ä", 1000)); utf8.RuneCountInString(r.Line) != 200 || !strings.HasSuffix(r.Line, "...") {
		t.Fatalf("%d characters are kept", utf8.RuneCountInString(r.Line))
	}
}

// Whatever guests print, and wherever, it changes nothing of what is told of the host.
func TestGuestsChangeNothing(t *testing.T) {
	lines := strings.SplitAfter(xen5+kernel+up+"\r\n"+goes+xen7+noDom0+again+xen7+kernel+noRoot+xen5+kernel+up, "\n")
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, len(lines)).Draw(t, "lines")
		plain := strings.Join(lines[:n], "")
		var mixed strings.Builder
		for _, line := range lines[:n] {
			mixed.WriteString(line)
			if rapid.Bool().Draw(t, "a guest speaks") && strings.HasSuffix(line, "\n") {
				said := rapid.OneOf(rapid.SampledFrom(lines), rapid.String()).Draw(t, "what")
				said = strings.Map(func(c rune) rune { // Xen begins each line of a guest's with its prefix, and lets no other control through
					if c < ' ' {
						return -1
					}
					return c
				}, said)
				fmt.Fprintf(&mixed, "(d%d) %s\n", rapid.IntRange(1, 99).Draw(t, "domain"), said)
			}
		}
		if a, b := console.Read(plain), console.Read(mixed.String()); a != b {
			t.Fatalf("%+v\n%+v", a, b)
		}
	})
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{"", xen5 + kernel + up, xen7 + noDom0 + again, xen5 + kernel + noRoot, fault, goes, guests, "\x1b[", "(XEN) ", "(d", "\r\r\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := console.Read(text)
		sound(t, got)
		if more := console.Read(text + "\n(d1) hv login:\n"); more != console.Read(text+"\n") {
			t.Fatalf("a guest's line changed %+v to %+v", got, more)
		}
	})
}
