package parse

import (
	"strings"
)

// cpeName is a Common Platform Enumeration name (NIST IR 7695). A field is any ("*"), not applicable
// ("-") or a text, here without its escapes.
type cpeName struct {
	part, vendor, product, version, update string
	edition, language, swEdition, targetSW string
	targetHW, other                        string
	wild                                   bool // version or update holds a wildcard inside a text, such as 4.1*
	raw                                    string
}

// parseCPE reads a name in its formatted-string form, cpe:2.3:o:xen:xen:4.17.0:rc1:*:*:*:*:x86:*;
// ok is false when it is none.
func parseCPE(text string) (c cpeName, ok bool) {
	fields := cpeFields(text)
	if len(fields) != 13 || !strings.EqualFold(fields[0], "cpe") || fields[1] != "2.3" {
		return c, false
	}
	c.raw = text
	for i, into := range []*string{&c.part, &c.vendor, &c.product, &c.version, &c.update, &c.edition, &c.language, &c.swEdition, &c.targetSW, &c.targetHW, &c.other} {
		field := fields[i+2]
		if field == "" {
			return c, false
		}
		text, wild := unescapeCPE(field)
		if wild && (into == &c.version || into == &c.update) {
			c.wild = true
		}
		*into = text
	}
	for _, s := range []*string{&c.part, &c.vendor, &c.product, &c.update, &c.targetSW, &c.targetHW} {
		*s = strings.ToLower(*s)
	}
	switch c.part {
	case "a", "o", "h", "*":
	default:
		return c, false
	}
	return c, true
}

// unescapeCPE takes the escapes off a field; wild tells a wildcard beside other characters.
func unescapeCPE(field string) (text string, wild bool) {
	if field == "*" || field == "-" {
		return field, false
	}
	var b strings.Builder
	for i := 0; i < len(field); i++ {
		switch {
		case field[i] == '\\' && i+1 < len(field):
			i++
		case field[i] == '*' || field[i] == '?':
			wild = true
		}
		b.WriteByte(field[i])
	}
	return b.String(), wild
}

// said tells whether a field says anything.
func said(field string) bool { return field != "*" && field != "-" }

// release is the version with its update part, as the projects write it: 4.17.0 and rc1 is
// 4.17.0-rc1. ok is false when the name gives no single version.
func (c *cpeName) release() (text string, ok bool) {
	switch {
	case c.wild || !said(c.version):
		return "", false
	case said(c.update):
		return c.version + "-" + c.update, true
	}
	return c.version, true
}
