// Package store is the port to the journal: the append-only record of facts.
//
// A journal stores facts before anything acts on them and never changes one.
// It decides nothing. Start reading at Journal; sqlite/ is the one that comes
// with the binary; storetest/ is the suite that every journal passes.
package store

import (
	"context"
	"errors"

	"github.com/evenkeel/evenkeel/internal/execution"
)

// ErrConflict says that another controller appended first: the caller's state is old.
var ErrConflict = errors.New("the journal has grown meanwhile: another controller wrote to it")

// ErrNoCampaign says that there is no such campaign.
var ErrNoCampaign = errors.New("no such campaign")

// Journal keeps one sequence of facts per campaign.
type Journal interface {
	// Append stores facts after the fact numbered after (0: the first ones), all or none, durable
	// when it returns. It fills in Seq and gives the facts back. ErrConflict when after is not the last.
	Append(ctx context.Context, campaign string, after int64, facts []execution.Fact) ([]execution.Fact, error)
	// Read gives the facts of a campaign after the one numbered after, in order, until fn errs.
	Read(ctx context.Context, campaign string, after int64, fn func(execution.Fact) error) error
	// Campaigns lists the ids, oldest first.
	Campaigns(ctx context.Context) ([]string, error)
	// NextGeneration gives a number larger than any it gave before: the fence of a new controller.
	NextGeneration(ctx context.Context) (int64, error)
	Close() error
}
