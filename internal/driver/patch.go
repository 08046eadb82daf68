package driver

import (
	"context"
	"crypto/sha256"
	"encoding/hex"

	"github.com/evenkeel/evenkeel/internal/fleet"
)

// Patch is one live patch that a host's running code should have.
type Patch struct {
	Name      string // as the host's own list shows it
	Component string // xen, linux
	BuildID   string // of the running hypervisor that it binds to; empty: not said
	SHA256    string // of Payload, in hexadecimal; empty: not said
	Payload   []byte // what is uploaded; nil: it must be there already
	// Replace takes the place of all that is applied (xen-livepatch replace); else it is stacked on top.
	Replace bool
}

// PatchOutcome is what the host's own list says after the act, error or not.
type PatchOutcome struct {
	Patches []fleet.LivePatch `json:"patches"`           // nil: the list could not be read
	Already bool              `json:"already,omitempty"` // nothing had to be done
	// Log holds the hypervisor's own lines about a failure (xl dmesg), which name its cause.
	Log []string `json:"log,omitempty"`
}

// Patcher changes the live patches of a host's running hypervisor. Both acts first read the host's
// own list, then do only what is missing, and are done when the list says so; nothing else is proof.
type Patcher interface {
	// Apply brings the patches to applied, in their order, one on top of the other. It refuses,
	// before anything is uploaded, a payload whose SHA-256 or bound build id is another.
	Apply(ctx context.Context, f Fence, h Host, want []Patch) (PatchOutcome, error)
	// Revert takes the named patches back, the last one first, and unloads them.
	Revert(ctx context.Context, f Fence, h Host, names []string) (PatchOutcome, error)
}

// The codes of live patching; see the package's other codes.
const (
	CodePatchHash       = "patch-hash"        // the payload is not the one that was meant
	CodePatchBuild      = "patch-build"       // it binds to another build than the one that runs
	CodePatchInvalid    = "patch-invalid"     // the hypervisor refuses the payload (Error 22): the log names the cause
	CodePatchSymbol     = "patch-symbol"      // it asks for a symbol that the hypervisor lacks (Error 2)
	CodePatchExists     = "patch-exists"      // the name, or a symbol of another payload, is there already (Error 17)
	CodePatchDependency = "patch-dependency"  // what it is stacked on is not on top
	CodePatchBusy       = "patch-busy"        // busy beyond the bound of retries (Error 16, exit code 2), as when another is stacked on it
	CodePatchMissing    = "patch-missing"     // no such payload there, as after a reboot
	CodePatchState      = "patch-wrong-state" // the payload's state does not allow the act
)

// Sum is the SHA-256 of a payload, in hexadecimal.
func Sum(payload []byte) string {
	sum := sha256.Sum256(payload)
	return hex.EncodeToString(sum[:])
}
