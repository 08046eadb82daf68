package libvirt

import "time"

// detector tells slow from never. Pre-copy goes in rounds: each sends what was dirtied during the one
// before, so what remains falls to nothing and jumps up again, over and over. It converges when the
// rounds get smaller. So progress is
//   - a round that starts smaller than any before, and
//   - the falling of what remains within such a round (it may take long by itself).
//
// The falling within a round that is no smaller than an earlier one is no progress, however much is
// sent.
type detector struct {
	stuckFor time.Duration // 0: never stuck

	since    time.Time // of the last progress
	round    int64
	smallest uint64 // the smallest round so far
	low      uint64 // the least that remained in this round
	better   bool   // this round is smaller than all before
	last     uint64
}

// least is the smallest difference between rounds that counts: a twentieth, so that chance does not
// keep a hopeless migration alive, and at least grain.
func least(of uint64) uint64 { return max(of/20, grain) }

// grain is the smallest fall within a round that counts: 64 KiB.
const grain = 64 << 10

// stuck takes one look at the job into account: its round and what remains in bytes, at now.
func (d *detector) stuck(now time.Time, round int64, remaining uint64) bool {
	switch {
	case d.since.IsZero():
		d.since, d.smallest, d.better = now, remaining, true
		d.begin(round, remaining)
	case round != d.round || remaining > d.last+least(d.last):
		d.better = remaining+least(d.smallest) <= d.smallest
		if d.better {
			d.smallest, d.since = remaining, now
		}
		d.begin(round, remaining)
	case d.better && remaining+grain <= d.low:
		d.low, d.since = remaining, now
	}
	d.last = remaining
	return d.stuckFor > 0 && now.Sub(d.since) >= d.stuckFor
}

func (d *detector) begin(round int64, remaining uint64) {
	d.round, d.low = round, remaining
}
