package version

import (
	"errors"
	"fmt"
	"strings"
)

// compareBuilds tells equal build ids, in whatever case, and no more: the id is a hash of what was
// built, so of two that differ neither is older.
func compareBuilds(a, b string) (int, error) {
	for _, id := range []string{a, b} {
		if err := checkBuild(id); err != nil {
			return 0, fmt.Errorf("%q is not a build id: %w", id, err)
		}
	}
	if !strings.EqualFold(a, b) {
		return 0, fmt.Errorf("%s and %s are two builds: %w", a, b, ErrNoOrder)
	}
	return 0, nil
}

// checkBuild: whole bytes in hexadecimal. Its length is the linker's choice (20 bytes by default).
func checkBuild(id string) error {
	switch n := hexDigits(id); {
	case id == "":
		return errors.New("it is empty")
	case n < len(id):
		return fmt.Errorf("it holds %s, which is no hexadecimal digit", quoteFirst(id[n:]))
	case n%2 == 1:
		return fmt.Errorf("its %d hexadecimal digits are not whole bytes", n)
	}
	return nil
}

// hexDigits is how many hexadecimal digits a text starts with.
func hexDigits(text string) int {
	n := 0
	for n < len(text) && (isDigit(text[n]) || 'a' <= text[n]|0x20 && text[n]|0x20 <= 'f') {
		n++
	}
	return n
}
