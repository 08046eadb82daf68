package xen

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/evenkeel/evenkeel/internal/driver"
	"github.com/evenkeel/evenkeel/internal/driver/ssh"
)

// jobRoot on a host holds one folder for each instance: its act under way, or the last one. /run
// survives no reboot, and neither does an act.
const jobRoot = "/run/evenkeel"

// toolPath: a command over SSH may have no sbin in its PATH, where xl is. rows calls row with the words of
// each line of a text: to begin an awk takes a slow dom0 longer.
const toolPath = `PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin LC_ALL=C; export PATH LC_ALL
rows() {
  set -f; IFS='
'
  for row in $1; do unset IFS; row $row; done
  unset IFS; set +f
}
`

// jobHead begins a long act of an instance, which then runs by itself in dom0: neither a dropped
// connection nor a killed controller ends it, and whoever asks for it again joins it. The act holds an
// exclusive lock for as long as it runs. Arguments: generation, seconds to wait for its end, root, name,
// act, fence, the runner's script and its arguments.
const jobHead = toolPath + patchGuard + `
hold=$1 root=$2 name=$3 act=$4 fence=$5 runner=$6; shift 6
job=$root/$name
umask 077
[ -d "$job" ] || mkdir -p "$job"
exec 8>"$job/lock" || { echo "cannot write $job" >&2; exit 115; }
begun= need=
# Those who only look hold the lock together, and for a moment.
if ! flock -n 8 && ! { flock -n -s "$job/lock" true && flock -w 5 8; }; then
  now=$(cat "$job/act" 2>/dev/null)
  if [ "$now" != "$act" ]; then echo "another act is under way on $name: ${now:-not named}" >&2; exit 118; fi
  begun=joined
fi
check() {
:
`

// jobTail starts the runner, unless it was joined. What stands between jobHead and jobTail may still
// refuse, and leaves in need how many KiB on disk the act will take. Then it waits: the act's end is told
// in the same answer.
const jobTail = `
}
if [ -z "$begun" ]; then
  check "$@"
  [ ! -e "$job/act" ] || rm -f "$job/rc" "$job/pid" "$job/out" "$job/need" "$job/aborted"
  printf '%s\n' "$act" >"$job/act" && printf '%s\n' "$fence" >"$job/fence" || exit 115
  [ -z "$need" ] || echo "$need" >"$job/need" || exit 115
  setsid sh -c "$runner" evenkeel "$job" "$@" </dev/null >"$job/out" 2>&1 9>&- &
fi
exec 8>&- 9>&-
tell_job "$hold"
`

// runnerHead begins each runner: run carries the tool out without the lock, so that a service it leaves
// behind (xl's own watcher of a domain) does not hold it; end writes how it ended.
const runnerHead = `
job=$1; shift
run() { "$@" 8>&- & echo $! >"$job/pid"; wait $!; }
end() { echo "$1" >"$job/rc"; exit 0; }
`

// jobTell waits for at most $1 seconds until the act is over, and tells what there is to tell. What was
// sent is what the tool's children have written.
const jobTell = `
tell_job() {
  state=none
  if [ -e "$job/act" ]; then
    if { flock -w "$1" -s 7; } 7<"$job/lock"; then state=over; else state=running; fi
  fi
  echo "@evenkeel job 0"
  echo "state $state"
  if [ $state != none ]; then
    read -r was <"$job/act"; echo "act $was"
    if [ -e "$job/rc" ]; then read -r was <"$job/rc"; echo "rc $was"; fi
    if [ -e "$job/aborted" ]; then echo aborted; fi
  fi
  if [ $state = running ] && pid=$(cat "$job/pid" 2>/dev/null); then
    for s in $(grep -ls "^PPid:[[:space:]]*$pid\$" /proc/[0-9]*/status); do
      sed -n 's/^wchar: /sent /p' "${s%status}io" 2>/dev/null
    done
  fi
  echo "@evenkeel out 0"
  if [ -s "$job/out" ]; then tail -c 16384 "$job/out"; fi
  echo
  echo "@evenkeel end 0"
  if [ $state != running ]; then look_after; fi
}
`

// jobWait looks at an act. Arguments: root, name, seconds to wait for its end.
const jobWait = toolPath + jobTell + `
job=$1/$2
look_after() { :; }
tell_job "$3"
`

// lookAfter follows the end of an act with a look at its instance, in the same answer: each call costs a
// dom0 as much as the looking.
func lookAfter(root, name, saveDir string, configDirs []string) string {
	return "look_after() { echo; echo '" + lookMark + "'; set -- " + ssh.Quote(append([]string{root, name, saveDir}, configDirs...)...) + "\n" + endLook + "}\n"
}

// lookMark stands before the look. It comes last, and nothing in a look begins so.
const lookMark = "@evenkeel-look"

