package planner

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// TestShelf: whatever was taken and given back, a shelf and a row find the hosts with room that a look at
// each would, in their order.
func TestShelf(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := &pool{Pool: &fleet.Pool{ID: "p"}, step: rapid.SampledFrom([]int64{1, 3, 10}).Draw(t, "step")}
		n := rapid.IntRange(1, 400).Draw(t, "hosts")
		r := p.rowOf(0)
		for i := range n {
			h := &host{Host: &fleet.Host{ID: fmt.Sprint(i), MemoryMiB: 50}, seq: i, mark: markOf(fmt.Sprint(i)), status: at, pool: p, pools: []*pool{p}, shelved: -1}
			if i%2 == 1 {
				h.status = due
				h.places = []place{{r, len(r.hosts)}}
				r.hosts, r.ranks = append(r.hosts, h), append(r.ranks, i)
			}
			p.hosts = append(p.hosts, h)
		}
		r.build()
		for _, h := range p.hosts {
			h.stand()
		}
		for range rapid.IntRange(1, 60).Draw(t, "changes") {
			h := rapid.SampledFrom(p.hosts).Draw(t, "host")
			switch rapid.IntRange(0, 4).Draw(t, "change") {
			case 0:
				h.inTurn = !h.inTurn
				h.stand()
			default:
				h.take(rapid.Int64Range(-h.used, h.MemoryMiB-h.used).Draw(t, "taken"))
			}
		}
		mib, mark := rapid.Int64Range(1, 50).Draw(t, "asked"), rapid.Uint32().Draw(t, "mark")
		agreeShelf(t, p, mib, mark)
		want := -1
		from := rapid.IntRange(0, len(r.hosts)).Draw(t, "from")
		for i := from; i < len(r.hosts) && want < 0; i++ {
			if h := r.hosts[i]; !h.inTurn && h.free() >= mib {
				want = i
			}
		}
		if got := r.next(from, mib, false); got != want {
			t.Fatalf("the next with %d MiB from %d is %d, found %d", mib, from, want, got)
		}
		if got := r.next(from, mib, true); got != -1 {
			t.Fatalf("%d has a live patch", got)
		}
	})
}

func agreeShelf(t *rapid.T, p *pool, mib int64, mark uint32) {
	var want []*host
	for _, h := range p.hosts {
		if h.status == at && !h.inTurn && h.free() >= mib {
			want = append(want, h)
		}
	}
	slices.SortFunc(want, func(a, b *host) int {
		return or(int(b.free()/p.step-a.free()/p.step), int(int64(a.mark-mark)-int64(b.mark-mark)), a.seq-b.seq)
	})
	for _, tight := range []bool{false, true} {
		var got []*host
		for _, s := range p.shelves {
			if s.most() < mib && len(want) > 0 {
				t.Fatalf("at most %d MiB, and %s has %d", s.most(), want[0].ID, want[0].free())
			}
			for h := range s.from(mib, tight, mark) {
				got = append(got, h)
			}
		}
		switch {
		case !tight && !slices.Equal(got, want):
			t.Fatalf("found %d hosts, expected %d, or another order", len(got), len(want))
		case tight && len(got) != len(want):
			t.Fatalf("tight: found %d hosts, expected %d", len(got), len(want))
		case tight && !slices.IsSortedFunc(got, func(a, b *host) int { return int(a.free()/p.step - b.free()/p.step) }):
			t.Fatal("tight: another order")
		}
	}
}
