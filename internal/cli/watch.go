package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/engine"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/httpapi"
)

// exitInterrupted is what a shell reports of a command that Ctrl-C ended.
const exitInterrupted = 130

func newWatch(app *App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "watch [CAMPAIGN]",
		Short: "Watch a campaign until it ends; stopping to watch changes nothing",
		Long: `Watch a campaign until it ends. Ctrl-C stops the watching, never the campaign. On a terminal each
host has one living line; elsewhere each event is one plain line. Exit code 0: finished with every
turn done; 3: finished otherwise; 130: stopped watching.`,
		Args: cobra.MaximumNArgs(1),
	}
	server := serverFlag(app, cmd)
	plain := cmd.Flags().Bool("plain", false, "one line an event, also on a terminal")
	after := cmd.Flags().Int64("after", 0, "begin after the fact with this number")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		c := dialServer(app, *server)
		id := ""
		if len(args) == 1 {
			id = args[0]
		}
		id, err := oneCampaign(cmd.Context(), c, id)
		if err != nil {
			return err
		}
		if app.Terminal && !*plain {
			err = watchLiving(cmd.Context(), app, c, id)
		} else {
			err = watchPlain(cmd.Context(), app.Out, c, id, *after)
		}
		if cmd.Context().Err() != nil {
			fmt.Fprintf(app.Err, "stopped watching; campaign %s goes on\n", id)
			return Exit(exitInterrupted)
		}
		if err != nil {
			return asRefusal(err)
		}
		st, err := c.Status(cmd.Context(), id)
		if err != nil {
			return err
		}
		if st.Phase != execution.PhaseFinished || st.Done != len(st.Turns) {
			return Exit(ExitRefused)
		}
		return nil
	}
	return cmd
}

// watchPlain prints one line an event. A server that is away is waited for: it goes on where it stood.
func watchPlain(ctx context.Context, w io.Writer, c *httpapi.Client, id string, after int64) error {
	away := time.Time{}
	for {
		err := c.Facts(ctx, id, after, true, func(f execution.Fact) error {
			after = f.Seq
			if !away.IsZero() {
				fmt.Fprintln(w, "          the server answers again")
				away = time.Time{}
			}
			if line := sentence(f); line != "" {
				fmt.Fprintf(w, "%s  %s\n", clockTime(f.At), line)
			}
			return nil
		})
		switch {
		case err == nil || ctx.Err() != nil:
			return nil
		case isProblem(err):
			return err
		case away.IsZero():
			away = time.Now()
			fmt.Fprintln(w, "          the server does not answer; hosts and instances run on; waiting for it")
		case time.Since(away) > 10*time.Minute:
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(300 * time.Millisecond):
		}
	}
}

func isProblem(err error) bool { _, is := err.(*httpapi.Problem); return is }

