package report

import (
	"cmp"
	"time"

	"github.com/evenkeel/evenkeel/internal/execution"
)

// under is the state of a campaign that nothing stops.
func (b *book) under() State {
	if b.r.Supersedes != "" && b.r.ParentEnded.IsZero() {
		return Waiting
	}
	return Running
}

// parent enters what the campaign was told of the one whose place it takes: who stands elsewhere by
// that one's moves, and its end.
func (b *book) parent(f *execution.Fact) {
	if f.Kind == execution.Inherited {
		if g := b.guest(f); g.line.After != f.Host {
			g.line.Before, g.line.After = f.Host, f.Host // what the parent did is told in its own report
		}
		b.event(f, cmp.Or(f.Why, "the campaign before this one left it on "+f.Host))
		return
	}
	b.r.ParentEnded = f.At
	for _, id := range f.Slots { // these that one did not hand over
		if p := b.promises[id]; p != nil {
			p.told = time.Time{}
		}
	}
	if b.r.State == Waiting {
		b.r.State = b.under()
	}
	b.event(f, f.Why)
}
