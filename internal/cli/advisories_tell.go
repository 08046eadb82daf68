package cli

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/feed"
	"github.com/evenkeel/evenkeel/internal/fleet"
)

// told is what `evenkeel advisories watch` says of one document: an object a line with -o json.
type told struct {
	At     time.Time  `json:"at"`
	Event  string     `json:"event"` // new, unusable
	Name   string     `json:"name"`
	Why    string     `json:"why,omitempty"` // it is unusable
	SHA256 string     `json:"sha256,omitempty"`
	Seal   *feed.Seal `json:"seal,omitempty"`
	TLP    string     `json:"tlp,omitempty"`
	// Embargoed: not everybody may know of it yet, with the reasons.
	Embargoed []string            `json:"embargoed,omitempty"`
	IDs       []string            `json:"ids,omitempty"`
	Conflicts []advisory.Conflict `json:"conflicts,omitempty"`
	Impact    *impact             `json:"impact,omitempty"` // nil: no fleet was given
	Forecast  *forecast           `json:"forecast,omitempty"`
}

// impact is what a document alone means for the fleet.
type impact struct {
	Counts    advisory.Counts `json:"counts"`
	Hosts     []string        `json:"hosts"`     // affected
	Instances []string        `json:"instances"` // affected
	Sites     []share         `json:"sites"`
	Tenants   []share         `json:"tenants"`
	// Unknown are the hosts of which it cannot be told; Doubts the first reasons.
	Unknown []string `json:"unknown"`
	Doubts  []string `json:"doubts,omitempty"`
}

// share is what falls to one site or tenant.
type share struct {
	ID               string `json:"id"`
	Hosts            int    `json:"hosts,omitempty"`     // affected
	Instances        int    `json:"instances,omitempty"` // affected
	UnknownHosts     int    `json:"unknown_hosts,omitempty"`
	UnknownInstances int    `json:"unknown_instances,omitempty"`
}

// tell says what a document means, at once. Only then is it remembered.
func (w *advisoriesWatch) tell(d feed.Document) error {
	now := w.app.Now().UTC()
	t := told{At: now, Event: "new", Name: d.Name, Why: d.Why}
	if d.Why != "" {
		t.Event, w.unusable = "unusable", true
		return w.print(&t, nil)
	}
	if err := w.readFleet(); err != nil {
		return fmt.Errorf("%s waits to be told: the fleet cannot be read: %w", d.Name, err)
	}
	t.SHA256, t.Seal, t.TLP = d.SHA256, &d.Seal, d.TLP
	t.Embargoed = embargoWords(d, now)
	for i := range d.Advisories {
		t.IDs = append(t.IDs, d.Advisories[i].ID)
	}
	t.Conflicts = w.conflicts(d.Advisories)
	if w.fleet != nil {
		a := advisory.Assess(w.fleet, nil, d.Advisories, w.policy.StaleAfter.Std(), now)
		t.Impact = impactOf(w.fleet, &a)
		if len(t.Impact.Hosts)+len(t.Impact.Instances) > 0 {
			t.Forecast = w.forecast(d, now)
		}
		if a.Counts.Hosts.Affected+a.Counts.Hosts.Unknown+a.Counts.Instances.Affected+a.Counts.Instances.Unknown > 0 {
			w.affects = true
		}
	}
	if err := w.print(&t, d.Advisories); err != nil {
		return err
	}
	if w.before = append(w.before, d.Advisories...); len(w.before) > mostBefore {
		w.before = slices.Clone(w.before[len(w.before)-mostBefore:])
	}
	return nil
}

// conflicts are the contradictions that new documents bring, among themselves and with those told
// before in this run.
func (w *advisoriesWatch) conflicts(fresh []advisory.Advisory) (out []advisory.Conflict) {
	all := append(slices.Clone(w.before), fresh...)
	known := map[string]bool{}
	for _, c := range advisory.Conflicts(w.before) {
		known[c.What] = true
	}
	for _, c := range advisory.Conflicts(all) {
		if !known[c.What] {
			out = append(out, c)
		}
	}
	return out
}

// embargoWords say why not everybody may know of a document.
func embargoWords(d feed.Document, now time.Time) (out []string) {
	// TLP:CLEAR, formerly WHITE, is for all; UNLABELED says nothing.
	if label := strings.ToUpper(strings.TrimPrefix(d.TLP, "TLP:")); !slices.Contains([]string{"", "WHITE", "CLEAR", "UNLABELED"}, label) {
		out = append(out, "TLP:"+label+": it is not for everybody")
	}
	for i := range d.Advisories {
		if a := &d.Advisories[i]; a.Disclosure.After(now) {
			out = append(out, a.ID+" becomes public "+disclosureWords(a, now))
		}
	}
	return out
}

