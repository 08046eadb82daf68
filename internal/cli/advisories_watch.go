package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/evenkeel/evenkeel/internal/advisory"
	"github.com/evenkeel/evenkeel/internal/feed"
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// advisoriesWatchFlags are what `evenkeel advisories watch` was asked.
type advisoriesWatchFlags struct {
	source                 string
	fleet, target, policy  string
	keyring, state, drafts string
	output, since          string
	every                  time.Duration
	once                   bool
}

func newAdvisoriesWatch(app *App) *cobra.Command {
	var in advisoriesWatchFlags
	cmd := &cobra.Command{
		Use:   "watch DIR|URL [--fleet FILE]",
		Short: "Take new advisories from a folder or feed, and say at once what they mean for the fleet",
		Long: `Take new and changed advisories from a folder or a feed, and say at once which hosts, instances,
tenants and sites they affect, by which tactic that could be mended, and how long that would take.
Nothing is changed. Ctrl-C ends it.

A folder is read with the folders below it: files that end in .json, .yaml, .yml, .xml or .meta,
once they are written to the end. Put checksums and signatures beside a document before it.

An address (https, or http) may be
  - one document
  - a CSAF provider: its provider-metadata.json, or https://DOMAIN alone, of which
    /.well-known/csaf/provider-metadata.json is read; its ROLIE feeds, or, where it has none, its
    directories
  - a ROLIE feed; a CSAF directory (an address that ends in / or in changes.csv; without
    changes.csv its index.txt is read)
  - an OSV export: the address of its modified_id.csv
  - a plain index: index.txt, a JSON list or JSON Lines, of addresses or (JSON) of documents
A feed is asked only for what changed. Redirects and links never lead from https to http; a
document has at most 64 MiB; one round asks for at most 500 documents and the next for the rest.

Signatures: CSAF has detached OpenPGP signatures. With --keyring a CSAF document without a good one
by a key of the keyring is refused and named, never shown; so is anything else that comes from a
CSAF provider or ROLIE feed. Keys that a feed itself offers are never used. Without --keyring it is
shown with 'signature not checked'. The other formats have no signature. A .sha256 or .sha512 beside
a document has to agree. Xen's clear-signed advisory-N.txt are not read: its .meta files are.
The SHA-256 of payloads are shown; payloads are never fetched.

For the forecast a target is drafted from the advisory: the fixed versions that it names for the
hosts' ecosystems. --draft saves it; what an advisory does not say it does not hold, such as how a
host is updated. With --target the operator's own target is used instead.

Exit code 0: ended by Ctrl-C, or --once found nothing that affects the fleet; 1: an error; with
--once also 1: a document or list could not be used, and 2: something new affects the fleet, or whether
it does cannot be told.`,
		Example: `  evenkeel advisories watch ./advisories --fleet fleet.yaml --state seen.json
  evenkeel advisories watch https://vendor.example --fleet fleet.yaml --keyring vendor.asc
  evenkeel advisories watch ./advisories --fleet fleet.yaml --state seen.json --once -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in.source = args[0]
			return watchAdvisories(cmd.Context(), app, in)
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.fleet, "fleet", "", "the fleet; read again when the file changes (without it new documents are only shown)")
	f.StringVar(&in.target, "target", "", "the target to forecast with (default: drafted from the advisory)")
	f.StringVar(&in.policy, "policy", "", "the policy (default: careful defaults)")
	f.StringVar(&in.keyring, "keyring", "", "armored OpenPGP public keys that may sign")
	f.DurationVar(&in.every, "every", time.Minute, "how often to look; a folder also tells when it changes")
	f.BoolVar(&in.once, "once", false, "look once, then end")
	f.StringVar(&in.state, "state", "", "a file that remembers what was told (default: only while it runs)")
	f.StringVar(&in.drafts, "draft", "", "a folder to save drafted targets in; nothing there is overwritten")
	f.StringVar(&in.since, "since", "", "of documents that a feed dates, only those that changed since, such as 2026-03-01T00:00:00Z")
	f.StringVarP(&in.output, "output", "o", "table", "table, or json: one object a line")
	return cmd
}

// advisoriesWatch is one run of the command.
type advisoriesWatch struct {
	app    *App
	in     advisoriesWatchFlags
	policy *plan.Policy
	target *plan.Target        // the operator's own; nil: drafted
	named  []advisory.Advisory // that the operator's target names
	fleet  *fleet.Fleet        // nil: none was given
	stamp  string              // of the fleet's file, as it was read last
	before []advisory.Advisory // told in this run, for contradictions

	affects  bool // something told affects the fleet, or may
	unusable bool // a document could not be used
}

// mostBefore bounds what is kept for contradictions with documents to come.
const mostBefore = 5000

func watchAdvisories(ctx context.Context, app *App, in advisoriesWatchFlags) error {
	w := &advisoriesWatch{app: app, in: in}
	source, memory, err := w.open()
	if err != nil {
		return err
	}
	if c, ok := source.(io.Closer); ok {
		defer c.Close()
	}
	fmt.Fprintf(app.Err, "watching %s%s\n", in.source, map[bool]string{true: ", once", false: fmt.Sprintf(", every %s", in.every)}[in.once])
	if in.once {
		return w.once(ctx, source, memory)
	}
	return w.forever(ctx, source, memory)
}

// open reads what was named; mistakes in all of it are told at once.
func (w *advisoriesWatch) open() (feed.Source, *feed.Memory, error) {
	in := w.in
	switch {
	case !slices.Contains([]string{"table", "json"}, in.output):
		return nil, nil, fmt.Errorf("-o %s is not known: use table or json", in.output)
	case in.every < time.Second:
		return nil, nil, fmt.Errorf("--every %s: expected a second or more", in.every)
	case in.fleet == "" && (in.target != "" || in.drafts != ""):
		return nil, nil, errors.New("--target and --draft need a --fleet")
	}
	o := feed.Options{Now: w.app.Now}
	var sinceErr, keyErr, targetErr, namedErr error
	if in.since != "" {
		if o.Since, sinceErr = time.Parse(time.RFC3339, in.since); sinceErr != nil {
			sinceErr = fmt.Errorf("--since: found %q, expected a moment such as 2026-03-01T00:00:00Z", in.since)
		}
	}
	if in.keyring != "" {
		o.Keyring, keyErr = loadKeyring(in.keyring)
	}
	fleetErr := w.readFleet()
	policy, policyErr := loadPolicyFor(w.app, in.policy, w.fleet)
	w.policy = policy
	if in.target != "" {
		if w.target, targetErr = loadTarget(w.app, in.target); targetErr == nil {
			w.named, namedErr = loadAdvisories(w.target, in.target, nil)
		}
	}
	memory, memoryErr := feed.LoadMemory(in.state)
	source, sourceErr := feed.Open(in.source, o)
	err := errors.Join(sinceErr, keyErr, fleetErr, policyErr, targetErr, namedErr, memoryErr, sourceErr)
	return source, memory, err
}

func loadKeyring(path string) (feed.Keyring, error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	ring, err := feed.ReadKeyring(src)
	if err != nil {
		return nil, fmt.Errorf("--keyring %s: %w", path, err)
	}
	return ring, nil
}

// readFleet reads the fleet's file when it is another than before.
func (w *advisoriesWatch) readFleet() error {
	if w.in.fleet == "" || w.in.fleet == "-" && w.fleet != nil {
		return nil
	}
	stamp := ""
	if info, err := os.Stat(w.in.fleet); err == nil {
		stamp = fmt.Sprint(info.Size(), info.ModTime().UnixNano())
	} else if w.in.fleet != "-" {
		return err
	}
	if w.fleet != nil && stamp == w.stamp {
		return nil
	}
	f, err := loadFleet(w.app, w.in.fleet)
	if err != nil {
		return err
	}
	w.fleet, w.stamp = f, stamp
	return nil
}

// settleRounds bounds how often --once looks again at files that are being written.
const settleRounds = 15

func (w *advisoriesWatch) once(ctx context.Context, source feed.Source, memory *feed.Memory) error {
	troubles := 0
	for n := 1; ; n++ {
		sum, err := w.round(ctx, source, memory)
		troubles = sum.Troubles
		if ctx.Err() != nil {
			w.progress("stopped before all was read")
			return Exit(exitInterrupted)
		}
		if err != nil {
			return err
		}
		if sum.Left > 0 {
			w.progress("%d more documents are left: the next round takes them", sum.Left)
		}
		if sum.Waiting == 0 || n == settleRounds {
			if sum.Waiting > 0 {
				w.progress("%d files are still being written: the next round looks at them", sum.Waiting)
			}
			break
		}
		if err := source.Wait(ctx, time.Minute); err != nil {
			return err
		}
	}
	if troubles > 0 && !w.unusable {
		w.progress("%d documents or lists still cannot be used, as was told before", troubles)
	}
	switch {
	case w.affects:
		return Exit(ExitChanges)
	case w.unusable, troubles > 0:
		return Exit(ExitError) // a feed that stays broken must not look calm
	}
	return nil
}

// forever looks again and again until the context ends. What cannot be read is said when that
// begins, when the reason changes and when it ends; then it is known how old the last look is.
func (w *advisoriesWatch) forever(ctx context.Context, source feed.Source, memory *feed.Memory) error {
	good, said := time.Time{}, ""
	for {
		sum, err := w.round(ctx, source, memory)
		var out outputError
		switch {
		case ctx.Err() != nil:
			w.progress("stopped watching")
			return nil
		case errors.As(err, &out):
			return out.err
		case err != nil:
			if err.Error() != said {
				w.progress("%s: %v; what came since %s is not known", w.in.source, err, sinceWords(good))
			}
			said = err.Error()
		default:
			if said != "" {
				w.progress("%s is read again", w.in.source)
			}
			good, said = w.app.Now(), ""
			if sum.New > 0 || sum.Left > 0 {
				w.progress("new documents: %d, left for the next round: %d", sum.New, sum.Left)
			}
		}
		if err := source.Wait(ctx, w.in.every); err != nil {
			w.progress("stopped watching")
			return nil
		}
	}
}

func sinceWords(good time.Time) string {
	if good.IsZero() {
		return "the start"
	}
	return utcMoment(good)
}

// outputError is an output that takes nothing any more: the watch is over.
type outputError struct{ err error }

func (o outputError) Error() string { return o.err.Error() }

// round looks once, and remembers what was told, also when it ends early.
func (w *advisoriesWatch) round(ctx context.Context, source feed.Source, memory *feed.Memory) (feed.Summary, error) {
	sum, err := source.Round(ctx, memory, w.tell)
	if saveErr := memory.Save(); saveErr != nil {
		err = errors.Join(err, fmt.Errorf("--state %s: what was told is not remembered: %w", w.in.state, reasonOf(saveErr)))
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: it was there when watching began", err)
	}
	return sum, err
}

func (w *advisoriesWatch) progress(format string, args ...any) {
	fmt.Fprintln(w.app.Err, printable(fmt.Sprintf("%s  "+format, append([]any{utcMoment(w.app.Now())}, args...)...)))
}