// What the scripts of the acts say by their exit code, beside those of the guard.
const (
	exitUnderWay = 118 // another act is under way on the instance
	exitRefused  = 119 // the act's own check refuses; the words say why
	exitNoDisk   = 120 // the disk lacks room
	exitOddly    = 121 // what is there is not what the act begins with: a look must tell
)

// jobSeen is what a look at an act says.
type jobSeen struct {
	state string // none, running, over
	act   string
	rc    int   // of the tool; noCode: it left none
	sent  int64 // bytes
	// aborted: somebody asked for its end.
	aborted bool
	out     string
}

// noCode: the runner was killed, or has not ended.
const noCode = -1

// parseJob reads what jobWait answers.
func parseJob(out string) (jobSeen, error) {
	parts, _, err := patchSections(out)
	if err != nil {
		return jobSeen{}, err
	}
	if _, whole := parts["end"]; !whole {
		return jobSeen{}, fmt.Errorf("the answer is cut off after %d bytes", len(out))
	}
	j := jobSeen{rc: noCode, out: strings.TrimSpace(parts["out"])}
	for line := range strings.Lines(parts["job"]) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch key {
		case "state":
			j.state = value
		case "act":
			j.act = value
		case "rc":
			if n, err := strconv.Atoi(value); err == nil {
				j.rc = n
			}
		case "aborted":
			j.aborted = true
		case "sent":
			if n, err := strconv.ParseInt(value, 10, 64); err == nil {
				j.sent = max(j.sent, n)
			}
		}
	}
	if j.state != "none" && j.state != "running" && j.state != "over" {
		return jobSeen{}, fmt.Errorf("the act's state is %q, expected none, running or over", j.state)
	}
	return j, nil
}

// act is one long act on an instance.
type act struct {
	name   string // of the instance
	what   string // how it is told apart, such as "migrate 192.0.2.2": the same act is joined
	check  string // a script that may refuse; empty: nothing to check
	runner string
	args   []string
	hold   time.Duration // how long the first call may wait for the end
}

// errOddly: the act was not begun, for the host is not as the act expects it. A look says how it is.
var errOddly = errors.New("the host is not as it was expected")

// begin starts an act, or joins it when it is under way, and tells how it goes after a.hold at most. The
// end of the instance is told once the act is over.
func (d *Driver) begin(ctx context.Context, f driver.Fence, h driver.Host, a act) (jobSeen, end, error) {
	script := jobTell + lookAfter(jobRoot, a.name, d.cfg.SaveDir, d.cfg.ConfigDirs) + jobHead + a.check + jobTail
	argv := []string{"sh", "-c", script, "evenkeel", strconv.FormatInt(f.Generation, 10), seconds(a.hold),
		jobRoot, a.name, a.what, fenceText(f), toolPath + runnerHead + a.runner}
	// The guard may wait for its lock.
	ctx, cancel := context.WithTimeout(ctx, d.cfg.CallTimeout+lockWait+a.hold)
	defer cancel()
	res, err := d.long(ctx, h, nil, append(argv, a.args...)...)
	switch {
	case err != nil:
		return jobSeen{}, end{}, err
	case res.Exit == exitOddly:
		return jobSeen{}, end{}, errOddly
	case res.Exit != 0:
		return jobSeen{}, end{}, actRefused(h, res.Exit, res.Stderr)
	}
	return d.told(h, a.name, res)
}

func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int(d.Round(time.Second)/time.Second)))
}

// told reads what was said of an act, and of its instance once it is over.
func (d *Driver) told(h driver.Host, name string, res ssh.Result) (jobSeen, end, error) {
	of, look := res.Stdout, ""
	if i := strings.LastIndex(of, "\n"+lookMark+"\n"); i >= 0 {
		of, look = of[:i+1], of[i+len(lookMark)+2:]
	}
	j, err := parseJob(of)
	if err != nil {
		return jobSeen{}, end{}, &driver.Error{Code: driver.CodeFailed, Retry: true, Err: err, Next: "see whether the host has flock, timeout and setsid",
			Why: fmt.Sprintf("%s did not say how the act on %s goes (exit code %d: %s)", h.ID, name, res.Exit, lastOf(res.Stderr, 1))}
	}
	if look == "" {
		return j, end{}, nil
	}
	e, err := parseEnd(name, look)
	if err != nil {
		return j, end{}, nil // it is read again
	}
	return j, e, nil
}

// lockWait is how long the guard waits for its lock.
const lockWait = 60 * time.Second