func impactOf(f *fleet.Fleet, a *advisory.Assessment) *impact {
	out := &impact{Counts: a.Counts, Hosts: []string{}, Instances: []string{}, Unknown: []string{}}
	ix := fleet.NewIndex(f)
	sites, tenants := map[string]*share{}, map[string]*share{}
	of := func(m map[string]*share, id string) *share {
		if m[id] == nil {
			m[id] = &share{ID: cmp.Or(id, "(none)")}
		}
		return m[id]
	}
	siteOf := func(host string) string {
		if s := ix.SiteOf(host); s != nil {
			return s.ID
		}
		return ""
	}
	for _, h := range a.Hosts {
		switch h.Verdict {
		case advisory.IsAffected:
			out.Hosts = append(out.Hosts, h.Host)
			of(sites, siteOf(h.Host)).Hosts++
		case advisory.IsUnknown:
			out.Unknown = append(out.Unknown, h.Host)
			of(sites, siteOf(h.Host)).UnknownHosts++
			for _, why := range append(slices.Clone(h.Evidence), h.Needs) {
				if why = strings.TrimSpace(why); why != "" && !slices.Contains(out.Doubts, why) && len(out.Doubts) < 3 {
					out.Doubts = append(out.Doubts, why)
				}
			}
		}
	}
	for _, i := range a.Instances {
		switch i.Verdict {
		case advisory.IsAffected:
			out.Instances = append(out.Instances, i.Instance)
			of(sites, siteOf(i.Host)).Instances++
			of(tenants, i.Tenant).Instances++
		case advisory.IsUnknown:
			of(sites, siteOf(i.Host)).UnknownInstances++
			of(tenants, i.Tenant).UnknownInstances++
		}
	}
	list := func(m map[string]*share) []share {
		out := []share{}
		for _, id := range slices.Sorted(maps.Keys(m)) {
			out = append(out, *m[id])
		}
		return out
	}
	out.Sites, out.Tenants = list(sites), list(tenants)
	return out
}

// print writes what is told, whole: a line of JSON, or a paragraph for people.
func (w *advisoriesWatch) print(t *told, as []advisory.Advisory) error {
	var text bytes.Buffer
	if w.in.output == "json" {
		e := json.NewEncoder(&text)
		e.SetEscapeHTML(false)
		if err := e.Encode(t); err != nil {
			return err
		}
	} else {
		p := &page{out: &text}
		p.told(t, as)
	}
	if _, err := w.app.Out.Write(text.Bytes()); err != nil {
		return outputError{err}
	}
	return nil
}

// mostNamed is how many hosts, advisories and the like a paragraph names.
const mostNamed = 10

func (p *page) told(t *told, as []advisory.Advisory) {
	if t.Event == "unusable" {
		p.line("%s  unusable: %s", utcMoment(t.At), t.Name)
		p.line("  %s", t.Why)
		p.line("")
		return
	}
	mark := ""
	if len(t.Embargoed) > 0 {
		mark = "  EMBARGOED"
	}
	p.line("%s  new: %s%s", utcMoment(t.At), someOf(t.IDs, mostNamed), mark)
	p.field("from", t.Name)
	for i, why := range t.Embargoed {
		p.field(first(i, "embargo"), why)
	}
	p.field("signature", strings.TrimPrefix(strings.TrimPrefix(t.Seal.Words(), "signature "), "no signature: "))
	for i := range as {
		if i < mostNamed {
			p.brief(&as[i], len(as) > 1)
		}
	}
	for i, c := range t.Conflicts {
		p.field(first(i, "conflict"), c.What)
	}
	if t.Impact != nil {
		p.impact(t.Impact)
	}
	if t.Forecast != nil {
		p.forecast(t.Forecast)
	}
	p.line("")
}

// brief says in a few lines what an advisory says; show says the rest.
func (p *page) brief(a *advisory.Advisory, several bool) {
	if several {
		p.field("advisory", a.ID)
	}
	p.field("summary", oneLine(a.Summary))
	p.field("severity", oneLine(a.Severity))
	if !a.Withdrawn.IsZero() {
		p.field("withdrawn", utcMoment(a.Withdrawn))
	}
	p.affected(a.Affected[:min(len(a.Affected), mostNamed)], "affected")
	if n := len(a.Affected) - mostNamed; n > 0 {
		p.field("", fmt.Sprintf("and %d more", n))
	}
	p.applies(a.Applies)
	for i, x := range a.Payloads {
		if i < mostNamed {
			p.field(first(i, "payload"), payloadWords(x))
		}
	}
	if len(a.Gaps) > 0 {
		p.field("not said", someWords(a.Gaps, 3))
	}
}

func someWords(list []string, most int) string {
	text := strings.Join(list[:min(len(list), most)], "; ")
	if n := len(list) - most; n > 0 {
		text += fmt.Sprintf("; and %d more", n)
	}
	return oneLine(text)
}

func (p *page) impact(i *impact) {
	p.field("hosts", tally(i.Counts.Hosts))
	p.field("instances", tally(i.Counts.Instances))
	if len(i.Hosts) > 0 {
		p.field("affected are", someOf(i.Hosts, mostNamed))
	}
	p.field("sites", shares(i.Sites))
	p.field("tenants", shares(i.Tenants))
	if len(i.Unknown) > 0 {
		p.field("unknown are", someOf(i.Unknown, mostNamed))
		p.field("because", someWords(i.Doubts, 3))
	}
}

func shares(list []share) string {
	var words []string
	for _, s := range list {
		var parts []string
		for _, n := range []struct {
			n    int
			what string
		}{{s.Hosts, "host"}, {s.Instances, "instance"}, {s.UnknownHosts, "unknown host"}, {s.UnknownInstances, "unknown instance"}} {
			if n.n > 0 {
				parts = append(parts, counted(n.n, n.what))
			}
		}
		words = append(words, s.ID+" "+strings.Join(parts, " and "))
	}
	return strings.Join(words, "; ")
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
