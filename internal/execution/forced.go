package execution

import (
	"fmt"
	"strings"
)

// A campaign that was told to end does so once all its turns are in a safe place. Where one cannot get there (its
// host never answers again, an address takes no mail) a person closes the campaign as it is. Nothing new begins; acts
// in flight are waited for, each has a deadline; what was borrowed and not given back, and who was not brought back, is
// named with the turn.

// closing: a person closes the campaign, and taking back what the turn brought was tried, if it was due.
func (s *State) closing(t *TurnState) bool {
	return !s.forced.IsZero() && (t.revert.attempt > 0 || !t.reverts())
}

// forcedEnd ends one turn of a campaign that a person closes.
func (s *State) forcedEnd(t *TurnState) []Fact {
	if t.anyStage(StageMoving, StageStopping, StageBacking, StageHoming) || t.Started && t.Step != StepProve {
		return nil
	}
	why := "the campaign was closed by force"
	if t.Cordoned {
		why += "; its cordon was not given back"
	}
	if t.reverts() {
		why += "; its live patches were not taken back: " + strings.Join(t.revert.names, ", ")
	}
	if t.committed() && t.NewBoot == "" {
		why += "; its reboot was ordered, and nobody saw what it came back as"
	}
	for _, g := range t.sortedGuests() {
		switch {
		case g.Stage == StageStopped:
			why += fmt.Sprintf("; %s, which it stopped, was not brought back", g.ID)
		case g.Sticky != "":
			why += fmt.Sprintf("; %s may run on %s or on %s: its move ended unread", g.ID, g.From, g.Sticky)
		}
	}
	if t.Phase == TurnOnHold {
		why += "; it was held: " + t.Why
	}
	return []Fact{{Kind: TurnDropped, Turn: t.Plan.ID, Host: t.Plan.Host, Code: CodeForced, Why: why}}
}

// allHeard: all notices were accepted or given up; of a campaign that a person closes, each was tried once.
func (s *State) allHeard() bool {
	for _, n := range s.openNotices() {
		if s.forced.IsZero() || n.Attempts == 0 {
			return false
		}
	}
	return true
}

// Leftover is what keeps a campaign that was told to end from it: one line for each turn and notice.
func (s *State) Leftover() (lines []string) {
	for _, id := range s.Active() {
		t := s.Turns[id]
		line := fmt.Sprintf("turn %s is %s", id, t.Phase)
		if t.Step != "" {
			line += " at " + string(t.Step)
		}
		if t.Cordoned {
			line += ", its host is cordoned"
		}
		if n := t.count(StageStopped); n > 0 {
			line += fmt.Sprintf(", %d instances are stopped for it", n)
		}
		if t.Why != "" {
			line += ": " + t.Why
		}
		lines = append(lines, line)
	}
	for _, n := range s.openNotices() {
		lines = append(lines, fmt.Sprintf("notice %s to tenant %s is not accepted: %s", n.Kind, n.Tenant, orElse(n.Why, "it was not tried yet")))
	}
	return lines
}
