// Package cli is the command line: one file a command. A command reads its
// input, calls the pure rooms or the server, prints, and chooses an exit code;
// it decides nothing itself.
//
// Start reading at Main.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
)

// Exit codes of every command.
const (
	ExitNothing = 0 // done, nothing to change
	ExitError   = 1 // could not be done
	ExitChanges = 2 // done, and there is something to do
	ExitRefused = 3 // refused by a law, a policy or the auditor
)

// App is what commands need of the world; tests pass their own.
type App struct {
	In       io.Reader
	Out, Err io.Writer
	Now      func() time.Time
	Getenv   func(string) string
	Terminal bool // Out is a terminal: living lines and colour are welcome
}

// Exit is an error that only carries an exit code; what had to be said has been printed.
type Exit int

func (e Exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// Refusal is an error that ends with ExitRefused.
type Refusal struct{ Err error }

func (r Refusal) Error() string { return r.Err.Error() }

// Unwrap gives the cause.
func (r Refusal) Unwrap() error { return r.Err }

// Main runs one command line and gives the exit code.
func Main(ctx context.Context, app *App, args []string) int {
	root := newRoot(app)
	root.SetArgs(args)
	root.SetIn(app.In)
	root.SetOut(app.Out)
	root.SetErr(app.Err)
	err := root.ExecuteContext(ctx)
	var exit Exit
	var refusal Refusal
	switch {
	case err == nil:
		return ExitNothing
	case errors.As(err, &exit):
		return int(exit)
	case errors.As(err, &refusal):
		fmt.Fprintln(app.Err, "evenkeel: refused:", err)
		return ExitRefused
	}
	fmt.Fprintln(app.Err, "evenkeel:", err)
	return ExitError
}

// newRoot puts the tree of commands together.
func newRoot(app *App) *cobra.Command {
	cobra.EnableCommandSorting = false
	root := &cobra.Command{
		Use:           "evenkeel",
		Short:         "Keep a hypervisor fleet serving while it is patched",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	for _, make := range commands {
		root.AddCommand(make(app))
	}
	return root
}
