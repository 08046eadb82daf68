package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/evenkeel/evenkeel/internal/execution"
)

// answer is what one start of a chore came to.
type answer struct {
	key   string
	start int64
	facts []execution.Fact
}

type bugError string

func (b bugError) Error() string { return string(b) }

func bug(format string, args ...any) error { return bugError(fmt.Sprintf(format, args...)) }

func (p *Pump) orHalt(ctx context.Context, err error) error {
	var b bugError
	if errors.As(err, &b) {
		return p.halt(ctx, b.Error())
	}
	return err
}

// halt makes a bug a held campaign: what is in flight goes on, nothing new begins.
func (p *Pump) halt(ctx context.Context, why string) error {
	if p.broken {
		return nil // it was said
	}
	p.broken = true
	if len(why) > 4000 {
		why = why[:4000]
	}
	now := p.now()
	_, err := p.journal.Append(ctx, p.state.Campaign, p.last, []execution.Fact{{At: now, Kind: execution.CampaignHalted, Who: execution.Engine,
		Revision: p.state.Revision, Code: execution.CodeBug, Why: why}})
	if err == nil {
		p.last++
		p.state.Phase, p.state.PhaseWhy, p.state.Seq, p.state.At = execution.PhaseHalted, why, p.last, now
	}
	return errors.Join(fmt.Errorf("campaign %s is halted by a bug: %s", p.state.Campaign, why), err)
}

// take stores the answers that came in, all of them in one go: a journal's sync costs more than what
// it syncs. An answer of a start that is not in flight any more was given up: what it says is read
// again from the world, never believed late.
func (p *Pump) take(ctx context.Context) error {
	p.inboxMu.Lock()
	came := slices.Clone(p.inbox)
	p.inboxMu.Unlock()
	var facts []execution.Fact
	var wrong error
	for _, a := range came {
		f, ours := p.inflight[a.key]
		if !ours || f.start != a.start || p.state.Phase == execution.PhaseFinished {
			continue
		}
		p.moment(f, a.facts)
		err := panicked(a.facts)
		if err == nil {
			err = p.sign(a.facts)
		}
		if err != nil {
			wrong = errors.Join(wrong, err)
			continue
		}
		facts = append(facts, a.facts...)
	}
	var b bugError
	if len(facts) > 0 {
		if err := p.append(ctx, facts); errors.As(err, &b) {
			wrong = errors.Join(wrong, err)
		} else if err != nil {
			return err // they stay in the inbox: nothing is lost while the journal cannot be written
		}
	}
	for _, a := range came {
		if p.inflight[a.key].start == a.start {
			delete(p.inflight, a.key)
		}
	}
	p.inboxMu.Lock()
	p.inbox = slices.Delete(p.inbox, 0, len(came))
	p.inboxMu.Unlock()
	if wrong != nil {
		return bug("%v", wrong)
	}
	return nil
}

// moment: a look that began after a fact never lies before it, though the clock that it read may.
func (p *Pump) moment(f flight, facts []execution.Fact) {
	for i := range facts {
		if v := facts[i].Seen; v != nil && v.At.Before(f.since) {
			seen := *v
			seen.At = f.since
			facts[i].Seen = &seen
		}
	}
}

// panicked is the bug that a dispatcher met in a chore, if that is what it reports.
func panicked(facts []execution.Fact) error {
	for _, f := range facts {
		if f.Kind == execution.CampaignHalted && f.Code == execution.CodeBug {
			return bug("%s", f.Why)
		}
	}
	return nil
}
