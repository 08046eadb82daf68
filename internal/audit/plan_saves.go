package audit

import (
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// What a turn saves together goes to one disk, and comes from it again. So its saves are foreseen to take what the
// memory of all needs at a disk's usual rate, and half as much again at worst, or what policy gives one instance
// where that is longer. A turn says so where it is longer: each deadline is set by it.

// diskRate in MiB/s is what a host's disk is taken to write and read.
const diskRate = 200

// memory in MiB of an instance.
func (d *dossier) memory(instance string) int64 {
	if in := d.instances[instance]; in != nil {
		return in.MemoryMiB
	}
	return 0
}

// savings are the saves of a turn that follow each other, each followed by as long a restore: one for each instance
// in a refresh, one for all together in any other; none where nobody is saved.
func (d *dossier) savings(t *plan.Turn) (out []part) {
	for _, s := range d.slotsOf[t.ID] {
		if s.Disposition == plan.DispStatefulStop && (t.Tactic == plan.Refresh || len(out) == 0) {
			out = append(out, d.saving(t, d.savedWith(t, s)))
		}
	}
	return out
}

// savedWith is the memory in MiB that is saved at one time with an instance of a slot: in a refresh its own, in any
// other turn that of all whom the turn saves.
func (d *dossier) savedWith(t *plan.Turn, s *plan.Slot) (mib int64) {
	if t.Tactic == plan.Refresh {
		return d.memory(s.Instance)
	}
	for _, o := range d.slotsOf[t.ID] {
		if o.Disposition == plan.DispStatefulStop {
			mib += d.memory(o.Instance)
		}
	}
	return mib
}

// saving is how long so much memory of a turn's host takes to save.
func (d *dossier) saving(t *plan.Turn, mib int64) part {
	times := d.p.Policy.Times
	needs := needed(times, mib)
	p := part{needs, max(needs, time.Duration(times.SaveMax), seconds(t.SaveMaxS))}
	if t.Tactic != plan.Refresh {
		p.worst = max(p.worst, withMargin(needs))
	}
	return p
}

func needed(times plan.Times, mib int64) time.Duration {
	return time.Duration(times.Save) + time.Duration(mib)*time.Second/diskRate
}

func withMargin(needs time.Duration) time.Duration { return needs + needs/2 }

// limited: a turn's limit for its saves is there where they need longer than policy gives one, and is no longer
// than they need with their margin: an instance that hangs must not be waited for without end.
func (d *dossier) limited(t *plan.Turn) {
	times := d.p.Policy.Times
	var mib int64
	var least, most time.Duration
	if t.Tactic != plan.Refresh {
		for _, s := range d.slotsOf[t.ID] {
			if s.Disposition == plan.DispStatefulStop {
				mib = d.savedWith(t, s)
				least, most = withMargin(needed(times, mib)), withMargin(needed(times, mib)+2*time.Second) // of what rounding makes of it
				break
			}
		}
	}
	limit := max(time.Duration(times.SaveMax), seconds(t.SaveMaxS))
	d.must(limit >= least, 2, "saves-cut-short", ofTurn(t), t.Start, "a save_max_s of at least "+least.String(),
		"turn %s gives its saves %s, and %d MiB together need %s with their margin", t.ID, limit, mib, least)
	d.must(t.SaveMaxS == 0 || seconds(t.SaveMaxS) > time.Duration(times.SaveMax) && seconds(t.SaveMaxS) <= most, 2, "saves-too-long", ofTurn(t), t.Start,
		"no save_max_s, or one above policy's save_max, "+times.SaveMax.String()+", and up to "+most.String(),
		"turn %s gives its saves %d s, and %d MiB together need %s with their margin", t.ID, t.SaveMaxS, mib, least)
}
