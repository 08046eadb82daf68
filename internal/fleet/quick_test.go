package fleet

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// sameEitherWay reads a text quickly and by trees, from what can be read again and from what cannot: the
// fleets and the mistakes must be the same.
func sameEitherWay(src []byte) error {
	want, wrong := parseJSONL("f", io.MultiReader(bytes.NewReader(src)), false)
	for way, got := range map[string]func() (*Fleet, any){
		"quickly, from a file": func() (*Fleet, any) { f, m := parseJSONL("f", bytes.NewReader(src), true); return f, m },
		"quickly, from a pipe": func() (*Fleet, any) {
			f, m := parseJSONL("f", io.MultiReader(bytes.NewReader(src)), true)
			return f, m
		},
		"by trees, from a file": func() (*Fleet, any) { f, m := parseJSONL("f", bytes.NewReader(src), false); return f, m },
	} {
		f, m := got()
		if !reflect.DeepEqual(any(wrong), m) {
			return fmt.Errorf("%s, the mistakes are\n%v\nby trees they are\n%v\n%s", way, m, wrong, src)
		}
		if !reflect.DeepEqual(want, f) {
			return fmt.Errorf("%s, the fleet is\n%+v\nby trees it is\n%+v\n%s", way, f, want, src)
		}
	}
	return nil
}

