package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/form"
)

// reboots lists the tactics that bring a host's packages into what it booted.
var reboots = []Tactic{Evacuate, Suspend, Reboot}

// then: the reboot that follows the live patches needs versions by which it is known to be done, and a
// tactic.
func (c *checker) then(path string, k *Cohort) {
	if k.Then == "" {
		return
	}
	if k.Remedy != "live-patch" {
		c.wrong(path+".then", k.Then+" where the remedy is "+form.Quote(cmp.Or(k.Remedy, "reboot")), "then only where the remedy is live-patch: the reboot follows the live patch")
	}
	if len(k.Packages) == 0 {
		c.wrong(path+".then", k.Then+" in a cohort without packages", "packages: the versions that the reboot brings, and by which it is known to be done")
	}
	may := func(t Tactic) bool { return slices.Contains(reboots, t) }
	if len(k.Tactics) > 0 && !slices.ContainsFunc(k.Tactics, may) && !slices.Contains(k.Tactics, "") {
		c.wrong(path+".tactics", listed(k.Tactics), "one of evacuate, suspend and reboot among them, since then: reboot follows the live patch")
	}
}

// replaces: what replaces all that is applied comes first of those for its build, for it would take those
// before it away; and only a file that we apply ourselves can be told to.
func (c *checker) replaces(path string, k *Cohort, n int) {
	p := k.LivePatches[n]
	if !p.Replace {
		return
	}
	if !p.uploaded() {
		c.wrong(path+".replace", "replace in a patch that the update command brings", "replace only with component xen and a file: only then is it told how to apply it")
	}
	for _, o := range k.LivePatches[:n] {
		if o.Component == p.Component && (o.BuildID == "" || p.BuildID == "" || strings.EqualFold(o.BuildID, p.BuildID)) {
			c.wrong(path+".replace", "replace after "+form.Quote(o.Name)+" for the same build", "replace in the first of the patches for a build: it would take away those before it")
			return
		}
	}
}

// livePatches: each patch once for a build, and for advisories that the target fixes.
func (c *checker) livePatches(path string, k *Cohort, t *Target) {
	for n, p := range k.LivePatches {
		at := fmt.Sprintf("%s[%d]", path, n)
		if slices.ContainsFunc(k.LivePatches[:n], func(o WantedPatch) bool { return o.Name == p.Name && o.BuildID == p.BuildID }) {
			c.wrong(at, form.Quote(p.Name)+" for the same build a second time", "each live patch once for a build")
		}
		for i, id := range p.Fixes {
			if !slices.Contains(t.Fixes, id) {
				c.wrong(fmt.Sprintf("%s.fixes[%d]", at, i), form.Quote(id), "one of the advisories that the target fixes")
			}
		}
		c.once(at+".fixes", p.Fixes, "advisory")
		if p.File != "" && p.SHA256 == "" {
			c.wrong(at+".file", "a file without sha256", "sha256: of its bytes, without which nobody approved what would be uploaded")
		}
		if !p.uploaded() && slices.ContainsFunc(k.LivePatches, WantedPatch.uploaded) {
			c.wrong(at, "a live patch that the update command brings beside one with a file, which nobody would upload then", "component xen and a file in each live patch of the cohort, or no file in any: the update command brings them all then")
		}
		c.replaces(at, k, n)
	}
}
