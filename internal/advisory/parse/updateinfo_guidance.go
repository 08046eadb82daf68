package parse

import (
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// guidance reads what makes the update take effect. <guidance> takes the place of the three older
// elements, as in XenServer's own reader.
func (u *update) guidance() {
	from := u.applicabilities()
	var old []advisory.Guidance
	for _, o := range []struct{ element, kind string }{
		{"recommended_guidance", "recommended"}, {"absolute_guidance", "absolute"}, {"livepatch_guidance", "livepatch"},
	} {
		if action := plain(u.textOf(u.e, o.element)); action != "" {
			old = append(old, advisory.Guidance{Action: action, Kind: o.kind, From: from})
		}
	}
	list := u.one(u.e, "guidance")
	if list == nil {
		u.Guidance = old
	} else {
		for _, kind := range list.kids {
			for _, value := range kind.all("value") {
				if !isName(value.text) {
					u.wrong(value.at, value.path(), quote(value.text), "what is to be done, such as RebootHost")
				}
				u.Guidance = append(u.Guidance, advisory.Guidance{Action: value.text, Kind: kind.name, From: from})
			}
		}
		for _, o := range old {
			if !slices.ContainsFunc(u.Guidance, func(g advisory.Guidance) bool { return g.Action == o.Action }) {
				u.Gaps = append(u.Gaps, "its older guidance ("+o.Kind+": "+o.Action+") is passed over, since <guidance> takes its place and does not say that")
			}
		}
	}
	u.rebootSuggested()
	for i := range u.Guidance {
		u.tactics(&u.Guidance[i])
	}
}

// rebootSuggested is how general feeds say that a package takes effect by a reboot.
func (u *update) rebootSuggested() {
	for _, list := range u.e.all("pkglist") {
		for _, c := range list.all("collection") {
			for _, p := range c.all("package") {
				if s := p.all("reboot_suggested"); len(s) > 0 && !strings.EqualFold(s[0].text, "false") && s[0].text != "0" {
					u.Guidance = append(u.Guidance, advisory.Guidance{Action: "reboot_suggested", Kind: "recommended"})
					return
				}
			}
		}
	}
}

// The tactics that do what a vendor asks for, least disruptive first.
var (
	evacuates = []string{string(plan.Evacuate)}
	reboots   = []string{string(plan.Evacuate), string(plan.Suspend), string(plan.Reboot)}
	// A moved, restored or restarted instance has a new device model.
	renews = []string{string(plan.Refresh), string(plan.Evacuate), string(plan.Suspend), string(plan.Reboot)}
)

func (u *update) tactics(g *advisory.Guidance) {
	switch g.Action {
	case "RebootHost", "reboot_suggested":
		g.Tactics = reboots
	case "EvacuateHost":
		g.Tactics = evacuates
	case "RestartDeviceModel":
		g.Tactics = renews
	case "RestartVM":
		g.Tactics = []string{string(plan.Reboot)}
		u.Gaps = append(u.Gaps, "RestartVM asks for a stop and a start of each instance: of the tactics only reboot does that, and it reboots the host besides")
	case "RestartToolstack": // a service: no instance notices
	default:
		g.Tactics = reboots
		u.Gaps = append(u.Gaps, quote(g.Action)+" is a guidance that is not known: taken as RebootHost, as XenServer itself does")
	}
}

// applicabilities read for which installed versions the guidance is asked.
func (u *update) applicabilities() (from []advisory.Affected) {
	list := u.one(u.e, "guidance_applicabilities")
	if list == nil {
		return nil
	}
	for _, e := range list.all("applicability") {
		name := u.mustText(e, "name", "the package's name")
		way := u.mustText(e, "inequality", inequalities)
		v := u.evr(e, xenServer, u.textOf(e, "epoch"), u.mustText(e, "version", "a version"), u.mustText(e, "release", "a release"))
		a := advisory.Affected{Ecosystem: xenServer, Package: name, Applies: onArch(u.textOf(e, "arch"))}
		if v == "" || way == "" {
			continue
		}
		if u.bound(&a, e, way, v) {
			from = append(from, a)
		}
	}
	return from
}

const inequalities = "gte, gt, lt, lte or eq"

// bound turns an inequality into a range.
func (u *update) bound(a *advisory.Affected, e *element, way, v string) bool {
	first := advisory.Event{Introduced: "0"}
	var events []advisory.Event
	switch way {
	case "eq":
		a.Versions = []string{v}
		return true
	case "gte":
		events = []advisory.Event{{Introduced: v}}
	case "gt":
		// rpm-version(7): a caret sorts above all that it follows and below all that goes on
		// otherwise, so v^ is the first version above v.
		events = []advisory.Event{{Introduced: v + "^"}}
	case "lt":
		events = []advisory.Event{first, {Fixed: v}}
	case "lte":
		events = []advisory.Event{first, {LastAffected: v}}
	default:
		at := e.all("inequality")[0]
		u.wrong(at.at, at.path(), quote(way), inequalities)
		return false
	}
	a.Ranges = []advisory.Range{{Type: "ECOSYSTEM", Events: events}}
	return true
}
