package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/store/sqlite"
)

func newJournal(app *App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "journal [CAMPAIGN]",
		Short: "Print a campaign's journal as JSON lines",
		Long: `Print a campaign's journal as JSON lines, from the server or, with --state, from the file that a
server left. 'evenkeel audit --journal' and 'evenkeel report --journal' read what it prints.`,
		Args: cobra.MaximumNArgs(1),
	}
	src := journalFlags(app, cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		enc := json.NewEncoder(app.Out)
		return src.read(cmd.Context(), app, args, func(f execution.Fact) error { return enc.Encode(f) })
	}
	return cmd
}

// journalSource is where a command reads a journal from: a file of JSON lines, a server's state
// directory, or a running server.
type journalSource struct{ server, state, file *string }

func journalFlags(app *App, cmd *cobra.Command) journalSource {
	return journalSource{
		server: serverFlag(app, cmd),
		state:  cmd.Flags().String("state", "", "read the journal in this state directory instead of asking a server"),
		file:   cmd.Flags().String("journal", "", "read this file of JSON lines instead of asking a server (- is standard input)"),
	}
}

func (j journalSource) read(ctx context.Context, app *App, args []string, fn func(execution.Fact) error) error {
	id := ""
	if len(args) == 1 {
		id = args[0]
	}
	switch {
	case *j.file != "":
		return readLines(app, *j.file, fn)
	case *j.state != "":
		return readState(ctx, *j.state, id, fn)
	}
	c := dialServer(app, *j.server)
	id, err := oneCampaign(ctx, c, id)
	if err != nil {
		return err
	}
	return c.Facts(ctx, id, 0, false, fn)
}

func readState(ctx context.Context, dir, id string, fn func(execution.Fact) error) error {
	path := filepath.Join(dir, "journal.db")
	j, err := sqlite.OpenToRead(ctx, path)
	if err != nil {
		return err
	}
	defer j.Close()
	if id == "" {
		ids, err := j.Campaigns(ctx)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			return fmt.Errorf("%s holds no campaign", path)
		}
		id = ids[len(ids)-1]
	}
	return j.Read(ctx, id, 0, fn)
}

func readLines(app *App, path string, fn func(execution.Fact) error) error {
	in := app.In
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	lines := bufio.NewReader(in)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if len(line) > 1 {
			var f execution.Fact
			if bad := json.Unmarshal(line, &f); bad != nil {
				return fmt.Errorf("%s:%d: not a fact: %w", path, n, bad)
			}
			if bad := fn(f); bad != nil {
				return bad
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
