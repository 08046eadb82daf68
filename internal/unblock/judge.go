package unblock

import (
	"github.com/evenkeel/evenkeel/internal/fleet"
	"github.com/evenkeel/evenkeel/internal/plan"
	"github.com/evenkeel/evenkeel/internal/planner"
)

// subject is a host or an instance.
type subject struct{ kind, id string }

func subjectOf(b plan.Blocked) subject {
	if b.Host != "" {
		return subject{"host", b.Host}
	}
	return subject{"instance", b.Instance}
}

// blockers are the codes by which things are blocked.
type blockers map[subject]map[string]bool

func blockersOf(list []plan.Blocked) blockers {
	out := blockers{}
	for _, b := range list {
		out.add(b)
	}
	return out
}

func (all blockers) add(b plan.Blocked) {
	who := subjectOf(b)
	if all[who] == nil {
		all[who] = map[string]bool{}
	}
	all[who][b.Code] = true
}

// ruling is what a changed plan means for a cause.
type ruling struct {
	freed  bool           // none of its hosts and instances is blocked by its code, and nobody else is who was not
	hidden []plan.Blocked // what showed up on them behind it; empty: they are free, but for causes told beside it
}

func (r ruling) wholly() bool { return r.freed && len(r.hidden) == 0 }

// judged compares what a plan of changed input blocks with what the one before did.
func (s *search) judged(blocked []plan.Blocked) ruling {
	r := ruling{freed: true}
	for _, b := range blocked {
		who := subjectOf(b)
		switch before := s.before[who]; {
		case s.own[who] && b.Code == s.g.code:
			return ruling{hidden: []plan.Blocked{b}}
		case before[b.Code] && b.Code != codeOfInstance: // another cause of the same thing, or of another
		case s.own[who]:
			r.hidden = append(r.hidden, b)
		case b.Code == codeOfInstance && s.member[b.Host]:
			// Its instances say why.
		case s.member[s.hostOf(b)]:
			r.hidden = append(r.hidden, b)
		case before == nil:
			return ruling{hidden: []plan.Blocked{b}}
		}
	}
	return r
}

// hostOf is the host that something blocked is, or was on when the plan was made.
func (s *search) hostOf(b plan.Blocked) string {
	if b.Host != "" {
		return b.Host
	}
	if i := s.ix.Instances[b.Instance]; i != nil {
		return i.Host
	}
	return ""
}

// newSearch prepares to study one cause in one view of the fleet, whose plan blocks so much.
func (b *study) newSearch(in planner.Input, blocked []plan.Blocked, g *blockage) *search {
	s := &search{in: in, g: g, study: b, ix: fleet.NewIndex(in.Fleet), before: blockersOf(blocked), own: map[subject]bool{}, member: map[string]bool{}, left: attempts}
	s.aim = s.judged
	for _, o := range g.own {
		s.own[subjectOf(o)] = true
	}
	for _, h := range g.hosts() {
		s.member[h] = true
	}
	return s
}

// shows: the cause is there in this view too.
func (s *search) shows() bool {
	for _, b := range s.g.own {
		if !s.before[subjectOf(b)][b.Code] {
			return false
		}
	}
	return true
}
