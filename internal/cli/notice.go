package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/notice"
	"github.com/evenkeel/evenkeel/internal/plan"
)

func newNotice(app *App) *cobra.Command {
	cmd := &cobra.Command{Use: "notice", Short: "See what tenants are told", RunE: helpOnly}
	cmd.AddCommand(newNoticePreview(app))
	return cmd
}

// previewFlags are what `evenkeel notice preview` was asked.
type previewFlags struct{ plan, fleet, tenant, output, now string }

func newNoticePreview(app *App) *cobra.Command {
	var in previewFlags
	cmd := &cobra.Command{
		Use:   "preview --plan PLAN",
		Short: "Print the mails that applying a plan would send, without sending any",
		Long: `Print the mails that applying a plan would send, without sending any: one for each tenant that the
plan touches, subject, text and page exactly as its mail program gets them. Tenants and contacts
are those that the plan carries with it; --fleet looks at others instead.

A mail goes to a tenant's first contact; the policy's 'undeliverable' says what follows when its
server refuses. An advisory is named only once its disclosure is past, at the moment of --now.

Exit code 0: all mails can be sent; 3: at least one cannot, and its tenant could not be told.`,
		Example: "  evenkeel notice preview --plan plan.json\n  evenkeel notice preview --plan plan.json --tenant acme -o html > acme.html",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return noticePreview(app, in) },
	}
	cmd.Flags().StringVar(&in.plan, "plan", "", "the plan that 'evenkeel plan --out' wrote (required)")
	cmd.Flags().StringVar(&in.fleet, "fleet", "", "the fleet with tenants and contacts (default: the one in the plan)")
	cmd.Flags().StringVar(&in.tenant, "tenant", "", "only the mail to this tenant")
	cmd.Flags().StringVarP(&in.output, "output", "o", "text", "text, html or json")
	cmd.Flags().StringVar(&in.now, "now", "", "the moment of applying, such as 2026-03-01T08:00:00Z (default: now)")
	if err := cmd.MarkFlagRequired("plan"); err != nil {
		panic(err) // a flag of that name was defined just above
	}
	return cmd
}

// previewed is one mail, or why there is none.
type previewed struct {
	Tenant string `json:"tenant"`
	To     string `json:"to,omitempty"` // the contact that is tried first
	Notice string `json:"notice"`
	*notice.Message
	Unsendable []string `json:"unsendable,omitempty"` // what stands in the way
}

func noticePreview(app *App, in previewFlags) error {
	if !slices.Contains([]string{"text", "html", "json"}, in.output) {
		return fmt.Errorf("-o %s is not known: use text, html or json", in.output)
	}
	now, err := momentOf(app, in.now)
	if err != nil {
		return err
	}
	p, f, err := loadPreview(app, in)
	if err != nil {
		return err
	}
	mails, err := previewMails(p, f, in.tenant, now)
	if err != nil {
		return err
	}
	if err := printPreview(app, in.output, mails); err != nil {
		return err
	}
	var stuck []error
	for _, m := range mails {
		for _, why := range m.Unsendable {
			stuck = append(stuck, fmt.Errorf("tenant %s cannot be told: %s", m.Tenant, why))
		}
	}
	if len(stuck) > 0 {
		return Refusal{errors.Join(stuck...)}
	}
	return nil
}

// loadPreview reads the plan and the fleet whose tenants are told.
func loadPreview(app *App, in previewFlags) (*plan.Plan, *fleet.Fleet, error) {
	p, err := loadPlan(app, in.plan)
	if err != nil {
		return nil, nil, err
	}
	f := p.Fleet
	if in.fleet != "" {
		if f, err = loadFleet(app, in.fleet); err != nil {
			return nil, nil, err
		}
	}
	if f == nil {
		return nil, nil, fmt.Errorf("%s does not carry the fleet that it was made from: name it with --fleet", in.plan)
	}
	if plan.FleetDigest(f) != p.FleetDigest {
		fmt.Fprintln(app.Err, "evenkeel: warning: this is not the fleet that the plan was made from: the mails may differ from those that 'evenkeel apply' sends")
	}
	return p, f, nil
}

// previewMails writes the mails of all tenants, or of one.
func previewMails(p *plan.Plan, f *fleet.Fleet, tenant string, now time.Time) ([]previewed, error) {
	mails := []previewed{}
	for _, n := range notice.ForPlan(p, f, now) {
		if tenant != "" && n.Tenant.ID != tenant {
			continue
		}
		mail := previewed{Tenant: n.Tenant.ID, Notice: n.ID}
		if len(n.Tenant.Contacts) > 0 {
			mail.To = n.Tenant.Contacts[0].Email
		}
		m, err := notice.Render(n, now)
		var unsendable *notice.Unsendable
		switch {
		case errors.As(err, &unsendable):
			mail.Unsendable = unsendable.Reasons
		case err != nil:
			return nil, err
		default:
			mail.Message = &m
		}
		mails = append(mails, mail)
	}
	known := slices.ContainsFunc(f.Tenants, func(t fleet.Tenant) bool { return t.ID == tenant })
	if tenant != "" && len(mails) == 0 && !known {
		return nil, fmt.Errorf("--tenant: found %q, expected the id of a tenant in the fleet", tenant)
	}
	return mails, nil
}

func printPreview(app *App, output string, mails []previewed) error {
	if output == "json" {
		out := json.NewEncoder(app.Out)
		out.SetEscapeHTML(false)
		out.SetIndent("", "  ")
		return out.Encode(mails)
	}
	sendable := slices.DeleteFunc(slices.Clone(mails), func(m previewed) bool { return m.Message == nil })
	if len(mails) == 0 {
		_, err := fmt.Fprintln(app.Err, "no mail: the plan interrupts nothing that tenants must hear of")
		return err
	}
	if output == "html" {
		return printPage(app, sendable)
	}
	for n, m := range sendable {
		if _, err := fmt.Fprintf(app.Out, "===== mail %d of %d, to tenant %s =====\nTo: %s\nSubject: %s\nMessage-ID: <%s>\n\n%s\n",
			n+1, len(sendable), visible(m.Tenant), visible(m.To), m.Subject, m.MessageID, m.Text); err != nil {
			return err
		}
	}
	return nil
}

// printPage prints the page of one mail: several would not be a page.
func printPage(app *App, mails []previewed) error {
	switch len(mails) {
	case 0:
		return nil
	case 1:
		_, err := fmt.Fprint(app.Out, mails[0].HTML)
		return err
	}
	var tenants []string
	for _, m := range mails {
		tenants = append(tenants, visible(m.Tenant))
	}
	return fmt.Errorf("-o html shows one mail, and there are %d: choose with --tenant (%s)", len(mails), strings.Join(tenants, ", "))
}

// visible keeps a plan file that somebody else wrote from writing to the terminal what cannot be seen.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return '?'
	}, s)
}
