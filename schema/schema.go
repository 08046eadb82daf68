// Package schema holds the published JSON Schemas (draft 2020-12) of the text
// forms: fleet, target, policy, plan and advisory. They are made from the Go types by
// `go test ./schema -update`, and a test holds them equal to what the types
// and their parsers accept.
//
// What a schema cannot say, such as that a reference must lead somewhere, only
// the parsers check.
package schema

import "embed"

// Files holds fleet.v1.json, target.v1.json, policy.v1.json, plan.v1.json and advisory.v1.json.
//
//go:embed *.json
var Files embed.FS
