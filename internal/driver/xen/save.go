package xen

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/evenkeel/evenkeel/internal/driver"
)

const (
	actSave    = "save"
	actRestore = "restore"
)

// What the runners of save and restore end with, beside the tool's own codes.
const (
	endNotSealed  = 200 // the image is written, but its sum is not: nothing proves it whole
	endNoSum      = 201 // the image has no sum
	endDamaged    = 202 // the image is not the one that was written
	endNotMarked  = 203 // the file could not be renamed before the restore
	endNotResumed = 204 // restored, and still paused
)

// saveCheck refuses a save of what does not plainly run here, and one for which the disk lacks room, what
// other saves under way still need included; and it throws away what is left of an older image: the
// instance has run since. What an image may take, in KiB: the memory, what libxl writes about each page and
// device, and a margin. Arguments: name, SaveDir.
const saveCheck = `
save=$2
list=$(xl list -v 2>&1) || { echo "xl list fails: $list" >&2; exit 121; }
mem= seen=
row() {
  case $1 in
  "$name") seen=1$seen; case ${5-} in ??-[!s]?[!d]) mem=$3;; esac;;
  "$name--incoming"|"$name--migratedaway") seen=2$seen;;
  esac
}
rows "$list"
case $seen-$mem in 1-|1-*[!0-9]*) exit 121;; 1-*) ;; *) exit 121;; esac
need=$(((mem + mem / 32 + 64) * 1024))
[ -d "$save" ] || mkdir -p "$save" || { echo "cannot write $save" >&2; exit 115; }
for f in save save.part save.restoring save.sum save.json; do [ ! -e "$save/$1.$f" ] || rm -f "$save/$1.$f"; done
free=
row() { free=${4-}; }
rows "$(df -Pk "$save")"
case $free in ''|*[!0-9]*) echo "the room in $save cannot be read" >&2; exit 119;; esac
promised=0
for n in "$root"/*/need; do
  other=${n%/need}
  if [ ! -e "$n" ] || [ "$other" = "$job" ] || { flock -n -s 7; } 7<"$other/lock"; then continue; fi
  has=$(stat -c %s "$save/${other##*/}.save.part" 2>/dev/null || echo 0)
  left=$(($(cat "$n") - has / 1024))
  if [ "$left" -gt 0 ]; then promised=$((promised + left)); fi
done
if [ $((free - promised)) -lt "$need" ]; then
  echo "saving $1 needs $((need / 1024)) MiB in $save, which has $((free / 1024)) MiB free, $((promised / 1024)) MiB of them promised to other saves" >&2; exit 120
fi
`

// saveRunner writes to NAME.save.part, and renames it once the image and its sum are on the disk: a
// half-written file is never taken for a good one. An instance without a configuration file gets what
// xl knows of it kept beside it. Arguments: name, SaveDir, ConfigDirs.
const saveRunner = `
name=$1 save=$2; shift 2
file=$save/$name.save
umask 077
known=
for d in "$@" "$save"; do [ -f "$d/$name.cfg" ] && known=1; done
[ -n "$known" ] || xl list -l "$name" >"$file.json" 2>/dev/null
run xl save "$name" "$file.part"
rc=$?
if [ $rc != 0 ]; then
  if xl list "$name" >/dev/null 2>&1; then rm -f "$file.part" "$file.json"; fi
  end $rc
fi
sum=$(cksum <"$file.part") && printf 'cksum %s\n' "$sum" >"$file.sum" &&
  sync "$file.part" "$file.sum" && mv "$file.part" "$file" && sync "$save" || end 200
` + autoPark + `
end 0
`

// restoreCheck refuses while anything of the instance is on the host, unless it is what a restore that
// was cut off left paused, and a look has shown that. Arguments: name, SaveDir, what a look has shown
// (saved, any).
const restoreCheck = `
if [ "$3" = saved ] && { [ ! -f "$2/$1.save" ] || [ -e "$2/$1.save.restoring" ]; }; then exit 121; fi
if [ ! -e "$2/$1.save.restoring" ]; then
  list=$(xl list) || { echo "xl list fails" >&2; exit 119; }
  on=
  row() { case $1 in "$name"|"$name--incoming"|"$name--migratedaway") on=$1;; esac; }
  rows "$list"
  if [ -n "$on" ]; then
    [ "$3" = any ] || exit 121
    echo "$on is on this host already" >&2; exit 119
  fi
fi
`

