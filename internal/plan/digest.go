package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// Digest is the sha256, in hex, of the plan's JSON with the fields digest, fleet, causes, together and
// summary empty (the fleet is pinned by FleetDigest, the others are words on the plan). Two plans are the same if and only if their digests are.
func Digest(p Plan) string {
	p.Digest, p.Fleet, p.Causes, p.Together, p.Summary = "", nil, nil, nil, nil
	short, lists := cutPlan(p)
	return sum(short, lists)
}

// FleetDigest is the sha256, in hex, of a fleet's JSON: it tells whether a plan was made from it.
func FleetDigest(f *fleet.Fleet) string {
	if f == nil {
		return sum(f, nil)
	}
	short, lists := cutFleet(f, 1)
	return sum(short, lists)
}

func sum(short any, lists []longList) string {
	digest := sha256.New()
	if err := writeLong(digest, short, lists, false); err != nil { // plain values only: there is nothing that could fail
		panic(fmt.Sprintf("a %T does not write as JSON: %v", short, err))
	}
	return hex.EncodeToString(digest.Sum(nil))
}
