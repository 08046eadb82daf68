package plan

import (
	"fmt"
	"reflect"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/form"
)

func (c *checker) policy(p *Policy) {
	if len(p.Windows) == 0 {
		c.wrong("windows", "no windows", "at least one: without a window nothing can ever start")
	}
	for n := range p.Windows {
		c.window(fmt.Sprintf("windows[%d]", n), &p.Windows[n], p.Slot)
	}
	for n := range p.Freezes {
		if found, expected := fleet.WrongFreeze(p.Freezes[n].From, p.Freezes[n].To); found != "" {
			c.wrong(fmt.Sprintf("freezes[%d].to", n), found, expected)
		}
	}
	if len(p.Tactics) == 0 {
		c.wrong("tactics", "no tactics", "at least one: without a tactic no host can be served")
	}
	c.onceTactics("tactics", p.Tactics)
	c.once("non_converging", p.NonConverging, "step")
	for n, step := range p.NonConverging {
		if step == "hold" && n+1 < len(p.NonConverging) {
			c.wrong(fmt.Sprintf("non_converging[%d]", n), form.Quote(step)+" with more after it", "hold as the last: a person decides then")
		}
	}
	c.times(p)
	c.gaps(p)
	c.timesFor(p)
	c.limits(p)
}

// gaps: a time between places that may be disrupted at once says nothing.
func (c *checker) gaps(p *Policy) {
	for _, g := range []struct {
		name string
		is   Duration
		on   bool
	}{{"racks", p.StaggerGap.Racks, p.StaggerRacks}, {"sites", p.StaggerGap.Sites, p.StaggerSites}, {"regions", p.StaggerGap.Regions, p.StaggerRegions}} {
		if g.is > 0 && !g.on {
			c.wrong("stagger_gap."+g.name, g.is.String()+" without stagger_"+g.name, "stagger_"+g.name+": true beside it, or no gap")
		}
	}
}

// limits: beyond these a number is a slip, and planning with it would search centuries or make room
// for migrations that no host can carry.
func (c *checker) limits(p *Policy) {
	const longest, most = Duration(3650 * 24 * time.Hour), 1000
	for _, d := range []struct {
		path string
		is   Duration
	}{{"lead.blip", p.Lead.Blip}, {"lead.outage", p.Lead.Outage}, {"soak", p.Soak}, {"min_stay", p.MinStay}, {"slot", p.Slot},
		{"stagger_gap.racks", p.StaggerGap.Racks}, {"stagger_gap.sites", p.StaggerGap.Sites}, {"stagger_gap.regions", p.StaggerGap.Regions}} {
		if d.is > longest {
			c.wrong(d.path, d.is.String(), "at most "+longest.String())
		}
	}
	for _, n := range []struct {
		path string
		is   int
	}{{"moves_per_host", p.MovesPerHost}, {"moves_per_pool", p.MovesPerPool}} {
		if n.is > most {
			c.wrong(n.path, fmt.Sprint(n.is), fmt.Sprintf("at most %d", most))
		}
	}
}

func (c *checker) window(path string, w *WindowRule, slot Duration) {
	if w.Always {
		for _, named := range []struct {
			key string
			set bool
		}{{"start", w.Start != ""}, {"length", w.Length != 0}, {"days", len(w.Days) > 0}, {"timezone", w.Timezone != ""}, {"rrule", w.RRule != ""}, {"from", w.From != ""}} {
			if named.set {
				c.wrong(path+"."+named.key, named.key+" in a window that is always open", "no "+named.key+", or no always")
			}
		}
		return
	}
	if w.Start == "" {
		c.wrong(path+".start", "nothing", "start (a time of day such as \"02:00\"), or always: true")
	}
	c.once(path+".days", w.Days, "day")
	fleet.WrongWindow(len(w.Days) > 0, w.RRule, w.From, func(field, found, expected string) { c.wrong(path+"."+field, found, expected) })
	switch {
	case w.Length == 0:
		c.wrong(path+".length", "nothing", "length (a duration above 0 such as 2h), or always: true")
	case w.Length < slot && reflect.DeepEqual(*w, DefaultPolicy().Windows[0]):
		// Most often no window is named in the text: only the slot can be pointed at.
		c.wrong("slot", slot.String(), "at most "+w.Length.String()+", the length of the window that holds where none is named, or windows that are longer")
	case w.Length < slot:
		c.wrong(path+".length", w.Length.String(), "at least the length of a slot, "+slot.String())
	case w.Length > fleet.LongestWindow:
		c.wrong(path+".length", w.Length.String(), "at most "+fleet.LongestWindow.String()+", after which the window comes again")
	}
}

// times: what is expected is never longer than what is the longest.
func (c *checker) times(p *Policy) {
	t := p.Times
	patch, patchMax := t.livePatch()
	for _, pair := range []struct {
		key            string
		expected, most Duration
	}{
		{"update", t.Update, t.UpdateMax}, {"patch", patch, patchMax}, {"reboot", t.Reboot, t.RebootMax},
		{"migrate", t.MigrateBase, t.MigrateMax}, {"save", t.Save, t.SaveMax},
	} {
		if pair.expected > pair.most {
			c.wrong("times."+pair.key+"_max", pair.most.String(), "at least what is expected, "+pair.expected.String())
		}
	}
}
