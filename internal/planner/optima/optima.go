// Package optima holds small fleets with the fewest waves and moves that any plan of them needs, proven by
// an exact search, and says how far the planner is from them.
//
// It is a measure and nothing else: nothing that people run rests on it, and it never proposes a plan. The
// search (solve.go) shares no code with the planner. Its rules are those that a plan by the profile `bound`
// follows (plan.ToBound): each host has one turn; the turns of a wave are together; what can
// move leaves a host in the host's turn only, for a host of one of its pools that is not in the wave, and holds
// its memory and its domain at both ends until the wave is over; what cannot move stays, saved. Groups spare
// only so many per wave: each one that stays counts, and those that move off one host, one after the other,
// count as one. Members of a spread group share no domain, both ends of a move counted. Host groups spare only
// so many hosts per wave.
//
// Law 6 has planners fill fixed hosts first. The search need not, so its optima may be lower than any lawful
// plan's, and are never higher.
//
// Start reading at Case, then Solve, then Gaps.
package optima

import (
	"bufio"
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
)

//go:embed testdata/cases.jsonl
var committed []byte

// Case is one small fleet. Memory is in GiB; hosts, groups and host groups go by their place in the list.
type Case struct {
	Name       string      `json:"name"`
	Hosts      []Host      `json:"hosts"`
	Instances  []Instance  `json:"instances"`
	Groups     []Group     `json:"groups,omitempty"`
	HostGroups []HostGroup `json:"host_groups,omitempty"`

	Waves int `json:"waves"` // the fewest, proven
	Moves int `json:"moves"` // the fewest in so many waves, proven
	// The planner's lower bounds when the case was proven.
	WavesMin int `json:"waves_min"`
	MovesMin int `json:"moves_min"`
}

// Host is one host of a case.
type Host struct {
	GiB   int   `json:"gib"`
	Pools []int `json:"pools,omitempty"` // none: pool 0
	Rack  int   `json:"rack,omitempty"`  // 0: not known
}

// Instance is one instance of a case.
type Instance struct {
	Host   int  `json:"host"`
	GiB    int  `json:"gib"`
	Group  int  `json:"group,omitempty"` // from 1; 0: none
	Pinned bool `json:"pinned,omitempty"`
}

// Group is a redundancy group of a case.
type Group struct {
	Max    int    `json:"max"`
	Spread string `json:"spread,omitempty"` // host or rack
}

// HostGroup is a host group of a case.
type HostGroup struct {
	Hosts []int `json:"hosts"`
	Max   int   `json:"max"`
}

// Cases gives the committed ones.
func Cases() ([]Case, error) {
	var out []Case
	lines := bufio.NewScanner(bytes.NewReader(committed))
	for n := 1; lines.Scan(); n++ {
		var c Case
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			return nil, fmt.Errorf("cases.jsonl, line %d: %w", n, err)
		}
		out = append(out, c)
	}
	return out, lines.Err()
}
