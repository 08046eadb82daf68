package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

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
				fmt.Fprintf(w, "%s  %s\n", clockTime(f.At), printable(line))
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
		lines = rowsOf(b.String(), widthOf(app.Out))
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

// widthOf is the width of a terminal; 0: not known.
func widthOf(w io.Writer) int {
	f, is := w.(*os.File)
	if !is {
		return 0
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(size.Col)
}

// rowsOf is how many rows of a terminal a text takes: what is wider than the terminal goes on in the next row.
func rowsOf(text string, columns int) int {
	rows := strings.Count(text, "\n")
	if columns < 1 {
		return rows
	}
	for line := range strings.SplitSeq(text, "\n") {
		rows += max(0, utf8.RuneCountInString(line)-1) / columns
	}
	return rows
}
