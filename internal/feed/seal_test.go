package feed

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestKeyrings(t *testing.T) {
	a, b := newKey(t), newKey(t)
	ring, err := ReadKeyring([]byte(a.public(t) + b.public(t)))
	if err != nil || len(ring) != 2 {
		t.Fatalf("two blocks: %d keys, %v", len(ring), err)
	}
	print := fingerprintOf(a.entity.PrimaryKey)
	if !ring.Holds(strings.ToLower(print)) || b.ring(t).Holds(print) {
		t.Error("a key is looked for by its fingerprint")
	}
	for _, c := range []struct{ name, text, says string }{
		{"nothing", "", "found no keys"},
		{"no armor", "hello", "found no keys"},
		{"a signature", a.sign(t, "x"), "found a block of PGP SIGNATURE"},
		{"cut short", a.public(t)[:200], ""},
	} {
		if _, err := ReadKeyring([]byte(c.text)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestSeals(t *testing.T) {
	good, other := newKey(t), newKey(t)
	const body = "the document"
	now := time.Now()
	type files map[string]string
	for _, c := range []struct {
		name  string
		files files
		must  bool
		ring  Keyring
		state string
		says  string // of the refusal; empty: taken
	}{
		{"nothing beside, none needed", files{}, false, good.ring(t), SealNone, ""},
		{"nothing beside, one needed", files{}, true, good.ring(t), "", "has no signature"},
		{"no keyring", files{"asc": "nonsense"}, true, nil, SealUnchecked, ""},
		{"good", files{"asc": good.sign(t, body)}, true, good.ring(t), SealGood, ""},
		{"good, though none is needed", files{"asc": good.sign(t, body)}, false, good.ring(t), SealGood, ""},
		{"of another key", files{"asc": other.sign(t, body)}, true, good.ring(t), "", "not good by the keyring"},
		{"of another text", files{"asc": good.sign(t, body+" ")}, true, good.ring(t), "", "not good by the keyring"},
		{"bad, though none is needed", files{"asc": good.sign(t, body+" ")}, false, good.ring(t), "", "not good by the keyring"},
		{"no signature at all", files{"asc": "hello"}, true, good.ring(t), "", "not good by the keyring"},
		{"empty", files{"asc": ""}, true, good.ring(t), "", "not good by the keyring"},
		{"sums agree", files{"sha256": sum256(body), "sha512": sum512(body)}, false, nil, SealNone, ""},
		{"upper case", files{"sha256": strings.ToUpper(sum256(body))}, false, nil, SealNone, ""},
		{"wrong sum", files{"sha256": sum256("another"), "asc": good.sign(t, body)}, true, good.ring(t), "", "its sha256 is not the one beside it"},
		{"wrong longer sum", files{"sha256": sum256(body), "sha512": sum512("another")}, false, nil, "", "its sha512 is not the one beside it"},
		{"the other sum", files{"sha256": sum512(body)}, false, nil, "", "expected 64 hexadecimal digits"},
		{"no sum", files{"sha256": "<html>"}, false, nil, "", "expected 64 hexadecimal digits"},
		{"unreadable", files{"sha256": "!"}, false, nil, "", "cannot be read: broken"},
	} {
		get := func(kind string) ([]byte, string, error) {
			text, ok := c.files[kind]
			if text == "!" {
				return nil, kind, errors.New("broken")
			}
			if !ok {
				return nil, kind, nil
			}
			return []byte(text), kind, nil
		}
		s, err := sealed([]byte(body), beside{sum: get, signature: func() ([]byte, string, error) { return get("asc") }}, c.must, c.ring, now)
		switch {
		case c.says == "" && (err != nil || s.State != c.state):
			t.Errorf("%s: %s, %v", c.name, s.State, err)
		case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s: not refused rightly: %v", c.name, err)
		}
	}
}
