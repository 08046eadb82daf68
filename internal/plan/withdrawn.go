package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/form"
	"github.com/evenkeel/evenkeel/internal/version"
)

// Withdraws gives the reason for which a version of a package was withdrawn, as the ecosystem's rules
// tell versions apart: 1.0 and 0:1.0 are one Debian version.
func (t *Target) Withdraws(ecosystem, pkg, v string) (why string, is bool) {
	for _, w := range t.Withdrawn {
		if w.Package == "" || w.Package != pkg && !strings.HasPrefix(pkg, w.Package+"-") && !strings.HasPrefix(w.Package, pkg+"-") {
			continue // qemu is the source of qemu-system-x86: one version of the two is one fix
		}
		for _, bad := range w.Versions {
			if order, err := version.Compare(ecosystem, bad, v); bad == v || err == nil && order == 0 {
				return w.Why, true
			}
		}
	}
	return "", false
}

// WithdrawsPatch gives the reason for which a live patch was withdrawn.
func (t *Target) WithdrawsPatch(name string) (why string, is bool) {
	i := slices.IndexFunc(t.Withdrawn, func(w WithdrawnFix) bool { return w.LivePatch != "" && w.LivePatch == name })
	if i < 0 {
		return "", false
	}
	return t.Withdrawn[i].Why, true
}

// Unsound is a place in a cohort that would give hosts a withdrawn fix.
type Unsound struct {
	Path string // under the cohort, such as packages.qemu-system-x86
	What string // the version, patch or word that is named there
	Why  string // for which it was withdrawn
}

// Unsound lists the places in which a cohort of the target would install what was withdrawn: a wanted
// version, a live patch, or a word of its commands that holds a withdrawn package's version.
func (t *Target) Unsound(k *Cohort) (out []Unsound) {
	for _, pkg := range sortedKeys(k.Packages) {
		if why, is := t.Withdraws(k.Ecosystem, pkg, k.Packages[pkg]); is {
			out = append(out, Unsound{"packages." + pkg, k.Packages[pkg], why})
		}
	}
	for n, p := range k.LivePatches {
		if why, is := t.WithdrawsPatch(p.Name); is {
			out = append(out, Unsound{fmt.Sprintf("live_patches[%d].name", n), p.Name, why})
		}
	}
	for n, word := range k.Update.Command {
		for _, w := range t.Withdrawn {
			if w.in(word) {
				out = append(out, Unsound{fmt.Sprintf("update.command[%d]", n), word, w.Why})
				break
			}
		}
	}
	return out
}

// in tells whether a word of a command names the fix: package and version together, such as
// qemu-system-x86=1:7.2+dfsg-7+deb12u17, or the live patch.
func (w *WithdrawnFix) in(word string) bool {
	if w.LivePatch != "" && whole(word, w.LivePatch) {
		return true
	}
	return w.Package != "" && whole(word, w.Package) &&
		slices.ContainsFunc(w.Versions, func(v string) bool { return whole(word, v) })
}

// whole tells whether a text holds a name that is not part of a longer one.
func whole(text, name string) bool {
	part := func(c byte) bool {
		return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("+~.-", c) >= 0
	}
	for from := 0; name != ""; {
		i := strings.Index(text[from:], name)
		if i < 0 {
			return false
		}
		i, from = i+from, i+from+1
		end := i + len(name)
		if (i == 0 || !part(text[i-1])) && (end == len(text) || !part(text[end])) {
			return true
		}
	}
	return false
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// withdrawn: an entry names versions of a package, or a live patch, so that it takes something out.
func (c *checker) withdrawn(path string, w *WithdrawnFix) {
	switch {
	case w.Package == "" && w.LivePatch == "":
		c.wrong(path, "neither a package nor a live patch", "package with versions, or live_patch: what was withdrawn")
	case w.Package != "" && len(w.Versions) == 0:
		c.wrong(path, "a package without versions", "versions: those that were withdrawn")
	case w.Package == "" && len(w.Versions) > 0:
		c.wrong(path+".versions", "versions without a package", "package: the one that they are versions of")
	}
	c.once(path+".versions", w.Versions, "version")
}

// sound: no cohort wants what the target itself withdraws.
func (c *checker) sound(path string, k *Cohort, t *Target) {
	for _, u := range t.Unsound(k) {
		c.wrong(path+"."+u.Path, form.Quote(u.What)+", which is withdrawn ("+u.Why+")", "a fix that stands, or no cohort that brings it")
	}
}
