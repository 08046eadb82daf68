package explain

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
)

// Choice is one move, and why it goes to this host and to no other.
type Choice struct {
	From     string    `json:"from"`
	To       string    `json:"to"`
	Start    time.Time `json:"start"`
	End      time.Time `json:"end"`
	FreeMiB  int64     `json:"free_mib"`          // on its destination just before it
	Why      Reason    `json:"why"`               // why this one of those that were allowed
	Hosts    int       `json:"hosts"`             // others in the pools of its host
	Allowed  int       `json:"allowed"`           // of these, by every rule, and as good by the fix
	Rank     int       `json:"rank"`              // of the destination among the allowed; 1: the best
	Refused  []Refused `json:"refused,omitempty"` // the others, most first
	Next     []Option  `json:"next,omitempty"`    // the best of the allowed that were not taken
	MostFree int64     `json:"most_free_mib"`     // the most that was free on one of those without room
	// Link is the link of the fleet whose share bounds the move's rate; empty: a NIC's does, or no link is between.
	Link *Reason `json:"link,omitempty"`
}

// Refused counts hosts that one rule refuses.
type Refused struct {
	Code  string `json:"code"`
	Hosts int    `json:"hosts"`
}

// Option is a destination that was allowed.
type Option struct {
	Host    string `json:"host"`
	FreeMiB int64  `json:"free_mib"`
	Wave    int    `json:"wave,omitempty"` // of its own turn, where that is ahead
}

// The codes of why one allowed destination was taken.
const (
	codeMostRoom  = "most-room"     // of the allowed it has most room
	codeFurthest  = "furthest-turn" // its own turn is furthest away
	codeOnly      = "only-one"      // no other is allowed
	codeOneOfMany = "one-of-many"   // others stood before it by the end, or it was packed tighter
)

// picture is the fleet at the instant at which a move starts.
type picture struct {
	*scene
	m     *plan.Move
	wave  int
	i     *fleet.Instance // as it is by then
	from  *fleet.Host
	near  company
	used  []int64      // per host: with all that started before
	later []int64      // what the wave brings there after
	turn  []*plan.Turn // per host: its turn in the wave
}

func (s *scene) pictureOf(m *plan.Move) *picture {
	w := s.waveOf(m)
	l := s.open(w)
	x := &picture{scene: s, m: m, wave: w, i: s.instanceBy(s.ix.Instances[m.Instance], w), from: s.hostBy(s.ix.Hosts[m.From], w),
		near: s.companyOf(s.ix.Instances[m.Instance], m.From, w), used: slices.Clone(l.used), later: make([]int64, len(l.used)), turn: l.turn}
	before := true
	for _, o := range s.waves[w-1].moves {
		switch {
		case o == m:
			before = false
		case o.Home:
		case o.Start.Before(m.Start) || before && o.Start.Equal(m.Start):
			x.used[s.number[o.To]] += s.ix.Instances[o.Instance].MemoryMiB
		default:
			x.later[s.number[o.To]] += s.ix.Instances[o.Instance].MemoryMiB
		}
	}
	return x
}

func (x *picture) free(h *fleet.Host) int64 { return h.MemoryMiB - x.used[x.number[h.ID]] }

// refuses gives the code of what forbids a host, empty when nothing does. best is how good by the fix the
// host must be.
func (x *picture) refuses(h *fleet.Host, best int) string {
	n, t := x.number[h.ID], x.turns[x.m.Turn]
	switch {
	case x.turn[n] != nil:
		return codeInTurn
	case !h.IsUp():
		return fleet.HostUnfit
	case x.level(h.ID, x.wave) < best:
		return codeNotFixed
	case x.free(h) < x.i.MemoryMiB:
		return fleet.NoRoom
	case x.free(h)-x.later[n] < x.i.MemoryMiB:
		return codeBooked
	}
	if why := fleet.CanMove(x.ix, x.i, x.from, x.hostBy(h, x.wave)); why != nil {
		return why.Code
	}
	if x.moveTime(x.i, x.between(x.from, h)) > x.policy.Times.MigrateMax.Std() {
		return codeTooLong
	}
	if own := x.ahead(h.ID, x.wave); own != nil && own.Start.Before(x.m.End.Add(x.policy.MinStay.Std())) {
		return codeMinStay
	}
	if t.Tactic == plan.Refresh && x.level(h.ID, x.wave) != onTheFix {
		return codeNotFixed
	}
	if ok, _ := x.apart(x.near, h, false); !ok {
		return fleet.SpreadForbids
	}
	return ""
}

