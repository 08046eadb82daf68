package plan

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// TestLongListsWriteTheSame: element by element, a plan gives the text and the digest that it has as a whole.
func TestLongListsWriteTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawLong(t)
		var whole, parts bytes.Buffer
		e := json.NewEncoder(&whole)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(p); err != nil {
			t.Fatal(err)
		}
		if err := Write(&parts, p); err != nil || !bytes.Equal(whole.Bytes(), parts.Bytes()) {
			t.Fatalf("%v\nas a whole:\n%s\nin parts:\n%s", err, whole.String(), parts.String())
		}
		if got, want := FleetDigest(p.Fleet), digestOf(t, p.Fleet); got != want {
			t.Fatalf("the fleet's digest is %s, as a whole %s", got, want)
		}
		bare := p
		bare.Digest, bare.Fleet, bare.Causes, bare.Summary = "", nil, nil, nil
		if got, want := Digest(p), digestOf(t, bare); got != want {
			t.Fatalf("the plan's digest is %s, as a whole %s", got, want)
		}
	})
}

func digestOf(t *rapid.T, v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256(text)
	return hex.EncodeToString(digest[:])
}

// drawLong draws a plan with lists of no, one and more elements, whose texts look like the JSON around them.
func drawLong(t *rapid.T) Plan {
	word := func() string {
		return rapid.SampledFrom([]string{"", "a", `"turns":[`, `"turns": [` + "\n    {", "<b>&", "\u2028", `\`, "é"}).Draw(t, "word")
	}
	many := func(what string) int { return rapid.IntRange(0, 3).Draw(t, what) }
	p := Plan{Evenkeel: SchemaV1, Campaign: word(), Policy: DefaultPolicy(), Verdict: word(), Start: time.Unix(1, 0).UTC()}
	for range many("turns") {
		p.Turns = append(p.Turns, Turn{ID: "h", Host: "h", Why: word()})
	}
	for range many("moves") {
		p.Moves = append(p.Moves, Move{Instance: word(), From: "a", To: "b"})
	}
	for range many("slots") {
		p.Slots = append(p.Slots, Slot{ID: word(), Tenant: word()})
	}
	for range many("blocked") {
		p.Blocked = append(p.Blocked, Blocked{Host: "h", Why: word()})
	}
	if rapid.Bool().Draw(t, "fleet") {
		p.Fleet = &fleet.Fleet{Evenkeel: fleet.SchemaV1, Regions: []fleet.Region{{ID: word()}, {ID: "r"}}, HostGroups: []fleet.HostGroup{{ID: "g", Hosts: []string{"h", "i"}}}}
		for n := range many("tenants") {
			p.Fleet.Tenants = append(p.Fleet.Tenants, fleet.Tenant{ID: fmt.Sprint(n), Name: word()})
		}
		for range many("groups") {
			p.Fleet.Groups = append(p.Fleet.Groups, fleet.Group{ID: "g", Members: []string{word(), "b"}})
		}
		for range many("hosts") {
			p.Fleet.Hosts = append(p.Fleet.Hosts, fleet.Host{ID: "h", URI: word(), Config: map[string]string{"b": word(), "a": ""}})
		}
		for range many("instances") {
			p.Fleet.Instances = append(p.Fleet.Instances, fleet.Instance{ID: "v", Pinned: word(), DirtyMiBps: 0.1})
		}
	}
	return p
}
