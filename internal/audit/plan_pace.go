package audit

import (
	"sort"
	"time"

	"github.com/evenkeel/evenkeel/internal/plan"
)

// pace asks whether the campaign goes as fast as policy allows and no faster (law 6): the canary
// alone and soaked, waves in order, and no more of a pool in a turn at once than policy allows.
func (d *dossier) pace() {
	d.canary()
	d.growth()
	d.waves()
	d.awayAtOnce()
	d.awayAtPlaces()
}

// waves: none starts before an earlier one has started, and in one pool none before an earlier one
// has ended.
func (d *dossier) waves() {
	type key struct {
		pool string
		wave int
	}
	starts, ends := map[int]time.Time{}, map[key]time.Time{}
	numbers := []int{}
	for _, t := range d.ordered { // by start: the first of a wave is its start
		if _, seen := starts[t.Wave]; !seen {
			starts[t.Wave] = t.Start
			numbers = append(numbers, t.Wave)
		}
		if k := (key{d.home(t.Host), t.Wave}); t.End.After(ends[k]) {
			ends[k] = t.End
		}
	}
	sort.Ints(numbers)
	for i := 1; i < len(numbers); i++ {
		a, b := numbers[i-1], numbers[i]
		d.must(!starts[b].Before(starts[a]), 6, "wave-order", Subject{}, starts[b], "waves in the order of their numbers",
			"wave %d starts %s, before wave %d at %s", b, clock(starts[b]), a, clock(starts[a]))
	}
	byPool := map[string][]int{}
	for k := range ends {
		byPool[k.pool] = append(byPool[k.pool], k.wave)
	}
	for _, waves := range byPool {
		sort.Ints(waves)
	}
	for _, t := range d.ordered {
		pool := d.home(t.Host)
		waves := byPool[pool]
		i := sort.SearchInts(waves, t.Wave)
		if i == 0 {
			continue
		}
		end := ends[key{pool, waves[i-1]}]
		d.must(!t.Start.Before(end), 6, "wave-overlap", ofTurn(t), t.Start, "a start after the pool's earlier wave, at "+clock(end),
			"turn %s of wave %d starts %s, wave %d of pool %s ends %s", t.ID, t.Wave, clock(t.Start), waves[i-1], pool, clock(end))
	}
}

// awayAtOnce: at most policy's share of a pool's hosts, and at least one, are in a turn at once.
func (d *dossier) awayAtOnce() {
	byPool := map[string][]absence{}
	for _, t := range d.ordered {
		if t.Tactic == plan.LivePatch {
			continue // it takes nobody away
		}
		pool := d.home(t.Host)
		byPool[pool] = append(byPool[pool], absence{span{t.Start, t.End}, t.Host, ofTurn(t)})
	}
	for pool, list := range byPool {
		most := d.mostAway(pool, d.p.Policy.MaxAwayPercent)
		d.checked[5] += len(list)
		for _, c := range crowded(list, nil, most) {
			s := c.who.s
			s.Pool = pool
			d.must(false, 6, "too-many-away", s, c.at, "fewer turns at once, or a higher max_away_percent",
				"%d of the %d hosts of pool %s are in a turn when %s begins its own, at most %d may be", c.n, len(d.homeHosts[pool]), pool, c.who.id, most)
		}
	}
}

// coverage asks whether every host of the fleet is in exactly one of turns, skipped and blocked (law 7).
func (d *dossier) coverage() {
	turns, skipped, blocked, held := map[string]int{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i := range d.p.Turns {
		turns[d.p.Turns[i].Host]++
	}
	for _, k := range d.p.Skipped {
		skipped[k.Host] = true
	}
	for _, b := range d.p.Blocked {
		if b.Instance == "" {
			blocked[b.Host] = true
			continue
		}
		held[b.Host] = true // the instance's host is not turned on its account
		if in := d.instances[b.Instance]; in != nil {
			held[in.Host] = true
		}
	}
	for i := range d.f.Hosts {
		h := d.f.Hosts[i].ID
		n := 0
		for _, in := range []bool{turns[h] > 0, skipped[h], blocked[h]} {
			if in {
				n++
			}
		}
		d.must(n > 0 || held[h], 7, "host-forgotten", Subject{Host: h}, time.Time{}, "a turn, or a word under skipped or blocked", "host %s has no turn and is neither skipped nor blocked", h)
		if patch := d.patchTurn(h); turns[h] == 1 && blocked[h] && !skipped[h] && patch != nil && d.thenReboots(h) {
			n = 1 // its live patch is planned, and its reboot is blocked
		}
		d.must(n <= 1, 7, "host-twice", Subject{Host: h}, time.Time{}, "one of turn, skipped and blocked", "host %s is in %d of turns, skipped and blocked", h, n)
		d.must(turns[h] <= 1 || turns[h] == 2 && d.twins(h), 5, "two-turns", Subject{Host: h}, time.Time{}, "one turn for each host, or a live patch and a reboot that is deferred", "host %s has %d turns", h, turns[h])
	}
}
