package execution

import (
	"fmt"
	"slices"
	"time"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// Before a campaign ends, every host that it touched is looked at once more: whoever ran before and
// does not run now is named, whatever the cause (law 7).

// touchedHosts are the hosts of turns that began, those that our moves left or reached, and those
// whose last look did not show all that should be there.
func (s *State) touchedHosts() []string {
	hosts := map[string]bool{}
	for _, t := range s.Turns {
		if t.Permitted.IsZero() {
			continue
		}
		hosts[t.Plan.Host] = true
		for _, g := range t.Guests {
			for _, h := range []string{g.From, g.To, g.MovedTo} {
				if h != "" {
					hosts[h] = true
				}
			}
		}
	}
	for _, host := range s.leftBehind() {
		hosts[host] = true
	}
	for id, h := range s.Hosts {
		if len(h.Absent) > 0 {
			hosts[id] = true
		}
	}
	for i := range s.Fleet.Instances { // whoever was seen not to run, wherever that was
		in := &s.Fleet.Instances[i]
		if g := s.Guests[in.ID]; (in.State == "" || in.State == fleet.Running) && g.State != fleet.Running && !g.Gone {
			hosts[g.Host] = true
		}
	}
	return sortedKeys(hosts)
}

// over is when the last turn ended.
func (s *State) over() (at time.Time) {
	for _, t := range s.Turns {
		if t.Ended.After(at) {
			at = t.Ended
		}
	}
	return at
}

// unseen are the touched hosts that were not looked at since all turns were over, or whose last look
// leaves a doubt. A host that does not answer for two minutes is given up,
// and at once where a person closes the campaign.
func (s *State) unseen(now time.Time) (hosts []string) {
	if len(s.waiting) > 0 || len(s.active) > 0 || !s.allHeard() {
		return nil
	}
	over := s.over()
	for _, id := range s.touchedHosts() {
		h := s.host(id)
		switch {
		case !h.Lost.IsZero() && (!s.forced.IsZero() || now.Sub(later(h.Lost, over)) > 2*time.Minute):
		case !h.Lost.IsZero(), h.At.Before(over), s.doubts(id):
			hosts = append(hosts, id)
		}
	}
	return hosts
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// takeStock names those that ran when the campaign began and do not run now, and those that still run
// on software that is not fixed. wait: looks are missing.
func (s *State) takeStock(now time.Time) (facts []Fact, wait bool) {
	if len(s.unseen(now)) > 0 {
		return nil, true
	}
	touched := s.touchedHosts()
	for i := range s.Fleet.Instances {
		in := &s.Fleet.Instances[i]
		g := s.Guests[in.ID]
		if (in.State != "" && in.State != fleet.Running) || s.listed[in.ID] || !slices.Contains(touched, g.Host) {
			continue
		}
		f := Fact{Kind: NotReturned, Host: g.Host, Instance: in.ID, Tenant: in.Tenant}
		switch h := s.host(g.Host); {
		case g.Gone || h.Absent[in.ID] >= looksToBelieve:
			f.Code, f.Why = "gone", "it is not on "+g.Host+" any more; no act of ours removed it"
		case s.unproven[in.ID] != "", s.doubled[in.ID] != nil:
			f.Code, f.Why = "unreachable", "a move of it ended unread: look at "+g.Host+" and at the host it went to"
		case !h.Lost.IsZero():
			f.Code, f.Why = "unreachable", fmt.Sprintf("%s does not answer: %s", g.Host, h.Why)
		case g.State != fleet.Running:
			f.Code, f.Why = string(g.State), "it does not run on "+g.Host
		default:
			var code string
			if code, f.Why = s.stillOld(in.ID, g.Host); code == "" {
				continue
			}
			f.Kind, f.Code = Unfixed, code
		}
		facts = append(facts, f)
	}
	return facts, false
}

// stillOld judges an instance on a host that is done by its own monitor; "" when it is fixed, when its
// monitor does not say, or when its host was not to be fixed. A version that cannot be compared is
// named too, as what it is: people must look, since nothing shows that it is fixed.
func (s *State) stillOld(instance, host string) (code, why string) {
	c := s.cohort(host)
	v := s.host(host).View
	if c == nil || v == nil || !s.fixed[host] {
		return "", ""
	}
	for _, in := range v.Instances {
		if in.ID != instance {
			continue
		}
		for _, pkg := range sortedKeys(c.Packages) {
			have := in.Running[pkg]
			if have == "" {
				continue
			}
			switch r, err := s.order(host, have, c.Packages[pkg]); {
			case err != nil:
				code, why = CodeCannotJudge, fmt.Sprintf("its monitor says %s %s, and whether that is fixed is not known: %v", pkg, have, err)
			case r < 0:
				return CodeStillOld, fmt.Sprintf("its monitor says %s %s, wanted is %s", pkg, have, c.Packages[pkg])
			}
		}
	}
	return code, why
}
