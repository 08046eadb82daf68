package version

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// family is what the tests know of one family of ecosystems.
type family struct {
	ecosystem string
	ascending []string          // each is older than the next
	equal     [][2]string       // though written otherwise
	bad       map[string]string // no version -> a part of what is said of it
	drawn     string            // what valid versions look like, for properties
}

var families = []family{
	{
		ecosystem: "Debian",
		ascending: []string{
			"0~~", "0~", "0", "1.0~rc1-1", "1.0~rc1-1+b1", "1.0-0", "1.0-1~bpo12+1", "1.0-1", "1.0-1+b1", "1.0-1.1", "1.0-2", "1.0-10",
			"1.0a-1", "1.0+dfsg-1", "1.1-1", "1.2.10-1", "1.10-1",
			"1:0.1-1", "1:6.2+dfsg-2ubuntu6.9", "1:6.2+dfsg-2ubuntu6.24", "1:7.2+dfsg-7+deb12u9", "1:7.2+dfsg-7+deb12u17",
			"1:7.2+dfsg-7+deb12u18~1", "1:7.2+dfsg-7+deb12u18", "1:7.2+dfsg-7+deb12u18+b1", "1:8.0~rc0-1",
			"1:20000000000000000000000-1", "1:20000000000000000000001-1", "2:0-1",
		},
		equal: [][2]string{{"1.0-1", "0:1.0-1"}, {"1.0", "1.0-0"}, {"1.01-1", "1.1-1"}, {"1.0-01", "1.0-1"}, {" 1.0-1\n", "1.0-1"}},
		bad: map[string]string{
			"": "it is empty", " ": "it is empty", "unknown": "does not start with a digit", "n/a": "does not start with a digit",
			"a:1": `its epoch "a"`, "-1:1": `its epoch "-1"`, ":1": `its epoch ""`, "3000000000:1": "its epoch 3000000000 is too big", "1:": "it is empty",
			"1.0 1": "it holds ' '", "1.0_1": "it holds '_'", "1.0-1_2": "it holds '_'", "1:2:ü": "it holds 'ü'", "1:2ü": "it holds 'ü'",
			"1.0-1\xff": "it holds '\ufffd'", "1.0-": "its revision is empty",
		},
		drawn: `([0-9]:)?[0-9][0-9a-zA-Z.+~]{0,6}(-[0-9a-zA-Z.+~]{1,4})?`,
	}, {
		ecosystem: "Red Hat",
		ascending: []string{
			"0", "1.0~alpha", "1.0~rc1^git1-1", "1.0~rc2-1", "1.0", "1.0-~1", "1.0-0", "1.0-1~0", "1.0-1", "1.0-1.el9", "1.0-1.el9_2", "1.0-1.el10",
			"1.0-1.1", "1.0-9", "1.0-10", "1.0^-1", "1.0^20240101git1-1", "1.0a-1", "1.0a1-1", "1.0.0-1", "1.0.1-1", "1.1-1", "1.10-1",
			"4.17.5_02-150500.3.30.1", "4.17.5_04-150500.3.33.1", "4.17.5_04-150600.1.1", "20161105-11.9.1",
			"1:0.1-1", "17:6.2.0-11.module+el8.6.0+15489+bc23efef", "17:6.2.0-11.module+el8.6.0+15490+aa000000", "17:6.2.0-53.el9_6.1",
			"17:6.2.0-53.el9_6.2", "17:7.0.0-1.el9", "18446744073709551616:1-1",
		},
		equal: [][2]string{{"1.0-1", "0:1.0-1"}, {"1.0-1", "1_0-1"}, {"1.0-01", "1.0-1"}, {"1.0.a-1", "1.0a-1"}, {"1..0", "1.0."}, {"4.13.5+10-1.xs8", "4.13.5.10-1.xs8"}},
		bad: map[string]string{
			"": "it is empty", "1:": "it is empty", "n/a": "it holds '/'", "unknown": "it holds no digit", "(none):1.0-1": `its epoch "(none)"`, ":1": `its epoch ""`,
			"1.0-": "its release is empty", "1.0 -1": "it holds ' '", "1.0-1:2": `its epoch "1.0-1"`, "qemu-kvm-6.2.0-11.el9": "a second hyphen", "1:1:1": "it holds ':'",
			"6.2.0-11.el9.x86_64": "an architecture, x86_64", "5.14.0-362.8.1.el9_3.aarch64": "an architecture, aarch64", "1.0-1.el9é": "it holds 'é'",
		},
		drawn: `([0-9]:)?([0-9]|v[0-9]|\^1|~1|_1)[0-9a-zA-Z._+~^]{0,5}(-[0-9a-b._+~^]{1,4})?`,
	}, {
		ecosystem: "Alpine",
		ascending: []string{
			"0", "0.1.0_alpha_pre2", "0.1.0_alpha", "0.1.0_alpha0", "0.1.0_alpha2", "0.1.0_beta1", "0.1.0_pre20240101", "0.1.0_rc1", "0.1.0_rc10", "0.1.0",
			"0.1.0-r0", "0.1.0-r9", "0.1.0-r10", "0.1.0~1a2b", "0.1.0~1a2c-r1", "0.1.0_cvs", "0.1.0_svn", "0.1.0_git20240101", "0.1.0_git20240101-r1", "0.1.0_hg", "0.1.0_p", "0.1.0_p1", "0.1.0_p10", "0.1.0a", "0.1.0b", "0.1.0b_p1", "0.1.0.0",
			"1", "1.0_rc1", "1.0", "1.0.1", "1.00_beta2", "1.00", "1.02.06", "1.02.10", "1.06", "1.1", "1.9", "1.10", "4.16.1-r2", "4.16.1-r5", "4.16.2-r0", "4.16.10-r0",
			"6b-r7", "0010", "20240101", "100000000000000000000", "100000000000000000001",
		},
		equal: [][2]string{{"006", "6"}, {"1.0_p01", "1.0_p1"}, {"1.0-r01", "1.0-r1"}},
		bad: map[string]string{
			"": "it is empty", "v1.0": "does not start with a digit", "n/a": "does not start with a digit", "1.": `'.' may not stand there, behind "1"`, "1.0bc": `'c' may not stand there, behind "1.0b"`,
			"1.0_foo": `'_' may not stand there`, "1.0_P1": `'_' may not stand there`, "1.0-1": `'-' may not stand there`, "1.0-r": `'-' may not stand there`, "1.0-r1-r2": `behind "1.0-r1"`,
			"1.0-r1_p1": `'_' may not stand there`, "1.0_p1.2": `'.' may not stand there`, "1.0~": `'~' may not stand there`, "1.0~xyz": `'~' may not stand there`, "1.0~ab~cd": `'~' may not stand there, behind "1.0~ab"`, "1:1.0": `':' may not stand there`, "1.0 1": "' '", "1.0é": "'é'",
		},
		drawn: `[0-9]{1,2}(\.[0-9]{1,3}){0,2}[a-c]?(_(alpha|beta|pre|rc|cvs|svn|git|hg|p)[0-9]{0,2}){0,2}(~[0-9a-f]{1,3})?(-r[0-9]{1,2})?`,
	}, {
		ecosystem: Upstream,
		ascending: []string{
			"0", "2.6.0-test1", "2.6.0-test11", "2.6", "4.1.2", "4.1.3-rc1-pre", "4.1.3-rc1", "4.1.3-rc2-pre", "4.1.3-rc2", "4.1.3", "4.16.0-rc1", "4.16.0", "4.17.5", "4.17.6-pre", "4.17.6",
			"4.18-unstable", "4.18-alpha", "4.18-beta2", "4.18-pre", "4.18-rc", "4.18.0-rc2", "4.18-rc3", "4.18-rc10", "4.18.0", "6.1-rc3", "6.1", "6.1.9", "6.1.158",
			"7.2.0", "7.2.22", "7.2.91", "8.1.92", "8.2.0-rc2", "v8.2.0", "10.0.0-rc1", "10.0.0", "edk2-stable202402", "edk2-stable202408", "edk2-stable202408.01", "100000000000000000000", "100000000000000000001",
		},
		equal: [][2]string{
			{"4.17", "4.17.0"}, {"4.18-rc3", "4.18.0-rc3"}, {"RELEASE-4.17.5", "4.17.5"}, {"xen-4.17.5", "4.17.5"}, {"v6.1-rc3", "6.1.0-rc3"},
			{"edk2-stable202402", "202402"}, {"4.17.05", "4.17.5"}, {"8.2.0~rc2", "8.2.0-rc2"}, {"8.2.0rc2", "8.2.0-rc2"}, {"rel-1.16.3", "1.16.3"},
		},
		bad: map[string]string{
			"": "it is empty", "n/a": "does not start with a number", "*": "does not start with a number", "-": "does not start with a number", "xen-unstable": "does not start with a number", "v": "does not start with a number",
			"4.17.x": `it holds ".x"`, "4.17.": `it holds "."`, "4.17..5": `it holds "..5"`, "6.1.0-18-amd64": `it holds "-18-amd64"`, "4.13.5-10.58": `it holds "-10.58"`, "8.2.0-123-gabcdef0": `it holds`,
			"5.14.0-362.8.1.el9_3": "it holds", "1:7.2+dfsg-7": `it holds ":7.2+dfsg-7"`, "4.18-rc3x": `it holds "x"`, "4.18-rc3-rc4": `it holds "-rc4"`, "6.1-RC3": `it holds "-RC3"`, "4.1 - 4.3": "it holds", "4.17.5é": "it holds",
		},
		drawn: `(v|xen-|edk2-stable)?[0-9]{1,2}(\.[0-9]{1,2}){0,3}(-(unstable|pre|rc[0-9]{0,2}(-pre)?))?`,
	},
}

