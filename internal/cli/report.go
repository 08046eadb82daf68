package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/audit"
	"github.com/evenkeel/evenkeel/internal/execution"
	"github.com/evenkeel/evenkeel/internal/report"
)

func newReport(app *App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "report [CAMPAIGN]",
		Short: "Tell what was promised and what happened, from the journal alone",
		Long: `Tell what was promised and what happened: instances and tenants touched, each promise against what
became of it, interruptions measured, each host's timeline, exposure, and the auditor's verdict on the
journal. It needs nothing but the journal. Exit code 3: the auditor found a violation.`,
		Example: "  evenkeel report -o html --out report.html\n  evenkeel report --journal journal.jsonl",
		Args:    cobra.MaximumNArgs(1),
	}
	src := journalFlags(app, cmd)
	output := cmd.Flags().StringP("output", "o", "text", "text, json or html")
	out := cmd.Flags().String("out", "", "write to this file instead of standard output")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var facts []execution.Fact
		var lines bytes.Buffer
		enc := json.NewEncoder(&lines)
		err := src.read(cmd.Context(), app, args, func(f execution.Fact) error {
			facts = append(facts, f)
			return enc.Encode(f)
		})
		if err != nil {
			return asRefusal(err)
		}
		r, err := report.Fold(facts)
		if err != nil {
			return err
		}
		v, err := audit.Journal(&lines)
		if err != nil {
			return err
		}
		if err := writeReport(app, *output, *out, r, &v); err != nil {
			return err
		}
		if !v.Clean() {
			return Exit(ExitRefused)
		}
		return nil
	}
	return cmd
}

func writeReport(app *App, format, path string, r *report.Report, v *audit.Verdict) error {
	write, known := map[string]func(io.Writer, *report.Report, *audit.Verdict) error{"text": report.Text, "json": report.JSON, "html": report.HTML}[format]
	if !known {
		return fmt.Errorf("-o is %q, expected text, json or html", format)
	}
	if path == "" && format == "text" { // hosts and people have words in it: none may steer a terminal
		var text bytes.Buffer
		if err := write(&text, r, v); err != nil {
			return err
		}
		_, err := io.WriteString(app.Out, printableLines(text.String()))
		return err
	}
	if path == "" {
		return write(app.Out, r, v)
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	if err := write(f, r, v); err != nil {
		f.Close()
		return err
	}
	return f.Close()
}
