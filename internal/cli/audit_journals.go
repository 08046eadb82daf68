package cli

import (
	"fmt"
	"io"
	"os"

	"github.com/evenkeel/evenkeel/internal/audit"
)

func auditJournal(app *App, path string) (v audit.Verdict, err error) {
	err = withJournal(app, path, func(r io.Reader) error {
		v, err = audit.Journal(r)
		return err
	})
	return v, err
}

// withJournal reads a file, or standard input for "-"; an error names it.
func withJournal(app *App, path string, read func(io.Reader) error) error {
	in := app.In
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		in = file
	}
	if err := read(in); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// auditBeside judges journals of campaigns that were open at once. Each holds one campaign that no other holds:
// read twice, a campaign would stand in its own way.
func auditBeside(app *App, paths []string) (audit.Verdict, error) {
	journals, from := make([][]audit.Fact, len(paths)), map[string]string{}
	for i, path := range paths {
		err := withJournal(app, path, func(r io.Reader) error {
			return audit.ReadFacts(r, func(f *audit.Fact) { journals[i] = append(journals[i], *f) })
		})
		if err != nil {
			return audit.Verdict{}, err
		}
		id, err := onlyCampaign(journals[i])
		if err != nil {
			return audit.Verdict{}, fmt.Errorf("%s: %w", path, err)
		}
		if first, is := from[id]; is {
			return audit.Verdict{}, fmt.Errorf("%s and %s both hold campaign %s: name each journal once", first, path, id)
		}
		from[id] = path
	}
	return audit.Journals(journals...), nil
}

// onlyCampaign is the campaign that a journal holds.
func onlyCampaign(facts []audit.Fact) (id string, err error) {
	for i := range facts {
		switch f := &facts[i]; {
		case f.Kind != "campaign-applied" || f.Campaign == id:
		case id != "":
			return "", fmt.Errorf("found campaigns %s and %s, expected one: beside others a journal holds one campaign, as evenkeel journal CAMPAIGN prints it", id, f.Campaign)
		default:
			id = f.Campaign
		}
	}
	if id == "" {
		return "", fmt.Errorf("found no campaign-applied among %d facts, expected a campaign's journal from its first fact", len(facts))
	}
	return id, nil
}
