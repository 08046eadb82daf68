package cli

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// What stands beside a simulated world's hosts: their power supplies and consoles, and somebody who
// mends them.

func newProbe(app *App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "probe --socket PATH status|console HOST",
		Short: "Ask a simulated host's power supply or console, as 'serve --out-of-band' does",
		Example: `  printf '#!/bin/sh\nexec evenkeel simulate probe --socket world.sock "$@"\n' >out-of-band; chmod +x out-of-band
  evenkeel serve --simulated world.sock --out-of-band ./out-of-band`,
		Args: cobra.ExactArgs(2),
	}
	socket := socketFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if args[0] != "status" && args[0] != "console" {
			return fmt.Errorf("found %q, expected status or console", args[0])
		}
		text, err := knock(cmd.Context(), *socket, http.MethodGet, "/"+args[0], args[1])
		if err != nil {
			return err
		}
		_, err = io.WriteString(app.Out, text)
		return err
	}
	return cmd
}

func newMend(*App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "mend --socket PATH HOST",
		Short: "Make a simulated host that came back wrong answer again",
		Args:  cobra.ExactArgs(1),
	}
	socket := socketFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		_, err := knock(cmd.Context(), *socket, http.MethodPost, "/mend", args[0])
		return err
	}
	return cmd
}

func socketFlag(cmd *cobra.Command) *string {
	socket := cmd.Flags().String("socket", "", "the world's socket")
	_ = cmd.MarkFlagRequired("socket") // the flag is there: it was made above
	return socket
}

// knock asks at one of the world's doors for people and scripts, and gives what it says.
func knock(ctx context.Context, socket, method, door, host string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, "http://world"+door+"?host="+url.QueryEscape(host), nil)
	if err != nil {
		return "", err
	}
	world := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}}
	resp, err := world.Do(r)
	if err != nil {
		return "", fmt.Errorf("no simulated world answers at %s: %w", socket, err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("the simulated world refuses: %s", strings.TrimSpace(string(b)))
	}
	return string(b), err
}
