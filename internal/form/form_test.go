package form

import (
	"strings"
	"testing"
	"time"
)

// farm is a form of this test's own.
type farm struct {
	Name   string            `yaml:"name" form:"is=id"`
	Zone   string            `yaml:"zone,omitempty" form:"is=zone"`
	Start  time.Time         `yaml:"start,omitempty"`
	Open   bool              `yaml:"open,omitempty"`
	Share  int               `yaml:"share,omitempty" form:"min=1,max=100"`
	Cows   []cow             `yaml:"cows,omitempty"`
	Days   []string          `yaml:"days,omitempty" form:"enum=mon|tue"`
	Prices map[string]string `yaml:"prices,omitempty"`
	Spare  *int64            `yaml:"spare,omitempty" form:"min=0,unit=MiB"`
}

type cow struct {
	ID     string  `yaml:"id"`
	Kilos  int64   `yaml:"kilos,omitempty" form:"min=1,unit=kg"`
	Litres float64 `yaml:"litres,omitempty" form:"min=0"`
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		name, src string
		want      []string // all, in order, without the file's name
	}{
		{"sound", "name: a\n", nil},
		{"sound, byte order mark", "\ufeffname: a\n", nil},
		{"sound, Windows lines", "name: a\r\ncows:\r\n- id: x\r\n", nil},
		{"sound JSON", `{"name": "a", "cows": [{"id": "\u00e9"}]}`, nil},
		{"sound, one marked document", "---\nname: a\n...\n", nil},
		{"sound, nothing under a list", "name: a\ncows:\n", nil},
		{"sound, numbers with powers", "name: a\ncows: [{id: b, litres: 1e1}]\n", nil},
		{"empty", "", []string{"1:1: found an empty text, expected a mapping with keys among name, zone, start, open, share, cows, days, prices, spare"}},
		{"comments only", "# nothing\n", []string{"1:1: found an empty text, expected a mapping with keys among name, zone, start, open, share, cows, days, prices, spare"}},
		{"a list", "- a\n", []string{"1:1: found a list of 1, expected a mapping with keys among name, zone, start, open, share, cows, days, prices, spare"}},
		{"many at once", "nam: a\nshare: 0\nopen: yes\ncows:\n  - id: 7\n    kilos: -4\n  - kilos: 1_0\n", []string{
			`1:1: nam: found the unknown key "nam", expected name`,
			"1:1: name: found nothing, expected name (an id: 1 to 128 letters, digits or any of . _ : @ -)",
			"2:8: share: found 0, expected a whole number from 1 to 100",
			`3:7: open: found "yes", expected true or false`,
			`5:9: cows[0].id: found 7 without quotes, expected text, in quotes: "7"`,
			"6:12: cows[0].kilos: found -4, expected a whole number of kg above 0",
			"7:5: cows[1].id: found nothing, expected id (text)",
			"7:12: cows[1].kilos: found 1_0, expected a whole number of kg above 0, in plain decimals",
		}},
		{"types", "name: [a]\ncows: {id: b}\ndays: [wed]\nprices: [1]\nstart: 2026-01-01\nzone: Mars/Base\nspare: 1.5\n", []string{
			"1:7: name: found a list of 1, expected an id: 1 to 128 letters, digits or any of . _ : @ -",
			`2:7: cows: found a mapping with the key "id", expected a list`,
			`3:8: days[0]: found "wed", expected one of mon, tue`,
			"4:9: prices: found a list of 1, expected a mapping",
			`5:8: start: found "2026-01-01", expected a time with its zone, such as 2026-03-01T02:00:00Z`,
			`6:7: zone: found "Mars/Base", expected an IANA time zone such as Europe/Zurich or UTC`,
			"7:8: spare: found 1.5, expected a whole number of MiB, 0 or more",
		}},
		{"octal", "name: a\nshare: 010\n", []string{"2:8: share: found 010, expected a whole number from 1 to 100, in plain decimals"}},
		{"too big for a number", "name: a\ncows: [{id: b, kilos: 99999999999999999999}]\n", []string{"2:23: cows[0].kilos: found 99999999999999999999, expected a whole number of kg above 0"}},
		{"no number", "name: a\ncows: [{id: b, litres: .nan}]\n", []string{"2:24: cows[0].litres: found .nan, expected a number, not negative, in plain decimals"}},
		{"null text", "name: ~\n", []string{"1:7: name: found nothing, expected an id: 1 to 128 letters, digits or any of . _ : @ -"}},
		{"double key", "name: a\nname: b\nprices: {x: a, x: b}\n", []string{
			`2:1: name: found the key "name" a second time, expected it once: it stands in line 1 already`,
			`3:16: prices.x: found the key "x" a second time, expected it once: it stands in line 3 already`,
		}},
		{"system zone", "name: a\nzone: Local\n", []string{`2:7: zone: found "Local", expected an IANA time zone such as Europe/Zurich or UTC`}},
		{"zone out of its folder", "name: a\nzone: ../UTC\n", []string{`2:7: zone: found "../UTC", expected an IANA time zone such as Europe/Zurich or UTC`}},
		{"anchor, alias, tag, merge", "name: &x a\nzone: *x\ndays: !!seq [mon]\nprices: {<<: {a: b}}\n", []string{
			"1:7: found an anchor, expected no anchors and aliases: write the value out where it is used",
			"2:7: found an alias, expected no anchors and aliases: write the value out where it is used",
			`3:7: found the tag "!!seq", expected no tags`,
			"4:10: found the merge key <<, expected no merge keys: write the values out where they are used",
		}},
		{"second document", "name: a\n---\nname: b\n", []string{"3:1: found a second document, expected one document in a file"}},
		{"tab", "name: a\nprices:\n\tx: y\n", []string{"3:1: found a tab, expected spaces: YAML is indented by spaces only"}},
		{"not UTF-8", "name: a\nzone: \xff\n", []string{"2:7: found the byte 0xff, expected text in UTF-8 without control characters"}},
		{"control character", "name: \x00\n", []string{"1:7: found the byte 0x00, expected text in UTF-8 without control characters"}},
		{"escaped control character", "name: a\nprices: {a: \"\\x1b[2J\"}\n", []string{`2:13: prices.a: found "\x1b[2J", expected text without control characters`}},
		{"columns count characters", "name: a\nprices: {é: ü, b: 3}\n", []string{`2:19: prices.b: found 3 without quotes, expected text, in quotes: "3"`}},
		{"broken, the rest is read", "name: a b\ncows:\n  - id: x\n    kilos: [1\n  - id: 8\nshare: 0\ndays: [mon\n", []string{
			"1:7: name: found \"a b\", expected an id: 1 to 128 letters, digits or any of . _ : @ -",
			"4:12: found broken YAML (sequence end token ']' not found), expected YAML or JSON",
			`5:9: cows[1].id: found 8 without quotes, expected text, in quotes: "8"`,
			"6:8: share: found 0, expected a whole number from 1 to 100",
			"7:7: found broken YAML (sequence end token ']' not found), expected YAML or JSON",
		}},
		{"broken JSON", "{\"name\": \"a\",\n \"share\": }}", []string{"2:11: found '}', expected a JSON value"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, mistakes := Decode("f", []byte(c.src), &farm{})
			var got []string
			for _, m := range mistakes {
				got = append(got, strings.TrimPrefix(m.String(), "f:"))
			}
			if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
				t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestNestingIsBounded(t *testing.T) {
	for name, src := range map[string]string{
		"brackets":    "name: " + strings.Repeat("[", 100_000),
		"braces":      strings.Repeat("{a: ", 100_000),
		"JSON":        `{"name": ` + strings.Repeat(`{"a":`, 100_000),
		"dashes":      strings.Repeat("- ", 100_000),
		"questions":   strings.Repeat("? ", 10_000),
		"indentation": staircase(1000),
		"anchors":     "name: " + strings.Repeat("&a ", 10_000),
		"tags":        "name: " + strings.Repeat("!!a ", 10_000),
	} {
		if _, mistakes := Decode("f", []byte(src), &farm{}); len(mistakes) == 0 {
			t.Errorf("%s: no mistake", name)
		}
	}
}

func staircase(steps int) string {
	var b strings.Builder
	for n := range steps {
		b.WriteString(strings.Repeat(" ", n) + "a:\n")
	}
	return b.String()
}

func TestAliasBombIsRefusedUnexploded(t *testing.T) {
	src := "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
	for c := 'b'; c <= 'z'; c++ {
		p := string(c - 1)
		src += string(c) + ": &" + string(c) + " [*" + strings.Join([]string{p, p, p, p, p, p, p, p, p, p}, ",*") + "]\n"
	}
	if _, mistakes := Decode("f", []byte(src), &farm{}); len(mistakes) < 26*10 {
		t.Errorf("%d mistakes: each anchor and alias is one", len(mistakes))
	}
}

func TestOverlayChangesOnlyWhatIsNamed(t *testing.T) {
	f := farm{Name: "kept", Share: 7, Days: []string{"mon"}}
	if _, mistakes := Overlay("f", []byte("share: 9\n"), &f); len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	if f.Name != "kept" || f.Share != 9 || len(f.Days) != 1 {
		t.Errorf("%+v", f)
	}
}

func TestPositions(t *testing.T) {
	at, _ := Decode("f", []byte("name: a\ncows:\n  - id: x\n  - id: y\n    kilos: 3\nprices:\n  a.b: c\n"), &farm{})
	for path, want := range map[string][2]int{
		"": {1, 1}, "name": {1, 7}, "cows": {3, 3}, "cows[0]": {3, 5}, "cows[1].kilos": {5, 12},
		"cows[1].missing": {4, 5}, "cows[7].id": {3, 3}, "prices.a.b": {7, 8}, "nowhere[2]": {1, 1}, "cows[": {3, 3},
	} {
		if line, column := at.At(path); [2]int{line, column} != want {
			t.Errorf("%q is at %d:%d, want %v", path, line, column, want)
		}
	}
}

func TestBeyond(t *testing.T) {
	known := Mistakes{{Path: "hosts[3].id"}, {Path: "groups"}}
	more := Mistakes{{Path: "hosts[3].id"}, {Path: "hosts[3]"}, {Path: "groups[1].members[2]"}, {Path: "groupsof"}}
	got := Beyond(known, more)
	if len(got) != 2 || got[0].Path != "hosts[3]" || got[1].Path != "groupsof" {
		t.Errorf("%v", got)
	}
}
