package cli

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/form"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// loadFleet reads a fleet file: YAML, or JSON Lines when its name ends in .jsonl; "-" is standard
// input. The error lists every mistake in the file.
func loadFleet(app *App, path string) (*fleet.Fleet, error) {
	f, mistakes, err := parseFleet(app, path)
	if err != nil {
		return nil, err
	}
	return f, unreadable(path, mistakes)
}

// loadTarget reads a target file; "-" is standard input. The error lists every mistake in it.
func loadTarget(app *App, path string) (*plan.Target, error) {
	src, name, err := readInput(app, path)
	if err != nil {
		return nil, err
	}
	t, mistakes := plan.ParseTarget(name, src)
	return t, unreadable(path, mistakes)
}

// loadPolicy reads a policy file over plan.DefaultPolicy; an empty path gives the defaults, "-" is
// standard input. The error lists every mistake in it.
func loadPolicy(app *App, path string) (*plan.Policy, error) { return loadPolicyFor(app, path, nil) }

// loadPolicyFor is loadPolicy for one fleet: what the policy names that the fleet does not have is a mistake. A nil fleet
// is not known, and asks nothing.
func loadPolicyFor(app *App, path string, f *fleet.Fleet) (*plan.Policy, error) {
	if path == "" {
		p := plan.DefaultPolicy()
		return &p, nil
	}
	src, name, err := readInput(app, path)
	if err != nil {
		return nil, err
	}
	p, mistakes := plan.ParsePolicy(name, src)
	if len(mistakes) == 0 && f != nil {
		mistakes = plan.PolicyNames(name, src, p, f)
	}
	return p, unreadable(path, mistakes)
}

// parseFleet reads a fleet file of either form; the error is for a file that cannot be opened.
func parseFleet(app *App, path string) (*fleet.Fleet, form.Mistakes, error) {
	if strings.EqualFold(filepath.Ext(path), ".jsonl") {
		file, err := os.Open(path)
		if err != nil {
			return nil, nil, err
		}
		defer file.Close()
		f, mistakes := fleet.ParseJSONL(path, file)
		return f, mistakes, nil
	}
	src, name, err := readInput(app, path)
	if err != nil {
		return nil, nil, err
	}
	f, mistakes := fleet.Parse(name, src)
	return f, mistakes, nil
}

// momentOf reads --now; empty means the clock's own.
func momentOf(app *App, text string) (time.Time, error) {
	if text == "" {
		return app.Now().UTC(), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil || t.Year() < 1970 || t.Year() >= 3000 { // beyond lies what plans and calendars cannot write
		return t, fmt.Errorf("--now: found %q, expected a moment such as 2026-03-01T08:00:00Z", text)
	}
	return t.UTC(), nil
}

// readInput reads a whole file, or standard input when the path is "-", and gives it a name for
// messages.
func readInput(app *App, path string) (src []byte, name string, err error) {
	if path == "-" {
		src, err = io.ReadAll(app.In)
		return src, "stdin", err
	}
	src, err = os.ReadFile(path)
	return src, path, err
}

// unreadable turns mistakes into one error that lists them all.
func unreadable(path string, mistakes form.Mistakes) error {
	if len(mistakes) == 0 {
		return nil
	}
	return fmt.Errorf("%s cannot be used, mistakes: %d\n%w", path, len(mistakes), mistakes)
}
