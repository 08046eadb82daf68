package advisory

import (
	"slices"
	"time"
)

// standing tells which of several documents are judged by at a moment.
type standing struct {
	as          []Advisory
	now         time.Time
	byID        map[string][]int
	supersedeOf map[string][]int // id -> the documents that take the place of the one of that id
}

func newStanding(as []Advisory, now time.Time) *standing {
	s := &standing{as: as, now: now, byID: map[string][]int{}, supersedeOf: map[string][]int{}}
	for i := range as {
		if s.withdrawn(i) {
			continue // what was withdrawn takes nobody's place
		}
		s.byID[as[i].ID] = append(s.byID[as[i].ID], i)
		for _, id := range as[i].Supersedes {
			s.supersedeOf[id] = append(s.supersedeOf[id], i)
		}
	}
	return s
}

func (s *standing) withdrawn(i int) bool {
	at := s.as[i].Withdrawn
	return !at.IsZero() && !at.After(s.now)
}

// gone says why a document is not judged by; "" when it stands.
func (s *standing) gone(i int) string {
	a := &s.as[i]
	if s.withdrawn(i) {
		return a.ID + " was withdrawn on " + day(a.Withdrawn) + ": not judged by"
	}
	for _, k := range s.supersedeOf[a.ID] {
		if k != i && s.leadsOn(k, i) {
			return a.ID + " is superseded by " + s.as[k].ID + ": not judged by"
		}
	}
	for _, k := range s.byID[a.ID] {
		if b := &s.as[k]; revisions(a, b) && b.Modified.After(a.Modified) {
			return a.ID + " (" + a.Source + ") is an older copy of " + b.Source + ": not judged by"
		}
	}
	return ""
}

// leadsOn: document k, or one that takes its place in turn, is superseded by none. Where they only
// supersede each other in a circle, none of them takes another's place.
func (s *standing) leadsOn(k, from int) bool {
	seen := []int{from, k}
	for n := 1; n < len(seen); n++ {
		next := s.supersedeOf[s.as[seen[n]].ID]
		if len(next) == 0 {
			return true
		}
		for _, x := range next {
			if !slices.Contains(seen, x) {
				seen = append(seen, x)
			}
		}
	}
	return false
}
