package version

import (
	"cmp"
	"strconv"
	"strings"
)

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }

// stretch is how many digits a text starts with.
func stretch(text string) int {
	n := 0
	for n < len(text) && isDigit(text[n]) {
		n++
	}
	return n
}

// isNumber: digits, at least one.
func isNumber(text string) bool { return text != "" && stretch(text) == len(text) }

// compareNumbers compares strings of digits as numbers of any length; none is 0.
func compareNumbers(a, b string) int {
	for a != "" && a[0] == '0' {
		a = a[1:]
	}
	for b != "" && b[0] == '0' {
		b = b[1:]
	}
	if len(a) != len(b) {
		return cmp.Compare(len(a), len(b))
	}
	return strings.Compare(a, b)
}

// alphabet is a set of ASCII characters.
type alphabet [256]bool

// letterDigit is the set of letters, digits and the given signs.
func letterDigit(signs string) (set alphabet) {
	for c := range 128 {
		set[c] = isDigit(byte(c)) || isLetter(byte(c)) || strings.IndexByte(signs, byte(c)) >= 0
	}
	return set
}

// stray gives the first character of a text that is not in the set, quoted; "" when there is none.
func (set *alphabet) stray(text string) string {
	for i := range len(text) {
		if !set[text[i]] {
			return quoteFirst(text[i:])
		}
	}
	return ""
}

// quoteFirst quotes a text's first character.
func quoteFirst(text string) string {
	for _, r := range text {
		return strconv.QuoteRune(r)
	}
	return "nothing"
}