// choice explains one move.
func (s *scene) choice(m *plan.Move) *Choice {
	x := s.pictureOf(m)
	to := s.ix.Hosts[m.To]
	best := s.level(m.To, x.wave)
	c := &Choice{From: m.From, To: m.To, Start: m.Start, End: m.End, FreeMiB: x.free(to)}
	counts := map[string]int{}
	var allowed []*fleet.Host
	chosen := x.refuses(to, best)
	sharing := chosen == fleet.SpreadForbids && x.shares(to) // as it does on its present host
	for _, n := range s.neighbours(s.ix.Hosts[m.From]) {
		h := s.hosts[n]
		c.Hosts++
		code := x.refuses(h, best)
		if code == fleet.SpreadForbids && sharing && x.shares(h) {
			code = ""
		}
		if code == "" {
			allowed = append(allowed, h)
			continue
		}
		if counts[code]++; code == fleet.NoRoom {
			c.MostFree = max(c.MostFree, x.free(h))
		}
	}
	for code, n := range counts {
		c.Refused = append(c.Refused, Refused{code, n})
	}
	slices.SortFunc(c.Refused, func(a, b Refused) int { return cmp.Or(cmp.Compare(b.Hosts, a.Hosts), compare(a.Code, b.Code)) })
	x.order(allowed, best)
	c.Allowed, c.Rank = len(allowed), slices.Index(allowed, to)+1
	for _, h := range allowed {
		if h != to && len(c.Next) < 3 {
			c.Next = append(c.Next, Option{h.ID, x.free(h), x.ownWave(h.ID)})
		}
	}
	c.Why, c.Link = x.because(c, best), s.slowLink(x.from, to)
	if chosen != "" && !sharing {
		c.Why = Reason{Code: chosen, Host: m.To, Why: "the replay finds no such move allowed: " + m.To + " is one of those " + wordsFor(chosen)}
	}
	return c
}

// shares: the move stays in a domain that it shares with another member already, which makes nothing worse.
func (x *picture) shares(h *fleet.Host) bool {
	ok, _ := x.apart(x.near, h, true)
	return ok
}

// order puts allowed hosts as planning prefers them: fixed ones with most room first, others by how far away
// their own turn is.
func (x *picture) order(hosts []*fleet.Host, best int) {
	slices.SortStableFunc(hosts, func(a, b *fleet.Host) int {
		if best == onTheFix {
			if a.Spare != b.Spare {
				return sign(b.Spare) - sign(a.Spare)
			}
			return cmp.Or(cmp.Compare(x.free(b), x.free(a)), compare(a.ID, b.ID))
		}
		return cmp.Or(cmp.Compare(x.ownWave(b.ID), x.ownWave(a.ID)), compare(a.ID, b.ID))
	})
}

func sign(b bool) int {
	if b {
		return 1
	}
	return 0
}

// ownWave is the wave of a host's turn that is ahead of the move; 0: none is.
func (x *picture) ownWave(host string) int {
	if t := x.ahead(host, x.wave); t != nil {
		return t.Wave
	}
	return 0
}

// because says why this one of the allowed was taken.
func (x *picture) because(c *Choice, best int) Reason {
	r := Reason{Host: c.To, Need: x.i.MemoryMiB, Have: c.FreeMiB}
	switch {
	case c.Allowed == 1:
		r.Code, r.Why = codeOnly, "no other host is allowed by every rule"
	case best == onTheFix && c.Rank == 1:
		r.Code, r.Why = codeMostRoom, fmt.Sprintf("of %d hosts that every rule allows and that are fixed it has most room", c.Allowed)
	case best == onTheFix:
		r.Code, r.Why = codeOneOfMany, fmt.Sprintf("it is fixed, and of %d that every rule allows at that instant the %s by room: a wave's places are given host by host before its clock starts, to the one with most room then, or, where room is scarce, to the one that they fill best", c.Allowed, nth(c.Rank))
	case x.ownWave(c.To) == 0:
		r.Code, r.Why = codeFurthest, "no fixed host can take it, and this one has no turn of its own ahead"
	default:
		r.Code, r.Why = codeFurthest, fmt.Sprintf("no fixed host can take it; of %d others that every rule allows this is the %s by how far away its own turn is (wave %d)", c.Allowed, nth(c.Rank), x.ownWave(c.To))
	}
	return r
}

func nth(n int) string {
	switch {
	case n%100 >= 11 && n%100 <= 13:
	case n%10 == 1:
		return fmt.Sprintf("%dst", n)
	case n%10 == 2:
		return fmt.Sprintf("%dnd", n)
	case n%10 == 3:
		return fmt.Sprintf("%drd", n)
	}
	return fmt.Sprintf("%dth", n)
}
