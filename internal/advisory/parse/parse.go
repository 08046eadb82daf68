// Package parse reads the formats that advisories are published in, and turns
// each document into advisories as values.
//
// It never guesses: what a document leaves open stays open and is named in
// Advisory.Gaps; what breaks the format's own rules is refused with line,
// column, path, what was found and what was expected, and then nothing of the
// document is used. It opens no file and no connection.
//
// Start reading at Parse; each format has a file of its own name. json.go and
// xml.go keep the places of values, document.go gathers what is wrong.
package parse

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/form"
)

// maxDocument bounds one document, in bytes: a page of 2,000 records of NVD is about 20 MiB.
const maxDocument = 64 << 20

// Parse reads one document of any format that it knows; which one is told by the document itself,
// never by its name. name stands in messages and in Advisory.Source. A document may hold several
// advisories (a page of NVD's, an updateinfo.xml). All mistakes are given at once; then the
// advisories must not be used.
func Parse(name string, src []byte) ([]advisory.Advisory, form.Mistakes) {
	d := &document{name: name, src: bytes.TrimPrefix(src, []byte("\xef\xbb\xbf"))}
	out := d.read()
	d.crowd(out)
	if len(d.mistakes) > 0 {
		return nil, d.placed().Sort()
	}
	for i := range out {
		out[i].Source = name
	}
	return out, nil
}

// maxAlike bounds how many advisories of one document may have one name: each is held against all
// others of its name. No honest page has more than a few.
const maxAlike = 1000

func (d *document) crowd(as []advisory.Advisory) {
	count := map[string]int{}
	for i := range as {
		for _, names := range [][]string{{as[i].ID}, as[i].Aliases, as[i].Upstream} {
			for _, name := range names {
				if count[name]++; count[name] == maxAlike+1 {
					d.wrong(0, "", fmt.Sprintf("the name %s in more than %d advisories", quote(name), maxAlike), "a name that tells them apart")
				}
			}
		}
	}
}

// read tells the format and reads by it; what is wrong is in d.mistakes.
func (d *document) read() (out []advisory.Advisory) {
	if len(d.src) > maxDocument {
		d.wrong(0, "", "more than 64 MiB", "one document of advisories, of 64 MiB at most")
		return nil
	}
	if at := notUTF8(d.src); at >= 0 {
		d.wrong(at, "", fmt.Sprintf("the byte %#02x, which is no part of UTF-8", d.src[at]), "text in UTF-8")
		return nil
	}
	switch first := bytes.TrimSpace(d.src); {
	case len(first) == 0:
		d.wrong(0, "", "nothing", known)
		return nil
	case first[0] == '<':
		return d.updateinfo()
	case first[0] != '{' && first[0] != '[' && !ownText.Match(d.src):
		d.wrong(bytes.Index(d.src, first), "", "text without the key evenkeel", known)
		return nil
	case first[0] != '{' && first[0] != '[':
		out, d.mistakes = d.own()
		return out
	}
	root := d.tree()
	if root == nil {
		return nil
	}
	if read := d.readerOf(root); read != nil {
		return read(root)
	}
	found := root.kind
	if len(root.keys) > 0 {
		found = "an object with the keys [" + strings.Join(root.keys[:min(len(root.keys), 8)], " ") + "]"
	}
	d.wrong(root.at, "", found, known)
	return nil
}

// ownText: our own form in YAML says what it is in a key of its own, at the start of a line.
var ownText = regexp.MustCompile(`(?m)^["']?evenkeel["']?[ \t]*:`)

// notUTF8 gives the place of the first byte that is no part of UTF-8, or -1.
func notUTF8(src []byte) int {
	if utf8.Valid(src) {
		return -1
	}
	at := 0
	for {
		r, size := utf8.DecodeRune(src[at:])
		if r == utf8.RuneError && size <= 1 {
			return at
		}
		at += size
	}
}

const known = "an advisory: OSV, CSAF 2.0, NVD 2.0, a CVE 5 record, Xen's .meta, XenServer's updateinfo.xml or Evenkeel's own advisory/v1"

// readerOf tells a JSON document's format by its keys; nil when it is none that is known.
func (d *document) readerOf(root *node) func(*node) []advisory.Advisory {
	has := func(key string) bool { return root.object != nil && root.object[key] != nil }
	switch {
	case has("evenkeel"):
		return func(*node) []advisory.Advisory {
			out, mistakes := d.own()
			d.mistakes = mistakes
			return out
		}
	case has("document"):
		return d.csaf
	case has("cveMetadata"), has("dataType") && has("containers"):
		return d.cve
	case has("vulnerabilities"), has("cve"), has("sourceIdentifier"), has("vulnStatus"):
		return d.nvd
	case has("XSA"):
		return d.xenMeta
	case has("vulns"), has("id"):
		return d.osv
	case root.array != nil:
		return d.array
	}
	return nil
}
