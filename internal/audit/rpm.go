package audit

import "strings"

// compareRPM orders two versions epoch:version-release as rpm-version(7) says. A version without a
// release is older than any with one.
func compareRPM(a, b string) (order int, known bool) {
	x, fine := splitRPM(a)
	y, too := splitRPM(b)
	if !fine || !too {
		return 0, false
	}
	if c := compareDigits(x[0], y[0]); c != 0 {
		return c, true
	}
	if c := rpmvercmp(x[1], y[1]); c != 0 {
		return c, true
	}
	if x[2] == "" || y[2] == "" {
		return sign(len(x[2]) - len(y[2])), true
	}
	return rpmvercmp(x[2], y[2]), true
}

// splitRPM takes a version apart into epoch, version and release, and says whether a package can have
// it. A package's file name has its architecture at the end; with that it is no version.
func splitRPM(v string) (parts [3]string, fine bool) {
	epoch, rest, found := strings.Cut(v, ":")
	if !found {
		epoch, rest = "0", v
	}
	version, release, released := strings.Cut(rest, "-")
	fine = isNumber(epoch) && version != "" && onlyOf(version, "._+~^") && onlyOf(release, "._+~^") &&
		strings.ContainsAny(version, "0123456789") && (release != "") == released
	switch release[strings.LastIndexByte(release, '.')+1:] {
	case "x86_64", "aarch64", "noarch", "src", "i586", "i686", "ppc64le", "s390x", "riscv64", "loongarch64":
		fine = false
	}
	return [3]string{epoch, version, release}, fine
}

// rpmvercmp is rpm's own walk over two texts: segments of digits or of letters, in turn; a tilde is
// older than the end of the text, a caret is newer than the end and older than all else; other signs
// only separate.
func rpmvercmp(a, b string) int {
	for {
		a, b = strings.TrimLeft(a, "._+"), strings.TrimLeft(b, "._+")
		tildeA, tildeB := strings.HasPrefix(a, "~"), strings.HasPrefix(b, "~")
		caretA, caretB := strings.HasPrefix(a, "^"), strings.HasPrefix(b, "^")
		switch {
		case tildeA && tildeB, !tildeA && !tildeB && caretA && caretB:
			a, b = a[1:], b[1:]
			continue
		case tildeA:
			return -1
		case tildeB:
			return 1
		case caretA && b == "", b == "" && a != "":
			return 1
		case caretB && a == "", a == "" && b != "":
			return -1
		case a == "" && b == "":
			return 0
		case caretA:
			return -1
		case caretB:
			return 1
		}
		if c := compareSegment(&a, &b); c != 0 {
			return c
		}
	}
}

// compareSegment cuts the first segment off both: of a's kind, and where b's is of the other kind, a
// number is the newer.
func compareSegment(a, b *string) int {
	n, m := digits(*a), digits(*b)
	if n > 0 != (m > 0) {
		return sign(n - m)
	}
	number := n > 0
	if !number {
		n, m = letters(*a), letters(*b)
	}
	x, y := (*a)[:n], (*b)[:m]
	*a, *b = (*a)[n:], (*b)[m:]
	if number {
		return compareDigits(x, y)
	}
	return strings.Compare(x, y)
}

// letters is how many letters a text starts with.
func letters(text string) int {
	n := 0
	for n < len(text) && isLetter(text[n]) {
		n++
	}
	return n
}
