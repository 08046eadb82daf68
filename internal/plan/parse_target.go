package plan

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/form"
	"github.com/evenkeel/evenkeel/internal/version"
)

func (c *checker) target(t *Target) {
	if len(t.Fixes) == 0 && len(t.Cohorts) == 0 {
		c.wrong("", "a target with neither fixes nor cohorts", "fixes, cohorts or both: what shall be reached")
	}
	c.once("fixes", t.Fixes, "advisory")
	for n, id := range t.Fixes {
		if namesID(t.Public, id) {
			c.wrong("public", form.Quote(t.Public), fmt.Sprintf("words without the id %s (fixes[%d]): tenants read them before disclosure", id, n))
			break
		}
	}
	if t.Disclosure.Year() >= 3000 {
		c.wrong("disclosure", form.Quote(t.Disclosure.Format(time.RFC3339)), "a time before the year 3000")
	}
	for n := range t.Withdrawn {
		c.withdrawn(fmt.Sprintf("withdrawn[%d]", n), &t.Withdrawn[n])
	}
	for n := range t.Cohorts {
		if name := t.Cohorts[n].Name; name != "" && slices.ContainsFunc(t.Cohorts[:n], func(k Cohort) bool { return k.Name == name }) {
			c.wrong(fmt.Sprintf("cohorts[%d].name", n), form.Quote(name)+" a second time", "a name of its own: a cohort is held and released by it")
		}
		c.cohort(fmt.Sprintf("cohorts[%d]", n), &t.Cohorts[n], t)
	}
}

// namesID tells whether a text gives an advisory's id away, in whatever case or punctuation.
func namesID(text, id string) bool {
	bare := func(s string) string { return notWord.ReplaceAllString(strings.ToLower(s), "") }
	return bare(id) != "" && strings.Contains(bare(text), bare(id))
}

var notWord = regexp.MustCompile(`[^\pL\pN]+`)

func (c *checker) cohort(path string, k *Cohort, t *Target) {
	if len(k.Packages) == 0 && len(k.LivePatches) == 0 && len(t.Fixes) == 0 {
		c.wrong(path, "a cohort without packages in a target without fixes", "packages: what shall be reached")
	}
	c.ecosystem(path, k)
	c.livePatches(path+".live_patches", k, t)
	c.then(path, k)
	c.sound(path, k, t)
	if k.Remedy == "live-patch" && len(k.Tactics) > 0 && !slices.Contains(k.Tactics, LivePatch) && !slices.Contains(k.Tactics, "") {
		c.wrong(path+".tactics", listed(k.Tactics), "live-patch among them, since the remedy is live-patch")
	}
	c.onceTactics(path+".tactics", k.Tactics)
	u := k.Update
	if len(u.Command) > 0 && u.Hooks != "" {
		c.wrong(path+".update", "a command and hooks", "one of them")
	}
	for _, cmd := range []struct {
		key   string
		words []string
	}{{"command", u.Command}, {"reboot", u.Reboot}} {
		if len(cmd.words) > 0 && strings.TrimSpace(cmd.words[0]) == "" {
			c.wrong(path+".update."+cmd.key+"[0]", "an empty text", "the name of a command")
		}
	}
}

// ecosystem: the versions must be ones that it can put in order, which build ids have not.
func (c *checker) ecosystem(path string, k *Cohort) {
	if f := version.FamilyOf(k.Ecosystem); f == version.NotComparable || f == version.Builds {
		orderly := slices.DeleteFunc(version.Known(), func(name string) bool { return name == version.BuildID })
		c.wrong(path+".ecosystem", form.Quote(k.Ecosystem), "an ecosystem whose versions have an order, with or without a release such as Debian:12: "+strings.Join(orderly, ", "))
		return
	}
	for pkg, v := range k.Packages {
		if err := version.Check(k.Ecosystem, v); err != nil {
			c.wrong(path+".packages."+pkg, form.Quote(v), versionOf(k.Ecosystem))
		}
	}
}

// versionOf says what a version of an ecosystem looks like.
func versionOf(ecosystem string) string {
	switch version.FamilyOf(ecosystem) {
	case version.RPM:
		return "an RPM version such as 4.17.5-1.2.xs8"
	case version.APK:
		return "an Alpine version such as 7.2.22-r0"
	case version.Releases:
		return "a release such as 4.17.5"
	}
	return "a Debian version such as 1:7.2+dfsg-7+deb12u18"
}

// once reports texts of a list that stand there twice.
func (c *checker) once(path string, list []string, what string) {
	for n, text := range list {
		if slices.Contains(list[:n], text) && text != "" {
			c.wrong(fmt.Sprintf("%s[%d]", path, n), form.Quote(text)+" a second time", "each "+what+" once")
		}
	}
}

func (c *checker) onceTactics(path string, tactics []Tactic) {
	texts := make([]string, len(tactics))
	for n, t := range tactics {
		texts[n] = string(t)
	}
	c.once(path, texts, "tactic")
}

func listed(tactics []Tactic) string {
	words := make([]string, len(tactics))
	for n, t := range tactics {
		words[n] = string(t)
	}
	return strings.Join(words, ", ")
}