// restoreRunner proves the image whole and sets it aside before it is used: should the host die in
// between, nobody takes it for the memory of an instance that has run on since. The domain is restored
// paused; only what never ran may be restored again. The sum's file says 'cksum CRC SIZE', as cksum prints
// it, or in images of earlier versions SIZE and SHA-256. Arguments: name, SaveDir, what a look has shown,
// ConfigDirs.
const restoreRunner = `
name=$1 save=$2; shift 3
file=$save/$name.save
if [ ! -e "$file.restoring" ]; then
  kind= sum= size=
  read -r kind sum size <"$file.sum" || end 201
  if [ "$kind" = cksum ]; then
    [ -n "$size" ] && [ "$(cksum <"$file")" = "$sum $size" ] || end 202
  else
    [ -n "$sum" ] && [ "$(stat -c %s "$file")" = "$kind" ] && have=$(sha256sum <"$file") && [ "${have%% *}" = "$sum" ] || end 202
  fi
  mv "$file" "$file.restoring" && sync "$save" || end 203
  run xl restore -p "$file.restoring"
  rc=$?
  if [ $rc != 0 ]; then
    if list=$(xl list) && ! printf '%s\n' "$list" | awk -v n="$name" '$1 == n {found = 1} END {exit !found}'; then mv "$file.restoring" "$file"; fi
    end $rc
  fi
fi
xl unpause "$name" || end 204
rm -f "$file.restoring" "$file.sum" "$file.json"
` + autoBack + `
end 0
`

// Save writes the instance's memory to SaveDir on its host and so stops it. When ctx ends, the save goes
// on by itself, and a later call waits for it.
//
// What plainly runs is saved in one call to the host, which checks, acts and reads the end; a look of its
// own is only needed where something is odd.
func (d *Driver) Save(ctx context.Context, f driver.Fence, h driver.Host, instance string) error {
	if err := checkName(instance); err != nil {
		return err
	}
	what := fmt.Sprintf("saving %s on %s", instance, h.ID)
	done, err := d.heavy(ctx, h, what)
	if err != nil {
		return err
	}
	defer done()
	a := act{name: instance, what: actSave, check: saveCheck, runner: saveRunner, args: append([]string{instance, d.cfg.SaveDir}, d.cfg.ConfigDirs...)}
	job, after, cause := d.carry(ctx, f, h, a, false, nil)
	if errors.Is(cause, errOddly) {
		e := d.look(ctx, h, instance)
		if e.job != actSave {
			if done, err := saveOpening(e, h, instance, what); done || err != nil {
				return err
			}
		}
		job, after, cause = d.carry(ctx, f, h, a, e.job == actSave, nil)
	}
	return d.proof(ctx, h, instance, what, job, after, cause, func(e end) bool { return e.has(fileSaved) && len(e.domains()) == 0 })
}

// saveOpening says whether there is nothing to do, or why it cannot be done.
func saveOpening(e end, h driver.Host, instance, what string) (done bool, err error) {
	no := func(code string, retry bool, next, why string) (bool, error) {
		return false, &driver.Error{Code: code, Retry: retry, Why: what + ": " + why, Next: next}
	}
	switch {
	case !e.reached:
		return false, e.err
	case e.job != "":
		return no(driver.CodeRefused, true, "wait until that act is over", "another act is under way on it: "+e.job)
	case len(e.domains()) == 0 && e.has(fileSaved):
		return true, nil
	case len(e.domains()) == 0 && (e.has(filePart) || e.has(fileRestoring)):
		return false, brokenImage(e, h, instance)
	case e.where() == driver.IsAbsent:
		return false, notThere(instance, h)
	case e.incoming != nil || e.away != nil:
		return no(driver.CodeRefused, true, "read both ends of that migration first", "half of a migration of it is on this host")
	case e.where() == driver.IsStopped:
		return no(driver.CodeRefused, false, "leave it as it is", "it does not run, so it has no memory to save")
	case e.where() != driver.IsRunning:
		return no(driver.CodeRefused, false, "resume it first", "it is paused or suspended")
	}
	return false, nil
}

// Restore starts a saved instance with the memory that was saved. It never boots one afresh. As with Save,
// what is plainly saved needs no look of its own.
func (d *Driver) Restore(ctx context.Context, f driver.Fence, h driver.Host, instance string) error {
	if err := checkName(instance); err != nil {
		return err
	}
	what := fmt.Sprintf("restoring %s on %s", instance, h.ID)
	done, err := d.heavy(ctx, h, what)
	if err != nil {
		return err
	}
	defer done()
	a := func(shown string) act {
		return act{name: instance, what: actRestore, check: restoreCheck, runner: restoreRunner, args: append([]string{instance, d.cfg.SaveDir, shown}, d.cfg.ConfigDirs...)}
	}
	job, after, cause := d.carry(ctx, f, h, a("saved"), false, nil)
	if errors.Is(cause, errOddly) {
		e := d.look(ctx, h, instance)
		if e.job != actRestore {
			if done, err := restoreOpening(e, h, instance, what); done || err != nil {
				return err
			}
		}
		job, after, cause = d.carry(ctx, f, h, a("any"), e.job == actRestore, nil)
	}
	return d.proof(ctx, h, instance, what, job, after, cause, func(e end) bool { return e.home != nil && e.where() == driver.IsRunning })
}

