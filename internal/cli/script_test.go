package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/evenkeel/evenkeel/internal/cli"
	"github.com/evenkeel/evenkeel/lab/smtpsink"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"evenkeel": func() {
			app := &cli.App{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Now: time.Now, Getenv: os.Getenv}
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
			defer stop()
			os.Exit(cli.Main(ctx, app, os.Args[1:])) //nolint:gocritic // the process ends here
		},
	})
}

// TestScripts runs the command line as people do: each script is a small story with its files. The
// mail server is a real one on loopback; the hypervisors are a simulated world in its own process.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			mails := filepath.Join(env.WorkDir, "mails")
			sink, err := smtpsink.Start("127.0.0.1:0", mails, smtpsink.Options{Reject: regexp.MustCompile(`nobody@`)})
			if err != nil {
				return err
			}
			env.Defer(func() { _ = sink.Close() })
			env.Setenv("SMTP", sink.Addr())
			env.Setenv("EVENKEEL_STATE", filepath.Join(env.WorkDir, "state"))
			env.Setenv("EVENKEEL_OPERATOR", "tester")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"eventually": eventually, "mails": mails, "jsonlen": jsonlen, "exits": exits,
		},
		UpdateScripts: os.Getenv("UPDATE_SCRIPTS") != "",
	})
}

// exits CODE COMMAND...: the command must end with that exit code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if err != nil {
		if _, scanErr := fmt.Sscanf(err.Error(), "exit status %d", &got); scanErr != nil {
			ts.Fatalf("%v", err)
		}
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// eventually PATTERN COMMAND...: the command's output matches within two minutes: a silent host is given its time, and machines are busy.
func eventually(ts *testscript.TestScript, _ bool, args []string) {
	re := regexp.MustCompile(args[0])
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		_ = ts.Exec(args[1], args[2:]...) // it may fail at first
		if re.MatchString(ts.ReadFile("stdout")) || re.MatchString(ts.ReadFile("stderr")) {
			return
		}
	}
	ts.Fatalf("never saw %s", args[0])
}

// mails N PATTERN: the mail server holds N mails whose whole text matches.
func mails(ts *testscript.TestScript, _ bool, args []string) {
	re := regexp.MustCompile(args[1])
	files, err := filepath.Glob(ts.MkAbs("mails/*.eml"))
	ts.Check(err)
	n := 0
	for _, f := range files {
		b, err := os.ReadFile(f)
		ts.Check(err)
		if re.Match(b) {
			n++
		}
	}
	if want, _ := strconv.Atoi(args[0]); n != want {
		ts.Fatalf("%d of %d mails match %s, want %d", n, len(files), args[1], want)
	}
}

// jsonlen FILE FIELD N: the field of the JSON object is a list of N.
func jsonlen(ts *testscript.TestScript, _ bool, args []string) {
	var v map[string]json.RawMessage
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &v))
	var list []json.RawMessage
	ts.Check(json.Unmarshal(v[args[1]], &list))
	if strconv.Itoa(len(list)) != args[2] {
		ts.Fatalf("%s of %s has %d entries, want %s", args[1], args[0], len(list), args[2])
	}
}

// TestHelp: every command says in one line what it does, and its help has no leftovers.
func TestHelp(t *testing.T) {
	var out strings.Builder
	app := &cli.App{In: strings.NewReader(""), Out: &out, Err: &out, Now: time.Now, Getenv: func(string) string { return "" }}
	if code := cli.Main(context.Background(), app, []string{"--help"}); code != cli.ExitNothing {
		t.Fatalf("exit %d: %s", code, out.String())
	}
	for _, verb := range []string{"fleet", "assess", "plan", "audit", "notice", "serve", "apply", "watch", "status", "pause", "resume", "abort", "finalize", "hold", "retry", "replan", "report", "journal", "simulate"} {
		if !regexp.MustCompile(`(?m)^  ` + verb + ` +\S`).MatchString(out.String()) {
			t.Errorf("help does not name %s", verb)
		}
	}
}
