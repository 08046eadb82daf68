package feed

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
)

// Seal is what was found of a document's checksums and signature.
type Seal struct {
	// State: good, unchecked (there was no keyring), none (its format has none).
	State string `json:"state"`
	Key   string `json:"key,omitempty"` // the fingerprint of the key that signed
	// Sums are the checksums beside the document that it agrees with: sha256, sha512.
	Sums []string `json:"sums,omitempty"`
}

// The states of a seal.
const (
	SealGood      = "good"
	SealUnchecked = "unchecked"
	SealNone      = "none"
)

// Words says it for people.
func (s Seal) Words() string {
	text := "signature not checked: no --keyring was given"
	switch s.State {
	case SealGood:
		text = "signature good, by key " + s.Key
	case SealNone:
		text = "no signature: its format has none"
	}
	if len(s.Sums) > 0 {
		text += "; agrees with its " + strings.Join(s.Sums, " and ")
	}
	return text
}

// Keyring holds the public keys that an operator trusts.
type Keyring openpgp.EntityList

// maxSeal bounds a signature, a checksum and a keyring, in bytes.
const maxSeal = 1 << 20

// ReadKeyring reads armored OpenPGP public keys, one block or several after each other.
func ReadKeyring(src []byte) (Keyring, error) {
	var ring Keyring
	// armor.Decode makes a bufio.Reader of its own only when it is not given one, so that what
	// follows a block is not lost.
	text := bufio.NewReader(bytes.NewReader(src))
	for {
		block, err := armor.Decode(text)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("no armored OpenPGP keys: %w", err)
		}
		if block.Type != openpgp.PublicKeyType {
			return nil, fmt.Errorf("found a block of %s, expected %s: export it with gpg --armor --export", block.Type, openpgp.PublicKeyType)
		}
		keys, err := openpgp.ReadKeyRing(block.Body)
		if err != nil {
			return nil, fmt.Errorf("a block of keys cannot be read: %w", err)
		}
		// The rest of the block, its checksum and its last line.
		if _, err := io.Copy(io.Discard, block.Body); err != nil {
			return nil, fmt.Errorf("a block of keys is broken: %w", err)
		}
		ring = append(ring, keys...)
	}
	if len(ring) == 0 {
		return nil, fmt.Errorf("found no keys, expected blocks of %s: export them with gpg --armor --export", openpgp.PublicKeyType)
	}
	return ring, nil
}

// Holds says whether a key with that fingerprint is in the ring.
func (k Keyring) Holds(fingerprint string) bool {
	for _, e := range k {
		if strings.EqualFold(fingerprintOf(e.PrimaryKey), strings.ReplaceAll(fingerprint, " ", "")) {
			return true
		}
	}
	return false
}

func fingerprintOf(key *packet.PublicKey) string {
	return strings.ToUpper(hex.EncodeToString(key.Fingerprint))
}

// check verifies an armored detached signature over body at a moment, and gives the fingerprint of
// the key that signed.
func (k Keyring) check(body, signature []byte, now time.Time) (string, error) {
	signer, err := openpgp.CheckArmoredDetachedSignature(openpgp.EntityList(k), bytes.NewReader(body), bytes.NewReader(signature),
		&packet.Config{Time: func() time.Time { return now }})
	if err != nil {
		return "", err
	}
	return fingerprintOf(signer.PrimaryKey), nil
}

// sumNames are the checksums that CSAF 2.0 sections 7.1.18 and 7.1.19 put beside a document.
var sumNames = []string{"sha256", "sha512"}

// agrees compares a body with the text of a .sha256 or .sha512 file: hexadecimal digits, then
// optionally a space and a file's name.
func agrees(kind string, text, body []byte) error {
	var h hash.Hash = sha256.New()
	if kind == "sha512" {
		h = sha512.New()
	}
	_, _ = h.Write(body) // a hash.Hash never fails
	word, _, _ := strings.Cut(strings.TrimSpace(string(text[:min(len(text), 4096)])), " ")
	want, err := hex.DecodeString(strings.TrimSpace(word))
	if err != nil || len(want) != h.Size() {
		return fmt.Errorf("its %s is no such sum: found %.40q, expected %d hexadecimal digits", kind, word, 2*h.Size())
	}
	if got := h.Sum(nil); !bytes.Equal(got, want) {
		return fmt.Errorf("its %s is not the one beside it: found %x, expected %x", kind, got, want)
	}
	return nil
}

func digest(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// beside gives what lies beside a document. A nil text without an error: nothing is there.
type beside struct {
	sum       func(kind string) (text []byte, where string, err error)
	signature func() (text []byte, where string, err error)
}

// sealed looks at a document's checksums and signature. mustSign: its format, or the feed that it
// came from, has signatures. An error says why the document is refused.
func sealed(body []byte, b beside, mustSign bool, ring Keyring, now time.Time) (Seal, error) {
	s := Seal{State: SealNone}
	for _, kind := range sumNames {
		text, where, err := b.sum(kind)
		if err != nil {
			return s, fmt.Errorf("its %s cannot be read: %w", kind, err)
		}
		if text == nil {
			continue
		}
		if err := agrees(kind, text, body); err != nil {
			return s, fmt.Errorf("%w (%s)", err, where)
		}
		s.Sums = append(s.Sums, kind)
	}
	if ring == nil {
		if mustSign {
			s.State = SealUnchecked
		}
		return s, nil
	}
	text, where, err := b.signature()
	switch {
	case err != nil:
		return s, fmt.Errorf("its signature cannot be read: %w", err)
	case text == nil && mustSign:
		return s, fmt.Errorf("it has no signature: nothing is at %s", where)
	case text == nil:
		return s, nil
	}
	key, err := ring.check(body, text, now)
	if err != nil {
		return s, fmt.Errorf("its signature %s is not good by the keyring: %w", where, err)
	}
	s.State, s.Key = SealGood, key
	return s, nil
}