func order(t interface{ Fatal(...any) }, ecosystem, a, b string) int {
	n, err := Compare(ecosystem, a, b)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOrder(t *testing.T) {
	for _, f := range families {
		for i, a := range f.ascending {
			for j, b := range f.ascending {
				if got, want := order(t, f.ecosystem, a, b), min(max(i-j, -1), 1); got != want {
					t.Errorf("%s: %s against %s: got %d, want %d", f.ecosystem, a, b, got, want)
				}
			}
		}
		for _, pair := range f.equal {
			if got := order(t, f.ecosystem, pair[0], pair[1]); got != 0 {
				t.Errorf("%s: %v: got %d", f.ecosystem, pair, got)
			}
		}
	}
}

func TestWhatIsNoVersionIsAnError(t *testing.T) {
	for _, f := range families {
		for bad, why := range f.bad {
			good := f.ascending[1]
			for _, pair := range [][2]string{{bad, good}, {good, bad}, {bad, bad}} {
				n, err := Compare(f.ecosystem, pair[0], pair[1])
				if n != 0 || err == nil || !strings.Contains(err.Error(), why) {
					t.Errorf("%s: %q: %d, %v, want an error with %q", f.ecosystem, pair, n, err, why)
				}
			}
		}
	}
}

func TestOrderIsTotal(t *testing.T) {
	for _, f := range families {
		t.Run(f.ecosystem, func(t *testing.T) {
			one := rapid.StringMatching(f.drawn)
			rapid.Check(t, func(t *rapid.T) {
				a, b, c := one.Draw(t, "a"), one.Draw(t, "b"), one.Draw(t, "c")
				if ab := order(t, f.ecosystem, a, b); order(t, f.ecosystem, a, a) != 0 || ab != -order(t, f.ecosystem, b, a) {
					t.Fatalf("%s and %s: %d there and %d back", a, b, ab, order(t, f.ecosystem, b, a))
				}
				if order(t, f.ecosystem, a, b) <= 0 && order(t, f.ecosystem, b, c) <= 0 {
					if ac := order(t, f.ecosystem, a, c); ac > 0 || ac == 0 && order(t, f.ecosystem, a, b) != 0 {
						t.Fatalf("%s <= %s <= %s, but the first to the last is %d", a, b, c, ac)
					}
				}
			})
		})
	}
}

func TestBuildsAreEqualOrNot(t *testing.T) {
	const id = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4"
	for _, same := range [][2]string{{id, id}, {id, strings.ToUpper(id)}, {"00ff", " 00FF\n"}} {
		if n, err := Compare(BuildID, same[0], same[1]); n != 0 || err != nil {
			t.Errorf("%v: %d, %v", same, n, err)
		}
	}
	for _, other := range []string{"00ff", id[:38], id[:39] + "5"} {
		if _, err := Compare(BuildID, id, other); !errors.Is(err, ErrNoOrder) || !strings.Contains(err.Error(), other) {
			t.Errorf("%s: %v", other, err)
		}
	}
	for bad, why := range map[string]string{"": "it is empty", "xyz1": "it holds 'x'", "0x00ff": "it holds 'x'", "abc": "its 3 hexadecimal digits are not whole bytes", "4.17.5": "it holds '.'"} {
		if _, err := Compare(BuildID, id, bad); err == nil || errors.Is(err, ErrNoOrder) || !strings.Contains(err.Error(), why) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// fuzz: whatever the texts, the answer is the same from both sides, and an error from both or none.
func fuzz(f *testing.F, ecosystem string) {
	for _, known := range families {
		for i := 1; i < len(known.ascending) && known.ecosystem == ecosystem; i++ {
			f.Add(known.ascending[i-1], known.ascending[i])
		}
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		n, err := Compare(ecosystem, a, b)
		m, back := Compare(ecosystem, b, a)
		if n != -m || (err == nil) != (back == nil) || n < -1 || n > 1 || err != nil && n != 0 {
			t.Fatalf("%q and %q: %d, %v and %d, %v", a, b, n, err, m, back)
		}
		if readable := Check(ecosystem, a) == nil && Check(ecosystem, b) == nil; readable != (err == nil) && !errors.Is(err, ErrNoOrder) {
			t.Fatalf("%q and %q: %v, though each by itself: %v", a, b, err, readable)
		}
	})
}

func FuzzDebian(f *testing.F)   { fuzz(f, Debian) }
func FuzzRPM(f *testing.F)      { fuzz(f, "Red Hat") }
func FuzzAPK(f *testing.F)      { fuzz(f, "Alpine") }
func FuzzUpstream(f *testing.F) { fuzz(f, Upstream) }
func FuzzBuildID(f *testing.F)  { fuzz(f, BuildID) }

func BenchmarkCompare(b *testing.B) {
	for _, c := range [][3]string{
		{"Debian:12", "1:7.2+dfsg-7+deb12u17", "1:7.2+dfsg-7+deb12u18"},
		{"Red Hat:9", "17:6.2.0-11.module+el8.6.0+15489", "17:6.2.0-11.module+el8.6.0+15490"},
		{"Alpine:v3.17", "4.16.1_p2-r2", "4.16.1_p2-r5"},
		{Upstream, "4.17.5", "4.17.6-pre"},
		{BuildID, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4", "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4"},
	} {
		b.Run(c[0], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Compare(c[0], c[1], c[2]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestCompareAllocatesNothing(t *testing.T) {
	for _, f := range families {
		if n := testing.AllocsPerRun(100, func() { order(t, f.ecosystem, f.ascending[3], f.ascending[4]) }); n != 0 {
			t.Errorf("%s: %v allocations", f.ecosystem, n)
		}
	}
}
