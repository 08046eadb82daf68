package parse

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/form"
)

// Own is Evenkeel's own form of an advisory, in YAML or JSON: what an operator knows beyond the
// published documents. With the id or an alias of a published one it adds to what that says.
type Own struct {
	Evenkeel string `json:"evenkeel" yaml:"evenkeel" form:"enum=advisory/v1"`
	ID       string `json:"id" yaml:"id" form:"is=id"`
	// Aliases are other ids of the same vulnerability; Upstream are those of the vulnerabilities
	// that a distribution's own record is about.
	Aliases  []string `json:"aliases,omitempty" yaml:"aliases,omitempty" form:"is=id"`
	Upstream []string `json:"upstream,omitempty" yaml:"upstream,omitempty" form:"is=id"`
	// Supersedes are ids of documents that this one takes the place of.
	Supersedes []string  `json:"supersedes,omitempty" yaml:"supersedes,omitempty" form:"is=id"`
	Summary    string    `json:"summary,omitempty" yaml:"summary,omitempty"`
	Severity   string    `json:"severity,omitempty" yaml:"severity,omitempty"` // a word such as High, or a CVSS vector
	Published  time.Time `json:"published,omitzero" yaml:"published,omitempty"`
	Modified   time.Time `json:"modified,omitzero" yaml:"modified,omitempty"`
	Withdrawn  time.Time `json:"withdrawn,omitzero" yaml:"withdrawn,omitempty"` // absent: it stands
	// Disclosure is when it becomes, or became, public.
	Disclosure time.Time `json:"disclosure,omitzero" yaml:"disclosure,omitempty"`
	// EmbargoDeploy says whether the fix may be deployed before disclosure: yes, only what mitigates
	// (mitigations), no.
	EmbargoDeploy string `json:"embargo_deploy,omitempty" yaml:"embargo_deploy,omitempty" form:"enum=yes|mitigations|no"`
	// Affected says which versions of which packages are affected, fixed or not affected.
	Affected []advisory.Affected `json:"affected,omitempty" yaml:"affected,omitempty"`
	// Applies narrows it: only where one of these conditions holds.
	Applies     []advisory.Condition  `json:"applies,omitempty" yaml:"applies,omitempty"`
	Mitigations []advisory.Mitigation `json:"mitigations,omitempty" yaml:"mitigations,omitempty"`
	Payloads    []advisory.Payload    `json:"payloads,omitempty" yaml:"payloads,omitempty"`
	Guidance    []advisory.Guidance   `json:"guidance,omitempty" yaml:"guidance,omitempty"`
}

// own reads YAML or JSON in Evenkeel's own form.
func (d *document) own() ([]advisory.Advisory, form.Mistakes) {
	var o Own
	tree, mistakes := form.ParseYAML(d.name, d.src)
	mistakes = append(mistakes, (&form.Decoder{}).Decode(tree, "", &o)...)
	if tree.Whole() {
		c := &ownChecker{name: d.name, at: tree}
		c.advisory(&o)
		mistakes = append(mistakes, form.Beyond(mistakes, c.mistakes)...)
	}
	if len(mistakes) > 0 {
		for i, m := range mistakes {
			mistakes[i].Path, mistakes[i].Found = harmless(m.Path), harmless(m.Found)
		}
		return nil, mistakes.Sort()
	}
	return []advisory.Advisory{o.advisory()}, nil
}

func (o *Own) advisory() advisory.Advisory {
	for n := range o.Affected {
		compared(&o.Affected[n])
	}
	for n := range o.Guidance {
		for m := range o.Guidance[n].From {
			compared(&o.Guidance[n].From[m])
		}
	}
	return advisory.Advisory{
		ID: o.ID, Format: advisory.FormatOwn, Aliases: o.Aliases, Upstream: o.Upstream, Supersedes: o.Supersedes,
		Summary: o.Summary, Severity: o.Severity, Published: o.Published, Modified: o.Modified, Withdrawn: o.Withdrawn,
		Disclosure: o.Disclosure, EmbargoDeploy: o.EmbargoDeploy, Affected: o.Affected, Applies: o.Applies,
		Mitigations: o.Mitigations, Payloads: o.Payloads, Guidance: o.Guidance,
	}
}

// compared gives ranges the type that they have unless they say otherwise.
func compared(a *advisory.Affected) {
	for n := range a.Ranges {
		if a.Ranges[n].Type == "" {
			a.Ranges[n].Type = "ECOSYSTEM"
		}
	}
}
