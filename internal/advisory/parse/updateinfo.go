package parse

import (
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
)

// updateinfo reads an updateinfo.xml: XenServer's, with live patches by the build that they bind to
// and guidance on what makes an update take effect (xen-api, ocaml/xapi/updateinfo.ml), and the
// general one of RPM repositories, with packages. An update's own id is the advisory's; the CVEs
// that it refers to are upstream of it, since one update fixes several. Updates that are neither
// about security nor carry anything are passed over.
func (d *document) updateinfo() (out []advisory.Advisory) {
	root := d.elements()
	if root == nil {
		return nil
	}
	if root.name != "updates" {
		d.wrong(root.at, "", "<"+cut(root.name, 40)+">", "<updates>, the outermost element of an updateinfo.xml")
		return nil
	}
	_, xapi := root.attrs["xapi-api-version"]
	seen := map[string]bool{}
	for _, e := range root.all("update") {
		u := &update{document: d, e: e, xapi: xapi}
		u.read()
		if xapi && u.ID != "" && seen[u.ID] {
			d.wrong(e.at, e.path(), "the update "+u.ID+" a second time", "each update once")
		}
		seen[u.ID] = true
		if u.kind == "security" || len(u.Affected) > 0 || len(u.Payloads) > 0 {
			out = append(out, u.Advisory)
		}
	}
	return out
}

// update is one <update> being read.
type update struct {
	*document
	advisory.Advisory
	e    *element
	xapi bool   // XenServer's own form
	kind string // security, bugfix, enhancement, newpackage ...
}

func (u *update) read() {
	e := u.e
	u.Format = advisory.FormatUpdateinfo
	u.ID = u.mustText(e, "id", "the update's id")
	u.kind = u.mustAttr(e, "type", "security, bugfix, enhancement ...")
	for _, name := range []string{"title", "summary"} {
		if u.Summary = plain(u.textOf(e, name)); u.Summary != "" {
			break
		}
	}
	if u.kind != "security" {
		u.Summary = strings.TrimSpace("(" + plain(u.kind) + ") " + u.Summary)
	}
	u.Severity = plain(u.textOf(e, "severity"))
	u.Published, u.Modified = u.date("issued"), u.date("updated")
	u.retracted()
	for _, r := range u.references() {
		if strings.EqualFold(r.attrs["type"], "cve") {
			u.Upstream = append(u.Upstream, u.mustAttr(r, "id", "a CVE"))
		}
	}
	u.Upstream = distinct(u.Upstream)
	u.packages()
	u.livePatches()
	u.guidance()
	if len(u.Affected) == 0 {
		u.Gaps = append(u.Gaps, "it lists no affected package: that is missing knowledge, not 'nothing is affected'")
	}
	u.Gaps = distinct(u.Gaps)
}

func (u *update) references() []*element {
	if list := u.one(u.e, "references"); list != nil {
		return list.all("reference")
	}
	return nil
}

// retracted: SUSE takes an update back by its status. From when on is not said: from its last date.
func (u *update) retracted() {
	if u.e.attrs["status"] != "retracted" {
		return
	}
	if u.Withdrawn = u.Modified; u.Withdrawn.IsZero() {
		u.Withdrawn = u.Published
	}
	if u.Withdrawn.IsZero() {
		u.wrong(u.e.at, u.e.path(), `status="retracted" and no date`, "the date of a retracted update, as issued or updated")
	}
	u.Gaps = append(u.Gaps, "it is retracted; since when is not said")
}

// date reads <issued date="..."/>. Feeds write it in several ways, all of them UTC.
func (u *update) date(name string) time.Time {
	e := u.one(u.e, name)
	if e == nil {
		return time.Time{}
	}
	s, there := e.attrs["date"]
	if !there {
		s = e.text
	}
	if s == "" {
		return time.Time{}
	}
	utc := strings.TrimSuffix(strings.TrimSuffix(s, " UTC"), " GMT")
	for _, layout := range []string{time.DateTime, time.RFC3339, "2006-01-02T15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.Parse(layout, utc); err == nil && !t.IsZero() {
			return t.UTC()
		}
	}
	if seconds, err := strconv.ParseInt(s, 10, 64); err == nil && seconds > 0 && seconds < 1<<35 {
		return time.Unix(seconds, 0).UTC()
	}
	u.wrong(e.at, e.path(), quote(s), "a date such as 2026-01-02 03:04:05, in UTC, or seconds since 1970")
	return time.Time{}
}
