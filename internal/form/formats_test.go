package form

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestFits(t *testing.T) {
	for format, c := range map[string]struct{ fits, unfit []string }{
		"id": {[]string{"a", "0", "hv-01.north:3@x_Y", strings.Repeat("x", 128)},
			[]string{"", " a", "a b", "é", "a/b", "a\n", strings.Repeat("x", 129)}},
		"zone": {[]string{"UTC", "Europe/Zurich", "America/Argentina/Buenos_Aires", "Etc/GMT+5"},
			[]string{"", "Local", "localtime", "posixrules", "right/UTC", "posix/UTC", "Factory", "Mars/Base", "../UTC", "/etc/localtime", "Europe", "+01:00"}},
		"clock": {[]string{"00:00", "23:59", "09:30"}, []string{"", "24:00", "9:30", "09:60", "09:30:00", "09:30 "}},
		"email": {[]string{"ops@acme.example", "o'b+x@birch.example"},
			[]string{"", "ops", "@x", "ops@", "Ops <ops@acme.example>", "a@b, c@d", "a b@c.example", "ops@acme.example\nBcc: x@y.example", "a@b."}},
		"sha256":  {[]string{strings.Repeat("0aF", 21) + "1"}, []string{"", strings.Repeat("0", 63), strings.Repeat("g", 64)}},
		"version": {[]string{"1", "1:7.2+dfsg-7+deb12u18", "6.1.0-18", "v1", "4.17.5_02-150500.3.30.1", "1.0^git1-1"}, []string{"", "4:", "a b", "1:2:3", "-1"}},
		"filled":  {[]string{"a", " a "}, []string{"", " ", "\n\t"}},
	} {
		for _, text := range c.fits {
			if !Fits(format, text) {
				t.Errorf("%q is no %s", text, format)
			}
		}
		for _, text := range c.unfit {
			if Fits(format, text) {
				t.Errorf("%q is a %s", text, format)
			}
		}
		if _, expected := Pattern(format); expected == "" {
			t.Errorf("nothing says what a %s is", format)
		}
	}
}

// TestIDsByHand: what is told without the pattern is what the pattern says.
func TestIDsByHand(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.StringMatching(`[A-Za-z0-9._:@/ -]{0,140}\n?`)).Draw(t, "text")
		if got, want := Fits("id", text), patterns["id"].MatchString(text); got != want {
			t.Fatalf("%q: %v, by the pattern %v", text, got, want)
		}
	})
}

func TestNearestKey(t *testing.T) {
	fields := []Field{{Key: "memory_mib"}, {Key: "id"}, {Key: "pools"}}
	for key, want := range map[string]string{
		"memroy_mib": "memory_mib", "Memory_MiB": "memory_mib", "memory": "keys among memory_mib, id, pools", "ids": "id", "pool": "pools",
		"": "keys among memory_mib, id, pools", strings.Repeat("x", 1000): "keys among memory_mib, id, pools", "xy": "keys among memory_mib, id, pools",
	} {
		if got := nearest(key, fields); got != want {
			t.Errorf("%q: got %q, want %q", key, got, want)
		}
	}
}
