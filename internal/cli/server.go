package cli

import (
	"errors"
	"net/http"
	"os"
	"os/user"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/httpapi"
)

// stateDir is where a server keeps its journal and its socket.
func stateDir(app *App) string {
	if d := app.Getenv("EVENKEEL_STATE"); d != "" {
		return d
	}
	if os.Geteuid() == 0 {
		return "/var/lib/evenkeel"
	}
	if d := app.Getenv("XDG_STATE_HOME"); d != "" {
		return filepath.Join(d, "evenkeel")
	}
	return filepath.Join(app.Getenv("HOME"), ".local", "state", "evenkeel")
}

// serverFlag adds --server to a command that talks to one.
func serverFlag(app *App, cmd *cobra.Command) *string {
	return cmd.Flags().String("server", "", "address of the server, unix:PATH or http://HOST:PORT (default: $EVENKEEL_SERVER, else the socket in the state directory)")
}

func dialServer(app *App, address string) *httpapi.Client {
	if address == "" {
		address = app.Getenv("EVENKEEL_SERVER")
	}
	if address == "" {
		address = "unix:" + filepath.Join(stateDir(app), "evenkeel.sock")
	}
	return httpapi.Dial(address)
}

// operator is the name under which orders go into the journal.
func operator(app *App) string {
	if who := app.Getenv("EVENKEEL_OPERATOR"); who != "" {
		return who
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "unknown"
}

// asRefusal gives refusals of the server their exit code.
func asRefusal(err error) error {
	var p *httpapi.Problem
	if errors.As(err, &p) && p.Status == http.StatusConflict {
		return Refusal{err}
	}
	return err
}
