package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// Digest is the sha256, in hex, of the plan's JSON with the fields digest, fleet, causes and summary
// empty (the fleet is pinned by FleetDigest, the others are words on the plan). Two plans are the same if and only if their digests are.
func Digest(p Plan) string {
	p.Digest, p.Fleet, p.Causes, p.Summary = "", nil, nil, nil
	return sum(p)
}

// FleetDigest is the sha256, in hex, of a fleet's JSON: it tells whether a plan was made from it.
func FleetDigest(f *fleet.Fleet) string { return sum(f) }

func sum(v any) string {
	text, err := json.Marshal(v)
	if err != nil { // plain values only: there is nothing that could fail
		panic(fmt.Sprintf("a %T does not write as JSON: %v", v, err))
	}
	digest := sha256.Sum256(text)
	return hex.EncodeToString(digest[:])
}