// wait looks at an act once; it returns after at most limit, or when the act is over. With ends it reads
// the instance then, too.
func (d *Driver) wait(ctx context.Context, h driver.Host, name string, limit time.Duration, ends bool) (jobSeen, end, error) {
	script := jobWait
	if ends {
		script = toolPath + jobTell + "job=$1/$2 hold=$3\n" + lookAfter(jobRoot, name, d.cfg.SaveDir, d.cfg.ConfigDirs) + "tell_job \"$hold\"\n"
	}
	ctx, cancel := context.WithTimeout(ctx, d.cfg.CallTimeout+limit)
	defer cancel()
	res, err := d.long(ctx, h, nil, "sh", "-c", script, "evenkeel", jobRoot, name, seconds(limit))
	if err != nil {
		return jobSeen{}, end{}, err
	}
	return d.told(h, name, res)
}

// carry begins an act, unless it was seen under way, and follows it until it is over; then it gives the
// instance's end as it was read after that, if it could be. When an answer is lost it goes on looking, for
// the act goes on too; the error is then about what could not be learned, not about the act.
func (d *Driver) carry(ctx context.Context, f driver.Fence, h driver.Host, a act, underWay bool, see func(jobSeen) error) (jobSeen, end, error) {
	if a.hold = longestHold; see != nil {
		a.hold = d.cfg.Poll
	}
	if !underWay {
		j, e, err := d.begin(ctx, f, h, a)
		switch {
		case err != nil && !unsure(err):
			return jobSeen{}, end{}, err
		case err == nil && j.state == "over":
			return j, e, nil
		}
	}
	return d.follow(ctx, h, a.name, see)
}

// follow waits until the act on an instance is over. see hears of each look; its error ends the waiting.
func (d *Driver) follow(ctx context.Context, h driver.Host, name string, see func(jobSeen) error) (jobSeen, end, error) {
	heard, slice, longest := time.Now(), d.cfg.Poll, longestWait
	if see == nil {
		slice, longest = longestHold, longestHold
	}
	for {
		j, e, err := d.wait(ctx, h, name, slice, see == nil)
		switch {
		case ctx.Err() != nil:
			return j, e, ctx.Err()
		case err != nil && time.Since(heard) > d.cfg.Patience:
			return j, e, err
		case err != nil:
			if !sleep(ctx, d.cfg.Poll) {
				return j, e, ctx.Err()
			}
			continue
		case j.state != "running":
			return j, e, nil
		}
		heard = time.Now()
		if see != nil {
			if err := see(j); err != nil {
				return j, e, err
			}
		}
		slice = min(slice*2, longest) // each look costs the dom0 that does the work
	}
}

const (
	longestWait = 5 * time.Second  // where somebody wants to hear how far it is
	longestHold = 15 * time.Second // else: a call that only waits costs nothing, but must notice a dead connection
)

// actRefused puts a refusal of the start script into an error.
func actRefused(h driver.Host, exit int, stderr string) error {
	e := &driver.Error{Code: driver.CodeRefused, Why: h.ID + " refuses: " + lastOf(stderr, 1)}
	switch exit {
	case 0:
		return nil
	case patchStale:
		e.Next = "a newer controller has taken over: stop this one. If its journal was thrown away, remove /var/lib/evenkeel/generation on the host"
	case exitUnderWay:
		e.Next, e.Retry = "wait until that act is over", true
	case exitRefused:
		e.Next, e.Retry = "look at the host; nothing was done", true
	case exitNoDisk:
		e.Code, e.Next, e.Retry = driver.CodeNoRoom, "make room on that file system, or choose another tactic for the instance", true
	case patchNoGuard:
		e.Next, e.Retry = "let the SSH user write /var/lib/evenkeel and "+jobRoot+" there", true
	default:
		e.Code, e.Retry = driver.CodeFailed, true
		e.Why = fmt.Sprintf("the act could not be begun on %s (exit code %d): %s", h.ID, exit, lastOf(stderr, 3))
		e.Next = "see whether the host has flock, setsid and xl"
	}
	return e
}

// nameForm is what instance names must look like here: they become file names.
var nameForm = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.+-]{0,199}$`)

// The names that xl migrate gives the halves of an instance.
const (
	suffixIncoming = "--incoming"
	suffixAway     = "--migratedaway"
)

func checkName(name string) error {
	if !nameForm.MatchString(name) || strings.Trim(name, "0123456789") == "" || strings.HasSuffix(name, suffixIncoming) || strings.HasSuffix(name, suffixAway) {
		return &driver.Error{Code: driver.CodeRefused, Why: fmt.Sprintf("%q cannot be acted on: expected a name of letters, digits and _ . + -, more than a number, none of those that xl migrate gives", name), Next: "correct the instance's name"}
	}
	return nil
}

// fenceText is for people who look into the act's folder.
func fenceText(f driver.Fence) string {
	return fmt.Sprintf("campaign %s revision %d turn %s step %s attempt %d generation %d", f.Campaign, f.Revision, f.Turn, f.Step, f.Attempt, f.Generation)
}