// TestQuickIsTheSame spoils texts of drawn fleets in a few places.
func TestQuickIsTheSame(t *testing.T) {
	bits := []string{`"`, `\`, `,`, `:`, `{`, `}`, `[`, `]`, " ", "\t", "\n", "\r", "0", "-", "1.5", "1e3", "00", "null", "true", "falsey", `"kind":"host",`,
		`"kind":1,`, `"id":"h0",`, `{"kind":"host"}`, `"x":1,`, "\x7f", "\x00", "\xff", "é", `\u0041`, `"memory_mib":0,`, "[]", "{}", `""`, `"spare":1,`, `" ":"a",`, "\ufeff"}
	rapid.Check(t, func(t *rapid.T) {
		var lines bytes.Buffer
		if err := WriteJSONL(&lines, drawFleet(t)); err != nil {
			t.Fatal(err)
		}
		src := lines.Bytes()
		if rapid.Bool().Draw(t, "kind last") {
			src = kindLast(src)
		}
		for range rapid.IntRange(0, 3).Draw(t, "spoiled") {
			at := rapid.IntRange(0, len(src)).Draw(t, "at")
			end := min(len(src), at+rapid.IntRange(0, 4).Draw(t, "cut"))
			src = bytes.Join([][]byte{src[:at], []byte(rapid.SampledFrom(bits).Draw(t, "bit")), src[end:]}, nil)
		}
		if err := sameEitherWay(src); err != nil {
			t.Fatal(err)
		}
	})
}

// kindLast writes the key kind behind the others.
func kindLast(src []byte) []byte {
	var out bytes.Buffer
	for _, l := range strings.Split(strings.TrimSuffix(string(src), "\n"), "\n") {
		kind, rest, ok := strings.Cut(strings.TrimPrefix(l, "{"), ",")
		if !ok {
			out.WriteString(l + "\n")
			continue
		}
		fmt.Fprintf(&out, "{%s , %s}\n", strings.TrimSuffix(rest, "}"), kind)
	}
	return out.Bytes()
}

// TestPlainLinesAreReadQuickly: otherwise a big fleet would take a hundred seconds, and nothing would tell.
func TestPlainLinesAreReadQuickly(t *testing.T) {
	src, err := os.ReadFile("../../schema/testdata/fleet-full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	full, mistakes := Parse("full", src)
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	var lines bytes.Buffer
	if err := WriteJSONL(&lines, full); err != nil {
		t.Fatal(err)
	}
	for _, text := range [][]byte{lines.Bytes(), kindLast(lines.Bytes())} {
		p := &lineParser{fleet: &Fleet{}, seen: map[string][]line{}, quickly: true, again: newRereader(bytes.NewReader(text))}
		for n, l := range bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n")) {
			kind := p.quick.Peek(l, "kind")
			if kind != "fleet" && !bytes.Contains(l, []byte(`\`)) && !p.item(kind, line{n + 1, 0}, l, nil) {
				t.Errorf("not read quickly: %s", l)
			}
		}
	}
}

// TestHardLinesAreTheSame: lines that are wrong, or only look so, in one way each.
func TestHardLinesAreTheSame(t *testing.T) {
	head := `{"kind":"fleet","evenkeel":"fleet/v1"}` + "\n" + `{"kind":"region","id":"r"}` + "\n" + `{"kind":"site","id":"s","region":"r"}` + "\n" + `{"kind":"pool","id":"p","site":"s"}` + "\n"
	host := func(more string) string {
		return `{"kind":"host","id":"h1","pools":["p"],"hypervisor":"kvm","memory_mib":9` + more + "}"
	}
	for _, l := range []string{
		host(``), host(`,`), host(`,"id":"h1"`), host(`,"kind":"host"`), host(`,"kind":1`), host(`,"rack":"a","rack":"b"`), host(`,"x":1`), host(`,"Rack":"a"`),
		host(`,"rack":null`), host(`,"rack":1`), host(`,"rack":"a` + "\x7f" + `"`), host(`,"rack":"a` + "\x01" + `"`), host(`,"rack":"a\tb"`), host(`,"rack":"\u0007"`), host(`,"rack":"` + "\xff" + `"`),
		host(`,"cpus":0`), host(`,"cpus":-1`), host(`,"cpus":01`), host(`,"cpus":1.0`), host(`,"cpus":1e2`), host(`,"cpus":"1"`), host(`,"cpus":true`), host(`,"cpus":- 1`), host(`,"cpus":1 2`),
		host(`0000000000000000000`), host(`,"nic_mbps":9223372036854775807`), host(`,"nic_mbps":9223372036854775808`), host(`,"nic_mbps":999999999999999999`), host(`,"cpu":{"family":-0}`),
		host(`,"spare":true`), host(`,"spare":truex`), host(`,"spare":"true"`), host(`,"spare":false`), host(`,"health":"well"`), host(`,"health":"up"`), host(`,"health":""`),
		host(`,"networks":null`), host(`,"networks":[]`), host(`,"networks":["a",]`), host(`,"networks":["a" "b"]`), host(`,"networks":[1]`), host(`,"networks":[null]`), host(`,"networks":"a"`),
		host(`,"capabilities":["fly"]`), host(`,"capabilities":[]`), host(`,"config":{}`), host(`,"config":null`), host(`,"config":{"a":"b","a":"c"}`), host(`,"config":{" ":"b"}`), host(`,"config":{"a":1}`), host(`,"config":{"a":"b",}`),
		host(`,"software":{}`), host(`,"software":null`), host(`,"software":[]`), host(`,"software":{"live_patches":[{"name":"a","component":"xen"}]}`), host(`,"software":{"live_patches":[{"name":"a","component":"xen","state":"applied"}]}`),
		host(`,"seen":"2026-03-01"`), host(`,"seen":"2026-03-01T00:00:00+02:00"`), host(`,"seen":"2026-03-01T00:00:00.5Z"`), host(`,"seen":"0000-01-01T00:00:00Z"`), host(`,"seen":"9999-12-31T23:00:00-05:00"`), host(`,"seen":1`),
		host(``) + "}", host(``) + " ", " " + host(``), "\t" + host(``) + "\r", host(``) + "x", host(``) + "\x00", host("\x00"), "\ufeff" + host(``), `[` + host(``) + `]`,
		`{"kind":"host"}`, `{"kind":"host",}`, `{"kind":"host" "id":"h1"}`, `{,"kind":"host"}`, `{"kind":"host","id":"h 1","pools":["p"],"hypervisor":"kvm","memory_mib":9}`, `{"kind":"host","id":"h1","hypervisor":"kvm","memory_mib":9}`,
		`{"kind":"host","id":"h1","pools":["p"],"memory_mib":9,"hypervisor":"kvm"}`, `{"id":"h1","pools":["p"],"hypervisor":"kvm","memory_mib":9,"kind":"host"}`, `{"id":"kind","rack":"kind","pools":["p"],"hypervisor":"kvm","memory_mib":9,"kind" : "host"}`,
		`{"id":"h1","config":{"kind":"pool"},"pools":["p"],"hypervisor":"kvm","memory_mib":9,"kind":"host"}`, `{"kind":"pool","id":"q","site":"s","reserve_mib":-1}`, `{"kind":"pool","id":"q","site":"s","reserve_mib":0}`, `{"kind":"pool","id":"q","site":"s","reserve_mib":null}`,
		`{"kind":"site","id":"t","region":"r","timezone":"Local"}`, `{"kind":"site","id":"t","region":"r","timezone":"Europe/Zurich"}`, `{"kind":"site","id":"t","region":"nowhere"}`, `{"kind":"tenant","id":"t","contacts":[{"email":"x"}]}`, `{"kind":"tenant","id":"t","contacts":[{"email":"x@y.example"}]}`,
		`{"kind":"tenant","id":"t","windows":[{"start":"02:00","length":"2h"}]}`, `{"kind":"tenant","id":"t","windows":[{"start":"02:00","length":"0s"}]}`, `{"kind":"tenant","id":"t","windows":[{"start":"02:00","length":"2"}]}`, `{"kind":"tenant","id":"t","windows":[{"start":"02:00","length":2}]}`,
		`{"kind":"instance","id":"i","host":"h1","memory_mib":1,"dirty_mibps":-1}`, `{"kind":"instance","id":"i","host":"h1","memory_mib":1,"dirty_mibps":1e999}`, `{"kind":"instance","id":"i","host":"h1","memory_mib":1,"dirty_mibps":-0}`,
		`{"kind":"instance","id":"i","host":"h1","memory_mib":1,"dirty_mibps":.5}`, `{"kind":"instance","id":"i","host":"h1","memory_mib":1,"dirty_mibps":05}`, `{"kind":"instance","id":"i","host":"h1","memory_mib":1,"disks":[{"name":"a"},{"name":" "}]}`, `{"kind":"rack","id":"x"}`, `{}`, `null`, `"kind"`,
	} {
		for _, text := range []string{head + l + "\n" + host(``), head + host(``) + "\n" + l} {
			if err := sameEitherWay([]byte(text)); err != nil {
				t.Error(err)
			}
		}
	}
}
