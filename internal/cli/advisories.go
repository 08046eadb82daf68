package cli

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/advisory"
)

func newAdvisories(app *App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "advisories",
		Short: "Read published advisories, and watch for new ones",
		Long: `Read published advisories, and watch for new ones. Read are OSV, CSAF 2.0 (advisories and VEX),
NVD 2.0, CVE 5 records, Xen's .meta, XenServer's updateinfo.xml and Evenkeel's own advisory/v1;
which one a document is, it tells itself.`,
	}
	cmd.AddCommand(newAdvisoriesShow(app), newAdvisoriesDraft(app), newAdvisoriesWatch(app))
	return cmd
}

// page prints lines; the first error of the output stays.
type page struct {
	out io.Writer
	err error
}

func (p *page) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintln(p.out, strings.TrimRight(printable(fmt.Sprintf(format, args...)), " "))
	}
}

// printable takes out of what documents say whatever could steer a terminal or forge a line.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r): // Cf: marks that turn the direction of text, and the like
			return '?'
		}
		return r
	}, s)
}

// advisory prints one advisory. brief leaves out what a document says at length.
func (p *page) advisory(a *advisory.Advisory, now time.Time) {
	p.line("%s  %s  %s", a.ID, a.Format, a.Source)
	p.field("also", strings.Join(a.Aliases, ", "))
	p.field("about", strings.Join(a.Upstream, ", "))
	p.field("supersedes", strings.Join(a.Supersedes, ", "))
	p.field("summary", oneLine(a.Summary))
	p.field("severity", oneLine(a.Severity))
	p.field("published", dated(a.Published, a.Modified))
	if !a.Withdrawn.IsZero() {
		p.field("withdrawn", utcMoment(a.Withdrawn))
	}
	p.field("disclosure", disclosureWords(a, now))
	p.affected(a.Affected, "affected")
	p.applies(a.Applies)
	for i, m := range a.Mitigations {
		p.field(first(i, "mitigation"), oneLine(m.Text)+settings(", in place where ", m.Config))
	}
	for i, x := range a.Payloads {
		p.field(first(i, "payload"), payloadWords(x))
	}
	for i, g := range a.Guidance {
		p.field(first(i, "guidance"), guidanceWords(g))
	}
	if len(a.Gaps) > 0 {
		p.line("  not said:")
		for _, g := range a.Gaps {
			p.line("    %s", oneLine(g))
		}
	}
	p.line("")
}

func (p *page) field(name, text string) {
	if text != "" {
		p.line("  %-12s %s", name, text)
	}
}

// first names a field on its first line only.
func first(i int, name string) string {
	if i > 0 {
		return ""
	}
	return name
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

func utcMoment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

func dated(published, modified time.Time) string {
	var words []string
	if !published.IsZero() {
		words = append(words, utcMoment(published))
	}
	if !modified.IsZero() && !modified.Equal(published) {
		words = append(words, "modified "+utcMoment(modified))
	}
	return strings.Join(words, ", ")
}

// disclosureWords say when it becomes public, and what may be done before.
func disclosureWords(a *advisory.Advisory, now time.Time) string {
	if a.Disclosure.IsZero() {
		return ""
	}
	if !a.Disclosure.After(now) {
		return utcMoment(a.Disclosure)
	}
	may := map[string]string{
		"yes": "the fix may be deployed before", "no": "the fix may not be deployed before", "mitigations": "only mitigations may be deployed before",
	}[a.EmbargoDeploy]
	if may == "" {
		may = "whether the fix may be deployed before is not said"
	}
	return utcMoment(a.Disclosure) + ", which lies ahead: EMBARGOED; " + may
}

func (p *page) affected(list []advisory.Affected, name string) {
	for i, e := range list {
		subject := e.Ecosystem
		if subject == "" {
			subject = "(ecosystem not said)"
		}
		text := subject + " " + e.Package + ": " + affectedWords(e)
		if len(e.Applies) > 0 {
			text += "; where " + conditionsWords(e.Applies)
		}
		if e.Why != "" {
			text += " (" + oneLine(e.Why) + ")"
		}
		p.field(first(i, name), text)
	}
}
