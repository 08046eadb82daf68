package xen

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// sweepScript destroys one half of a migration that can never run: it looks once more right before, and
// does nothing unless the domain of that name has that UUID and that state. Arguments: generation, name,
// UUID, state.
const sweepScript = toolPath + patchGuard + `
id=$(xl list -v | awk -v n="$1" -v u="$2" -v s="$3" '$1 == n && $7 == u && $5 == s {print $2}')
case $id in ''|0|*[!0-9]*) echo "no domain $1 ($2) in state $3" >&2; exit 119;; esac
xl destroy "$id" 9>&-
`

// The states in which a half may be destroyed.
const (
	stateSuspended = "---ss-" // on the source: its memory is at the destination, where it runs
	statePaused    = "--p---" // at the destination: it never ran, and its sender is gone
)

// sweep clears a half away: the suspended one on the source, only while the instance is seen running
// at the destination; or the one at the destination that never ran, only while the instance is seen
// running on the source and nobody migrates it away from there. Both must be the same instance.
func (m *migration) sweep(ctx context.Context) bool {
	switch {
	case m.v == leftover && m.dst.home != nil && m.src.away.suspended() && m.src.away.uuid == m.dst.home.uuid:
		return m.sweepOne(ctx, m.r.From, m.src.away, stateSuspended)
	case m.v == orphan && m.dst.incoming.uuid == m.src.home.uuid:
		return m.sweepOne(ctx, m.r.To, m.dst.incoming, statePaused)
	}
	return false
}

func (m *migration) sweepOne(ctx context.Context, h driver.Host, half *endDomain, state string) bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), m.cfg.CallTimeout)
	defer cancel()
	res, err := m.long(ctx, h, nil, "sh", "-c", sweepScript, "evenkeel", strconv.FormatInt(m.r.Fence.Generation, 10), half.name, half.uuid, state)
	return err == nil && res.Exit == 0
}

// configPut keeps a configuration in SaveDir of the host where an instance now runs; where it was
// started at boot before, it will be again. Arguments: generation, name, SaveDir, ConfigDirs.
const configPut = toolPath + patchGuard + `
name=$1 save=$2; shift 2
umask 077
mkdir -p "$save" && cat >"$save/$name.cfg.new" && [ -s "$save/$name.cfg.new" ] && mv "$save/$name.cfg.new" "$save/$name.cfg" && sync "$save/$name.cfg"
`

// configHere gives an instance's start at boot back on the host to which it returned. Arguments:
// generation, name, SaveDir, ConfigDirs.
const configHere = toolPath + patchGuard + `
name=$1 save=$2; shift 2
` + autoBack

// configAway takes it from the host that the instance has left: it must not start there too. The copy
// of its configuration that we kept there goes with it.
const configAway = toolPath + patchGuard + `
name=$1 save=$2; shift 2
rm -f "$save/$name.cfg"
` + autoPark

// autoPark takes an instance out of a folder whose instances start with the host; autoBack puts it back
// there. The entry, often a link, is kept in SaveDir meanwhile.
const (
	autoPark = `
for d in "$@"; do
  case ${d##*/} in auto)
    if [ -e "$d/$name.cfg" ] || [ -L "$d/$name.cfg" ]; then mkdir -p "$save" && mv "$d/$name.cfg" "$save/$name.auto"; break; fi;;
  esac
done
`
	autoBack = `
if [ -e "$save/$name.auto" ] || [ -L "$save/$name.auto" ]; then
  for d in "$@"; do
    case ${d##*/} in auto) [ -d "$d" ] && mv "$save/$name.auto" "$d/$name.cfg"; break;; esac
  done
fi
`
)

// carryConfig brings the configuration file to where the instance now runs, so that it can be stopped
// and started there, and keeps it from being started where it ran before. It is of no use for the move
// itself, so a failure does not make the move one; each step is done again by a later call.
func (m *migration) carryConfig(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), carryWithin)
	defer cancel()
	if m.dst.config == "" && m.src.config != "" {
		res, err := m.long(ctx, m.r.From, nil, "cat", m.src.config)
		if err != nil || res.Exit != 0 || strings.TrimSpace(res.Stdout) == "" {
			return
		}
		if m.onConfig(ctx, m.r.To, configPut, []byte(res.Stdout)) != nil {
			return
		}
	}
	if m.onConfig(ctx, m.r.To, configHere, nil) == nil {
		_ = m.onConfig(ctx, m.r.From, configAway, nil)
	}
}

const carryWithin = 20 * time.Second

func (m *migration) onConfig(ctx context.Context, h driver.Host, script string, stdin []byte) error {
	argv := []string{"sh", "-c", script, "evenkeel", strconv.FormatInt(m.r.Fence.Generation, 10), m.r.Instance, m.cfg.SaveDir}
	res, err := m.long(ctx, h, stdin, append(argv, m.cfg.ConfigDirs...)...)
	if err == nil && res.Exit != 0 {
		err = fmt.Errorf("%s: exit code %d", h.ID, res.Exit)
	}
	return err
}