func restoreOpening(e end, h driver.Host, instance, what string) (done bool, err error) {
	no := func(code string, retry bool, next, why string) (bool, error) {
		return false, &driver.Error{Code: code, Retry: retry, Why: what + ": " + why, Next: next}
	}
	switch {
	case !e.reached:
		return false, e.err
	case e.job != "":
		return no(driver.CodeRefused, true, "wait until that act is over", "another act is under way on it: "+e.job)
	case e.home != nil && e.where() == driver.IsRunning && e.has(fileSaved):
		return no(driver.CodeFailed, false, "tell its tenant that its memory was lost; then move the image away, which must never be restored now",
			"it runs already, but its saved memory was not used: somebody booted it afresh")
	case e.home != nil && e.where() == driver.IsRunning:
		return true, nil
	case e.home != nil && e.home.where() == driver.IsPaused && !e.home.suspended() && e.has(fileRestoring):
		return false, nil // what is left to do is to let it run
	case len(e.domains()) > 0:
		return no(driver.CodeRefused, false, "look at the instance by hand", fmt.Sprintf("it is on this host and is %s", e.where()))
	case e.has(fileSaved):
		return false, nil
	case e.has(filePart) || e.has(fileRestoring):
		return false, brokenImage(e, h, instance)
	case e.where() == driver.IsAbsent:
		return false, notThere(instance, h)
	}
	return no(driver.CodeSaveMissing, false, "start it, if that is what is wanted; what was in its memory is lost", "it has no saved memory here, so a start would boot it afresh")
}

// brokenImage names an instance that is not there, with an image that must not be used.
func brokenImage(e end, h driver.Host, instance string) error {
	err := &driver.Error{Code: driver.CodeSaveDamaged, Next: "put it on the list of those that a person must see; to boot it afresh, move the image away first",
		Why: fmt.Sprintf("the save of %s on %s never became whole (%d bytes), and it does not run there", instance, h.ID, e.files[filePart])}
	if e.has(fileRestoring) {
		err.Why = fmt.Sprintf("a restore of %s was begun on %s, it does not run there, and whether it ran since nobody knows: its image may be older than its disks", instance, h.ID)
	}
	return err
}

func notThere(instance string, h driver.Host) error {
	return &driver.Error{Code: driver.CodeNotFound, Why: fmt.Sprintf("%s is not on %s", instance, h.ID), Next: "observe the host again: somebody moved or deleted it"}
}

// proof reads the instance until want is content, or until nothing is under way any more and it is not.
// After a lost answer, or the end of ctx, it is read all the same. after is what was read behind the act's
// end, if anything was.
func (d *Driver) proof(ctx context.Context, h driver.Host, instance, what string, job jobSeen, after end, cause error, want func(end) bool) error {
	if cause == nil && after.reached && after.job == "" && want(after) {
		return nil
	}
	base, patience := ctx, d.cfg.Patience
	if ctx.Err() != nil {
		base, patience = context.WithoutCancel(ctx), lastLook
	}
	until, cancel := context.WithTimeout(base, patience)
	defer cancel()
	for {
		e := d.look(ctx, h, instance)
		if e.reached && e.job == "" && want(e) {
			return nil
		}
		settled := e.reached && (e.job == "" || ctx.Err() != nil)
		if settled && (job.state == "over" || cause != nil) || !sleep(until, d.cfg.Poll) {
			return actError(ctx, h, instance, what, job, cause, e)
		}
	}
}

// actError says why an act on one host did not come to what it should.
func actError(ctx context.Context, h driver.Host, instance, what string, job jobSeen, cause error, e end) error {
	var done *driver.Error
	damaged := func(why string) error {
		return &driver.Error{Code: driver.CodeSaveDamaged, Why: what + ": " + why, Next: "put it on the list of those that a person must see; it was not booted afresh"}
	}
	switch {
	case ctx.Err() != nil:
		return &driver.Error{Code: driver.CodeDeadline, Retry: true, Err: ctx.Err(), Why: what + " did not end in time; it goes on by itself", Next: "try again: the next attempt finds it and waits for it"}
	case errors.As(cause, &done):
		return cause
	case errors.Is(cause, errOddly):
		return &driver.Error{Code: driver.CodeRefused, Retry: true, Why: what + ": it changed while it was looked at", Next: "observe the host again, then try again"}
	case !e.reached:
		return e.err
	case job.rc == endNotSealed:
		return damaged("xl saved it, but the image could not be proven whole on the disk: " + lastOf(job.out, 2))
	case job.rc == endNoSum:
		return damaged("its image has no sum beside it, so nothing proves it whole")
	case job.rc == endDamaged:
		return damaged("its image is not the one that was written: size or checksum differ")
	case len(e.domains()) == 0 && (e.has(filePart) || e.has(fileRestoring)):
		return brokenImage(e, h, instance)
	case slices.Contains([]int{endNotMarked, endNotResumed}, job.rc):
		return &driver.Error{Code: driver.CodeFailed, Retry: true, Why: fmt.Sprintf("%s: step %d failed: %s", what, job.rc, lastOf(job.out, 2)), Next: "look at the host, then try again"}
	case job.state == "over" && job.rc > 0:
		s := readOutcome(job.out)
		return &driver.Error{Code: s.code, Retry: s.retry, Next: s.next, Why: fmt.Sprintf("%s failed (exit code %d); it is %s there: %s", what, job.rc, e.where(), s.line)}
	}
	return &driver.Error{Code: driver.CodeFailed, Retry: true, Err: cause, Why: fmt.Sprintf("%s: it is %s on %s", what, e.where(), h.ID), Next: "look at the instance, then try again"}
}
