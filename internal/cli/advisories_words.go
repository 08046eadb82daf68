package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/evenkeel/evenkeel/internal/advisory"
)

// affectedWords say which versions an entry speaks of.
func affectedWords(e advisory.Affected) string {
	var words []string
	for _, r := range e.Ranges {
		if r.Type != "" && r.Type != "ECOSYSTEM" {
			words = append(words, "a range of "+r.Type+", by which no version can be judged")
			continue
		}
		words = append(words, rangeWords(r)...)
	}
	if len(e.Versions) > 0 {
		words = append(words, someOf(e.Versions, 10))
	}
	text := strings.Join(words, "; ")
	switch e.Status {
	case advisory.StatusFixed:
		return "fixed in " + orWords(text, "versions that are not said")
	case advisory.StatusNotAffected:
		return strings.TrimSuffix("not affected: "+orWords(text, "any version"), ": any version")
	case advisory.StatusUnknown:
		return "under investigation: " + orWords(text, "every version")
	}
	return orWords(text, "affected, in versions that are not said")
}

func orWords(text, none string) string {
	if text == "" {
		return none
	}
	return text
}

// rangeWords say one range, a phrase for each stretch of it.
func rangeWords(r advisory.Range) (out []string) {
	from, open := "", false
	end := func(text string) {
		if from != "" {
			text = "from " + from + ", " + text
		}
		out, open = append(out, text), false
	}
	for _, e := range r.Events {
		switch {
		case e.Introduced != "":
			if open {
				end("no fix named")
			}
			if from, open = e.Introduced, true; from == "0" {
				from = ""
			}
		case e.Fixed != "":
			end("before " + e.Fixed)
		case e.LastAffected != "":
			end("up to " + e.LastAffected + ", no fix named")
		case e.Limit != "":
			end("below " + e.Limit + ", later ones are not looked at")
		}
	}
	if open && from == "" {
		out = append(out, "every version, no fix named")
	} else if open {
		end("no fix named")
	}
	return out
}

// someOf lists texts, at most so many.
func someOf(list []string, most int) string {
	if len(list) <= most {
		return strings.Join(list, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(list[:most], ", "), len(list)-most)
}

func (p *page) applies(cs []advisory.Condition) {
	for i, c := range cs {
		name := first(i, "applies when")
		if i > 0 {
			name = "or when"
		}
		p.field(name, conditionWords(c))
	}
}

func conditionsWords(cs []advisory.Condition) string {
	words := make([]string, len(cs))
	for i, c := range cs {
		words[i] = conditionWords(c)
	}
	return strings.Join(words, ", or ")
}

func conditionWords(c advisory.Condition) string {
	var words []string
	for _, q := range []struct {
		what string
		any  []string
	}{
		{"the guest is", c.GuestTypes}, {"the hypervisor is", c.Hypervisors}, {"the architecture is", c.Arch}, {"the CPU is of", c.CPUVendors},
		{"the CPU's family is", decimal(c.CPUFamilies)}, {"the CPU's model is", decimal(c.CPUModels)}, {"the CPU has", c.CPUFeatures},
	} {
		if len(q.any) > 0 {
			words = append(words, q.what+" "+strings.Join(q.any, " or "))
		}
	}
	if c.Passthrough != nil {
		words = append(words, map[bool]string{true: "the instance has a passed-through device", false: "the instance has no passed-through device"}[*c.Passthrough])
	}
	if s := settings("", c.Config); s != "" {
		words = append(words, s)
	}
	text := orWords(strings.Join(words, " and "), "always")
	if c.Why != "" {
		text += " (" + oneLine(c.Why) + ")"
	}
	return text
}

func decimal(list []int) (out []string) {
	for _, n := range list {
		out = append(out, fmt.Sprint(n))
	}
	return out
}

func settings(before string, config map[string]string) string {
	var words []string
	for k, v := range config {
		words = append(words, k+" is "+v)
	}
	if len(words) == 0 {
		return ""
	}
	slices.Sort(words)
	return before + strings.Join(words, " and ")
}

func payloadWords(x advisory.Payload) string {
	words := []string{x.Kind}
	for _, w := range []struct{ before, text string }{
		{"", x.Name}, {"for ", x.Component}, {"from ", x.Base}, {"to ", x.To}, {"binds to build id ", x.BuildID}, {"at ", x.URL}, {"signature ", x.Signature},
	} {
		if w.text != "" {
			words = append(words, w.before+w.text)
		}
	}
	if x.SHA256 == "" {
		return strings.Join(words, ", ") + ", SHA-256 not said"
	}
	return strings.Join(words, ", ") + ", SHA-256 " + x.SHA256
}

func guidanceWords(g advisory.Guidance) string {
	text := g.Action
	if g.Kind != "" {
		text += " (" + g.Kind + ")"
	}
	if len(g.Tactics) == 0 {
		text += ": no tactic is needed"
	} else {
		text += ": by " + strings.Join(g.Tactics, ", ")
	}
	var from []string
	for _, e := range g.From {
		from = append(from, strings.TrimSpace(e.Package+" "+affectedWords(e)))
	}
	if len(from) > 0 {
		text += "; asked for where installed is " + someOf(from, 5)
	}
	return text
}

// together says which documents are about the same, and where they contradict each other.
func (p *page) together(shared []advisory.Shared, conflicts []advisory.Conflict) {
	for _, s := range shared {
		var docs []string
		for i, id := range s.IDs {
			docs = append(docs, id+" ("+s.Sources[i]+")")
		}
		p.line("same: %s is what these are about: %s", strings.Join(s.Names, ", "), strings.Join(docs, ", "))
	}
	for _, c := range conflicts {
		p.line("conflict: %s", c.What)
	}
}
