package xen

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
)

// endScript reads all that one host knows of one instance, in one call: a dom0 is slow. Arguments:
// root of the acts, name, SaveDir, ConfigDirs.
const endScript = toolPath + endLook

const endLook = `
root=$1 name=$2 save=$3; shift 3
echo "@evenkeel job 0"
if [ -e "$root/$name/act" ] && ! { flock -n -s 7; } 7<"$root/$name/lock"; then cat "$root/$name/act"; fi
list=$(xl list -v 2>&1); rc=$?
echo "@evenkeel list $rc"; printf '%s\n' "$list"
echo "@evenkeel config 0"
for d in "$@" "$save"; do
  if [ -f "$d/$name.cfg" ]; then printf '%s\n' "$d/$name.cfg"; break; fi
done
echo "@evenkeel files 0"
set --
for f in save save.part save.restoring save.sum; do
  [ ! -f "$save/$name.$f" ] || set -- "$@" "$save/$name.$f"
done
[ $# = 0 ] || stat -c '%s %n' -- "$@"
echo "@evenkeel migrations 0"
n=0
for f in $(grep -lsx xl /proc/[0-9]*/comm); do
  f=${f%comm}cmdline
  tr '\0' '\n' <"$f" 2>/dev/null | awk -v n="$name" '$0 == "migrate" {m = 1} $0 == n {i = 1} END {exit !(m && i)}' && n=$((n + 1))
done
echo $n
echo "@evenkeel end 0"
`

// parseEnd reads what endScript answers about an instance.
func parseEnd(name, out string) (end, error) {
	parts, codes, err := patchSections(out)
	if err != nil {
		return end{}, err
	}
	if _, whole := parts["end"]; !whole {
		return end{}, fmt.Errorf("the answer is cut off after %d bytes", len(out))
	}
	if codes["list"] != 0 {
		return end{}, fmt.Errorf("xl list ended with exit code %d: %s", codes["list"], lastOf(parts["list"], 2))
	}
	e := end{reached: true, config: strings.TrimSpace(parts["config"]), job: strings.TrimSpace(parts["job"]), files: map[string]int64{}}
	if e.all, err = parseEndList(parts["list"]); err != nil {
		return end{}, err
	}
	for i := range e.all {
		at := map[string]**endDomain{name: &e.home, name + suffixIncoming: &e.incoming, name + suffixAway: &e.away}[e.all[i].name]
		if at == nil {
			continue
		}
		if *at != nil {
			return end{}, fmt.Errorf("xl list has two domains of the name %s", e.all[i].name)
		}
		*at = &e.all[i]
	}
	for line := range strings.Lines(parts["files"]) {
		size, file, _ := strings.Cut(strings.TrimSpace(line), " ")
		file = file[strings.LastIndex(file, "/")+1:]
		n, err := strconv.ParseInt(size, 10, 64)
		if err != nil {
			return end{}, fmt.Errorf("the size of %s is %q, expected a number", file, size)
		}
		e.files[strings.TrimPrefix(file, name+".")] = n
	}
	if e.migrations, err = strconv.Atoi(strings.TrimSpace(parts["migrations"])); err != nil {
		return end{}, fmt.Errorf("the number of migrations under way is %q, expected a number", strings.TrimSpace(parts["migrations"]))
	}
	return e, nil
}

// look reads one instance on one host, within one call's timeout and soon after ctx ends: what became of
// an act must be read even then. It never fails: what could not be read is an end that
// was not reached.
func (d *Driver) look(ctx context.Context, h driver.Host, name string) end {
	own, cancel := context.WithTimeout(context.WithoutCancel(ctx), d.cfg.CallTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		if sleep(own, lastLook) {
			cancel()
		}
	})
	defer stop()
	argv := []string{"sh", "-c", endScript, "evenkeel", jobRoot, name, d.cfg.SaveDir}
	res, err := d.long(own, h, nil, append(argv, d.cfg.ConfigDirs...)...)
	if err != nil {
		return end{err: unreachable(h, err)}
	}
	e, err := parseEnd(name, res.Stdout)
	if err != nil {
		return end{err: &driver.Error{Code: driver.CodeUnreachable, Retry: true, Err: err, Next: "see whether xl list works there",
			Why: fmt.Sprintf("what %s has of %s cannot be read (exit code %d: %s)", h.ID, name, res.Exit, lastOf(res.Stderr, 1))}}
	}
	return e
}

// lastLook bounds a look after the caller's own deadline.
const lastLook = 8 * time.Second

// unreachable: a look that had its own time and got no answer found the host silent, whatever the
// connection calls it.
func unreachable(h driver.Host, err error) error {
	if code(err) != driver.CodeDeadline {
		return err
	}
	return &driver.Error{Code: driver.CodeUnreachable, Retry: true, Awake: driver.Awake(err), Err: err, Why: "the dom0 of " + h.ID + " does not answer", Next: "see whether the host is up and its network works"}
}

// settle reads both ends until they mean something definite, or patience or ctx ends; at least once in
// any case. It cleans nothing up. An act that is under way is not waited for.
func (d *Driver) settle(ctx context.Context, r driver.MigrateRequest, patience time.Duration) (src, dst end, v verdict) {
	base := ctx
	if ctx.Err() != nil {
		base, patience = context.WithoutCancel(ctx), min(patience, lastLook)
	}
	until, cancel := context.WithTimeout(base, patience)
	defer cancel()
	grave := unsettled
	for {
		dst = d.look(ctx, r.To, r.Instance)
		src = d.look(ctx, r.From, r.Instance)
		v = judge(src, dst)
		switch v {
		case moved, stayed:
			return src, dst, v
		case split, lostBoth, leftover, orphan, frozen:
			if grave == v { // seen twice: two looks are never at the same instant
				return src, dst, v
			}
		case unsettled:
			if src.job != "" {
				return src, dst, v
			}
		}
		grave = v
		if !sleep(until, d.cfg.Poll) {
			return src, dst, v
		}
	}
}
