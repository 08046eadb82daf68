package console

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// escapes are what terminals obey: CSI, OSC and the two-character sequences of ECMA-48.
var escapes = regexp.MustCompile("\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[ -/]*[0-~])")

// clean takes a terminal's commands and all that does not print out of a line.
func clean(line string) string {
	line = escapes.ReplaceAllString(line, "")
	return strings.Map(func(c rune) rune {
		switch {
		case c == '\t':
			return ' '
		case c == utf8.RuneError || !unicode.IsPrint(c):
			return -1
		}
		return c
	}, line)
}

// bounded shortens a line to maxLine characters.
func bounded(line string) string {
	line = strings.TrimSpace(line)
	if utf8.RuneCountInString(line) <= maxLine {
		return line
	}
	return string([]rune(line)[:maxLine-3]) + "..."
}
