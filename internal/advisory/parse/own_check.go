package parse

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/form"
	"github.com/evenkeel/evenkeel/internal/version"
)

// ownChecker gathers what is wrong in an advisory whose parts each have the right shape. It is
// stricter than the published formats are read: what an operator wrote can be mended.
type ownChecker struct {
	name     string
	at       form.Positions
	mistakes form.Mistakes
}

func (c *ownChecker) wrong(path, found, expected string) {
	c.mistakes = append(c.mistakes, form.Wrong(c.name, c.at, path, found, expected))
}

func (c *ownChecker) advisory(o *Own) {
	names := []string{o.ID}
	for _, list := range []struct {
		key string
		ids []string
	}{{"aliases", o.Aliases}, {"upstream", o.Upstream}, {"supersedes", o.Supersedes}} {
		for n, id := range list.ids {
			if slices.Contains(names, id) && id != "" {
				c.wrong(fmt.Sprintf("%s[%d]", list.key, n), form.Quote(id)+" a second time", "each id once among id, aliases, upstream and supersedes")
			}
			names = append(names, id)
		}
	}
	if o.Disclosure.Year() >= 3000 {
		c.wrong("disclosure", form.Quote(o.Disclosure.Format("2006-01-02T15:04:05Z07:00")), "a time before the year 3000")
	}
	for n := range o.Affected {
		c.affected(fmt.Sprintf("affected[%d]", n), &o.Affected[n], true)
	}
	c.conditions("applies", o.Applies)
	for n := range o.Payloads {
		c.payload(fmt.Sprintf("payloads[%d]", n), &o.Payloads[n])
	}
	for n, g := range o.Guidance {
		for m := range g.From {
			c.affected(fmt.Sprintf("guidance[%d].from[%d]", n, m), &g.From[m], false)
		}
	}
}

// affected: says is whether it is a statement, and not only a choice of versions.
func (c *ownChecker) affected(path string, a *advisory.Affected, says bool) {
	c.conditions(path+".applies", a.Applies)
	family := version.FamilyOf(a.Ecosystem)
	switch {
	case a.Ecosystem == "":
		return // reported already
	case family == version.NotComparable:
		c.wrong(path+".ecosystem", form.Quote(a.Ecosystem), "an ecosystem whose versions can be compared, with or without a release: "+strings.Join(version.Known(), ", "))
		return
	case family == version.Builds && len(a.Ranges) > 0:
		c.wrong(path+".ranges", "a range of build ids", "versions: a build id is neither older nor newer than another")
		return
	}
	if needs := a.Status == "" || a.Status == advisory.StatusAffected || a.Status == advisory.StatusFixed; says && needs && len(a.Ranges) == 0 && len(a.Versions) == 0 {
		c.wrong(path, "neither ranges nor versions", "one of them; for all versions: ranges: [{events: [{introduced: \"0\"}]}]")
	}
	for n, v := range a.Versions {
		c.version(fmt.Sprintf("%s.versions[%d]", path, n), a.Ecosystem, v)
	}
	for n := range a.Ranges {
		c.versions(fmt.Sprintf("%s.ranges[%d]", path, n), a.Ecosystem, &a.Ranges[n])
	}
}

func (c *ownChecker) version(path, ecosystem, v string) {
	if err := version.Check(ecosystem, v); v != "" && err != nil {
		c.wrong(path, form.Quote(v), "a version of "+ecosystem+": "+err.Error())
	}
}

// versions checks a range as OSV has it: each event is one point, and it starts somewhere.
func (c *ownChecker) versions(path, ecosystem string, r *advisory.Range) {
	if r.Type != "" && r.Type != "ECOSYSTEM" {
		c.wrong(path+".type", form.Quote(r.Type), "ECOSYSTEM, or no type: other ranges are not compared")
	}
	starts, fixed, last := false, false, false
	for n, e := range r.Events {
		at := fmt.Sprintf("%s.events[%d]", path, n)
		set := 0
		for _, point := range []struct{ key, version, any string }{
			{"introduced", e.Introduced, "0"}, {"fixed", e.Fixed, ""}, {"last_affected", e.LastAffected, ""}, {"limit", e.Limit, "*"},
		} {
			if point.version == "" {
				continue
			}
			if set++; point.version != point.any {
				c.version(at+"."+point.key, ecosystem, point.version)
			}
		}
		if set != 1 {
			c.wrong(at, fmt.Sprintf("%d of introduced, fixed, last_affected and limit", set), "exactly one of them in each event")
		}
		starts, fixed, last = starts || e.Introduced != "", fixed || e.Fixed != "", last || e.LastAffected != ""
	}
	switch {
	case !starts:
		c.wrong(path+".events", "no event introduced", "one, such as introduced: \"0\" for the first version")
	case fixed && last:
		c.wrong(path+".events", "fixed and last_affected in one range", "one of them: where both are known, fixed")
	}
}

// conditions: one that asks for nothing would hold everywhere, and is a slip.
func (c *ownChecker) conditions(path string, list []advisory.Condition) {
	for n, one := range list {
		if one.Why = ""; isZero(one) {
			c.wrong(fmt.Sprintf("%s[%d]", path, n), "a condition that asks for nothing", "what must hold, such as guest_types: [hvm]")
		}
	}
}

// isZero: no field is set, and no list or map holds anything.
func isZero(c advisory.Condition) bool {
	v := reflect.ValueOf(c)
	for n := range v.NumField() {
		f := v.Field(n)
		if (f.Kind() == reflect.Slice || f.Kind() == reflect.Map) && f.Len() == 0 {
			continue
		}
		if !f.IsZero() {
			return false
		}
	}
	return true
}

func (c *ownChecker) payload(path string, p *advisory.Payload) {
	if p.Kind == "live-patch" && p.Name == "" {
		c.wrong(path+".name", "nothing", "name: as the host's list shows the live patch")
	}
	if p.BuildID != "" {
		c.version(path+".build_id", version.BuildID, p.BuildID)
	}
	if p.URL == "" && p.Name == "" {
		c.wrong(path, "neither name nor url", "one of them: which file it is")
	}
	for n, id := range p.Requires {
		if !form.Fits("id", id) {
			_, expected := form.Pattern("id")
			c.wrong(fmt.Sprintf("%s.requires[%d]", path, n), form.Quote(id), expected)
		}
	}
}