// watchLiving redraws the status in place, twice a second.
func watchLiving(ctx context.Context, app *App, c *httpapi.Client, id string) error {
	lines := 0
	for {
		st, err := c.Status(ctx, id)
		if ctx.Err() != nil {
			return nil
		}
		var b strings.Builder
		switch {
		case isProblem(err):
			return err
		case err != nil:
			b.WriteString("the server does not answer; hosts and instances run on; waiting for it\n")
		default:
			printStatus(&b, st, true)
		}
		if lines > 0 {
			fmt.Fprintf(app.Out, "\x1b[%dA\x1b[J", lines)
		}
		fmt.Fprint(app.Out, b.String())
		lines = strings.Count(b.String(), "\n")
		if err == nil && (st.Phase == execution.PhaseFinished || st.Phase == engine.PhaseFailed) {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// sentence says in words what a fact says; "" for those that only the machine needs.
func sentence(f execution.Fact) string {
	switch f.Kind {
	case execution.CampaignApplied:
		return "campaign " + f.Campaign + " begins: " + f.Why
	case execution.ControllerTook:
		return fmt.Sprintf("controller %d takes over", f.Generation)
	case execution.CampaignPaused, execution.CampaignResumed, execution.CampaignAborted, execution.CampaignHalted:
		return strings.TrimPrefix(string(f.Kind), "campaign-") + " by " + f.Who + because(f.Why)
	case execution.CampaignFinished:
		return "campaign finished: " + f.Code
	case execution.ParentEnded:
		return f.Why + "; this one begins"
	case execution.NoticeAccepted:
		return fmt.Sprintf("notice    %s to %s accepted (%s, %d promises)", f.NoticeKind, f.Tenant, f.Contact, len(f.Slots))
	case execution.NoticeFailed:
		return fmt.Sprintf("notice    %s to %s failed%s", f.NoticeKind, f.Tenant, because(f.Why))
	case execution.TurnPrepares:
		return fmt.Sprintf("%-8s  new software is put on its disk, ahead of its turn", f.Host)
	case execution.TurnPermitted:
		return fmt.Sprintf("%-8s  its turn begins", f.Host)
	case execution.TurnHeld:
		return fmt.Sprintf("%-8s  HELD at %s (%s): %s; next: %s", f.Host, f.Step, f.Code, f.Why, f.Next)
	case execution.TurnReleased:
		return fmt.Sprintf("%-8s  released by %s", f.Host, f.Who)
	case execution.TurnDone:
		return fmt.Sprintf("%-8s  ✔ done", f.Host)
	case execution.TurnDropped:
		return fmt.Sprintf("%-8s  ✕ dropped%s", f.Host, because(f.Why))
	case execution.StepStarted:
		return fmt.Sprintf("%-8s  %s ...", f.Host, f.Step)
	case execution.StepDone:
		return fmt.Sprintf("%-8s  %s done%s", f.Host, f.Step, because(f.Why))
	case execution.StepFailed:
		return fmt.Sprintf("%-8s  %s failed (attempt %d)%s", f.Host, f.Step, f.Attempt, because(f.Why))
	}
	return instanceSentence(f)
}

func instanceSentence(f execution.Fact) string {
	switch f.Kind {
	case execution.MovePlaced:
		return fmt.Sprintf("%-8s  %s → %s ...", f.Instance, f.From, f.To)
	case execution.MoveDone:
		if f.BlackoutMs > 0 {
			return fmt.Sprintf("%-8s  %s → %s done, blackout %d ms", f.Instance, f.From, f.To, f.BlackoutMs)
		}
		return fmt.Sprintf("%-8s  %s → %s done", f.Instance, f.From, f.To)
	case execution.MoveFailed:
		return fmt.Sprintf("%-8s  %s → %s failed (attempt %d; source %s, destination %s)%s", f.Instance, f.From, f.To, f.Attempt, f.Source, f.Destination, because(f.Why))
	case execution.StopStarted:
		return fmt.Sprintf("%-8s  %s on %s ...", f.Instance, f.Disposition, f.From)
	case execution.StopDone:
		return fmt.Sprintf("%-8s  stopped for the turn (%s)", f.Instance, f.Disposition)
	case execution.BackDone:
		return fmt.Sprintf("%-8s  runs again on %s", f.Instance, f.To)
	case execution.StopFailed, execution.BackFailed:
		return fmt.Sprintf("%-8s  %s (attempt %d)%s", f.Instance, f.Kind, f.Attempt, because(f.Why))
	case execution.HostLost:
		return fmt.Sprintf("%-8s  does not answer%s", f.Host, because(f.Why))
	case execution.Overrun:
		return fmt.Sprintf("%-8s  OVERRUN: %s", f.Instance, f.Why)
	case execution.NotReturned:
		return fmt.Sprintf("%-8s  does NOT run (%s): %s", f.Instance, f.Code, f.Why)
	case execution.Unfixed:
		if f.Code == execution.CodeCannotJudge {
			return fmt.Sprintf("%-8s  may still run unfixed software on %s: %s", f.Instance, f.Host, f.Why)
		}
		return fmt.Sprintf("%-8s  still runs unfixed software on %s: %s", f.Instance, f.Host, f.Why)
	case execution.Inherited:
		return fmt.Sprintf("%-8s  stands on %s%s", f.Instance, f.Host, because(f.Why))
	case execution.StaysAway:
		return fmt.Sprintf("%-8s  stays on %s: %s", f.Instance, f.To, f.Why)
	case execution.External:
		return fmt.Sprintf("%-8s  %s on %s: %s", f.Instance, f.Code, f.Host, f.Why)
	}
	return ""
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ": " + firstLine(why)
}
