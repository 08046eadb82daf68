// Command evenkeel is the whole product in one binary; this file is wiring.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/evenkeel/evenkeel/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	app := &cli.App{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		Now: time.Now, Getenv: os.Getenv,
		Terminal: term.IsTerminal(int(os.Stdout.Fd())),
	}
	os.Exit(cli.Main(ctx, app, os.Args[1:]))
}
